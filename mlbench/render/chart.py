"""Curves as a picture of characters: the one rasteriser of the workbench, `mlbench plot` and reports."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from mlbench.dataclass import dataclass
from mlbench.render.axes import Axis, fitted_axis, places, trimmed_limits
from mlbench.render.cells import ELLIPSIS, RUN_SLOTS, Cell, Line, fit
from mlbench.render.chart_bands import Band, draw_bands
from mlbench.render.chart_bundles import bundled
from mlbench.render.chart_frame import Frame, axis_lines, framed, header_line, y_gutter
from mlbench.render.chart_layers import Layers, name_index, spans, write
from mlbench.render.chart_legend import Entry, legend_below, legend_cells, legend_right, most_lines_below
from mlbench.render.numbers import duration, moment_of, number, si, timestamp
from mlbench.render.pyramid import pyramid_of, thinned_to_columns, visible_extremes
from mlbench.render.raster import GLYPHS, cell_bits, lit_dots, owners
from mlbench.render.scales import linear_x, linear_y
from mlbench.safe import Safe, safe

if TYPE_CHECKING:
    from mlbench.model import Float64Array
    from mlbench.render.pyramid import Pyramid
    from mlbench.render.raster import BoolArray, CellArray, GlyphSet


@dataclass(frozen=True, slots=True, eq=False)
class Curve:
    """One line of a chart."""

    x: Float64Array
    """Shape (n,), in any order; n may be 0. Points without a finite x have no place and are counted."""
    y: Float64Array
    """Shape (n,). NaN, infinity, and on a log axis what is not positive, are gaps, marked at the edge."""
    label: str = ""
    slot: int = 0
    """Colour slot of the run; from 8 on they begin again."""
    pattern: str = "solid"
    """`solid`, `dashed` or `dotted`."""
    is_faint: bool = False
    """A raw curve below its smoothed one: no entry in the legend, no marks, and other curves cover it."""
    role: str = ""
    """In place of the slot's colour: `muted` where there are too many runs for colours."""
    n_total: int | None = None
    """Points of the series before it was thinned, where it was."""
    owner: str = ""
    """Id of the run that it is of, where it is of one."""
    is_baseline: bool = False
    """Told in the legend by a diamond."""
    n_gaps: int = 0
    """Points that only keep curves apart, with neither x nor y: see `chart_bundles`."""


@dataclass(frozen=True, slots=True)
class ChartOptions:
    """How a chart is drawn. Limits of None are found; `legend` is `auto`, `right`, `below` or `none`."""

    width_cells: int = 80
    height_cells: int = 24
    """With header, axis and legend."""
    title: str = ""
    x_kind: str = "step"
    """One of `axes.AXIS_KINDS`."""
    log_x: bool = False
    """Without effect on wall time."""
    log_y: bool = False
    x_limits: tuple[float | None, float | None] = (None, None)
    y_limits: tuple[float | None, float | None] = (None, None)
    is_trimmed: bool = False
    """The y axis leaves out what lies far from nine tenths of the values, and the header says how many points."""
    glyphs: str = "braille"
    """`braille`, `blocks` or `ascii`."""
    legend: str = "auto"
    has_header: bool = True
    is_shaded: bool = False
    """Draw bands as `░` characters: for places without colours."""
    remarks: tuple[str, ...] = ()
    """Said in the header: `smoothing 0.9`, `log y`."""
    symlog_x: bool = False
    """Logarithmic on both sides of 0, linear around it; without effect on wall time, and where `log_x` is."""
    symlog_y: bool = False

    def scaled(self, x_scale: str, y_scale: str) -> ChartOptions:
        """With axes that are `linear`, `log` or `symlog`."""
        return replace(self, log_x=x_scale == "log", symlog_x=x_scale == "symlog", log_y=y_scale == "log",
                       symlog_y=y_scale == "symlog")  # fmt: skip


