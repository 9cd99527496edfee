"""Facts that no column can hold are left out and told: the run keeps the others, and other runs are read."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from mlbench.adapters import load_adapters
from mlbench.catalog.reader import open_reader
from mlbench.ingest import ingesting, run, workers
from mlbench.ingest.run import ingest_paths
from mlbench.model import (
    Adapter,
    Artifact,
    Blob,
    Cursor,
    DataVersion,
    Environment,
    Fact,
    GitState,
    ImportedTag,
    JsonValue,
    LineageEdge,
    ModelVersion,
    Param,
    Points,
    Problem,
    RunField,
    Source,
    Validation,
)
from mlbench.paths import Home
from tests.events import scalar_file
from tests.reliability.trees import LOG

HALF = "\ud800"
"""Half a character, as JSON can write it."""
STEPS = np.arange(3)
REAL = STEPS.astype(np.float64)

UNFIT: dict[str, tuple[Fact, str]] = {
    "no finite exit code": (RunField("exit_code", float("nan")), "RunField.exit_code"),
    "an exit code of 40 bits": (RunField("exit_code", 2**40), "RunField.exit_code"),
    "an end in words": (RunField("ended", "soon"), "RunField.ended"),
    "an end of 100 bits": (RunField("ended", 10**30), "RunField.ended"),
    "a start beyond floats": (RunField("started", 10**400), "RunField.started"),
    "a host": (RunField("host", HALF), "RunField.value"),
    "a key": (Param(f"k{HALF}", "1", 1), "Param.key"),
    "a nested value": (Param("k", "[1]", [1, {"a": HALF}]), "Param.value"),
    "a number that is never written": (Param("k", "0xf", 16**5000), "Param.value"),
    "a line": (Param("k", "1", 1, line=2**31), "Param.line"),
    "a step": (Blob("image", "m", 2**63, 0.0, 0, 0, 1), "Blob.step"),
    "a width": (Blob("image", "m", 0, 0.0, 0, 0, 1, width=2**31), "Blob.width"),
    "rows": (DataVersion("dvc", "n", "v", n_rows=2**63), "DataVersion.n_rows"),
    "a size": (Artifact("model", "n", size_bytes=2**64), "Artifact.size_bytes"),
    "an edge": (LineageEdge("input", "", HALF), "LineageEdge.artifact"),
    "a time": (Validation("c", "ok", at_s=10**400), "Validation.at_s"),
    "an alias": (ModelVersion("m", "1", aliases=(HALF,)), "ModelVersion.aliases"),
    "a tag": (ImportedTag(HALF), "ImportedTag.key"),
    "a branch": (GitState("c", "recorded", branch=HALF), "GitState.branch"),
    "a variable": (Environment("a", HALF), "Environment.value"),
    "a metric": (Points(HALF, STEPS, REAL, REAL, STEPS), "Points.metric"),
    "columns of two lengths": (Points("x", STEPS[:2], REAL, REAL, STEPS), "Points.metric"),
    "a cursor": (Cursor({}, n_records=2**63), "Cursor.n_records"),
    "a number in a cursor that is never written": (Cursor({"offset": 1, "seq": 16**5000}), "Cursor.state"),
    "an array in a cursor": (Cursor({"offset": 1, "seen": STEPS}), "Cursor.state"),  # type: ignore[dict-item]
}


def ingest_with(fact: Fact, folder: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[list[tuple[str, int]], list[str]]:
    """The runs with their points, and the problems, where the adapter gives this fact for the run `bad`."""
    for name in ("bad", "good"):
        scalar_file(folder / "logs" / name / LOG, {"loss": [(0, 1.0), (1, 0.5), (2, 0.25)]})
    real = {adapter.name: adapter for adapter in load_adapters()}

    def read(source: Source, cursor: Mapping[str, JsonValue] | None) -> Iterator[Fact]:
        if "/bad/" in source.path:
            yield fact
        yield from real["tensorboard"].read(source, cursor)

    fakes: list[Adapter] = [*({**real, "tensorboard": replace(real["tensorboard"], read=read)}).values()]
    for module in (run, ingesting, workers):
        monkeypatch.setattr(module, "load_adapters", lambda: fakes)
    home = Home(str(folder / "journal"), str(folder / "cache"), "test")
    ingest_paths(home, [str(folder / "logs")])
    with open_reader(home) as reader:
        runs = reader.rows("SELECT name, n_points FROM run ORDER BY 1")
        return runs, [row[0] for row in reader.rows("SELECT what FROM problems")]


@pytest.mark.parametrize("name", UNFIT)
def test_a_fact_that_no_column_can_hold_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    fact, field = UNFIT[name]

    runs, problems = ingest_with(fact, tmp_path, monkeypatch)

    assert runs == [("bad", 3), ("good", 3)]
    assert problems == [f"the adapter 'tensorboard' gave {field} that cannot be stored; it was left out"]


def test_a_problem_is_told_in_text_that_can_be_stored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    runs, problems = ingest_with(Problem("/x", f"odd {HALF}", HALF, HALF), tmp_path, monkeypatch)

    assert runs == [("bad", 3), ("good", 3)]
    assert problems == ["odd ?"]


@pytest.mark.parametrize(
    "fact",
    [
        RunField("exit_code", -9),
        RunField("started", 1.7e9),
        Param("größe", "größe", "größe", line=7),
        Param("k", str(10**400), 10**400),
        Blob("image", "m", -1, float("nan"), 0, 0, 1, file="b\udcff.png"),
        GitState("c", "recorded", repository="/tmp/\udcff"),
        ModelVersion("m", "1", aliases=("a",), tags=("k=v",)),
        Cursor({"column": HALF, "offset": 1.5}),
    ],
    ids=lambda fact: type(fact).__name__,
)
def test_what_can_be_stored_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fact: Fact) -> None:
    runs, problems = ingest_with(fact, tmp_path, monkeypatch)

    assert runs == [("bad", 3), ("good", 3)]
    assert problems == []
