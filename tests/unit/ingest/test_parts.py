"""Files that hold many runs: each run is known, read and forgotten by itself."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from mlbench import journal
from mlbench.adapters import mlflow_sqlite
from mlbench.catalog.reader import open_reader
from mlbench.ingest.progress import Summary
from mlbench.ingest.run import ingest_paths
from mlbench.journal.entries import RunRef
from mlbench.paths import Home
from mlbench.watch import Watcher
from mlbench.wire import sqlitefile

ONE, OTHER = "c6cac46e", "609aebac"


@pytest.fixture
def store(tmp_path: Path) -> Path:
    folder = tmp_path / "lab"
    folder.mkdir()
    mlflow_sqlite.example(str(folder))
    return folder / "mlflow.db"


def ingest(home: Home, path: Path) -> Summary:
    return ingest_paths(home, [str(path)])


def change(path: Path, statement: str) -> None:
    connection = sqlite3.connect(path)
    connection.executescript(statement)
    connection.close()


def asked(home: Home, sql: str) -> list[tuple[object, ...]]:
    with open_reader(home, now_s=1_800_000_000.0) as reader:
        return reader.rows(sql)


def test_each_part_is_a_run_named_by_its_tracker(home: Home, store: Path) -> None:
    summary = ingest(home, store.parent)

    assert summary.n_runs == 2
    assert asked(home, "SELECT name, status, project, key, path FROM runs ORDER BY name") == [
        ("lr0.01", "failed", "demo", f"{store}#{OTHER}", str(store)),
        ("lr0.1", "finished", "demo", f"{store}#{ONE}", str(store)),
    ]
    assert asked(home, "SELECT sum(n_raw) FROM series") == [(4,)]


def test_only_the_part_that_changed_is_read_again(home: Home, store: Path) -> None:
    ingest(home, store.parent)
    change(store, f"INSERT INTO metrics VALUES ('loss', 0.1, 1795418508500, '{ONE}', 3, 0)")

    summary = ingest(home, store.parent)
    again = ingest(home, store.parent)

    assert (summary.n_changed, summary.n_read, summary.n_unchanged) == (1, 1, 1)
    assert (again.n_changed, again.n_read, again.n_unchanged) == (0, 0, 2)
    assert asked(home, "SELECT last_step, last_value FROM series ORDER BY n DESC LIMIT 1") == [(3, 0.1)]


def test_a_part_that_is_gone_is_forgotten_and_the_others_stay(home: Home, store: Path) -> None:
    ingest(home, store.parent)
    change(store, f"DELETE FROM runs WHERE run_uuid = '{OTHER}'")

    summary = ingest(home, store.parent)

    assert (summary.n_runs, summary.n_missing) == (1, 0)
    assert asked(home, "SELECT name FROM runs") == [("lr0.1",)]
    assert asked(home, "SELECT path FROM sources") == [(f"{store}#{ONE}",)]


def test_a_store_that_is_locked_keeps_its_runs_and_is_told(
    home: Home, store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlitefile, "BUSY_S", 0.01)
    ingest(home, store.parent)
    writer = sqlite3.connect(store, isolation_level=None)
    writer.execute("BEGIN EXCLUSIVE")

    ingest(home, store.parent)
    writer.close()

    assert asked(home, "SELECT count(*) FROM runs WHERE status <> 'missing'") == [(2,)]
    assert asked(home, "SELECT path, what FROM problems") == [
        (str(store), "another program is writing it and has locked it")
    ]


def test_the_problem_goes_when_the_lock_goes(home: Home, store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlitefile, "BUSY_S", 0.01)
    writer = sqlite3.connect(store, isolation_level=None)
    writer.execute("BEGIN EXCLUSIVE")
    ingest(home, store.parent)
    writer.close()

    summary = ingest(home, store.parent)

    assert (summary.n_runs, summary.n_problems) == (2, 0)


def test_a_moved_store_keeps_the_words_about_its_runs(home: Home, store: Path, tmp_path: Path) -> None:
    ingest(home, tmp_path)
    ((key, fingerprint),) = asked(home, "SELECT key, fingerprint FROM runs WHERE name = 'lr0.1'")
    with journal.open_journal(home) as words:
        words.tag(RunRef(str(key), str(fingerprint)), ["good"])
    store.parent.rename(tmp_path / "moved")

    ingest(home, tmp_path)

    assert asked(home, "SELECT r.name, t.tag FROM tags t JOIN runs r ON r.id = t.run_id WHERE origin = 'mlbench'") == [
        ("lr0.1", "good")
    ]


def test_a_run_that_goes_on_is_followed(home: Home, store: Path) -> None:
    watcher = Watcher(home, [str(store.parent)])
    watcher.look()
    change(store, f"INSERT INTO metrics VALUES ('loss', 0.1, 1795418508500, '{ONE}', 3, 0)")

    summary = watcher.look()
    nothing = watcher.look()

    assert summary is not None
    assert summary.n_read == 1
    assert nothing is None


def test_a_new_run_in_a_followed_store_appears(home: Home, store: Path) -> None:
    watcher = Watcher(home, [str(store.parent)])
    watcher.look()
    change(store, "INSERT INTO runs VALUES ('new', 'third', 'ana', 'RUNNING', 1, 2, 'active', 1)")

    watcher.look()

    assert asked(home, "SELECT count(*) FROM runs") == [(3,)]


def test_a_store_in_wal_mode_is_followed_while_its_writer_is_there(home: Home, store: Path) -> None:
    writer = sqlite3.connect(store, isolation_level=None)
    writer.execute("PRAGMA journal_mode = WAL")
    writer.execute("PRAGMA wal_autocheckpoint = 0")
    watcher = Watcher(home, [str(store.parent)])
    watcher.look()
    found = []
    for step, value in ((3, 0.1), (4, 0.05)):
        writer.execute(f"INSERT INTO metrics VALUES ('loss', {value}, 1795418508500, '{ONE}', {step}, 0)")
        watcher.look()
        found += asked(home, "SELECT last_step, last_value FROM series ORDER BY n DESC LIMIT 1")
    writer.close()  # the log goes into the file and is gone
    watcher.look()

    assert found == [(3, 0.1), (4, 0.05)]
    assert asked(home, "SELECT max(last_step) FROM series") == [(4,)]
    assert asked(home, "SELECT count(*) FROM problems") == [(0,)]
