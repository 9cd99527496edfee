from pathlib import Path

import duckdb
import pytest

from mlbench.catalog import connection as module
from mlbench.catalog.connection import WRITER_MEMORY, connect, connect_writer, execute, shrink, with_room


def limit_of(connection: duckdb.DuckDBPyConnection) -> str:
    row = connection.execute("SELECT current_setting('memory_limit')").fetchone()
    assert row is not None
    return str(row[0])


def test_a_writer_keeps_little_in_memory(tmp_path: Path) -> None:
    connection = connect_writer(str(tmp_path / "work.duckdb"))

    assert WRITER_MEMORY == "24MB"
    assert limit_of(connection) == "22.8 MiB"


@pytest.mark.parametrize("is_rolled_back", [True, False])
def test_a_change_that_needs_more_memory_is_made_again_with_more(tmp_path: Path, is_rolled_back: bool) -> None:
    connection = connect_writer(str(tmp_path / "work.duckdb"))
    connection.execute("CREATE TABLE t (n INTEGER)")
    limits: list[str] = []

    def change() -> None:
        connection.execute("BEGIN")
        connection.execute("INSERT INTO t VALUES (1)")
        limits.append(limit_of(connection))
        if len(limits) == 1:
            if is_rolled_back:
                connection.execute("ROLLBACK")
            raise duckdb.OutOfMemoryException("too much")
        connection.execute("COMMIT")

    with_room(connection, change)

    assert limits == ["22.8 MiB", "953.6 MiB"]
    assert connection.execute("SELECT count(*) FROM t").fetchone() == (1,)


def test_other_errors_of_a_change_are_told_at_once(tmp_path: Path) -> None:
    connection = connect_writer(str(tmp_path / "work.duckdb"))

    with pytest.raises(duckdb.CatalogException):
        with_room(connection, lambda: connection.execute("INSERT INTO nothing VALUES (1)"))
    assert limit_of(connection) == "22.8 MiB"


LIST = "SELECT len(list(range)) FROM range(4000000)"


def test_a_question_that_needs_more_memory_is_asked_again_with_more(tmp_path: Path) -> None:
    connection = connect_writer(str(tmp_path / "work.duckdb"))

    assert execute(connection, LIST, []).fetchall() == [(4_000_000,)]
    assert limit_of(connection) == "953.6 MiB"


def test_a_transaction_that_needs_more_memory_is_made_again_as_a_whole(tmp_path: Path) -> None:
    connection = connect_writer(str(tmp_path / "work.duckdb"))
    connection.execute("CREATE TABLE t (n INTEGER)")
    tries = []

    def change() -> None:
        tries.append(limit_of(connection))
        connection.execute("BEGIN")
        connection.execute("INSERT INTO t VALUES (1)")
        execute(connection, LIST, [])
        connection.execute("COMMIT")

    with_room(connection, change)

    assert connection.execute("SELECT count(*) FROM t").fetchone() == (1,)
    assert 1 <= len(tries) <= 2


def test_a_file_opened_anew_is_as_it_was_and_little_of_it_is_in_memory(tmp_path: Path) -> None:
    path = str(tmp_path / "work.duckdb")
    connection = connect_writer(path)
    connection.execute("CREATE TABLE t AS SELECT range AS n, hash(range) AS text FROM range(500000)")
    connection.execute("SET memory_limit = '1GB'")
    before = kept_mib(connection)

    connection.close()
    connection = connect_writer(path)

    assert kept_mib(connection) < before / 4
    assert limit_of(connection) == "22.8 MiB"
    assert connection.execute("SELECT count(*), sum(n) FROM t").fetchone() == (500000, 124999750000)
    connection.execute("INSERT INTO t VALUES (-1, 0)")
    connection.close()
    again = connect_writer(path)
    assert again.execute("SELECT min(n) FROM t").fetchone() == (-1,)


def kept_mib(connection: duckdb.DuckDBPyConnection) -> float:
    row = connection.execute("SELECT sum(memory_usage_bytes) FROM duckdb_memory()").fetchone()
    assert row is not None
    return float(row[0]) / (1 << 20)


def test_what_was_looked_at_is_let_go_and_can_be_looked_at_again(tmp_path: Path) -> None:
    path = str(tmp_path / "snapshot.duckdb")
    with duckdb.connect(path) as made:
        made.execute("CREATE TABLE t AS SELECT hash(i) AS a, hash(i + 1) AS b FROM range(2_000_000) AS r(i)")
    connection = connect(path, read_only=True, n_threads=1)
    asked = "SELECT bit_xor(a), bit_xor(b) FROM t"
    answer = connection.execute(asked).fetchall()
    before = kept_mib(connection)

    shrink(connection, "8MB", "48MB")

    assert before > 20
    assert kept_mib(connection) < 8
    assert limit_of(connection) == "45.7 MiB"
    assert connection.execute(asked).fetchall() == answer


def test_what_is_in_use_stays(tmp_path: Path) -> None:
    connection = connect(":memory:", read_only=False, n_threads=1)
    connection.execute("SET max_temp_directory_size = '0B'")
    connection.execute("CREATE TABLE t AS SELECT hash(i) AS a FROM range(2_000_000) AS r(i)")

    shrink(connection, "1MB", "48MB")

    assert limit_of(connection) == "45.7 MiB"
    assert connection.execute("SELECT count(*) FROM t").fetchall() == [(2_000_000,)]


def test_a_file_with_groups_of_another_size_is_gone_on_with(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, n_rows = str(tmp_path / "work.duckdb"), 0
    for options in ("ROW_GROUP_SIZE 16384", module._ROW_GROUPS, "ROW_GROUP_SIZE 122880", module._ROW_GROUPS):
        monkeypatch.setattr(module, "_ROW_GROUPS", options)
        with connect_writer(path) as connection:
            connection.execute("CREATE TABLE IF NOT EXISTS t (n BIGINT, txt VARCHAR, drawn FLOAT[])")
            for count in (10_000, 1, 5_000):
                rows = f"SELECT n, 'x' || n, [n, 1] FROM (SELECT range + {n_rows} AS n FROM range({count}))"
                connection.execute(f"INSERT INTO t {rows}")
                n_rows += count
                connection.execute("DELETE FROM t WHERE n < 9000 AND n % 7 = 3")
                connection.execute("CHECKPOINT")

    with connect_writer(path) as connection:
        whole = "txt = 'x' || n AND drawn[1] = n AND drawn[2] = 1"
        found = connection.execute(f"SELECT count(*), count(DISTINCT n), max(n), bool_and({whole}) FROM t").fetchone()

    assert found == (n_rows - 1286, n_rows - 1286, n_rows - 1, True)
    assert "4096" in module._ROW_GROUPS
