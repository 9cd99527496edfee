import math

import numpy as np
import pytest

from mlbench.errors import UsageError
from mlbench.render.chart import ChartOptions
from mlbench.render.chart_text import (
    CurveOptions,
    axis_kind,
    chart_text,
    group_curves,
    series_chart,
    series_curves,
    x_values,
)
from mlbench.safe import Safe

from .samples import head, series

NAN = math.nan
STEP = CurveOptions()


def test_steps_wall_time_and_time_since_the_start_are_x_axes() -> None:
    one = series("a", "loss", [1.0, 2.0], started_s=1_700_000_000.0 - 30)

    assert x_values(one, "step").tolist() == [0.0, 10.0]
    assert x_values(one, "wall").tolist() == [1_700_000_000.0, 1_700_000_060.0]
    assert x_values(one, "relative").tolist() == [30.0, 90.0]
    assert axis_kind("relative") == "relative"
    assert axis_kind("epoch") == "value"


def test_without_a_recorded_start_the_first_time_is_the_start() -> None:
    times = np.array([NAN, 100.0, 160.0])

    assert x_values(series("a", "loss", [1, 2, 3], wall_s=times), "relative").tolist()[1:] == [0.0, 60.0]
    assert np.isnan(x_values(series("a", "loss", [1.0], wall_s=np.array([NAN])), "relative")).all()


def test_another_metric_is_met_at_equal_steps() -> None:
    one = series("a", "loss", [1.0, 2.0, 3.0])
    epoch = series("a", "epoch", [0.5, 7.0, 2.0], steps=np.array([0, 20, 0], dtype=np.int64))

    assert x_values(one, "epoch", [series("b", "epoch", [9.0]), epoch]).tolist()[::2] == [2.0, 7.0]
    assert math.isnan(x_values(one, "epoch", [epoch])[1])
    assert np.isnan(x_values(one, "epoch")).all()


def test_colour_says_the_run_and_pattern_the_metric() -> None:
    several = [series("a", "x", [1.0]), series("b", "x", [1.0]), series("a", "y", [1.0])]

    curves = series_curves(several, STEP)

    assert [(c.label, c.slot, c.pattern) for c in curves] == [
        ("a x", 0, "solid"),
        ("b x", 1, "solid"),
        ("a y", 0, "dashed"),
    ]


def test_slots_are_kept_where_they_are_given() -> None:
    curves = series_curves([series("a", "x", [1.0]), series("b", "x", [1.0])], STEP, slots={"id-b": 9})

    assert [(c.slot, c.pattern) for c in curves] == [(0, "solid"), (9, "dashed")]


def test_smoothing_keeps_the_raw_curve_faint_below() -> None:
    raw, smooth = series_curves([series("a", "x", [1.0, 3.0])], CurveOptions(smoothing=0.5))

    assert (raw.is_faint, raw.label, raw.y.tolist()) == (True, "", [1.0, 3.0])
    assert smooth.y.tolist() == pytest.approx([1.0, 7 / 3])


def test_without_colours_patterns_tell_runs_apart_and_raw_curves_are_left_out() -> None:
    curves = series_curves([series(n, "x", [1.0, 2.0]) for n in "abcd"], CurveOptions(smoothing=0.5, is_plain=True))

    assert [c.pattern for c in curves] == ["solid", "dashed", "dotted", "solid"]


def test_more_than_twenty_runs_have_no_colours() -> None:
    curves = series_curves([series(f"r{i}", "x", [1.0]) for i in range(21)], STEP)

    assert {c.role for c in curves} == {"muted"}


def test_a_chart_says_what_was_done() -> None:
    one = [series("a", "val/loss", [1.0, 0.5, 0.25])]

    options = CurveOptions(axis="relative", smoothing=0.6)
    chart = series_chart(one, ChartOptions(60, 10, log_y=True, log_x=True), options)
    plain_chart = series_chart(one, ChartOptions(60, 10, title="mine", remarks=("own",)), CurveOptions())
    wall = series_chart(one, ChartOptions(60, 10, log_x=True), CurveOptions(axis="wall"))
    other = series_chart(
        one, ChartOptions(60, 10), CurveOptions(axis="epoch"), x_series=[series("a", "epoch", [0, 1, 2])]
    )

    assert chart.header == "val/loss   exact   1 not above 0   smoothing 0.6   log y   log x   x: time since start"
    assert plain_chart.header == "mine   exact   own"
    assert wall.header == "val/loss   exact   x: wall time (UTC)"
    assert other.header == "val/loss   exact   x: epoch"
    assert isinstance(chart_text(chart), Safe)


def test_groups_have_a_mean_and_a_band() -> None:
    runs = [series("a", "x", [1.0, 3.0]), series("b", "x", [3.0, 5.0, 7.0]), series("c", "x", [8.0])]
    groups = {"id-a": "g", "id-b": "g", "id-c": "h"}

    curves, bands = group_curves(runs, groups, STEP)

    assert [c.label for c in curves] == ["g (n=2)", "h (n=1)"]
    assert curves[0].y.tolist() == [2.0, 4.0, 7.0]
    assert (bands[0].low.tolist(), bands[0].high.tolist()) == ([1.0, 3.0, 7.0], [3.0, 5.0, 7.0])
    assert len(bands) == 1


@pytest.mark.parametrize(("band", "reach"), [("sd", math.sqrt(2)), ("ci", 12.7062047)])
def test_bands_are_deviations_or_intervals(band: str, reach: float) -> None:
    runs = [series("a", "x", [1.0]), series("b", "x", [3.0])]

    _, bands = group_curves(runs, {"id-a": "g", "id-b": "g"}, STEP, band=band)

    assert bands[0].high[0] == pytest.approx(2.0 + reach)


def test_groups_of_several_metrics_and_without_finite_values() -> None:
    runs = [series("a", "x", [1.0]), series("b", "y", [NAN, NAN]), series("b", "x", [NAN]), series("z", "x", [5.0])]

    curves, bands = group_curves(runs, {"id-a": "g", "id-b": "g", "id-q": "no series"}, STEP, band="none")

    assert [c.label for c in curves] == ["g x (n=2)", "g y (n=1)"]
    assert curves[0].y.tolist() == [1.0]
    assert curves[1].y.tolist() == []
    assert bands == ()


def test_an_unknown_band_is_refused() -> None:
    with pytest.raises(UsageError, match=r"no band 'x'. Try one of: minmax, sd, ci, none"):
        group_curves([], {}, STEP, band="x")


def test_a_run_in_two_folders_of_one_name_has_two_labels() -> None:
    runs = [
        series("0", "x", [1.0], run=head("0", path="/a/0", run_id="1")),
        series("0", "x", [1.0], run=head("0", path="/b/0", run_id="2")),
    ]

    assert [c.label for c in series_curves(runs, STEP)] == ["a/0", "b/0"]
