"""What runs cost: how long they took, how fast they went, when they were at their best, what they recorded as cost."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace

from mlbench.dataclass import dataclass
from mlbench.queries.answers import DiffAnswer
from mlbench.queries.goals import primary_metric
from mlbench.queries.reading import Reader
from mlbench.queries.typed import typed_rows

_STARTS = """SELECT run_id, run_no, started_s,
    CASE WHEN coalesce(ended_s, active_s) >= started_s THEN coalesce(ended_s, active_s) - started_s END FROM run
WHERE run_id IN (SELECT unnest(CAST(? AS VARCHAR[])))"""
_SERIES = """SELECT run_id, metric, n, first_step, last_step, first_wall_s, last_wall_s, min_wall_s, max_wall_s,
    last_value FROM series WHERE run_no IN ({numbers}) ORDER BY n DESC, metric, series_id"""
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


def cost_rows(reader: Reader, run_ids: Sequence[str]) -> tuple[CostRow, ...]:
    """What the runs cost; kinds that no run knows are left out.

    The steps of a run are those of its metric with the most points; the time to the best value is that of the primary
    metric, from the run's start, or its first point where that is not known.

    Args:
        reader: the catalog.
        run_ids: in the order of the values.
    """
    rows = reader.rows(_STARTS, [list(run_ids)])
    numbers = ", ".join(f"{number:d}" for _id, number, *_rest in rows if number is not None)
    series = [_Series(*row) for row in reader.rows(_SERIES.format(numbers=numbers))] if numbers else []
    found = [
        _row("duration", SECONDS, run_ids, {run_id: seconds for run_id, _no, _start, seconds in rows}),
        _row("steps per second", RATE, run_ids, _rates(series)),
        *_best_rows(reader, run_ids, series, {run_id: start for run_id, _no, start, _seconds in rows}),
        *_recorded_rows(run_ids, series),
    ]
    return tuple(row for row in found if any(value is not None for value in row.values))


def with_costs(reader: Reader, answer: DiffAnswer, *, everything: bool = False) -> DiffAnswer:
    """The comparison with what the runs cost, and with what was typed to start them."""
    ids = [head.run_id for head in answer.runs]
    costs = tuple(row for row in cost_rows(reader, ids) if everything or not row.is_even)
    return replace(answer, costs=costs, typed=typed_rows(reader, ids, everything=everything))


@dataclass(frozen=True, slots=True)
class _Series:
    run_id: str
    metric: str
    n: int
    first_step: int
    last_step: int
    first_wall_s: float
    last_wall_s: float
    min_wall_s: float | None
    max_wall_s: float | None
    last_value: float | None


def _row(key: str, unit: str, ids: Sequence[str], found: Mapping[str, float | None]) -> CostRow:
    return CostRow(key, unit, tuple(_finite(found.get(run_id)) for run_id in ids))


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None


def _rates(series: Sequence[_Series]) -> dict[str, float | None]:
    rates: dict[str, float | None] = {}
    for one in series:  # those with the most points come first
        span = _finite((one.last_wall_s or math.nan) - (one.first_wall_s or math.nan))
        if one.run_id not in rates and span and span > 0 and one.last_step > one.first_step:
            rates[one.run_id] = (one.last_step - one.first_step) / span
    return rates


def _best_rows(
    reader: Reader, ids: Sequence[str], series: Sequence[_Series], starts: Mapping[str, float | None]
) -> list[CostRow]:
    primary = primary_metric(reader, counts=Counter(one.metric for one in series))
    if primary is None:
        return []
    metric, goal = primary
    times: dict[str, float | None] = {}
    for one in series:
        best = _finite(one.min_wall_s if goal == "min" else one.max_wall_s)
        start = _finite(starts.get(one.run_id))
        start = _finite(one.first_wall_s) if start is None else start
        if one.metric == metric and one.run_id not in times and best is not None and start is not None:
            times[one.run_id] = best - start if best >= start else None
    return [_row(f"time to best {metric}", SECONDS, ids, times)]


def _recorded_rows(ids: Sequence[str], series: Sequence[_Series]) -> list[CostRow]:
    found: dict[str, dict[str, float | None]] = {}
    for one in series:
        if _LAST_WORD.split(one.metric.lower())[-1] in COST_WORDS:
            found.setdefault(one.metric, {}).setdefault(one.run_id, one.last_value)
    return [_row(metric, AMOUNT, ids, values) for metric, values in sorted(found.items())]
