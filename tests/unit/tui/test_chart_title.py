import pytest

from mlbench.render.cells import line_cells, plain
from mlbench.tui.widgets.chart_grid import grid
from mlbench.tui.widgets.chart_title import shown_remarks, title_lines, x_text

SAID = (
    "exact",
    "40 NaN from 46",
    "20 inf from 26",
    "17 outliers beyond the y axis",
    "smoothing 0.6",
    "log y",
    "x step",
)


def title(width: int, *said: str, metrics: tuple[str, ...] = ("train/loss",), has_second: bool = True) -> list[str]:
    lines = title_lines(metrics, said, width, is_at_work=False, has_second=has_second)
    assert all(line_cells(line) <= width for line in lines)
    return plain(lines).split("\n")


def test_a_title_with_room_is_one_line() -> None:
    assert title(40, "exact", "x step") == [" train/loss              exact · x step"]


def test_what_is_said_of_a_chart_never_costs_its_name() -> None:
    assert title(80, *SAID) == [
        " train/loss      17 outliers beyond the y axis · smoothing 0.6 · log y · x step",
        " exact · 40 NaN from 46 · 20 inf from 26",
    ]
    assert "train/loss" in title(36, *SAID)[0]


def test_a_chart_says_how_many_runs_have_no_such_metric() -> None:
    said = ("smoothing 0.6", "x: wall time (UTC)")

    assert shown_remarks(said, 3, 5) == ("2 of 5 runs without it", "smoothing 0.6")
    assert shown_remarks(said, 5, 5) == ("smoothing 0.6",)
    assert shown_remarks(said, 0, 5) == ("smoothing 0.6",)


def test_many_names_are_cut_where_there_is_no_second_line() -> None:
    (line,) = title(40, "x step", "+2 more", metrics=("val/acc", "val/loss", "train/loss"), has_second=False)

    assert line == " val/acc,…ain/loss     x step · +2 more"


@pytest.mark.parametrize(("axis", "x", "text"), [("step", 12500.0, "12,500"), ("relative", 90.0, "1m 30s"),
                                                 ("val/loss", 0.25, "0.25")])  # fmt: skip
def test_a_place_on_the_axis_is_told_in_its_unit(axis: str, x: float, text: str) -> None:
    assert x_text(axis, x) == text


def test_as_few_columns_as_may_be_and_as_many_as_somebody_asks_for() -> None:
    assert grid(4, 80, 20, 0) == (1, 2)
    assert grid(4, 80, 20, 2) == (2, 2)
    assert grid(4, 160, 43, 3) == (3, 2)
    assert grid(4, 70, 20, 2) == (1, 2)


def test_values_below_the_charts_make_them_lower_rather_than_fewer() -> None:
    assert grid(4, 80, 20, 0, n_below=4) == (1, 2)
    assert grid(4, 80, 20, 0, n_below=5) == (1, 1)
