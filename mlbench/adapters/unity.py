"""Unity ML-Agents: `run_logs/timers.json` and `run_logs/training_status.json` beside the event files; 0.15 to 1.1.

`timers.json` gives start and end, command, and the versions of Python, ML-Agents, PyTorch and numpy; its gauges repeat
the last values of the event files and are left there. `training_status.json` gives the steps of each behaviour's
last checkpoint as a parameter of the derived layer. The configuration is `configuration.yaml`, which
[config](#config) reads.
Link: https://unity-technologies.github.io/ml-agents/Training-ML-Agents/
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping

from mlbench.model import (
    Adapter,
    Claim,
    Cursor,
    Environment,
    Fact,
    JsonValue,
    Layer,
    Listing,
    Param,
    Problem,
    ReadStatus,
    Role,
    RunField,
    Source,
)
from mlbench.wire.jsonlog import as_mapping, as_text, load_json_file
from mlbench.wire.points import as_step

_TIMERS, _STATUS = "timers.json", "training_status.json"
_VERSIONS = {
    "python_version": "python", "mlagents_version": "package:mlagents",
    "mlagents_envs_version": "package:mlagents-envs",
    "pytorch_version": "package:torch", "torch_version": "package:torch", "numpy_version": "package:numpy",
    "tensorflow_version": "package:tensorflow",
}  # fmt: skip


def claims(listing: Listing) -> Iterator[Claim]:
    for name in (_TIMERS, _STATUS):
        if listing.has(name) and os.path.basename(listing.path) == "run_logs":
            yield Claim(os.path.join(listing.path, name), Role.CONTEXT, os.path.dirname(listing.path))


def read(source: Source, _cursor: Mapping[str, JsonValue] | None) -> Iterator[Fact]:
    file = load_json_file(source.path)
    if file.problem:
        yield file.problem
    elif file.status is ReadStatus.EOF and not isinstance(file.value, Mapping):
        yield Problem(source.path, "it holds no JSON object")
    content = as_mapping(file.value)
    metadata = as_mapping(content.get("metadata"))
    facts = [*_about(metadata), *_checkpoints(content)]
    yield from facts
    yield Cursor({}, file.status, len(facts))


def _about(metadata: Mapping[str, JsonValue]) -> Iterator[Fact]:
    for field, key in (("started", "start_time_seconds"), ("ended", "end_time_seconds")):
        if (moment := _seconds(metadata.get(key))) is not None:
            yield RunField(field, moment)
    if command := as_text(metadata.get("command_line_arguments")):
        yield RunField("command", command)
    for key, name in _VERSIONS.items():
        if version := as_text(metadata.get(key)):
            yield Environment(name, version.split(" ")[0])


def _seconds(value: JsonValue) -> float | None:
    """Unix seconds, which it writes as text."""
    text = str(value)
    return float(text) if text.isdecimal() and 8 < len(text) < 12 else None


def _checkpoints(content: Mapping[str, JsonValue]) -> Iterator[Param]:
    for behaviour, part in content.items():
        final = as_mapping(as_mapping(part).get("final_checkpoint")) if behaviour != "metadata" else {}
        if (steps := as_step(final.get("steps"))) is not None:
            yield Param(f"checkpoint.{behaviour}.steps", str(steps), steps, Layer.DERIVED)


def example(folder: str) -> None:
    """Timers and status of a short training."""
    os.makedirs(os.path.join(folder, "run_logs"))
    metadata = {"timer_format_version": "0.1.0", "start_time_seconds": "1624010436", "end_time_seconds": "1624010484",
                "python_version": "3.7.9 (tags/v3.7.9)", "mlagents_version": "0.27.0", "pytorch_version": "1.7.1",
                "command_line_arguments": "mlagents-learn --run-id=5 training.yaml"}  # fmt: skip
    final = {"steps": 1840, "file_path": "Seeker.onnx", "reward": None}
    status = {"Seeker": {"final_checkpoint": final}, "metadata": {"mlagents_version": "0.27.0"}}
    for name, value in ((_TIMERS, {"name": "root", "metadata": metadata}), (_STATUS, status)):
        with open(os.path.join(folder, "run_logs", name), "w", encoding="utf-8") as file:
            json.dump(value, file)


ADAPTER = Adapter(
    name="unity",
    claims=claims,
    read=read,
    example=example,
    formats="Unity ML-Agents: times, command, versions, checkpoints",
    files=("run_logs/timers.json", "run_logs/training_status.json"),
)
