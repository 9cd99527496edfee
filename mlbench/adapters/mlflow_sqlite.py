"""MLflow's database in a SQLite file (`mlflow.db`), the default since 3.7: schemas of MLflow 1, 2 and 3.

Each row of `runs` is a run of its own. Tables and columns are taken by name, and what a schema does not have yet is
left out. NaN is a flag beside the value, infinity the greatest double. Data sets and logged models stand in `inputs`,
the registry in `model_versions` with aliases and tags. The file is read with care not to touch it (wire/sqlitefile).
Link: https://github.com/mlflow/mlflow/tree/master/mlflow/store/db_migrations
"""

from __future__ import annotations

import hashlib
import os
import sqlite3
import threading
import zlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing

from mlbench.model import (
    Adapter,
    Claim,
    Cursor,
    Environment,
    Fact,
    JsonValue,
    Layer,
    Listing,
    ModelVersion,
    Param,
    PointTable,
    Problem,
    ReadStatus,
    Role,
    RunField,
    Source,
)
from mlbench.wire.content import sniff, unreadable
from mlbench.wire.counting import so_many
from mlbench.wire.mlflow import (
    CONTEXT_TAG,
    INFINITIES,
    data_set_facts,
    logged_model,
    registered,
    run_facts,
    typed_param,
)
from mlbench.wire.sqlitefile import MAGIC, Database, DatabaseError, OneOpen, Row, Scalar, open_database

_NEEDED = ("runs", "experiments", "metrics", "params", "tags")
_RUN_COLUMNS = (
    "name", "user_id", "source_name", "source_version", "entry_point_name", "status", "start_time", "end_time",
    "lifecycle_stage", "experiment_id",
)  # fmt: skip
_VERSION_COLUMNS = (
    "run_id", "name", "version", "current_stage", "status", "source", "description", "creation_time",
)  # fmt: skip
_MAX_INT64 = (1 << 63) - 1


def claims(listing: Listing) -> Iterator[Claim]:
    for name in listing.ending("db", "sqlite", "sqlite3", "db3"):
        path = os.path.join(listing.path, name)
        if sniff(path, len(MAGIC)) == MAGIC:
            yield from _claims_of(path, listing.path)


def _claims_of(path: str, folder: str) -> Iterator[Claim]:
    try:
        with open_database(path) as database:
            marks = _marks(database) if _is_store(database) else {}
    except (DatabaseError, OSError) as error:
        is_locked = isinstance(error, DatabaseError) and error.is_locked
        if is_locked or "mlflow" in os.path.basename(path).lower():
            yield Claim(path, Role.TRACKER, folder, problem=_problem(path, error))
        return
    for run_id, mark in marks.items():
        yield Claim(path, Role.TRACKER, folder, follows=(f"{path}-wal",), part=run_id, mark=mark)


def _is_store(database: Database) -> bool:
    return all(database.has(table) for table in _NEEDED) and database.has("runs", "run_uuid", "experiment_id")


def _problem(path: str, error: DatabaseError | OSError) -> Problem:
    return Problem(path, error.what, hint=error.hint) if isinstance(error, DatabaseError) else unreadable(path, error)


# ---------------------------------------------------------------- what has changed