@dataclass(frozen=True, slots=True)
class Tally:
    """What became of the points in the x range."""

    n_points: int = 0
    """Points that were given."""
    n_total: int = 0
    """Points of the series, before any thinning."""
    n_nan: int = 0
    n_inf: int = 0
    n_not_positive: int = 0
    """Not above 0 on a log axis, y or x."""
    n_without_x: int = 0
    first_nan: float = math.inf
    """x of the first NaN of any curve; infinity where there is none."""
    first_inf: float = math.inf
    n_beyond: int = 0
    """Above or below the picture, where outliers are trimmed."""


@dataclass(frozen=True, slots=True)
class Chart:
    """A picture of characters, and where its points are."""

    lines: tuple[Line, ...]
    frame: Frame
    tally: Tally
    header: Safe
    """Title and remarks, whether or not it is one of the lines."""


def draw_chart(curves: Sequence[Curve], options: ChartOptions, bands: Sequence[Band] = ()) -> Chart:
    """Draw curves, every point of them: no spike is lost, and nothing that cannot be drawn goes without a word.

    Never fails for any numbers. Where there is no room for a picture (under 16 x 5 cells) there is one line
    that says so.
    """
    entries = _entries(curves)
    apart, curves = curves, bundled(curves)
    x_axis = x_axis_of([_x_ends(curve, options) for curve in curves], apart, options)
    y_axis = y_axis_of(_shown(curves, bands, x_axis, options), apart, options)
    tally = _tally(curves, x_axis, y_axis, is_trimmed=options.is_trimmed)
    header = _header(options, tally)
    # Of more entries than lines those that have no line need no room.
    side = legend_cells(entries[: options.height_cells], options.legend, options.width_cells)
    below: tuple[Line, ...] = ()
    if not side and options.legend != "none":
        below = legend_below(entries, options.width_cells, most_lines_below(options.height_cells), options.glyphs)
    height = options.height_cells - 2 - int(options.has_header) - len(below)
    gutter = y_gutter(y_axis, height)
    width = options.width_cells - gutter - side
    frame = Frame(gutter, int(options.has_header), width, height, x_axis, y_axis)
    if width < 8 or height < 2:
        return Chart(_too_small(options), frame, tally, header)
    lines = _body(curves, bands, tally, frame, options)
    if side:
        lines = legend_right(lines, entries, frame, side, options.glyphs)
    top = (header_line(header, options.width_cells),) if options.has_header else ()
    all_lines = (*top, *lines, *axis_lines(frame, options.glyphs), *below)
    return Chart(_in_ascii(all_lines) if options.glyphs == "ascii" else all_lines, frame, tally, header)


def _in_ascii(lines: Sequence[Line]) -> tuple[Line, ...]:
    """Without the one character of ours that is left; names are as they are."""
    return tuple(tuple(replace(cell, text=safe(cell.text.replace(ELLIPSIS, "~"))) for cell in line) for line in lines)


def _too_small(options: ChartOptions) -> tuple[Line, ...]:
    text = fit(safe("no room for a chart"), max(options.width_cells, 0))
    return ((Cell(text, "muted"),),) if options.height_cells > 0 else ()


def _entries(curves: Sequence[Curve]) -> tuple[Entry, ...]:
    """What the legend says: curves that have a label, highest last value first."""
    entries = [_entry(curve) for curve in curves if curve.label and not curve.is_faint]
    return tuple(sorted(entries, key=lambda entry: (entry.height is None, -(entry.height or 0.0))))


def _entry(curve: Curve) -> Entry:
    last = float(curve.y[-1]) if curve.y.size else None
    return Entry(safe(curve.label), curve_role(curve), curve.pattern, last, last_finite(curve), curve.is_baseline)


def _summary(curve: Curve, *, is_log_x: bool, is_log_y: bool, is_trimmed: bool = False) -> Pyramid | None:
    """The summary of a long curve all of whose points have a place on the axes; None for others."""
    pyramid = None if curve.n_gaps else pyramid_of(curve.x, curve.y)
    if pyramid is None or is_trimmed or (is_log_y and pyramid.low <= 0) or (is_log_x and pyramid.x[0] <= 0):
        return None
    return pyramid


