"""Questions about curves that the summaries cannot answer: these read points, of the runs asked about only."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from mlbench.dataclass import dataclass
from mlbench.queries.fragment import Sql
from mlbench.queries.reading import Reader

if TYPE_CHECKING:
    import pyarrow as pa

    from mlbench.model import Float64Array, Int64Array

PLATEAU_PERCENT = 20.0
"""How much of a curve's end must be flat for a plateau."""
PLATEAU_CHANGE = 0.01
"""Change of the fitted line over that end, as a share of the whole curve's range, below which it is flat."""
PLATEAU_POINTS = 5
"""Finite points that the end must have at least, so that a curve of three points is no plateau."""

_STATISTICS = (
    "n", "n_raw", "first_step", "last_step", "first_value", "last_value", "min_value", "min_step", "max_value",
    "max_step", "mean_value", "n_nan", "n_inf",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class CurvePoints:
    """The effective points of one series, in order."""

    run_id: str
    steps: Int64Array
    values: Float64Array


def main_series(metric: str) -> Sql:
    """One row a run: the series of the metric, where several sources log it the one with most points."""
    columns = ", ".join(("run_id", "series_id", *_STATISTICS))
    place = "row_number() OVER (PARTITION BY run_id ORDER BY n DESC, n_raw DESC, series_id) AS place"
    return Sql(
        f"SELECT {columns} FROM (SELECT {columns}, {place} FROM series WHERE metric = ?) AS ranked WHERE place = 1",
        (metric,),
    )


def values_at(reader: Reader, scope: Sql, metric: str, by: str, step_column: str) -> dict[str, float]:
    """For each run the metric's value at the step where another is least or greatest.

    Where it has no point at that step, the last one before counts; a run without any has no value.

    Args:
        reader: the catalog.
        scope: condition on `run r`.
        metric: the metric whose value is wanted.
        by: the metric that says the step.
        step_column: min_step or max_step.
    """
    mine, other = main_series(metric), main_series(by)
    rows = reader.rows(
        f"SELECT m.run_id, m.series_id, o.{step_column} FROM ({mine.text}) AS m JOIN ({other.text}) AS o "
        "ON o.run_id = m.run_id JOIN run r ON r.run_id = m.run_id "
        f"WHERE o.{step_column} IS NOT NULL AND ({scope.text})",
        (*mine.parameters, *other.parameters, *scope.parameters),
    )
    steps = {run_id: step for run_id, _series, step in rows}
    found: dict[str, float] = {}
    for curve in _read_curves(reader, [(run_id, series_id) for run_id, series_id, _step in rows]):
        index = int(curve.steps.searchsorted(steps[curve.run_id], side="right")) - 1
        if index >= 0:
            found[curve.run_id] = float(curve.values[index])
    return found


def slopes(reader: Reader, scope: Sql, metric: str, percent: float) -> dict[str, float]:
    """For each run the fitted change of the metric in one step, over the last `percent` of its steps.

    A run with fewer than two finite points there has none.
    """
    return _each(reader, scope, metric, lambda curve: _fit(_end(curve, percent)))


def plateaus(reader: Reader, scope: Sql, metric: str) -> dict[str, float]:
    """1 for each run whose metric has stopped moving, 0 for one whose metric has not.

    Over the last fifth of its steps (five finite points at least) the fitted line changes by less than a hundredth of
    the range of all the curve's finite values. A curve that is constant has stopped.
    """
    return _each(reader, scope, metric, _plateau)


def _each(reader: Reader, scope: Sql, metric: str, measure: Callable[[CurvePoints], float | None]) -> dict[str, float]:
    series = main_series(metric)
    rows = reader.rows(
        f"SELECT m.run_id, m.series_id FROM ({series.text}) AS m JOIN run r ON r.run_id = m.run_id WHERE {scope.text}",
        (*series.parameters, *scope.parameters),
    )
    measured = ((curve.run_id, measure(curve)) for curve in _read_curves(reader, rows))
    return {run_id: value for run_id, value in measured if value is not None}


def _plateau(curve: CurvePoints) -> float | None:
    import numpy as np

    finite = curve.values[np.isfinite(curve.values)]
    end = _end(curve, PLATEAU_PERCENT)
    slope = _fit(end)
    if slope is None or len(end.values) < PLATEAU_POINTS:
        return 0.0
    change = abs(slope) * float(end.steps[-1] - end.steps[0])
    span = float(finite.max() - finite.min())
    return float(span == 0 or change < PLATEAU_CHANGE * span)


def _end(curve: CurvePoints, percent: float) -> CurvePoints:
    """The finite points of the last `percent` of the steps."""
    import numpy as np

    last = float(curve.steps[-1])
    start = last - percent / 100 * (last - float(curve.steps[0]))
    keep = (curve.steps >= start) & np.isfinite(curve.values)
    return CurvePoints(curve.run_id, curve.steps[keep], curve.values[keep])


def _fit(curve: CurvePoints) -> float | None:
    """Least-squares slope; None for fewer than two steps."""
    if len(curve.steps) == 0 or curve.steps[0] == curve.steps[-1]:
        return None
    x = curve.steps - curve.steps.mean()
    return float((x * (curve.values - curve.values.mean())).sum() / (x * x).sum())


def _read_curves(reader: Reader, series: Sequence[tuple[str, int]]) -> Iterator[CurvePoints]:
    if not series:
        return
    runs = {series_id: run_id for run_id, series_id in series}
    for series_id, steps, values in effective_points(reader, list(runs)):
        yield CurvePoints(runs[series_id], steps, values)


def effective_points(reader: Reader, series_ids: Sequence[int]) -> Iterator[tuple[int, Int64Array, Float64Array]]:
    """Steps and values of each series as the effective view shows them; series without points are left out."""
    from mlbench.wire.views import effective

    for series_id, points in series_slices(reader.points(series_ids, ("series_id", "step", "value"))):
        steps, values = points.column("step").to_numpy(), points.column("value").to_numpy()
        keep = effective(steps)
        yield series_id, steps[keep], values[keep]


def series_slices(points: pa.Table) -> Iterator[tuple[int, pa.Table]]:
    """Each series with its points, from a table that is sorted by `series_id`; without a copy."""
    import numpy as np

    ids = points.column("series_id").to_numpy()
    starts = np.flatnonzero(np.diff(ids, prepend=ids[:1] - 1)).tolist()
    for place, start in enumerate(starts):
        end = starts[place + 1] if place + 1 < len(starts) else len(ids)
        yield int(ids[start]), points.slice(start, end - start)
