"""Trackio: a project's SQLite file (`<project>.db`) in `TRACKIO_DIR`; Trackio 0.1 to 0.43.

Each run of the database is a run of its own. `metrics` holds a JSON object a step (NaN and infinity as the words),
`configs` the parameters, with Trackio's own keys behind an underscore; `system_metrics` are metrics named `system/...`,
counted through. Tables and columns are taken by name: older databases know runs by their name only. The file is read
with care not to touch it.
Link: https://huggingface.co/docs/trackio
"""

from __future__ import annotations

import hashlib
import json
import math
import os
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing

from mlbench.model import (
    Adapter,
    Artifact,
    Claim,
    Cursor,
    Fact,
    JsonValue,
    Layer,
    Listing,
    Problem,
    ReadStatus,
    Role,
    RunField,
    Source,
)
from mlbench.wire.content import sniff, unreadable
from mlbench.wire.counting import so_many
from mlbench.wire.jsonlog import JsonError, as_mapping, as_text, load_json, numbers_in, params_in, utc_seconds
from mlbench.wire.points import PointCollector
from mlbench.wire.sqlitefile import MAGIC, Database, DatabaseError, Scalar, open_database

_OWN_KEYS = ("_Username", "_Created", "_Group")


def claims(listing: Listing) -> Iterator[Claim]:
    for name in listing.ending("db"):
        path = os.path.join(listing.path, name)
        if sniff(path, len(MAGIC)) == MAGIC:
            yield from _claims_of(path, listing.path, is_named=listing.has(f"{name[:-3]}.lock"))


def _claims_of(path: str, folder: str, *, is_named: bool) -> Iterator[Claim]:
    """A claim for each run; one with a Problem where a file that has Trackio's lock beside it cannot be opened."""
    try:
        with open_database(path) as database:
            marks = _marks(database) if _is_store(database) else {}
    except (DatabaseError, OSError) as error:
        if is_named:
            yield Claim(path, Role.TRACKER, folder, problem=_problem(path, error))
        return
    for run, mark in marks.items():
        yield Claim(path, Role.TRACKER, folder, follows=(f"{path}-wal",), part=run, mark=mark)


def _is_store(database: Database) -> bool:
    return database.has("metrics", "run_name", "step", "metrics", "timestamp")


def _problem(path: str, error: DatabaseError | OSError) -> Problem:
    return Problem(path, error.what, hint=error.hint) if isinstance(error, DatabaseError) else unreadable(path, error)


def _run_column(database: Database, table: str) -> str:
    return "run_id" if database.has(table, "run_id") else "run_name"


def _marks(database: Database) -> dict[str, str]:
    """For each run what differs whenever rows of it came."""
    told: dict[str, list[object]] = {}
    for table in ("metrics", "system_metrics", "configs"):
        if database.has(table):
            column = _run_column(database, table)
            sql = f"SELECT {column}, count(*), max(rowid) FROM {table} GROUP BY 1 ORDER BY 1"
            for run, *row in database.ask(sql):
                if isinstance(run, str) and run:
                    told.setdefault(run, []).append((table, row))
    return {run: hashlib.blake2b(repr(rows).encode(), digest_size=8).hexdigest() for run, rows in told.items()}


def read(source: Source, _cursor: Mapping[str, JsonValue] | None) -> Iterator[Fact]:
    points = PointCollector()
    bad: list[int] = []
    try:
        with open_database(source.path) as database:
            yield RunField("project", os.path.splitext(os.path.basename(source.path))[0])
            yield from _config(database, source.part)
            yield from _points(database, source.part, points, bad)
            yield from _artifacts(database, source.part)
    except (DatabaseError, OSError) as error:
        yield from points.flush()
        yield _problem(source.path, error)
        yield Cursor({}, ReadStatus.DAMAGED if points.n_points else ReadStatus.UNREADABLE, points.n_points)
        return
    if bad:
        rows = so_many(len(bad), "row holds no JSON object and was", "rows hold no JSON object and were")
        yield Problem(source.path, f"{rows} left out", f"row {bad[0]}")
    yield Cursor({}, ReadStatus.DAMAGED if bad else ReadStatus.EOF, points.n_points, len(bad))


def _config(database: Database, run: str) -> Iterator[Fact]:
    if database.has("configs"):
        where = f"{_run_column(database, 'configs')} = ?"
        for (text,) in database.rows("configs", ("config",), where, (run,)):
            config = _object(text) or {}
            yield from params_in({key: value for key, value in config.items() if key not in _OWN_KEYS}, Layer.CONFIG)
            yield from _own_fields(config)


