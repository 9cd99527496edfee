"""The run screen driven by keys: parts, steps, zoom, writing, and keys that were typed too early."""

from __future__ import annotations

import pytest
from textual.pilot import Pilot

from tests.tui.driving import NARROW, WIDE, keys, play, screen_text, settle, workbench
from tests.tui.fake import FakeSession


@pytest.mark.parametrize("size", [WIDE, NARROW])
def test_an_image_is_found_stepped_zoomed_and_written_in_six_keys(size: tuple[int, int]) -> None:
    session = FakeSession()
    app = workbench(session)

    async def script(pilot: Pilot[int]) -> None:
        await keys(pilot, "enter", "6")
        await keys(pilot, "enter")
        assert "step 30   3 of 3" in screen_text(app)

        await keys(pilot, "h")
        assert "shorter than when it was ingested" in screen_text(app)

        await keys(pilot, "h", "plus")
        assert "step 10   1 of 3" in screen_text(app)
        assert "x 1.5" in screen_text(app)

        await keys(pilot, "w", "enter")
        assert "step10.png written" in screen_text(app)

        await keys(pilot, "escape")
        assert app.desk.view.pane == "run"

    play(app, script, size)

    ((step, path, may_replace),) = session.details.written
    assert (step, may_replace) == (10, False)
    assert path.startswith("matrix-val-loss-")


def test_a_chosen_step_is_kept_from_run_to_run() -> None:
    app = workbench(FakeSession())

    async def script(pilot: Pilot[int]) -> None:
        await keys(pilot, "enter", "6", "h", "h", "q", "j", "enter", "6")
        assert "step 10   1 of 3" in screen_text(app)

    play(app, script)


def test_the_curve_of_the_best_metric_stands_behind_the_first_fact() -> None:
    app = workbench(FakeSession())

    async def script(pilot: Pilot[int]) -> None:
        await keys(pilot, "enter")
        assert "val/loss   exact" in screen_text(app)

        await keys(pilot, "3", "z")
        text = screen_text(app)
        assert "3 metrics (1)" in text
        assert "goal: min" in text

    play(app, script)


def test_code_shows_the_patch() -> None:
    app = workbench(FakeSession())

    async def script(pilot: Pilot[int]) -> None:
        await keys(pilot, "enter", "4", "enter")
        assert "+lr = 2" in screen_text(app)
        assert "+2 -1" in screen_text(app)

    play(app, script, NARROW)


def test_keys_that_do_not_fit_say_what_does() -> None:
    app = workbench(FakeSession())

    async def script(pilot: Pilot[int]) -> None:
        for key, said in (
            ("w", "nothing here to write"),
            ("l", "no steps here"),
            ("plus", "only images"),
            ("H", "only images"),
        ):
            await keys(pilot, "enter", key)
            assert said in screen_text(app)
            await keys(pilot, "q")

    play(app, script)


def test_enter_behind_a_query_opens_the_run_that_the_query_found() -> None:
    app = workbench(FakeSession())

    async def script(pilot: Pilot[int]) -> None:
        await pilot.press("slash", *"sgd-lr0.03-w256", "enter", "enter", "6")
        await settle(pilot)
        assert app.desk.view.pane == "run"
        assert app.desk.answers.shown is not None
        assert app.desk.answers.shown.head.name == "sweep/sgd-lr0.03-w256"
        assert app.panes.run.current_key == "blobs:0"

    play(app, script)


def test_a_line_is_chosen_with_the_mouse() -> None:
    app = workbench(FakeSession())

    async def script(pilot: Pilot[int]) -> None:
        await keys(pilot, "enter")
        place = app.panes.run.page.keys.index("params:0")
        await pilot.click("#run", offset=(5, place + 1))
        await settle(pilot)
        assert app.panes.run.current_key == "params:0"
        assert "cli  holds" in screen_text(app)

    play(app, script)


def test_moving_on_before_the_picture_has_come_shows_nothing_of_it() -> None:
    app = workbench(FakeSession())

    async def script(pilot: Pilot[int]) -> None:
        for _ in range(5):
            await keys(pilot, "enter", "6")
            await pilot.press("l", "j", "k", "h", "j")
            await settle(pilot)
            assert "Step 30" in screen_text(app)
            await keys(pilot, "q")

    play(app, script)
