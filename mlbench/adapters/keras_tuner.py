"""KerasTuner: `trial_*/trial.json` (1.x), one run for each trial.

Values of the hyper-parameters are parameters; what the tuner itself adds (`tuner/epochs`, ...) is in the derived
layer. Each metric has its observations by step; where a trial was executed several times, their mean. `score` is the
objective at the best step. There is no wall time.
Link: https://keras.io/keras_tuner/
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Iterator, Mapping
from statistics import fmean

from mlbench.model import (
    Adapter,
    Claim,
    Cursor,
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
from mlbench.wire.content import sniff
from mlbench.wire.flatten import value_text
from mlbench.wire.jsonlog import as_list, as_mapping, as_number, as_text, load_json_file
from mlbench.wire.points import PointCollector, as_step

_NAME = "trial.json"
_STATUSES = {
    "COMPLETED": "finished",
    "RUNNING": "running",
    "INVALID": "failed",
    "FAILED": "failed",
    "STOPPED": "killed",
}


def claims(listing: Listing) -> Iterator[Claim]:
    if not listing.has(_NAME):
        return
    path = os.path.join(listing.path, _NAME)
    head = sniff(path, 64)
    # Other programs write a trial.json too; an empty or cut one counts only where the folder is named as a trial's.
    if (head and b'"trial_id"' in head) or os.path.basename(listing.path).startswith("trial_"):
        yield Claim(path, Role.TRACKER, listing.path)


def read(source: Source, _cursor: Mapping[str, JsonValue] | None) -> Iterator[Fact]:
    file = load_json_file(source.path)
    trial = as_mapping(file.value)
    if file.problem:
        yield file.problem
    elif file.status is ReadStatus.EMPTY:
        yield Problem(source.path, "the file is empty")
    elif "hyperparameters" not in trial:
        yield Problem(source.path, "this is no trial of KerasTuner: it has no 'hyperparameters'")
    for key, value in as_mapping(as_mapping(trial.get("hyperparameters")).get("values")).items():
        layer = Layer.DERIVED if key.startswith("tuner/") else Layer.CONFIG
        yield Param(key, value_text(value), value, layer)
    if status := _STATUSES.get(as_text(trial.get("status"))):
        yield RunField("status", status)
    yield from _points(trial)
    yield Cursor({}, file.status, 1 if trial else 0)


def _points(trial: Mapping[str, JsonValue]) -> Iterator[Fact]:
    collector = PointCollector()
    for name, metric in as_mapping(as_mapping(trial.get("metrics")).get("metrics")).items():
        for observation in as_list(as_mapping(metric).get("observations")):
            step = as_step(as_mapping(observation).get("step"))
            value = _mean(as_mapping(observation).get("value"))
            if value is not None:
                collector.add(name, 0 if step is None else step, value)
    score = as_number(trial.get("score"))
    if score is not None:
        collector.add("score", as_step(trial.get("best_step")) or 0, score)
    yield from collector.flush()


def _mean(value: JsonValue) -> float | None:
    """The mean of a list of executions (of finite and infinite numbers as floats have it), or the number itself."""
    if not isinstance(value, list):
        return as_number(value)
    numbers = [number for part in value if (number := as_number(part)) is not None]
    if len(numbers) < 2:
        return numbers[0] if numbers else None
    return fmean(numbers) if all(map(math.isfinite, numbers)) else math.nan


def example(folder: str) -> None:
    """One completed trial."""
    trial = {
        "trial_id": "0003",
        "hyperparameters": {"space": [], "values": {"activation": "tanh", "units": 3, "tuner/epochs": 3}},
        "metrics": {
            "metrics": {"val_loss": {"direction": "min", "observations": [{"value": [0.58712], "step": 1}]}},
        },
        "score": 0.58712,
        "best_step": 1,
        "status": "COMPLETED",
    }
    with open(os.path.join(folder, _NAME), "w", encoding="utf-8") as file:
        json.dump(trial, file)


ADAPTER = Adapter(
    name="keras-tuner",
    claims=claims,
    read=read,
    example=example,
    formats="KerasTuner trials",
    files=("trial_*/trial.json",),
)
