"""Long curves, summed up once, so that a zoom of a million points costs what a thousand do: and lights the same dots.

Of a column of dots only the first, least, greatest and last point matter (see `raster`). Where x never goes back, the
points of a column are a range, whose ends are found by bisection, and whose least and greatest value are those of
its whole blocks and of the few points at its ends.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from mlbench.dataclass import dataclass
from mlbench.render.axes import Axis, places

if TYPE_CHECKING:
    from mlbench.model import Float64Array, Int64Array

LEAST_POINTS = 20_000
"""Shorter curves are drawn as fast without."""
BLOCK = 64


@dataclass(frozen=True, slots=True, eq=False)
class Pyramid:
    """A curve whose x never goes back and whose points are all finite."""

    x: Float64Array
    y: Float64Array
    lows: Float64Array
    """Least value of each whole block."""
    highs: Float64Array
    low: float
    """Least value of all."""


_KEPT: dict[tuple[Any, ...], tuple[tuple[weakref.ref[Any], ...], Any]] = {}


def kept(arrays: tuple[Any, ...], name: object, make: Callable[[], Any]) -> Any:  # noqa: ANN401 - whatever is made
    """What `make` gives for these arrays, made once as long as all of them live; they must not be changed."""
    key = (name, *(id(array) for array in arrays))
    found = _KEPT.get(key)
    if found is not None and all(ref() is array for ref, array in zip(found[0], arrays, strict=True)):
        return found[1]
    made = make()
    known = _KEPT  # at the end of the process arrays go after the module's names

    def forget(_gone: object) -> None:
        known.pop(key, None)

    _KEPT[key] = (tuple(weakref.ref(array, forget) for array in arrays), made)
    return made


def pyramid_of(x: Float64Array, y: Float64Array) -> Pyramid | None:
    """Of a long curve; None where it is short, x goes back, or a point is not finite."""
    if x.size < LEAST_POINTS:
        return None
    # Without the arrays themselves: what is kept would keep alive what it is found by.
    blocks = kept((x, y), "pyramid", lambda: _blocks(x, y))
    return None if blocks is None else Pyramid(x, y, *blocks)


def _blocks(x: Float64Array, y: Float64Array) -> tuple[Float64Array, Float64Array, float] | None:
    if not (np.isfinite(x).all() and np.isfinite(y).all() and (x[1:] >= x[:-1]).all()):
        return None
    blocks = y[: y.size // BLOCK * BLOCK].reshape(-1, BLOCK)
    return blocks.min(axis=1), blocks.max(axis=1), float(y.min())


def column_starts(x: Float64Array, column_of: Callable[[Float64Array], Int64Array], columns: Int64Array) -> Int64Array:
    """Where each column begins: the first point whose column is that one or a later one, by bisection.

    Args:
        x: shape (n,), never going back.
        column_of: columns of some x, by the very formula that draws them.
        columns: rising.
    """
    low, high = np.zeros(columns.size, np.int64), np.full(columns.size, x.size, np.int64)
    while (low < high).any():
        middle = (low + high) // 2
        is_before = (column_of(x[np.minimum(middle, x.size - 1)]) < columns) & (low < high)
        low, high = np.where(is_before, middle + 1, low), np.where(is_before, high, np.minimum(middle, high))
    return low


def extremes(pyramid: Pyramid, starts: Int64Array, ends: Int64Array) -> tuple[Float64Array, Float64Array]:
    """Least and greatest value of the points from each start to before each end; no range may be empty."""
    first, last = -(-starts // BLOCK), ends // BLOCK
    has_blocks = first < last
    heads = np.where(has_blocks, first * BLOCK, ends)
    tails = np.where(has_blocks, last * BLOCK, ends)
    loose = np.concatenate((_ranges(starts, heads), _ranges(tails, ends)))
    owner = np.concatenate(
        (np.repeat(np.arange(starts.size), heads - starts), np.repeat(np.arange(starts.size), ends - tails))
    )
    low, high = np.full(starts.size, np.inf), np.full(starts.size, -np.inf)
    np.minimum.at(low, owner, pyramid.y[loose])
    np.maximum.at(high, owner, pyramid.y[loose])
    whole = _ranges(first[has_blocks], last[has_blocks])
    owner = np.repeat(np.flatnonzero(has_blocks), (last - first)[has_blocks])
    np.minimum.at(low, owner, pyramid.lows[whole])
    np.maximum.at(high, owner, pyramid.highs[whole])
    return low, high


def _ranges(starts: Int64Array, ends: Int64Array) -> Int64Array:
    counts = ends - starts
    numbers: Int64Array = np.arange(counts.sum()) + np.repeat(starts - (np.cumsum(counts) - counts), counts)
    return numbers


def visible_extremes(pyramid: Pyramid, axis: Axis) -> Float64Array:
    """Least and greatest value in the range of the x axis, shape (2,); shape (0,) without a point there."""

    def side(x: Float64Array) -> Int64Array:
        place = places(axis, x)
        return np.where(place < -1e-9, 0, np.where(place <= 1 + 1e-9, 1, 2))

    start, end = column_starts(pyramid.x, side, np.array([1, 2])).tolist()
    if start >= end:
        return np.empty(0)
    return np.concatenate(extremes(pyramid, np.array([start]), np.array([end])))


def thinned_to_columns(pyramid: Pyramid, axis: Axis, n_columns: int) -> tuple[Float64Array, Float64Array]:
    """X and y of four points for each column of dots: they light what all points light.

    What lies left and right of the picture is one column each.
    """

    def column_of(x: Float64Array) -> Int64Array:
        return np.clip(np.floor(places(axis, x) * (n_columns - 1) + 0.5), -1, n_columns).astype(np.int64)

    bounds = np.append(column_starts(pyramid.x, column_of, np.arange(-1, n_columns + 1)), pyramid.x.size)
    has_points = bounds[1:] > bounds[:-1]
    starts, ends = bounds[:-1][has_points], bounds[1:][has_points]
    low, high = extremes(pyramid, starts, ends)
    x = np.stack((pyramid.x[starts], pyramid.x[starts], pyramid.x[starts], pyramid.x[ends - 1]), axis=1)
    y = np.stack((pyramid.y[starts], low, high, pyramid.y[ends - 1]), axis=1)
    return x.reshape(-1), y.reshape(-1)
