"""Charts as standalone SVG files: readable on light and dark pages and by screen readers, nothing live in them."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from mlbench.dataclass import dataclass
from mlbench.render.apart import fit_each
from mlbench.render.axes import Axis, places, ticks
from mlbench.render.cells import RUN_SLOTS, fit, fit_middle
from mlbench.render.chart import ChartOptions, Curve, chart_header, x_axis_of, y_axis_of
from mlbench.render.chart_bands import Band
from mlbench.render.chart_bundles import joined
from mlbench.render.numbers import number
from mlbench.render.palette import DARK, DARK_GROUND, LIGHT, LIGHT_GROUND
from mlbench.render.raster import m4
from mlbench.safe import Safe, safe

if TYPE_CHECKING:
    from mlbench.model import Float64Array, Int64Array

WIDTH, HEIGHT = 720, 360
"""Pixels of the picture without its legend: what a code forge shows unscaled."""
LEFT, RIGHT, TOP, BOTTOM = 64, 22, 34, 28
MOST_PATH_BYTES = 48_000
"""Longer paths are thinned to fewer columns, each still with its first, least, greatest and last point."""
LEAST_COLUMNS = 40
POINT_BYTES = 5
"""Of a point in a path: `9-12`, ` 4 103`."""
_LEGEND_LEFT, _LEGEND_COLUMN, _LEGEND_ROW = 12, 230, 18
_LEGEND_CHARACTERS = 27
"""Of a name with its value: so many fit into the column, also in a wide font; the third ends at the picture's edge."""
_HEADER_CHARACTERS, _REMARK_CHARACTERS = 80, 110
"""Of a title with its remarks on one line, and of remarks on a line of their own."""
_DASHES = {"solid": "", "dashed": ' stroke-dasharray="7 4"', "dotted": ' stroke-dasharray="2 3"'}


@dataclass(frozen=True, slots=True)
class _Plane:
    """Where values lie, in half pixels: whole numbers are short, and half a pixel is finer than the eye."""

    x_axis: Axis
    y_axis: Axis
    width: int = 2 * (WIDTH - LEFT - RIGHT)
    height: int = 2 * (HEIGHT - TOP - BOTTOM)


def chart_svg(curves: Sequence[Curve], options: ChartOptions, bands: Sequence[Band] = ()) -> str:
    """The curves as an SVG file. Of `options`, the sizes and glyphs of text charts have no meaning here."""
    x_axis = x_axis_of([c.x for c in curves], curves, options)
    heights = [*(c.y for c in curves), *(edge for band in bands for edge in (band.low, band.high))]
    plane = _Plane(x_axis, y_axis_of(heights, curves, options))
    named = [curve for curve in curves if curve.label and not curve.is_faint]
    entries = _legend(named)
    n_rows = -(-len(entries) // 3)
    height = HEIGHT + n_rows * _LEGEND_ROW + (8 if n_rows else 0)
    header = chart_header(curves, options, x_axis, plane.y_axis)
    title = escape(str(safe(options.title or "chart")))
    paths = _curve_paths(curves, plane)
    size = f'viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}"'
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img" aria-labelledby="t d">',
        f'<title id="t">{title}</title>',
        f'<desc id="d">{escape(_description(named))}</desc>',
        _style(),
        f'<rect class="g" width="{WIDTH}" height="{height}"/>',
        *_header_lines(header, options.title),
        *_grid(plane),
        f'<clipPath id="p"><rect x="-2" y="-2" width="{plane.width + 4}" height="{plane.height + 4}"/></clipPath>',
        f'<g transform="translate({LEFT} {TOP}) scale(.5)" clip-path="url(#p)">',
        *(_band_path(band, plane) for band in bands),
        *paths,
        "</g>",
        "" if any(paths) else f'<text class="m" x="{WIDTH // 2}" y="{HEIGHT // 2}">{_nothing(curves)}</text>',
        *(_legend_entry(text, look, index) for index, (text, look) in enumerate(entries)),
        "</svg>",
    ]
    return "\n".join(part for part in parts if part) + "\n"


def _nothing(curves: Sequence[Curve]) -> str:
    return "no finite values" if curves else "no curves"


def _header_lines(header: Safe, title: str) -> list[str]:
    """The title and what is said of the points on one line, or below each other where they have no room."""
    whole = header.replace("   ", " · ")
    if len(whole) <= _HEADER_CHARACTERS:
        return [f'<text class="h" x="{LEFT}" y="20">{escape(whole)}</text>']
    name = safe(title)
    remarks = fit(safe(header.removeprefix(name).strip().replace("   ", " · ")), _REMARK_CHARACTERS)
    return [
        f'<text class="h" x="{LEFT}" y="14">{escape(fit_middle(name, _HEADER_CHARACTERS))}</text>',
        f'<text class="s" x="{LEFT}" y="29">{escape(remarks)}</text>',
    ]


