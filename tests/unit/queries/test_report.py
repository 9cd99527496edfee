"""Promises of what a report is made of."""

from datetime import datetime

import pytest

from mlbench.errors import UsageError
from mlbench.queries.report import gather_report, reproduction
from tests.unit.queries.conftest import FakeReader, fill, run_id_of
from tests.unit.queries.test_settings_versus import sweep


def test_by_default_the_best_run_comes_first_with_what_differs(reader: FakeReader) -> None:
    report = gather_report(reader, where="name:sweep")

    assert report.title == "Comparison of 5 of 11 runs"
    assert report.query == "name:sweep"
    assert [row.head.name for row in report.runs.rows] == ["sweep/0", "sweep/3", "sweep/1", "sweep/2", "sweep/4"]
    assert [column.spec for column in report.runs.columns][:4] == [
        "min(metrics.val/loss)", "metrics.val/loss", "params.optimizer", "params.seed",
    ]  # fmt: skip
    assert report.runs.columns[0].title == "best val/loss"
    assert report.sorted_by == "min(metrics.val/loss):asc"
    bests = [row.values[0] for row in report.runs.rows if row.values[0] is not None]
    assert bests == sorted(bests)
    assert [head.name for head in report.diff.runs][:2] == ["sweep/0", "sweep/3"]
    assert {series.metric for series in report.series} == {"val/loss", "acc", "train/loss"}
    assert report.made_at == datetime.fromisoformat("2026-11-24T12:00")
    assert report.commands[1] == ("sweep/3", "python train.py --lr 1e-3")


def test_runs_columns_metrics_and_baseline_may_be_chosen(reader: FakeReader) -> None:
    report = gather_report(
        reader, runs=["sweep/2", "sweep/1"], columns=["lr"], metrics=["acc"], baseline="sweep/0", title="Mine"
    )

    assert report.title == "Mine"
    assert report.sorted_by == ""
    assert [row.head.name for row in report.runs.rows] == ["sweep/2", "sweep/1"]
    assert [row.values for row in report.runs.rows] == [(0.1,), (0.01,)]
    assert [head.name for head in report.diff.runs] == ["sweep/0", "sweep/2", "sweep/1"]
    assert [(series.metric, series.head.name) for series in report.series] == [
        ("acc", "sweep/0"), ("acc", "sweep/2"), ("acc", "sweep/1"),
    ]  # fmt: skip


def test_chosen_runs_may_be_sorted_and_cut(reader: FakeReader) -> None:
    report = gather_report(reader, runs=["sweep/2", "sweep/1", "sweep/0"], sort=["lr"], limit=2, columns=["val/loss"])

    assert [row.head.name for row in report.runs.rows] == ["sweep/0", "sweep/1"]
    assert report.title == "Comparison of sweep/0, sweep/1"
    assert {series.metric for series in report.series} == {"val/loss"}


def test_where_no_column_is_a_metric_the_one_that_matters_most_is_drawn(reader: FakeReader) -> None:
    report = gather_report(reader, runs=["sweep/0"], columns=["lr"])

    assert [series.metric for series in report.series] == ["val/loss"]


def test_the_run_that_is_marked_is_the_baseline(reader: FakeReader) -> None:
    report = gather_report(reader, where="name:sweep", sort=["lr:desc"])

    assert [head.name for head in report.diff.runs][:2] == ["sweep/0", "sweep/2"]


def test_settings_of_several_runs_are_tested_among_the_runs_of_the_report(empty: FakeReader) -> None:
    sweep(empty)
    alone = empty.add_run("rms/0")
    empty.add_params(alone, optimizer="rms", seed=0)
    empty.add_series(alone, "val/acc", [0.1])

    report = gather_report(empty, where="params.seed < 4", sort=["name"])

    assert report.real is not None
    (answer,) = report.real.answers
    assert (answer.where_a, answer.where_b) == ("optimizer = adam", "optimizer = sgd")
    assert (len(answer.a), len(answer.b)) == (4, 4)
    assert answer.metrics[0].contrast is not None
    assert answer.metrics[0].contrast.bootstrap is None
    assert report.n_untested == 1


def test_of_single_runs_nothing_is_tested(empty: FakeReader) -> None:
    sweep(empty)

    report = gather_report(empty, where="params.seed = 1")

    assert (report.real, report.n_untested) == (None, 0)


