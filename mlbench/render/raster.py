"""Curves as dots: exact, and fast because no Python runs per point.

Of the points that fall into one column of dots, only the first, least, greatest and last matter for what is
lit (M4: Jugel et al., "M4: A Visualization-Oriented Time Series Data Aggregation", VLDB 2014), so a million
points cost a few passes of numpy and a drawing of at most two strokes a column. Nothing is sampled: a spike of
a single point is always drawn.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from mlbench.dataclass import dataclass

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mlbench.model import Float64Array, Int64Array

    BoolArray: TypeAlias = NDArray[np.bool_]
    CellArray: TypeAlias = NDArray[np.uint8]
    Bars: TypeAlias = tuple[Int64Array, Int64Array, Int64Array]
    """Columns, and the first and last row of dots in each."""

WINDOW_POINTS = 16_384
"""Points that are drawn at once: their arrays stay in the processor's cache."""


@dataclass(frozen=True, slots=True, eq=False)
class GlyphSet:
    """How dots become characters."""

    columns: int
    """Dots side by side in a cell."""
    rows: int
    weights: tuple[tuple[int, ...], ...]
    """The bit of each dot, by row and column."""
    characters: Int64Array
    """The code point for each set of bits; 0 bits is a blank."""


def _glyph_set(weights: tuple[tuple[int, ...], ...], characters: str) -> GlyphSet:
    codes = np.array([ord(character) for character in characters], dtype=np.int64)
    return GlyphSet(len(weights[0]), len(weights), weights, codes)


GLYPHS = {
    "braille": _glyph_set(((1, 8), (2, 16), (4, 32), (64, 128)), " " + "".join(map(chr, range(0x2801, 0x2900)))),
    "blocks": _glyph_set(((1, 2), (4, 8)), " ▘▝▀▖▌▞▛▗▚▐▜▄▙▟█"),
    "ascii": _glyph_set(((1,), (2,)), " '.:"),
}
"""Braille has the finest dots; the quadrant blocks are in every font; ASCII is for terminals without UTF-8."""


@dataclass(frozen=True, slots=True)
class M4:
    """A curve reduced to strokes; all arrays have a row for each group of neighbours in one column of dots."""

    columns: Int64Array
    """-1 and `n_columns` stand for all that is left and right of the picture."""
    low: Float64Array
    high: Float64Array
    starts: Int64Array
    """Index of the group's first point."""
    ends: Int64Array
    """Index of the group's last point."""
    is_joined: BoolArray
    """Whether the group goes on from the one before, with no gap between."""


def m4(x: Float64Array, y: Float64Array, part: Int64Array, n_columns: int) -> M4:
    """Group the points of a curve by columns of dots.

    Args:
        x: shape (n,), n >= 1, finite, in columns.
        y: shape (n,), finite.
        part: shape (n,), rising; points of different parts are not joined.
        n_columns: of the picture.
    """
    columns = np.clip(np.floor(x + 0.5), -1, n_columns).astype(np.int64)
    is_new_part = part[1:] != part[:-1]
    starts = np.concatenate(([0], np.flatnonzero((columns[1:] != columns[:-1]) | is_new_part) + 1))
    ends = np.concatenate((starts[1:] - 1, [x.size - 1]))
    is_joined = np.concatenate(([False], ~is_new_part[starts[1:] - 1]))
    return M4(
        columns[starts], np.minimum.reduceat(y, starts), np.maximum.reduceat(y, starts), starts, ends, is_joined
    )  # fmt: skip


def lit_dots(curves: Iterable[tuple[Float64Array, Float64Array]], n_columns: int, n_rows: int) -> BoolArray:
    """The dots that curves light, shape (n_rows, n_columns).

    Args:
        curves: of each x, shape (n,), in columns, 0 to `n_columns - 1`, in any order, and y, in rows from the top. What
            lies outside is clipped. NaN in either is a gap in the curve.
        n_columns: of the picture.
        n_rows: of the picture.
    """
    # Dots come as upright bars, and of these the beginnings count 1 and the places behind the ends -1: a bar costs the
    # same whatever its height, and of a thousand runs most dots are lit a hundred times.
    changes = np.zeros((n_rows + 1) * n_columns, np.int32)
    one = np.int32(1)  # of the same type: `add.at` takes thirty times as long to add another
    for x, y in curves:
        # Each window begins with the last point of the one before, to which its first is joined.
        for start in range(0, max(x.size - 1, min(x.size, 1)), WINDOW_POINTS):
            window = slice(start, start + WINDOW_POINTS + 1)
            for columns, tops, bottoms in _bars(x[window], y[window], n_columns, n_rows):
                np.add.at(changes, tops * n_columns + columns, one)
                np.add.at(changes, (bottoms + 1) * n_columns + columns, -one)
    is_lit: BoolArray = np.cumsum(changes.reshape(n_rows + 1, n_columns)[:n_rows], axis=0, dtype=np.int32) > 0
    return is_lit


