"""Metrics of slices: one score of each class or group of the data, `val/recall/class=3`, told as a whole."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from mlbench.queries.answers import MetricRow, SliceCell, SliceRow

_KEYED = re.compile(r"(?P<stem>.+?)[/_.](?P<slice>[^/=]{1,200}=[^/=]+)")
_LAST = re.compile(r"(?P<stem>.+)/(?P<slice>[^/]+)")
LEAST_SLICES = 3
_WHOLES = frozenset({
    "loss", "accuracy", "acc", "precision", "recall", "f1", "auc", "map", "total", "mean", "average", "micro", "macro",
    "weighted", "avg", "all", "overall", "std", "min", "max", "lr", "epoch", "step", "steps", "time", "value", "policy",
    "fps", "iterations", "reward", "returns", "return", "entropy", "train", "val", "valid", "test", "eval",
})  # fmt: skip
"""Last parts that are names of metrics or of summaries: `train/loss` and `train/lr` are no slices of `train`."""


def slice_groups(metrics: Sequence[str]) -> dict[str, dict[str, str]]:
    """Names of metrics by slice, by stem: `{"val/recall": {"class=0": "val/recall/class=0", ...}}`.

    Slices end in `/key=value` or `_key=value`; or in class names, if three metrics or more share a stem whose last
    part is a metric's own name (`val/recall/cat`). A stem with one slice is none.
    """
    found: dict[str, dict[str, str]] = {}
    for metric in metrics:
        keyed, last = _KEYED.fullmatch(metric), _LAST.fullmatch(metric)
        if keyed is not None:
            found.setdefault(keyed["stem"], {})[keyed["slice"]] = metric
        elif last is not None and _is_score(last["stem"]) and last["slice"].lower() not in _WHOLES:
            found.setdefault(last["stem"], {})[last["slice"]] = metric
    return {
        stem: slices
        for stem, slices in found.items()
        if len(slices) >= (2 if all("=" in name for name in slices) else LEAST_SLICES)
    }


def _is_score(stem: str) -> bool:
    from mlbench.queries.goals import guess_goal

    return "/" in stem and bool(guess_goal(stem.rpartition("/")[2]))


def slice_rows(rows: Sequence[MetricRow]) -> tuple[SliceRow, ...]:
    """For each group of slices with a goal and each run the worst slice, and how far the best is from it."""
    by_name = {row.metric: row for row in rows}
    return tuple(
        _slice_row(stem, {name: by_name[metric] for name, metric in slices.items()})
        for stem, slices in slice_groups(list(by_name)).items()
        if all(by_name[metric].goal for metric in slices.values())
    )


def _slice_row(stem: str, slices: Mapping[str, MetricRow]) -> SliceRow:
    first = next(iter(slices.values()))
    cells = []
    for place in range(len(first.cells)):
        known = {name: value for name, row in slices.items() if (value := row.cells[place].best) is not None}
        if not known:
            cells.append(SliceCell())
            continue
        worst = (max if first.goal == "min" else min)(known, key=lambda name: known[name])
        values = known.values()
        cells.append(SliceCell(known[worst], worst, max(values) - min(values), len(known)))
    return SliceRow(stem, first.goal, len(slices), tuple(cells), tuple(row.metric for row in slices.values()))
