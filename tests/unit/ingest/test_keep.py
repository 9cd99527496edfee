"""Promises of the facts that are kept with their source: all kinds come back as they were."""

from mlbench import model
from mlbench.ingest.keep import SMALL_FACTS, SmallFact, from_json, to_json

FACTS: list[SmallFact] = [
    model.Param("lr", "0.1", 0.1, model.Layer.CLI, 3),
    model.RunField("name", "a"),
    model.ImportedTag("k", "v"),
    model.GitState("abc", "recorded", is_dirty=True),
    model.Environment("python", "3.11"),
    model.DataVersion("dvc", "train", "v2", 10),
    model.Artifact("model", "m", "/m", "sha256:0", 5, "output", "2 tensors"),
    model.LineageEdge("input", "train", "train@v2"),
    model.Validation("evaluator", "passed", "taxi/1", 5.0, "/e"),
    model.ModelVersion("taxi", "3", ("champion", "x"), "READY", "n", "u"),
    model.Restart("session_start", 3, 4),
    model.SweepDescription(),
    model.Problem("/a", "it is not whole"),
]


def test_every_kind_comes_back_equal() -> None:
    assert {type(fact) for fact in FACTS} == set(SMALL_FACTS)
    assert from_json(to_json(FACTS)) == FACTS
