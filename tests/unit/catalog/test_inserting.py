"""Rows on their way into the catalog: in their order, with what is worked out of each, in groups of a size."""

from pathlib import Path

import duckdb
import pyarrow as pa
import pytest
from duckdb import DuckDBPyConnection

from mlbench.catalog.batch import Batch
from mlbench.catalog.connection import connect, insert
from mlbench.catalog.writer import Writer, open_writer
from mlbench.paths import Home


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(str(tmp_path / "journal"), str(tmp_path / "cache"), "test")


def batch_of(*run_ids: str, keys: tuple[str, ...] = ("z", "y", "x"), raw: str = "1e-3") -> Batch:
    batch = Batch(run_ids=set(run_ids))
    for run_id in run_ids:
        batch.add("run", run_id=run_id, run_key=f"/{run_id}", name=run_id, path=f"/{run_id}", is_missing=False)
        for key in keys:
            batch.add("param", run_id=run_id, key=key, raw=raw, type="str", num=None, txt=raw, is_effective=True)
    return batch


def params(writer: Writer, columns: str) -> list[tuple[object, ...]]:
    return writer.rows(f"SELECT {columns} FROM param ORDER BY rowid")


def test_a_few_rows_keep_their_order_beside_many_numbered_runs(home: Home) -> None:
    with open_writer(home) as writer:
        writer.rows("INSERT INTO run_row SELECT CAST(range AS VARCHAR), range FROM range(20000)")

        writer.commit(batch_of("19000", "1", "500"))

        assert params(writer, "run_id, key") == [(run_id, key) for run_id in ("19000", "1", "500") for key in "zyx"]


def test_parameters_know_the_number_of_their_run_when_they_are_committed(home: Home) -> None:
    with open_writer(home) as writer:
        writer.commit(batch_of("b", keys=("k",)))
        writer.commit(batch_of("a", "c", keys=("k",)))
        writer.commit(batch_of("b", keys=("k",)))

        assert params(writer, "run_id, run_no") == [("a", 2), ("c", 3), ("b", 1)]


@pytest.mark.parametrize(
    ("raw", "meaning"),
    [("1e-3", "0.001"), ("${data.n}", "${data.n}"), ("é" * 70_000, "é" * 70_000)],
    ids=["a number", "a reference", "long"],
)
def test_what_is_told_of_a_value_is_what_duckdb_says_of_it(home: Home, raw: str, meaning: str) -> None:
    with open_writer(home) as writer:
        writer.commit(batch_of("a", keys=("k",), raw=raw))

        ((same,),) = writer.rows("SELECT md5_number_lower(?)", [meaning])
        assert params(writer, "same, n_chars, is_reference") == [(same, min(len(raw), 65535), "${" in raw)]


def test_a_run_of_thousands_of_parameters_is_laid_out_with_more_memory_than_a_writer_has(home: Home) -> None:
    with open_writer(home) as writer:
        writer.commit(batch_of("a", keys=tuple(map(str, range(5_000)))))

        assert writer.publish()

        assert writer.rows("SELECT count(*), count(page) FROM wide_key") == [(5_000, 4_096)]


def test_a_commit_that_needs_more_memory_leaves_nothing_out(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    tried: list[str] = []

    def fail_once(connection: DuckDBPyConnection, table: str, rows: pa.Table, *, told: str) -> None:
        insert(connection, table, rows, told=told)
        tried.append(table)
        if tried.count("param") == 1 and table == "param":
            raise duckdb.OutOfMemoryException("too much")

    monkeypatch.setattr("mlbench.catalog.writer.insert", fail_once)
    with open_writer(home) as writer:
        writer.commit(batch_of("a", keys=("k",)))

        assert tried.count("param") == 2
        assert writer.rows("SELECT run_id FROM run") == [("a",)]
        assert params(writer, "run_id, run_no") == [("a", 1)]


def test_rows_lie_in_groups_of_a_size_also_in_a_file_that_is_opened_again(home: Home) -> None:
    for run_id in "ab":
        with open_writer(home) as writer:
            writer.commit(batch_of(run_id, keys=tuple(map(str, range(20_000)))))
            writer.rows("CHECKPOINT")

    connection = connect(str(Path(home.cache, "work.duckdb")), read_only=True)
    sizes = connection.execute(
        "SELECT row_group_id, sum(count) FROM pragma_storage_info('param') WHERE column_name = 'key' "
        "AND segment_type = 'VARCHAR' GROUP BY 1 ORDER BY 1"
    ).fetchall()
    connection.close()
    assert sum(n for _group, n in sizes) == 40_000
    assert max(n for _group, n in sizes) == 4_096
