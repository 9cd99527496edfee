import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlbench.render.axes import Axis, fitted_axis, places, tick_step, ticks, trimmed_limits, value_at
from mlbench.render.symlog import linear_part, magnitudes

ANY = st.floats(width=64)
DAY = 86400.0


def _labels(axis: Axis, n_most: int) -> list[str]:
    return [tick.label for tick in ticks(axis, n_most)]


@pytest.mark.parametrize(
    ("low", "high", "n_most", "labels"),
    [
        (0, 100, 5, ["0", "25", "50", "75", "100"]),
        (0, 99990, 6, ["0", "20k", "40k", "60k", "80k"]),
        (0, 1e6, 6, ["0", "200k", "400k", "600k", "800k", "1M"]),
        (0, 1, 5, ["0", "0.25", "0.50", "0.75", "1.00"]),
        (-2, 2, 5, ["-2", "-1", "0", "1", "2"]),
        (0, 1e-5, 3, ["0", "5e-06", "1e-05"]),
        (1_000_000, 1_000_000.4, 5, ["1000000.0", "1000000.1", "1000000.2", "1000000.3", "1000000.4"]),
        (0, 2e12, 3, ["0", "1T", "2T"]),
        (0, 1e20, 3, ["0", "5e+19", "1e+20"]),
        (5e9, 5e9 + 4, 3, ["5000000000", "5000000002", "5000000004"]),
        (0.3, 0.4, 1, ["0.4"]),
        (0, 3e-9, 4, ["0", "1e-09", "2e-09", "3e-09"]),
        (0, 3e-19, 4, ["0", "1e-19", "2e-19", "3e-19"]),
    ],
)
def test_ticks_are_numbers_that_people_choose(low: float, high: float, n_most: int, labels: list[str]) -> None:
    assert _labels(Axis(low, high), n_most) == labels


@pytest.mark.parametrize(
    ("low", "high", "n_most", "labels"),
    [
        (1e-5, 1e3, 10, ["1e-05", "0.0001", "0.001", "0.01", "0.1", "1", "10", "100", "1000"]),
        (0.1, 10, 8, ["0.1", "0.2", "0.5", "1", "2", "5", "10"]),
        (0.2, 0.9, 9, ["0.2", "0.3", "0.4", "0.5", "0.6", "0.8"]),
        (0.201, 0.209, 5, ["0.202", "0.204", "0.206", "0.208"]),
        (1, 1e12, 4, ["1", "10k", "100M", "1T"]),
        (1e-12, 1e12, 3, ["1e-12", "0.001", "1M"]),
        (3, 4, 1, ["4"]),
    ],
)
def test_log_ticks_are_decades_and_finer_where_there_is_room(
    low: float, high: float, n_most: int, labels: list[str]
) -> None:
    assert _labels(Axis(low, high, is_log=True), n_most) == labels


@pytest.mark.parametrize(
    ("high", "labels"),
    [
        (0.4, ["0s", "100ms", "200ms", "300ms", "400ms"]),
        (40, ["0s", "10s", "20s", "30s", "40s"]),
        (400, ["0s", "2m", "4m", "6m"]),
        (9000, ["0s", "1h", "2h"]),
        (4 * DAY, ["0s", "1d", "2d", "3d", "4d"]),
        (90 * DAY, ["0s", "20d", "40d", "60d", "80d"]),
        (8 * DAY, ["0s", "2d", "4d", "6d", "8d"]),
    ],
)
def test_relative_time_has_ticks_of_clocks(high: float, labels: list[str]) -> None:
    assert _labels(Axis(0, high, kind="relative"), 5) == labels


