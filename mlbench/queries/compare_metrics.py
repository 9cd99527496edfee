"""The metrics of the selection side by side: last, best, when it was reached, and how far from the baseline."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple, TypeAlias

from mlbench.queries.answers import MetricCell, MetricRow
from mlbench.queries.costs import Pace
from mlbench.queries.goals import goal_of
from mlbench.queries.reading import Reader

SUMMARIES = """SELECT run_id, metric, last_value, last_step, min_value, min_step, max_value, max_step,
    n, n_nan, n_inf, first_step, first_wall_s, last_wall_s, min_wall_s, max_wall_s, n_raw, series_id
FROM series WHERE run_no IN ({numbers})"""
"""Sorted here, not there: for a few hundred rows that takes a tenth."""
Starts: TypeAlias = "Mapping[str, float | None]"
"""When the runs began, Unix seconds, by id."""


class Summary(NamedTuple):
    """One metric in one run, as the statement gives it: a tuple, since of 100 runs there are thousands."""

    run_id: str
    metric: str
    last: float
    last_step: int
    least: float | None
    least_step: int | None
    greatest: float | None
    greatest_step: int | None
    n: int
    n_nan: int
    n_inf: int
    first_step: int
    first_wall_s: float | None
    last_wall_s: float | None
    least_wall_s: float | None
    greatest_wall_s: float | None
    n_raw: int
    series_id: int

    def best(self, goal: str) -> tuple[float | None, int | None, float | None]:
        """The best value, its step and its wall time; nothing without a goal."""
        if goal == "min":
            return self.least, self.least_step, self.least_wall_s
        return (self.greatest, self.greatest_step, self.greatest_wall_s) if goal == "max" else (None, None, None)


def read_summaries(reader: Reader, numbers: str) -> list[Summary]:
    """The metrics of runs by their numbers (`3, 17`): of several sources that log one, that with most points first."""
    rows: list[Summary] = list(map(Summary._make, reader.rows(SUMMARIES.format(numbers=numbers))))
    return sorted(rows, key=lambda row: (row.metric, -row.n, -row.n_raw, row.series_id))


def by_metric(summaries: Iterable[Summary]) -> dict[str, dict[str, Summary]]:
    """By metric and run; the first of each counts."""
    found: dict[str, dict[str, Summary]] = {}
    for row in summaries:
        found.setdefault(row.metric, {}).setdefault(row.run_id, row)
    return found


def paces(summaries: Iterable[Summary]) -> list[Pace]:
    """When the metrics were logged: what the costs are made from."""
    return [
        Pace(
            row.run_id, row.metric, row.last, row.last_step, row.n, row.first_step, row.first_wall_s, row.last_wall_s,
            row.least_wall_s, row.greatest_wall_s,
        )
        for row in summaries
    ]  # fmt: skip


def metric_rows(
    reader: Reader, ids: Sequence[str], found: Mapping[str, Mapping[str, Summary]], primary: tuple[str, str] | None,
    starts: Starts,
) -> list[MetricRow]:  # fmt: skip
    """A row for each metric, the primary one first; a metric differs if its last or best value does."""
    order = sorted(found, key=lambda metric: (primary is None or metric != primary[0], metric))
    return [
        _row(metric, *goal_of(reader, metric), [found[metric].get(run_id) for run_id in ids], starts)
        for metric in order
    ]


def _row(metric: str, goal: str, how: str, summaries: Sequence[Summary | None], starts: Starts) -> MetricRow:
    baseline = _value(summaries[0], goal)
    cells = tuple(
        [
            MetricCell(None) if one is None else _cell(one, baseline if place else None, goal, starts.get(one.run_id))
            for place, one in enumerate(summaries)
        ]
    )
    return MetricRow(metric, goal, how, cells, len({(_plain(cell.last), _plain(cell.best)) for cell in cells}) > 1)


def _cell(summary: Summary, baseline: float | None, goal: str, start_s: float | None) -> MetricCell:
    best, best_step, best_wall_s = summary.best(goal)
    change = change_to(best if goal else summary.last, baseline, goal)
    return MetricCell(
        last=summary.last,
        last_step=summary.last_step,
        best=best,
        best_step=best_step,
        delta=change.delta,
        percent=change.percent,
        is_better=change.is_better,
        n=summary.n,
        n_nan=summary.n_nan,
        n_inf=summary.n_inf,
        best_after_s=_after(best_wall_s, summary.first_wall_s if start_s is None else start_s),
    )


def _value(summary: Summary | None, goal: str) -> float | None:
    """What is compared: the best value, without a goal the last; None where it is not finite."""
    value = None if summary is None else summary.best(goal)[0] if goal else summary.last
    return value if value is not None and math.isfinite(value) else None


class Change(NamedTuple):
    """How a value stands to that of the baseline; None where one of them is missing or not finite."""

    delta: float | None = None
    percent: float | None = None
    """None where the baseline's is 0, too."""
    is_better: bool | None = None
    """None where they are equal or the metric has no goal, too."""


def change_to(value: float | None, baseline: float | None, goal: str) -> Change:
    """The change from the baseline's value to another one; `goal` is min, max or nothing."""
    if value is None or baseline is None or not (math.isfinite(value) and math.isfinite(baseline)):
        return Change()
    delta = value - baseline
    percent = 100 * delta / abs(baseline) if baseline else None
    return Change(delta, percent, (delta < 0) == (goal == "min") if delta and goal else None)


def _after(wall_s: float | None, start_s: float | None) -> float | None:
    """Seconds from the start; None where a time is not known, or lies before it."""
    if wall_s is None or start_s is None or not math.isfinite(wall_s) or not wall_s >= start_s:
        return None
    return wall_s - start_s


def _plain(value: float | None) -> float | str | None:
    """The value; NaN as a text, which is equal to itself."""
    return "nan" if value is not None and math.isnan(value) else value
