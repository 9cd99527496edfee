"""What must be the same on every machine for screens to be the same."""

import asyncio
import os
from time import monotonic, process_time

import pytest
import textual.app
import textual.pilot

TERMINAL = ("NO_COLOR", "COLORFGBG", "TMUX", "STY", "VTE_VERSION", "TERM_PROGRAM")


@pytest.fixture(autouse=True)
def plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """NO_COLOR, Textual's own variables and the light-ground hint change what is drawn; tmux takes what is copied."""
    for name in [*os.environ]:
        if (name.startswith("TEXTUAL_") and "SNAPSHOT" not in name) or name in TERMINAL:
            monkeypatch.delenv(name)


LOOKED_AT_S, IDLE_S = 0.010, 0.0005


@pytest.fixture(autouse=True)
def finer_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait after a key as Textual's pilot does, until the process is idle, but look twice as often.

    It looks at 20 ms at a time, twice for each key, which was most of the time of these tests. Where another process
    has the processor ours looks idle: so the event loop shall have nothing left to run either.
    """

    async def wait(min_sleep: float = 2 * LOOKED_AT_S, max_sleep: float = 1) -> None:
        ready = asyncio.get_running_loop()._ready  # type: ignore[attr-defined]
        began = monotonic()
        while True:
            before = process_time()
            await asyncio.sleep(LOOKED_AT_S)
            is_idle = not ready and process_time() - before < IDLE_S
            took = monotonic() - began
            if took >= max_sleep or (took > min_sleep and is_idle):
                return

    monkeypatch.setattr(textual.app, "wait_for_idle", wait)
    monkeypatch.setattr(textual.pilot, "wait_for_idle", wait)