def _style() -> str:
    light = [f".c{slot}{{stroke:{colour};fill:{colour}}}" for slot, colour in enumerate(LIGHT)]
    dark = [f".c{slot}{{stroke:{colour};fill:{colour}}}" for slot, colour in enumerate(DARK)]
    return (
        "<style>text{font:12px system-ui,sans-serif;fill:#333}.h{font-weight:600}.s{font-size:11px}.n{text-anchor:end}"
        ".m{text-anchor:middle}.u{stroke:#888;stroke-opacity:.4}path.l{fill:none;vector-effect:non-scaling-stroke;stroke-width:1.5;"
        "stroke-linejoin:round;stroke-linecap:round}path.f{stroke-width:1;stroke-opacity:.3}"
        "path.b{stroke:none;fill-opacity:.18}.r{stroke:#ddd}.g{fill:" + LIGHT_GROUND + "}" + "".join(light)
        + "@media(prefers-color-scheme:dark){text{fill:#ccc}.r{stroke:#3a3a3a}.g{fill:" + DARK_GROUND + "}"
        + "".join(dark) + "}</style>"
    )  # fmt: skip


def _description(named: Sequence[Curve]) -> str:
    """What a screen reader says: every curve with its last value."""
    lasts = [f"{curve.label}: last {number(float(curve.y[-1]))}" for curve in named if curve.y.size]
    return str(safe("Line chart. " + "; ".join(lasts) if lasts else "Line chart without points."))


def _grid(plane: _Plane) -> list[str]:
    width, height = plane.width // 2, plane.height // 2
    parts: list[str] = []
    for tick in ticks(plane.y_axis, 7):
        y = TOP + round((1 - tick.place) * height)
        parts.append(f'<path class="r" d="M{LEFT} {y}h{width}"/>')
        parts.append(f'<text class="n" x="{LEFT - 6}" y="{y + 4}">{escape(tick.label)}</text>')
    for tick in ticks(plane.x_axis, 6):
        x = LEFT + round(tick.place * width)
        parts.append(f'<path class="r" d="M{x} {TOP}v{height}"/>')
        parts.append(f'<text class="m" x="{x}" y="{TOP + height + 18}">{escape(tick.label)}</text>')
    return parts


def _legend(named: Sequence[Curve]) -> list[tuple[str, str]]:
    """A text and the look of its line for each curve; the muted ones have one entry together."""
    coloured = [curve for curve in named if curve.role != "muted"]
    lasts = [_last(curve) for curve in coloured]
    names = fit_each([safe(curve.label) for curve in coloured], [_LEGEND_CHARACTERS - 1 - len(last) for last in lasts])
    texts = [f"{name} {last}".strip() for name, last in zip(names, lasts, strict=True)]
    entries = [(text, _look(curve)) for text, curve in zip(texts, coloured, strict=True)]
    n_muted = len(named) - len(coloured)
    others = [(f"{n_muted} {'others' if coloured else 'runs'}", 'class="l u"')] if n_muted else []
    return entries + others


def _last(curve: Curve) -> str:
    return number(float(curve.y[-1])) if curve.y.size else ""


def _legend_entry(text: str, look: str, index: int) -> str:
    x = _LEGEND_LEFT + index % 3 * _LEGEND_COLUMN
    y = HEIGHT + 8 + index // 3 * _LEGEND_ROW
    return f'<path {look} d="M{x} {y - 4}h22"/><text x="{x + 28}" y="{y}">{escape(text)}</text>'


def _look(curve: Curve) -> str:
    """Class and dashes of a curve's path."""
    if curve.role == "muted":
        return 'class="l u"'
    return f'class="l{" f" if curve.is_faint else ""} c{curve.slot % RUN_SLOTS}"{_DASHES[curve.pattern]}'


# ---------------------------------------------------------------- paths


def _curve_paths(curves: Sequence[Curve], plane: _Plane) -> list[str]:
    """All curves with as many columns as fit into the size that a report can afford; muted ones have a half of it."""
    muted = [curve for curve in curves if curve.role == "muted"]
    coloured = [curve for curve in curves if curve.role != "muted"]
    n_bytes = MOST_PATH_BYTES // 2 if muted and coloured else MOST_PATH_BYTES
    return [*_affordable(joined(muted), plane, n_bytes, len(muted)), *_affordable(coloured, plane, n_bytes)]


