"""Promises of restarts: what was replaced is drawn faint, as it was seen before, and counts for nothing."""

from dataclasses import replace

import numpy as np
import pytest

from mlbench.queries.answers import SeriesAnswer
from mlbench.queries.branches import Branches, older_branches
from mlbench.render.chart import ChartOptions
from mlbench.render.chart_branches import branch_points, restarts_text
from mlbench.render.chart_text import CurveOptions, series_chart, series_curves
from mlbench.render.smoothing import ema
from mlbench.wire.views import effective

from .samples import head


def logged(steps: list[int], values: list[float] | None = None) -> SeriesAnswer:
    all_steps = np.array(steps, dtype=np.int64)
    all_values = np.array(steps if values is None else values, dtype=np.float64)
    kept, wall_s = effective(all_steps), 1e9 + np.arange(len(steps), dtype=np.float64)
    older = older_branches(all_steps, wall_s, all_values, kept)
    return SeriesAnswer(head("a"), "loss", all_steps[kept], wall_s[kept], all_values[kept], len(steps), older=older)


def pieces(older: Branches | None) -> list[tuple[int, list[int]]]:
    """Of each branch how many points came before, and its steps."""
    if older is None:
        return []
    parts = np.split(older.steps, older.starts[1:])
    return [(int(fork), part.tolist()) for fork, part in zip(older.forks, parts, strict=True)]


@pytest.mark.parametrize(
    ("steps", "branches"),
    [
        ([1, 2, 3, 3, 4], []),
        ([1, 2, 3, 4, 3, 4, 5], [(2, [3, 4])]),
        ([1, 2, 3, 0, 1], [(0, [1, 2, 3])]),
        ([1, 2, 5, 6, 4, 5, 3, 4], [(2, [5, 6]), (2, [4, 5])]),
        ([1, 2, 3, 2, 3, 4, 4, 3], [(1, [2, 3]), (2, [3, 4, 4])]),
        ([], []),
    ],
)
def test_branches_are_what_restarts_replaced(steps: list[int], branches: list[tuple[int, list[int]]]) -> None:
    assert pieces(logged(steps).older) == branches


def test_a_branch_goes_on_from_the_point_before_it() -> None:
    series = logged([1, 2, 3, 4, 3, 4, 5], [10, 9, 8, 7, 8.5, 7.5, 6.5])
    assert series.older is not None

    x, y = branch_points(
        series.values,
        series.steps.astype(np.float64),
        series.older,
        series.older.steps.astype(np.float64),
        kind="ema",
        amount=0,
    )

    assert x.tolist() == pytest.approx([2, 3, 4, np.nan], nan_ok=True)
    assert y.tolist() == pytest.approx([9, 8, 7, np.nan], nan_ok=True)


def test_a_smoothed_branch_is_the_curve_that_was_seen_before_the_restart() -> None:
    values = [10.0, 9.0, 4.0, 7.0, 8.5, 7.5, 6.5]
    series = logged([1, 2, 3, 4, 3, 4, 5], values)

    faint, shown = series_curves([series], CurveOptions(smoothing=0.6, has_raw=False))

    assert faint.y[:-1].tolist() == ema(np.array(values[:4]), 0.6)[1:].tolist()
    assert (faint.is_faint, faint.pattern, faint.owner) == (True, "dotted", shown.owner)
    assert shown.y.tolist() == ema(np.array([10.0, 9.0, 8.5, 7.5, 6.5]), 0.6).tolist()


@pytest.mark.parametrize("options", [CurveOptions(has_older=False), CurveOptions(is_plain=True), CurveOptions("epoch")])
def test_where_it_cannot_be_told_from_others_it_is_left_out(options: CurveOptions) -> None:
    assert len(series_curves([logged([1, 2, 3, 2, 3])], options)) == 1


@pytest.mark.parametrize("axis", ["step", "relative", "wall"])
def test_a_chart_says_where_it_was_restarted_and_counts_what_counts(axis: str) -> None:
    chart = series_chart(
        [logged([1, 2, 3, 4, 3, 4, 5], [9, 8, 1, 2, 7, 6, 5])], ChartOptions(60, 12), CurveOptions(axis)
    )

    assert "restart at 3" in chart.header
    assert chart.tally.n_points == 5
    assert any(cell.role == "faint0" for line in chart.lines for cell in line)


def test_restarts_of_several_metrics_of_a_run_are_told_once() -> None:
    series = logged([1, 2, 5, 6, 4, 5, 3, 4])
    other = replace(logged([1, 2, 1]), head=head("b"))

    assert restarts_text([series, replace(series, metric="acc")]) == "restart at 3"
    assert restarts_text([series, other]) == "2 restarts from 1"
    assert restarts_text([logged([1, 2])]) == ""
