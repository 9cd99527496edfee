"""Runs of Kubeflow Pipelines without a server: `executor_output.json` of each task, and the compiled pipeline.

Folders `<pipeline>-<time>/<task>/` of `kfp.local` 2: outputs, metrics, confusion matrices and curves of classification
metrics, artifacts. `pipeline.yaml` above gives defaults, the types of artifacts and which task reads what; the values
that were passed to the pipeline are recorded nowhere. Runs on a server are in its ML-Metadata store.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Iterator, Mapping
from datetime import datetime

from mlbench.model import (
    Adapter,
    Artifact,
    Blob,
    Claim,
    Cursor,
    Fact,
    JsonValue,
    Layer,
    LineageEdge,
    Listing,
    Param,
    Problem,
    ReadStatus,
    Role,
    RunField,
    Source,
)
from mlbench.wire.content import load_content, unreadable
from mlbench.wire.dump_tree import TreeError
from mlbench.wire.flatten import value_text
from mlbench.wire.jsonlog import as_list, as_mapping, as_number, json_of
from mlbench.wire.kfp import (
    CURVE,
    MATRIX,
    OUTPUT,
    Pipeline,
    TaskArtifact,
    artifacts_in,
    matrices_in,
    pipeline_file,
    pipeline_name,
    read_pipeline,
)
from mlbench.wire.points import PointCollector

_KINDS = {"system.Model": "model", "system.Dataset": "data", "system.Metrics": "metrics",
          "system.ClassificationMetrics": "metrics", "system.SlicedClassificationMetrics": "metrics"}  # fmt: skip
_CURVE_FIELDS = ("confidenceThreshold", "falsePositiveRate", "recall")
_TIME = "%Y-%m-%d-%H-%M-%S"


def claims(listing: Listing) -> Iterator[Claim]:
    if listing.has(OUTPUT):
        run = os.path.dirname(listing.path)
        follows = tuple(filter(None, [pipeline_file(run)]))
        yield Claim(os.path.join(listing.path, OUTPUT), Role.TRACKER, run, follows=follows)


def read(source: Source, _cursor: Mapping[str, JsonValue] | None) -> Iterator[Fact]:
    content = load_content(source.path)
    file = json_of(source.path, content)
    output, problem, status = as_mapping(file.value), file.problem, file.status
    if problem is None and status is ReadStatus.EOF and not ({"artifacts", "parameterValues"} & output.keys()):
        problem, status = Problem(source.path, "this is JSON, but no outputs of a task"), ReadStatus.DAMAGED
    task = _text(os.path.basename(os.path.dirname(source.path)))
    name, time = pipeline_name(os.path.basename(source.run_folder))
    pipeline, told = _pipeline(source.run_folder, name)
    if _is_first(source):
        yield from told
        yield from _fields(source.run_folder, name, time, pipeline)
    yield from (LineageEdge("input", task, part) for part in pipeline.reads.get(task, ()))
    points = PointCollector()
    yield from _outputs(task, as_mapping(output.get("parameterValues")), points)
    artifacts = list(artifacts_in(output))
    for artifact in artifacts:
        yield from _artifact(source, task, artifact, pipeline.types.get((task, artifact.key), ""))
        _metrics(artifact, pipeline.types.get((task, artifact.key), ""), points)
    for seq, (artifact, offset, length) in enumerate(matrices_in(content.data.decode("utf-8", "replace"), artifacts)):
        yield Blob("confusion", artifact.key, 0, math.nan, seq, offset, length, "json")
    yield from points.flush()
    if problem is not None:
        yield problem
    yield Cursor({}, status, n_records=len(artifacts), n_bad=int(problem is not None))


def _pipeline(run_folder: str, name: str) -> tuple[Pipeline, list[Problem]]:
    path = pipeline_file(run_folder)
    try:
        return (read_pipeline(path, name), []) if path else (Pipeline(), [])
    except TreeError as error:
        return Pipeline(), [Problem(path, f"the compiled pipeline {error}")]
    except (OSError, ValueError) as error:
        return Pipeline(), [unreadable(path, error)]


def _is_first(source: Source) -> bool:
    """Whether this task is the one that speaks for the whole run: the first by name."""
    try:
        names = sorted(os.listdir(source.run_folder))
    except OSError:
        return True
    first = next((name for name in names if os.path.isfile(os.path.join(source.run_folder, name, OUTPUT))), "")
    return first in {"", os.path.basename(os.path.dirname(source.path))}


def _fields(run_folder: str, name: str, time: str, pipeline: Pipeline) -> Iterator[Fact]:
    yield RunField("name", _text(os.path.basename(run_folder)))
    yield RunField("project", _text(name))
    if time:
        try:
            # The clock of the machine that ran it, whose zone is not recorded.
            yield RunField("started", datetime.strptime(time[:19], _TIME).astimezone().timestamp())
        except (ValueError, OverflowError, OSError):
            pass
    if pipeline.tasks:
        done = [os.path.isfile(os.path.join(run_folder, task, OUTPUT)) for task in pipeline.tasks]
        if all(done):
            yield RunField("status", "finished")
    for key, value in pipeline.defaults.items():
        yield Param(key, value_text(value), value, Layer.DEFAULT)


def _outputs(task: str, values: Mapping[str, JsonValue], points: PointCollector) -> Iterator[Fact]:
    """Numbers are metrics; what else a task gave out is told as derived."""
    for key, value in values.items():
        name = f"{task}.{key}"
        yield LineageEdge("output", task, name)
        if (number := _number(value)) is not None:
            points.add(name, 0, number)
        else:
            yield Param(name, value_text(value), value, Layer.DERIVED)


def _artifact(source: Source, task: str, artifact: TaskArtifact, title: str) -> Iterator[Fact]:
    name = f"{task}.{artifact.key}"
    beside = os.path.join(os.path.dirname(source.path), os.path.basename(artifact.uri) or artifact.key)
    told = [f"{key} {value_text(value)}" for key, value in artifact.metadata.items() if key not in {MATRIX, CURVE}]
    yield LineageEdge("output", task, name)
    yield Artifact(
        _KINDS.get(title, "metrics" if _has_metrics(artifact) else "file"), name, artifact.uri,
        size_bytes=os.path.getsize(beside) if os.path.isfile(beside) else None, role="output",
        detail=", ".join(filter(None, [title, *told[:10]])),
    )  # fmt: skip


def _has_metrics(artifact: TaskArtifact) -> bool:
    known = artifact.metadata.keys() & {MATRIX, CURVE}
    return bool(known) or any(_number(value) is not None for value in artifact.metadata.values())


def _metrics(artifact: TaskArtifact, title: str, points: PointCollector) -> None:
    """Numbers in the metadata, where the pipeline does not call the artifact something else; curves point by point."""
    if _KINDS.get(title, "metrics") == "metrics":
        for key, value in artifact.metadata.items():
            if (number := _number(value)) is not None:
                points.add(str(key), 0, number)
    for step, part in enumerate(as_list(artifact.metadata.get(CURVE))):
        for word in _CURVE_FIELDS:
            if (number := as_number(as_mapping(part).get(word))) is not None:
                points.add(f"{artifact.key}.{word}", step, number)


def _number(value: JsonValue) -> float | None:
    """A truth value is none here."""
    return None if isinstance(value, bool) else as_number(value)


def _text(path: str) -> str:
    return os.fsencode(path).decode("utf-8", "replace")


def example(folder: str) -> None:
    """A pipeline of one task that trains and gives out a metric, a model and a confusion matrix."""
    run = os.path.join(folder, "demo-2026-11-23-07-22-42-338917", "train")
    os.makedirs(run)
    matrix = {"annotationSpecs": [{"displayName": "a"}, {"displayName": "b"}],
              "rows": [{"row": [1, 2]}, {"row": [3, 4]}]}  # fmt: skip
    made = {"metrics": {"auc": 0.7}, "model": {"framework": "x"}, "cm": {MATRIX: matrix}}
    artifacts = {
        key: {"artifacts": [{"name": key, "uri": f"/out/train/{key}", "metadata": metadata}]}
        for key, metadata in made.items()
    }
    with open(os.path.join(run, OUTPUT), "w", encoding="utf-8") as file:
        json.dump({"parameterValues": {"Output": 0.7}, "artifacts": artifacts}, file)


ADAPTER = Adapter(
    name="kfp",
    claims=claims,
    read=read,
    example=example,
    formats="Kubeflow Pipelines run by kfp.local 2: outputs, metrics and artifacts of each task, the compiled pipeline",
    files=(OUTPUT,),
)