def _bars(x: Float64Array, y: Float64Array, n_columns: int, n_rows: int) -> tuple[Bars, ...]:
    """The dots of some points of a curve."""
    shown = np.flatnonzero(np.isfinite(x) & np.isfinite(y))
    if not shown.size:
        return ()
    x, y = x[shown], y[shown]
    is_inside = x.min() >= -0.5 and x.max() < n_columns - 0.5 and y.min() >= -0.5 and y.max() < n_rows - 0.5
    if not is_inside:
        # 1e9: beyond any screen, and still exact as an integer.
        x, y = np.clip(x, -1e9, 1e9), np.clip(y, -1e9, 1e9)
    groups = m4(x, y, shown - np.arange(shown.size), n_columns)
    after = np.flatnonzero(groups.is_joined)
    a, b = groups.ends[after - 1], groups.starts[after]
    ends = x[a], y[a], x[b], y[b]
    strokes = ends if is_inside else clipped(*ends, n_columns, n_rows)
    return _upright(groups, n_columns, n_rows), *_slanted(*strokes, n_columns, n_rows)


def _upright(groups: M4, n_columns: int, n_rows: int) -> Bars:
    """The dots from the least to the greatest value of each column."""
    inside = (groups.columns >= 0) & (groups.columns < n_columns)
    inside &= (groups.high >= -0.5) & (groups.low < n_rows - 0.5)
    tops, bottoms = _dots(np.maximum(groups.low, 0)), _dots(np.minimum(groups.high, n_rows - 1))
    columns = groups.columns
    return (columns, tops, bottoms) if inside.all() else (columns[inside], tops[inside], bottoms[inside])


def _dots(places: Float64Array) -> Int64Array:
    """The rows or columns in which places lie that are not below -0.5: of those, cutting off is rounding down."""
    dots: Int64Array = (places + 0.5).astype(np.int64)
    return dots


def _slanted(
    x0: Float64Array, y0: Float64Array, x1: Float64Array, y1: Float64Array, n_columns: int, n_rows: int
) -> tuple[Bars, ...]:
    """The dots of strokes inside the picture, sampled at both ends and at equal distances of at most one dot.

    Nearly all strokes between neighbouring groups end in the next column, so that they are two bars.
    """
    dx, dy = x1 - x0, y1 - y0
    lengths = np.maximum(np.ceil(np.maximum(np.abs(dx), np.abs(dy))), 1)
    first, last = _dots(x0), _dots(x0 + dx)
    is_far = np.abs(last - first) > 1
    wide = _sampled(x0[is_far], y0[is_far], dx[is_far], dy[is_far], lengths[is_far])
    if is_far.any():
        near = np.flatnonzero(~is_far)
        x0, y0, dx, dy, lengths = x0[near], y0[near], dx[near], dy[near], lengths[near]
        first, last = first[near], last[near]
    turns = _last_samples(x0, dx, lengths, first, last)
    middle = _dots(y0 + turns / lengths * dy)
    behind = _dots(y0 + np.minimum(turns + 1, lengths) / lengths * dy)
    bars = ((first, _dots(y0), middle), (last, behind, _dots(y0 + dy)), wide)
    return tuple(
        (
            np.minimum(columns, n_columns - 1),
            np.minimum(np.minimum(begin, end), n_rows - 1),
            np.minimum(np.maximum(begin, end), n_rows - 1),
        )
        for columns, begin, end in bars
    )


def _last_samples(
    x: Float64Array, dx: Float64Array, lengths: Float64Array, first: Int64Array, last: Int64Array
) -> Float64Array:
    """The number of the last sample of each stroke in its first column; the stroke goes no further than the next."""
    with np.errstate(divide="ignore", invalid="ignore"):
        reckoned = np.ceil((np.maximum(first, last) - 0.5 - x) / dx * lengths) - 1
    samples = np.where(first == last, 0.0, np.clip(reckoned, 0, lengths - 1))
    # At the border itself, and as near to it as roundings are, the formula that draws decides.
    samples += _dots(x + (samples + 1) / lengths * dx) == first
    samples -= _dots(x + samples / lengths * dx) != first
    return np.where(first == last, lengths, samples)


