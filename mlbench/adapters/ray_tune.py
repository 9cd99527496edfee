"""Ray Tune: `result.json` (JSON lines) in a trial's folder; Ray 0.8 to 2.

Every row is a report: its numbers are metrics, nested names joined by a slash, but for what describes the row or the
process. The step is `timesteps_total` where the first row has one (RLlib), else `training_iteration`; `timestamp` is
the wall time. `params.json` beside it, which holds what was chosen for the trial, is read by [config](#config);
without it the first row's `config` gives the parameters. `progress.csv` says the same as `result.json` and is
read only where that is missing; `params.pkl` and `error.pkl` are never opened.
Link: https://docs.ray.io/en/latest/tune/tutorials/tune-output.html
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Mapping

from mlbench.model import (
    Adapter,
    Claim,
    Environment,
    Fact,
    JsonValue,
    Layer,
    Listing,
    Role,
    RunField,
    Source,
)
from mlbench.wire.content import sniff
from mlbench.wire.jsonlog import as_mapping, as_text, params_in
from mlbench.wire.jsonrows import RowPlan, RowReader, first_row, plan_of, read_rows

_NAME, _PARAMS = "result.json", "params.json"
_STEPS = ("timesteps_total", "training_iteration")
_OF_THE_ROW = frozenset({
    "config", "pid", "timestamp", "date", "trial_id", "experiment_id", "experiment_tag", "hostname", "node_ip", "done",
    "time_since_restore", "iterations_since_restore", "timesteps_since_restore", "should_checkpoint", "warmup_time",
})  # fmt: skip
_HEAD_BYTES = 262_144
"""RLlib's rows hold histograms of all episodes."""


def claims(listing: Listing) -> Iterator[Claim]:
    if not listing.has(_NAME):
        return
    path = os.path.join(listing.path, _NAME)
    row = first_row(sniff(path, _HEAD_BYTES) or b"")
    if listing.has(_PARAMS) or "trial_id" in row or "training_iteration" in row:
        yield Claim(path, Role.METRICS, listing.path)


def read(source: Source, cursor: Mapping[str, JsonValue] | None) -> Iterator[Fact]:
    has_params = os.path.isfile(os.path.join(os.path.dirname(source.path), _PARAMS))

    def head(row: Mapping[str, JsonValue]) -> Iterable[Fact]:
        return _head(row, has_params=has_params)

    yield from read_rows(source.path, cursor, RowReader(_plan, head, _ended))


def _plan(row: Mapping[str, JsonValue]) -> RowPlan:
    told = plan_of(row, steps=_STEPS)
    return RowPlan(told.step_key, "timestamp", _OF_THE_ROW | {told.step_key})


def _head(row: Mapping[str, JsonValue], *, has_params: bool) -> Iterator[Fact]:
    for name, key in (("name", "experiment_tag"), ("host", "hostname")):
        if text := as_text(row.get(key)):
            yield RunField(name, text)
    if host := as_text(row.get("hostname")):
        yield Environment("hostname", host)
    if not has_params:
        yield from params_in(as_mapping(row.get("config")), Layer.CONFIG)


def _ended(row: Mapping[str, JsonValue]) -> Iterator[Fact]:
    if row.get("done") is True:
        yield RunField("status", "finished")


def example(folder: str) -> None:
    """A trial of three reports."""
    with open(os.path.join(folder, _NAME), "w", encoding="utf-8") as file:
        for step in range(1, 4):
            row = {
                "loss": 1 / step, "info": {"grad": 0.5}, "timestamp": 1795418500 + step, "done": step == 3,
                "training_iteration": step, "trial_id": "ab12c_00000", "date": "2026-11-23_07-21-40", "pid": 4242,
                "hostname": "node1", "node_ip": "10.0.0.1", "config": {"lr": 0.01, "net": {"width": 64}},
                "time_total_s": 0.5 * step, "experiment_tag": "0_lr=0.0100",
            }  # fmt: skip
            file.write(json.dumps(row) + "\n")


ADAPTER = Adapter(
    name="ray-tune",
    claims=claims,
    read=read,
    example=example,
    appends=True,
    formats="Ray Tune trials: result.json",
    files=(_NAME,),
)
