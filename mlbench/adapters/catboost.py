"""CatBoost: `catboost_info/` (or another `train_dir`) with `catboost_training.json`, CatBoost 0.1 to 1.2.

The step is the iteration. `learn/Logloss`, `test/Logloss`, ... come from the event files that CatBoost writes into
`learn/` and `test/` beside it, which have wall times; of a set without one they are taken from here. `passed_time_s`
is the time since the start. The number of iterations is a parameter of the derived layer.
Link: https://catboost.ai/docs/en/features/visualization
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence

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
from mlbench.wire.content import load_content
from mlbench.wire.jsonlog import MAX_JSON_BYTES, JsonError, as_list, as_mapping, as_number, as_text, load_json
from mlbench.wire.points import PointCollector, as_step

_NAME = "catboost_training.json"


def claims(listing: Listing) -> Iterator[Claim]:
    if listing.has(_NAME):
        yield Claim(os.path.join(listing.path, _NAME), Role.TRACKER, listing.path)


def read(source: Source, _cursor: Mapping[str, JsonValue] | None) -> Iterator[Fact]:
    content = load_content(source.path, limit_bytes=MAX_JSON_BYTES)
    if content.problem:
        yield content.problem
    status = content.status
    training: Mapping[str, JsonValue] = {}
    if status is ReadStatus.EOF:
        training, is_cut = _training(content.data)
        status = ReadStatus.TRUNCATED if is_cut else status
        if "iterations" not in training:
            yield Problem(source.path, "this is no record of CatBoost: it has no 'iterations'")
            status = ReadStatus.DAMAGED
    meta, rows = as_mapping(training.get("meta")), [as_mapping(row) for row in as_list(training.get("iterations"))]
    if (count := as_step(meta.get("iteration_count"))) is not None:
        yield Param("iterations", str(count), count, Layer.DERIVED)
        if len(rows) >= count > 0:
            yield RunField("status", "finished")
    yield from _points(meta, rows, os.path.dirname(source.path))
    yield Cursor({}, status, len(rows))


def _training(data: bytes) -> tuple[Mapping[str, JsonValue], bool]:
    """The record, and whether it is still being written: CatBoost appends rows and closes the brackets at the end."""
    try:
        return as_mapping(load_json(data)), False
    except JsonError:
        whole = data[: data.rfind(b"}") + 1]
    try:
        return as_mapping(load_json(whole + b"]}")), True
    except JsonError:
        return {}, True


def _points(meta: Mapping[str, JsonValue], rows: Sequence[Mapping[str, JsonValue]], folder: str) -> Iterator[Fact]:
    columns = [*_columns(meta, "learn", folder), *_columns(meta, "test", folder)]
    points = PointCollector()
    for place, row in enumerate(rows):
        step = as_step(row.get("iteration"))
        step = place if step is None else step
        for one_set, at, metric in columns:
            values = as_list(row.get(one_set))
            if at < len(values) and (number := as_number(values[at])) is not None:
                points.add(f"{one_set}/{metric}", step, number)
        if (passed_s := as_number(row.get("passed_time"))) is not None:
            points.add("passed_time_s", step, passed_s)
        if points.is_full:
            yield from points.flush()
    yield from points.flush()


def _columns(meta: Mapping[str, JsonValue], kind: str, folder: str) -> Iterator[tuple[str, int, str]]:
    """Set, place and name of each metric of the sets that have no event file of their own."""
    metrics = [as_text(as_mapping(metric).get("name")) for metric in as_list(meta.get(f"{kind}_metrics"))]
    for one_set in map(as_text, as_list(meta.get(f"{kind}_sets"))):
        has_events = bool(one_set) and os.sep not in one_set and _has_events(os.path.join(folder, one_set))
        if not has_events:
            yield from ((one_set, at, metric) for at, metric in enumerate(metrics) if metric)


def _has_events(folder: str) -> bool:
    try:
        return any("tfevents" in name for name in os.listdir(folder))
    except OSError:
        return False


def example(folder: str) -> None:
    """Three iterations with one test set."""
    meta = {
        "test_sets": ["test"], "test_metrics": [{"best_value": "Min", "name": "Logloss"}],
        "learn_metrics": [{"best_value": "Min", "name": "Logloss"}], "launch_mode": "Train", "parameters": "",
        "iteration_count": 3, "learn_sets": ["learn"], "name": "experiment",
    }  # fmt: skip
    rows = [
        {"learn": [0.62 / (1 + step)], "iteration": step, "passed_time": 0.05, "remaining_time": 0.2, "test": [0.7]}
        for step in range(3)
    ]
    with open(os.path.join(folder, _NAME), "w", encoding="utf-8") as file:
        file.write(f'{{\n"meta":{json.dumps(meta)},\n"iterations":[\n')
        file.write(",\n".join(json.dumps(row) for row in rows) + "\n]}")


ADAPTER = Adapter(
    name="catboost",
    claims=claims,
    read=read,
    example=example,
    formats="CatBoost's catboost_training.json",
    files=(_NAME,),
)
