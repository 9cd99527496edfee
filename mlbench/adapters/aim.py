"""Aim's run_metadata.sqlite (`.aim/`, Aim 3): name, experiment, description, tags, notes, times, archive mark of runs.

Parameters and metrics lie in RocksDB files with a key encoding of Aim's own, in `.aim/meta` and `.aim/seqs`; they are
not read, which is told once for each repository. Times are UTC.
Link: https://github.com/aimhubio/aim/blob/main/aim/storage/structured/sql_engine/models.py
"""

from __future__ import annotations

import hashlib
import os
import sqlite3
import threading
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import closing

from mlbench.dataclass import dataclass
from mlbench.model import (
    Adapter,
    Claim,
    Cursor,
    Fact,
    ImportedTag,
    JsonValue,
    Listing,
    Problem,
    ReadStatus,
    Role,
    RunField,
    Source,
)
from mlbench.wire.content import sniff, unreadable
from mlbench.wire.jsonlog import utc_seconds
from mlbench.wire.sqlitefile import MAGIC, Database, DatabaseError, OneOpen, Scalar, open_database

_NAME = "run_metadata.sqlite"
_COLUMNS = ("id", "hash", "name", "description", "is_archived", "created_at", "finalized_at", "experiment_id")
_STORES = ("meta", "seqs")


@dataclass(frozen=True, slots=True)
class _Run:
    hash: str
    name: str
    description: str
    is_archived: bool
    created: str
    finalized: str
    experiment: str
    tags: tuple[str, ...]
    notes: tuple[str, ...]


def claims(listing: Listing) -> Iterator[Claim]:
    if not listing.has(_NAME):
        return
    path = os.path.join(listing.path, _NAME)
    if sniff(path, len(MAGIC)) != MAGIC:
        return
    try:
        with open_database(path) as database:
            runs = _runs(database)
    except (DatabaseError, OSError) as error:
        yield Claim(path, Role.TRACKER, listing.path, problem=_problem(path, error))
        return
    for run in runs.values():
        mark = hashlib.blake2b(repr(run).encode("utf-8", "replace"), digest_size=8).hexdigest()
        yield Claim(path, Role.TRACKER, listing.path, follows=(f"{path}-wal",), part=run.hash, mark=mark)
    store = next((name for name in _STORES if name in listing.folders), "")
    if runs and store:
        what = "parameters and metrics of these runs lie here in a format of Aim's own, which is not read"
        hint = "their names, tags, notes and times are read"
        yield Claim(
            path, Role.TRACKER, listing.path, problem=Problem(os.path.join(listing.path, store), what, hint=hint)
        )


def _problem(path: str, error: DatabaseError | OSError) -> Problem:
    return Problem(path, error.what, hint=error.hint) if isinstance(error, DatabaseError) else unreadable(path, error)


def _runs(database: Database) -> dict[str, _Run]:
    """The runs by hash; none where this is not Aim's schema."""
    if not database.has("run", "id", "hash"):
        return {}
    experiments = {number: _text(name) for number, name in database.rows("experiment", ("id", "name"))}
    names = {number: _text(name) for number, name in database.rows("tag", ("id", "name"))}
    tags: dict[Scalar, list[str]] = defaultdict(list)
    for run_id, tag_id in database.rows("run_tag", ("run_id", "tag_id")):
        if tag_id in names:
            tags[run_id].append(names[tag_id])
    notes: dict[Scalar, list[str]] = defaultdict(list)
    for run_id, content in database.rows("note", ("run_id", "content")):
        notes[run_id].append(_text(content))
    return {
        _text(row[1]): _Run(
            _text(row[1]), _text(row[2]), _text(row[3]), row[4] == 1, _text(row[5]), _text(row[6]),
            experiments.get(row[7], ""), tuple(sorted(tags[row[0]])), tuple(notes[row[0]]),
        )
        for row in database.rows("run", _COLUMNS)
        if row[1]
    }  # fmt: skip


def _text(value: Scalar) -> str:
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return "" if value is None else str(value)


class _Kept(threading.local):
    """The runs of the repository that was read last in this thread."""

    def __init__(self) -> None:
        self.open = OneOpen(_runs)


_KEPT = _Kept()


def read(source: Source, _cursor: Mapping[str, JsonValue] | None) -> Iterator[Fact]:
    try:
        run = _KEPT.open.get(source.path).get(source.part)
    except (DatabaseError, OSError) as error:
        yield _problem(source.path, error)
        yield Cursor({}, ReadStatus.UNREADABLE)
        return
    if run is None:
        yield Problem(source.path, f"the run {source.part!r} is no longer in the repository")
        yield Cursor({}, ReadStatus.UNREADABLE)
        return
    note = "\n\n".join(text for text in (run.description, *run.notes) if text)
    for name, text in (("name", run.name), ("project", run.experiment), ("note", note)):
        if text:
            yield RunField(name, text)
    for name, moment in (("started", run.created), ("ended", run.finalized)):
        seconds = utc_seconds(moment)
        if seconds is not None:
            yield RunField(name, seconds)
    for tag in run.tags:
        yield ImportedTag(tag)
    if run.is_archived:
        yield ImportedTag("aim.archived")
    yield Cursor({}, ReadStatus.EOF, 1)


_EXAMPLE = """
PRAGMA page_size = 512;
CREATE TABLE run (id INTEGER PRIMARY KEY, hash TEXT, name TEXT, description TEXT, is_archived BOOLEAN,
    created_at DATETIME, finalized_at DATETIME, experiment_id INTEGER);
CREATE TABLE experiment (id INTEGER PRIMARY KEY, name TEXT);
CREATE TABLE tag (id INTEGER PRIMARY KEY, name TEXT);
CREATE TABLE run_tag (run_id INTEGER, tag_id INTEGER);
CREATE TABLE note (id INTEGER PRIMARY KEY, content TEXT, run_id INTEGER, experiment_id INTEGER);
INSERT INTO experiment VALUES (1, 'vision');
INSERT INTO run VALUES (1, '1f6e8c5b2a', 'lr0.1', 'first try', 0, '2026-11-23 07:21:48.400000',
    '2026-11-23 07:22:48.400000', 1);
INSERT INTO run VALUES (2, '7d0a9c4e11', 'lr0.01', NULL, 1, '2026-11-23 08:00:00.000000', NULL, 1);
INSERT INTO tag VALUES (1, 'baseline');
INSERT INTO run_tag VALUES (1, 1);
INSERT INTO note VALUES (1, 'converges slowly', 2, NULL);
"""


def example(folder: str) -> None:
    """Two runs of one experiment, one of them archived."""
    with closing(sqlite3.connect(os.path.join(folder, _NAME))) as connection:
        connection.executescript(_EXAMPLE)


ADAPTER = Adapter(
    name="aim",
    claims=claims,
    read=read,
    example=example,
    formats="Aim 3 repositories: names, experiments, tags, notes and times of runs",
    files=(f".aim/{_NAME}",),
)
