import math
from dataclasses import replace

import pytest

from mlbench.queries.answers import Column, RunRow, RunsAnswer, Value
from mlbench.render.cells import plain
from mlbench.render.records import write
from mlbench.render.runs import best_of, runs_records, runs_summary, runs_table, value_cell
from mlbench.render.table import layout
from tests.golden.check import check_golden

from .samples import STARTED, head, runs_answer


def test_the_table_of_runs_looks_as_it_did() -> None:
    table = runs_table(runs_answer())

    wide, narrow = plain(layout(table, 160)), plain(layout(table, 60))

    check_golden("runs.txt", f"{wide}\n\n{narrow}\n")


def test_the_best_value_of_a_metric_is_good_and_what_is_not_finite_a_warning() -> None:
    table = runs_table(runs_answer())

    assert [row[4].role for row in table.rows] == ["", "warning", "good"]
    assert [row[5].role for row in table.rows] == ["good", "muted", ""]
    assert [row[1].role for row in table.rows] == ["", "bad", "good"]


@pytest.mark.parametrize(
    ("goal", "values", "best"),
    [
        ("min", (2.0, 1.0, math.nan, None, "x", True), 1.0),
        ("max", (2.0, 1.0, -math.inf), 2.0),
        ("", (1.0, 2.0), None),
        ("min", (1.0, 1.0), None),
        ("min", (), None),
    ],
)
def test_best_needs_a_goal_and_something_to_be_better_than(
    goal: str, values: tuple[Value, ...], best: float | None
) -> None:
    assert best_of(goal, values) == best


def test_fields_have_their_own_units() -> None:
    assert value_cell(Column("run.duration", "duration", "field"), 3725.0).text == "1h 2m"
    assert value_cell(Column("exit_code", "exit_code", "field"), 3).align == "number"
    assert value_cell(Column("archived", "archived", "field"), True).text == "true"
    assert value_cell(Column("started", "started", "field"), STARTED).text == "2026-11-02 14:20"


def test_parameters_have_more_digits_than_metrics() -> None:
    assert value_cell(Column("params.lr", "lr", "param"), 0.12345678).text == "0.123457"
    assert value_cell(Column("metrics.x", "x", "metric"), 0.12345678).text == "0.1235"


def test_records_have_the_run_first_and_exact_values() -> None:
    records = runs_records(runs_answer())

    assert records.keys[:3] == ("run", "status", "params.lr")
    check_golden("runs.tsv", str(write(records, "tsv")))
    check_golden("runs.json", str(write(records, "json")))


def test_the_summary_says_how_many() -> None:
    answer = runs_answer()
    row = RunRow(head("a"), ())

    assert runs_summary(answer) == "3 of 5 runs match"
    assert runs_summary(replace(answer, n_matched=4)) == "4 of 5 runs match, 3 shown"
    assert runs_summary(replace(answer, n_runs=3)) == "3 runs"
    assert runs_summary(RunsAnswer((), (row,), 1, 1)) == "1 run"
    assert runs_summary(RunsAnswer((), (row,), 1, 2)) == "1 of 2 runs matches"
