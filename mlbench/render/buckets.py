"""Buckets of any widths as bars of one width, the way TensorBoard's histograms are drawn."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from mlbench.model import Float64Array


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
    for place in range(n_bins):
        overlap = np.minimum(right, edges[place + 1]) - np.maximum(left, edges[place])
        binned[place] += float((np.maximum(overlap, 0.0) / (right - left) * count).sum())
    return edges, binned
