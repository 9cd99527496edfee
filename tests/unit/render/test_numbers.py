import math
from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlbench.render.numbers import (
    age,
    ago,
    aligned,
    change,
    delta,
    distinct,
    duration,
    exact,
    iso,
    moment_of,
    number,
    percent,
    point_place,
    si,
    size,
    timestamp,
    value_exact,
    value_text,
)

NAN, INF = math.nan, math.inf
MOMENT = datetime(2026, 11, 2, 14, 20, 5)  # noqa: DTZ001 - answers hold naive UTC


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, ""),
        (0.80414, "0.8041"),
        (0.5, "0.5"),
        (3.0, "3"),
        (-0.0, "0"),
        (0.0001, "0.0001"),
        (1e-5, "1e-05"),
        (-1.23456e-7, "-1.235e-07"),
        (12345.678, "12346"),
        (25557032, "25557032"),
        (25557032.0, "25557032"),
        (1.5e10, "1.5e+10"),
        (1e300, "1e+300"),
        (9_999_900.5, "1e+07"),
        (99999999.5, "1e+08"),
        (NAN, "NaN"),
        (INF, "inf"),
        (-INF, "-inf"),
        (True, "True"),
    ],
)
def test_numbers_are_short(value: float | None, text: str) -> None:
    assert number(value) == text


@given(st.floats(-1e307, 1e307))
def test_a_short_number_is_near_its_value(value: float) -> None:
    assert float(number(value)) == pytest.approx(value, rel=1e-3, abs=1e-320)


@given(st.floats())
def test_an_exact_number_has_the_same_bits(value: float) -> None:
    assert math.isnan(value) == math.isnan(float(exact(value)))
    assert math.isnan(value) or float(exact(value)) == value


def test_exact_knows_nothing_and_integers() -> None:
    assert exact(None) == ""
    assert exact(12) == "12"


def test_different_numbers_look_different() -> None:
    assert distinct([0.77891, 0.77893, None, NAN]) == ("0.77891", "0.77893", "", "NaN")
    assert distinct([0.5, 0.25]) == ("0.5", "0.25")
    assert distinct([]) == ()


def test_decimal_points_stand_under_each_other() -> None:
    assert aligned(["1.5", "12", "NaN", "1e-05", ""]) == ("  1.5  ", " 12    ", "NaN    ", "  1e-05", "       ")
    assert aligned([]) == ()
    assert point_place("-inf") == 4


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, ""), (0.0, "="), (0.00571, "+0.00571"), (-0.0403, "-0.0403"), (INF, "+inf"), (NAN, "NaN")],
)
def test_differences_have_signs(value: float | None, text: str) -> None:
    assert delta(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, ""),
        (4.83, "+4.8%"),
        (-12.3, "-12%"),
        (123.4, "+123%"),
        (1234.5, "+1.23k%"),
        (INF, "+inf%"),
        (NAN, "NaN%"),
    ],
)
def test_percents_have_signs(value: float | None, text: str) -> None:
    assert percent(value) == text


@pytest.mark.parametrize(
    ("base", "value", "text"),
    [
        (1.0, 1.0, "="),
        (128, 256, "×2"),
        (0.1, 0.01, "÷10"),
        (0.002, 0.0019, "-5%"),
        (0.0, 0.5, "+0.5"),
        (1.0, -1.0, "-2"),
        (NAN, 1.0, ""),
    ],
)
def test_changes_of_parameters_are_factors(base: float, value: float, text: str) -> None:
    assert change(base, value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (999, "999"),
        (12300, "12.3k"),
        (1.2e6, "1.2M"),
        (999_999, "1M"),
        (5e9, "5G"),
        (1e16, "1e+16"),
        (INF, "inf"),
    ],
)
def test_counts_have_suffixes(value: float, text: str) -> None:
    assert si(value) == text


def test_sizes_have_units() -> None:
    assert size(812) == "812 B"
    assert size(1234) == "1.23 kB"
    assert size(3_400_000) == "3.4 MB"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (None, ""),
        (NAN, ""),
        (INF, "inf"),
        (0.0, "0s"),
        (0.25, "250ms"),
        (5.23, "5.2s"),
        (59.7, "1m"),
        (65.0, "1m 5s"),
        (3600.0, "1h"),
        (7380.0, "2h 3m"),
        (3 * 86400 + 4 * 3600.0, "3d 4h"),
        (-65.0, "-1m 5s"),
    ],
)
def test_durations_have_two_units(seconds: float | None, text: str) -> None:
    assert duration(seconds) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(-5, "now"), (0.5, "now"), (40, "40s"), (200, "3m"), (7300, "2h"), (5 * 86400, "5d"), (50 * 86400, "7w"), (800 * 86400, "2y"), (365 * 86400, "1y")],
)  # fmt: skip
def test_ages_have_one_unit(seconds: float, text: str) -> None:
    assert age(seconds) == text


def test_ago_is_a_phrase() -> None:
    assert ago(200) == "3m ago"
    assert ago(0) == "now"


def test_times_are_utc() -> None:
    assert timestamp(MOMENT) == "2026-11-02 14:20"
    assert iso(MOMENT) == "2026-11-02T14:20:05Z"
    assert moment_of(1_700_000_000.0) == datetime(2023, 11, 14, 22, 13, 20)  # noqa: DTZ001 - naive UTC
    assert moment_of(NAN) is None
    assert moment_of(1e30) is None


@pytest.mark.parametrize(
    ("value", "shown", "kept"),
    [
        (None, "", ""),
        (True, "true", "true"),
        (0.123456789, "0.1235", "0.123456789"),
        (MOMENT, "2026-11-02 14:20", "2026-11-02T14:20:05Z"),
        (("a", "b"), "a, b", "a,b"),
        ("x\ny", "x␊y", "x\ny"),
    ],
)
def test_values_are_shown_and_kept(
    value: bool | float | str | datetime | tuple[str, ...] | None, shown: str, kept: str
) -> None:
    assert value_text(value) == shown
    assert value_exact(value) == kept
