"""Smoothing as the tools that people know define it, in a few vector passes."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from mlbench.errors import UsageError

if TYPE_CHECKING:
    from mlbench.model import Float64Array

NEGLIGIBLE = 1e-17
"""A weight that no longer changes a double of the same size."""
TWEMA_SCALE = 1000.0
"""Points that the x range of a chart counts as, in the time-weighted mean."""
TWEMA_MOST_WEIGHT = 0.999


def ema(values: Float64Array, weight: float) -> Float64Array:
    """Smooth a series the way TensorBoard's slider does.

    Args:
        values: shape (n,), in logged order; n may be 0. What is not finite stays as it is and leaves the mean
            as it was.
        weight: 0 (raw) up to, not including, 1.

    Returns:
        Shape (n,), a new array. Debiased, so that the first finite value is returned unchanged. A constant series
        is returned as it is.

    Raises:
        UsageError: `weight` is not in [0, 1).

    Source: `classicSmoothing` of TensorBoard's line_chart_v2; the bias-corrected mean of Kingma & Ba, "Adam"
    (2015), algorithm 1.
    """
    if not 0 <= weight < 1:
        raise UsageError(f"smoothing {weight:g} is not from 0 up to, not including, 1. Try 0.6")
    smooth = np.array(values, dtype=np.float64)
    if weight == 0 or not smooth.size or np.all(smooth == smooth[0]):
        return smooth
    is_finite = np.isfinite(smooth)
    finite = smooth[is_finite]
    sums = _decayed_sums((1 - weight) * finite, weight)
    # From here on the weights of all points before add up to 1, to the last bit.
    n_biased = min(finite.size, math.ceil(math.log(NEGLIGIBLE) / math.log(weight)))
    with np.errstate(over="ignore"):  # within a bit of the greatest double
        sums[:n_biased] /= 1 - weight ** np.arange(1, n_biased + 1)
    smooth[is_finite] = sums
    return smooth


def _decayed_sums(values: Float64Array, weight: float) -> Float64Array:
    """`s[i] = weight * s[i - 1] + values[i]` by recursive doubling; changes and returns `values`."""
    distance = 1
    factor = weight
    while distance < values.size and factor > NEGLIGIBLE:
        values[distance:] += factor * values[:-distance]
        distance *= 2
        factor *= factor
    return values


def twema(x: Float64Array, values: Float64Array, weight: float) -> Float64Array:
    """Smooth a series the way W&B's default does: the weight of the past fades with distance on the x axis.

    Args:
        x: shape (n,), the x axis; a step back counts as no distance. NaN counts as no distance, too.
        values: shape (n,); what is not finite stays as it is and leaves the mean as it was.
        weight: 0 (raw) to 1; its square root, at most 0.999, is the weight for a thousandth of the x range.

    Returns:
        Shape (n,), a new array. The range is that of the whole series, so that zooming does not change the curve.

    Raises:
        UsageError: `weight` is not in [0, 1].

    Source: "Time weighted exponential moving average" in W&B's documentation of line plot smoothing.
    """
    if not 0 <= weight <= 1:
        raise UsageError(f"smoothing {weight:g} is not from 0 to 1. Try 0.6")
    smooth = np.array(values, dtype=np.float64)
    is_finite = np.isfinite(smooth)
    finite = smooth[is_finite]
    if weight == 0 or not finite.size:
        return smooth
    factors = min(math.sqrt(weight), TWEMA_MOST_WEIGHT) ** _distances(np.asarray(x, np.float64), is_finite)
    # Scaled, since sums of doubles near 1e308 overflow where means do not.
    scale = max(float(np.max(np.abs(finite))), np.finfo(np.float64).tiny)
    sums = _varying_sums(finite / scale, factors)
    smooth[is_finite] = sums / _varying_sums(np.ones_like(finite), factors) * scale
    return smooth


def _distances(x: Float64Array, is_kept: np.ndarray[tuple[int, ...], np.dtype[np.bool_]]) -> Float64Array:
    """Steps along x between the points that are kept, in thousandths of the range of x; the first is 0."""
    known = x[np.isfinite(x)]
    extent = float(np.ptp(known / 2)) if known.size else 0.0
    kept = x[is_kept]
    with np.errstate(invalid="ignore"):
        steps = np.diff(kept / 2, prepend=kept[:1] / 2)
    steps = np.where(steps > 0, steps, 0.0)
    return steps / extent * TWEMA_SCALE if extent > 0 else np.zeros_like(steps)


def _varying_sums(values: Float64Array, factors: Float64Array) -> Float64Array:
    """`s[i] = factors[i] * s[i - 1] + values[i]` by recursive doubling of (factor, sum) pairs."""
    sums = values.copy()
    spans = factors.copy()
    distance = 1
    while distance < sums.size and float(spans[distance:].max()) > NEGLIGIBLE:
        sums[distance:] += spans[distance:] * sums[:-distance]
        spans[distance:] *= spans[:-distance].copy()
        distance *= 2
    return sums


def running_mean(values: Float64Array, width_points: int) -> Float64Array:
    """The mean of the points around each one.

    Args:
        values: shape (n,); what is not finite stays as it is and is in no mean.
        width_points: points of the window (1 and less: the values as they are), which is centred; at the ends it is
            as much of it as there is.

    Source: "Running average" in W&B's documentation of line plot smoothing.
    """
    # Window sums from ones of half the width: differences of running sums would lose all digits after a spike.
    return _weighed(values, lambda finite: _window_sums(finite, min(width_points, 2 * finite.size)), width_points > 1)


def gaussian(values: Float64Array, sigma_points: float) -> Float64Array:
    """The mean around each point with weights of a normal curve, cut off at three standard deviations.

    Args:
        values: shape (n,); what is not finite stays as it is and is in no mean.
        sigma_points: standard deviation, in points; 0 gives the values as they are.

    Source: "Gaussian" in W&B's documentation of line plot smoothing.
    """

    def sums(finite: Float64Array) -> Float64Array:
        reach = max(min(math.ceil(3 * sigma_points), finite.size), 1)
        kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) / sigma_points) ** 2)
        convolved: Float64Array = np.convolve(finite, kernel)[reach : reach + finite.size]
        return convolved

    return _weighed(values, sums, sigma_points > 0)


def _weighed(values: Float64Array, sums: Callable[[Float64Array], Float64Array], is_smooth: bool) -> Float64Array:
    """Weighted sums of the finite values over the sums of their weights."""
    smooth = np.array(values, dtype=np.float64)
    is_finite = np.isfinite(smooth)
    finite = smooth[is_finite]
    if is_smooth and finite.size:
        scale = max(float(np.max(np.abs(finite))), np.finfo(np.float64).tiny)
        smooth[is_finite] = sums(finite / scale) / sums(np.ones_like(finite)) * scale
    return smooth


def _window_sums(values: Float64Array, width: int) -> Float64Array:
    """The sum of `width` values around each, in about log2(width) passes."""
    before = (width - 1) // 2
    block = np.concatenate((np.zeros(before), values, np.zeros(width)))
    total, offset, size = np.zeros_like(values), 0, 1
    while size <= width:
        if width & size:
            total += block[offset : offset + values.size]
            offset += size
        block = block[:-size] + block[size:]
        size *= 2
    return total


KINDS = ("ema", "twema", "mean", "gaussian")
"""`ema` is TensorBoard's, `twema` W&B's."""


def check_amount(kind: str, amount: float) -> None:
    """Raise UsageError where a kind of smoothing cannot take an amount: a weight for `ema` and `twema`, else points."""
    if kind not in KINDS:
        raise UsageError(f"no smoothing '{kind}'. Try one of: {', '.join(KINDS)}")
    if kind in ("ema", "twema") and not 0 <= amount < 1:
        raise UsageError(f"smoothing {amount:g} is not from 0 up to, not including, 1. Try 0.6")
    if kind in ("mean", "gaussian") and not 0 <= amount <= 1e6:
        raise UsageError(f"smoothing {amount:g} is not from 0 to 1,000,000 points. Try 20")


def smoothed(kind: str, amount: float, x: Float64Array, values: Float64Array) -> Float64Array:
    """A series, shape (n,), smoothed in one of KINDS.

    Raises:
        UsageError: `check_amount` says why.
    """
    check_amount(kind, amount)
    if kind == "ema":
        return ema(values, amount)
    if kind == "twema":
        return twema(x, values, amount)
    return running_mean(values, round(amount)) if kind == "mean" else gaussian(values, amount)
