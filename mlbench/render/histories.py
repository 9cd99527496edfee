"""Histograms over steps: how a distribution moved, as a heat map with the values upward and the steps to the right."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from mlbench.dataclass import dataclass
from mlbench.render.ansi import Depth
from mlbench.render.axes import Axis, fitted_axis
from mlbench.render.buckets import rebinned
from mlbench.render.cells import Cell, Line, fit, line_of
from mlbench.render.chart_frame import Frame, axis_lines, column_at, framed, y_gutter
from mlbench.render.picture_cells import picture_lines
from mlbench.safe import safe

if TYPE_CHECKING:
    from mlbench.model import Float64Array
    from mlbench.wire.histograms import Histogram

    _Buckets: TypeAlias = tuple[Float64Array, Float64Array, Float64Array]

_GREATEST = 1e100
_COLD = {False: (18, 18, 18), True: (255, 255, 255)}
"""Where there is nothing, on a dark and on a light ground: the ground."""
_HOT = {False: (255, 215, 95), True: (0, 55, 175)}
"""For no value and for the most frequent one of a step."""


@dataclass(frozen=True, slots=True)
class HistoryAxes:
    """The axes of a heat map: several that are looked at together share them."""

    steps: Axis
    values: Axis


def history_axes(steps: Sequence[int], histograms: Sequence[Histogram]) -> HistoryAxes:
    """The axes on which all these steps and all finite buckets have a place."""
    edges = [edge for histogram in histograms for edge in _bounded(histogram)[:2]]
    return HistoryAxes(fitted_axis([np.array(steps, dtype=np.float64)], kind="step"), fitted_axis(edges))


def history_lines(
    steps: Sequence[int], histograms: Sequence[Histogram], *, title: str = "", width: int = 80, height: int = 20,
    depth: Depth = "none", glyphs: str = "braille", is_light: bool = False, axes: HistoryAxes | None = None,
    at: int | None = None,
) -> tuple[Line, ...]:  # fmt: skip
    """Draw the histograms of one metric of one run; each column is the step that is next to it.

    Each step is as bright where it has most: what is compared is the shape. Buckets without an end are left out.

    Args:
        steps: of the histograms, rising.
        histograms: as many.
        title: stands above.
        width: columns in all.
        height: lines in all.
        depth: how many colours the terminal has.
        glyphs: `braille`, `blocks` or `ascii`.
        is_light: for a light ground: what is full is dark there.
        axes: those of several maps that are looked at together; by default its own.
        at: a step that is marked on the axis.
    """
    head = line_of((fit(safe(f"{title}   {len(steps)} steps"), width), "title"))
    drawn = [_bounded(histogram) for histogram in histograms]
    axes = axes or history_axes(steps, histograms)
    n_rows = height - 3
    gutter = y_gutter(axes.values, n_rows)
    frame = Frame(gutter, 1, width - gutter, n_rows, axes.steps, axes.values)
    if not any(lefts.size for lefts, _rights, _counts in drawn) or frame.width < 8 or n_rows < 2:
        return (head, line_of(("nothing to draw", "muted")))
    heat = _heat(np.array(steps, dtype=np.float64), drawn, frame)
    cold, hot = np.array(_COLD[is_light]), np.array(_HOT[is_light])
    colours = np.rint(cold + heat[:, :, None] * (hot - cold)).astype(np.uint8)
    picture = picture_lines(
        colours, frame.width, n_rows, depth=depth, glyphs=glyphs, keeps_shape=False, is_light=is_light
    )
    rule, labels = axis_lines(frame, glyphs)
    return (head, *framed(picture, frame, glyphs), _marked(rule, frame, at, glyphs), labels)


def _heat(steps: Float64Array, drawn: Sequence[_Buckets], frame: Frame) -> Float64Array:
    """Shape (2 * rows, 2 * columns), 0 to 1: the picture from its top on, each column that of the nearest step."""
    x_axis, y_axis = frame.x_axis, frame.y_axis
    columns = np.stack([_column(buckets, y_axis.low, y_axis.high, 2 * frame.height) for buckets in drawn], axis=1)
    places = x_axis.low + (np.arange(2 * frame.width) + 0.5) / (2 * frame.width) * (x_axis.high - x_axis.low)
    heat: Float64Array = columns[::-1, np.abs(places[:, None] - steps).argmin(axis=1)]
    if len(steps) > 1:
        heat[:, (places < steps[0]) | (places > steps[-1])] = 0.0
    return heat


def _marked(rule: Line, frame: Frame, at: int | None, glyphs: str) -> Line:
    """The x axis with a mark at a step, where that lies on it."""
    column = column_at(frame, float(at)) if at is not None else None
    if column is None:
        return rule
    text = rule[0].text
    mark = "^" if glyphs == "ascii" else "▲"
    return (Cell(safe(text[:column]), "axis"), Cell(safe(mark), "title"), Cell(safe(text[column + 1 :]), "axis"))


def _bounded(histogram: Histogram) -> _Buckets:
    has_ends = np.isfinite(histogram.lefts) & np.isfinite(histogram.rights) & (histogram.counts > 0)
    lefts, rights = (np.clip(side[has_ends], -_GREATEST, _GREATEST) for side in (histogram.lefts, histogram.rights))
    return lefts, rights, np.minimum(histogram.counts[has_ends], _GREATEST)


def _column(
    buckets: tuple[Float64Array, Float64Array, Float64Array], low: float, high: float, n_bins: int
) -> Float64Array:
    """Shares of the fullest bin, shape (n_bins,), from the lowest value on."""
    lefts, rights, counts = buckets
    if not lefts.size:
        return np.zeros(n_bins)
    # Buckets of no content at both ends stretch the bins over the whole axis.
    ends = np.array([low, high])
    _edges, binned = rebinned(
        np.concatenate((lefts, ends)), np.concatenate((rights, ends)), np.concatenate((counts, [0.0, 0.0])), n_bins
    )
    most = float(binned.max())
    return binned / most if most > 0 else np.zeros(n_bins)
