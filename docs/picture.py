"""The picture of the workbench in the README: the app itself, on the sample runs, without a terminal."""

from __future__ import annotations

import asyncio
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from mlbench.paths import Home, find_home

if TYPE_CHECKING:
    from textual.pilot import Pilot

    from mlbench.tui.app import Workbench

SAMPLES = Path(__file__).resolve().parent.parent / "sample_runs"
SIZE = (160, 45)
QUERY = "group = logs/sweep and status = finished"
COLUMNS = "optimizer, lr, metrics.val/loss, metrics.val/acc, tag"
SORT = "metrics.val/loss"
MOST_WAITS = 600
"""Of 50 ms each: a cold start on a slow machine."""


def make_picture(path: str) -> None:
    """Write an SVG of the workbench on the sample runs: marked runs, their chart and what differs between them.

    Nothing of the user's is read: home and settings are temporary.
    """
    with tempfile.TemporaryDirectory() as folder:
        home = find_home(os.path.join(folder, "home"))
        _prepare(home)
        svg = asyncio.run(_shoot(home))
    lines = (line.rstrip() for line in svg.splitlines())
    Path(path).write_text("\n".join(lines) + "\n", encoding="utf-8")


def _prepare(home: Home) -> None:
    """Ingest the samples and say a few words about them."""
    from mlbench.catalog.reader import open_reader
    from mlbench.ingest.run import ingest_paths
    from mlbench.journal import RunRef, open_journal
    from mlbench.queries.names import resolve_runs

    ingest_paths(home, (str(SAMPLES),))
    with open_reader(home) as reader:
        heads = resolve_runs(reader, ("sgd-lr0.1-w64-seed0", "adam-lr0.1-w64-seed1", "adam-lr0.01-w64-seed1"))
    refs = [RunRef(head.key, head.fingerprint) for head in heads]
    with open_journal(home, author="you@atelier") as journal:
        journal.baseline(refs[0])
        journal.tag(refs[1], add=("candidate",))
        journal.note(refs[1], "the one to beat")


async def _shoot(home: Home) -> str:
    from mlbench.settings import Settings
    from mlbench.tui import compat
    from mlbench.tui.app import Workbench
    from mlbench.tui.catalog_session import CatalogSession

    compat.install(is_ascii=False)
    session = CatalogSession(home, (str(SAMPLES),))
    app = Workbench(session, settings=Settings(theme="dark", smoothing=0.0))
    try:
        async with app.run_test(size=SIZE) as pilot:
            await _play(app, pilot)
            return app.export_screenshot(title="mlbench sample_runs")
    finally:
        app.desk.is_leaving = True
        session.close()


async def _play(app: Workbench, pilot: Pilot[int]) -> None:
    """Filter, sort, and mark a few runs, as a user would."""
    await _until(app, pilot, lambda: app.desk.answers.done is not None and app.desk.answers.found is not None)
    await pilot.press("slash", *QUERY)
    await _until(app, pilot, lambda: app.desk.good.query == QUERY and not app.desk.typed_error)
    await pilot.press("enter")
    await pilot.press("c", "ctrl+u", *COLUMNS, "enter")
    await pilot.press("S", *SORT, "enter")
    await _until(app, pilot, lambda: app.desk.view.sort == (SORT,) and _columns(app) == COLUMNS)
    await pilot.press("g")
    for _run in range(4):
        await pilot.press("space", "j")
    await _until(app, pilot, lambda: len(app.desk.view.marks) == 4 and len(app.desk.answers.series) >= 4)
    await pilot.pause(0.5)


def _columns(app: Workbench) -> str:
    found = app.desk.answers.found
    return ", ".join(found.columns) if found else ""


async def _until(app: Workbench, pilot: Pilot[int], is_there: Callable[[], bool]) -> None:
    """Wait until the app has come so far.

    Raises:
        TimeoutError: it never did.
    """
    for _wait in range(MOST_WAITS):
        if is_there():
            await pilot.pause()
            return
        await pilot.pause(0.05)
    raise TimeoutError(f"the workbench never got so far: {app.desk.view}")
