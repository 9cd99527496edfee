"""What Kubeflow Pipelines 2 leaves behind without a server: task outputs of `kfp.local`, and compiled pipelines.

`<root>/<pipeline>-<time>/<task>/executor_output.json` holds `parameterValues` and `artifacts.<key>.artifacts[]` with
name, uri and metadata: metrics are metadata. The compiled `pipeline.yaml` tells the types of the artifacts,
defaults, and which task reads what. https://github.com/kubeflow/pipelines/tree/master/sdk/python/kfp/local
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import field

from mlbench.dataclass import dataclass
from mlbench.model import JsonValue
from mlbench.wire.confusion import parse_matrix
from mlbench.wire.files import read_whole
from mlbench.wire.jsonlog import as_list, as_mapping, as_text
from mlbench.wire.yamltext import load_yaml

OUTPUT = "executor_output.json"
MATRIX = "confusionMatrix"
CURVE = "confidenceMetrics"
MAX_PIPELINE_BYTES = 4 << 20
MAX_MATRICES = 100
"""Of one task."""
_TIMED = re.compile(r"(.+?)-(\d{4}-\d\d-\d\d-\d\d-\d\d-\d\d(?:-\d{1,6})?)")
_KEY = re.compile(rf'"{MATRIX}"\s*:\s*')


@dataclass(frozen=True, slots=True)
class TaskArtifact:
    """One artifact that a task made."""

    key: str
    """The name of the task's output."""
    name: str
    uri: str
    metadata: Mapping[str, JsonValue]


@dataclass(frozen=True, slots=True)
class Pipeline:
    """A compiled pipeline, as far as it was found."""

    path: str = ""
    """'' where no file tells."""
    defaults: Mapping[str, JsonValue] = field(default_factory=dict)
    """Of the pipeline's parameters; those without a default are left out."""
    types: Mapping[tuple[str, str], str] = field(default_factory=dict)
    """Schema titles (`system.Metrics`) by task and output."""
    reads: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """By task, what it reads of others: `train.model`."""
    tasks: tuple[str, ...] = ()


def pipeline_name(folder: str) -> tuple[str, str]:
    """The pipeline's name and the time (of the machine's clock) in the name of a run's folder; '' for no time."""
    match = _TIMED.fullmatch(folder)
    return (match[1], match[2]) if match else (folder, "")


def artifacts_in(output: Mapping[str, JsonValue]) -> Iterator[TaskArtifact]:
    """What a task made, in the order of the file."""
    for key, told in as_mapping(output.get("artifacts")).items():
        for part in as_list(as_mapping(told).get("artifacts")):
            one = as_mapping(part)
            metadata = as_mapping(one.get("metadata"))
            yield TaskArtifact(str(key), as_text(one.get("name")) or str(key), as_text(one.get("uri")), metadata)


def matrices_in(text: str, artifacts: Sequence[TaskArtifact]) -> Iterator[tuple[TaskArtifact, int, int]]:
    """Where in the UTF-8 bytes of the file the confusion matrices of the artifacts stand: offset and length."""
    wanted = [one for one in artifacts if parse_matrix(one.metadata.get(MATRIX)) is not None][:MAX_MATRICES]
    decoder = json.JSONDecoder()
    for match in _KEY.finditer(text):
        if not wanted:
            return
        try:
            value, end = decoder.raw_decode(text, match.end())
        except (ValueError, RecursionError):
            continue
        if value == wanted[0].metadata[MATRIX]:
            start = len(text[: match.end()].encode("utf-8", "replace"))
            yield wanted.pop(0), start, len(text[match.end() : end].encode("utf-8", "replace"))


# ---------------------------------------------------------------- the compiled pipeline


def pipeline_file(run_folder: str) -> str:
    """The compiled pipeline beside or above a run's folder that has its name; '' for none."""
    name, _time = pipeline_name(os.path.basename(run_folder))
    folder = run_folder
    for _ in range(3):
        for candidate in ("pipeline.yaml", f"{name}.yaml", "pipeline.json", f"{name}.json"):
            path = os.path.join(folder, candidate)
            if os.path.isfile(path):
                return path
        folder = os.path.dirname(folder)
    return ""


def read_pipeline(path: str, name: str) -> Pipeline:
    """The pipeline in a file; an empty one where the file is no pipeline of this name.

    Raises:
        TreeError: it is no YAML.
        ValueError: it is too large.
        OSError: it cannot be read.
    """
    loaded = load_yaml(read_whole(path, limit_bytes=MAX_PIPELINE_BYTES).decode("utf-8-sig", "replace"))
    told = as_mapping(loaded.value)
    if as_text(as_mapping(told.get("pipelineInfo")).get("name")) != name:
        return Pipeline()
    root = as_mapping(told.get("root"))
    components = as_mapping(told.get("components"))
    inputs = as_mapping(as_mapping(root.get("inputDefinitions")).get("parameters"))
    tasks = {str(task): as_mapping(body) for task, body in as_mapping(as_mapping(root.get("dag")).get("tasks")).items()}
    given = {str(key): as_mapping(body) for key, body in inputs.items()}
    return Pipeline(
        path,
        {key: body["defaultValue"] for key, body in given.items() if "defaultValue" in body},
        dict(part for task, body in tasks.items() for part in _types(task, body, components)),
        {task: tuple(_reads(body)) for task, body in tasks.items()},
        tuple(tasks),
    )


def _types(
    task: str, body: Mapping[str, JsonValue], components: Mapping[str, JsonValue]
) -> Iterator[tuple[tuple[str, str], str]]:
    component = as_mapping(components.get(as_text(as_mapping(body.get("componentRef")).get("name"))))
    made = as_mapping(as_mapping(component.get("outputDefinitions")).get("artifacts"))
    for key, definition in made.items():
        yield (task, str(key)), as_text(as_mapping(as_mapping(definition).get("artifactType")).get("schemaTitle"))


def _reads(body: Mapping[str, JsonValue]) -> Iterator[str]:
    inputs = as_mapping(body.get("inputs"))
    for kind, word, key in (
        ("artifacts", "taskOutputArtifact", "outputArtifactKey"),
        ("parameters", "taskOutputParameter", "outputParameterKey"),
    ):
        for part in as_mapping(inputs.get(kind)).values():
            source = as_mapping(as_mapping(part).get(word))
            if (task := as_text(source.get("producerTask"))) and (output := as_text(source.get(key))):
                yield f"{task}.{output}"
