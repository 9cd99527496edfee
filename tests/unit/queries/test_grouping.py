"""Promises of runs in groups."""

import pytest

from mlbench.queries.answers import GroupCell
from mlbench.queries.estimates import student_half
from mlbench.queries.grouping import GroupsAnswer, group_runs
from mlbench.queries.mistakes import FilterError
from mlbench.render.groups import groups_records, groups_summary, groups_table
from mlbench.render.table import layout
from tests.unit.queries.conftest import NAN, FakeReader


@pytest.fixture
def sweep(empty: FakeReader) -> FakeReader:
    """Two optimizers with three and two seeds, and a run without."""
    curves: dict[tuple[str, int], list[float]] = {
        ("adam", 0): [3.0, 1.0], ("adam", 1): [3.0, 2.0], ("adam", 2): [3.0, 3.0],
        ("sgd", 0): [0.5, NAN], ("sgd", 1): [4.0, 4.0],
    }  # fmt: skip
    for (optimizer, seed), curve in curves.items():
        run = empty.add_run(f"{optimizer}-{seed}", status="finished")
        empty.add_params(run, optimizer=optimizer, seed=seed, depth=8)
        empty.add_series(run, "loss", curve)
    empty.add_run("bare")
    return empty


def keys(answer: GroupsAnswer) -> list[object]:
    return [row.keys[0] for row in answer.rows]


def test_each_value_is_a_group_and_none_is_one_too(sweep: FakeReader) -> None:
    answer = group_runs(sweep, ["optimizer"], columns=["loss"])

    assert [(row.keys, len(row.run_ids)) for row in answer.rows] == [(("adam",), 3), (("sgd",), 2), ((None,), 1)]
    assert (answer.n_groups, answer.n_matched, answer.n_runs) == (3, 6, 6)
    assert answer.remarks == ("optimizer is params.optimizer", "loss is metrics.loss")


def test_a_metric_is_told_as_the_mean_of_its_finite_values(sweep: FakeReader) -> None:
    adam, sgd, bare = (row.cells[0] for row in group_runs(sweep, ["optimizer"], columns=["loss"]).rows)

    assert (adam.value, adam.n) == (2.0, 3)
    assert adam.half == pytest.approx(2.484, abs=1e-3)  # t(2 degrees, 97.5 %) = 4.303, times 1 / sqrt(3)
    assert (sgd.value, sgd.half, sgd.n) == (4.0, None, 1)
    assert bare == GroupCell(None, None, 0, 0)


def test_settings_have_no_mean_but_what_all_share(sweep: FakeReader) -> None:
    (row,) = group_runs(sweep, ["optimizer"], where="optimizer = adam", columns=["params.seed, depth", "status"]).rows

    assert row.cells == (GroupCell(None, None, 3, 3), GroupCell(8, None, 3, 1), GroupCell("finished", None, 3, 1))


def test_groups_of_several_columns_stand_in_their_order(sweep: FakeReader) -> None:
    answer = group_runs(sweep, ["params.seed, optimizer"], where="optimizer is not null", columns=["loss"])

    assert [row.keys for row in answer.rows] == [(0, "adam"), (0, "sgd"), (1, "adam"), (1, "sgd"), (2, "adam")]


def test_groups_are_sorted_by_means_aliases_and_keys_and_nothing_comes_last(sweep: FakeReader) -> None:
    by = ["params.optimizer as how"]

    assert keys(group_runs(sweep, by, columns=["loss"], sort=["metrics.loss:desc"])) == ["sgd", "adam", None]
    assert keys(group_runs(sweep, by, columns=["first(loss) as start"], sort=["start"])) == ["sgd", "adam", None]
    assert keys(group_runs(sweep, by, columns=["loss"], sort=["how:desc"])) == ["sgd", "adam", None]
    assert keys(group_runs(sweep, by, columns=["loss"], sort=["max(loss)"], limit=1)) == ["sgd"]


def test_the_usual_columns_are_metrics(sweep: FakeReader) -> None:
    assert [column.spec for column in group_runs(sweep, ["optimizer"]).columns] == ["metrics.loss"]


def test_true_is_not_one(empty: FakeReader) -> None:
    for number, value in enumerate((True, 1, 1.0, NAN)):
        empty.add_params(empty.add_run(str(number)), x=value)

    answer = group_runs(empty, ["x"], columns=["status"])

    assert sorted(len(row.run_ids) for row in answer.rows) == [1, 1, 2]


@pytest.mark.parametrize("by", ["", "los", "nan(loss)"])
def test_what_is_no_column_is_a_mistake(sweep: FakeReader, by: str) -> None:
    with pytest.raises(FilterError):
        group_runs(sweep, [by])


def test_groups_are_drawn_with_their_intervals(sweep: FakeReader) -> None:
    answer = group_runs(sweep, ["params.optimizer as how"], columns=["loss, params.seed, status"])

    lines = ["".join(str(cell.text) for cell in line).rstrip() for line in layout(groups_table(answer))]

    assert lines == [
        "how   runs  loss ↓      seed      status",
        "adam     3  2 ± 2.5     3 values  finished",
        "sgd      2  4 (1 of 2)  2 values  finished",
        "-        1  -           -         no metrics",
    ]
    assert str(groups_summary(answer)) == "3 groups of 6 runs"


def test_records_of_groups_have_mean_interval_and_count(sweep: FakeReader) -> None:
    records = groups_records(group_runs(sweep, ["params.optimizer"], columns=["loss, status"], limit=1))

    assert records.keys == ("params.optimizer", "runs", "loss", "loss ±", "loss n", "status")
    (row,) = records.rows
    assert (*row[:3], *row[4:]) == ("adam", 3, 2.0, 3, "finished")


def test_half_of_an_interval_needs_two_values() -> None:
    assert student_half([1.0]) is None
    assert student_half([1.0, 1.0]) == 0.0
