"""What a program said its metrics are drawn over: W&B's `define_metric`, as pairs of a name and another metric."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from mlbench.queries.reading import Reader

if TYPE_CHECKING:
    from mlbench.model import Float64Array, Int64Array

TAG = "wandb.step_metric"
"""The imported tag of a rule, `val/*=epoch`; `val/loss=` where it is drawn over the step whatever a pattern says."""
_RULES = """SELECT run_id, value FROM imported_tag
WHERE key = ? AND run_id IN (SELECT unnest(CAST(? AS VARCHAR[]))) ORDER BY run_id, value"""


def step_metric_of(metric: str, rules: Iterable[tuple[str, str]]) -> str:
    """The metric that `metric` is drawn over by pairs of a name and that; '' where none says so.

    The name itself goes before patterns, which end in `*` (W&B knows no others), a longer pattern before a shorter.
    """
    fitting = [
        (name == metric, len(name), over)
        for name, over in rules
        if name == metric or (name.endswith("*") and metric.startswith(name[:-1]) and metric != over)
    ]
    return max(fitting)[2] if fitting else ""


def rules_of(reader: Reader, ids: Sequence[str]) -> Mapping[str, list[tuple[str, str]]]:
    """The rules of each run that has any."""
    rules: dict[str, list[tuple[str, str]]] = {}
    for run_id, text in reader.rows(_RULES, [TAG, list(ids)]):
        name, _, over = text.rpartition("=")
        rules.setdefault(run_id, []).append((name, over))
    return rules


def last_at(steps: Int64Array, other_steps: Int64Array, other_values: Float64Array) -> Float64Array:
    """Another metric's last value at each of these steps, shape (n,); NaN where it has none."""
    import numpy as np

    if not other_steps.size:
        return np.full(steps.shape, np.nan)
    order = np.argsort(other_steps, kind="stable")
    known, values = other_steps[order], other_values[order]
    places = np.searchsorted(known, steps, side="right") - 1
    is_met = (places >= 0) & (known[np.maximum(places, 0)] == steps)
    return np.where(is_met, values[np.maximum(places, 0)], np.nan)