def _marks(database: Database) -> dict[str, str]:
    """For each run what differs whenever anything of it has changed; of metrics, the newest row is enough."""
    told: dict[str, int] = defaultdict(int)
    for table, run_column, columns in (
        ("tags", "run_uuid", ("key", "value")),
        ("model_versions", "run_id", _VERSION_COLUMNS),
        ("inputs", "destination_id", ("source_type", "source_id")),
        ("inputs", "source_id", ("destination_type", "destination_id")),
    ):
        for run_id, *rest in database.rows(table, (run_column, *columns)):
            told[_text(run_id)] = zlib.crc32(repr(rest).encode("utf-8", "replace"), told[_text(run_id)])
    names = repr([*database.rows("experiments", ("experiment_id", "name"))])
    names += repr([*database.rows("registered_model_aliases", ("name", "alias", "version"))])
    names += repr([*database.rows("model_version_tags", ("name", "version", "key", "value"))])
    newest = [_newest_rows(database, table) for table in ("metrics", "params")]
    marks: dict[str, str] = {}
    for run_id, *row in database.rows("runs", ("run_uuid", *_RUN_COLUMNS)):
        if isinstance(run_id, str) and run_id:
            said = (row, told[run_id], names, *(rows.get(run_id) for rows in newest))
            marks[run_id] = hashlib.blake2b(repr(said).encode("utf-8", "replace"), digest_size=8).hexdigest()
    return marks


def _newest_rows(database: Database, table: str) -> dict[str, Scalar]:
    """The number of the newest row of each run: found in the index on runs at once, without it by one pass."""
    indexed = "SELECT count(*) FROM sqlite_master WHERE type = 'index' AND tbl_name = ? AND sql LIKE '%(run_uuid)%'"
    if next(database.ask(indexed, (table,)), (0,))[0]:
        newest = f"(SELECT max(t.rowid) FROM {table} t WHERE t.run_uuid = r.run_uuid)"
        rows = database.ask(f"SELECT r.run_uuid, {newest} FROM runs r")
    else:
        rows = database.ask(f"SELECT run_uuid, max(rowid) FROM {table} GROUP BY run_uuid")
    return {_text(run_id): newest_row for run_id, newest_row in rows}


# ---------------------------------------------------------------- reading


class _Store:
    """An open database with what all its runs share."""

    def __init__(self, database: Database) -> None:
        self.database = database
        rows = database.rows("experiments", ("experiment_id", "name"))
        self.experiments = {number: _text(name) for number, name in rows}
        self.schema = next((_text(version) for (version,) in database.rows("alembic_version", ("version_num",))), "")
        """The migration that the database is at, as Alembic names it."""
        self.versions: dict[str, list[ModelVersion]] = defaultdict(list)
        """By run, what the registry holds of it."""
        self._read_registry()

    def _read_registry(self) -> None:
        aliases: dict[tuple[Scalar, Scalar], list[str]] = defaultdict(list)
        for model, alias, version in self.database.rows("registered_model_aliases", ("name", "alias", "version")):
            aliases[model, version].append(_text(alias))
        tags: dict[tuple[Scalar, Scalar], list[str]] = defaultdict(list)
        for model, version, key, value in self.database.rows("model_version_tags", ("name", "version", "key", "value")):
            tags[model, version].append(f"{_text(key)}={_text(value)}")
        for run_id, model, version, stage, status, source, note, _created in self.database.rows(
            "model_versions", _VERSION_COLUMNS, order="name, version"
        ):
            names = sorted(aliases[model, version])
            if stage and stage != "None":
                names.append(_text(stage))
            self.versions[_text(run_id)].append(ModelVersion(
                _text(model), str(version), tuple(names), _text(status), _text(note), _text(source),
                tuple(sorted(tags[model, version])),
            ))  # fmt: skip


class _Kept(threading.local):
    """The store that was read last in this thread."""

    def __init__(self) -> None:
        self.open = OneOpen(_Store)


_KEPT = _Kept()


def read(source: Source, _cursor: Mapping[str, JsonValue] | None) -> Iterator[Fact]:
    n_points, n_bad = 0, 0
    try:
        store = _KEPT.open.get(source.path)
        row = next(store.database.rows("runs", _RUN_COLUMNS, "run_uuid = ?", (source.part,)), None)
        if row is None:
            yield Problem(source.path, f"the run {source.part!r} is no longer in the database")
            yield Cursor({}, ReadStatus.UNREADABLE)
            return
        yield from _about(store, source, row)
        for table, n_left_out in _points(store.database, source.part):
            if table is not None:
                n_points += len(table.steps)
                yield table
            n_bad += n_left_out
    except (DatabaseError, OSError) as error:
        yield _problem(source.path, error)
        yield Cursor({}, ReadStatus.DAMAGED if n_points else ReadStatus.UNREADABLE, n_points, n_bad)
        return
    if n_bad:
        rows = so_many(n_bad, "row of metrics makes no sense and was", "rows of metrics make no sense and were")
        yield Problem(source.path, f"{rows} left out", f"run {source.part}")
    yield Cursor({}, ReadStatus.DAMAGED if n_bad else ReadStatus.EOF, n_points, n_bad)


