"""Hosts that share a home over a file system whose locks do nothing lose no word (`campaigns.py lockless` tries more)."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from duckdb import DuckDBPyConnection

from mlbench.catalog import connection
from mlbench.catalog.connection import WORK_FILE
from mlbench.catalog.lock import WriterBusyError
from mlbench.catalog.writer import open_writer
from mlbench.journal import RunRef, compact, open_journal, read_entries, rewriting
from mlbench.paths import Home
from tests.reliability.lockless import N_HOSTS, in_own_process


def test_three_hosts_without_locks_lose_no_word_and_no_catalog(tmp_path: Path) -> None:
    shared = in_own_process(tmp_path, 1, seed=3, minutes=5)

    assert (shared.words.n_lost, shared.words.n_doubled, shared.words.n_corrupt) == (0, 0, 0)
    assert shared.words.n_acknowledged > 500
    assert (shared.n_homes, shared.n_differing, shared.talk) == (1, 0, [])
    assert shared.n_ingests == 2 * N_HOSTS


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    monkeypatch.setattr("fcntl.flock", lambda _fd, _how: None)
    return Home(str(tmp_path / "journal"), str(tmp_path / "cache"), "test")


def tags(home: Home) -> set[str]:
    return {tag for entry in read_entries(home.journal)[0] for tag in entry.add}


def test_a_word_that_is_said_into_a_file_that_is_taken_away_is_said_again(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours, other = open_journal(home), open_journal(home)
    ours.tag(RunRef("/r"), add=["first"])
    other.tag(RunRef("/r"), add=["second"])
    real = os.write

    def write(fd: int, content: bytes) -> int:
        monkeypatch.setattr(os, "write", real)
        compact(home.journal)  # between the look at the file and the write
        return real(fd, content)

    monkeypatch.setattr(os, "write", write)
    ours.tag(RunRef("/r"), add=["third"])

    assert tags(home) == {"first", "second", "third"}


def test_a_word_that_comes_while_files_are_merged_is_merged_too(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    ours, other = open_journal(home), open_journal(home)
    ours.tag(RunRef("/r"), add=["first"])
    other.tag(RunRef("/r"), add=["second"])
    real = rewriting._archive

    def archive(folder: str, names: list[str]) -> None:
        ours.tag(RunRef("/r"), add=["third"])  # all has been read, nothing has been moved
        real(folder, names)

    monkeypatch.setattr(rewriting, "_archive", archive)
    compact(home.journal)

    assert tags(home) == {"first", "second", "third"}


def test_two_merges_at_once_keep_everything(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("first", "second"):
        open_journal(home).tag(RunRef("/r"), add=[name])
    real = rewriting._archive

    def archive(folder: str, names: list[str]) -> None:
        monkeypatch.setattr(rewriting, "_archive", real)
        compact(folder)
        real(folder, names)

    monkeypatch.setattr(rewriting, "_archive", archive)
    compact(home.journal)

    assert tags(home) == {"first", "second"}


def test_a_catalog_that_another_process_has_created_meanwhile_is_not_written_as_if_it_were_empty(home: Home) -> None:
    with open_writer(home) as ours, open_writer(home) as late:  # nothing keeps the second one out
        assert late.is_blank
        ours.open()

        with pytest.raises(WriterBusyError, match="Try again"):
            late.open()


def test_of_two_processes_that_create_a_catalog_at_once_one_does(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with open_writer(Home(home.journal, str(tmp_path / "other"), "test")) as other:
        other.update("INSERT INTO meta VALUES ('theirs', '1')", [])
    real = connection.create_tables

    def create(fresh: DuckDBPyConnection) -> None:
        real(fresh)
        shutil.copyfile(tmp_path / "other" / WORK_FILE, os.path.join(home.cache, WORK_FILE))

    monkeypatch.setattr(connection, "create_tables", create)
    with open_writer(home) as late, pytest.raises(WriterBusyError, match="Try again"):
        late.open()

    with open_writer(home) as after:
        assert after.rows("SELECT value FROM meta WHERE key = 'theirs'") == [("1",)]
    assert not [name for name in os.listdir(home.cache) if ".new" in name]
