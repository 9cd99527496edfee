"""ML-Metadata stores (SQLite) as TFX and Kubeflow Pipelines write them: each pipeline run is a run.

- Steps are the executions; their properties are parameters behind the step's name (`Trainer.custom_config.lr`), JSON
  within a text and Structs are taken apart.
- Artifacts and events are the lineage. `Examples` are versions of data, numbers of `system.Metrics` are metrics.
- Blessings of the Evaluator and the InfraValidator are validations, what the Pusher pushed is a registered model.

Link: https://www.tensorflow.org/tfx/guide/mlmd
"""

from __future__ import annotations

import hashlib
import os
import sqlite3
import threading
from collections.abc import Iterator, Mapping
from contextlib import closing

from mlbench.model import (
    Adapter,
    Artifact,
    Claim,
    Cursor,
    DataVersion,
    Fact,
    JsonValue,
    Layer,
    LineageEdge,
    Listing,
    ModelVersion,
    Param,
    Problem,
    ReadStatus,
    Role,
    RunField,
    Source,
    Validation,
)
from mlbench.wire.content import sniff, unreadable
from mlbench.wire.flatten import flatten, value_text
from mlbench.wire.mlmd import Event, Node, PipelineRun, Store, decoded, is_store, read_store, step_name
from mlbench.wire.points import PointCollector
from mlbench.wire.sqlitefile import MAGIC, Database, DatabaseError, OneOpen

_ENDINGS = ("db", "sqlite", "sqlite3", "mlmd")
_KINDS = {
    "Examples": "data", "Model": "model", "ModelRun": "file", "ModelEvaluation": "metrics", "Schema": "data",
    "ExampleStatistics": "data", "system.Dataset": "data", "system.Model": "model", "system.Metrics": "metrics",
    "system.ClassificationMetrics": "metrics", "mlmd.Dataset": "data", "mlmd.Model": "model", "mlmd.Metrics": "metrics",
}  # fmt: skip
_CHECKS = {"ModelBlessing": "evaluator", "InfraBlessing": "infra validator"}
_METRIC_TYPES = frozenset({"system.Metrics", "mlmd.Metrics"})
_BLESSED = {1: "passed", 0: "failed", "BLESSED": "passed", "INFRA_BLESSED": "passed", "NOT_BLESSED": "failed",
            "INFRA_NOT_BLESSED": "failed", "1": "passed", "0": "failed"}  # fmt: skip
_NOT_PARAMS = frozenset({"display_name", "cached", "cached_execution_id", "state", "name", "is_external"})
_INPUTS = "inputs"
"""Kubeflow keeps a task's arguments in a Struct of this name."""


def _store_in(database: Database) -> Store | None:
    """The store, None where the database is something else."""
    return read_store(database) if is_store(database) else None


class _Kept(threading.local):
    """The store that was read last in this thread: as long as its file stays as it is, a scan reads it only once."""

    def __init__(self) -> None:
        self.open = OneOpen(_store_in)


_KEPT = _Kept()


def claims(listing: Listing) -> Iterator[Claim]:
    for name in listing.ending(*_ENDINGS):
        path = os.path.join(listing.path, name)
        if sniff(path, len(MAGIC)) == MAGIC:
            yield from _claims_of(path, listing.path)


def _claims_of(path: str, folder: str) -> Iterator[Claim]:
    try:
        store = _KEPT.open.get(path)
    except (DatabaseError, OSError) as error:
        if isinstance(error, DatabaseError) and error.is_locked and "metadata" in os.path.basename(path).lower():
            yield Claim(path, Role.TRACKER, folder, problem=_problem(path, error))
        return
    if store is not None:
        for part, run in store.runs.items():
            yield Claim(path, Role.TRACKER, folder, follows=(f"{path}-wal",), part=part, mark=_mark(store, run))


def _problem(path: str, error: DatabaseError | OSError) -> Problem:
    return Problem(path, error.what, hint=error.hint) if isinstance(error, DatabaseError) else unreadable(path, error)


def _events_of(store: Store, run: PipelineRun) -> list[Event]:
    return [event for number in run.executions for event in store.events.get(number, ())]


