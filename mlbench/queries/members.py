"""What the runs of one group came to, metric by metric: mean, spread and range of the values that count."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from math import isfinite

from mlbench.dataclass import dataclass
from mlbench.queries.answers import DiffAnswer, MetricRow, RunHead, Value
from mlbench.queries.estimates import student_half

MOST_MEMBERS = 200
"""Runs of a group that are read for its summary; the count is always that of all."""


@dataclass(frozen=True, slots=True)
class Spread:
    """One metric over the runs of a group; only finite values count."""

    metric: str
    goal: str
    """min, max or ''."""
    what: str
    """`best` where there is a goal, else `last`."""
    n: int
    mean: float
    half: float | None
    """Half of Student's 95 % interval of the mean; None for fewer than two values."""
    deviation: float | None
    """Standard deviation of the sample (n - 1); None for fewer than two values."""
    least: float
    most: float


@dataclass(frozen=True, slots=True)
class Members:
    """The runs of a group and what they came to."""

    keys: tuple[Value, ...]
    """What they have in common, one for each column that was grouped by."""
    n_runs: int
    n_ended_well: int
    spreads: tuple[Spread, ...]
    runs: tuple[RunHead, ...]
    """Those that were read, at most MOST_MEMBERS."""
    values: tuple[float | None, ...]
    """Of the first metric in each of these runs."""
    params: Mapping[str, tuple[str, ...]]
    """Parameters in which they differ: a text for each of these runs, '' where a run has none."""


def summarise(diff: DiffAnswer, keys: tuple[Value, ...], n_runs: int, n_ended_well: int) -> Members:
    """What the runs of a comparison, all of one group, came to.

    Args:
        diff: of the runs, equal metrics too.
        keys: what they have in common.
        n_runs: of the whole group.
        n_ended_well: of the whole group.
    """
    spreads = [spread for row in diff.metrics if (spread := _spread(row)) is not None]
    first = next((row for row in diff.metrics if spreads and row.metric == spreads[0].metric), None)
    return Members(
        keys=keys,
        n_runs=n_runs,
        n_ended_well=n_ended_well,
        spreads=tuple(spreads),
        runs=diff.runs,
        values=tuple(_values(first)) if first is not None else (None,) * len(diff.runs),
        params={row.key: tuple(cell.raw or "" for cell in row.cells) for row in diff.params if row.differs},
    )


def _values(row: MetricRow) -> list[float | None]:
    return [cell.best if row.goal else cell.last for cell in row.cells]


def _spread(row: MetricRow) -> Spread | None:
    values: Sequence[float] = [value for value in _values(row) if value is not None and isfinite(value)]
    if not values:
        return None
    has_two = len(values) > 1
    return Spread(
        metric=row.metric,
        goal=row.goal,
        what="best" if row.goal else "last",
        n=len(values),
        mean=statistics.fmean(values),
        half=student_half(values) if has_two else None,
        deviation=statistics.stdev(values) if has_two else None,
        least=min(values),
        most=max(values),
    )