def _own_fields(config: Mapping[str, JsonValue]) -> Iterator[RunField]:
    for field, key in (("user", "_Username"), ("group", "_Group")):
        if text := as_text(config.get(key)):
            yield RunField(field, text)
    if (moment := utc_seconds(config.get("_Created"))) is not None:
        yield RunField("started", moment)


def _points(database: Database, run: str, points: PointCollector, bad: list[int]) -> Iterator[Fact]:
    is_named = False
    for table, prefix in (("metrics", ""), ("system_metrics", "system/")):
        if not database.has(table):
            continue
        where, columns = f"{_run_column(database, table)} = ?", ("rowid", "run_name", "timestamp", "step", "metrics")
        for count, (row, name, moment, step, text) in enumerate(database.rows(table, columns, where, (run,), "rowid")):
            if not is_named and isinstance(name, str):
                is_named = True
                yield RunField("name", name)
            found = _object(text)
            if found is None:
                bad.append(row if isinstance(row, int) else 0)
                continue
            wall_s = utc_seconds(moment if isinstance(moment, str) else None)
            at = step if isinstance(step, int) and table == "metrics" else count
            for metric, number in numbers_in(found, joint="/"):
                points.add(prefix + metric, at, number, math.nan if wall_s is None else wall_s)
            if points.is_full:
                yield from points.flush()
    yield from points.flush()


def _artifacts(database: Database, run: str) -> Iterator[Artifact]:
    """What the run read and made, with the version of each."""
    tables = ("run_artifact_links", "artifact_versions", "artifacts")
    if not all(database.has(table) for table in tables):
        return
    sql = """SELECT a.type, a.name, v.version, v.manifest_digest, v.size_bytes, l.direction FROM run_artifact_links l
    JOIN artifact_versions v ON v.id = l.artifact_version_id JOIN artifacts a ON a.id = v.artifact_id
    WHERE l.run_id = ? ORDER BY l.rowid"""
    for kind, name, version, digest, size_bytes, direction in database.ask(sql, (run,)):
        size = size_bytes if isinstance(size_bytes, int) else None
        role = "input" if direction == "input" else "output"
        yield Artifact(_text(kind), _text(name), "", _text(digest), size, role, f"v{_text(version)}")


def _text(value: Scalar) -> str:
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return "" if value is None else str(value)


def _object(value: Scalar) -> Mapping[str, JsonValue] | None:
    """JSON, which Trackio stores as bytes or as text."""
    if not isinstance(value, str | bytes):
        return None
    try:
        found = load_json(value)
    except JsonError:
        return None
    return as_mapping(found) if isinstance(found, Mapping) else None


_EXAMPLE = """
PRAGMA page_size = 512;
CREATE TABLE metrics (id INTEGER PRIMARY KEY AUTOINCREMENT, run_id TEXT NOT NULL, timestamp TEXT NOT NULL,
    run_name TEXT NOT NULL, step INTEGER NOT NULL, metrics TEXT NOT NULL);
CREATE TABLE configs (id INTEGER PRIMARY KEY AUTOINCREMENT, run_id TEXT NOT NULL, run_name TEXT NOT NULL,
    config TEXT NOT NULL, created_at TEXT NOT NULL, UNIQUE(run_id));
"""


def example(folder: str) -> None:
    """Two runs of three steps."""
    moment = "2026-11-23T07:22:05.559676+00:00"
    with closing(sqlite3.connect(os.path.join(folder, "demo.db"))) as connection, connection:
        connection.executescript(_EXAMPLE)
        for run, lr in (("3e348d05", 0.1), ("ac31d585", 0.01)):
            config = json.dumps({"learning_rate": lr, "_Username": None, "_Created": moment, "_Group": None})
            values = (run, f"lr{lr}", config.encode(), moment)
            connection.execute("INSERT INTO configs (run_id, run_name, config, created_at) VALUES (?, ?, ?, ?)", values)
            for step in range(3):
                text = json.dumps({"train/loss": lr / (1 + step), "nan": "NaN"}).encode()
                row = (run, moment, f"lr{lr}", step, text)
                connection.execute(
                    "INSERT INTO metrics (run_id, timestamp, run_name, step, metrics) VALUES (?, ?, ?, ?, ?)", row
                )


ADAPTER = Adapter(
    name="trackio",
    claims=claims,
    read=read,
    example=example,
    formats="Trackio's databases",
    files=("*.db",),
)
