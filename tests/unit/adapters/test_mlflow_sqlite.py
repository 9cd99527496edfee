from __future__ import annotations

import math
import os
import shutil
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from mlbench.adapters import mlflow_files, mlflow_sqlite
from mlbench.adapters.mlflow_sqlite import ADAPTER
from mlbench.model import (
    Adapter,
    Artifact,
    DataVersion,
    Environment,
    Fact,
    ImportedTag,
    LineageEdge,
    ModelVersion,
    Param,
    ReadStatus,
)
from mlbench.wire import sqlitefile
from mlbench.wire.sqlitefile import open_database
from tests.paths import FORMATS, needs_formats
from tests.unit.adapters.reading import (
    assert_series,
    claims_below,
    cursor_of,
    expected,
    fields_of,
    params_of,
    points_of,
    problems_of,
    read,
    series_of,
)

SAMPLES = FORMATS / "mlflow"
STATUSES = {"FINISHED": "finished", "FAILED": "failed", "RUNNING": "running"}
FIELDS = {"mlflow.user": "user", "mlflow.source.name": "entry_point", "mlflow.parentRunId": "parent",
          "mlflow.note.content": "note"}  # fmt: skip


def example(folder: Path) -> Path:
    mlflow_sqlite.example(str(folder))
    return folder / "mlflow.db"


def change(path: Path, *statements: str) -> None:
    connection = sqlite3.connect(path)
    connection.executescript(";".join(statements))
    connection.close()


def read_run(folder: Path, run_id: str) -> list[Fact]:
    (claim,) = [claim for claim in claims_below(ADAPTER, folder) if claim.part == run_id]
    return read(ADAPTER, claim)


def marks(folder: Path) -> dict[str, str]:
    return {claim.part: claim.mark for claim in claims_below(ADAPTER, folder)}


@needs_formats
@pytest.mark.parametrize(("adapter", "key"), [(ADAPTER, "sqlite"), (mlflow_files.ADAPTER, "file_store")])
def test_every_key_of_the_expected_runs_is_equal(adapter: Adapter, key: str) -> None:
    wanted: Any = expected("mlflow")[key]

    runs = {claim.part or os.path.basename(claim.path): read(adapter, claim)
            for claim in claims_below(adapter, SAMPLES)}  # fmt: skip

    assert len(runs) == wanted["runs"]
    assert runs.keys() == wanted["runs_detail"].keys()
    for run_id, want in wanted["runs_detail"].items():
        assert_run(runs[run_id], want)


def assert_run(facts: list[Fact], want: Any) -> None:
    fields = fields_of(facts)
    tags = {fact.key: fact.value for fact in facts if isinstance(fact, ImportedTag)}
    assert problems_of(facts) == []
    assert (fields["name"], fields["status"]) == (want["name"], STATUSES[str(want["status"])])
    assert ("mlflow.deleted" in tags) == (want["lifecycle"] == "deleted")
    raw = {fact.key: fact.raw for fact in facts if isinstance(fact, Param)}
    assert raw.keys() == want["params"].keys()
    for key, param in want["params"].items():
        assert raw[key] == param.get("value", raw[key])
        assert len(raw[key]) == param.get("length", len(raw[key]))
    assert series_of(facts).keys() == want["series"].keys()
    assert_series(facts, want["series"])
    for metric, series in want["series"].items():
        nans = [step for step, value in points_of(facts, metric) if math.isnan(value)]
        assert nans == ([series["nan_at_step"]] if "nan_at_step" in series else [])
    for key, value in want["tags"].items():
        assert (fields[FIELDS[key]] if key in FIELDS else tags[key]) == value
    data = [fact for fact in facts if isinstance(fact, DataVersion)]
    assert [{"name": one.name, "digest": one.version, "context": one.role} for one in data] == want["datasets"]
    assert [fact.name for fact in facts if isinstance(fact, Artifact)] == want["models"]


@needs_formats
def test_the_experiments_alone_make_no_run_and_name_the_project() -> None:
    facts = read_run(SAMPLES, "6a0a7b5a4d89421190a0d2a254b7fbcf")

    assert fields_of(facts)["project"] == "demo"


