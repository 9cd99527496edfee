"""The symmetric logarithm: logarithmic on both sides of nought, about linear around it, so that nought has a place.

Source: J. B. W. Webber, "A bi-symmetric log transformation for wide-range data", Meas. Sci. Technol. 24 (2013) 027001.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import TYPE_CHECKING, overload

import numpy as np

if TYPE_CHECKING:
    from mlbench.model import Float64Array

LEAST_SHARE = 1e-6
"""The linear part is at least this share of the greatest usual magnitude: with more decades nought is a jump."""
_USUAL = 0.98
"""So many magnitudes of a curve are usual; a loss of 1e29 says nothing of the others."""
LEAST_LINEAR, GREATEST_RATIO = 1e-270, 1e300
_NEAR_NOUGHT = 0.6
"""Of the distance that ticks have on the average: nearer to nought than that a decade has no label of its own."""


def magnitudes(values: Float64Array, share: float) -> tuple[float, float]:
    """The magnitude that so great a share of those above nought lies below, and the greatest but for outliers.

    NaN and 0 without any.
    """
    finite = np.abs(values[np.isfinite(values) & (values != 0)])
    if not finite.size:
        return math.nan, 0.0
    low, high = int(share * (finite.size - 1)), math.ceil(_USUAL * (finite.size - 1))
    parted = np.partition(finite, (low, high))
    return float(parted[low]), float(parted[high])


def linear_part(found: Iterable[tuple[float, float]]) -> float:
    """Where the scale goes over from linear to logarithmic, by the `magnitudes` of all curves: a power of ten."""
    known = [pair for pair in found if pair[1] > 0]
    if not known:
        return 1.0
    # The lower median: of curves beside one that explodes the small ones shall not become a line on nought.
    least, greatest = min(pair[0] for pair in known), sorted(pair[1] for pair in known)[(len(known) - 1) // 2]
    least = max(least, greatest * LEAST_SHARE, LEAST_LINEAR)
    return max(float(10.0 ** math.floor(math.log10(least) + 1e-9)), LEAST_LINEAR)


@overload
def bent(values: float, linear: float) -> float: ...
@overload
def bent(values: Float64Array, linear: float) -> Float64Array: ...
def bent(values: float | Float64Array, linear: float) -> float | Float64Array:
    """`sign(v) * log(1 + |v| / linear)`: rising, and 0 at nought. Infinity is as far as the greatest double."""
    with np.errstate(over="ignore"):
        curved = np.copysign(np.log1p(np.minimum(np.abs(values) / linear, GREATEST_RATIO)), values)
    return float(curved) if np.ndim(values) == 0 else curved


def unbent(value: float, linear: float) -> float:
    """The inverse of `bent`, at most a bit below the greatest double."""
    # 690: e to the power of it is just above GREATEST_RATIO.
    return math.copysign(min(linear * math.expm1(min(abs(value), 690.0)), GREATEST_RATIO), value)


def tick_values(low: float, high: float, linear: float, n_most: int) -> list[float]:
    """Nought, and decades on both sides with 2 and 5 where there is room; fewer than two where the range has none."""
    greatest = max(abs(low), abs(high))
    first, last = round(math.log10(linear)), math.floor(math.log10(max(greatest, linear)) + 1e-9)
    every = [[m * 10.0**e for e in range(first, last + 1) for m in (1, 2, 5)]]
    every += [[10.0**e for e in range(last, first - 1, -stride)] for stride in range(1, last - first + 2)]
    found: list[float] = []
    for sizes in every:
        # What is too near to nought takes no place from the others.
        found = _apart(_within(sizes, low, high), low, high, linear, n_most)
        if len(found) <= n_most:
            break
    return found


def _within(sizes: list[float], low: float, high: float) -> list[float]:
    values = sorted({0.0, *sizes, *(-size for size in sizes)})
    slack = 1e-9 * max(abs(low), abs(high))
    return [value for value in values if low - slack <= value <= high + slack]


def _apart(values: list[float], low: float, high: float, linear: float, n_most: int) -> list[float]:
    """Without what stands too near to nought to be read beside it."""
    if 0.0 not in values:
        return values
    least = (bent(high, linear) - bent(low, linear)) / max(n_most, 1) * _NEAR_NOUGHT
    return [value for value in values if value == 0 or abs(bent(value, linear)) >= least]