def _affordable(curves: Sequence[Curve], plane: _Plane, n_bytes: int, n_curves: int = 0) -> list[str]:
    """The curves in columns so many that they are not longer than `n_bytes`, unless columns are few.

    Args:
        curves: what is drawn.
        plane: where.
        n_bytes: of all paths together.
        n_curves: how many curves these are, where several are joined.
    """
    n_points = sum(curve.y.size for curve in curves)
    n_columns = plane.width
    if n_points * POINT_BYTES > n_bytes:  # a first guess saves passes over all points
        room = n_bytes // (4 * POINT_BYTES * max(n_curves or len(curves), 1))
        n_columns = min(max(2 * room, LEAST_COLUMNS), plane.width)
    while (paths := _paths_within(curves, plane, n_columns, n_bytes)) is None:
        n_columns = max(n_columns // 2, LEAST_COLUMNS)
    return paths


def _paths_within(curves: Sequence[Curve], plane: _Plane, n_columns: int, n_bytes: int) -> list[str] | None:
    """The curves in so many columns; None once they are longer than that, unless columns are few."""
    paths: list[str] = []
    n_left = n_bytes
    for curve in curves:
        paths.append(_curve_path(curve, plane, n_columns))
        n_left -= len(paths[-1])
        if n_left < 0 and n_columns > LEAST_COLUMNS:
            return None
    return paths


def _curve_path(curve: Curve, plane: _Plane, n_columns: int) -> str:
    x, y = places(plane.x_axis, curve.x), 1 - places(plane.y_axis, curve.y)
    steps = _steps(x, y, plane, n_columns) + ("" if curve.is_faint else _marks(curve, x, plane))
    return f'<path {_look(curve)} d="{steps}"/>' if steps else ""


def _steps(x: Float64Array, y: Float64Array, plane: _Plane, n_columns: int) -> str:
    """The curve as path data, thinned to four points a column; a lone point is a dot."""
    shown = np.flatnonzero(np.isfinite(x) & np.isfinite(y))
    if not shown.size:
        return ""
    part = np.cumsum(~(np.isfinite(x) & np.isfinite(y)), dtype=np.int64)[shown]
    kept = thinned(np.clip(x[shown], -1e6, 1e6) * (n_columns - 1), y[shown], part, n_columns)
    # 20: far enough outside to be clipped, near enough to stay short.
    across = np.rint(np.clip(x[shown][kept], -20, 20) * plane.width).astype(np.int64)
    down = np.rint(np.clip(y[shown][kept], -20, 20) * plane.height).astype(np.int64)
    return _path_data(across, down, part[kept])


def thinned(x: Float64Array, y: Float64Array, part: Int64Array, n_columns: int) -> Int64Array:
    """Indices of the first, least, greatest and last point of each column, rising. Arguments as of `raster.m4`."""
    groups = m4(x, y, part, n_columns)
    group = np.repeat(np.arange(groups.starts.size), groups.ends - groups.starts + 1)
    is_kept = np.zeros(y.size, dtype=np.bool_)
    is_kept[groups.starts] = is_kept[groups.ends] = True
    for edge in (groups.low, groups.high):
        spots = np.flatnonzero(y == edge[group])
        is_kept[spots[np.diff(group[spots], prepend=-1) > 0]] = True  # the first of each column
    return np.flatnonzero(is_kept)


def _path_data(across: Int64Array, down: Int64Array, part: Int64Array) -> str:
    """Relative steps, which are shorter; a minus sign separates by itself. A part that does not move is a dot."""
    steps = np.column_stack((np.diff(across), np.diff(down)))
    bounds = [0, *(np.flatnonzero(np.diff(part)) + 1).tolist(), part.size]
    words: list[str] = []
    for start, end in pairwise(bounds):
        moved = steps[start : end - 1]
        numbers = moved[moved.any(axis=1)].ravel().tolist()
        line = "l" + " ".join(map(str, numbers)).replace(" -", "-") if numbers else "h0"
        words.append(f"M{across[start]} {down[start]}{line}")
    return "".join(words)


def _marks(curve: Curve, x: Float64Array, plane: _Plane) -> str:
    """A cross on the lower edge for NaN and triangles on the edges for infinity and for what has no logarithm."""
    low, high = plane.height - 6, 6
    is_below = (curve.y == -np.inf) | ((curve.y <= 0) if plane.y_axis.is_log else False)
    kinds = (
        (np.isnan(curve.y), f"{low - 6}l12 12m0-12l-12 12"),
        (is_below, f"{low - 6}l6 12 6-12z"),
        (curve.y == np.inf, f"{high + 6}l6-12 6 12z"),
    )
    words: list[str] = []
    for is_odd, shape in kinds:
        spots = x[is_odd & (x >= 0) & (x <= 1)]
        # Every 16 half pixels at most: marks closer than that run into each other.
        columns = sorted(set(np.rint(spots * plane.width / 16).astype(np.int64).tolist()))
        words += [f"M{column * 16 - 6} {shape}" for column in columns]
    return "".join(words)


def _band_path(band: Band, plane: _Plane) -> str:
    """There along the upper edge and back along the lower; as many columns as pixels."""
    x = places(plane.x_axis, band.x)
    low, high = (np.nan_to_num(places(plane.y_axis, edge)) for edge in (band.low, band.high))
    inside = np.isfinite(x)
    if not inside.any():
        return ""
    grid = np.linspace(max(float(x[inside].min()), 0.0), min(float(x[inside].max()), 1.0), plane.width // 4)
    across = np.rint(grid * plane.width).astype(np.int64)
    upper, lower = (
        np.rint((1 - np.clip(np.interp(grid, x[inside], edge[inside]), -20, 20)) * plane.height).astype(np.int64)
        for edge in (high, low)
    )
    around = np.concatenate((across, across[::-1])), np.concatenate((upper, lower[::-1]))
    data = _path_data(*around, np.zeros(2 * across.size, dtype=np.int64))
    return f'<path class="b c{band.slot % RUN_SLOTS}" d="{data}z"/>'