@needs_formats
def test_the_keys_of_the_whole_database_are_equal() -> None:
    wanted: Any = expected("mlflow")["sqlite"]
    with open_database(str(SAMPLES / wanted["file"])) as database:
        experiments = [name for (name,) in database.rows("experiments", ("name",), order="experiment_id")]

    runs = [read(ADAPTER, claim) for claim in claims_below(ADAPTER, SAMPLES)]

    facts = [fact for run in runs for fact in run]
    n_deleted = facts.count(ImportedTag("mlflow.deleted"))
    inputs, outputs = (len([fact for fact in facts if isinstance(fact, kind)]) for kind in (DataVersion, Artifact))
    assert experiments == wanted["experiments"]
    assert {fields_of(run)["project"] for run in runs} == {"demo"}
    assert (len(runs), len(runs) - n_deleted, n_deleted) == (wanted["runs"], wanted["active"], wanted["deleted"])
    schemas = {fact.value for fact in facts if isinstance(fact, Environment) and fact.key == "mlflow_schema"}
    assert schemas == {wanted["alembic"]}
    assert [["DATASET", "RUN", inputs], ["RUN_OUTPUT", "MODEL_OUTPUT", outputs]] == wanted["lineage_edges"]


@needs_formats
def test_the_experiments_of_the_file_store_are_its_folders() -> None:
    wanted: Any = expected("mlflow")["file_store"]
    folders = sorted((SAMPLES / wanted["folder"]).glob("*/meta.yaml"))

    projects = {fields_of(read(mlflow_files.ADAPTER, claim))["project"]
                for claim in claims_below(mlflow_files.ADAPTER, SAMPLES)}  # fmt: skip

    assert len(folders) == len(wanted["experiments"])
    assert projects <= set(wanted["experiments"])


@needs_formats
def test_the_registry_is_that_of_mlflows_client() -> None:
    registry: Any = expected("mlflow")["registry"]
    (model,) = registry
    found = {
        fact.version: fact
        for claim in claims_below(ADAPTER, SAMPLES)
        for fact in read(ADAPTER, claim)
        if isinstance(fact, ModelVersion)
    }

    assert len(found) == len(model["versions"])
    for version in model["versions"]:
        fact = found[str(version["version"])]
        aliases = [name for name, number in model["aliases"].items() if number == version["version"]]
        assert fact.name == model["name"]
        assert fact.aliases == tuple(aliases)
        assert fact.note == (version["description"] or "")
        assert fact.tags == tuple(f"{key}={value}" for key, value in version["tags"].items())
        assert (fact.uri, fact.status) == (version["source"], version["status"])
        assert fact in read_run(SAMPLES, version["run_id"])


@needs_formats
def test_reading_leaves_the_file_and_its_folder_as_they_were(tmp_path: Path) -> None:
    shutil.copyfile(SAMPLES / "mlflow.db", tmp_path / "mlflow.db")
    before = os.stat(tmp_path / "mlflow.db")

    for claim in claims_below(ADAPTER, tmp_path):
        read(ADAPTER, claim)

    assert os.listdir(tmp_path) == ["mlflow.db"]
    after = os.stat(tmp_path / "mlflow.db")
    assert (after.st_mtime_ns, after.st_size) == (before.st_mtime_ns, before.st_size)


def test_infinity_and_nan_come_back(tmp_path: Path) -> None:
    path = example(tmp_path)
    change(path, "INSERT INTO metrics VALUES ('loss', 1.7976931348623157e308, 1, 'c6cac46e', 3, 0)",
           "INSERT INTO metrics VALUES ('loss', -1.7976931348623157e308, 1, 'c6cac46e', 4, 0)")  # fmt: skip

    points = points_of(read_run(tmp_path, "c6cac46e"), "loss")

    assert math.isnan(points[1][1])
    assert points[3:] == [(3, math.inf), (4, -math.inf)]


def test_a_schema_without_steps_nans_and_names_is_read(tmp_path: Path) -> None:
    change(tmp_path / "old.db",
           "CREATE TABLE experiments (experiment_id, name)", "INSERT INTO experiments VALUES (1, 'old')",
           "CREATE TABLE runs (run_uuid, name, experiment_id, status)", "INSERT INTO runs VALUES ('a', '', 1, 'FINISHED')",
           "CREATE TABLE params (key, value, run_uuid)", "CREATE TABLE tags (key, value, run_uuid)",
           "CREATE TABLE metrics (key, value, timestamp, run_uuid)",
           "INSERT INTO metrics VALUES ('loss', 0.5, 1000, 'a')")  # fmt: skip

    facts = read_run(tmp_path, "a")

    assert fields_of(facts) == {"status": "finished", "project": "old"}
    assert points_of(facts, "loss") == [(0, 0.5)]
    assert problems_of(facts) == []


