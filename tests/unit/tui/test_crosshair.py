import numpy as np
import pytest

from mlbench.render.cells import line_cells, plain
from mlbench.render.chart import Curve
from mlbench.tui.widgets.crosshair import Crossed, crossed, lines_below, value_lines


def curve(label: str, values: list[float], slot: int = 0, **more: object) -> Curve:
    x = np.arange(len(values), dtype=np.float64)
    return Curve(x, np.array(values), label, slot, owner=f"id-{label}", **more)  # type: ignore[arg-type]


def chart(metric: str, *curves: Curve, x: float = 1.0, goal: str = "min") -> Crossed:
    found = crossed(metric, curves, x, baseline="id-a", goal=goal)
    assert found is not None
    return found


def texts(charts: list[Crossed], width: int = 60, most: int = 9) -> list[str]:
    lines = value_lines(charts, "step 1", width, most)
    assert all(line_cells(line) <= width for line in lines)
    return plain(lines).split("\n")


LOSS = chart("loss", curve("a", [3, 0.5]), curve("b", [3, 0.25], 1))
ACC = chart("val/acc", curve("a", [0, 0.75]), curve("b", [0, 0.5], 1), curve("c", [0.5, 0.25], 2), goal="max")


def test_one_chart_is_told_on_a_line() -> None:
    assert texts([LOSS]) == [" step 1  1. b 0.25 (-0.25)  2. ◆ a 0.5"]
    assert texts([chart("loss", curve("b", [3, 0.25]))]) == [" step 1  b 0.25"]


def test_several_charts_are_a_table_of_ranks_values_and_differences() -> None:
    assert texts([LOSS, ACC]) == [
        " step 1               loss          val/acc",
        " b         1. 0.25 (-0.25)   2. 0.5 (-0.25)",
        " ◆ a                2. 0.5          1. 0.75",
        " c                           3. 0.25 (-0.5)",
    ]


def test_several_metrics_without_room_for_a_table_are_told_after_each_other() -> None:
    lines = value_lines([LOSS, ACC], "step 1", 60, 4, is_table=False)

    assert plain(lines).split("\n") == [
        " step 1  loss 1. b 0.25 (-0.25)  2. ◆ a 0.5",
        " val/acc 1. ◆ a 0.75  2. b 0.5 (-0.25)  3. c 0.25 (-0.5)",
    ]


def test_how_many_values_have_no_room_is_said() -> None:
    lines = value_lines([ACC], "step 1", 40, 1)

    assert plain(lines) == " step 1  1. ◆ a 0.75  +2 more"


def test_names_are_shortened_before_values_are_left_out() -> None:
    long = chart("loss", *(curve(f"{name}-run-with-a-long-name-{name}", [1, place], place)
                           for place, name in enumerate("abc")))  # fmt: skip

    assert plain(value_lines([long], "step 1", 60, 2)).split("\n") == [
        " step 1  1. a-run-wi…-name-a 0  2. b-run-wi…-name-b 1",
        " 3. c-run-wi…-name-c 2",
    ]


def test_a_table_that_would_cost_a_chart_gives_way_to_the_first_chart() -> None:
    whole = lines_below([LOSS, ACC], [LOSS], "step 1", 60, 9, lambda _n_lines: 2)
    first = lines_below([LOSS, ACC], [LOSS], "step 1", 60, 9, lambda n_lines: 2 if n_lines < 4 else 1)

    assert plain(whole).startswith(" step 1               loss          val/acc")
    assert plain(first) == " step 1  1. b 0.25 (-0.25)  2. ◆ a 0.5"


def test_columns_and_rows_without_room_are_left_out_and_rows_counted() -> None:
    assert texts([LOSS, ACC], width=34) == [
        " step 1               loss",
        " b         1. 0.25 (-0.25)",
        " ◆ a                2. 0.5",
    ]
    assert texts([LOSS, ACC], most=2) == [" step 1               loss          val/acc", " +3 more"]


@pytest.mark.parametrize("x", [-1.0, 5.0, float("nan")])
def test_where_no_curve_goes_no_values_are_told(x: float) -> None:
    assert crossed("loss", [curve("a", [3, 0.5])], x, baseline="", goal="min") is None


def test_a_crosshair_where_no_curve_goes_says_so() -> None:
    assert plain(lines_below([], [], "step 7", 60, 9, lambda _n_lines: 1)) == " step 7  no curve goes here"


def test_faint_curves_and_those_that_end_before_have_no_value() -> None:
    found = chart("loss", curve("a", [3, 2, 1]), curve("b", [3, 2]), curve("c", [1, 1, 1], is_faint=True), x=2.0)

    assert [found.curves[row.place].label for row in found.rows] == ["a"]
