"""Writer, snapshots and segments: what is committed is seen whole, and damage is told."""

import os
import stat
import struct
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from mlbench import journal
from mlbench.catalog import layout, segments, snapshots
from mlbench.catalog.batch import Batch
from mlbench.catalog.connection import NewerCatalogError, connect
from mlbench.catalog.layout import is_told, point_schema
from mlbench.catalog.lock import WriterBusyError
from mlbench.catalog.locked import add_points
from mlbench.catalog.reader import open_reader
from mlbench.catalog.segments import SegmentStore, Stored, write_segment
from mlbench.catalog.writer import SERIES_BLOCK, open_writer
from mlbench.errors import HomeError
from mlbench.paths import Home
from mlbench.watch import catalog_stamp

NOW = 1_800_000_000.0


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(str(tmp_path / "journal"), str(tmp_path / "cache"), "test")


def points(series_id: int, *values: float) -> pa.Table:
    n = len(values)
    columns = [[series_id] * n, [1] * n, list(range(n)), list(range(n)), [float(i) for i in range(n)], list(values)]
    return pa.table(
        [pa.array(column, field.type) for column, field in zip(columns, point_schema(), strict=True)],
        schema=point_schema(),
    )


def stored(home: Home, run_id: str, series_id: int, *values: float) -> Stored:
    """The points of one series in a segment."""
    row = {"series_id": series_id, "run_id": run_id, "metric": "loss", "n": len(values), "n_raw": len(values)}
    segment = write_segment(home.points, points(series_id, *values))
    return Stored(segment, pa.Table.from_pylist([row]), (run_id,))


def one_run(home: Home, run_id: str, *values: float, series_id: int = 1) -> Batch:
    batch = Batch(run_ids={run_id}, stored=[stored(home, run_id, series_id, *values)])
    batch.add(
        "run",
        run_id=run_id,
        run_key=f"/{run_id}",
        name=run_id,
        path=f"/{run_id}",
        active_s=1.0,
        fingerprint=f"f-{run_id}",
        is_missing=False,
    )
    return batch


def test_an_empty_home_gives_a_reader_without_runs(home: Home) -> None:
    with open_reader(home) as reader:
        assert reader.rows("SELECT count(*) FROM runs") == [(0,)]
        assert reader.points([1, 2]).num_rows == 0


def test_readers_see_nothing_before_it_is_published(home: Home) -> None:
    with open_writer(home) as open_one:
        open_one.commit(one_run(home, "a", 0.5))
        with open_reader(home) as before:
            assert before.rows("SELECT count(*) FROM runs") == [(0,)]

        assert open_one.publish()

        with open_reader(home, now_s=NOW) as after:
            assert after.rows("SELECT id, status FROM runs") == [("a", "finished")]


def test_a_new_catalog_is_created_by_the_first_statement(home: Home) -> None:
    work = Path(home.cache) / "work.duckdb"
    with open_writer(home) as writer:
        was_blank = writer.is_blank, writer.must_rebuild, work.exists()
        ids = writer.new_series_block(), writer.new_source_id()
        writer.commit(one_run(home, "a", 1.0, series_id=ids[0]))
        writer.publish()
    with open_writer(home) as again:
        following = again.new_series_block()

    assert was_blank == (True, False, False)
    assert ids == (SERIES_BLOCK, 1)
    assert following == 2 * SERIES_BLOCK
    assert stat.S_IMODE(work.stat().st_mode) == 0o600
    assert sorted(path.name for path in work.parent.glob("work.*")) == ["work.duckdb"]


def test_a_catalog_that_was_lost_is_no_new_one(home: Home) -> None:
    with open_writer(home) as writer:
        writer.commit(one_run(home, "a", 1.0))
        writer.publish()
    (Path(home.cache) / "work.duckdb").unlink()

    with open_writer(home) as writer:
        assert (writer.is_blank, writer.must_rebuild) == (False, True)
        assert writer.talk == ["the catalog was gone; it is built again"]