def _about(store: _Store, source: Source, row: Row) -> Iterator[Fact]:
    """All of a run but its points."""
    database, run_id = store.database, source.part
    tags = {
        _text(key): _text(value) for key, value in database.rows("tags", ("key", "value"), "run_uuid = ?", (run_id,))
    }
    yield from run_facts({name: _json(value) for name, value in zip(_RUN_COLUMNS, row, strict=True)}, tags)
    if project := store.experiments.get(row[-1]):
        yield RunField("project", project)
    if store.schema:
        yield Environment("mlflow_schema", store.schema)
    for key, value in database.rows("params", ("key", "value"), "run_uuid = ?", (run_id,), "rowid"):
        yield Param(_text(key), _text(value), typed_param(_text(value)), Layer.CONFIG)
    yield from _data_sets(database, run_id)
    yield from _models(database, run_id, os.path.dirname(source.path))
    for version in store.versions.get(run_id, ()):
        yield from registered(version)


def _data_sets(database: Database, run_id: str) -> Iterator[Fact]:
    if not (database.has("inputs", "input_uuid", "source_id", "destination_id") and database.has("datasets")):
        return
    found = database.rows(
        "inputs", ("source_id", "input_uuid"),
        "destination_type = 'RUN' AND destination_id = ? AND source_type = 'DATASET'", (run_id,), "rowid",
    )  # fmt: skip
    for identity, link in list(found):
        contexts = database.rows("input_tags", ("value",), "input_uuid = ? AND name = ?", (_text(link), CONTEXT_TAG))
        context = _text(next(contexts, ("",))[0])
        columns = ("name", "digest", "dataset_schema", "dataset_profile")
        for name, digest, schema, profile in database.rows("datasets", columns, "dataset_uuid = ?", (_text(identity),)):
            yield from data_set_facts(_text(name), _text(digest), _text(profile), _text(schema), context)


def _models(database: Database, run_id: str, folder: str) -> Iterator[Fact]:
    """Models that were logged by the run or given to it (MLflow 3)."""
    if not database.has("inputs", "source_id", "destination_id"):
        return
    for role in ("output", "input"):
        where = f"source_type = 'RUN_{role.upper()}' AND source_id = ? AND destination_type = 'MODEL_{role.upper()}'"
        for (model_id,) in list(database.rows("inputs", ("destination_id",), where, (run_id,), "rowid")):
            identity = _text(model_id)
            columns = ("name", "artifact_location")
            about = database.rows("logged_models", columns, "model_id = ?", (identity,))
            name, location = next(about, ("", ""))
            yield from logged_model(identity, _text(name), _text(location), role, (folder,))


def _points(database: Database, run_id: str) -> Iterator[tuple[PointTable | None, int]]:
    """Batches of points in the order in which they were logged, with the number of rows that are none."""
    columns = ("key", "step", "timestamp", "value", "is_nan")
    held: list[Row] = []
    n_before = 0
    for row in database.rows("metrics", columns, "run_uuid = ?", (run_id,), "rowid"):
        held.append(row)
        if len(held) == 20_000:
            yield _table(held, n_before)
            n_before += len(held)
            held = []
    if held:
        yield _table(held, n_before)


