"""What the runs of a group came to."""

from __future__ import annotations

import math

import pytest

from mlbench.queries.answers import DiffAnswer, MetricCell, MetricRow, ParamCell, ParamRow, RunHead
from mlbench.queries.members import summarise
from tests.tui.fake import FakeSession

RUNS: tuple[RunHead, ...] = tuple(run.head for run in FakeSession().runs[:4])


def row(metric: str, goal: str, values: list[float | None]) -> MetricRow:
    return MetricRow(metric, goal, "", tuple(MetricCell(value, best=value) for value in values))


def test_mean_spread_and_range_are_of_the_finite_values() -> None:
    diff = DiffAnswer(RUNS, (), (row("val/acc", "max", [1.0, 2.0, math.nan, None]), row("n", "", [None] * 4)))

    members = summarise(diff, (64,), 4, 3)

    (spread,) = members.spreads
    assert (spread.metric, spread.goal, spread.what, spread.n) == ("val/acc", "max", "best", 2)
    assert (spread.mean, spread.least, spread.most) == (1.5, 1.0, 2.0)
    assert spread.deviation == pytest.approx(math.sqrt(0.5))
    assert spread.half == pytest.approx(12.7062 * 0.5, rel=1e-4)  # Student's t for one degree of freedom
    assert (members.n_runs, members.n_ended_well, members.keys) == (4, 3, (64,))


def test_one_value_has_no_spread() -> None:
    diff = DiffAnswer(RUNS[:1], (), (row("loss", "", [0.25]),))

    (spread,) = summarise(diff, (None,), 1, 1).spreads

    assert (spread.what, spread.mean, spread.half, spread.deviation) == ("last", 0.25, None, None)


def test_the_members_are_told_apart_by_what_differs() -> None:
    seeds = ParamRow("seed", tuple(ParamCell(f"{n}") for n in range(4)), differs=True)
    same = ParamRow("lr", (ParamCell("1"),) * 4, differs=False)
    diff = DiffAnswer(RUNS, (seeds, same), (row("val/acc", "max", [1.0, None, 3.0, 4.0]),))

    members = summarise(diff, ("x",), 4, 4)

    assert members.params == {"seed": ("0", "1", "2", "3")}
    assert members.values == (1.0, None, 3.0, 4.0)
    assert members.runs == RUNS
