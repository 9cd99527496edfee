"""Buckets of any widths as bars of one width, the way TensorBoard's histograms are drawn."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from mlbench.model import Float64Array, Int64Array
    from mlbench.wire.histograms import Histogram


_MOST_CELLS = 1 << 16


def rebinned(
    lefts: Float64Array, rights: Float64Array, counts: Float64Array, n_bins: int
) -> tuple[Float64Array, Float64Array]:
    """Share the counts of buckets out to bins of equal width, each by the part of the bucket that lies in the bin.

    Args:
        lefts: shape (n,), n at least 1; finite, and so far from the greatest double that differences are, too.
        rights: shape (n,), each at or above its left edge. What lies in a bucket of no width goes to one bin.
        counts: shape (n,), not negative.
        n_bins: at least 1.

    Returns:
        Edges, shape (n_bins + 1,), from the least left to the greatest right edge, and counts, shape (n_bins,); their
        sum is that of the buckets. Where all edges are (nearly) equal there is one bin around them.
    """
    low, high = float(lefts.min()), float(rights.max())
    if high - low <= max(abs(low), abs(high)) * 1e-9:
        reach = max(abs(low) * 0.01, 1e-6)
        return np.array([low - reach, high + reach]), np.array([float(counts.sum())])
    edges = np.linspace(low, high, n_bins + 1)
    is_wide = rights > lefts
    places = np.clip(np.searchsorted(edges, lefts[~is_wide], side="right") - 1, 0, n_bins - 1)
    binned = np.bincount(places, weights=counts[~is_wide], minlength=n_bins).astype(np.float64)
    left, right, count = lefts[is_wide], rights[is_wide], counts[is_wide]
    # All bins at once for histograms as people log them; a row of a million buckets is taken bin by bin.
    n_at_once = max(_MOST_CELLS // max(left.size, 1), 1)
    for start in range(0, n_bins, n_at_once):
        ends = edges[start : start + n_at_once + 1, None]
        overlap = np.minimum(right, ends[1:]) - np.maximum(left, ends[:-1])
        binned[start : start + n_at_once] += (np.maximum(overlap, 0.0) / (right - left) * count).sum(axis=1)
    return edges, binned


def wasserstein(first: Histogram, second: Histogram) -> float:
    """How far mass must be moved, on average, to make one distribution of the other; in the unit of the values.

    Values are spread evenly in their bucket, as everywhere; buckets without an end are left out. NaN where one of them
    is empty.

    Source: the 1-Wasserstein distance is the area between the distribution functions (Vallender, 1974).
    """
    (x, f), (z, g) = _distribution(first), _distribution(second)
    if not x.size or not z.size:
        return float("nan")
    # A step up at a bucket without width has two heights at one place: each side of it is looked at.
    edges = np.unique(np.concatenate((x, z)))
    right, left = _between(x, f, edges) - _between(z, g, edges), _before(x, f, edges) - _before(z, g, edges)
    a, b, width = right[:-1], left[1:], np.diff(edges)
    # The area between a line from a to b and zero: two triangles where the signs differ.
    crosses = a * b < 0
    total = np.abs(a) + np.abs(b)
    area = np.where(crosses, (a**2 + b**2) / np.where(crosses, 2 * total, 1.0), total / 2)
    return float((area * width).sum())


def quantiles(histogram: Histogram, shares: Sequence[float]) -> tuple[float, ...] | None:
    """Below which value so much of the distribution lies, for shares of 0 to 1; None for an empty histogram."""
    places, heights = _distribution(histogram)
    return tuple(np.interp(shares, heights, places).tolist()) if places.size else None


def _distribution(histogram: Histogram) -> tuple[Float64Array, Float64Array]:
    """Edges and how much lies up to each, 0 to 1; an edge comes twice where there is a step."""
    has_mass = np.isfinite(histogram.lefts) & np.isfinite(histogram.rights) & (histogram.counts > 0)
    lefts, rights = histogram.lefts[has_mass], histogram.rights[has_mass]
    order = np.argsort(lefts, kind="stable")
    counts = histogram.counts[has_mass][order]
    upto = np.cumsum(counts)
    if not upto.size:
        return np.empty(0), np.empty(0)
    places = np.stack((lefts[order], rights[order]), axis=1).reshape(-1)
    heights = np.stack((upto - counts, upto), axis=1).reshape(-1) / upto[-1]
    return np.maximum.accumulate(places), heights


def _between(x: Float64Array, f: Float64Array, at: Float64Array) -> Float64Array:
    """The distribution function at and right of places."""
    return _read(x, f, at, np.searchsorted(x, at, side="right"))


def _before(x: Float64Array, f: Float64Array, at: Float64Array) -> Float64Array:
    """The distribution function just left of places."""
    return _read(x, f, at, np.searchsorted(x, at, side="left"))


def _read(x: Float64Array, f: Float64Array, at: Float64Array, after: Int64Array) -> Float64Array:
    low, high = np.clip(after - 1, 0, x.size - 1), np.clip(after, 0, x.size - 1)
    width = x[high] - x[low]
    share = np.where(width > 0, (at - x[low]) / np.where(width > 0, width, 1.0), 0.0)
    inside = f[low] + np.clip(share, 0, 1) * (f[high] - f[low])
    return np.where(after == 0, 0.0, np.where(after == x.size, 1.0, inside))
