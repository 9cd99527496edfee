from __future__ import annotations

import gc
import os
import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from mlbench.wire import sqlitefile
from mlbench.wire.sqlitefile import Database, DatabaseError, OneOpen, open_database

State = list[tuple[str, int, int]]


@pytest.fixture
def writer(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    """A database `a.db` of one row in a table `runs`, still open."""
    connection = sqlite3.connect(tmp_path / "a.db", isolation_level=None)
    connection.execute("CREATE TABLE runs (a, b)")
    connection.execute("INSERT INTO runs VALUES (1, 'x')")
    yield connection
    connection.close()


def state(folder: Path) -> State:
    return sorted((name, os.stat(folder / name).st_size, os.stat(folder / name).st_mtime_ns)
                  for name in os.listdir(folder))  # fmt: skip


def rows(path: Path) -> list[tuple[object, ...]]:
    with open_database(str(path)) as database:
        return list(database.rows("runs", ("a", "b")))


def copied(folder: Path, *suffixes: str) -> Path:
    """What is left on the disk of a writer that is killed now."""
    target = folder / "copy"
    target.mkdir()
    for suffix in ("", *suffixes):
        shutil.copyfile(folder / f"a.db{suffix}", target / f"a.db{suffix}")
    return target


def test_columns_and_tables_that_are_not_there_are_none(writer: sqlite3.Connection, tmp_path: Path) -> None:
    with open_database(str(tmp_path / "a.db")) as database:
        assert list(database.rows("runs", ("b", "zzz", "a"))) == [("x", None, 1)]
        assert list(database.rows("datasets", ("a",))) == []
        assert database.has("runs", "a")
        assert not database.has("runs", "zzz")


def test_a_file_that_a_live_writer_keeps_in_wal_mode_is_read_and_left_alone(
    writer: sqlite3.Connection, tmp_path: Path
) -> None:
    writer.execute("PRAGMA journal_mode = wal")
    writer.execute("INSERT INTO runs VALUES (2, 'in the log')")
    before = state(tmp_path)

    found = rows(tmp_path / "a.db")

    assert found == [(1, "x"), (2, "in the log")]
    assert state(tmp_path) == before


def test_a_file_in_wal_mode_that_nobody_has_open_gets_no_files_beside_it(
    writer: sqlite3.Connection, tmp_path: Path
) -> None:
    writer.execute("PRAGMA journal_mode = wal")
    writer.close()

    found = rows(tmp_path / "a.db")

    assert found == [(1, "x")]
    assert os.listdir(tmp_path) == ["a.db"]


@pytest.mark.parametrize("suffixes", [("-wal", "-shm"), ("-wal",)])
def test_what_a_killed_writer_left_in_its_log_is_read(
    writer: sqlite3.Connection, tmp_path: Path, suffixes: tuple[str, ...]
) -> None:
    writer.execute("PRAGMA journal_mode = wal")
    writer.execute("INSERT INTO runs VALUES (2, 'in the log')")
    folder = copied(tmp_path, *suffixes)
    before = state(folder)

    found = rows(folder / "a.db")

    assert found == [(1, "x"), (2, "in the log")]
    assert state(folder) == before


def test_a_transaction_that_was_cut_by_a_kill_is_rolled_back_in_a_copy(
    writer: sqlite3.Connection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "tmp"))
    (tmp_path / "tmp").mkdir()
    writer.execute("PRAGMA cache_size = 2")
    writer.execute("BEGIN")
    writer.executemany("INSERT INTO runs VALUES (?, 'y')", [(number,) for number in range(20_000)])
    folder = copied(tmp_path, "-journal")
    before = state(folder)

    found = rows(folder / "a.db")

    assert found == [(1, "x")]
    assert state(folder) == before
    assert os.listdir(tmp_path / "tmp") == []


@pytest.mark.parametrize("mode", ["wal", "delete"])
def test_a_copy_has_no_name_while_it_is_read(
    writer: sqlite3.Connection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mode: str
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "tmp"))
    (tmp_path / "tmp").mkdir()
    writer.execute(f"PRAGMA journal_mode = {mode}")
    writer.execute("BEGIN")  # one transaction: the disk is waited for once, and not for each row
    writer.executemany("INSERT INTO runs VALUES (?, 'y')", [(number,) for number in range(50_000)])
    writer.execute("COMMIT")
    if mode == "delete":
        writer.execute("PRAGMA cache_size = 2")
        writer.execute("BEGIN")
        writer.execute("UPDATE runs SET b = 'never committed, and longer than before'")
    folder = copied(tmp_path, "-wal" if mode == "wal" else "-journal")

    with open_database(str(folder / "a.db")) as database:
        left = os.listdir(tmp_path / "tmp")  # what a process that is killed now leaves behind
        found = list(database.rows("runs", ("a", "b")))

    assert left == []
    assert len(found) == 50_001
    assert {b for _a, b in found} == {"x", "y"}


