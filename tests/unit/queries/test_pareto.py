"""Promises of the Pareto front, and of values where another metric is best."""

import pytest

from mlbench.errors import UsageError
from mlbench.queries.at_best import with_values_at
from mlbench.queries.compare import compare_runs
from mlbench.queries.pareto import find_front
from mlbench.render.cells import plain
from mlbench.render.diff import diff_records, diff_sections
from mlbench.render.table import section_lines
from tests.unit.queries.conftest import FakeReader


def scored(reader: FakeReader, **scores: tuple[float, float]) -> None:
    for name, (acc, size) in scores.items():
        run_id = reader.add_run(name)
        reader.add_params(run_id, size=size)
        reader.add_series(run_id, "acc", [0.0, acc, 0.1])


def test_only_runs_that_no_other_beats_are_on_the_front(empty: FakeReader) -> None:
    scored(empty, best=(0.9, 8.0), cheap=(0.5, 1.0), beaten=(0.8, 9.0), twin=(0.9, 8.0), worst=(0.4, 2.0))
    empty.add_params(empty.add_run("lost"), size=0.5)

    answer = find_front(empty, ["acc", "params.size:min"], columns=["params.size"])

    assert [row.head.name for row in answer.rows] == ["best", "twin", "cheap"]
    assert [column.title for column in answer.columns] == ["max(metrics.acc)", "size", "size"]
    assert answer.remarks[-1] == "3 of 6 runs are not beaten by another in all aims; 1 have no value of one of them"


def test_a_front_needs_two_aims_and_their_goals(empty: FakeReader) -> None:
    scored(empty, a=(0.9, 8.0))

    with pytest.raises(UsageError, match="two aims"):
        find_front(empty, ["acc"])
    with pytest.raises(UsageError, match=r"Try: params\.size:min"):
        find_front(empty, ["acc", "params.size"])


def test_a_duration_shall_be_short(empty: FakeReader) -> None:
    scored(empty, a=(0.9, 8.0))

    assert [column.spec for column in find_front(empty, ["acc", "duration"]).columns] == [
        "max(metrics.acc)",
        "duration",
    ]


def two_curves(reader: FakeReader) -> list[str]:
    ids = [reader.add_run("a"), reader.add_run("b")]
    for run_id, loss in zip(ids, ([3.0, 1.0, 2.0], [1.0, 2.0, 3.0]), strict=True):
        reader.add_series(run_id, "val/loss", loss)
        reader.add_series(run_id, "acc", [(0, 0.25), (1, 0.5 if run_id == ids[0] else 0.625), (2, 0.75)])
    return ids


def test_each_metric_is_told_where_another_is_best(empty: FakeReader) -> None:
    ids = two_curves(empty)

    answer = with_values_at(empty, compare_runs(empty, ids, everything=True), "val/loss")

    cells = {row.metric: [cell.at_best for cell in row.cells] for row in answer.metrics}
    assert cells == {"acc": [0.5, 0.25], "val/loss": [1.0, 1.0]}
    assert "at best val/loss" in plain(section_lines(diff_sections(answer)))
    assert ("at best val/loss", "acc", 0.5, 0.25) in diff_records(answer).rows


def test_a_metric_without_a_goal_is_best_nowhere(empty: FakeReader) -> None:
    ids = two_curves(empty)
    empty.add_series(ids[0], "grad", [1.0])
    answer = compare_runs(empty, ids)

    with pytest.raises(UsageError, match="has no goal"):
        with_values_at(empty, answer, "grad")
    with pytest.raises(UsageError, match="no metric 'los'"):
        with_values_at(empty, answer, "los")
