"""Promises of ML-Metadata stores: runs, steps, lineage, blessings and pushed models, as the client itself tells them."""

import json
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from mlbench.adapters.mlmd import ADAPTER
from mlbench.model import (
    Artifact,
    Claim,
    DataVersion,
    Fact,
    LineageEdge,
    Listing,
    ModelVersion,
    Param,
    Points,
    Problem,
    RunField,
    Source,
    Validation,
)
from mlbench.wire.mlmd import decoded
from tests.paths import FORMATS, needs_formats

FOLDER = os.path.join(FORMATS, "mlmd")


def claims_of(folder: str) -> list[Claim]:
    return list(ADAPTER.claims(Listing(folder, tuple(sorted(os.listdir(folder))), ())))


def runs_of(folder: str, name: str) -> Iterator[tuple[dict[str, Any], list[Fact]]]:
    for claim in claims_of(folder):
        if os.path.basename(claim.path) == name:
            facts = list(ADAPTER.read(Source(claim.path, claim.run_folder, part=claim.part), None))
            yield {fact.name: fact.value for fact in facts if isinstance(fact, RunField)}, facts


def of(kind: type[Any], facts: list[Fact]) -> list[Any]:
    return [fact for fact in facts if isinstance(fact, kind)]


@pytest.fixture(scope="module")
def expected() -> dict[str, Any]:
    with open(os.path.join(FORMATS, "expected.json"), encoding="utf-8") as file:
        found: dict[str, Any] = json.load(file)["mlmd"]
    return found


@needs_formats
def test_the_store_of_a_tfx_pipeline_is_told_as_its_client_tells_it(expected: dict[str, Any]) -> None:
    table = expected["metadata_db"]
    runs = {fields["name"]: facts for fields, facts in runs_of(FOLDER, "metadata.db")}
    edges = [edge for facts in runs.values() for edge in of(LineageEdge, facts)]
    versions = [one.version for facts in runs.values() for one in of(DataVersion, facts)]

    assert set(runs) == set(table["runs_detail"])
    assert len(runs) == table["runs"]
    assert len(edges) == table["lineage_edges"]
    assert sum(edge.direction == "input" for edge in edges) == table["input_edges"]
    assert sum(len(of(Artifact, facts)) for facts in runs.values()) == table["artifacts"]
    assert versions == [f"span-{one['span']}/version-{one['version']}" for one in table["data_versions"]]
    for name, detail in table["runs_detail"].items():
        steps = {edge.step for edge in of(LineageEdge, runs[name])}
        assert steps == {kind.rpartition(".")[2] for kind in detail["step_types"]}
        assert len(of(Artifact, runs[name])) == detail["artifacts"]
        assert RunField("status", "finished") in runs[name]
        assert RunField("project", table["pipeline"]) in runs[name]
        params = {p.key.rpartition(".")[2]: p.value for p in of(Param, runs[name])}
        assert table["trainer_params"][name].items() <= params.items()
    assert sum(detail["steps"] for detail in table["runs_detail"].values()) == table["executions"]


@needs_formats
def test_blessings_are_validations_and_pushed_models_are_registered(expected: dict[str, Any]) -> None:
    runs = {fields["name"]: facts for fields, facts in runs_of(FOLDER, "metadata.db")}
    for told in expected["metadata_db"]["validations"]:
        checks = {check.check: check.verdict for check in of(Validation, runs[told["run"]])}
        assert checks["evaluator"] == ("passed" if told["model_blessed"] else "failed")
        assert checks["infra validator"] == ("passed" if told["infra_blessed"] else "failed")
        pushed = [model.uri for model in of(ModelVersion, runs[told["run"]])]
        assert pushed == ([told["pushed"]] if told["pushed"] else [])


@needs_formats
def test_kubeflow_inputs_are_parameters(expected: dict[str, Any]) -> None:
    ((fields, facts),) = runs_of(FOLDER, "kfp.db")
    inputs = expected["kfp_db"]["inputs"]
    params = {p.key: p.value for p in of(Param, facts)}

    assert fields["status"] == "finished"
    assert params["train.lr"] == inputs["lr"]
    assert params["train.layers"] == inputs["layers"]
    assert params["train.nested.a"] == inputs["nested"]["a"]
    assert list(params) == sorted(params)  # protobuf's own order is another one in each process


def test_numbers_of_metric_artifacts_are_metrics(tmp_path: Path) -> None:
    ADAPTER.example(str(tmp_path))
    ((_fields, facts),) = runs_of(str(tmp_path), "metadata.db")

    assert [(p.metric, p.values.tolist()) for p in of(Points, facts)] == [("auc", [0.7])]


def test_the_mark_of_a_run_changes_with_it(tmp_path: Path) -> None:
    ADAPTER.example(str(tmp_path))
    before = claims_of(str(tmp_path))[0].mark
    with closing(sqlite3.connect(tmp_path / "metadata.db")) as connection:
        connection.execute("UPDATE ArtifactProperty SET int_value = 0 WHERE name = 'blessed'")
        connection.commit()

    assert claims_of(str(tmp_path))[0].mark != before


def test_other_databases_are_not_claimed(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "a.db")) as connection:
        connection.execute("CREATE TABLE event (id INTEGER, type INTEGER)")
    (tmp_path / "b.db").write_bytes(b"SQLite format 3\0 and then nothing")

    assert claims_of(str(tmp_path)) == []


def test_a_run_that_is_gone_is_a_problem(tmp_path: Path) -> None:
    ADAPTER.example(str(tmp_path))

    facts = list(ADAPTER.read(Source(str(tmp_path / "metadata.db"), str(tmp_path), part="99"), None))

    assert any(isinstance(fact, Problem) for fact in facts)


def test_text_that_only_looks_like_json_stays_text() -> None:
    assert decoded("{not json") == "{not json"
    assert decoded('{"a": 1}') == {"a": 1}
    assert decoded("[" * 100_000) == "[" * 100_000
