"""Driving the app in tests: keys, waiting for answers, and the screen as text."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from textual.pilot import Pilot

from mlbench.settings import Settings
from mlbench.tui.app import Workbench
from mlbench.tui.session import Session
from tests.tui.fake import FakeSession

WIDE, NARROW = (160, 45), (80, 24)
NAMED = {" ": "space"}


def workbench(session: Session, **options: object) -> Workbench:
    """The app with the settings that everybody has."""
    return Workbench(session, settings=Settings(), **options)  # type: ignore[arg-type]


async def settle(pilot: Pilot[int]) -> None:
    """Wait until nothing is asked any more: timers, threads and what they answered.

    Twice in a row: where others have the processor, a key may still be on its way from the app to the screen.
    """
    app = pilot.app
    assert isinstance(app, Workbench)
    n_quiet = 0
    for _ in range(200):
        await app.workers.wait_for_complete()
        await pilot.pause(0.01)
        n_quiet = 0 if app.is_busy else n_quiet + 1
        if n_quiet == 2:
            break
    await pilot.pause()


async def news_taken(session: FakeSession, pilot: Pilot[int]) -> None:
    """Wait until the app has taken all news that the session has."""
    for _ in range(50):
        await pilot.pause(0.02)
        if not session.news:
            break
    await settle(pilot)


async def keys(pilot: Pilot[int], *pressed: str) -> None:
    """Press keys one after another; `'lr'` in quotes is typed letter by letter."""
    for key in pressed:
        letters = [NAMED.get(letter, letter) for letter in key[1:-1]] if key[:1] == "'" and len(key) > 1 else [key]
        await pilot.press(*letters)
    await settle(pilot)


def after(*pressed: str) -> Callable[[Pilot[int]], Awaitable[None]]:
    """For `snap_compare`: the screen after these keys."""

    async def run(pilot: Pilot[int]) -> None:
        await settle(pilot)
        await keys(pilot, *pressed)

    return run


def play(app: Workbench, script: Callable[[Pilot[int]], Awaitable[None]], size: tuple[int, int] = WIDE) -> None:
    """Run a script on the app, from the first screen with all its answers."""

    async def run() -> None:
        async with app.run_test(size=size) as pilot:
            await settle(pilot)
            await script(pilot)

    asyncio.run(run())


def screen_text(app: Workbench) -> str:
    """What is on the screen, line by line."""
    return "\n".join(strip.text.rstrip() for strip in app.screen._compositor.render_strips())