def test_a_writer_that_was_asked_nothing_leaves_no_catalog(home: Home) -> None:
    with open_writer(home):
        pass

    assert os.listdir(home.cache) == ["writer.lock"]


def test_publishing_twice_without_news_writes_nothing(home: Home) -> None:
    with open_writer(home) as open_one:
        open_one.commit(one_run(home, "a", 0.5))

        assert [open_one.publish(), open_one.publish()] == [True, False]


def test_an_open_reader_keeps_its_snapshot_while_others_are_published(home: Home) -> None:
    with open_writer(home) as open_one:
        open_one.commit(one_run(home, "a", 0.5))
        open_one.publish()
        with open_reader(home) as reader:
            for number in range(5):
                open_one.commit(one_run(home, f"b{number}", 0.5, series_id=10 + number))
                open_one.publish()

            assert reader.rows("SELECT count(*) FROM run") == [(1,)]
    assert len([name for name in os.listdir(home.cache) if name.startswith("snap-")]) == 3


def test_a_run_committed_again_replaces_its_rows_and_points(home: Home) -> None:
    with open_writer(home) as open_one:
        open_one.commit(one_run(home, "a", 0.5, series_id=open_one.new_series_block()))
        open_one.commit(one_run(home, "a", 0.25, 0.125, series_id=open_one.new_series_block()))

        assert open_one.rows("SELECT n FROM series") == [(2,)]
        ids = [row[0] for row in open_one.rows("SELECT series_id FROM series")]
        assert open_one.points(["a"], ids).column("value").to_pylist() == [0.25, 0.125]


def test_what_a_writer_has_in_memory_can_be_let_go_of_between_commits(home: Home) -> None:
    with open_writer(home) as writer:
        writer.commit(one_run(home, "a", 1.0))
        series, source = writer.new_series_block(), writer.new_source_id()
        writer.shed()
        writer.commit(one_run(home, "b", 2.0, series_id=2))
        writer.shed()
        writer.publish()
        writer.shed()
        assert writer.new_series_block() > series
        assert writer.new_source_id() > source
        assert [row[0] for row in writer.rows("SELECT run_id FROM run ORDER BY 1")] == ["a", "b"]
    with open_reader(home) as reader:
        assert [table["value"].to_pylist() for table in (reader.points([1]), reader.points([2]))] == [[1.0], [2.0]]