@pytest.mark.parametrize(
    ("low", "high", "linear", "n_most", "labels"),
    [
        (0, 1200, 0.001, 8, ["0", "0.01", "0.1", "1", "10", "100", "1000"]),
        (-2200, 810, 0.1, 8, ["-1000", "-100", "-10", "-1", "0", "1", "10", "100"]),
        (0, 2e6, 1e4, 3, ["0", "100k", "1M"]),
        (-5, 5, 1, 8, ["-5", "-2", "-1", "0", "1", "2", "5"]),
        (-1e6, 1e6, 1, 9, ["-1M", "-10k", "-100", "0", "100", "10k", "1M"]),
        (3, 4, 1, 6, ["3", "3.2", "3.4", "3.6", "3.8", "4"]),
        (20, 3000, 1, 8, ["20", "50", "100", "200", "500", "1000", "2000"]),
        (-0.1, 0.1, 1, 5, ["-0.1", "-0.05", "0", "0.05", "0.1"]),
        (0.9, 3.1, 1, 5, ["1", "1.5", "2", "2.5", "3"]),
    ],
)
def test_symlog_ticks_are_nought_and_decades_on_both_sides(
    low: float, high: float, linear: float, n_most: int, labels: list[str]
) -> None:
    assert _labels(Axis(low, high, linear=linear), n_most) == labels


@pytest.mark.parametrize(
    ("extent", "labels"),
    [
        (40, ["11-14 22:13", "22:13:30", "22:13:40", "22:13:50", "22:14:00"]),
        (7200, ["11-14 22:30", "23:00", "23:30", "11-15 00:00"]),
        (4 * DAY, ["2023-11-15", "2023-11-16", "2023-11-17", "2023-11-18"]),
    ],
)
def test_wall_time_is_utc_with_the_date_where_a_day_begins(extent: float, labels: list[str]) -> None:
    assert _labels(Axis(1_700_000_000, 1_700_000_000 + extent, kind="wall"), 5) == labels


def test_wall_time_beyond_the_calendar_is_a_number() -> None:
    assert _labels(Axis(1e15, 1e15 + DAY * 1e9, kind="wall"), 2)[0].startswith("1")


def test_steps_are_whole() -> None:
    assert _labels(Axis(0, 2, kind="step"), 9) == ["0", "1", "2"]
    assert _labels(Axis(0, 10, kind="step"), 5) == ["0", "5", "10"]
    assert tick_step(2.2 * DAY, "wall") == 5 * DAY


def test_automatic_limits_lie_on_a_grid() -> None:
    assert fitted_axis([np.array([0.013, 0.987])]) == Axis(0.0, 1.0)
    assert fitted_axis([np.array([0.0, 99_990.0])], kind="step") == Axis(0.0, 100_000.0, kind="step")


def test_given_limits_are_kept() -> None:
    assert fitted_axis([np.array([0.0, 1.0])], limits=(0.3, 0.7)) == Axis(0.3, 0.7)


@pytest.mark.parametrize("limits", [(0.7, 0.3), (5.0, None), (None, -5.0), (math.nan, math.inf), (0.5, 0.5)])
def test_limits_that_make_no_range_still_make_an_axis(limits: tuple[float | None, float | None]) -> None:
    axis = fitted_axis([np.array([0.0, 1.0])], limits=limits)

    assert axis.low < axis.high


def test_without_values_the_axis_goes_from_nought_to_one() -> None:
    assert fitted_axis([]) == Axis(0.0, 1.0)
    assert fitted_axis([np.array([-1.0])], is_log=True) == Axis(1.0, 10.0, is_log=True)


def test_a_constant_has_room_on_both_sides() -> None:
    axis = fitted_axis([np.array([5.0])])

    assert (axis.low, axis.high) == (4.75, 5.25)


def test_wall_time_is_never_logarithmic() -> None:
    assert not fitted_axis([np.array([1.0, 2.0])], kind="wall", is_log=True).is_log


def test_symlog_has_a_place_for_nought_and_what_is_below() -> None:
    axis = Axis(-99.0, 99.0, linear=1.0)

    assert places(axis, np.array([-99.0, 0.0, 9.0, 99.0])).tolist() == pytest.approx([0, 0.5, 0.75, 1])
    assert np.isnan(places(axis, np.array([math.nan, math.inf]))).all()
    assert places(axis, np.array([1e308]))[0] > 1
    assert [value_at(axis, place) for place in (0.0, 0.25, 0.5)] == pytest.approx([-99, -9, 0])
    assert not fitted_axis([np.array([1.0, 2.0])], kind="wall", linear=1.0).linear


