"""Bands below curves: the interval of a group, as a tint of the background."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from mlbench.dataclass import dataclass
from mlbench.render.axes import places
from mlbench.render.cells import RUN_SLOTS
from mlbench.render.chart_frame import Frame
from mlbench.render.chart_layers import Layers, name_index
from mlbench.render.raster import GLYPHS, owners, packed

if TYPE_CHECKING:
    from mlbench.model import Float64Array
    from mlbench.render.raster import CellArray


@dataclass(frozen=True, slots=True, eq=False)
class Band:
    """An interval below a curve (the runs of a group, from `low` to `high`)."""

    x: Float64Array
    """Shape (n,), rising."""
    low: Float64Array
    high: Float64Array
    slot: int = 0


def draw_bands(layers: Layers, bands: Sequence[Band], frame: Frame, *, glyphs: str, is_shaded: bool) -> None:
    """Inside as a tint of the background, at the edges as quadrant blocks, so that a line can stand on it."""
    drawn = [band for band in bands if np.count_nonzero(np.isfinite(band.x)) > 0]
    if not drawn:
        return
    bits = np.stack([_band_bits(band, frame) for band in drawn])
    owner = owners(bits > 0)
    names = np.array([0, *(name_index(layers, f"band{band.slot % RUN_SLOTS}") for band in drawn)], dtype=np.int64)
    mine = np.take_along_axis(bits, np.maximum(owner, 0)[None], axis=0)[0]
    is_any, is_whole = owner >= 0, (owner >= 0) & (mine == 15)
    if is_shaded or glyphs == "ascii":
        layers.codes[is_any] = ord("░" if glyphs != "ascii" else ",")
    else:
        layers.codes[is_any & ~is_whole] = GLYPHS["blocks"].characters[mine][is_any & ~is_whole]
        layers.backs[is_whole] = names[owner + 1][is_whole]
    layers.roles[is_any] = names[owner + 1][is_any]


def _band_bits(band: Band, frame: Frame) -> CellArray:
    """Which quadrants of each cell lie in the band; an end that a log axis has no place for is its low end."""
    n_columns, n_rows = 2 * frame.width, 2 * frame.height
    x = places(frame.x_axis, band.x) * (n_columns - 1)
    columns = np.arange(n_columns)
    top, bottom = (
        (1 - np.interp(columns, x, np.nan_to_num(places(frame.y_axis, edge)), left=np.nan, right=np.nan)) * (n_rows - 1)
        for edge in (band.high, band.low)
    )  # fmt: skip
    rows = np.arange(n_rows)[:, None]
    return packed((rows >= np.floor(top + 0.5)) & (rows <= np.floor(bottom + 0.5)), GLYPHS["blocks"])
