"""The table of runs: what it draws, and how little of it again."""

from __future__ import annotations

from dataclasses import replace

import pytest
from textual.geometry import Region
from textual.pilot import Pilot

from mlbench.queries.answers import RunRow
from mlbench.tui.app import Workbench
from tests.tui.driving import NARROW, keys, play, screen_text, settle, workbench
from tests.tui.fake import FakeRun, FakeSession, make_runs


def many_runs(n: int) -> list[FakeRun]:
    one = make_runs()[0]
    return [
        replace(one, head=replace(one.head, run_id=f"{i:012d}", name=f"sweep/run-{i:05d}"), final=0.1 + i / 1000)
        for i in range(n)
    ]


def test_a_move_repaints_two_rows_and_a_scroll_all(monkeypatch: pytest.MonkeyPatch) -> None:
    app = workbench(FakeSession(many_runs(100)))
    repainted: list[tuple[Region, ...]] = []

    async def script(pilot: Pilot[int]) -> None:
        table = app.panes.table
        monkeypatch.setattr(table, "refresh", lambda *regions, **_options: repainted.append(regions))
        table.move_to(1)
        table.move_to(1)
        table.move_to(60)

    play(app, script, NARROW)

    assert repainted == [(Region(0, 1, 80, 1), Region(0, 2, 80, 1)), ()]


def test_only_rows_that_are_seen_are_formatted(monkeypatch: pytest.MonkeyPatch) -> None:
    app = workbench(FakeSession(many_runs(2000)))
    drawn: list[int] = []

    async def script(pilot: Pilot[int]) -> None:
        table = app.panes.table
        original = table._row_strip
        monkeypatch.setattr(table, "_row_strip", lambda index: drawn.append(index) or original(index))  # type: ignore[func-returns-value]
        await keys(pilot, "G")
        assert "run-01999" in screen_text(app)

    play(app, script, NARROW)

    assert len(set(drawn)) == 20


def test_columns_scroll_whole_and_the_name_stays() -> None:
    app = workbench(FakeSession())

    async def script(pilot: Pilot[int]) -> None:
        first = screen_text(app).splitlines()[1]
        assert "›" in first
        assert "started" not in first

        await keys(pilot, *["l"] * 9)
        last = screen_text(app).splitlines()[1]
        assert "run" in last
        assert "‹" in last
        assert "started" in last
        assert "›" not in last
        assert "2026-11-02 14:20" in screen_text(app)

        await keys(pilot, *["h"] * 9)
        assert screen_text(app).splitlines()[1] == first

    play(app, script, NARROW)


def test_numbers_that_are_seen_are_whole() -> None:
    app = workbench(FakeSession())
    seen: list[str] = []

    async def script(pilot: Pilot[int]) -> None:
        for width in range(60, 120):
            await pilot.resize_terminal(width, 20)
            await settle(pilot)
            seen.extend(screen_text(app).splitlines()[2:14])

    play(app, script)

    values = {"0.1529", "0.5346", "0.1346", "0.2701", "0.6518", "0.2518", "0.8471", "0.4654", "0.8654", "0.7299", "0.3482", "0.7482",
              "0.3", "0.03", "0.003"}  # fmt: skip
    numbers = {word for line in seen for word in line.split() if word.startswith("0.")}
    assert numbers <= values


def test_the_cursor_stays_on_its_run_when_others_go() -> None:
    app = workbench(FakeSession())

    async def script(pilot: Pilot[int]) -> None:
        await keys(pilot, *["j"] * 7)
        name = current(app).head.name
        await keys(pilot, "/", "'w256'", "enter")
        assert current(app).head.name == name

    play(app, script)


def current(app: Workbench) -> RunRow:
    row = app.panes.table.current
    assert row is not None
    return row
