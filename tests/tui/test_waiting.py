"""Keys that are typed before the prompt is there that they are meant for."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from threading import Event

import pytest
from textual.pilot import Pilot

from mlbench.errors import HomeError
from mlbench.queries.answers import RunHead, SeriesAnswer
from mlbench.queries.views import SavedView
from mlbench.tui.app import Workbench
from tests.tui.driving import keys, play, screen_text, settle, workbench
from tests.tui.fake import FakeSession


@dataclass
class Slow(FakeSession):
    """Tells the views and the notes when it may, or fails."""

    may_tell: Event = field(default_factory=Event)
    fails: bool = False

    def views(self) -> dict[str, SavedView]:
        self._wait()
        return {"mine": SavedView("sgd")}

    def _wait(self) -> None:
        assert self.may_tell.wait(20)
        if self.fails:
            raise HomeError("the home is busy")


def slow_drafts(session: Slow) -> Slow:
    """The session, with drafts of notes that are as slow."""
    drafts = session.drafts.read

    def read(runs: Sequence[RunHead]) -> str:
        session._wait()
        return drafts(runs)

    session.drafts.read = read  # type: ignore[method-assign]
    return session


def is_open(app: Workbench) -> bool:
    return app.desk.prompter.prompt is not None


@pytest.mark.parametrize("first", ["'", "n"])
def test_what_is_typed_ahead_of_a_prompt_goes_into_it(first: str) -> None:
    session = slow_drafts(Slow())
    app = workbench(session)

    async def script(pilot: Pilot[int]) -> None:
        await pilot.press(first, "a", "m", "q")
        assert not is_open(app)
        session.may_tell.set()
        await settle(pilot)

        assert is_open(app)
        assert app.desk.prompter.edit.text == "amq"

    play(app, script)
    assert session.said == []


@pytest.mark.parametrize("fails", [False, True], ids=["given up", "failed"])
def test_what_is_typed_ahead_of_a_prompt_that_does_not_come_goes_nowhere(fails: bool) -> None:
    session = Slow(fails=fails)
    app = workbench(session)

    async def script(pilot: Pilot[int]) -> None:
        await pilot.press("'", "a", "m", "q", *([] if fails else ["escape"]))
        session.may_tell.set()
        await settle(pilot)

        assert not is_open(app)
        assert ("the home is busy" in screen_text(app)) == fails
        await keys(pilot, "j")
        assert app.desk.view.cursor == session.runs[1].head.run_id

    play(app, script)
    assert session.said == []


class SlowCurves(FakeSession):
    """Its curves come when they may."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.may_come = Event()

    def series(
        self, run_ids: Sequence[str], metrics: Sequence[str], usual: Sequence[str], *, over: str = "",
        has_times: bool = True,
    ) -> tuple[SeriesAnswer, ...]:  # fmt: skip
        assert self.may_come.wait(20)
        return super().series(run_ids, metrics, usual, over=over, has_times=has_times)


def test_charts_that_were_open_the_last_time_say_what_they_read() -> None:
    first = FakeSession()

    async def leave_charts_open(pilot: Pilot[int]) -> None:
        await keys(pilot, "3", "space", "p", "m", "'val/l'", "tab", "enter", "q")
        await keys(pilot, "p")
        assert pilot.app.desk.view.chart.metrics == ("val/loss",)  # type: ignore[attr-defined]

    app = workbench(first)
    play(app, leave_charts_open)
    session = SlowCurves(state=app.desk.state_text)

    async def script() -> None:
        app = workbench(session)
        async with app.run_test(size=(80, 24)) as pilot:
            for _ in range(100):
                await pilot.pause(0.02)
                if "reading" in (text := screen_text(app)):
                    break
            assert "reading val/loss of 3 runs …" in text
            assert text.splitlines()[1].startswith(" val/loss")
            session.may_come.set()
            await settle(pilot)
            assert "reading" not in screen_text(app)

    asyncio.run(script())
