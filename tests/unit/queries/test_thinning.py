"""What is left of curves for a chart: the ends and extremes of each column, of the branch that counts."""

from __future__ import annotations

import math

from mlbench.queries.thinning import ThinCurves, fetch_thinned
from tests.unit.queries.conftest import NAN, FakeReader


def curve(curves: ThinCurves, place: int) -> list[tuple[int, float]]:
    part = slice(curves.starts[place], curves.starts[place + 1])
    return list(zip(curves.steps[part].tolist(), curves.values[part].tolist(), strict=True))


def test_each_column_keeps_its_first_least_greatest_and_last_point(empty: FakeReader) -> None:
    run = empty.add_run("a")
    empty.add_series(run, "loss", [5.0, 9.0, 4.0, 6.0, 5.5, 5.0, 7.0, 1.0, 3.0, 2.0])

    curves = fetch_thinned(empty, [run], "loss", columns=2)

    assert curve(curves, 0) == [(0, 5.0), (1, 9.0), (2, 4.0), (4, 5.5), (5, 5.0), (6, 7.0), (7, 1.0), (9, 2.0)]


def test_the_runs_come_in_the_order_that_was_asked_for(empty: FakeReader) -> None:
    a, b, c = (empty.add_run(name) for name in "abc")
    empty.add_series(a, "loss", [1.0])
    empty.add_series(b, "loss", [2.0, 3.0])
    empty.add_series(c, "other", [9.0])

    curves = fetch_thinned(empty, [b, c, a], "loss", columns=300)

    assert curves.run_ids == (b, a)
    assert [curve(curves, 0), curve(curves, 1)] == [[(0, 2.0), (1, 3.0)], [(0, 1.0)]]


def test_points_that_a_restart_replaced_are_gone(empty: FakeReader) -> None:
    run = empty.add_run("a")
    empty.add_series(run, "loss", [(0, 1.0), (1, 0.9), (2, 0.1), (1, 0.8), (2, 0.7)])

    assert curve(fetch_thinned(empty, [run], "loss", columns=300), 0) == [(0, 1.0), (1, 0.8), (2, 0.7)]


def test_a_nan_is_no_extreme_and_hides_none(empty: FakeReader) -> None:
    run = empty.add_run("a")
    empty.add_series(run, "loss", [1.0, NAN, 5.0, 0.5, NAN])

    found = curve(fetch_thinned(empty, [run], "loss", columns=1), 0)

    assert found[:3] == [(0, 1.0), (2, 5.0), (3, 0.5)]
    assert found[3][0] == 4
    assert math.isnan(found[3][1])


def test_a_metric_that_no_run_has_gives_nothing(empty: FakeReader) -> None:
    run = empty.add_run("a")

    curves = fetch_thinned(empty, [run], "loss", columns=300)

    assert (curves.run_ids, curves.starts.tolist()) == ((), [0])