def _sampled(x0: Float64Array, y0: Float64Array, dx: Float64Array, dy: Float64Array, lengths: Float64Array) -> Bars:
    """The dots of strokes, one by one."""
    counts = lengths.astype(np.int64) + 1
    which = np.repeat(np.arange(counts.size), counts)
    share = (np.arange(which.size) - np.repeat(np.cumsum(counts) - counts, counts)) / lengths[which]
    rows = _dots(y0[which] + share * dy[which])
    return _dots(x0[which] + share * dx[which]), rows, rows


def clipped(
    x0: Float64Array, y0: Float64Array, x1: Float64Array, y1: Float64Array, n_columns: int, n_rows: int
) -> tuple[Float64Array, Float64Array, Float64Array, Float64Array]:
    """The parts of strokes that lie in the picture; strokes that miss it are left out (Liang and Barsky, 1984)."""
    dx, dy = x1 - x0, y1 - y0
    enter, leave = np.zeros_like(x0), np.ones_like(x0)
    for slope, start, last in ((dx, x0, n_columns - 0.5), (dy, y0, n_rows - 0.5)):
        with np.errstate(divide="ignore", invalid="ignore"):
            near, far = (-0.5 - start) / slope, (last - start) / slope
        is_flat = slope == 0
        is_outside = is_flat & ((start < -0.5) | (start >= last))
        enter = np.maximum(enter, np.where(is_flat, 0.0, np.minimum(near, far)))
        leave = np.minimum(leave, np.where(is_flat, 1.0, np.maximum(near, far)))
        leave = np.where(is_outside, -1.0, leave)
    seen = enter <= leave
    x0, y0, dx, dy, enter, leave = x0[seen], y0[seen], dx[seen], dy[seen], enter[seen], leave[seen]
    return x0 + enter * dx, y0 + enter * dy, x0 + leave * dx, y0 + leave * dy


# ---------------------------------------------------------------- dots to cells


def cell_bits(canvas: BoolArray, glyphs: GlyphSet, pattern: str) -> CellArray:
    """The dots packed into cells: shape (height, width), the bits of the glyph that lights them."""
    n_rows, n_columns = canvas.shape
    if pattern != "solid":
        shown = canvas & _pattern_mask(n_columns, n_rows, pattern)
        # Lone points, and whatever else would vanish between the dashes, stay.
        canvas = shown | (canvas & ~_spread(shown))
    return packed(canvas, glyphs)


def _spread(canvas: BoolArray) -> BoolArray:
    """The dots at most two rows and columns away from a lit one: no gap of a pattern is wider."""
    for axis in (0, 1):
        near = canvas.copy()
        for distance in (1, 2):
            ahead = [slice(None), slice(None)]
            behind = [slice(None), slice(None)]
            ahead[axis], behind[axis] = slice(distance, None), slice(None, -distance)
            near[tuple(ahead)] |= canvas[tuple(behind)]
            near[tuple(behind)] |= canvas[tuple(ahead)]
        canvas = near
    return canvas


def packed(canvas: BoolArray, glyphs: GlyphSet) -> CellArray:
    """Dots, shape (rows, columns), as bits of cells."""
    bits = np.zeros((canvas.shape[0] // glyphs.rows, canvas.shape[1] // glyphs.columns), dtype=np.uint8)
    for row, weights in enumerate(glyphs.weights):
        for column, weight in enumerate(weights):
            bits |= canvas[row :: glyphs.rows, column :: glyphs.columns] * np.uint8(weight)
    return bits


def _pattern_mask(n_columns: int, n_rows: int, pattern: str) -> BoolArray:
    """Where a pattern is lit. Slanted by two columns a row, so that no direction of a line is all dark or all lit."""
    period, n_lit = (4, 2) if pattern == "dotted" else (8, 5)
    slanted = np.arange(n_columns)[None, :] + 2 * np.arange(n_rows)[:, None]
    return slanted % period < n_lit


def owners(is_present: BoolArray) -> Int64Array:
    """Which of the layers colours each cell, -1 for none.

    A cell has one colour. Where several curves meet they take turns along rows and columns, so that none of
    them vanishes below the last one drawn.

    Args:
        is_present: shape (layers, height, width).
    """
    counts = is_present.sum(axis=0)
    height, width = counts.shape
    turn = (np.arange(height)[:, None] + np.arange(width)[None, :]) % np.maximum(counts, 1)
    is_owner = is_present & (np.cumsum(is_present, axis=0) == turn + 1)
    return np.where(counts > 0, np.argmax(is_owner, axis=0), -1)
