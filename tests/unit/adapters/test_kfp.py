"""Promises of Kubeflow Pipelines run locally: one run for all tasks, with metrics, matrices and lineage."""

import json
from pathlib import Path

import pytest

from mlbench.adapters.kfp import ADAPTER
from mlbench.model import Artifact, Blob, Fact, LineageEdge, Listing, Param, Points, Problem, RunField, Source
from tests.paths import FORMATS, needs_formats
from tests.unit.ingest.test_data import mlbench

RUN = "demo-2026-11-23-07-22-42-338917"


def facts_of(path: Path) -> list[Fact]:
    (claim,) = ADAPTER.claims(Listing(str(path.parent), (path.name,), ()))
    return list(ADAPTER.read(Source(claim.path, claim.run_folder, claim.follows), None))


@needs_formats
def test_the_genuine_run_is_read_as_expected() -> None:
    told = json.loads((FORMATS / "expected.json").read_text())["kfp"]
    folder = FORMATS / "kfp" / "local_outputs" / RUN
    train, evaluate = (facts_of(folder / task / "executor_output.json") for task in ("train", "evaluate"))

    params = {fact.key: fact.value for fact in [*train, *evaluate] if isinstance(fact, Param)}
    points = {fact.metric: fact.values.tolist() for fact in [*train, *evaluate] if isinstance(fact, Points)}
    (matrix,) = (fact for fact in train if isinstance(fact, Blob))
    text = (folder / "train" / "executor_output.json").read_bytes()[matrix.offset : matrix.offset + matrix.length]

    assert params == {
        "lr": told["pipeline_params"]["lr"]["value"],
        "evaluate.Output": told["tasks"]["evaluate"]["outputs"]["Output"],
    }
    assert points == {
        "train.Output": [told["tasks"]["train"]["outputs"]["Output"]],
        "auc": [told["tasks"]["train"]["artifacts"]["metrics"]["auc"]],
    }
    assert [row["row"] for row in json.loads(text)["rows"]] == told["tasks"]["train"]["artifacts"]["cm"]["rows"]
    assert RunField("status", "finished") in evaluate
    edges = {fact for fact in [*train, *evaluate] if isinstance(fact, LineageEdge)}
    assert LineageEdge("output", "train", "train.model") in edges
    assert LineageEdge("input", "evaluate", "train.model") in edges
    kinds = {fact.name: (fact.kind, fact.size_bytes) for fact in train if isinstance(fact, Artifact)}
    assert kinds == {"train.metrics": ("metrics", None), "train.model": ("model", 1), "train.cm": ("metrics", None)}


@needs_formats
def test_its_tasks_are_one_run_of_the_pipeline(tmp_path: Path) -> None:
    mlbench(tmp_path, "ingest", str(FORMATS / "kfp"))

    (run,) = mlbench(tmp_path, "sql", "SELECT name, project, status, ended, duration FROM runs")

    # Its files tell when they were copied, and not when it ended.
    assert run == {"name": RUN, "project": "demo", "status": "finished", "ended": None, "duration": None}


def test_a_curve_is_points_and_a_failed_task_leaves_the_status_open(tmp_path: Path) -> None:
    path = tmp_path / "p-2026-11-23-07-22-42" / "eval" / "executor_output.json"
    path.parent.mkdir(parents=True)
    curve = [{"confidenceThreshold": 1.0, "recall": 0.2, "falsePositiveRate": 0.0},
             {"confidenceThreshold": 0.5, "recall": 0.9, "falsePositiveRate": 0.3}]  # fmt: skip
    path.write_text(json.dumps({"artifacts": {"roc": {"artifacts": [{"metadata": {"confidenceMetrics": curve}}]}}}))
    tasks: dict[str, object] = {"eval": {}, "push": {}}
    pipeline = {"pipelineInfo": {"name": "p"}, "root": {"dag": {"tasks": tasks}}}
    (tmp_path / "pipeline.yaml").write_text(json.dumps(pipeline))

    facts = facts_of(path)

    points = {fact.metric: (fact.steps.tolist(), fact.values.tolist()) for fact in facts if isinstance(fact, Points)}
    assert points["roc.recall"] == ([0, 1], [0.2, 0.9])
    assert points["roc.falsePositiveRate"] == ([0, 1], [0.0, 0.3])
    assert not any(isinstance(fact, RunField) and fact.name == "status" for fact in facts)


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"a": 1}', '{"artifacts": 3}', '{"artifacts": {"a": {"artifacts": [1]}}}']
)
def test_hostile_outputs_are_problems_or_nothing(tmp_path: Path, text: str) -> None:
    path = tmp_path / "run" / "task" / "executor_output.json"
    path.parent.mkdir(parents=True)
    path.write_text(text)
    (tmp_path / "pipeline.yaml").write_text("a: [")

    facts = facts_of(path)

    assert any(isinstance(fact, Problem) and "pipeline" in fact.path for fact in facts)