def _summary_on(curve: Curve, x_axis: Axis, y_axis: Axis) -> Pyramid | None:
    return _summary(curve, is_log_x=x_axis.is_log, is_log_y=y_axis.is_log)


def _x_ends(curve: Curve, options: ChartOptions) -> Float64Array:
    """X values that say how far a curve goes."""
    pyramid = _summary(curve, is_log_x=options.log_x, is_log_y=options.log_y)
    return curve.x if pyramid is None else pyramid.x[[0, -1]]


def last_finite(curve: Curve) -> float | None:
    """The last value that can be drawn."""
    if curve.y.size and math.isfinite(curve.y[-1]):
        return float(curve.y[-1])
    finite = np.flatnonzero(np.isfinite(curve.y))
    return float(curve.y[finite[-1]]) if finite.size else None


def curve_role(curve: Curve) -> str:
    """The role that a curve is drawn in."""
    return curve.role or f"{'faint' if curve.is_faint else 'run'}{curve.slot % RUN_SLOTS}"


def _shown(
    curves: Sequence[Curve], bands: Sequence[Band], x_axis: Axis, options: ChartOptions
) -> Sequence[Float64Array]:
    """Values that say how far what can be seen goes: that of the points in the x range."""
    shown = [_in_sight(curve, x_axis, options) for curve in curves]
    for band in bands:
        inside = _in_range(places(x_axis, band.x))
        shown += [band.low[inside], band.high[inside]]
    return shown


def x_axis_of(shown: Sequence[Float64Array], curves: Sequence[Curve], options: ChartOptions) -> Axis:
    """The x axis that fits these x values of the curves."""
    linear = linear_x(curve.x for curve in curves) if options.symlog_x and not options.log_x else 0.0
    return fitted_axis(shown, kind=options.x_kind, is_log=options.log_x, linear=linear, limits=options.x_limits)


def y_axis_of(shown: Sequence[Float64Array], curves: Sequence[Curve], options: ChartOptions) -> Axis:
    """The y axis that fits what is shown of the curves, without their outliers where these are trimmed."""
    limits, linear = options.y_limits, 0.0
    if options.symlog_y and not options.log_y:
        linear = linear_y(curve.y for curve in curves)
    if options.is_trimmed:
        values = [curve.y for curve in curves if not curve.is_faint]
        limits = trimmed_limits(values, limits, is_log=options.log_y, linear=linear)
    return fitted_axis(shown, is_log=options.log_y, linear=linear, limits=limits)


def _in_sight(curve: Curve, x_axis: Axis, options: ChartOptions) -> Float64Array:
    """The values in the x range, of long curves the least and the greatest."""
    pyramid = _summary(curve, is_log_x=x_axis.is_log, is_log_y=options.log_y, is_trimmed=options.is_trimmed)
    if pyramid is not None:
        return visible_extremes(pyramid, x_axis)
    return curve.y[_in_range(places(x_axis, curve.x))]


def _in_range(x: Float64Array) -> BoolArray:
    return (x >= -1e-9) & (x <= 1 + 1e-9)


# ---------------------------------------------------------------- what became of the points


def _tally(curves: Sequence[Curve], x_axis: Axis, y_axis: Axis, *, is_trimmed: bool) -> Tally:
    """Counts over the curves that are not faint: a smoothed curve has the points of its raw one."""
    counts = np.zeros(6, dtype=np.int64)
    first_nan = first_inf = math.inf
    for curve in curves:
        if _summary_on(curve, x_axis, y_axis) is not None and not curve.is_faint:
            counts[:2] += (curve.y.size, curve.y.size if curve.n_total is None else curve.n_total)
        elif not curve.is_faint:
            counts += _counts(curve, x_axis, y_axis)
            first_nan = min(first_nan, _first_x(curve, np.isnan(curve.y), x_axis))
            first_inf = min(first_inf, _first_x(curve, np.isinf(curve.y), x_axis))
    n_beyond = sum(_n_beyond(curve, x_axis, y_axis) for curve in curves if not curve.is_faint) if is_trimmed else 0
    n_points, n_total, n_nan, n_inf, n_below, n_without_x = map(int, counts)
    return Tally(n_points, n_total, n_nan, n_inf, n_below, n_without_x, first_nan, first_inf, n_beyond)


