import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlbench.render import chart_bundles
from mlbench.render.cells import ROLES, line_cells, plain
from mlbench.render.chart import Chart, ChartOptions, Curve, Tally, curve_role, draw_chart
from mlbench.render.chart_bands import Band
from mlbench.render.chart_frame import column_at, row_at, x_at
from mlbench.render.chart_values import CrossValue, chart_values, cross_values, values_line
from tests.golden.check import check_golden

NAN, INF = float("nan"), float("inf")
SMALL = ChartOptions(width_cells=40, height_cells=10, title="loss", legend="none")


def _curve(y: list[float], **rest: object) -> Curve:
    return Curve(np.arange(len(y), dtype=np.float64), np.array(y, dtype=np.float64), **rest)  # type: ignore[arg-type]


def _text(chart: Chart) -> list[str]:
    return plain(chart.lines).split("\n")


def _sine(n: int = 400, phase: float = 0.0) -> Curve:
    x = np.linspace(0, 10, n)
    return Curve(x, np.sin(x + phase), f"phase {phase:g}", int(phase * 2))


def test_a_line_is_drawn_in_braille() -> None:
    chart = draw_chart([_curve([0, 1, 2, 3, 4])], SMALL)

    assert _text(chart) == [
        "loss   exact",
        "4 ┤                                ⣀⠤⠔⠒⠉",
        "  │                          ⢀⣀⠤⠔⠚⠉",
        "  │                     ⣀⡠⠤⠒⠊⠁",
        "2 ┤                ⣀⡠⠴⠊⠉",
        "  │          ⢀⡠⠤⠒⠊⠉",
        "  │     ⣀⡤⠔⠒⠉⠁",
        "0 ┤⣀⠤⠔⠒⠉",
        "  └┬─────────────────┬─────────────────┬",
        "   0                 2                 4",
    ]
    assert chart.tally == Tally(5, 5)


def test_charts_look_as_they_did() -> None:
    curves = [_sine(), _sine(phase=0.5), _sine(phase=1.0)]
    wide = ChartOptions(width_cells=100, height_cells=20, title="sine", x_kind="value", remarks=("smoothing 0.6",))
    narrow = ChartOptions(width_cells=50, height_cells=14, title="sine", x_kind="value")
    drawn = [
        draw_chart(curves, wide),
        draw_chart(curves, narrow),
        draw_chart(curves, ChartOptions(50, 12, x_kind="value", glyphs="blocks", has_header=False)),
        draw_chart(curves, ChartOptions(50, 12, x_kind="value", glyphs="ascii", legend="right")),
    ]

    check_golden("charts.txt", "\n\n".join(plain(chart.lines) for chart in drawn) + "\n")


def test_odd_points_are_marked_and_counted() -> None:
    decay = [10.0, 1.0, 0.1, NAN, 0.05, 0.0, -1.0, 0.02, INF, 0.01, -INF, 0.01]
    curves = [_curve(decay, label="a"), Curve(np.array([0.0, NAN]), np.array([1.0, 2.0]), "b", 1, "dashed")]

    chart = draw_chart(curves, ChartOptions(60, 14, title="loss", log_y=True, remarks=("log y",)))

    assert chart.tally == Tally(14, 14, n_nan=1, n_inf=2, n_not_positive=2, n_without_x=1, first_nan=3.0, first_inf=8.0)
    check_golden("chart_marks.txt", plain(chart.lines) + "\n")


def test_bands_are_a_tint_below_the_line() -> None:
    x = np.linspace(0, 10, 50)
    band = Band(x, np.sin(x) - 0.5, np.sin(x) + 0.5, 2)
    curve = Curve(x, np.sin(x), "mean", 2)

    tinted = draw_chart([curve], ChartOptions(60, 14, x_kind="value"), [band])
    shaded = draw_chart([curve], ChartOptions(60, 14, x_kind="value", is_shaded=True), [band])
    ascii_only = draw_chart([curve], ChartOptions(60, 14, x_kind="value", glyphs="ascii"), [band])

    assert {cell.back for line in tinted.lines for cell in line} == {"", "band2"}
    assert not any(cell.back for line in shaded.lines for cell in line)
    check_golden("chart_bands.txt", "\n\n".join(plain(chart.lines) for chart in (tinted, shaded, ascii_only)) + "\n")


def test_a_band_without_points_and_a_lone_one_do_no_harm() -> None:
    empty = Band(np.array([]), np.array([]), np.array([]))
    odd = Band(np.array([0.0, 1.0]), np.array([NAN, 0.0]), np.array([INF, 1.0]))

    assert len(draw_chart([_curve([0, 1])], SMALL, [empty, odd]).lines) == 10


def test_a_spike_among_a_million_points_is_seen() -> None:
    y = np.zeros(1_000_000)
    y[777_777] = 1.0

    lines = _text(draw_chart([Curve(np.arange(1e6), y)], SMALL))

    assert lines[1].strip("│┤1.0 ") != ""


