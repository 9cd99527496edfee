"""What prompts propose, refuse and say of enter; and what is said where a key can do nothing."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace

from textual.pilot import Pilot

from mlbench.queries.answers import DiffAnswer
from mlbench.tui.app import Workbench
from tests.tui.driving import WIDE, keys, play, screen_text, workbench
from tests.tui.fake import FakeDetails, FakeSession

Script = Callable[[Workbench, Pilot[int]], Awaitable[None]]


def played(script: Script, *, session: FakeSession | None = None, size: tuple[int, int] = WIDE) -> None:
    app = workbench(session or FakeSession())
    play(app, lambda pilot: script(app, pilot), size)


def test_a_front_without_runs_leaves_the_marks_alone() -> None:
    session = FakeSession()
    front = FakeDetails.front

    def empty(details: FakeDetails, query: str, aims: list[str]) -> object:
        return replace(front(details, query, aims), rows=())

    session.details.front = empty.__get__(session.details)  # type: ignore[method-assign]

    async def script(app: Workbench, pilot: Pilot[int]) -> None:
        await keys(pilot, "3", "space", "P", "enter")
        assert len(app.desk.view.marks) == 3
        assert "none of the runs has a value of val/acc and duration; the marks stay" in screen_text(app)

    played(script, session=session)


def test_a_front_proposes_the_first_metric_of_the_table_and_refuses_one_aim() -> None:
    session = FakeSession()
    usual = session.vocabulary()
    session.vocabulary = lambda: replace(usual, metrics=("train/loss", *usual.metrics[:2]))  # type: ignore[method-assign]

    async def script(app: Workbench, pilot: Pilot[int]) -> None:
        await keys(pilot, "P")
        assert app.desk.prompter.edit.text == "val/acc, duration"

        await keys(pilot, "ctrl+u", "'val/acc'", "enter")
        assert "it takes two aims or more, with commas between" in screen_text(app)
        assert "--pareto" not in screen_text(app)

        await keys(pilot, "', duration'", "enter")
        assert len(app.desk.view.marks) == 2

    played(script, session=session)


def test_a_prompt_says_what_enter_does_in_it() -> None:
    async def script(app: Workbench, pilot: Pilot[int]) -> None:
        for opens, does in (
            ("ctrl+p", "enter does it · esc"), (":", "enter does it · esc"), ("/", "enter keeps · esc"),
            ("x", "enter writes · esc"), ("'", "enter chooses · esc"), ("c", "enter keeps · esc"),
        ):  # fmt: skip
            await keys(pilot, opens)
            assert does in screen_text(app), opens
            await keys(pilot, "escape")
        await keys(pilot, ",")
        assert "enter changes it" in screen_text(app)
        assert "enter chooses" not in screen_text(app)

    played(script)


def test_the_axis_stands_once_above_the_charts() -> None:
    async def script(app: Workbench, pilot: Pilot[int]) -> None:
        await keys(pilot, "2", "space", "p", "a")
        assert screen_text(app).count("time since start") == 1
        await keys(pilot, "a")
        assert screen_text(app).count("wall time") == 1
        await keys(pilot, "m", "'val/acc, val/loss'", "enter")
        assert screen_text(app).count("wall time (UTC)") == 1
        assert "x: wall time (UTC)" in app.desk.panes.chart.pictures()[0].options.remarks

    played(script)


def test_a_kind_of_smoothing_without_an_amount_takes_its_usual_one() -> None:
    async def script(app: Workbench, pilot: Pilot[int]) -> None:
        await keys(pilot, "p")
        for kind, amount in (("gaussian", 5.0), ("mean", 20.0), ("twema", 0.6), ("ema", 0.6)):
            await keys(pilot, "S", "ctrl+u", f"'{kind}'", "enter")
            assert (app.desk.view.chart.smoothing_kind, app.desk.view.chart.smoothing) == (kind, amount)

    played(script)


def test_a_command_that_is_proposed_quotes_the_name_of_a_metric() -> None:
    session = FakeSession(metric_name="my loss; rm -rf x")
    compare = session.compare

    def without_goals(run_ids: list[str], *, everything: bool, at: str = "") -> DiffAnswer:
        found = compare(run_ids, everything=everything, at=at)
        return replace(found, metrics=tuple(replace(row, goal="") for row in found.metrics))

    session.compare = without_goals  # type: ignore[method-assign, assignment]

    async def script(app: Workbench, pilot: Pilot[int]) -> None:
        await keys(pilot, "2", "space", "d", "2", "@")
        assert "Try: mlbench metric 'my loss; rm -rf x' --goal min" in screen_text(app)

    played(script, session=session)