def _table(rows: Sequence[Row], n_before: int) -> tuple[PointTable | None, int]:
    import numpy as np

    good = [row for row in rows if _is_point(row)]
    if not good:
        return None, len(rows)
    keys, steps, times, values, nans = zip(*good, strict=True)
    names = tuple(dict.fromkeys(str(key) for key in keys))
    places = {name: place for place, name in enumerate(names)}
    table = PointTable(
        names,
        np.array([places[str(key)] for key in keys], dtype=np.int32),
        np.array([0 if step is None else step for step in steps], dtype=np.int64),
        np.array([time_ms / 1000 if isinstance(time_ms, int) else np.nan for time_ms in times], dtype=np.float64),
        np.array(_values(values, nans), dtype=np.float64),
        np.arange(n_before, n_before + len(good), dtype=np.int64),
    )
    return table, len(rows) - len(good)


def _is_point(row: Row) -> bool:
    key, step, time_ms, value, _is_nan = row
    return (
        isinstance(key, str)
        and (step is None or isinstance(step, int))
        and (time_ms is None or isinstance(time_ms, int))
        and isinstance(value, int | float)
    )


def _values(values: Iterable[Scalar], nans: Iterable[Scalar]) -> list[float]:
    return [
        float("nan") if is_nan else INFINITIES.get(value, value)  # type: ignore[arg-type, misc]
        for value, is_nan in zip(values, nans, strict=True)
    ]


def _text(value: Scalar) -> str:
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return "" if value is None else str(value)


def _integer(value: Scalar) -> int:
    return value if isinstance(value, int) and abs(value) <= _MAX_INT64 else 0


def _json(value: Scalar) -> JsonValue:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else value


# ---------------------------------------------------------------- example

_EXAMPLE = """
PRAGMA page_size = 512;
CREATE TABLE experiments (experiment_id INTEGER PRIMARY KEY, name TEXT, lifecycle_stage TEXT);
CREATE TABLE runs (run_uuid VARCHAR(32) PRIMARY KEY, name TEXT, user_id TEXT, status TEXT, start_time BIGINT,
    end_time BIGINT, lifecycle_stage TEXT, experiment_id INTEGER);
CREATE TABLE params (key TEXT, value TEXT, run_uuid TEXT);
CREATE TABLE tags (key TEXT, value TEXT, run_uuid TEXT);
CREATE TABLE metrics (key TEXT, value FLOAT, timestamp BIGINT, run_uuid TEXT, step BIGINT, is_nan BOOLEAN);
INSERT INTO experiments VALUES (1, 'demo', 'active');
INSERT INTO runs VALUES ('c6cac46e', 'lr0.1', 'ana', 'FINISHED', 1795418508400, 1795418509130, 'active', 1);
INSERT INTO runs VALUES ('609aebac', 'lr0.01', 'ana', 'FAILED', 1795418509138, 1795418509323, 'active', 1);
INSERT INTO params VALUES ('learning_rate', '0.1', 'c6cac46e'), ('learning_rate', '0.01', '609aebac');
INSERT INTO tags VALUES ('stage', 'baseline', 'c6cac46e');
INSERT INTO metrics VALUES ('loss', 1.0, 1795418508431, 'c6cac46e', 0, 0),
    ('loss', 0.0, 1795418508441, 'c6cac46e', 1, 1),
    ('loss', 0.25, 1795418508459, 'c6cac46e', 2, 0), ('loss', 1.5, 1795418509200, '609aebac', 0, 0);
"""


def example(folder: str) -> None:
    """Two runs of one experiment, one of which failed."""
    with closing(sqlite3.connect(os.path.join(folder, "mlflow.db"))) as connection:
        connection.executescript(_EXAMPLE)


ADAPTER = Adapter(
    name="mlflow-sqlite",
    claims=claims,
    read=read,
    example=example,
    version=2,
    formats="MLflow's SQLite database, schemas of MLflow 1 to 3",
    files=("*.db", "*.sqlite", "*.sqlite3"),
)