def _n_beyond(curve: Curve, x_axis: Axis, y_axis: Axis) -> int:
    """Points in the x range that lie above or below the picture."""
    y = places(y_axis, curve.y[_in_range(places(x_axis, curve.x))])
    return int(np.count_nonzero((y < -1e-9) | (y > 1 + 1e-9)))


def _first_x(curve: Curve, is_odd: BoolArray, x_axis: Axis) -> float:
    """The least x in the range where a curve is odd; infinity where it is not."""
    if not is_odd.any():
        return math.inf
    x = curve.x[is_odd]
    return float(x[_in_range(places(x_axis, x))].min(initial=math.inf))


def _at(x: float, kind: str) -> str:
    """` from 41000`, ` from 3m 2s`: where something happened first."""
    if not math.isfinite(x):
        return ""
    moment = moment_of(x) if kind == "wall" else None
    text = duration(x) if kind == "relative" else timestamp(moment) if moment else number(x, digits=6)
    return f" from {text}"


def _counts(curve: Curve, x_axis: Axis, y_axis: Axis) -> tuple[int, int, int, int, int, int]:
    x = places(x_axis, curve.x)
    y = curve.y[_in_range(x)]
    has_x = np.isfinite(curve.x)
    n_below = int(np.count_nonzero(np.isfinite(y) & (y <= 0))) if y_axis.is_log else 0
    n_left = int(np.count_nonzero(has_x & (curve.x <= 0))) if x_axis.is_log else 0
    n_points = curve.y.size - curve.n_gaps
    n_total = n_points if curve.n_total is None else curve.n_total
    return (n_points, n_total, int(np.count_nonzero(np.isnan(y))), int(np.count_nonzero(np.isinf(y))),
            n_below + n_left, int(np.count_nonzero(~has_x)) - curve.n_gaps)  # fmt: skip


def chart_header(curves: Sequence[Curve], options: ChartOptions, x_axis: Axis, y_axis: Axis) -> Safe:
    """What is said above a chart with these axes: title, remarks, `exact`, and what could not be drawn."""
    return _header(options, _tally(curves, x_axis, y_axis, is_trimmed=options.is_trimmed))


def _header(options: ChartOptions, tally: Tally) -> Safe:
    """`val/loss   exact   3 NaN   log y`: what narrow charts cut off is what matters least."""
    if tally.n_points >= tally.n_total:
        completeness = "exact"
    else:
        completeness = f"{si(tally.n_points)} of {si(tally.n_total)} points"
    counts = (
        (tally.n_nan, "NaN" + _at(tally.first_nan, options.x_kind)),
        (tally.n_inf, "inf" + _at(tally.first_inf, options.x_kind)),
        (tally.n_not_positive, "not above 0"),
        (tally.n_without_x, "without x"),
        (tally.n_beyond, "outliers beyond the y axis"),
    )
    parts = [options.title, completeness, *(f"{n} {what}" for n, what in counts if n), *options.remarks]
    return safe("   ".join(part for part in parts if part))


# ---------------------------------------------------------------- the picture


def _body(
    curves: Sequence[Curve], bands: Sequence[Band], tally: Tally, frame: Frame, options: ChartOptions
) -> tuple[Line, ...]:
    glyphs = GLYPHS[options.glyphs]
    shape = (frame.height, frame.width)
    layers = Layers(np.full(shape, ord(" "), np.int64), np.zeros(shape, np.int64), np.zeros(shape, np.int64))
    draw_bands(layers, bands, frame, glyphs=options.glyphs, is_shaded=options.is_shaded)
    _draw_curves(layers, curves, frame, glyphs)
    if tally.n_nan or tally.n_inf or tally.n_not_positive:
        _draw_marks(layers, [curve for curve in curves if not curve.is_faint], frame, options)
    if not (layers.roles > 0).any():
        write(layers, "no finite values" if curves else "no curves")
    return framed(spans(layers), frame, options.glyphs)


