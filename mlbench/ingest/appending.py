"""A run that only grew: its new points are put beside the old ones, and its summaries are brought up to date.

Nothing that the catalog has of the run is read again, so that following a training of a million points costs what came
since the last look. A series whose step went back is no such case: the whole run is then made anew.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from mlbench.catalog.arrays import as_arrow
from mlbench.catalog.layout import point_schema
from mlbench.catalog.segments import Stored, write_segment
from mlbench.dataclass import dataclass
from mlbench.ingest.draft import Draft
from mlbench.ingest.naming import SeriesKey, name_points
from mlbench.ingest.series import SeriesPoints, series_of, sort_points
from mlbench.ingest.shelf import Span
from mlbench.ingest.summary import SKETCH_POINTS, summarise

if TYPE_CHECKING:
    from mlbench.model import Float64Array

Row = dict[str, Any]


@dataclass(frozen=True, slots=True, eq=False)
class Appended:
    """The new points of one run."""

    run_id: str
    rows: list[Row]
    """Of the table `series`, as it now stands, for every series that has new points."""
    replaced: list[int]
    """Those of them that were there before."""
    points: SeriesPoints
    """Of these series, in the order of `rows`."""


def append_points(draft: Draft, known: Sequence[Row], new_series_id: Callable[[], int]) -> Appended | None:
    """Bring the series of a run up to date.

    Args:
        draft: the run, with the new points of its sources alone.
        known: the rows of its series so far.
        new_series_id: gives an id to a series that the run did not have.

    Returns:
        None where a step went back, so that the old points have to be looked at.
    """
    named = name_points(draft)
    if named is None:
        return Appended(draft.run_id, [], [], _no_points())
    series = series_of(named)
    points = sort_points([series])
    fresh = _rows(summarise(points))
    old = {SeriesKey(*(row[name] for name in SeriesKey._fields)): row for row in known}
    rows: list[Row] = []
    replaced: list[int] = []
    starts = (points.ends - points.counts).tolist()
    for key, row, start, count in zip(series.keys, fresh, starts, points.counts.tolist(), strict=True):
        before = old.get(key)
        if row["n_back"] or (before and row["first_step"] < before["last_step"]):
            return None
        if before is None:
            rows.append({"series_id": new_series_id(), "run_id": draft.run_id, **key._asdict(), **row})
            continue
        rows.append(before | merged(before, row, points.values[start : start + count]))
        replaced.append(before["series_id"])
    return Appended(draft.run_id, rows, replaced, points)


def span_of(rows: Sequence[Row]) -> Span:
    """When the points of these series were written."""
    firsts = [row["first_wall_s"] for row in rows if row["first_wall_s"] is not None]
    lasts = [row["last_wall_s"] for row in rows if row["last_wall_s"] is not None]
    return Span(min(firsts, default=None), max(lasts, default=None))


def merged(before: Mapping[str, Any], after: Mapping[str, Any], values: Float64Array) -> Row:
    """The summary of a series from that of its first part and that of its second.

    Args:
        before: of the first part.
        after: of the second, whose steps do not lie before the first's last one.
        values: of the second part, shape (n,).
    """
    row: Row = {name: before[name] + after[name] for name in ("n", "n_raw", "n_nan", "n_inf")}
    row["n_repeat"] = before["n_repeat"] + after["n_repeat"] + (after["first_step"] == before["last_step"])
    row |= {name: after[name] for name in ("last_step", "last_value", "last_wall_s")}
    row["first_wall_s"] = before["first_wall_s"]
    for extreme, sign in (("min", 1), ("max", -1)):
        old, new = before[f"{extreme}_value"], after[f"{extreme}_value"]
        source = after if old is None or (new is not None and sign * new < sign * old) else before
        row |= {f"{extreme}_{part}": source[f"{extreme}_{part}"] for part in ("value", "step", "wall_s")}
    row["mean_value"] = _mean(before, after)
    row["sketch"] = merge_sketches(before["sketch"], before["n"], values)
    return row


def _mean(before: Mapping[str, Any], after: Mapping[str, Any]) -> float | None:
    parts = [
        (part["mean_value"], part["n"] - part["n_nan"] - part["n_inf"])
        for part in (before, after)
        if part["mean_value"] is not None
    ]
    n = sum(count for _mean_value, count in parts)
    return sum(mean * (count / n) for mean, count in parts) if n else None


def merge_sketches(sketch: Sequence[float], n_before: int, values: Float64Array) -> list[float]:
    """At most 64 values that draw a curve of which a sketch and the points that followed are known.

    Args:
        sketch: of the first part: all its values, or least and greatest of 32 stretches.
        n_before: points of the first part, at least 1.
        values: of the second, shape (n,).
    """
    import numpy as np

    known = np.asarray(sketch, dtype=np.float64)
    places = np.concatenate(
        ((np.arange(known.size) + 0.5) * (n_before / known.size), n_before + np.arange(values.size))
    )
    drawn = np.concatenate((known, values))
    if drawn.size <= SKETCH_POINTS:
        return [float(value) for value in drawn]
    n_stretches = SKETCH_POINTS // 2
    stretch = np.minimum((places * (n_stretches / (n_before + values.size))).astype(np.int64), n_stretches - 1)
    chosen: list[float] = []
    for number in range(n_stretches):
        part = drawn[stretch == number]
        finite = part[np.isfinite(part)]
        if not part.size:
            continue
        if not finite.size:
            chosen += [float(part[0]), float(part[-1])]
            continue
        low, high = int(np.argmin(finite)), int(np.argmax(finite))
        chosen += [float(finite[min(low, high)]), float(finite[max(low, high)])]
    return chosen


def store_appended(folder: str, appended: Sequence[Appended]) -> Stored | None:
    """Write the new points of several runs into one segment; None where there are none.

    Raises:
        HomeError: the disk is full or the folder cannot be written.
    """
    import numpy as np
    import pyarrow as pa

    with_points = [one for one in appended if one.rows]
    if not with_points:
        return None
    rows = [row for one in with_points for row in one.rows]
    counts = np.concatenate([one.points.counts for one in with_points])
    ids = np.repeat(np.array([row["series_id"] for row in rows], dtype=np.int64), counts)
    order = np.argsort(ids, kind="stable")
    columns = [ids] + [
        np.concatenate([getattr(one.points, name) for one in with_points])
        for name in ("source_ids", "seq", "steps", "wall_s", "values")
    ]
    table = pa.table([as_arrow(column[order]) for column in columns], schema=point_schema())
    replaced = tuple(series_id for one in with_points for series_id in one.replaced)
    run_ids = tuple(one.run_id for one in with_points)
    return Stored(write_segment(folder, table), pa.Table.from_pylist(rows), run_ids, replaced)


def _rows(arrays: Mapping[str, Any]) -> list[Row]:
    names = list(arrays)
    return [
        dict(zip(names, values, strict=True)) for values in zip(*(a.to_pylist() for a in arrays.values()), strict=True)
    ]


def _no_points() -> SeriesPoints:
    import numpy as np

    whole, real = np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.float64)
    return SeriesPoints(whole, whole.astype(np.int32), whole, whole, real, real)
