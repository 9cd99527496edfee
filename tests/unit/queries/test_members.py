"""What the runs of a group came to."""

from __future__ import annotations

import math

import pytest

from mlbench.queries import members as members_module
from mlbench.queries.answers import DiffAnswer, MetricCell, MetricRow, ParamCell, ParamRow, RunHead
from mlbench.queries.members import find_members, summarise
from tests.tui.fake import FakeSession
from tests.unit.queries.conftest import FakeReader, run_id_of

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


def test_means_are_of_all_runs_also_where_only_the_first_are_listed(
    reader: FakeReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = [run_id_of(name) for name in ("old", "diverged", "live", *(f"sweep/{number}" for number in range(5)))]
    whole = find_members(reader, (None,), ids, 6)
    monkeypatch.setattr(members_module, "MOST_MEMBERS", 2)

    members = find_members(reader, (None,), ids, 6)

    assert [run.name for run in members.runs] == ["old", "diverged"]
    assert (members.n_runs, len(members.values)) == (8, 2)
    assert members.spreads[0].metric == "val/loss"
    loss = members.spreads[0]
    assert (loss.what, loss.n, loss.least, loss.most) == ("best", 8, 0.1, 0.9)
    assert {one.metric: (one.goal, one.what, one.n) for one in members.spreads} == {
        one.metric: (one.goal, one.what, one.n) for one in whole.spreads
    }
    for one, other in zip(
        sorted(members.spreads, key=lambda each: each.metric),
        sorted(whole.spreads, key=lambda each: each.metric),
        strict=True,
    ):
        assert one.mean == pytest.approx(other.mean)
        assert one.half == pytest.approx(other.half)
        assert one.deviation == pytest.approx(other.deviation)
