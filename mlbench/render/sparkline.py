"""Curves one line high, for tables: drawn from the catalog's sketches, without numpy."""

from __future__ import annotations

import math
from collections.abc import Sequence

from mlbench.safe import Safe, safe

BLOCKS = "▁▂▃▄▅▆▇█"


def sparkline(sketch: Sequence[float], width: int) -> Safe:
    """The sketch as `width` blocks of eight heights, its least value lowest.

    Shorter sketches are stretched, longer ones averaged. Cells without a finite value are blank; a constant
    curve is drawn half way up; an empty sketch is blank.
    """
    if width <= 0:
        return safe("")
    means = [_mean(sketch, column, width) for column in range(width)] if sketch else [math.nan] * width
    finite = [mean for mean in means if math.isfinite(mean)]
    low, high = (min(finite), max(finite)) if finite else (0.0, 0.0)
    return safe("".join(_block(mean, low, high) for mean in means))


def _mean(sketch: Sequence[float], column: int, width: int) -> float:
    start = column * len(sketch) // width
    stop = max((column + 1) * len(sketch) // width, start + 1)
    finite = [value for value in sketch[start:stop] if math.isfinite(value)]
    # Divided before they are summed: sums of doubles near 1e308 overflow.
    return sum(value / len(finite) for value in finite) if finite else math.nan


def _block(mean: float, low: float, high: float) -> str:
    if math.isnan(mean):
        return " "
    if high == low:
        return BLOCKS[3]
    # Halved, for the same reason.
    share = (mean / 2 - low / 2) / (high / 2 - low / 2) if high / 2 > low / 2 else 0.0
    return BLOCKS[min(int(share * len(BLOCKS)), len(BLOCKS) - 1)]
