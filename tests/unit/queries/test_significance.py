"""Promises of the statistics: held against scipy, and against results that are printed in books and papers."""

import math

import numpy as np
import pytest
import scipy.stats
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from mlbench.queries.estimates import Interval, estimate, estimates, interquartile_mean, student_interval
from mlbench.queries.significance import (
    MOST_EXACT,
    chance_of,
    contrast,
    hedges_g,
    holm,
    least_p,
    n_needed,
    welch_interval,
)

SLEEP_1 = [0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0]
SLEEP_2 = [1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4]
"""Hours of extra sleep under two drugs: Student (1908), "The probable error of a mean"."""
MAIZE = [49, -67, 8, 16, 6, 23, 28, 41, 14, 29, 56, 24, 75, 60, -48]
"""Darwin's crossed minus self-fertilised maize, eighths of an inch: Fisher (1935), "The Design of Experiments", 21."""
numbers = st.lists(st.integers(-50, 50).map(float), min_size=2, max_size=6)


def test_the_interval_of_students_sleep_data_is_welchs() -> None:
    found = contrast(SLEEP_1, SLEEP_2)

    assert found.difference == pytest.approx(1.58)
    assert found.interval is not None
    assert (found.interval.low, found.interval.high) == pytest.approx((-0.2054832, 3.3654832), abs=1e-7)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.floats(-100, 100), min_size=2, max_size=8), st.lists(st.floats(-100, 100), min_size=2, max_size=8))
def test_welchs_interval_is_scipys(a: list[float], b: list[float]) -> None:
    assume(min(np.ptp(a), np.ptp(b)) > 1e-3)
    theirs = scipy.stats.ttest_ind(b, a, equal_var=False).confidence_interval(0.95)

    found = welch_interval(np.array(a), np.array(b))

    assert found is not None
    assert (found.low, found.high) == pytest.approx((theirs.low, theirs.high), rel=1e-6, abs=1e-6)


def test_paired_sleep_data_have_the_interval_of_the_differences() -> None:
    found = contrast(SLEEP_1, SLEEP_2, is_paired=True)

    assert found.interval is not None
    assert (found.interval.low, found.interval.high) == pytest.approx((0.7001142, 2.4598858), abs=1e-7)


def test_fishers_count_for_darwins_maize_is_found() -> None:
    found = contrast([0.0] * 15, [float(value) for value in MAIZE], is_paired=True)

    assert found.chance is not None
    assert (found.chance.n_as_far, found.chance.n_arrangements, found.chance.is_exact) == (863, 32_768, True)
    assert found.chance.p == pytest.approx(0.05267, abs=1e-5)


def test_two_and_two_runs_come_out_as_far_by_chance_one_time_in_six() -> None:
    found = contrast([0.90, 0.91], [0.93, 0.95])

    assert found.chance is not None
    assert (found.chance.n_as_far, found.chance.n_arrangements) == (1, 6)
    assert found.chance.p == pytest.approx(1 / 3)
    assert found.exceeds == 1.0


def test_values_that_are_nearly_alike_still_tie() -> None:
    found = contrast([0.1 + 0.2, 0.3, 0.9001], [0.3, 0.3, 0.9001])

    assert found.chance is not None
    assert found.chance.p == 1.0


def test_one_value_on_a_side_says_nothing_about_chance() -> None:
    found = contrast([1.0], [2.0])

    assert (found.chance, found.p, found.interval, found.effect, found.bootstrap) == (None, None, None, None, None)


def test_samples_that_do_not_vary_have_no_interval() -> None:
    found = contrast([1.0, 1.0, 1.0], [2.0, 2.0, 2.0])

    assert (found.interval, found.bootstrap, found.effect) == (None, None, None)
    assert found.p == pytest.approx(0.1)


def test_pairs_must_be_as_many() -> None:
    with pytest.raises(ValueError, match="of pairs as many"):
        contrast([1.0], [1.0, 2.0], is_paired=True)


def test_many_values_are_dealt_out_at_random_and_the_same_way_each_time() -> None:
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=30), rng.normal(1.0, size=30)

    first, second = (chance_of(x, y, is_paired=False) for _ in range(2))

    assert first == second
    assert first is not None
    assert not first.is_exact
    assert first.n_arrangements == 10_000
    assert first.p == pytest.approx(scipy.stats.ttest_ind(x, y).pvalue, abs=0.005)


