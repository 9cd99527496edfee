"""Which metric others are drawn over, where the program itself said so (`step_metric` of W&B's `define_metric`)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from mlbench.queries.answers import SeriesAnswer
from mlbench.queries.reading import Reader
from mlbench.queries.series import fetch_series
from mlbench.queries.step_rules import last_at, rules_of, step_metric_of

if TYPE_CHECKING:
    from mlbench.model import Float64Array

_LOGGED = """SELECT DISTINCT run_id, metric FROM series WHERE run_id IN (SELECT unnest(CAST(? AS VARCHAR[])))
AND metric IN (SELECT unnest(CAST(? AS VARCHAR[])))"""


def default_axis(reader: Reader, run_ids: Sequence[str], metrics: Sequence[str]) -> str:
    """The metric that all runs want all of `metrics` drawn over; '' where they want none, or differ.

    What a run has not logged counts neither for nor against.
    """
    ids = list(dict.fromkeys(run_ids))
    rules = rules_of(reader, ids)
    return _agreed(reader, ids, metrics, rules) if rules else ""


def with_step_metrics(reader: Reader, series: Sequence[SeriesAnswer]) -> tuple[SeriesAnswer, ...]:
    """The series with the metric that all runs among them want each drawn over, and its values."""
    ids = list(dict.fromkeys(one.head.run_id for one in series))
    rules = rules_of(reader, ids)
    if not rules:
        return tuple(series)
    overs = {metric: _agreed(reader, ids, [metric], rules) for metric in dict.fromkeys(one.metric for one in series)}
    wanted = sorted({over for over in overs.values() if over})
    # A name is asked for as it is: the only metrics of these names, no globs of theirs.
    found = {
        (one.head.run_id, one.metric): one
        for one in (fetch_series(reader, ids, wanted, has_times=False) if wanted else ())
    }
    return tuple(_over(one, overs[one.metric], found.get((one.head.run_id, overs[one.metric]))) for one in series)


def _over(series: SeriesAnswer, over: str, other: SeriesAnswer | None) -> SeriesAnswer:
    return replace(series, over=over, over_values=values_at(series, other)) if over else series


def values_at(series: SeriesAnswer, other: SeriesAnswer | None) -> Float64Array:
    """The other metric's last value at each step of the series; NaN where it has none."""
    import numpy as np

    if other is None:
        return np.full(series.steps.shape, np.nan)
    return last_at(series.steps, other.steps, other.values)


def with_axis(reader: Reader, series: Sequence[SeriesAnswer], over: str) -> tuple[SeriesAnswer, ...]:
    """The series to be drawn over a metric that somebody chose; as they are where none of the runs has it."""
    ids = list(dict.fromkeys(one.head.run_id for one in series))
    if over not in {metric for _run, metric in reader.rows(_LOGGED, [ids, [over]])}:
        return tuple(series)
    found = {one.head.run_id: one for one in fetch_series(reader, ids, [over], has_times=False)}
    return tuple(replace(one, over=over, over_values=places_on(one, found.get(one.head.run_id))) for one in series)


def places_on(series: SeriesAnswer, other: SeriesAnswer | None) -> Float64Array:
    """Where the points of a series stand over another metric; NaN where they have no place.

    That is its value at their step; of a metric that never falls (an epoch, samples seen) and was not logged at a
    step, what lies between its values before and after, in proportion to the steps.
    """
    import numpy as np

    at_steps = values_at(series, other)
    if other is None or not np.isnan(at_steps).any():
        return at_steps
    is_finite = np.isfinite(other.values)
    steps, values = other.steps[is_finite], other.values[is_finite]
    if values.size < 2 or (steps[1:] < steps[:-1]).any() or (values[1:] < values[:-1]).any():
        return at_steps
    between = np.interp(series.steps, steps, values, left=np.nan, right=np.nan)
    return np.where(np.isnan(at_steps), between, at_steps)


def common_axis(series: Sequence[SeriesAnswer]) -> str:
    """The metric that all the series are to be drawn over; '' for the step, also where they differ."""
    overs = {one.over for one in series}
    return overs.pop() if len(overs) == 1 else ""


def _agreed(
    reader: Reader, ids: Sequence[str], metrics: Sequence[str], rules: Mapping[str, list[tuple[str, str]]]
) -> str:
    overs = {over for pairs in rules.values() for _name, over in pairs}
    logged = set(reader.rows(_LOGGED, [list(ids), [*metrics, *overs]]))
    wanted = set()
    for run_id, metric in logged:
        if metric in metrics:
            over = step_metric_of(metric, rules.get(run_id, ()))
            wanted.add(over if (run_id, over) in logged else "")
    return wanted.pop() if len(wanted) == 1 else ""
