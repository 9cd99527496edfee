"""Summaries of many series at once against each series by itself, in plain Python."""

import math
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlbench.ingest import summary as module
from mlbench.ingest.series import SeriesPoints
from mlbench.ingest.summary import SKETCH_POINTS, sketches, summarise

Row = tuple[int, float, float]
"""Step, wall time and value of a point."""


def gathered(*series: list[Row]) -> SeriesPoints:
    steps, wall_s, values = zip(*(row for rows in series for row in rows), strict=True)
    n = len(steps)
    return SeriesPoints(
        np.array([len(rows) for rows in series]), np.zeros(n, np.int32), np.arange(n), np.array(steps),
        np.array(wall_s, np.float64), np.array(values, np.float64),
    )  # fmt: skip


def summaries(*series: list[Row]) -> list[dict[str, Any]]:
    columns = {name: array.to_pylist() for name, array in summarise(gathered(*series)).items()}
    assert {len(column) for column in columns.values()} == {len(series)}
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def newest_branch(rows: list[Row]) -> list[Row]:
    """The points that no later step back has replaced."""
    kept: list[Row] = []
    for place, row in enumerate(rows):
        if place and row[0] < rows[place - 1][0]:
            kept = [one for one in kept if one[0] < row[0]]
        kept.append(row)
    return kept


def known(wall_s: float) -> float | None:
    return wall_s if math.isfinite(wall_s) else None


def plainly(rows: list[Row]) -> dict[str, Any]:
    """The summary of one series, without its mean and sketch."""
    kept = newest_branch(rows)
    finite = [row for row in kept if math.isfinite(row[2])]
    least = min(finite, key=lambda row: row[2], default=None)
    greatest = max(finite, key=lambda row: row[2], default=None)
    n_nan = sum(math.isnan(row[2]) for row in kept)
    return {
        "n": len(kept), "n_raw": len(rows), "n_nan": n_nan, "n_inf": len(kept) - len(finite) - n_nan,
        "n_back": sum(second[0] < first[0] for first, second in pairwise(rows)),
        "n_repeat": sum(second[0] == first[0] for first, second in pairwise(kept)),
        "first_step": kept[0][0], "last_step": kept[-1][0], "first_value": kept[0][2], "last_value": kept[-1][2],
        "first_wall_s": known(kept[0][1]), "last_wall_s": known(kept[-1][1]),
        "min_value": least and least[2], "min_step": least and least[0], "min_wall_s": least and known(least[1]),
        "max_value": greatest and greatest[2], "max_step": greatest and greatest[0],
        "max_wall_s": greatest and known(greatest[1]),
    }  # fmt: skip