def _draw_curves(layers: Layers, curves: Sequence[Curve], frame: Frame, glyphs: GlyphSet) -> None:
    """Faint curves only where no other is; curves that meet in a cell take turns in colouring it."""
    for is_faint in (True, False):
        chosen = _alike([curve for curve in curves if curve.is_faint == is_faint])
        if not chosen:
            continue
        bits = np.stack([_bits(some, frame, glyphs) for some in chosen])
        owner = owners(bits > 0)
        roles = np.array([0, *(name_index(layers, curve_role(some[0])) for some in chosen)], dtype=np.int64)
        is_lit = owner >= 0
        layers.codes[is_lit] = glyphs.characters[np.bitwise_or.reduce(bits, axis=0)][is_lit]
        layers.roles[is_lit] = roles[owner + 1][is_lit]


def _alike(curves: Sequence[Curve]) -> list[list[Curve]]:
    """The muted curves of a pattern together, and the bundles of one look; every other curve alone."""
    groups: dict[object, list[Curve]] = {}
    for place, curve in enumerate(curves):
        is_joined = curve.role == "muted" or curve.n_gaps
        groups.setdefault((curve_role(curve), curve.pattern) if is_joined else place, []).append(curve)
    return sorted(groups.values(), key=lambda some: some[0].role != "muted")


def _bits(curves: Sequence[Curve], frame: Frame, glyphs: GlyphSet) -> CellArray:
    """The cells of curves that have one look."""
    n_columns, n_rows = frame.width * glyphs.columns, frame.height * glyphs.rows
    canvas = lit_dots((_placed(curve, frame, n_columns, n_rows) for curve in curves), n_columns, n_rows)
    return cell_bits(canvas, glyphs, curves[0].pattern)


def _placed(curve: Curve, frame: Frame, n_columns: int, n_rows: int) -> tuple[Float64Array, Float64Array]:
    """Where the points of a curve lie, in dots; of a long one those that matter."""
    pyramid = _summary_on(curve, frame.x_axis, frame.y_axis)
    points = (curve.x, curve.y) if pyramid is None else thinned_to_columns(pyramid, frame.x_axis, n_columns)
    return places(frame.x_axis, points[0]) * (n_columns - 1), (1 - places(frame.y_axis, points[1])) * (n_rows - 1)


MARKS = {"braille": ("×", "▲", "▼"), "blocks": ("×", "▲", "▼"), "ascii": ("x", "^", "v")}
"""NaN, plus infinity, and minus infinity or what a log axis has no place for."""


def _draw_marks(layers: Layers, curves: Sequence[Curve], frame: Frame, options: ChartOptions) -> None:
    """`×` and `▼` on the bottom row, `▲` on the top row, in the column where it happened; NaN goes before the rest."""
    is_log = frame.y_axis.is_log
    odd = [curve for curve in curves if _summary_on(curve, frame.x_axis, frame.y_axis) is None]
    spots = [places(frame.x_axis, curve.x) for curve in odd]
    nan, up, down = MARKS[options.glyphs]
    kinds = (
        (lambda y: (y == -np.inf) | ((y <= 0) if is_log else False), frame.height - 1, down),
        (lambda y: y == np.inf, 0, up),
        (np.isnan, frame.height - 1, nan),
    )
    for is_odd, row, mark in kinds:
        for curve, x in zip(odd, spots, strict=True):
            marked = x[is_odd(curve.y) & _in_range(x)]
            if marked.size:
                columns = np.clip(np.floor(marked * (frame.width - 1) + 0.5), 0, frame.width - 1).astype(np.int64)
                layers.codes[row, columns] = ord(mark)
                layers.roles[row, columns] = name_index(layers, curve_role(curve))
