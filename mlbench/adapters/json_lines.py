"""Metrics as JSON lines: detectron2, DeiT, MAE, DINO, Stable-Baselines3, and whatever writes an object a step.

- `metrics.json` of detectron2 (`iteration` gives the step; a restart appends, so iterations go back);
- `log.txt` and `train_log.txt` of DeiT, MAE, DINO and their kin (`epoch`);
- `progress.json` of Stable-Baselines3 and Baselines, where no `progress.csv` lies beside it;
- any `.jsonl` or `.ndjson` whose first line is an object with a known step and another number.

The step is the first of `time/total_timesteps`, `total_timesteps`, `timesteps_total`, `global_step`, `num_updates`,
`step`, `iteration`, `iter`, `batch`, `epoch` and their kin that the first row has. A `timestamp`, `time`, `wall_time`
or the like that is a time of this age (seconds, milliseconds or ISO) is the wall time; a `time` of some seconds is a
metric. Nested names are joined by a slash. `n_parameters` is a parameter. A file named as a split (`val.jsonl`) gives
its metrics that prefix; other `.jsonl` files that lie together are trainings of their own.
Links: https://detectron2.readthedocs.io/en/latest/modules/utils.html, https://github.com/facebookresearch/deit
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping

from mlbench.model import Adapter, Claim, Fact, JsonValue, Layer, Listing, Param, Role, Source
from mlbench.wire.content import sniff
from mlbench.wire.flatten import value_text
from mlbench.wire.jsonlog import as_number
from mlbench.wire.jsonrows import RowPlan, RowReader, first_row, plan_of, read_rows

_NAMED = ("metrics.json", "log.txt", "train_log.txt", "log.json", "progress.json")
_PARAMS = frozenset({"n_parameters", "num_parameters", "n_params"})
_SPLITS = frozenset({"train", "training", "val", "valid", "validation", "test", "eval", "evaluation", "dev"})
_HEAD_BYTES = 65_536


def claims(listing: Listing) -> Iterator[Claim]:
    for name in _NAMED:
        is_repeated = name == "progress.json" and listing.has("progress.csv")
        if listing.has(name) and not is_repeated and _is_log(os.path.join(listing.path, name)):
            yield Claim(os.path.join(listing.path, name), Role.METRICS, listing.path)
    for name in listing.ending("jsonl", "ndjson"):
        path = os.path.join(listing.path, name)
        if _is_log(path):
            yield Claim(path, Role.METRICS, listing.path, is_one_training=not _split_of(name) and name != "log.jsonl")


def _is_log(path: str) -> bool:
    """Whether the first row has a step and another number."""
    row = first_row(sniff(path, _HEAD_BYTES) or b"")
    plan = plan_of(row)
    if os.path.basename(path) == "metrics.json" and plan.step_key != "iteration":
        return False  # DVC, AllenNLP and many programs write their last values there, as one object
    others = row.keys() - plan.skipped - _PARAMS
    return bool(plan.step_key) and any(_is_number(row[key]) for key in others)


def _is_number(value: JsonValue) -> bool:
    if isinstance(value, Mapping):
        return any(_is_number(part) for part in value.values())
    return not isinstance(value, str | bool) and as_number(value) is not None


def _split_of(name: str) -> str:
    """`val` for `val.jsonl`; '' for a name that says no such thing."""
    stem = name.rpartition(".")[0].lower()
    return stem if stem in _SPLITS else ""


def read(source: Source, cursor: Mapping[str, JsonValue] | None) -> Iterator[Fact]:
    """What has come into the file since `cursor`."""
    name = os.path.basename(source.path)
    split = _split_of(name) if name not in _NAMED else ""

    def plan(row: Mapping[str, JsonValue]) -> RowPlan:
        told = plan_of(row)
        return RowPlan(told.step_key, told.wall_key, told.skipped | _PARAMS, f"{split}/" if split else "")

    yield from read_rows(source.path, cursor, RowReader(plan, _params))


def _params(row: Mapping[str, JsonValue]) -> Iterable[Fact]:
    return [Param(key, value_text(row[key]), row[key], Layer.DERIVED, 1) for key in sorted(_PARAMS & row.keys())]


def example(folder: str) -> None:
    """The log of a DeiT training."""
    with open(os.path.join(folder, "log.txt"), "w", encoding="utf-8") as file:
        file.write(
            '{"train_lr": 0.001, "train_loss": 6.91, "test_acc1": 0.5, "epoch": 0, "n_parameters": 5717416}\n'
            '{"train_lr": 0.001, "train_loss": 6.42, "test_acc1": 2.25, "epoch": 1, "n_parameters": 5717416}\n'
            '{"train_lr": 0.001, "train_loss": NaN, "test_acc1": 0.1, "epoch": 2, "n_parameters": 5717416}\n'
        )


ADAPTER = Adapter(
    name="json-lines",
    claims=claims,
    read=read,
    example=example,
    appends=True,
    formats="JSON lines: detectron2 metrics.json, DeiT log.txt, Stable-Baselines3 progress.json, *.jsonl with a step",
    files=(*_NAMED, "*.jsonl", "*.ndjson"),
)
