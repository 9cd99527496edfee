from pathlib import Path

import duckdb
import pytest

from mlbench.catalog.connection import WRITER_MEMORY, connect_writer, with_room


def limit_of(connection: duckdb.DuckDBPyConnection) -> str:
    row = connection.execute("SELECT current_setting('memory_limit')").fetchone()
    assert row is not None
    return str(row[0])


def test_a_writer_keeps_little_in_memory(tmp_path: Path) -> None:
    connection = connect_writer(str(tmp_path / "work.duckdb"))

    assert WRITER_MEMORY == "48MB"
    assert limit_of(connection) == "45.7 MiB"


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

    assert limits == ["45.7 MiB", "953.6 MiB"]
    assert connection.execute("SELECT count(*) FROM t").fetchone() == (1,)


def test_other_errors_of_a_change_are_told_at_once(tmp_path: Path) -> None:
    connection = connect_writer(str(tmp_path / "work.duckdb"))

    with pytest.raises(duckdb.CatalogException):
        with_room(connection, lambda: connection.execute("INSERT INTO nothing VALUES (1)"))
    assert limit_of(connection) == "45.7 MiB"