def _mark(store: Store, run: PipelineRun) -> str:
    """Differs whenever anything of the run has changed."""
    events = _events_of(store, run)
    said = (run, [store.executions[number] for number in run.executions], events,
            [store.artifacts.get(event.artifact) for event in events])  # fmt: skip
    return hashlib.blake2b(repr(said).encode("utf-8", "replace"), digest_size=8).hexdigest()


def read(source: Source, _cursor: Mapping[str, JsonValue] | None) -> Iterator[Fact]:
    try:
        store = _KEPT.open.get(source.path)
    except (DatabaseError, OSError) as error:
        yield _problem(source.path, error)
        yield Cursor({}, ReadStatus.UNREADABLE)
        return
    run = store.runs.get(source.part) if store is not None else None
    if store is None or run is None:
        yield Problem(source.path, f"the pipeline run {source.part!r} is no longer in the store")
        yield Cursor({}, ReadStatus.UNREADABLE)
        return
    executions = [store.executions[number] for number in run.executions]
    yield from _fields(run, executions)
    for execution in executions:
        yield from _params(execution)
    yield from _lineage(store, run)
    yield Cursor({}, n_records=len(executions))


def _fields(run: PipelineRun, executions: list[Node]) -> Iterator[RunField]:
    yield RunField("name", run.name)
    if run.pipeline:
        yield RunField("project", run.pipeline)
    states = {execution.state for execution in executions}
    for state, status in (("failed", "failed"), ("running", "running"), ("new", "running"), ("killed", "killed")):
        if state in states:
            yield RunField("status", status)
            break
    else:
        yield RunField("status", "finished")
    if started := [execution.created_s for execution in executions if execution.created_s]:
        yield RunField("started", min(started))
    ended = [execution.updated_s for execution in executions if execution.updated_s]
    if ended and not states & {"running", "new"}:
        yield RunField("ended", max(ended))


def _params(execution: Node) -> Iterator[Param]:
    step = step_name(execution)
    for name, value in sorted(execution.properties.items()):
        if name in _NOT_PARAMS:
            continue
        key = step if name == _INPUTS else f"{step}.{name}"
        inner = decoded(value)
        if isinstance(inner, Mapping) and inner:
            for leaf in flatten(inner).leaves:
                yield Param(f"{key}.{leaf.key}", leaf.raw, leaf.value, Layer.CONFIG)
        else:
            yield Param(key, value_text(value), inner, Layer.CONFIG)


# ---------------------------------------------------------------- lineage


def _lineage(store: Store, run: PipelineRun) -> Iterator[Fact]:
    events = _events_of(store, run)
    made = {event.artifact for event in events if event.direction == "output"}
    seen: dict[int, Node] = {}
    keys: dict[int, str] = {}
    for event in events:
        artifact = store.artifacts.get(event.artifact)
        if artifact is None:
            continue
        yield LineageEdge(event.direction, step_name(store.executions[event.execution]), _name(artifact))
        seen.setdefault(artifact.number, artifact)
        keys.setdefault(artifact.number, event.key)
    points = PointCollector()
    for number, artifact in seen.items():
        yield from _artifact(artifact, "output" if number in made else "input", keys[number])
        if artifact.type_name in _METRIC_TYPES:
            for name, value in artifact.properties.items():
                if isinstance(value, int | float) and not isinstance(value, bool):
                    points.add(name, 0, value, artifact.created_s or float("nan"))
    yield from points.flush()
    yield from _validations(store, run)


def _name(artifact: Node) -> str:
    return artifact.name or f"{artifact.type_name}:{artifact.number}"


def _artifact(artifact: Node, role: str, key: str) -> Iterator[Fact]:
    told = artifact.properties
    fingerprint = told.get("input_fingerprint")
    yield Artifact(
        kind=_KINDS.get(artifact.type_name, "file"), name=_name(artifact), uri=artifact.uri, role=role,
        detail=artifact.type_name, digest=str(fingerprint) if fingerprint else "",
    )  # fmt: skip
    if artifact.type_name == "Examples":
        splits = told.get("split_names")
        yield DataVersion(
            "ml-metadata", key or "examples", f"span-{told.get('span', 0)}/version-{told.get('version', 0)}",
            schema=f"splits {splits}" if splits else "",
        )  # fmt: skip