@pytest.mark.parametrize(
    ("values", "share", "linear"),
    [
        ([0.0, 1.0, 50.0, 2e5], 0.0, 1.0),
        ([-3000.0, 0.02, math.nan, math.inf], 0.0, 0.01),
        ([1e-9, 1e3], 0.0, 1e-3),
        ([-1000.0, *range(20, 120)], 0.1, 10.0),
        ([0.0, math.nan], 0.1, 1.0),
        ([5e-324], 0.1, 1e-270),
    ],
)
def test_the_linear_part_of_a_symlog_follows_the_values(values: list[float], share: float, linear: float) -> None:
    assert linear_part([magnitudes(np.array(values), share)]) == pytest.approx(linear)


def test_what_explodes_does_not_make_a_line_of_the_rest() -> None:
    calm, burst = np.linspace(0.5, 3, 200), np.array([*np.linspace(0.5, 3, 198), 1e29, 1e30])
    exploded = np.geomspace(1, 1e30, 50)

    for curves in ([burst], [calm, exploded], [calm, calm, exploded], [burst, calm]):
        assert linear_part([magnitudes(curve, 0.02) for curve in curves]) == pytest.approx(0.1)


def test_outliers_are_trimmed_on_a_symlog_axis() -> None:
    low, high = trimmed_limits([np.array([-1e29, *np.linspace(-5, 5, 100)])], (None, None), is_log=False, linear=1.0)

    assert low is not None
    assert -1e4 < low < -100
    assert high is None


def test_places_and_values_are_inverse() -> None:
    axis = Axis(0.01, 100.0, is_log=True)

    assert places(axis, np.array([0.01, 1.0, 100.0, 0.0, math.nan, math.inf])).tolist()[:3] == [0.0, 0.5, 1.0]
    assert np.isnan(places(axis, np.array([0.0, -1.0, math.nan, math.inf]))).all()
    assert value_at(axis, 0.5) == pytest.approx(1.0)
    assert value_at(Axis(0, 4), 0.25) == 1.0


@given(
    st.lists(ANY, max_size=8),
    st.sampled_from(["value", "step", "relative", "wall"]),
    st.sampled_from(["linear", "log", "symlog"]),
    st.tuples(ANY | st.none(), ANY | st.none()),
    st.integers(1, 12),
)
def test_any_numbers_have_an_axis_with_ticks_on_it(
    values: list[float], kind: str, scale: str, limits: tuple[float | None, float | None], n_most: int
) -> None:
    array = np.array(values, dtype=np.float64)
    linear = linear_part([magnitudes(array, 0.1)]) if scale == "symlog" else 0.0

    axis = fitted_axis([array], kind=kind, is_log=scale == "log", linear=linear, limits=limits)
    found = ticks(axis, n_most)

    assert axis.low < axis.high
    assert 1 <= len(found) <= max(n_most, 2)
    assert all(0 <= tick.place <= 1 for tick in found)
    if limits == (None, None):
        seen = places(axis, array)
        assert np.all(np.isnan(seen) | (np.abs(array) > 1e299) | ((seen >= -1e-6) & (seen <= 1 + 1e-6)))


def test_outliers_are_trimmed_only_where_there_are_some() -> None:
    calm = np.linspace(1, 2, 100)

    assert trimmed_limits([calm], (None, None), is_log=False) == (None, None)
    low, high = trimmed_limits([calm, np.array([1e29])], (None, None), is_log=False)
    assert low is None
    assert high == pytest.approx(3.3, abs=0.05)
    assert trimmed_limits([calm, np.array([1e29])], (None, 7.0), is_log=False) == (None, 7.0)
    assert trimmed_limits([calm, np.array([1e29, 0.0, math.nan])], (None, None), is_log=True)[1] < 10  # type: ignore[operator]
    assert trimmed_limits([], (None, None), is_log=False) == (None, None)