def test_curves_that_meet_are_both_seen() -> None:
    chart = draw_chart([_curve([1, 1, 1], slot=0), _curve([1, 1, 1], slot=1)], SMALL)

    roles = [cell.role for line in chart.lines for cell in line if cell.text.strip() and cell.role.startswith("run")]
    assert set(roles) == {"run0", "run1"}


def test_a_raw_curve_gives_way_to_the_smoothed_one() -> None:
    raw, smooth = _curve([0, 4, 0, 4], is_faint=True, label="x"), _curve([2, 2, 2, 2], label="x")

    chart = draw_chart([raw, smooth], ChartOptions(80, 10))

    roles = {cell.role for line in chart.lines for cell in line}
    assert {"faint0", "run0"} <= roles
    assert chart.tally.n_points == 4
    assert plain(chart.lines).count("x") == 2


def test_thinned_series_say_so() -> None:
    chart = draw_chart([_curve([1, 2], n_total=5_000)], SMALL)

    assert chart.header == "loss   2 of 5k points"


def test_limits_zoom_and_count_only_what_is_seen() -> None:
    chart = draw_chart([_curve([0, NAN, 2, 3, NAN])], ChartOptions(40, 10, x_limits=(2, 4), y_limits=(0, 10)))

    assert (chart.frame.x_axis.low, chart.frame.x_axis.high) == (2, 4)
    assert (chart.frame.y_axis.low, chart.frame.y_axis.high) == (0, 10)
    assert chart.tally.n_nan == 1


def test_the_y_axis_fits_what_the_x_limits_show() -> None:
    chart = draw_chart([_curve([1000, 2, 3, 4])], ChartOptions(40, 10, x_limits=(1, 3)))

    assert chart.frame.y_axis.high == 4


def test_steps_below_one_have_no_place_on_a_log_axis() -> None:
    chart = draw_chart([_curve([1, 2, 3])], ChartOptions(40, 10, log_x=True))

    assert chart.tally.n_not_positive == 1


@pytest.mark.parametrize(("size", "n_lines"), [((10, 3), 1), ((0, 3), 1), ((80, 0), 0), ((12, 24), 1), ((80, 4), 1)])
def test_without_room_there_is_one_line(size: tuple[int, int], n_lines: int) -> None:
    chart = draw_chart([_curve([1, 2], label="x")], ChartOptions(*size))

    assert len(chart.lines) == n_lines
    assert all(line_cells(line) <= size[0] for line in chart.lines)


def test_nothing_to_draw_is_said() -> None:
    assert "no curves" in plain(draw_chart([], SMALL).lines)
    assert "no finite values" in plain(draw_chart([_curve([])], SMALL).lines)
    assert "×" in plain(draw_chart([_curve([NAN, NAN])], SMALL).lines)


def test_legends_with_more_entries_than_rows_count_the_rest() -> None:
    curves = [_curve([float(k)], label=f"run {k}", slot=k) for k in range(30)]

    right = plain(draw_chart(curves, ChartOptions(80, 12, legend="right")).lines)
    below = plain(draw_chart(curves, ChartOptions(60, 16, legend="below")).lines)

    assert "+22 more" in right
    assert "+11 more" in below


def test_a_curve_may_have_a_role_of_its_own() -> None:
    assert curve_role(_curve([1], role="muted")) == "muted"
    assert curve_role(_curve([1], slot=9, is_faint=True)) == "faint1"


def test_places_in_the_frame_are_found_again() -> None:
    chart = draw_chart([_curve([0, 5, 10])], ChartOptions(40, 12, legend="none"))
    frame = chart.frame

    column = column_at(frame, 1.0)

    assert column is not None
    assert x_at(frame, column) == pytest.approx(1.0, abs=0.05)
    assert column_at(frame, 99.0) is None
    assert row_at(frame, 10.0) == 0
    assert row_at(frame, -99.0) == frame.height - 1
    assert row_at(frame, NAN) is None


def test_a_crosshair_names_the_nearest_points() -> None:
    curves = [_curve([0.5, 0.25, NAN], label="a"), _curve([], label="b")]

    values = chart_values(curves, 1.2)

    assert values == (("a", 1.0, 0.25), None)
    assert values_line(values, 12) == "a 0.25      "


ANY = st.floats(width=64)
POINTS = st.lists(st.tuples(ANY, ANY), max_size=15)


