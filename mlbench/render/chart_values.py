"""What stands at a crosshair: for each curve its value, the difference to the baseline, and its rank."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from mlbench.dataclass import dataclass
from mlbench.render.cells import fit, padded
from mlbench.render.numbers import number
from mlbench.safe import Safe, safe

if TYPE_CHECKING:
    from mlbench.render.chart import Curve


@dataclass(frozen=True, slots=True)
class CrossValue:
    """One curve at a crosshair."""

    place: int
    """Of the curve among those that were given."""
    x: float
    """Of the point nearest to the crosshair."""
    value: float
    delta: float | None = None
    """To the baseline's value there; None without a baseline, and for itself."""
    rank: int | None = None
    """1 is best; equal values have equal ranks, and what is not finite has none."""


def cross_values(
    curves: Sequence[Curve], x: float, *, baseline: int | None = None, goal: str = ""
) -> tuple[CrossValue, ...]:
    """Curves at a crosshair, best first; those without points are left out.

    Args:
        curves: of one metric.
        x: of the crosshair.
        baseline: place of the baseline's curve.
        goal: `min` or `max`; without one the least value is first.
    """
    found = [(place, *nearest[1:]) for place, curve in enumerate(curves) if (nearest := _nearest(curve, x)) is not None]
    base = next((value for place, _x, value in found if place == baseline), None)
    sign = -1.0 if goal == "max" else 1.0
    order = sorted(sign * value for _place, _x, value in found if np.isfinite(value))
    rows = [
        CrossValue(
            place,
            at,
            value,
            None if base is None or place == baseline else value - base,
            order.index(sign * value) + 1 if np.isfinite(value) else None,
        )
        for place, at, value in found
    ]
    return tuple(sorted(rows, key=lambda row: (row.rank is None, row.rank or 0)))


def chart_values(curves: Sequence[Curve], x: float) -> tuple[tuple[str, float, float] | None, ...]:
    """For each curve the label, x and y of the point nearest to `x` (a crosshair's table), None without points."""
    return tuple(_nearest(curve, x) for curve in curves)


def _nearest(curve: Curve, x: float) -> tuple[str, float, float] | None:
    distances = np.abs(curve.x - x)
    if not np.isfinite(distances).any():
        return None
    index = int(np.nanargmin(distances))
    return curve.label, float(curve.x[index]), float(curve.y[index])


def values_line(values: Sequence[tuple[str, float, float] | None], width: int) -> Safe:
    """`chart_values` on one line: `09702 0.912 · 08861 0.977`."""
    texts = [f"{label} {number(y)}" for label, _, y in (value for value in values if value is not None)]
    return padded(fit(safe(" · ".join(texts)), width), width)
