"""The x axis of the workbench's charts: what the runs define for themselves, else the step, unless another was chosen."""

import numpy as np
import pytest

from mlbench.queries.answers import SeriesAnswer
from mlbench.render.chart_text import x_values
from mlbench.tui.view import ChartLook, axis_of
from tests.unit.render.samples import head


def curve(over: str) -> SeriesAnswer:
    steps, values = np.arange(3), np.arange(3).astype(np.float64)
    return SeriesAnswer(
        head("a"), "loss", steps, values + 1e9, values, 3, over=over, over_values=10 * values if over else None
    )


@pytest.mark.parametrize(
    ("axis", "overs", "drawn"),
    [
        ("metric", ["epoch", "epoch"], "epoch"),
        ("metric", ["epoch", ""], "step"),
        ("metric", ["epoch", "batch"], "step"),
        ("metric", [""], "step"),
        ("metric", [], "step"),
        ("step", ["epoch"], "step"),
        ("wall", ["epoch"], "wall"),
        ("epoch", ["epoch", "epoch"], "epoch"),
        ("epoch", ["", ""], "step"),
        ("epoch", [], "step"),
    ],
)
def test_the_axis_is_what_all_curves_define(axis: str, overs: list[str], drawn: str) -> None:
    assert axis_of(ChartLook(axis=axis), [curve(over) for over in overs]) == drawn


def test_a_curve_stands_at_the_values_of_its_metric() -> None:
    assert x_values(curve("epoch"), "epoch").tolist() == [0.0, 10.0, 20.0]
    assert x_values(curve("epoch"), "step").tolist() == [0.0, 1.0, 2.0]
