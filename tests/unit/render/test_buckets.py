import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import wasserstein_distance

from mlbench.render.buckets import rebinned, wasserstein
from mlbench.wire.histograms import Histogram


def shared(buckets: list[tuple[float, float, float]], n_bins: int) -> tuple[list[float], list[float]]:
    lefts, rights, counts = (np.array(column, dtype=np.float64) for column in zip(*buckets, strict=True))
    edges, binned = rebinned(lefts, rights, counts, n_bins)
    return edges.tolist(), binned.tolist()


def test_a_wide_bucket_is_shared_out_evenly() -> None:
    assert shared([(0, 2, 8), (2, 4, 2)], 4) == ([0.0, 1.0, 2.0, 3.0, 4.0], [4.0, 4.0, 1.0, 1.0])


def test_narrow_buckets_are_added_up() -> None:
    assert shared([(0, 1, 1), (1, 2, 2), (2, 3, 3), (3, 4, 4)], 2) == ([0.0, 2.0, 4.0], [3.0, 7.0])


def test_a_bucket_without_width_goes_to_one_bin() -> None:
    assert shared([(0, 0, 3), (0, 2, 2), (2, 2, 5)], 2) == ([0.0, 1.0, 2.0], [4.0, 6.0])


def test_a_single_value_has_a_single_bin_around_it() -> None:
    assert shared([(5, 5, 3), (5, 5, 1)], 30) == ([4.95, 5.05], [4.0])
    assert shared([(0, 0, 3)], 30) == ([-1e-6, 1e-6], [3.0])


@settings(deadline=None)
@given(
    st.lists(st.tuples(st.floats(-1e100, 1e100), st.floats(-1e100, 1e100), st.floats(0, 1e6)), min_size=1, max_size=9),
    st.integers(1, 12),
)
def test_no_count_is_lost_and_none_is_made(buckets: list[tuple[float, float, float]], n_bins: int) -> None:
    ordered = [(min(a, b), max(a, b), count) for a, b, count in buckets]

    _edges, binned = shared(ordered, n_bins)

    assert sum(binned) == pytest.approx(sum(count for _a, _b, count in buckets), rel=1e-6, abs=1e-6)


@given(
    st.lists(st.tuples(st.floats(-50, 50), st.floats(0, 20), st.integers(0, 9)), min_size=1, max_size=8),
    st.lists(st.tuples(st.floats(-50, 50), st.floats(0, 20), st.integers(0, 9)), min_size=1, max_size=8),
)
def test_the_distance_is_scipys_of_finely_cut_buckets(
    first: list[tuple[float, float, int]], second: list[tuple[float, float, int]]
) -> None:
    histograms = []
    for rows in (first, second):
        edge, cut = -100.0, []
        for _left, width, count in rows:  # one after the other: buckets do not overlap
            cut.append((edge, edge + width, float(count)))
            edge += width + 1
        histograms.append(Histogram(*(np.array(side) for side in zip(*cut, strict=True))))
    distance = wasserstein(*histograms)

    if any(one.counts.sum() == 0 for one in histograms):
        assert math.isnan(distance)
        return
    points, weights = [], []
    for one in histograms:
        shares = (np.arange(400) + 0.5) / 400
        points.append((one.lefts[:, None] + shares * (one.rights - one.lefts)[:, None]).reshape(-1))
        weights.append(np.repeat(one.counts / 400, 400))
    assert distance == pytest.approx(wasserstein_distance(points[0], points[1], weights[0], weights[1]), abs=0.06)


def test_a_shifted_distribution_is_as_far_as_it_was_shifted() -> None:
    spike, shifted = (Histogram(np.array([x]), np.array([x]), np.array([3.0])) for x in (1.0, 3.5))

    assert wasserstein(spike, shifted) == 2.5
    assert wasserstein(spike, spike) == 0.0
