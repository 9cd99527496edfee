"""Promises of the facts that are kept with their source: all kinds come back as they were."""

import json
import math

from hypothesis import given
from hypothesis import strategies as st

from mlbench import model
from mlbench.ingest.keep import SMALL_FACTS, SmallFact, from_json, to_json

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)

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


@given(st.text(), st.text(), VALUES, st.sampled_from(model.Layer), st.none() | st.integers(0, 9))
def test_parameters_are_written_as_json_writes_them(
    key: str, raw: str, value: model.JsonValue, layer: model.Layer, line: int | None
) -> None:
    fact = model.Param(key, raw, value, layer, line)

    written = to_json([fact, fact])

    assert written == json.dumps([["param", key, raw, value, layer.value, line]] * 2, separators=(",", ":"))


def test_numbers_that_are_none_are_written_as_json_writes_them() -> None:
    facts: list[SmallFact] = [model.Param("a", "x", value) for value in (math.nan, math.inf, -math.inf, -0.0, 1e300)]

    assert [text.split(",")[3] for text in to_json(facts)[2:].split("],[")] == [
        "NaN", "Infinity", "-Infinity", "-0.0", "1e+300"
    ]  # fmt: skip
