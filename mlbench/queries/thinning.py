"""Curves of many runs, thinned to what a chart of so many columns can show: one pass over the points of all of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from mlbench.dataclass import dataclass
from mlbench.queries.curves import main_series
from mlbench.queries.fragment import bindable
from mlbench.queries.reading import Reader

if TYPE_CHECKING:
    from mlbench.model import Float64Array, Int64Array


@dataclass(frozen=True, slots=True, eq=False)
class ThinCurves:
    """One metric of many runs, curve behind curve."""

    run_ids: tuple[str, ...]
    """The runs that have points of it, in the order that was asked for."""
    starts: Int64Array
    """Where each curve begins in the arrays, and their length: one more than there are runs."""
    steps: Int64Array
    values: Float64Array


def fetch_thinned(reader: Reader, run_ids: Sequence[str], metric: str, *, columns: int) -> ThinCurves:
    """The effective points of a metric, of every run and column of the chart the first, least, greatest and last.

    The columns divide the steps of all the runs together. NaN is neither least nor greatest; it is kept where it is
    the first or the last point of its column. Where several sources log the metric the one with most points is taken.

    Args:
        reader: the catalog.
        run_ids: the runs; those without the metric are left out.
        metric: its name.
        columns: how many columns the chart has, at least 1.
    """
    import numpy as np

    series = main_series(bindable(metric))
    sql = f"SELECT run_id, series_id FROM ({series.text}) AS s WHERE run_id IN (SELECT unnest(CAST(? AS VARCHAR[])))"
    by_run = dict(reader.rows(sql, [*series.parameters, list(run_ids)]))
    points = reader.points(list(by_run.values()), ("series_id", "step", "value"))
    series_ids = points.column("series_id").to_numpy()
    steps, values = points.column("step").to_numpy(), points.column("value").to_numpy()
    kept = _effective(series_ids, steps)
    series_ids, steps, values = series_ids[kept], steps[kept], values[kept]
    chosen = _chosen(series_ids, steps, values, columns)
    series_ids, steps, values = series_ids[chosen], steps[chosen], values[chosen]
    found = [run_id for run_id in dict.fromkeys(run_ids) if run_id in by_run]
    wanted = np.array([by_run[run_id] for run_id in found], dtype=series_ids.dtype)
    first, after = np.searchsorted(series_ids, wanted), np.searchsorted(series_ids, wanted, side="right")
    has_points = after > first
    lengths = (after - first)[has_points]
    starts = np.concatenate([[0], np.cumsum(lengths)])
    place = np.repeat(first[has_points] - starts[:-1], lengths) + np.arange(starts[-1])
    ids = tuple(run_id for run_id, has in zip(found, has_points.tolist(), strict=True) if has)
    return ThinCurves(ids, starts, steps[place], values[place])


def _effective(series_ids: Int64Array, steps: Int64Array) -> Int64Array:
    """Places of the points that count after restarts; only series in which the step goes back are looked at."""
    import numpy as np

    from mlbench.wire.views import effective

    kept = np.ones(len(steps), dtype=np.bool_)
    goes_back = (steps[1:] < steps[:-1]) & (series_ids[1:] == series_ids[:-1])
    for series_id in np.unique(series_ids[1:][goes_back]).tolist():
        start, stop = np.searchsorted(series_ids, [series_id, series_id + 1]).tolist()
        kept[start:stop] = effective(steps[start:stop])
    return np.flatnonzero(kept)


def _chosen(series_ids: Int64Array, steps: Int64Array, values: Float64Array, columns: int) -> Int64Array:
    """Places, in order and each once, of the points that a chart shows."""
    import numpy as np

    if not len(steps):
        return np.zeros(0, dtype=np.int64)
    low = int(steps.min())
    share = (steps - low) / max(int(steps.max()) - low, 1)
    column = np.minimum((share * columns).astype(np.int64), columns - 1)
    is_first = np.ones(len(steps), dtype=np.bool_)
    is_first[1:] = (series_ids[1:] != series_ids[:-1]) | (column[1:] != column[:-1])
    starts = np.flatnonzero(is_first)
    ends = np.append(starts[1:], len(steps)) - 1
    group = np.cumsum(is_first) - 1
    chosen = np.zeros(len(steps), dtype=np.bool_)
    chosen[starts] = chosen[ends] = True
    for extreme in (np.fmin, np.fmax):  # they pass over NaN
        hits = np.flatnonzero(values == extreme.reduceat(values, starts)[group])
        _groups, at = np.unique(group[hits], return_index=True)
        chosen[hits[at]] = True
    return np.flatnonzero(chosen)
