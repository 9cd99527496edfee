"""What was clumsy when the everyday tasks were done by hand, and is not any more."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace

from textual.pilot import Pilot

from mlbench.tui.app import Workbench
from tests.tui.driving import NARROW, WIDE, keys, play, screen_text, workbench
from tests.tui.fake import FakeSession

Script = Callable[[Workbench, Pilot[int]], Awaitable[None]]


def played(script: Script, *, session: FakeSession | None = None, size: tuple[int, int] = WIDE) -> FakeSession:
    session = session or FakeSession()
    app = workbench(session)
    play(app, lambda pilot: script(app, pilot), size)
    return session


def test_a_query_that_is_accepted_has_the_columns_of_its_runs() -> None:
    async def script(app: Workbench, pilot: Pilot[int]) -> None:
        await keys(pilot, "/", "'adam'")
        assert app.desk.view.query == "adam"
        assert session.questions[-1].columns != ()
        await keys(pilot, "enter")
        assert (session.questions[-1].query, session.questions[-1].columns) == ("adam", ())

        n_asked = len(session.questions)
        await keys(pilot, "/", "enter")
        assert len(session.questions) == n_asked
        await keys(pilot, "/", "'x'", "escape")
        assert (session.questions[-1].query, session.questions[-1].columns) == ("adam", ())

    session = FakeSession()
    played(script, session=session)


def test_the_title_of_the_sorted_column_keeps_its_mark_and_its_end() -> None:
    session = FakeSession(metric_name="evaluation/mean_reward")
    found = session.find

    def renamed(question: object) -> object:
        answer = found(question)  # type: ignore[arg-type]
        first = replace(answer.answer.columns[0], title="evaluation/mean_reward")
        return replace(answer, answer=replace(answer.answer, columns=(first, *answer.answer.columns[1:])))

    session.find = renamed  # type: ignore[method-assign, assignment]

    async def script(app: Workbench, pilot: Pilot[int]) -> None:
        assert "evaluat…reward" in screen_text(app).splitlines()[1]
        await keys(pilot, "l", "s")
        assert "evaluat…reward▼ " in screen_text(app).splitlines()[1]

    played(script, session=session, size=NARROW)


def test_metrics_of_these_runs_are_proposed_before_those_of_others() -> None:
    session = FakeSession()
    usual = session.vocabulary()
    session.vocabulary = lambda: replace(usual, metrics=("val_loss", "value", *usual.metrics))  # type: ignore[method-assign]

    series = session.series
    session.series = lambda ids, metrics, usual, **more: (  # type: ignore[method-assign]
        () if metrics == ("val_loss",) else series(ids, metrics, usual, **more)
    )

    async def script(app: Workbench, pilot: Pilot[int]) -> None:
        await keys(pilot, "2", "space", "p", "m", "'v'")
        assert app.desk.prompter.completion.words[:3] == ("val/acc", "val/loss", "val_loss")
        await keys(pilot, "'/l'", "enter")
        assert app.desk.view.chart.metrics == ("val/loss",)
        await keys(pilot, "m", "'val_loss'", "enter")
        assert app.desk.view.chart.metrics == ("val_loss",)
        assert "these runs have no val_loss: m chooses others" in screen_text(app)

    played(script, session=session)


def test_a_long_name_leaves_room_for_what_is_said_of_it() -> None:
    session = FakeSession()
    run = session.runs[0]
    run.head = replace(run.head, name=f"project/{'deep/' * 12}final-run")
    session.runs = session.runs[:1]

    async def script(app: Workbench, pilot: Pilot[int]) -> None:
        await keys(pilot, "/", "'final'", "enter", "b")
        assert "is the baseline   (u takes it back)" in screen_text(app).splitlines()[-2]
        await keys(pilot, "l", "s")
        header = screen_text(app).splitlines()[0]
        assert header.endswith("sort val/acc ▼")
        assert "final-run" in header

    played(script, session=session, size=NARROW)


def test_tags_are_not_proposed_for_letters_far_apart() -> None:
    session = FakeSession()
    usual = session.vocabulary()
    session.vocabulary = lambda: replace(usual, tags=("best", "number", "wandb.step_metric"))  # type: ignore[method-assign]

    async def script(app: Workbench, pilot: Pilot[int]) -> None:
        await keys(pilot, "t", "'bes'")
        assert app.desk.prompter.completion.words == ("best",)

    played(script, session=session)


def test_groups_say_what_they_are_by() -> None:
    async def script(app: Workbench, pilot: Pilot[int]) -> None:
        await keys(pilot, "o", "'width'", "enter")
        assert screen_text(app).splitlines()[1].split()[:2] == ["by", "width"]
        await keys(pilot, "o", "enter")
        assert screen_text(app).splitlines()[1].split()[0] == "run"

    played(script)
