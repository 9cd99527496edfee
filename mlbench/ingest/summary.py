"""Summaries of series: everything that a table of runs shows of a curve, so that no table ever reads points.

All series of a batch are summarised at once: numpy's reductions over stretches cost a few nanoseconds a point, a
Python loop over series would cost more than reading them.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

from mlbench.catalog.arrays import as_arrow
from mlbench.wire import views

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

    from mlbench.ingest.series import SeriesPoints
    from mlbench.model import Float64Array, Int64Array

SKETCH_POINTS = 64
"""Enough for a sparkline of 32 cells with its least and greatest value in each."""
_STRETCHES = SKETCH_POINTS // 2
_MANY_LINES, _LONG_STRETCH = 32, 256
"""Series from which on, and points of a stretch up to which all stretches are compared point by point."""
_WORTH_A_CALL = 1024
"""Points that are looked through one by one in the time that numpy takes to be called."""


def summarise(points: SeriesPoints) -> dict[str, pa.Array]:
    """The columns n ... sketch of the table `series`, over the effective view; each has one row a series."""
    import numpy as np

    n_raw, raw_starts = points.counts, points.ends - points.counts
    steps, wall, values, counts = points.steps, points.wall_s, points.values, n_raw
    n_back = n_repeat = np.zeros(n_raw.size, dtype=np.int64)
    is_rising = _is_rising(steps, raw_starts)
    if not is_rising:
        n_back = _count(_flags(steps[1:] < steps[:-1], raw_starts), raw_starts)
    if n_back.any():
        kept = _effective(points, np.flatnonzero(n_back))
        steps, wall, values = steps[kept], wall[kept], values[kept]
        counts = np.add.reduceat(kept, raw_starts, dtype=np.int64)
    ends = np.cumsum(counts)
    starts, lasts = ends - counts, ends - 1
    if not is_rising:
        n_repeat = _count(_flags(steps[1:] == steps[:-1], starts), starts)
    columns = {
        "n": counts, "n_raw": n_raw,
        "first_step": steps[starts].astype(np.int64), "last_step": steps[lasts].astype(np.int64),
        "first_value": values[starts].astype(np.float64), "last_value": values[lasts].astype(np.float64),
        "n_repeat": n_repeat, "n_back": n_back,
    }  # fmt: skip
    arrays: dict[str, pa.Array] = {name: as_arrow(column) for name, column in columns.items()}
    arrays["first_wall_s"], arrays["last_wall_s"] = _known(wall[starts]), _known(wall[lasts])
    arrays |= _extremes(steps, wall, values, starts, counts)
    arrays["sketch"] = sketches(values, starts, counts)
    return arrays


def _is_rising(steps: NDArray[Any], starts: Int64Array) -> bool:
    """Whether each step of each series lies behind the one before it."""
    rises = steps[1:] > steps[:-1]
    rises[starts[1:] - 1] = True
    return bool(rises.all())


def _flags(changes: NDArray[np.bool_], starts: Int64Array) -> NDArray[np.bool_]:
    """A flag for every point, of how it stands to the one before it in its series; the first ones have none."""
    import numpy as np

    flags = np.concatenate((np.zeros(1, dtype=np.bool_), changes))
    flags[starts] = False
    return flags


def _count(flags: NDArray[np.bool_], starts: Int64Array) -> Int64Array:
    import numpy as np

    if not flags.any():
        return np.zeros(starts.size, dtype=np.int64)
    return np.add.reduceat(flags, starts, dtype=np.int64)


def _effective(points: SeriesPoints, restarted: Int64Array) -> NDArray[np.bool_]:
    """Which points are on the newest branch; only series whose step went back have to be looked at."""
    import numpy as np

    kept = np.ones(points.steps.size, dtype=np.bool_)
    ends = points.ends
    for series in restarted.tolist():
        stretch = slice(int(ends[series] - points.counts[series]), int(ends[series]))
        kept[stretch] = views.effective(points.steps[stretch])
    return kept


def _extremes(
    steps: NDArray[Any], wall: Float64Array, values: NDArray[Any], starts: Int64Array, counts: Int64Array
) -> dict[str, pa.Array]:
    """Least, greatest and mean of the finite values; NULL where there are none. Of equal ones the first."""
    import numpy as np

    finite = np.isfinite(values)
    is_finite = bool(finite.all())
    n_finite, n_nan = counts, np.zeros(starts.size, dtype=np.int64)
    if not is_finite:
        n_finite = np.add.reduceat(finite, starts, dtype=np.int64)
        n_nan = np.add.reduceat(np.isnan(values), starts, dtype=np.int64)
    none = n_finite == 0
    arrays: dict[str, pa.Array] = {"n_nan": as_arrow(n_nan), "n_inf": as_arrow(counts - n_finite - n_nan)}
    for name, other in (("min", np.inf), ("max", -np.inf)):
        filled = values if is_finite else np.where(finite, values, other)
        at = _first_extremes(filled, starts, counts, is_least=name == "min")
        arrays[f"{name}_value"] = as_arrow(values[at].astype(np.float64), none)
        arrays[f"{name}_step"] = as_arrow(steps[at].astype(np.int64), none)
        arrays[f"{name}_wall_s"] = _known(wall[at], none)
    with np.errstate(over="ignore", invalid="ignore"):
        wide = values.astype(np.float64, copy=False)
        total = np.add.reduceat(wide if is_finite else np.where(finite, wide, 0.0), starts)
        arrays["mean_value"] = as_arrow(total / np.maximum(n_finite, 1), none)
    return arrays


def _first_extremes(values: NDArray[Any], starts: Int64Array, counts: Int64Array, *, is_least: bool) -> Int64Array:
    """Where each series first has its least or greatest value.

    Args:
        values: shape (n_points,), without NaN.
        starts: shape (n_series,), as `counts`.
        counts: at least 1.
        is_least: the least.
    """
    import numpy as np

    changes = np.flatnonzero(counts[1:] != counts[:-1]) + 1
    if (changes.size + 1) * _WORTH_A_CALL > values.size:
        found = (np.minimum if is_least else np.maximum).reduceat(values, starts)
        hits = np.flatnonzero(values == np.repeat(found, counts))
        places: Int64Array = hits[np.searchsorted(hits, starts)]
        return places
    # Series of one length that follow each other are the lines of a matrix.
    find = np.argmin if is_least else np.argmax
    ends = starts + counts
    lines = [
        find(values[starts[first] : ends[last - 1]].reshape(last - first, -1), axis=1)
        for first, last in pairwise([0, *changes.tolist(), counts.size])
    ]
    at: Int64Array = starts + np.concatenate(lines)
    return at


def _known(wall_s: Float64Array, none: NDArray[np.bool_] | None = None) -> pa.Array:
    """Times; NULL where they are not finite."""
    import numpy as np

    unknown = ~np.isfinite(wall_s)
    return as_arrow(wall_s, unknown if none is None else unknown | none)


def sketches(values: NDArray[Any], starts: Int64Array, counts: Int64Array) -> pa.Array:
    """At most 64 values that draw each curve: all of a short one, else least and greatest of 32 stretches in order.

    In a stretch that ends lower than it begins the greatest value comes first.

    Args:
        values: shape (n_points,). NaN and infinity are left out of a stretch unless it has nothing else.
        starts: shape (n_series,), where each series begins.
        counts: shape (n_series,), how many points it has; at least 1.
    """
    import numpy as np
    import pyarrow as pa

    is_long = counts > SKETCH_POINTS
    n_drawn = np.where(is_long, SKETCH_POINTS, counts)
    offsets = np.concatenate(([0], np.cumsum(n_drawn)))
    drawn = np.empty(int(offsets[-1]), dtype=np.float32)
    short = np.flatnonzero(~is_long)
    with np.errstate(over="ignore", invalid="ignore"):
        drawn[_places(offsets[short], counts[short])] = values[_places(starts[short], counts[short])]
        chosen = np.flatnonzero(is_long)
        if chosen.size == counts.size:
            drawn[:] = _stretches(values, starts, counts)
        elif chosen.size:
            at = _places(offsets[chosen], np.full(chosen.size, SKETCH_POINTS, dtype=np.int64))
            drawn[at] = _stretches(values, starts[chosen], counts[chosen])
    return pa.ListArray.from_arrays(as_arrow(offsets.astype(np.int32)), as_arrow(drawn))


def _places(starts: Int64Array, counts: Int64Array) -> Int64Array:
    """All indices of stretches of these lengths."""
    import numpy as np

    before = np.cumsum(counts) - counts
    places: Int64Array = np.arange(int(counts.sum())) + np.repeat(starts - before, counts)
    return places


def _stretches(values: NDArray[Any], starts: Int64Array, counts: Int64Array) -> NDArray[Any]:
    """Shape (n_series * 64,): the two values of each of the 32 stretches, which are as long as each other or by one."""
    import numpy as np

    n, each = starts.size, int(counts[0])
    is_even = starts[-1] - starts[0] == (n - 1) * each and (counts == each).all()
    if is_even and n >= _MANY_LINES and each < _STRETCHES * _LONG_STRETCH:
        return _stretches_of_lines(values[starts[0] :][: n * each].reshape(n, each))
    number = np.arange(_STRETCHES)
    base, rest = counts[:, None] // _STRETCHES, counts[:, None] % _STRETCHES
    begins = (starts[:, None] + number * base + np.minimum(number, rest)).ravel()
    ends = np.append(begins[1:], 0).reshape(-1, _STRETCHES)
    ends[:, -1] = starts + counts
    # Between the series that are drawn lie others: each stretch is bounded on both sides.
    bounds = np.column_stack((begins, ends.ravel())).ravel()
    bounds = bounds[:-1] if bounds[-1] == values.size else bounds
    finite = np.isfinite(values)
    is_finite = bool(finite.all())
    low = np.minimum.reduceat(values if is_finite else np.where(finite, values, np.inf), bounds)[::2]
    high = np.maximum.reduceat(values if is_finite else np.where(finite, values, -np.inf), bounds)[::2]
    first, last = values[begins], values[ends.ravel() - 1]
    return _drawn(low, high, first, last)


def _stretches_of_lines(lines: NDArray[Any]) -> NDArray[Any]:
    """The same of series of one length that follow each other, in a third of the time.

    A reduction over stretches of some ten points each is called more than it computes: here the first points of all
    stretches are compared with all second ones, and so on.

    Args:
        lines: shape (n_series, n), n more than 64.
    """
    import numpy as np

    base, rest = divmod(lines.shape[1], _STRETCHES)
    cut = rest * (base + 1)
    parts = [part.reshape(len(lines), -1, size) for part, size in ((lines[:, :cut], base + 1), (lines[:, cut:], base))]
    finite = np.isfinite(lines)
    is_finite = bool(finite.all())
    filled = [lines, lines] if is_finite else [np.where(finite, lines, np.inf), np.where(finite, lines, -np.inf)]
    low, high = (
        np.concatenate([_reduced(find, one[:, :cut], base + 1), _reduced(find, one[:, cut:], base)], axis=1)
        for find, one in zip((np.minimum, np.maximum), filled, strict=True)
    )
    first, last = (np.concatenate([part[:, :, place] for part in parts], axis=1) for place in (0, -1))
    return _drawn(low, high, first, last)


def _reduced(find: np.ufunc, lines: NDArray[Any], size: int) -> NDArray[Any]:
    """The least or the greatest of every so many columns; shape (n_series, n_columns // size)."""
    stretches = lines.reshape(len(lines), -1, size)
    found: NDArray[Any] = find(stretches[:, :, 0], stretches[:, :, 1])
    for place in range(2, size):
        find(found, stretches[:, :, place], out=found)
    return found


def _drawn(low: NDArray[Any], high: NDArray[Any], first: NDArray[Any], last: NDArray[Any]) -> NDArray[Any]:
    """Two values of each stretch, in the order in which a curve between them is drawn; flat.

    Args:
        low: the least finite value of each stretch, of any shape; above `high` where there is none.
        high: the greatest, of the same shape, as all.
        first: the first value.
        last: the last one.
    """
    import numpy as np

    empty = low > high
    if empty.any():
        low, high = np.where(empty, first, low), np.where(empty, last, high)
    falls = (first > last) & ~empty
    return np.stack((np.where(falls, high, low), np.where(falls, low, high)), axis=-1).ravel()
