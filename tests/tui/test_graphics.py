"""Images in the terminal's own graphics: only when asked for, only where they are seen, and nothing else beside them."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable

import pytest
from textual.pilot import Pilot

from mlbench.render.terminal_pictures import is_graphics
from mlbench.settings import Settings
from mlbench.tui import compat
from mlbench.tui.app import Workbench
from tests.tui.driving import NARROW, WIDE, keys, play, screen_text
from tests.tui.fake import FakeSession
from tests.tui.test_hostile import hostile_session

IMAGE = ("enter", "6")
"""The first thing that was logged is an image."""
Script = Callable[[Workbench, Pilot[int], list[str]], Awaitable[None]]


def written_by(script: Script, *, images: str = "cells", session: FakeSession | None = None,
               size: tuple[int, int] = WIDE) -> list[str]:  # fmt: skip
    """Run a script; gives what was written beside Textual's own paint."""
    app = Workbench(session or FakeSession(), settings=Settings(images=images))
    written: list[str] = []

    async def run(pilot: Pilot[int]) -> None:
        assert app._driver is not None
        app._driver.write = written.append  # type: ignore[method-assign, assignment]
        await script(app, pilot, written)

    play(app, run, size)
    return [text for text in written if "\x1b_G" in text or "\x1bP" in text]


def shown(text: str) -> int:
    """Pictures that a text draws less those that it takes away."""
    return len(re.findall(r"\x1b_Ga=T", text)) - len(re.findall(r"\x1b_Ga=d", text))


def test_nobody_asked_so_nothing_is_written() -> None:
    async def script(app: Workbench, pilot: Pilot[int], written: list[str]) -> None:
        await keys(pilot, *IMAGE, "h", "plus", "escape", "3", "space", "d", "I")
        assert app.graphics is None

    assert written_by(script) == []


@pytest.mark.parametrize("size", [WIDE, NARROW])
def test_an_image_lies_over_its_cells_and_goes_with_them(size: tuple[int, int]) -> None:
    async def script(app: Workbench, pilot: Pilot[int], written: list[str]) -> None:
        def now() -> int:
            return shown("".join(written))

        await keys(pilot, *IMAGE, "enter")
        assert now() == 1
        placed = app.panes.stage.pictures[0]
        assert re.search(rf"\x1b\[{placed.line + app.panes.stage.region.y + 1};", "".join(written))

        await keys(pilot, "h", "h", "plus")
        assert now() == 1

        await keys(pilot, "question_mark")
        assert now() == 0  # help lies over it

        await keys(pilot, "escape")
        assert now() == 1

        await keys(pilot, "escape", "escape")
        assert now() == 0  # the runs are shown

    assert all(map(is_graphics, written_by(script, images="kitty", size=size)))


def test_a_key_draws_them_so_and_as_cells_again() -> None:
    async def script(app: Workbench, pilot: Pilot[int], written: list[str]) -> None:
        await keys(pilot, *IMAGE, "i")
        assert "WezTerm" in screen_text(app)

        await keys(pilot, "'kitty'", "enter")
        assert shown("".join(written)) == 1
        assert "images are drawn by kitty" in screen_text(app)

        await keys(pilot, "i", "'cells'", "enter")
        assert shown("".join(written)) == 0
        assert app.panes.stage.pictures == ()

    written_by(script)


def test_images_of_several_runs_each_have_their_place() -> None:
    async def script(app: Workbench, pilot: Pilot[int], written: list[str]) -> None:
        await keys(pilot, "3", "space", "d", "I")

        places = app.panes.compare.pictures
        assert shown("".join(written)) == len(places) > 1
        assert len({(one.column, one.line) for one in places}) == len(places)

    written_by(script, images="kitty")


def test_a_sixel_is_drawn_again_where_it_was_painted_over_and_not_elsewhere() -> None:
    pytest.importorskip("textual_image._sixel", reason="no textual-image here")

    async def script(app: Workbench, pilot: Pilot[int], written: list[str]) -> None:
        def count() -> int:
            return "".join(written).count("\x1bP")

        await keys(pilot, *IMAGE)
        before = count()
        app.panes.run.refresh()
        await pilot.pause()
        assert count() == before > 0

        app.panes.stage.refresh()
        await pilot.pause()
        assert count() == before + 1

    assert all(map(is_graphics, written_by(script, images="sixel")))


def test_in_tmux_kitty_stays_cells_and_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMUX", "/tmp/tmux-0/default,1,0")

    async def script(app: Workbench, pilot: Pilot[int], written: list[str]) -> None:
        assert "tmux does not pass kitty's images on" in screen_text(app)
        await keys(pilot, *IMAGE)

    assert written_by(script, images="kitty") == []


def test_a_screen_reader_gets_words() -> None:
    app = Workbench(FakeSession(), settings=Settings(images="kitty", plain=True))

    async def run(pilot: Pilot[int]) -> None:
        await keys(pilot, *IMAGE)
        assert app.panes.stage.pictures == ()

    play(app, run)


def test_hostile_names_do_not_get_into_graphics() -> None:
    async def script(app: Workbench, pilot: Pilot[int], written: list[str]) -> None:
        await keys(pilot, *IMAGE, "h", "plus", "escape", "*", "d", "I", "l")

    written = written_by(script, images="kitty", session=hostile_session())

    assert written
    assert all(map(is_graphics, written))


def test_what_is_no_picture_is_never_written_beside_the_paint() -> None:
    async def script(app: Workbench, pilot: Pilot[int], written: list[str]) -> None:
        for text in ("\x1b]52;c;ZXZpbA==\x07", "\x1b_Ga=T;AAAA\x1b\\\x1b[2J", "words"):
            compat.write_graphics(app, text)
        assert written == []

    written_by(script)
