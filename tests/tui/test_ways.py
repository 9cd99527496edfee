"""Ways through the workbench: history, problems, the palette; and no action without help, docs or a way to reach it."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import pytest
from textual.pilot import Pilot

from mlbench.queries.answers import ProblemLine
from mlbench.settings import Settings, meanings
from mlbench.tui.actions import ACTIONS, PANES
from mlbench.tui.keyboard import Keyboard
from mlbench.tui.screens.help import help_rows
from tests.paths import ROOT
from tests.tui.driving import keys, play, screen_text, settle, workbench
from tests.tui.fake import FakeSession


def test_no_action_lacks_help_docs_or_a_way_to_reach_it() -> None:
    keyboard = Keyboard()
    reference = (ROOT / "docs" / "reference" / "keys.md").read_text()
    helped = {text for pane in PANES for _keys, text, _group in help_rows(keyboard, pane)}
    reached = {action.id for pane in PANES for keys, action in keyboard.working(pane) if keys}

    for action in ACTIONS:
        assert action.label
        assert action.help
        assert not action.help.endswith(".")
        assert f"`{action.id}`" in reference
        assert action.help in helped or action.id.startswith("lists.section_")
        assert action.id in reached or f":{action.id.rpartition('.')[2]}" in action.help


def test_history_goes_back_through_query_pane_and_run() -> None:
    app = workbench(FakeSession())

    async def script(pilot: Pilot[int]) -> None:
        await keys(pilot, "/", "'adam'", "enter", "d", "escape", "enter")
        assert app.desk.view.pane == "run"

        await keys(pilot, "left_square_bracket")
        assert (app.desk.view.pane, app.desk.view.query) == ("runs", "adam")

        await keys(pilot, "left_square_bracket")
        assert app.desk.view.pane == "compare"

        await keys(pilot, "left_square_bracket", "left_square_bracket")
        assert (app.desk.view.pane, app.desk.view.query) == ("runs", "")
        assert "12 runs" in screen_text(app)

        await keys(pilot, "left_square_bracket")
        assert "no other place" in screen_text(app)

        await keys(pilot, "right_square_bracket")
        assert app.desk.view.query == "adam"
        assert "6 of 12" in screen_text(app)

    play(app, script)


def test_a_problem_is_found_and_leads_to_its_run() -> None:
    session = FakeSession()
    session.problem_lines = (
        ProblemLine("/logs/a.yaml", "line 3", "is not YAML", "Mend it"),
        ProblemLine("/logs/b/events.out", "offset 9", "is cut", "Wait", "000000000004"),
    )
    app = workbench(session)

    async def script(pilot: Pilot[int]) -> None:
        await keys(pilot, ":", "'problems'", "enter", "enter")
        assert "belongs to no run" in screen_text(app)

        await keys(pilot, "f", "'cut'", "enter")
        assert "1 of 2 problems" in screen_text(app)

        await keys(pilot, "enter")
        assert app.desk.view.pane == "run"
        assert app.desk.view.shown_run == "000000000004"

    play(app, script)


def test_the_palette_finds_runs_and_commands() -> None:
    app = workbench(FakeSession())

    async def script(pilot: Pilot[int]) -> None:
        await pilot.press("ctrl+p", *"sgdlr0.003w256")
        await pilot.pause(0.5)
        await pilot.press("enter")
        await settle(pilot)
        await pilot.press("enter")
        await settle(pilot)
        assert app.desk.answers.shown is not None
        assert app.desk.answers.shown.head.name == "sweep/sgd-lr0.003-w256"

    play(app, script)


def test_yy_copies_the_id() -> None:
    app = workbench(FakeSession())

    async def script(pilot: Pilot[int]) -> None:
        await keys(pilot, "y", "y")
        assert "copied: 000000000000" in screen_text(app)

    play(app, script)


def test_every_action_is_done_on_the_command_line_by_its_id() -> None:
    app = workbench(FakeSession())

    async def script(pilot: Pilot[int]) -> None:
        await keys(pilot, ":", "'runs.mark_all'", "enter")
        assert len(app.desk.view.marks) == 12

        await keys(pilot, ":", "'unmark'", "enter")
        assert len(app.desk.view.marks) == 0

        await keys(pilot, ":", "'runs.mark_al'", "tab", "enter")
        assert len(app.desk.view.marks) == 12

    play(app, script)


def test_queries_are_recalled_in_the_next_session() -> None:
    session = FakeSession()
    app = workbench(session)

    async def ask(pilot: Pilot[int]) -> None:
        await keys(pilot, "/", "'adam'", "enter", "/", "ctrl+u", "'sgd'", "enter", "q")

    async def recall(pilot: Pilot[int]) -> None:
        await keys(pilot, "/", "ctrl+u", "up", "up", "enter")
        assert later.desk.view.query == "adam"

    play(app, ask)
    later = workbench(session)
    play(later, recall)


def test_the_settings_are_listed_with_their_origin_and_explained(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "mine.toml"
    path.write_text('theme = "light"\n')
    monkeypatch.setenv("MLBENCH_CONFIG", str(path))
    app = workbench(FakeSession())

    async def script(pilot: Pilot[int]) -> None:
        await keys(pilot, "comma")
        shown = screen_text(app)
        assert any("theme = light" in line and "mine.toml" in line for line in shown.splitlines())
        assert any("smoothing = 0.6" in line and "default" in line for line in shown.splitlines())

        await keys(pilot, "'glyphs'", "enter")
        assert "What charts are drawn with" in screen_text(app)
        assert "now default" in screen_text(app)
        await keys(pilot, "escape")

        path.write_text("theme = 3\n")
        await keys(pilot, "comma")
        assert "theme = 3 will not do" in screen_text(app)

    play(app, script)


def test_every_setting_has_a_meaning() -> None:
    assert set(meanings()) == {each.name for each in fields(Settings)}