def test_a_locked_file_is_told(writer: sqlite3.Connection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlitefile, "BUSY_S", 0.01)
    writer.execute("BEGIN EXCLUSIVE")

    with pytest.raises(DatabaseError) as told:
        rows(tmp_path / "a.db")

    assert told.value.is_locked
    assert told.value.what == "another program is writing it and has locked it"


def test_a_reader_does_not_keep_a_writer_waiting(writer: sqlite3.Connection, tmp_path: Path) -> None:
    with open_database(str(tmp_path / "a.db")) as database:
        list(database.rows("runs", ("a",)))

        writer.execute("PRAGMA busy_timeout = 0")
        writer.execute("INSERT INTO runs VALUES (2, 'y')")

        assert list(database.rows("runs", ("a",))) == [(1,), (2,)]


def test_a_view_and_a_virtual_table_are_no_tables(writer: sqlite3.Connection, tmp_path: Path) -> None:
    writer.execute(
        "CREATE VIEW params AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT * FROM n"
    )
    writer.execute("CREATE VIRTUAL TABLE tags USING fts5(key)")

    with open_database(str(tmp_path / "a.db")) as database:
        assert list(database.rows("params", ("i",))) == []
        assert list(database.rows("tags", ("key",))) == []


def test_a_statement_that_takes_too_long_ends(
    writer: sqlite3.Connection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlitefile, "STATEMENT_S", 0.05)

    with open_database(str(tmp_path / "a.db")) as database, pytest.raises(DatabaseError, match="took longer"):
        list(database.ask("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n"))


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"", "the file is empty"),
        (b"no database", "this is no SQLite database"),
        (b"SQLite format 3\0" + b"\xff" * 200, "the database cannot be read: file is not a database"),
        (b"version https://git-lfs.github.com/spec/v1\n", "this is a Git LFS pointer, the file itself is not here"),
    ],
)
def test_what_is_no_database_is_told(tmp_path: Path, content: bytes, what: str) -> None:
    path = tmp_path / "a.db"
    path.write_bytes(content)

    with pytest.raises(DatabaseError) as told:
        open_database(str(path))

    assert told.value.what == what


def test_names_that_mean_something_in_an_address_are_names(tmp_path: Path) -> None:
    path = tmp_path / "a b?mode=rw&x=%41#7 \u5b9e\u9a8c.db"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE runs (a, b)")
        connection.execute("INSERT INTO runs VALUES (1, 'x')")
    connection.close()

    assert rows(path) == [(1, "x")]


def test_text_that_is_no_utf8_is_text(writer: sqlite3.Connection, tmp_path: Path) -> None:
    writer.execute("UPDATE runs SET b = CAST(x'61ff' AS TEXT)")

    assert rows(tmp_path / "a.db") == [(1, "a\ufffd")]


def test_one_open_goes_on_until_the_file_changes(writer: sqlite3.Connection, tmp_path: Path) -> None:
    made: list[Database] = []

    def make(database: Database) -> Database:
        made.append(database)
        return database

    held = OneOpen(make)
    path = str(tmp_path / "a.db")

    first, second = held.get(path), held.get(path)
    writer.execute("INSERT INTO runs VALUES (2, 'y')")
    third = held.get(path)

    assert first is second
    assert third is not first
    assert len(made) == 2


@pytest.mark.skipif(not os.path.isdir("/proc/self/fd"), reason="only Linux tells which files are open")
def test_a_file_is_closed_with_the_last_word_of_it_though_nobody_looks_for_cycles(
    tmp_path: Path, writer: sqlite3.Connection
) -> None:
    path = os.path.realpath(tmp_path / "a.db")
    writer.close()
    gc.disable()
    try:
        database = open_database(path)
        assert list(database.rows("runs", ("a",))) == [(1,)]
        assert is_open(path)

        del database
        assert not is_open(path)
    finally:
        gc.enable()


def is_open(path: str) -> bool:
    return path in {os.path.realpath(f"/proc/self/fd/{number}") for number in os.listdir("/proc/self/fd")}
