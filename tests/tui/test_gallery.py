"""Images of several runs beside each other in the comparison: found, stepped, chosen, left."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace

import pytest
from textual.pilot import Pilot

from mlbench.errors import SourceError
from mlbench.queries.blobs import BlobPlace
from mlbench.tui.app import Workbench
from mlbench.tui.gallery import key_of
from mlbench.tui.session import Followed
from tests.tui.driving import NARROW, WIDE, keys, news_taken, play, screen_text, workbench
from tests.tui.fake import FakeSession

Script = Callable[[Workbench, Pilot[int]], Awaitable[None]]


def played(session: FakeSession, script: Script, size: tuple[int, int] = WIDE) -> None:
    app = workbench(session)
    play(app, lambda pilot: script(app, pilot), size)


@pytest.mark.parametrize(("size", "n_beside"), [(WIDE, 3), (NARROW, 3)])
def test_images_stand_beside_each_other_and_go_through_their_steps(size: tuple[int, int], n_beside: int) -> None:
    async def script(app: Workbench, pilot: Pilot[int]) -> None:
        await keys(pilot, "3", "space", "d", "I")
        lines = screen_text(app).splitlines()
        assert "step 30   3 of 3   h l" in screen_text(app)
        assert "examples/wrong   m chooses of 2" in screen_text(app)
        assert max(line.count("-lr0") for line in lines[3:5]) == n_beside

        await keys(pilot, "h")
        assert "step 20   2 of 3" in screen_text(app)
        assert "shorter" in screen_text(app)

        await keys(pilot, "h", "h", "h")
        assert "step 10   1 of 3" in screen_text(app)
        assert "shorter" not in screen_text(app)

        await keys(pilot, "m", "'wei'", "enter")
        assert "step 30   3 of 3" in screen_text(app)
        assert "no picture yet" in screen_text(app)

        await keys(pilot, "I", "l")
        assert "params" in screen_text(app)

        await keys(pilot, "m")
        assert "I shows images, C confusion matrices, H histograms of these runs" in screen_text(app)

    played(FakeSession(), script, size)


def test_other_marks_bring_their_images_and_the_step_stays() -> None:
    async def script(app: Workbench, pilot: Pilot[int]) -> None:
        await keys(pilot, "2", "space", "d", "I", "h", "h", "q", "space", "d")
        assert len(app.desk.gallery.hung.run_ids) == len(app.desk.compared())
        assert app.desk.gallery.hung.step == 10
        assert "step 10   1 of 3" in screen_text(app)
        shown = {app.desk.gallery.hung.place_of(run_id) for run_id in app.desk.compared()}
        assert {key_of(place) for place in shown if place is not None} <= app.desk.gallery.hung.contents.keys()

    played(FakeSession(), script)


def test_without_images_that_is_said() -> None:
    session = FakeSession()
    session.details.pictures = lambda run_ids: ()  # type: ignore[method-assign]

    async def script(app: Workbench, pilot: Pilot[int]) -> None:
        await keys(pilot, "2", "space", "d", "I")
        assert "none of these runs logged an image" in screen_text(app)
        await keys(pilot, "h", "l", "m", "escape")
        assert "none of these runs logged an image" in screen_text(app)

    played(session, script)


def test_the_last_step_is_shown_first_and_not_the_untrained_one() -> None:
    session = FakeSession()
    places = session.details.pictures
    session.details.pictures = lambda run_ids: tuple(  # type: ignore[method-assign]
        replace(place, step=place.step - 10) for place in places(run_ids)
    )

    async def script(app: Workbench, pilot: Pilot[int]) -> None:
        await keys(pilot, "2", "space", "d", "I")
        assert "step 20   3 of 3" in screen_text(app)

    played(session, script)


@pytest.mark.parametrize(("moves", "told"), [((), "step 40   4 of 4"), (("h",), "step 20   2 of 4")])
def test_new_images_of_followed_runs_come_and_the_last_step_gives_way_to_a_later_one(
    moves: tuple[str, ...], told: str
) -> None:
    session = FakeSession()
    places = session.details.pictures

    def more(run_ids: Sequence[str]) -> tuple[BlobPlace, ...]:
        later = [replace(place, step=40, seq=40) for place in places(run_ids) if place.step == 30]
        return (*places(run_ids), *later)

    async def script(app: Workbench, pilot: Pilot[int]) -> None:
        await keys(pilot, "2", "space", "d", "I", *moves)
        session.details.pictures = more  # type: ignore[method-assign]
        session.news.append(Followed(has_changed=True, wait_s=0.0))
        app.desk.follow_later(0.0)
        await news_taken(session, pilot)

        assert told in screen_text(app)
        assert "reading" not in screen_text(app)

    played(session, script)


def test_why_no_images_are_shown_is_said_and_they_are_asked_for_again() -> None:
    session = FakeSession()
    places = session.details.pictures

    def fails(run_ids: Sequence[str]) -> tuple[BlobPlace, ...]:
        raise SourceError("the catalog is gone. Try: mlbench rebuild")

    session.details.pictures = fails  # type: ignore[method-assign]

    async def script(app: Workbench, pilot: Pilot[int]) -> None:
        await keys(pilot, "2", "space", "d", "I")
        assert "the catalog is gone" in screen_text(app)
        assert "reading" not in screen_text(app)

        session.details.pictures = places  # type: ignore[method-assign]
        await keys(pilot, "I", "I")
        assert "step 30   3 of 3" in screen_text(app)

    played(session, script)