def _validations(store: Store, run: PipelineRun) -> Iterator[Fact]:
    made = {event.artifact for event in _events_of(store, run) if event.direction == "output"}
    for number in sorted(made & store.artifacts.keys()):
        artifact = store.artifacts[number]
        told = artifact.properties
        if check := _CHECKS.get(artifact.type_name):
            word = told.get("blessed")
            verdict = _BLESSED.get(word, "unknown") if isinstance(word, int | str) else "unknown"
            yield Validation(check, verdict, str(told.get("baseline_model") or ""), artifact.created_s, artifact.uri)
        if artifact.type_name == "PushedModel" and told.get("pushed") in (1, "1"):
            version = str(told.get("pushed_version") or "")
            yield ModelVersion(
                run.pipeline or run.name, version, ("pushed",), uri=str(told.get("pushed_destination") or "")
            )


_EXAMPLE = """
PRAGMA page_size = 512;
CREATE TABLE Type (id INTEGER PRIMARY KEY, name VARCHAR(255) NOT NULL, type_kind TINYINT);
CREATE TABLE Context (id INTEGER PRIMARY KEY, type_id INT NOT NULL, name VARCHAR(255));
CREATE TABLE Execution (id INTEGER PRIMARY KEY, type_id INT, last_known_state INT, name VARCHAR(255),
    create_time_since_epoch INT, last_update_time_since_epoch INT);
CREATE TABLE Artifact (id INTEGER PRIMARY KEY, type_id INT, uri TEXT, state INT, name VARCHAR(255),
    create_time_since_epoch INT);
CREATE TABLE ExecutionProperty (execution_id INT, name VARCHAR(255), int_value INT, double_value DOUBLE,
    string_value TEXT);
CREATE TABLE ArtifactProperty (artifact_id INT, name VARCHAR(255), int_value INT, double_value DOUBLE,
    string_value TEXT);
CREATE TABLE Event (id INTEGER PRIMARY KEY, artifact_id INT, execution_id INT, type INT);
CREATE TABLE EventPath (event_id INT, step_key TEXT);
CREATE TABLE Association (id INTEGER PRIMARY KEY, context_id INT, execution_id INT);
INSERT INTO Type VALUES (1, 'pipeline', 2), (2, 'pipeline_run', 2), (3, 'tfx.components.trainer.component.Trainer', 0),
    (4, 'Examples', 1), (5, 'Model', 1), (6, 'ModelBlessing', 1), (7, 'system.Metrics', 1);
INSERT INTO Context VALUES (1, 1, 'taxi'), (2, 2, '2026-11-01');
INSERT INTO Execution VALUES (1, 3, 3, NULL, 1795418488689, 1795418488709);
INSERT INTO Artifact VALUES (1, 4, '/data/ex', 2, 'examples:1', 1795418488680), (2, 5, '/data/m', 2, 'model:1', NULL),
    (3, 6, '/data/b', 2, 'blessing:1', NULL), (4, 7, '/data/x', 2, 'metrics:1', 1795418488700);
INSERT INTO ExecutionProperty VALUES (1, 'custom_config', NULL, NULL, '{"learning_rate": 0.1}');
INSERT INTO ArtifactProperty VALUES (1, 'version', 1, NULL, NULL), (3, 'blessed', 1, NULL, NULL),
    (4, 'auc', NULL, 0.7, NULL);
INSERT INTO Event VALUES (1, 1, 1, 3), (2, 2, 1, 4), (3, 3, 1, 4), (4, 4, 1, 4);
INSERT INTO EventPath VALUES (1, 'examples'), (2, 'model');
INSERT INTO Association VALUES (1, 1, 1), (2, 2, 1);
"""


def example(folder: str) -> None:
    """One pipeline run: a trainer that read examples and made a model that was blessed."""
    with closing(sqlite3.connect(os.path.join(folder, "metadata.db"))) as connection:
        connection.executescript(_EXAMPLE)


ADAPTER = Adapter(
    name="mlmd",
    claims=claims,
    read=read,
    example=example,
    formats="ML-Metadata stores (SQLite) of TFX and Kubeflow Pipelines: runs, lineage, blessings, pushed models",
    files=("*.db", "*.sqlite", "*.sqlite3"),
)
