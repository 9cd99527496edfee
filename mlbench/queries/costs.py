"""What runs cost: how long they took, how fast they went, when they were at their best, what they recorded as cost."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple, TypeAlias

from mlbench.dataclass import dataclass

COST_WORDS = frozenset({"cost", "cost_usd", "usd", "total_cost", "cost_eur", "price", "gpu_hours", "energy_kwh"})
"""Last parts of the names of metrics that say what a run cost."""
LEAST_RATIO = 0.01
"""A run that is nearer to another than this is neither cheaper nor dearer."""
_LAST_WORD = re.compile(r"[/.]")
SECONDS, RATE, AMOUNT = "seconds", "rate", "amount"


@dataclass(frozen=True, slots=True)
class CostRow:
    """One kind of cost in each run."""

    key: str
    """duration, steps per second, time to best NAME, or the metric that says so."""
    unit: str
    """seconds, rate (more is better) or amount."""
    values: tuple[float | None, ...]
    """None where it is not known."""

    @property
    def is_even(self) -> bool:
        """Whether several runs have it within LEAST_RATIO of each other."""
        known = [value for value in self.values if value is not None]
        spread = max(known, default=0.0) - min(known, default=0.0)
        return 1 < len(known) == len(self.values) and spread <= LEAST_RATIO * max(map(abs, known))


class Pace(NamedTuple):
    """When a metric was logged in a run."""

    run_id: str
    metric: str
    last_value: float | None
    last_step: int
    n: int
    first_step: int
    first_wall_s: float | None
    last_wall_s: float | None
    min_wall_s: float | None
    """When it was least."""
    max_wall_s: float | None


Span: TypeAlias = "tuple[float | None, float | None]"
"""Start, and end or last sign of life."""


def cost_rows(
    run_ids: Sequence[str], spans: Mapping[str, Span], series: Sequence[Pace], primary: tuple[str, str] | None
) -> tuple[CostRow, ...]:
    """What the runs cost; kinds that no run knows are left out.

    The steps of a run are those of its metric with the most points; the time to the best value is that of the primary
    metric, from the run's start, or its first point where that is not known.

    Args:
        run_ids: in the order of the values.
        spans: by run.
        series: of all metrics of the runs, in any order.
        primary: the metric by which runs are best, and its goal.
    """
    longest = sorted(series, key=lambda one: -one.n)
    found = [
        _row("duration", SECONDS, run_ids, {run_id: _seconds(*span) for run_id, span in spans.items()}),
        _row("steps per second", RATE, run_ids, _rates(longest)),
        *_best_rows(run_ids, longest, spans, primary),
        *_recorded_rows(run_ids, longest),
    ]
    return tuple(row for row in found if any(value is not None for value in row.values))


def _seconds(start: float | None, end: float | None) -> float | None:
    return end - start if start is not None and end is not None and end >= start else None


def _row(key: str, unit: str, ids: Sequence[str], found: Mapping[str, float | None]) -> CostRow:
    return CostRow(key, unit, tuple(_finite(found.get(run_id)) for run_id in ids))


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None


def _rates(series: Sequence[Pace]) -> dict[str, float | None]:
    rates: dict[str, float | None] = {}
    for one in series:  # those with the most points come first
        if one.run_id in rates:
            continue
        span = _finite((one.last_wall_s or math.nan) - (one.first_wall_s or math.nan))
        if span and span > 0 and one.last_step > one.first_step:
            rates[one.run_id] = (one.last_step - one.first_step) / span
    return rates


def _best_rows(
    ids: Sequence[str], series: Sequence[Pace], spans: Mapping[str, Span], primary: tuple[str, str] | None
) -> list[CostRow]:
    if primary is None:
        return []
    metric, goal = primary
    times: dict[str, float | None] = {}
    for one in series:
        if one.metric != metric or one.run_id in times:
            continue
        best = _finite(one.min_wall_s if goal == "min" else one.max_wall_s)
        start = _finite(spans.get(one.run_id, (None, None))[0])
        start = _finite(one.first_wall_s) if start is None else start
        if best is not None and start is not None:
            times[one.run_id] = best - start if best >= start else None
    return [_row(f"time to best {metric}", SECONDS, ids, times)]


def _recorded_rows(ids: Sequence[str], series: Sequence[Pace]) -> list[CostRow]:
    found: dict[str, dict[str, float | None]] = {}
    names = {metric for metric in {one.metric for one in series}
             if _LAST_WORD.split(metric.lower())[-1] in COST_WORDS}  # fmt: skip
    for one in series:
        if one.metric in names:
            found.setdefault(one.metric, {}).setdefault(one.run_id, one.last_value)
    return [_row(metric, AMOUNT, ids, values) for metric, values in sorted(found.items())]
