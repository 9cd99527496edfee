"""What the runs of one group came to, metric by metric: mean, spread and range of the values that count."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import replace
from math import isfinite

from mlbench.dataclass import dataclass
from mlbench.queries.answers import DiffAnswer, MetricRow, RunHead, Value
from mlbench.queries.compare import compare_runs
from mlbench.queries.estimates import half_of, student_half
from mlbench.queries.goals import goal_of
from mlbench.queries.reading import Reader

MOST_MEMBERS = 200
"""Runs of a group that are listed; its count and its means are always those of all."""
_SPREADS = """WITH those AS (SELECT run_no FROM run WHERE run_id IN (SELECT unnest(CAST(? AS VARCHAR[])))),
counted AS (
    SELECT metric, last_value, min_value, max_value FROM series WHERE run_no IN (FROM those)
    QUALIFY row_number() OVER (PARTITION BY metric, run_no ORDER BY n DESC, n_raw DESC, series_id) = 1
)
SELECT metric, {aggregates} FROM counted GROUP BY metric ORDER BY metric"""
"""Of several sources that log one metric of a run, that with most points counts, as in a comparison."""
_KINDS = ("last", "min", "max")
_AGGREGATES = ", ".join(
    f"{aggregate}({kind}_value) FILTER (isfinite({kind}_value))"
    for kind in _KINDS
    for aggregate in ("count", "favg", "stddev_samp", "min", "max")
)


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
    """Those that are listed, at most MOST_MEMBERS."""
    values: tuple[float | None, ...]
    """Of the first metric in each of these runs."""
    params: Mapping[str, tuple[str, ...]]
    """Parameters in which they differ: a text for each of these runs, '' where a run has none."""


def find_members(reader: Reader, keys: tuple[Value, ...], run_ids: Sequence[str], n_ended_well: int) -> Members:
    """What the runs of a group came to; the first of them are listed.

    Args:
        reader: the catalog.
        keys: what they have in common.
        run_ids: one or more.
        n_ended_well: of the whole group.

    Raises:
        UsageError: no run has one of the ids.
    """
    diff = compare_runs(reader, run_ids[:MOST_MEMBERS], everything=True)
    members = summarise(diff, keys, len(run_ids), n_ended_well)
    if len(run_ids) <= MOST_MEMBERS:
        return members
    # The first ones in the order of the table are no sample: where it is sorted they are the best.
    found = _spreads_of_all(reader, run_ids)
    order = dict.fromkeys([*(one.metric for one in members.spreads), *found])
    return replace(members, spreads=tuple(found[metric] for metric in order if metric in found))


def _spreads_of_all(reader: Reader, run_ids: Sequence[str]) -> dict[str, Spread]:
    """By metric, in the catalog: of thousands of runs the values themselves need not be fetched."""
    rows = reader.rows(_SPREADS.format(aggregates=_AGGREGATES), [list(run_ids)])
    found: dict[str, Spread] = {}
    for metric, *values in rows:
        goal = goal_of(reader, metric)[0]
        at = 5 * _KINDS.index(goal or "last")
        n, mean, deviation, least, most = values[at : at + 5]
        if n:
            what = "best" if goal else "last"
            half = None if deviation is None else half_of(deviation, n)
            found[metric] = Spread(metric, goal, what, n, mean, half, deviation, least, most)
    return found


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
