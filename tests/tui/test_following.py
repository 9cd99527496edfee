"""Running trainings are followed: what is new is shown, and nothing is asked where nothing is."""

from collections.abc import Callable, Sequence

import pytest
from textual.pilot import Pilot

from mlbench.errors import MlbenchError, UsageError
from mlbench.queries.settings_versus import SettingsVersus
from mlbench.tui import desk
from mlbench.tui.session import Followed, IndexDone, IndexProgress
from tests.tui.driving import keys, news_taken, play, screen_text, workbench
from tests.tui.fake import FakeDetails, FakeSession, make_runs


def test_a_run_that_appears_while_we_look_is_shown() -> None:
    session = FakeSession(runs=make_runs()[:1])
    late = make_runs()[1]
    app = workbench(session)

    async def script(pilot: Pilot[int]) -> None:
        assert "  1 run\n" in screen_text(app)
        session.runs.append(late)
        session.news += [Followed(has_changed=False, wait_s=0.0), Followed(has_changed=True, wait_s=0.0)]
        app.desk.follow_later(0.0)
        await news_taken(session, pilot)

        assert "  2 runs\n" in screen_text(app)

    play(app, script)


def test_nothing_is_asked_while_nothing_is_new() -> None:
    session = FakeSession()
    app = workbench(session)

    async def script(pilot: Pilot[int]) -> None:
        asked = len(session.questions)
        session.news += [Followed(has_changed=False, wait_s=0.0)] * 5
        app.desk.follow_later(0.0)
        await news_taken(session, pilot)

        assert session.news == []
        assert len(session.questions) == asked

    play(app, script)


def test_following_can_be_stopped() -> None:
    session = FakeSession()
    app = workbench(session)

    async def script(pilot: Pilot[int]) -> None:
        await keys(pilot, "L")
        session.news.append(Followed(has_changed=True, wait_s=0.0))
        app.desk.follow_later(0.0)
        await pilot.pause(0.1)

        assert "no longer following" in screen_text(app)
        assert len(session.news) == 1

        await keys(pilot, "L")

        assert "following: new points are shown as they come" in screen_text(app)

    play(app, script)


def test_a_look_that_fails_is_not_the_last_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(desk, "AFTER_ERROR_S", 0.001)
    session = FakeSession()
    follow = session.follow
    failures = [MlbenchError("the catalog was moved aside")]

    def fails_once(is_cancelled: Callable[[], bool]) -> Followed | None:
        if failures:
            raise failures.pop()
        return follow(is_cancelled)

    session.follow = fails_once  # type: ignore[method-assign]
    app = workbench(session)

    async def script(pilot: Pilot[int]) -> None:
        session.news.append(Followed(has_changed=False, wait_s=60.0))
        app.desk.follow_later(0.0)
        await news_taken(session, pilot)
        assert not session.news

    play(app, script)


def test_logs_that_cannot_be_read_at_the_start_are_looked_at_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(desk, "AFTER_ERROR_S", 0.001)

    class Busy(FakeSession):
        def index(self, tell: Callable[[IndexProgress], None], is_cancelled: Callable[[], bool]) -> IndexDone:
            raise MlbenchError("pid 7 is writing this catalog")

    session = Busy()
    session.news.append(Followed(has_changed=True, wait_s=60.0))
    app = workbench(session)

    async def script(pilot: Pilot[int]) -> None:
        assert "pid 7 is writing this catalog" in screen_text(app)
        await news_taken(session, pilot)
        assert not session.news

    play(app, script)


class Judged(FakeDetails):
    """Gives another verdict each time."""

    n_asked = 0

    def verdict(self, run_ids: Sequence[str]) -> SettingsVersus:
        self.n_asked += 1
        if self.n_asked == 3:
            raise UsageError("the points are gone")
        return SettingsVersus((), len(run_ids), 0, f"verdict {self.n_asked}")


def test_the_verdict_is_asked_anew_when_new_points_come_and_the_old_one_stays_meanwhile() -> None:
    session = FakeSession()
    session.details = details = Judged(session)
    app = workbench(session)

    async def news(pilot: Pilot[int]) -> None:
        session.news.append(Followed(has_changed=True, wait_s=0.0))
        app.desk.follow_later(0.0)
        await news_taken(session, pilot)

    async def script(pilot: Pilot[int]) -> None:
        await keys(pilot, "2", "space", "d", "v")
        assert "verdict 1" in screen_text(app)

        app.desk.judge.forget()
        assert app.desk.judge.verdict is not None
        await news(pilot)
        assert "verdict 2" in screen_text(app)

        await news(pilot)
        assert "the points are gone" in screen_text(app)

        await keys(pilot, "v")
        await news(pilot)
        assert details.n_asked == 3
        await keys(pilot, "v")
        assert "verdict 4" in screen_text(app)

    play(app, script)