def test_a_few_runs_tell_each_metric_where_the_primary_one_is_best(empty: FakeReader) -> None:
    for name, losses in (("a", [3.0, 1.0, 2.0]), ("b", [5.0, 4.0, 2.5])):
        run_id = empty.add_run(name)
        empty.add_series(run_id, "val/loss", losses)
        empty.add_series(run_id, "val/acc", [0.1, 0.2, 0.3 if name == "a" else 0.4])

    report = gather_report(empty, sort=["name"])

    primary, *_rest = [row.at for row in report.diff.metrics]
    told = {row.metric: [cell.at_best for cell in row.cells] for row in report.diff.metrics}
    assert primary in ("val/loss", "val/acc")
    assert told == {
        "val/loss": {"val/loss": [1.0, 2.5], "val/acc": [2.0, 2.5]}[primary],
        "val/acc": {"val/loss": [0.2, 0.4], "val/acc": [0.3, 0.4]}[primary],
    }


def test_a_report_of_nothing_is_empty_but_whole(empty: FakeReader) -> None:
    report = gather_report(empty)

    assert (report.runs.rows, report.diff.runs, report.series, report.commands) == ((), (), (), ())
    assert report.title == "Comparison of 0 of 0 runs"


def test_runs_without_metrics_have_no_charts(empty: FakeReader) -> None:
    empty.add_run("a")

    report = gather_report(empty)

    assert report.series == ()
    assert report.title == "Comparison of a"


def test_problems_of_the_runs_are_told(empty: FakeReader) -> None:
    run = empty.add_run("a")
    empty.add("problem", run_id=run, source_path="/f", what="bad")
    empty.add("problem", run_id="other", source_path="/g", what="bad")

    assert [problem.path for problem in gather_report(empty).problems] == ["/f"]


def test_the_digest_changes_with_the_data_and_with_nothing_else() -> None:
    first, second, third = FakeReader(), FakeReader(), FakeReader()
    for reader in (first, second, third):
        fill(reader)
    second.connection.execute("UPDATE clock SET now_s = now_s + 1; UPDATE series SET series_id = series_id + 0")
    third.connection.execute("UPDATE param SET raw = '7', num = 7, txt = '7' WHERE key = 'seed'")

    digests = [gather_report(reader, where="name:sweep").catalog_digest for reader in (first, second, third)]

    assert digests[0] == digests[1] != digests[2]
    assert len(digests[0]) == 16


def test_an_unknown_baseline_is_told(reader: FakeReader) -> None:
    with pytest.raises(UsageError, match="no run 'nope'"):
        gather_report(reader, where="name:sweep", baseline="nope")


def test_a_recorded_command_is_repeated_on_its_commit(reader: FakeReader) -> None:
    assert reproduction(reader, run_id_of("sweep/0")) == (
        "# code: https://example.org/ada/digits.git\ngit checkout abcdef1234567890\npython train.py --lr 0.001"
    )


def test_without_a_command_it_is_rebuilt_from_what_was_said(empty: FakeReader) -> None:
    run = empty.add_run("a", entry_point="my train.py")
    empty.add("code", run_id=run, commit_id="abc", how="tracked", is_dirty=True)
    empty.add_params(run, "config", depth=3)
    empty.add_params(run, "override", **{"optim.lr": 0.1})
    empty.add_params(run, "cli", name="a b")

    assert reproduction(empty, run) == (
        "git checkout abc\n"
        "# there were changes that had not been committed\n"
        "# the command was not recorded; rebuilt from the parameters\n"
        "python 'my train.py' '--name=a b' optim.lr=0.1"
    )


def test_a_configuration_is_taken_where_nothing_was_said(empty: FakeReader) -> None:
    run = empty.add_run("a")
    empty.add_params(run, lr=0.1)

    assert reproduction(empty, run).endswith("\npython ENTRY_POINT --lr=0.1")


def test_what_cannot_be_rebuilt_points_to_the_parameters(empty: FakeReader) -> None:
    bare, large = empty.add_run("bare"), empty.add_run("large")
    empty.add_params(large, **{f"p{number}": number for number in range(31)})

    for run in (bare, large):
        assert reproduction(empty, run) == f"# the command was not recorded; all parameters: mlbench show {run}"


def test_no_value_begins_a_line_of_its_own(empty: FakeReader) -> None:
    run = empty.add_run("a", command="python x.py\nrm -rf /")

    assert reproduction(empty, run) == "python x.py rm -rf /"
