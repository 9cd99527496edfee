"""Running trainings are followed: what is new is shown, and nothing is asked where nothing is."""

from textual.pilot import Pilot

from mlbench.tui.session import Followed
from tests.tui.driving import keys, play, screen_text, settle, workbench
from tests.tui.fake import FakeSession, make_runs


def test_a_run_that_appears_while_we_look_is_shown() -> None:
    session = FakeSession(runs=make_runs()[:1])
    late = make_runs()[1]
    app = workbench(session)

    async def script(pilot: Pilot[int]) -> None:
        assert "  1 run\n" in screen_text(app)
        session.runs.append(late)
        session.news += [Followed(has_changed=False, wait_s=0.0), Followed(has_changed=True, wait_s=0.0)]
        app.desk.follow_later(0.0)
        for _ in range(50):
            await pilot.pause(0.02)
            if not session.news:
                break
        await settle(pilot)

        assert "  2 runs\n" in screen_text(app)

    play(app, script)


def test_nothing_is_asked_while_nothing_is_new() -> None:
    session = FakeSession()
    app = workbench(session)

    async def script(pilot: Pilot[int]) -> None:
        asked = len(session.questions)
        session.news += [Followed(has_changed=False, wait_s=0.0)] * 5
        app.desk.follow_later(0.0)
        for _ in range(50):
            await pilot.pause(0.02)
            if not session.news:
                break
        await settle(pilot)

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
