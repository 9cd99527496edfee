"""Pictures as coloured cells: images that were logged, beside each other or alone, in any terminal.

A cell is about twice as high as wide and has two colours, so a quadrant block in it shows two by two places of the
picture: the four are split into the two groups that lose least. Where there are fewer than 256 colours, a ramp of
shades says how bright each place is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from mlbench.render.ansi import Depth
from mlbench.render.cells import Cell, Line, line_of
from mlbench.render.palette import DARK_GROUND, LIGHT_GROUND, nearest_fixed
from mlbench.render.raster import GLYPHS
from mlbench.safe import safe

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mlbench.model import Float64Array, Int64Array

    Pixels: TypeAlias = NDArray[np.uint8]

CELL_RATIO = 2.0
"""Height of a cell over its width: what nearly every font has."""
RAMPS = {"braille": " ░▒▓█", "blocks": " ░▒▓█", "ascii": " .:-=+*#%@"}
_BRIGHTNESS = np.array([0.2126, 0.7152, 0.0722])
"""Share of red, green and blue in how bright a colour looks (ITU-R BT.709)."""
_STEPS = 31
"""Steps of each channel with true colours: finer ones are not seen, and equal neighbours are one sequence."""
_MASKS = np.arange(8)
"""Which of top left, top right and bottom left are foreground; bottom right is background, or the two are swapped."""


OVERSAMPLING = 4
"""Of a picture so many times as large as its cells no more is looked at: the rest is not seen, and takes memory."""


def fitted_cells(n_columns: int, n_rows: int, width: int, height: int) -> tuple[int, int]:
    """Columns and lines of the largest picture of `n_columns` x `n_rows` pixels that keeps its shape in a box of cells.

    At least 1 x 1, where the box is.
    """
    shape = max(n_columns, 1) / max(n_rows, 1)
    across = min(float(width), height * CELL_RATIO * shape)
    return max(min(round(across), width), 1), max(min(round(across / shape / CELL_RATIO), height), 1)


def picture_lines(
    pixels: Pixels,
    width: int,
    height: int,
    *,
    depth: Depth = "truecolor",
    glyphs: str = "braille",
    is_light: bool = False,
    keeps_shape: bool = True,
) -> tuple[Line, ...]:
    """Draw a picture as large as a box of cells allows, in its own shape.

    Args:
        pixels: shape (rows, columns), grey, or (rows, columns, 1 to 4): grey, grey and alpha, RGB, RGB and alpha.
        width: columns of the box.
        height: lines of the box.
        depth: how many colours the terminal has.
        glyphs: `braille`, `blocks` or `ascii`.
        keeps_shape: else the picture fills the whole box.
        is_light: the ground is light: it shows where the picture is clear, and shades are ink on it.
    """
    if width < 1 or height < 1:
        return ()
    if not pixels.size:
        return (line_of(("an empty picture"[:width], "muted")),)
    columns, rows = fitted_cells(pixels.shape[1], pixels.shape[0], width, height) if keeps_shape else (width, height)
    colours = blended(thinned(pixels, 2 * rows, 2 * columns), ground_of(is_light=is_light))
    if depth in ("none", "16") or glyphs == "ascii":
        return _shaded(resized(colours, rows, columns) @ _BRIGHTNESS, RAMPS[glyphs], is_light=is_light)
    return _quadrants(resized(colours, 2 * rows, 2 * columns), depth)


def ground_of(*, is_light: bool) -> str:
    """What shows where a picture is clear."""
    return LIGHT_GROUND if is_light else DARK_GROUND


def thinned(pixels: Pixels, n_rows: int, n_columns: int) -> Pixels:
    """Every so many rows and columns of a picture that is far larger than it will be: at least `OVERSAMPLING` of each.

    33 million pixels as 64-bit floats would take 800 MB.
    """
    down = max(pixels.shape[0] // max(OVERSAMPLING * n_rows, 1), 1)
    across = max(pixels.shape[1] // max(OVERSAMPLING * n_columns, 1), 1)
    return pixels[::down, ::across]


def blended(pixels: Pixels, ground: str) -> Float64Array:
    """Shape (rows, columns, 3), 0 to 255; what is clear shows the ground."""
    array = pixels.astype(np.float64)
    if array.ndim == 2:
        array = array[:, :, None]
    n_channels = array.shape[2]
    colour = array[:, :, :3] if n_channels >= 3 else np.repeat(array[:, :, :1], 3, axis=2)
    if n_channels in (1, 3):
        return colour
    alpha = array[:, :, -1:] / 255
    behind = np.array([int(ground[i : i + 2], 16) for i in (1, 3, 5)], dtype=np.float64)
    mixed: Float64Array = alpha * colour + (1 - alpha) * behind
    return mixed


def resized(picture: Float64Array, n_rows: int, n_columns: int) -> Float64Array:
    """A picture, shape (rows, columns, channels), in another size: each place is the mean of the area it covers."""
    down, across = _shares(picture.shape[0], n_rows), _shares(picture.shape[1], n_columns)
    smaller: Float64Array = np.einsum("ij,jkc,lk->ilc", down, picture, across, optimize=True)
    return smaller


def _shares(n_from: int, n_to: int) -> Float64Array:
    """Shape (n_to, n_from): which share of each new place is which old one; rows sum to 1."""
    edges = np.arange(n_to + 1) * (n_from / n_to)
    old = np.arange(n_from)
    overlap = np.minimum(edges[1:, None], old + 1) - np.maximum(edges[:-1, None], old)
    shares: Float64Array = np.maximum(overlap, 0.0) * (n_to / n_from)
    return shares


def _quadrants(places: Float64Array, depth: Depth) -> tuple[Line, ...]:
    """Two by two places in a cell, in its two best colours."""
    corners = np.stack([places[y::2, x::2] for y, x in ((0, 0), (0, 1), (1, 0), (1, 1))])
    mask, front, back = _split(corners)
    codes = GLYPHS["blocks"].characters[mask]
    fronts, backs = _hex(front, depth), _hex(back, depth)
    codes = np.where(fronts == backs, ord(" "), codes)
    fronts = np.where(codes == ord(" "), backs, fronts)
    return tuple(_spans(*rows) for rows in zip(codes, fronts, backs, strict=True))


def _split(corners: Float64Array) -> tuple[Int64Array, Float64Array, Float64Array]:
    """For each cell which corners are foreground, and the mean colours of both groups.

    Args:
        corners: shape (4, height, width, 3).
    """
    is_front = np.stack([(_MASKS >> bit) & 1 for bit in range(4)]).astype(np.float64)
    n_front = is_front.sum(axis=0)
    front = np.einsum("bm,bhwc->mhwc", is_front, corners)
    back = corners.sum(axis=0) - front
    front /= np.maximum(n_front, 1)[:, None, None, None]
    back /= (4 - n_front)[:, None, None, None]
    # The squares that a split leaves are least where those of its two means are greatest.
    kept = n_front[:, None, None] * (front**2).sum(axis=3) + (4 - n_front)[:, None, None] * (back**2).sum(axis=3)
    mask = np.argmax(kept, axis=0)
    rows, columns = np.indices(mask.shape)
    return mask, front[mask, rows, columns], back[mask, rows, columns]


def _hex(colours: Float64Array, depth: Depth) -> Int64Array:
    """Colours, shape (..., 3), as 0xrrggbb that a terminal of this depth can show."""
    if depth == "256":
        whole = nearest_fixed(colours)
    else:
        whole = np.rint(np.rint(np.clip(colours, 0, 255) / 255 * _STEPS) / _STEPS * 255).astype(np.int64)
    packed: Int64Array = whole[..., 0] << 16 | whole[..., 1] << 8 | whole[..., 2]
    return packed


def _spans(codes: Int64Array, fronts: Int64Array, backs: Int64Array) -> Line:
    """One row: neighbours of equal colours are one cell."""
    text = safe(codes.astype("<u4").tobytes().decode("utf-32-le"))
    is_end = (fronts[1:] != fronts[:-1]) | (backs[1:] != backs[:-1])
    stops = [*(np.flatnonzero(is_end) + 1).tolist(), codes.size]
    starts = [0, *stops[:-1]]
    return tuple(
        Cell(text[start:stop], f"#{int(fronts[start]):06x}", back=f"#{int(backs[start]):06x}")
        for start, stop in zip(starts, stops, strict=True)
    )


def _shaded(brightness: Float64Array, ramp: str, *, is_light: bool) -> tuple[Line, ...]:
    """A character for each place; on a light ground ink is what is dark."""
    share = np.clip(brightness / 255, 0, 1)
    level = np.minimum(((1 - share if is_light else share) * len(ramp)).astype(np.int64), len(ramp) - 1)
    codes = np.array([ord(char) for char in ramp], dtype=np.int64)[level]
    return tuple((Cell(safe(row.astype("<u4").tobytes().decode("utf-32-le"))),) for row in codes)


def beside(pictures: list[tuple[Line, ...]], widths: list[int], *, gap: int = 2) -> tuple[Line, ...]:
    """Pictures (or any blocks of lines) next to each other, each filled to its width, with blanks between."""
    from mlbench.render.chart_frame import filled

    height = max((len(lines) for lines in pictures), default=0)
    return tuple(
        tuple(
            cell
            for index, (lines, width) in enumerate(zip(pictures, widths, strict=True))
            for cell in (
                *filled(lines[y] if y < len(lines) else (), width),
                *((Cell(safe(" " * gap)),) if index + 1 < len(pictures) else ()),
            )
        )
        for y in range(height)
    )