@settings(max_examples=60, deadline=None)
@given(numbers, numbers)
def test_an_exact_test_is_scipys(a: list[float], b: list[float]) -> None:
    found = contrast(a, b)
    theirs = scipy.stats.permutation_test(
        (np.array(b), np.array(a)), lambda y, x, axis: y.mean(axis) - x.mean(axis), vectorized=True, n_resamples=10**6
    )

    assert found.chance is not None
    assert found.chance.p == pytest.approx(theirs.pvalue)
    assert found.exceeds == pytest.approx(scipy.stats.mannwhitneyu(b, a).statistic / (len(a) * len(b)))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=30))
def test_the_interquartile_mean_is_scipys_trimmed_mean(values: list[float]) -> None:
    expected = scipy.stats.trim_mean(values, 0.25)

    assert interquartile_mean(np.array(values)) == pytest.approx(expected, rel=1e-9, abs=1e-6)


def test_the_interval_of_a_mean_is_scipys() -> None:
    low, high = scipy.stats.t.interval(0.95, 9, np.mean(SLEEP_1), scipy.stats.sem(SLEEP_1))

    found = student_interval(SLEEP_1)

    assert found is not None
    assert (found.low, found.high) == pytest.approx((low, high))


def test_the_estimates_of_many_groups_are_those_of_each_alone() -> None:
    groups = [(0.91, 0.93, 0.92), (1.0, 1.0, 1.0), (0.5, 0.25, 0.75), (1.0, 2.0), (), (3.0, 1.0, 4.0, 1.5)]

    found = estimates(groups)

    assert found == tuple(estimate(group) for group in groups)
    assert [one and one.bootstrap is not None for one in found] == [True, False, True, False, None, True]


def test_the_bootstrap_is_scipys_and_repeats() -> None:
    found = contrast(SLEEP_1, SLEEP_2)
    again = contrast(SLEEP_1, SLEEP_2)

    assert found.bootstrap == again.bootstrap
    assert found.bootstrap is not None
    assert (found.bootstrap.low, found.bootstrap.high) == pytest.approx((0.0, 3.1), abs=0.25)


def test_an_estimate_holds_mean_median_and_interquartile_mean() -> None:
    found = estimate([1.0, 2.0, 3.0, 10.0])

    assert found is not None
    assert (found.n, found.mean, found.median, found.iqm, found.least, found.greatest) == (4, 4.0, 2.5, 2.5, 1.0, 10.0)
    assert estimate([]) is None


def test_one_value_is_its_own_mean_without_an_interval() -> None:
    found = estimate([2.0])

    assert found is not None
    assert (found.mean, found.deviation, found.student, found.bootstrap) == (2.0, None, None, None)


def test_an_interval_knows_its_middle() -> None:
    assert Interval(-1.0, 3.0).half == 2.0
    assert Interval(-1.0, 3.0).holds(3.0)
    assert not Interval(-1.0, 3.0).holds(3.1)


def test_hedges_correction_is_the_one_of_his_table() -> None:
    x = np.array([0.0, 1.0, 0.0, 1.0, 0.0, 1.0])
    pooled = math.sqrt(6 * 0.25 * 2 / 10)

    # c(10) = 0.9228 in table 1 of Hedges (1981), whose approximation 1 - 3 / (4 m - 1) gives 0.9231.
    assert hedges_g(x, x + 1.0) == pytest.approx(0.9228 / pooled, rel=1e-4)


def test_holm_corrects_as_r_does() -> None:
    assert holm([0.01, 0.02, 0.03, 0.04, 0.05]) == pytest.approx((0.05, 0.08, 0.09, 0.09, 0.09))
    assert holm([0.04, None, 0.01]) == (0.04, None, 0.02)
    assert holm([]) == ()


def test_from_four_runs_on_each_side_a_difference_can_be_shown() -> None:
    assert (n_needed(is_paired=False), n_needed(is_paired=True)) == (4, 6)
    assert least_p(3, 3, is_paired=False) == pytest.approx(0.1)
    assert math.comb(18, 9) <= MOST_EXACT