def sketch_plainly(values: list[float]) -> list[float]:
    if len(values) <= SKETCH_POINTS:
        return values
    drawn: list[float] = []
    for stretch in np.array_split(np.array(values), SKETCH_POINTS // 2):
        finite = stretch[np.isfinite(stretch)]
        low, high = (finite.min(), finite.max()) if finite.size else (stretch[0], stretch[-1])
        drawn += [high, low] if finite.size and stretch[0] > stretch[-1] else [low, high]
    return drawn


ODD = st.sampled_from([math.nan, math.inf, -math.inf, 0.0, -0.0, 1.0, 1.5])
NUMBERS = ODD | st.floats(-1e6, 1e6, width=32)
ROWS = st.tuples(st.integers(0, 6) | st.integers(-(2**63), 2**63 - 1), NUMBERS, NUMBERS)
SERIES = st.lists(ROWS, min_size=1, max_size=12)
LONG = st.lists(ROWS, min_size=64, max_size=140)
GROWING = st.lists(NUMBERS, min_size=60, max_size=200).map(
    lambda values: [(step, 1.0 + step, value) for step, value in enumerate(values)]
)


@settings(deadline=None)
@given(st.lists(SERIES | GROWING | LONG, min_size=1, max_size=6), st.booleans())
def test_all_series_at_once_say_what_each_says_alone(series: list[list[Row]], are_lines: bool) -> None:
    if are_lines:
        series = [rows for rows in series for _twice in range(2)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_WORTH_A_CALL", 0 if are_lines else 1 << 30)
        patch.setattr(module, "_MANY_LINES", 1 if are_lines else 1 << 30)
        found = summaries(*series)

    for rows, row in zip(series, found, strict=True):
        mean, sketch = row.pop("mean_value"), row.pop("sketch")
        kept = [value for _step, _wall, value in newest_branch(rows)]
        finite = [value for value in kept if math.isfinite(value)]
        assert repr(sorted(row.items())) == repr(sorted(plainly(rows).items()))
        assert mean == (pytest.approx(math.fsum(finite) / len(finite), rel=1e-9, abs=1e-6) if finite else None)
        np.testing.assert_array_equal(np.array(sketch, np.float32), np.array(sketch_plainly(kept), np.float32))


@settings(deadline=None)
@given(st.lists(SERIES, min_size=2, max_size=5))
def test_a_series_is_summarised_alike_whatever_stands_beside_it(series: list[list[Row]]) -> None:
    alone = [summaries(rows)[0] for rows in series]

    assert repr(summaries(*series)) == repr(alone)


def test_of_equal_extremes_the_first_counts() -> None:
    (row,) = summaries([(1, 10.0, 0.5), (2, 20.0, 0.1), (3, 30.0, 0.1), (4, 40.0, 0.5)])

    assert (row["min_step"], row["min_wall_s"], row["max_step"], row["max_wall_s"]) == (2, 20.0, 1, 10.0)


def test_an_extreme_that_a_restart_replaced_does_not_count() -> None:
    (row,) = summaries([(1, 0.0, 0.5), (2, 1.0, 0.01), (2, 2.0, 9.0), (1, 3.0, 0.4), (2, 4.0, 0.3)])

    assert (row["n"], row["n_raw"], row["n_back"], row["n_repeat"]) == (2, 5, 1, 0)
    assert (row["min_value"], row["max_value"], row["first_value"], row["mean_value"]) == (0.3, 0.4, 0.4, 0.35)


def test_a_series_without_finite_values_has_no_extremes_and_no_mean() -> None:
    alone, beside = summaries([(1, math.nan, math.inf), (2, math.inf, math.nan)], [(1, 1.0, 2.0)])

    assert [alone[name] for name in ("min_value", "min_step", "max_value", "max_wall_s", "mean_value")] == [None] * 5
    assert (alone["n_nan"], alone["n_inf"], alone["first_wall_s"], alone["last_wall_s"]) == (1, 1, None, None)
    assert (beside["min_value"], beside["max_value"], beside["mean_value"]) == (2.0, 2.0, 2.0)


def test_values_whose_sum_is_too_large_have_an_infinite_mean() -> None:
    (row,) = summaries([(1, 0.0, 1.7e308), (2, 0.0, 1.7e308)])

    assert (row["mean_value"], row["max_value"]) == (math.inf, 1.7e308)


# ---------------------------------------------------------------- sketches


def sketched(*curves: list[float]) -> list[list[float]]:
    counts = np.array([len(curve) for curve in curves])
    values = np.array([value for curve in curves for value in curve])
    found: list[list[float]] = sketches(values, np.cumsum(counts) - counts, counts).to_pylist()
    return found


def test_a_short_curve_is_drawn_by_all_its_values() -> None:
    curve = [float(number) for number in range(SKETCH_POINTS)]

    assert sketched([1.0], curve, [2.0, 3.0]) == [[1.0], curve, [2.0, 3.0]]


def test_a_long_curve_is_drawn_by_the_ends_of_its_stretches_in_their_order() -> None:
    rising = [float(number) for number in range(320)]

    up, down = sketched(rising, rising[::-1])

    assert up[:4] == [0.0, 9.0, 10.0, 19.0]
    assert down[:4] == [319.0, 310.0, 309.0, 300.0]
    assert (len(up), len(down)) == (64, 64)


def test_long_curves_among_short_ones_do_not_see_each_other() -> None:
    high, low = [5.0] * 100, [-5.0] * 65

    found = sketched([100.0], high, [200.0] * 3, low, [-100.0])

    assert found == [[100.0], [5.0] * 64, [200.0] * 3, [-5.0] * 64, [-100.0]]


def test_a_spike_is_seen() -> None:
    curve = [0.0] * 1000
    curve[517] = 7.0

    assert sketched(curve)[0].count(7.0) == 1


@given(st.integers(1, 4), st.integers(65, 300), st.integers(0, 5), st.integers(0, 99), st.sampled_from(["f4", "f8"]))
def test_curves_of_one_length_are_drawn_as_they_are_one_by_one(
    n_series: int, n: int, before: int, seed: int, kind: str
) -> None:
    random = np.random.default_rng(seed)
    values = random.integers(-3, 3, before + n_series * n + before).astype(kind)
    values[random.random(values.size) < random.choice([0, 0.1, 0.95])] = random.choice([np.nan, np.inf, -np.inf])
    starts, counts = before + n * np.arange(n_series), np.full(n_series, n)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_MANY_LINES", 1)
        found = sketches(values, starts, counts)
        patch.setattr(module, "_MANY_LINES", 1 << 30)
        expected = sketches(values, starts, counts)

    assert str(found.to_pylist()) == str(expected.to_pylist())


def test_a_stretch_without_finite_values_is_drawn_by_its_ends() -> None:
    (drawn,) = sketched([math.inf, math.nan, -math.inf] * 31 + [2.0, -math.inf, 1.0])

    # From inf to -inf is no fall; of the last stretch the two numbers are drawn.
    assert drawn == [math.inf, -math.inf] * 31 + [2.0, 1.0]