def test_only_the_mark_of_the_run_that_changed_changes(tmp_path: Path) -> None:
    path = example(tmp_path)
    before = marks(tmp_path)
    for statement in (
        "INSERT INTO metrics VALUES ('loss', 0.1, 1, 'c6cac46e', 9, 0)",
        "UPDATE tags SET value = 'BASELINE' WHERE key = 'stage'",
        "UPDATE runs SET status = 'RUNNING' WHERE run_uuid = 'c6cac46e'",
        "INSERT INTO params VALUES ('seed', '1', 'c6cac46e')",
    ):
        change(path, statement)

        after = marks(tmp_path)

        assert after["c6cac46e"] != before["c6cac46e"]
        assert after["609aebac"] == before["609aebac"]
        before = after


def test_values_of_odd_types_are_left_out_and_told(tmp_path: Path) -> None:
    path = example(tmp_path)
    change(path, "INSERT INTO metrics VALUES ('loss', 'high', 1, 'c6cac46e', 9, 0)",
           "INSERT INTO metrics VALUES (x'00ff', 1.0, 1, 'c6cac46e', 9, 0)",
           "INSERT INTO params VALUES (x'00ff', 7, 'c6cac46e')")  # fmt: skip

    facts = read_run(tmp_path, "c6cac46e")

    assert problems_of(facts) == ["mlflow.db: 2 rows of metrics make no sense and were left out (run c6cac46e)"]
    assert cursor_of(facts).status is ReadStatus.DAMAGED
    assert len(points_of(facts, "loss")) == 3
    assert params_of(facts)["\0\ufffd"] == 7


def test_a_locked_database_is_told_and_makes_no_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlitefile, "BUSY_S", 0.01)
    path = example(tmp_path)
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("BEGIN EXCLUSIVE")

    (claim,) = claims_below(ADAPTER, tmp_path)
    connection.close()

    assert claim.problem is not None
    assert claim.problem.hint == "it will be read by the next ingest"


def test_a_database_of_something_else_is_not_claimed(tmp_path: Path) -> None:
    change(tmp_path / "shop.db", "CREATE TABLE runs (run_uuid, experiment_id)", "CREATE TABLE customers (name)")

    assert claims_below(ADAPTER, tmp_path) == []


NAMES = ["a b", "lr=0.1", "学习率", "x/y", "../up", "emoji \U0001f600", "tab\there", "'; DROP TABLE runs; --", ""]


@pytest.mark.parametrize("name", NAMES)
def test_names_of_all_kinds_come_through(tmp_path: Path, name: str) -> None:
    path = example(tmp_path)
    connection = sqlite3.connect(path)
    connection.execute("INSERT INTO params VALUES (?, ?, 'c6cac46e')", (name, name))
    connection.execute("INSERT INTO metrics VALUES (?, 0.5, 1, 'c6cac46e', 0, 0)", (name,))
    connection.execute("INSERT INTO tags VALUES (?, ?, 'c6cac46e')", (name, name))
    connection.commit()
    connection.close()

    facts = read_run(tmp_path, "c6cac46e")

    assert {fact.key: fact.raw for fact in facts if isinstance(fact, Param)}[name] == name
    assert points_of(facts, name) == [(0, 0.5)]
    assert ImportedTag(name, name) in facts


def test_run_ids_of_all_kinds_are_read(tmp_path: Path) -> None:
    path = example(tmp_path)
    connection = sqlite3.connect(path)
    ids = ["a#b", "x/y", "中", "sp ace", "'quote"]
    for run_id in ids:
        connection.execute("INSERT INTO runs VALUES (?, ?, 'ana', 'FINISHED', 1, 2, 'active', 1)", (run_id, run_id))
    connection.commit()
    connection.close()

    for run_id in ids:
        assert fields_of(read_run(tmp_path, run_id))["name"] == run_id


@needs_formats
def test_a_data_set_is_an_arrow_into_the_run() -> None:
    facts = [fact for claim in claims_below(ADAPTER, FORMATS / "mlflow") for fact in read(ADAPTER, claim)]

    arrows = [fact for fact in facts if isinstance(fact, LineageEdge) and fact.artifact == "train@cb921984"]
    assert arrows == [LineageEdge("input", "", "train@cb921984")] * 2