@settings(max_examples=150, deadline=None)
@given(
    st.lists(POINTS, max_size=4),
    st.integers(0, 90),
    st.integers(0, 20),
    st.sampled_from(["linear", "log", "symlog"]),
    st.sampled_from(["linear", "log", "symlog"]),
    st.sampled_from(["step", "relative", "wall", "value"]),
    st.sampled_from(["braille", "blocks", "ascii"]),
    st.sampled_from(["auto", "right", "below", "none"]),
    st.booleans(),
)
def test_no_numbers_and_no_size_break_a_chart(
    points: list[list[tuple[float, float]]], width: int, height: int, x_scale: str, y_scale: str, kind: str,
    glyphs: str, legend: str, is_faint: bool,
) -> None:  # fmt: skip
    curves = [
        Curve(np.array([p[0] for p in one]), np.array([p[1] for p in one]), f"run {slot}", slot, is_faint=is_faint)
        for slot, one in enumerate(points)
    ]
    bands = [
        Band(np.sort(curve.x[np.isfinite(curve.x)]), *(curve.y[np.isfinite(curve.x)],) * 2) for curve in curves[:1]
    ]
    options = ChartOptions(
        width, height, "t", kind, x_scale == "log", y_scale == "log", glyphs=glyphs, legend=legend,
        symlog_x=x_scale == "symlog", symlog_y=y_scale == "symlog",
    )  # fmt: skip

    chart = draw_chart(curves, options, bands)

    assert len(chart.lines) <= height
    assert all(line_cells(line) <= width for line in chart.lines)
    assert all(cell.role in ROLES and cell.back in ROLES for line in chart.lines for cell in line)


def test_trimmed_outliers_are_counted_and_the_rest_is_seen() -> None:
    values = [1 - 0.01 * step for step in range(60)]
    values[30] = 1e29

    chart = draw_chart([_curve(values, label="a")], ChartOptions(60, 14, title="loss", is_trimmed=True))

    assert chart.frame.y_axis.high < 3
    assert chart.tally.n_beyond == 1
    assert "1 outliers beyond the y axis" in chart.header


def test_a_crosshair_says_difference_and_rank() -> None:
    curves = [_curve([0.5, 0.4], label="a"), _curve([0.5, 0.1], label="b"), _curve([0.5, NAN], label="c")]

    rows = cross_values(curves, 1.0, baseline=0)

    assert rows[:2] == (CrossValue(1, 1.0, 0.1, 0.1 - 0.4, 1), CrossValue(0, 1.0, 0.4, None, 2))
    assert (rows[2].place, rows[2].rank) == (2, None)
    assert [row.place for row in cross_values(curves, 0.9, goal="max")] == [0, 1, 2]
    assert [row.rank for row in cross_values(curves, 0.0)] == [1, 1, 1]
    assert cross_values([_curve([], label="a")], 1.0) == ()


_ODD = st.one_of(st.floats(-5, 5), st.sampled_from([NAN, math.inf, -math.inf, 0.0, 1e300, -1e300, 3.0]))


@given(
    st.lists(st.lists(st.tuples(_ODD, _ODD), max_size=6), min_size=21, max_size=30),
    st.sampled_from([{}, {"log_x": True}, {"log_y": True}, {"symlog_x": True, "symlog_y": True}]),
    st.booleans(),
    st.sampled_from([1, 5, 16_384]),
)
def test_many_curves_in_bundles_look_as_they_do_one_by_one(
    points: list[list[tuple[float, float]]], scales: dict[str, bool], is_trimmed: bool, window: int
) -> None:
    curves = [
        Curve(np.array([x for x, _ in some]), np.array([y for _, y in some]), f"run {n}", n, role="muted", n_total=9)
        for n, some in enumerate(points)
    ]
    options = ChartOptions(80, 14, is_trimmed=is_trimmed, **scales)  # type: ignore[arg-type]

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(chart_bundles, "WINDOW_POINTS", window)
        together = draw_chart(curves, options)
        patched.setattr(chart_bundles, "MOST_APART", 30)
        apart = draw_chart(curves, options)

    assert together == apart


def test_outliers_on_a_logarithmic_axis_may_be_hundreds_of_decades_away() -> None:
    y = [1e-288, 1e-222, *[1.0] * 9, 1e290]

    chart = draw_chart([_curve(y)], ChartOptions(60, 14, log_y=True, is_trimmed=True))

    assert chart.tally.n_points == 12


def test_a_symlog_axis_shows_what_lies_on_both_sides_of_nought() -> None:
    chart = draw_chart([_curve([-1000, -10, 0, 10, 1000], label="a")], ChartOptions(60, 14, symlog_y=True))

    assert chart.frame.y_axis.linear == 10
    assert chart.tally.n_not_positive == 0
    assert plain(chart.lines).count("▼") == 0


@pytest.mark.parametrize(
    ("glyphs", "base", "other"), [("braille", "◆─ base", "── other"), ("ascii", "*- base", "-- other")]
)
def test_the_legend_marks_the_baseline(glyphs: str, base: str, other: str) -> None:
    curves = [_curve([1.0, 0.5], label="base", is_baseline=True), _curve([1.0, 0.7], label="other", slot=1)]

    text = plain(draw_chart(curves, ChartOptions(60, 10, legend="below", glyphs=glyphs)).lines)

    assert base in text
    assert other in text


def test_a_legend_below_leaves_a_low_chart_its_picture() -> None:
    curves = [_curve([0, number], label=f"run {number}") for number in range(1, 8)]

    chart = draw_chart(curves, ChartOptions(40, 10, legend="below"))

    assert chart.frame.height == 6
    assert "more" in plain(chart.lines)
