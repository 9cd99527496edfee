"""The session on a small real home."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from mlbench.catalog import writer
from mlbench.catalog.lock import WriterBusyError, take_lock
from mlbench.errors import UsageError
from mlbench.paths import find_home
from mlbench.queries.answers import RunHead
from mlbench.queries.mistakes import FilterError
from mlbench.tui.catalog_session import CatalogSession
from mlbench.tui.session import IndexProgress, ReportQuestion, RunsQuestion
from tests.events import scalar_file


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    """Three runs: loss and accuracy in two, only loss in the third."""
    for index, name in enumerate(("a", "b", "c")):
        folder = tmp_path / "logs" / name
        series = {"val/loss": [(step, 1.0 / (step + 1 + index)) for step in range(8)]}
        if name != "c":
            series["val/acc"] = [(step, 0.1 * step) for step in range(8)]
        scalar_file(folder / "events.out.tfevents.1700000000.host", series)
        (folder / "args.json").write_text(json.dumps({"lr": 0.1 * (index + 1), "optimizer": "adam", "seed": index}))
    (tmp_path / "logs" / "broken").mkdir()
    (tmp_path / "logs" / "broken" / "events.out.tfevents.1700000001.host").write_bytes(b"garbage" * 9)
    return tmp_path / "logs"


@pytest.fixture
def session(logs: Path, tmp_path: Path) -> Iterator[CatalogSession]:
    session = CatalogSession(find_home(str(tmp_path / "home")), [str(logs)])
    session.index(lambda _progress: None, lambda: False)
    yield session
    session.close()


def heads(session: CatalogSession, query: str = "metrics.val/loss is not null") -> list[RunHead]:
    found = session.find(RunsQuestion(query, sort=("name",)))
    return [row.head for row in found.answer.rows]


def test_a_group_tells_also_the_metrics_that_are_equal_in_its_runs(session: CatalogSession) -> None:
    groups = session.find(RunsQuestion("metrics.val/loss is not null", by=("metrics.val/acc",))).listing.groups
    both, alone = sorted(groups, key=lambda group: -len(group.run_ids))

    spreads = [
        {one.metric: (one.n, round(one.mean, 6)) for one in session.details.members(group).spreads} for group in groups
    ]

    assert [len(group.run_ids) for group in (both, alone)] == [2, 1]
    assert spreads[groups.index(both)]["val/acc"] == (2, 0.7)
    assert spreads[groups.index(alone)] == {"val/loss": (1, 0.1)}


def test_reading_tells_how_far_it_is_and_what_it_came_to(logs: Path, tmp_path: Path) -> None:
    session = CatalogSession(find_home(str(tmp_path / "home")), [str(logs)])
    told: list[IndexProgress] = []

    done = session.index(told.append, lambda: False)
    again = session.index(told.append, lambda: False)
    session.close()

    assert done.n_runs == again.n_runs >= 3
    assert done.n_read > 0
    assert again.n_read == 0
    assert told[-1].stage == "done"
    assert session.scope == "logs"


def test_what_another_process_is_reading_is_followed(
    session: CatalogSession, logs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "take_lock", lambda home, _wait_s: take_lock(home, 0.0))
    before = heads(session)
    scalar_file(logs / "d" / "events.out.tfevents.1700000002.host", {"val/loss": [(0, 1.0), (1, 0.5)]})
    held = take_lock(session.home, 0.0)
    with pytest.raises(WriterBusyError):
        session.index(lambda _progress: None, lambda: False)
    os.close(held)
    other = CatalogSession(session.home, session.roots)
    other.index(lambda _progress: None, lambda: False)
    other.close()

    followed = session.follow(lambda: False)

    assert followed is not None
    assert followed.has_changed
    assert (len(before), len(heads(session))) == (3, 4)


def test_without_roots_nothing_is_read_and_everything_is_in_scope(tmp_path: Path) -> None:
    session = CatalogSession(find_home(str(tmp_path / "home")), [])

    assert session.index(lambda _progress: None, lambda: False).n_runs == 0
    assert session.scope == "all runs"
    assert session.find(RunsQuestion()).answer.rows == ()
    session.close()


def test_the_usual_columns_are_what_is_best_then_why(session: CatalogSession) -> None:
    found = session.find(RunsQuestion("metrics.val/loss is not null"))

    assert found.columns[0] == "metrics.val/acc"
    assert "params.lr" in found.columns
    assert "params.optimizer" not in found.columns
    assert found.columns[-2:] == ("duration", "started")
    assert found.curve == "metrics.val/acc"
    assert len(session.sketches(found, 0, 10)) == 2


def test_a_mistake_in_the_query_is_an_error_with_its_place(session: CatalogSession) -> None:
    with pytest.raises(FilterError) as raised:
        session.find(RunsQuestion("lr <"))

    assert raised.value.column == 5


def test_names_for_completion_are_those_of_the_scope(session: CatalogSession) -> None:
    names = session.vocabulary()

    assert names.metrics == ("val/acc", "val/loss")
    assert "lr" in names.params
    assert names.values["optimizer"] == ("adam",)
    assert len(names.values["project"]) == 1
    assert "name" not in names.values
    assert "status" in names.fields


def test_words_are_seen_by_the_next_question_and_can_be_taken_back(session: CatalogSession) -> None:
    first, second, _third = heads(session)

    session.tag([first, second], ["best"], [])
    session.note([first], "two\nlines")
    session.set_baseline(second)
    session.archive([first], is_archived=True)
    session.set_primary("val/loss")

    found = session.find(RunsQuestion())
    assert found.baseline is not None
    assert found.baseline.name == second.name
    assert found.columns[0] == "metrics.val/loss"
    assert first.run_id not in [row.head.run_id for row in found.answer.rows]
    assert [head.tags for head in heads(session, "archived = true")] == [("best",)]
    assert session.note_of(first) == "two\nlines"
    assert session.note_of(second) == ""

    said = [session.undo() for _ in range(6)]
    assert said[0] == "primary val/loss"
    assert said[-1] is None
    assert session.redo() == "tag +best on 2 runs"
    session.set_baseline(None)
    assert session.redo() is None
    assert session.find(RunsQuestion()).baseline is None


def test_words_need_a_run(session: CatalogSession) -> None:
    with pytest.raises(UsageError, match="no run is chosen"):
        session.tag([], ["best"], [])


def test_curves_are_those_of_the_chosen_metrics_else_of_the_usual_one_else_of_what_there_is(
    session: CatalogSession,
) -> None:
    first, _second, third = heads(session)

    def metrics(run: RunHead, chosen: list[str], usual: list[str]) -> list[str]:
        return [one.metric for one in session.series([run.run_id], chosen, usual)]

    assert metrics(first, ["val/loss", "val/acc", "gone"], []) == ["val/loss", "val/acc"]
    assert metrics(first, [], ["val/acc", "val/loss"]) == ["val/acc"]
    assert metrics(third, [], ["val/acc"]) == ["val/loss"]
    assert metrics(third, ["val/acc"], []) == []


def test_runs_are_compared_and_shown(session: CatalogSession) -> None:
    first, second, _third = heads(session)

    diff = session.compare([second.run_id, first.run_id], everything=False)
    shown = session.show(first.run_id)

    assert [run.name for run in diff.runs] == [second.name, first.name]
    assert {row.key for row in diff.params} == {"lr", "seed"}
    assert shown.head.name == first.name


def test_problems_below_the_roots_are_listed(session: CatalogSession) -> None:
    assert any("broken" in problem.path for problem in session.problems())


def test_a_report_is_written_with_its_charts_and_never_over_a_file(session: CatalogSession, tmp_path: Path) -> None:
    ids = tuple(run.run_id for run in heads(session))
    question = ReportQuestion(str(tmp_path / "out.md"), ids, ("val/loss",), smoothing=0.6)

    said = session.write_report(question)

    assert said.endswith("out.md and 1 chart beside it written")
    written = (tmp_path / "out.md").read_text().replace("&#47;", "/")
    assert "val/loss" in written
    assert "from runs chosen by hand: 3 runs." in written
    assert len(list(tmp_path.glob("out*.svg"))) == 1
    with pytest.raises(Exception, match="is there already"):
        session.write_report(question)


def test_the_command_gives_the_same_runs(session: CatalogSession) -> None:
    command = session.command(RunsQuestion("lr > 0.1", ("params.lr:desc",), ("params.lr", "metrics.val/loss")))

    assert command.startswith(
        "mlbench query 'lr > 0.1' --columns params.lr --columns metrics.val/loss --sort params.lr:desc --in "
    )
    assert " --where '-tag:bad' " in session.command(RunsQuestion("-tag:bad")).replace(
        "--where -tag:bad", "--where '-tag:bad'"
    )


def test_runs_are_copied_as_a_table_in_their_order(session: CatalogSession) -> None:
    first, second, _third = heads(session)

    table = session.markdown([second.run_id, first.run_id], ["params.lr"])

    assert [line.split("|")[1].strip().rpartition("/")[2] for line in table.splitlines()[2:]] == ["b", "a"]


def test_what_the_runs_are_in_order_of_is_shown(session: CatalogSession) -> None:
    usual = session.find(RunsQuestion()).columns

    by_mean = session.find(RunsQuestion(sort=("mean(metrics.val/loss):desc",)))
    assert by_mean.columns == ("mean(metrics.val/loss)", *usual)
    assert session.rows(by_mean, 0, 1)[0] is not None
    assert session.find(RunsQuestion(sort=("metrics.val/acc:desc",))).columns == usual
    assert session.find(RunsQuestion(sort=("name",))).columns == usual


def test_the_values_of_a_column_have_the_metric_of_the_runs_that_are_shown(logs: Path, tmp_path: Path) -> None:
    for name in ("x", "y"):
        scalar_file(logs / name / "events.out.tfevents.1700000000.host", {"reward": [(0, 1.0), (1, 3.0)]})
        (logs / name / "args.json").write_text(json.dumps({"env": name}))
    session = CatalogSession(find_home(str(tmp_path / "home2")), [str(logs)])
    session.index(lambda _progress: None, lambda: False)

    assert session.facet(RunsQuestion(), "params.env").metric == "val/acc"
    found = session.facet(RunsQuestion("env is not null"), "params.env")
    session.close()
    assert (found.metric, [group.cells[0].value for group in found.groups]) == ("reward", [3.0, 3.0])