def test_a_snapshot_of_which_only_half_was_copied_is_made_from_the_tables(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    def copy_half(command: list[str], **_options: object) -> subprocess.CompletedProcess[bytes]:
        _cp, source, target = command
        Path(target).write_bytes(Path(source).read_bytes()[:-20_000])
        return subprocess.CompletedProcess(command, 1)

    with open_writer(home) as writer:
        writer.commit(one_run(home, "a", 0.5))
        with monkeypatch.context() as patched:
            patched.setattr(subprocess, "run", copy_half)
            writer.publish()
    with open_reader(home) as reader:
        assert reader.rows("SELECT name FROM runs") == [("a",)]


def n_groups(rows: Callable[..., list[tuple[Any, ...]]], table: str) -> int:
    """Groups of rows that a table has."""
    return int(rows(f"SELECT count(DISTINCT row_group_id) FROM pragma_storage_info('{table}')")[0][0])


def test_small_groups_of_rows_stay_apart_until_all_is_committed(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    with open_writer(home) as writer:
        for number in range(1, 6):
            writer.commit(one_run(home, f"run{number}", float(number), series_id=number))
            writer.shed()
        writer.publish(is_last=False)
        assert n_groups(writer.rows, "series") == 5
        with monkeypatch.context() as patched:
            copied = []
            patched.setattr(
                snapshots, "copy", lambda *_args, **_options: copied.append(n_groups(writer.rows, "series"))
            )
            with pytest.raises(HomeError):
                writer.publish()
        assert copied == [1]
        writer.publish()
        assert n_groups(writer.rows, "series") == n_groups(writer.rows, "run") == 1
        # From now on DuckDB puts them together itself.
        for number in (6, 7):
            writer.commit(one_run(home, f"run{number}", float(number), series_id=number))
            writer.rows("CHECKPOINT")
        assert n_groups(writer.rows, "series") == 1
    with open_reader(home) as reader:
        assert reader.rows("SELECT count(*), sum(n_points) FROM runs") == [(5, 5)]
        assert n_groups(reader.rows, "series") == 1
        assert reader.points(range(1, 6))["value"].to_pylist() == [1.0, 2.0, 3.0, 4.0, 5.0]


def test_where_groups_cannot_be_put_together_the_snapshot_is_published_without(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    def run_out_of_memory(connection: duckdb.DuckDBPyConnection) -> None:
        connection.close()
        raise duckdb.IOException("Checkpoint failed: the database has been invalidated")

    with open_writer(home) as writer:
        for number in range(1, 6):
            writer.commit(one_run(home, f"run{number}", float(number), series_id=number))
            writer.shed()
        monkeypatch.setattr("mlbench.catalog.writer.put_together", run_out_of_memory)
        assert writer.publish()
        assert n_groups(writer.rows, "series") == 5
        writer.commit(one_run(home, "run6", 6.0, series_id=6))
        monkeypatch.undo()
        assert writer.publish()
        assert n_groups(writer.rows, "series") == 1
    with open_reader(home) as reader:
        assert reader.rows("SELECT count(*), sum(n_points) FROM runs") == [(6, 6)]


def test_a_file_that_another_program_has_open_for_a_moment_is_told(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: str) -> duckdb.DuckDBPyConnection:
        raise duckdb.IOException(f'Could not set lock on file "{path}"')

    with open_writer(home) as writer:
        writer.commit(one_run(home, "a", 1.0))
        with monkeypatch.context() as patched:
            patched.setattr("mlbench.catalog.writer.connect_writer", refuse)
            writer.shed()
        for use in (writer.publish, lambda: writer.rows("SELECT 1"), writer.publish):
            with pytest.raises(HomeError, match=r"opened again: .*Could not set lock.*\. Run the command again"):
                use()
            writer.shed()
    with open_writer(home) as writer:
        assert writer.publish()


def test_groups_of_an_ingest_that_was_killed_are_put_together_when_the_next_one_is_done(home: Home) -> None:
    with open_writer(home) as writer:
        for number in range(1, 4):
            writer.commit(one_run(home, f"run{number}", float(number), series_id=number))
            writer.shed()
    with open_writer(home) as writer:
        writer.commit(one_run(home, "run4", 4.0, series_id=4))
        writer.rows("CHECKPOINT")
        assert n_groups(writer.rows, "series") == 4
        writer.publish()
        assert n_groups(writer.rows, "series") == 1


def test_a_file_that_cannot_be_opened_again_is_told_and_nothing_is_lost(home: Home) -> None:
    with open_writer(home) as writer:
        writer.commit(one_run(home, "a", 1.0))
        work = os.path.join(home.cache, "work.duckdb")
        attach, writer._file = writer._file, home.cache  # a folder
        writer.shed()
        with pytest.raises(HomeError, match="cannot be written"):
            writer.commit(one_run(home, "b", 2.0, series_id=2))
        writer._file = attach
    assert os.path.exists(work)
    with open_writer(home) as writer:
        assert writer.rows("SELECT run_id FROM run") == [("a",)]


def test_series_ids_are_never_used_twice(home: Home) -> None:
    with open_writer(home) as first:
        first.commit(one_run(home, "a", 0.5, series_id=first.new_series_block()))
    with open_writer(home) as second:
        assert second.new_series_block() == 2 * SERIES_BLOCK


def test_a_batch_that_fails_leaves_nothing_behind(home: Home) -> None:
    with open_writer(home) as open_one:
        batch = one_run(home, "a", 0.5)
        batch.add_tables({"no_such_table": pa.table({"x": [1]})})

        with pytest.raises(HomeError, match="tags and notes are safe"):
            open_one.commit(batch)

        assert open_one.rows("SELECT count(*) FROM run") == [(0,)]


def test_a_second_writer_is_told_who_writes(home: Home) -> None:
    with open_writer(home), pytest.raises(WriterBusyError, match=f"pid {os.getpid()} on "):
        open_writer(home, wait_s=0)


def test_a_catalog_of_a_newer_mlbench_is_refused_and_left_alone(home: Home) -> None:
    with open_writer(home) as open_one:
        open_one.update("UPDATE meta SET value = '99' WHERE key = 'schema_version'", [])
        open_one.publish()

    with pytest.raises(NewerCatalogError, match="newer mlbench"):
        open_writer(home)
    with pytest.raises(NewerCatalogError, match="pip install --upgrade"):
        open_reader(home)


def test_a_file_that_is_no_catalog_is_moved_aside(home: Home) -> None:
    os.makedirs(home.cache)
    Path(home.cache, "work.duckdb").write_bytes(b"x" * 20_000)

    with open_writer(home) as open_one:
        assert "moved to" in open_one.talk[0]
        assert open_one.rows("SELECT count(*) FROM run") == [(0,)]


def test_a_damaged_snapshot_is_told_with_what_to_type(home: Home) -> None:
    with open_writer(home) as open_one:
        open_one.commit(one_run(home, "a", 0.5))
        open_one.publish()
    snapshot = Path(home.cache, os.readlink(f"{home.cache}/CURRENT"))
    snapshot.write_bytes(b"garbage" * 3000)

    with pytest.raises(HomeError, match="Try: mlbench rebuild"):
        open_reader(home)


def test_one_flipped_bit_in_a_segment_is_never_silent(tmp_path: Path) -> None:
    segment = write_segment(str(tmp_path), points(1, *(float(i) for i in range(100))))
    path = tmp_path / segment.file
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)

    with pytest.raises(HomeError, match="damaged on disk"):
        SegmentStore(str(tmp_path)).read([(segment.file, segment.hash)], [1])


def test_only_the_wanted_series_and_columns_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(layout, "LEAST_GROUP_ROWS", 1)
    table = pa.concat_tables([points(n, n + 0.25, n + 0.5) for n in (1, 3, 4, 8)])
    segment = write_segment(str(tmp_path), table, cuts=[2, 6])
    store = SegmentStore(str(tmp_path))
    named = [(segment.file, segment.hash)]

    assert pq.read_metadata(tmp_path / segment.file).num_row_groups == 3
    assert store.read(named, [1, 3, 4, 8]).equals(table)
    assert store.read(named, [8, 3, 3, 7]).to_pylist() == [
        *points(3, 3.25, 3.5).to_pylist(),
        *points(8, 8.25, 8.5).to_pylist(),
    ]
    assert store.read(named, [4], columns=["series_id", "value"]).to_pydict() == {
        "series_id": [4, 4],
        "value": [4.25, 4.5],
    }
    assert store.read(named, [2], columns=["series_id", "value"]).num_rows == 0


def test_points_of_a_series_in_two_segments_come_in_their_order(tmp_path: Path) -> None:
    later = points(1, 0.0, 0.1, 0.2, 0.3).slice(2)
    named = [
        (one.file, one.hash)
        for one in (write_segment(str(tmp_path), later), write_segment(str(tmp_path), points(1, 0.0, 0.1)))
    ]

    found = SegmentStore(str(tmp_path)).read(named, [1], columns=["series_id", "value"])

    assert found.to_pydict() == {"series_id": [1] * 4, "value": [0.0, 0.1, 0.2, 0.3]}


def test_what_lies_where_is_forgotten_of_segments_that_were_not_read_for_long(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(segments, "N_FOOTERS", 2)
    monkeypatch.setattr(SegmentStore, "_footers", {})
    written = [write_segment(str(tmp_path), points(n, 0.5)) for n in (1, 2, 3)]
    store = SegmentStore(str(tmp_path))

    for place in (0, 1, 0, 2):
        store.read([(written[place].file, written[place].hash)], [place + 1])

    assert list(SegmentStore._footers) == [str(tmp_path / written[place].file) for place in (0, 2)]


def test_a_missing_segment_is_told(tmp_path: Path) -> None:
    with pytest.raises(HomeError, match="a part of the catalog is missing"):
        SegmentStore(str(tmp_path)).read([("gone.parquet", "0")], [1])


def test_points_keep_every_bit_of_odd_values(tmp_path: Path) -> None:
    odd = [float("nan"), float("inf"), -0.0, 5e-324, 1.7976931348623157e308]
    segment = write_segment(str(tmp_path), points(3, *odd))

    found = SegmentStore(str(tmp_path)).read([(segment.file, segment.hash)], [3]).column("value").to_numpy()

    assert [value.hex() for value in found.tolist()] == [value.hex() for value in odd]


def test_few_points_are_those_that_all_points_are(home: Home) -> None:
    odd = [float("nan"), float("inf"), -0.0, 5e-324, struct.unpack("<d", b"\x01\x00\x00\x00\x00\x00\xf8\x7f")[0]]
    names = ("series_id", "step", "wall_s", "value")
    with open_writer(home) as writer:
        writer.commit(one_run(home, "a", *odd, series_id=7))
        writer.commit(one_run(home, "b", 1.0, 2.0, series_id=3))
        writer.commit(one_run(home, "c", 3.0, series_id=5))
        writer.publish()

    with open_reader(home) as reader:
        for wanted in ([7], [7, 3], [3, 5, 7], [5, 5], [4], [99]):
            few, all_points = reader.few_points(wanted, names), reader.points(wanted, names)
            for name in names:
                assert few[name].dtype == all_points.column(name).to_numpy().dtype
                assert few[name].tobytes() == all_points.column(name).to_numpy().tobytes(), (wanted, name)


def test_few_points_of_a_damaged_or_deleted_segment_are_told(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(SegmentStore, "_checked", set())
    with open_writer(home) as writer:
        writer.commit(one_run(home, "a", 0.5))
        writer.publish()
    (path,) = Path(home.points).glob("*.parquet")
    content = path.read_bytes()

    with open_reader(home) as reader:
        path.write_bytes(content[:-20] + b"x" * 20)
        with pytest.raises(HomeError, match="damaged on disk"):
            reader.few_points([1], ("series_id", "value"))
        path.write_bytes(content)
        assert reader.few_points([1], ("series_id", "value"))["value"].tolist() == [0.5]
        path.unlink()
        with pytest.raises(HomeError, match="a part of the catalog is gone"):
            reader.few_points([1], ("series_id", "value"))


def test_writing_the_same_points_twice_gives_the_same_file(tmp_path: Path) -> None:
    assert write_segment(str(tmp_path), points(1, 0.5)) == write_segment(str(tmp_path), points(1, 0.5))
    assert len(list(tmp_path.iterdir())) == 1


def test_a_full_disk_is_told_and_leaves_no_half_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_source: str, _target: str) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "rename", full)

    with pytest.raises(HomeError, match=r"No space left on device. Free some space"):
        write_segment(str(tmp_path), points(1, 0.5))
    assert list(tmp_path.iterdir()) == []


def test_a_snapshot_that_cannot_be_written_leaves_readers_with_the_last(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    with open_writer(home) as open_one:
        open_one.commit(one_run(home, "a", 0.5))
        open_one.publish()
        open_one.commit(one_run(home, "b", 0.5, series_id=2))
        with monkeypatch.context() as patched:
            patched.setattr(os, "rename", lambda *_names: (_ for _ in ()).throw(OSError(28, "No space left on device")))
            with pytest.raises(HomeError, match="snapshot cannot be written"):
                open_one.publish()

        with open_reader(home) as reader:
            assert reader.rows("SELECT count(*) FROM run") == [(1,)]
        assert open_one.publish()


def test_words_lie_over_the_snapshot_as_soon_as_they_are_said(home: Home) -> None:
    with open_writer(home) as open_one:
        open_one.commit(one_run(home, "a", 0.5))
        open_one.publish()
    ref = journal.RunRef("/a", "f-a")
    with journal.open_journal(home) as words:
        words.tag([ref], add=["good"])
        words.note([ref], "the one to beat")
        words.baseline(ref)
        words.name([ref], "mine")
        words.goal("loss", "min")

    with open_reader(home) as reader:
        assert reader.rows("SELECT name, note, baseline, archived FROM runs") == [
            ("mine", "the one to beat", True, False)
        ]
        assert reader.rows("SELECT tag, origin FROM tags") == [("good", "mlbench")]
        assert reader.rows("SELECT body FROM notes") == [("the one to beat",)]
        assert reader.rows("SELECT * FROM word_goal") == [("loss", "min")]


def test_the_stamp_changes_with_every_snapshot_and_every_word(home: Home) -> None:
    stamps = [catalog_stamp(home)]
    with open_writer(home) as open_one:
        open_one.commit(one_run(home, "a", 0.5))
        open_one.publish()
    stamps.append(catalog_stamp(home))
    with journal.open_journal(home) as words:
        words.tag([journal.RunRef("/a", "")], add=["good"])
    stamps.append(catalog_stamp(home))

    assert len(set(stamps)) == 3
    assert catalog_stamp(home) == stamps[-1]


def test_a_snapshot_that_this_process_has_open_is_no_broken_one(home: Home) -> None:
    with open_writer(home) as open_one:
        open_one.commit(one_run(home, "a", 0.5))
        open_one.publish()
    path = os.path.realpath(os.path.join(home.cache, "CURRENT"))

    with connect(path, read_only=True, n_threads=2) as reader, connect(":memory:", read_only=False) as other:
        told = snapshots.put_right(other, home.cache)
        runs = reader.execute("SELECT run_id FROM run").fetchall()

    assert (told, len(runs)) == ([], 1)
    assert os.path.exists(path)


def test_a_question_that_needs_more_memory_gets_it(home: Home) -> None:
    with open_writer(home) as open_one:
        open_one.commit(one_run(home, "a", 0.5))
        open_one.publish()
    sql = "SELECT len(list(i)) FROM range(3000000) AS t (i)"

    with open_reader(home) as reader:
        reader.rows("SET memory_limit = '8MB'")

        assert reader.rows(sql) == [(3_000_000,)]
        assert reader.rows("SELECT current_setting('memory_limit')") == [("953.6 MiB",)]


def test_the_cache_is_private(home: Home) -> None:
    with open_writer(home) as open_one:
        open_one.commit(one_run(home, "a", 0.5))
        open_one.publish()

    assert Path(home.cache).stat().st_mode & 0o077 == 0


def test_a_run_has_the_same_number_after_a_rebuild(home: Home) -> None:
    with open_writer(home) as writer:
        writer.commit(one_run(home, "b", 0.5))
        writer.publish()
        writer.commit(one_run(home, "a", 0.5, series_id=2))
        writer.publish()
        writer.clear()
        writer.commit(one_run(home, "a", 0.5, series_id=3))
        writer.commit(one_run(home, "b", 0.5, series_id=4))
        writer.rebuilt()
        writer.publish()

    with open_reader(home) as reader:
        assert reader.rows("SELECT id, run_no FROM runs ORDER BY 2") == [("b", 1), ("a", 2)]


def test_publishing_does_not_let_go_of_the_writers_lock(home: Home) -> None:
    code = "import duckdb, sys; duckdb.connect(sys.argv[1])"
    with open_writer(home) as writer:
        writer.commit(one_run(home, "a", 0.5))
        writer.publish()

        other = subprocess.run(
            [sys.executable, "-c", code, f"{home.cache}/work.duckdb"], capture_output=True, check=False
        )

    assert b"lock" in other.stderr


@pytest.mark.parametrize("how", ["no cp", "mostly free"])
def test_a_snapshot_that_cannot_be_copied_as_a_file_is_copied_by_table(
    home: Home, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    if how == "no cp":
        monkeypatch.setenv("PATH", "")
    else:
        monkeypatch.setattr(snapshots, "MOST_FREE", -1.0)
    with open_writer(home) as writer:
        writer.commit(one_run(home, "a", 0.5))
        writer.publish()

    with open_reader(home) as reader:
        assert reader.rows("SELECT id FROM runs") == [("a",)]


def test_views_say_the_same_with_and_without_words(home: Home) -> None:
    with open_writer(home) as writer:
        writer.commit(one_run(home, "a", 0.5))
        writer.publish()
    with open_reader(home, now_s=NOW) as reader:
        (before,) = reader.rows("SELECT * FROM runs")
    with journal.open_journal(home) as words:
        words.archive(journal.RunRef("/other"))
    with open_reader(home, now_s=NOW) as reader:
        (after,) = reader.rows("SELECT * FROM runs")

    assert before == after


def told_run(home: Home, run_id: str, first_id: int, *, n: int = 2_000, n_series: int = 4, seq: int = 0) -> Batch:
    """A run whose metrics are logged at uneven steps, so that their times are told by these."""
    random = np.random.default_rng(first_id + seq)
    steps = np.sort(random.integers(0, 50_000, (n_series, n)), axis=1)
    walls = 1.7e9 + steps * 0.2 + random.uniform(0, 0.1, n)
    walls[0, 3] = struct.unpack("<d", b"\x01\x00\x00\x00\x00\x00\xf8\x7f")[0]
    ids = range(first_id, first_id + n_series)
    columns = [
        np.repeat(ids, n), np.full(n * n_series, 1, np.int32), np.tile(np.arange(n) + seq, n_series), steps.ravel(),
        walls.ravel(), random.random(n * n_series),
    ]  # fmt: skip
    segment = write_segment(home.points, pa.table([pa.array(one) for one in columns], schema=point_schema()))
    assert is_told(segment.file)
    batch = one_run(home, run_id, 0.5, series_id=first_id + 100)
    rows = [{"series_id": i, "run_id": run_id, "metric": f"m{i}", "n": n, "n_raw": n} for i in ids]
    batch.stored.append(Stored(segment, pa.Table.from_pylist(rows), (run_id,), tuple(ids) if seq else ()))
    batch.grown_ids |= {run_id} if seq else set()
    return batch


def test_few_points_are_those_that_all_points_are_where_times_are_told_by_steps(home: Home) -> None:
    with open_writer(home) as writer:
        writer.commit(told_run(home, "a", 1))
        writer.commit(told_run(home, "b", 20, n=3_000, n_series=2))
        writer.commit(told_run(home, "a", 1, seq=5_000))
        writer.publish()

    with open_reader(home) as reader:
        for names in (("series_id", "step", "wall_s", "value"), ("series_id", "wall_s", "seq"), ("series_id", "step")):
            for wanted in ([1], [4, 3], [2, 21, 101], [1, 2, 3, 4, 20, 21, 101, 120], [99], [19, 22]):
                few, all_points = reader.few_points(wanted, names), reader.points(wanted, names)
                assert list(few) == all_points.column_names
                for name in names:
                    assert few[name].dtype == all_points.column(name).to_numpy().dtype
                    assert few[name].tobytes() == all_points.column(name).to_numpy().tobytes(), (wanted, name)
        assert len(reader.points([1, 4])) == 8_000


def test_sql_sees_the_points_of_every_segment(home: Home) -> None:
    with open_writer(home) as writer:
        writer.commit(told_run(home, "a", 1))
        writer.publish()

    with open_reader(home) as reader:
        add_points(reader, is_asked=True)
        found = reader.rows("SELECT metric, count(*), max(step), max(wall_s) FROM points GROUP BY 1 ORDER BY 1")
        points = reader.points([2])
    assert [row[:2] for row in found] == [("loss", 1), ("m1", 2_000), ("m2", 2_000), ("m3", 2_000), ("m4", 2_000)]
    assert found[2][2:] == (points.column("step").to_numpy().max(), points.column("wall_s").to_numpy().max())
