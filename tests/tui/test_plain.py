"""Plain mode: the screen as a screen reader has it."""

from __future__ import annotations

import re
import unicodedata
from pathlib import Path

import pytest
from textual.pilot import Pilot

from mlbench.settings import Settings
from mlbench.tui import compat
from mlbench.tui.app import Workbench
from tests.tui.driving import NARROW, WIDE, keys, play, screen_text
from tests.tui.fake import FakeSession
from tests.tui.terminal import Terminal

ROOT = Path(__file__).parents[2]
DRAWN = ("BOX DRAWINGS", "BLOCK", "BRAILLE", "QUADRANT", "CIRCLE", "DIAMOND", "CHECK MARK", "BALLOT")


def drawn_signs(text: str) -> set[str]:
    """Characters that only an eye understands."""
    return {char for char in text if any(word in unicodedata.name(char, "") for word in DRAWN)}


def test_there_is_one_pane_with_words_for_signs_and_numbers_for_charts() -> None:
    app = Workbench(FakeSession(), settings=Settings(plain=True))
    seen: list[str] = []

    async def script(pilot: Pilot[int]) -> None:
        await keys(pilot, "2", "space", "j", "b")
        table = screen_text(app)
        lines = table.splitlines()
        assert any("finished marked" in line and "adam-lr0.3-w64" in line for line in lines)
        assert any("finished marked baseline" in line and "adam-lr0.03-w64" in line for line in lines)
        assert any(line.split()[:1] == ["failed"] for line in lines)
        assert app.cursor_position == (0, 3)

        await keys(pilot, "p")
        chart = screen_text(app)
        assert "200 points, all finite, steps 0 to 3,980" in chart
        assert "greatest" in chart
        assert "run" not in chart.splitlines()[1]

        await keys(pilot, "q", "enter", "3", "enter")
        stage = screen_text(app)
        assert "least" in stage
        await keys(pilot, "escape", "escape", "/")
        assert app.cursor_position == (3, 43)
        seen.extend((table, chart, stage))

    play(app, script, WIDE)
    assert {sign for text in seen for sign in drawn_signs(text)} <= {"\u25cf", "\u25c6"}


def test_images_of_runs_are_told_in_words_below_each_other() -> None:
    app = Workbench(FakeSession(), settings=Settings(plain=True))

    async def script(pilot: Pilot[int]) -> None:
        await keys(pilot, "2", "space", "d", "I")
        screen = screen_text(app)
        assert [line.strip() for line in screen.splitlines() if "pixels" in line] == [
            "a picture, 24 pixels wide and 24 high, mean brightness 34%"
        ] * 2
        assert drawn_signs(screen) <= {"\u25cf", "\u25c6"}

    play(app, script, WIDE)


def test_all_curves_can_be_reached_and_how_many_lines_there_are_is_said() -> None:
    app = Workbench(FakeSession(), settings=Settings(plain=True))

    async def script(pilot: Pilot[int]) -> None:
        await keys(pilot, "9", "space", "p")
        seen = screen_text(app)
        assert "lines 1 to 20 of " in seen
        assert app.cursor_position == (0, 2)
        for _ in range(9):
            await keys(pilot, "pagedown")
            seen += screen_text(app)
        names = [app.desk.heads[run_id].name.removeprefix("sweep/") for run_id in app.desk.view.marks.run_ids]
        assert len(names) == 9
        assert all(f"  {name}\n" in seen for name in names)
        last = screen_text(app)
        await keys(pilot, "j")
        assert screen_text(app) == last
        await keys(pilot, "k")
        assert screen_text(app) != last

    play(app, script, NARROW)


def test_the_run_in_front_is_told_first_and_alone_where_it_is_isolated() -> None:
    app = Workbench(FakeSession(), settings=Settings(plain=True))

    async def script(pilot: Pilot[int]) -> None:
        def names() -> list[str]:
            found = re.findall(r"^  (?:sweep/)?(adam\S+)$", screen_text(app), re.MULTILINE)
            return [str(name) for name in found]

        await keys(pilot, "3", "space", "p")
        assert names() == ["adam-lr0.3-w64", "adam-lr0.03-w64", "adam-lr0.003-w64"]
        await keys(pilot, "n", "n")
        assert names() == ["adam-lr0.03-w64", "adam-lr0.3-w64", "adam-lr0.003-w64"]
        await keys(pilot, "i")
        assert names() == ["adam-lr0.03-w64"]

    play(app, script, WIDE)


def test_keys_that_change_only_how_curves_are_drawn_are_not_offered() -> None:
    app = Workbench(FakeSession(), settings=Settings(plain=True))

    async def script(pilot: Pilot[int]) -> None:
        await keys(pilot, "3", "space", "p")
        footer = screen_text(app).splitlines()[-1]
        assert "m metrics" in footer
        assert not any(key in footer for key in ("log y", "crosshair", "zoom in", "smooth"))
        await keys(pilot, "Y")
        assert "there is no 'log y'" in screen_text(app)
        assert app.desk.view.chart.y_scale == "linear"
        await keys(pilot, "?")
        assert "choose the metrics" in screen_text(app)
        assert "crosshair" not in screen_text(app)

    play(app, script, WIDE)


def test_what_charts_would_show_can_be_written(tmp_path: Path) -> None:
    app = Workbench(FakeSession(), settings=Settings(plain=True))

    async def script(pilot: Pilot[int]) -> None:
        await keys(pilot, "2", "space", "p", "w", "ctrl+u", f"'{tmp_path}/curves'", "enter")

    play(app, script, WIDE)
    lines = (tmp_path / "curves.csv").read_text().splitlines()
    assert lines[0] == "curve,metric,x,y"
    assert len(lines) > 2 * 200
    assert (tmp_path / "curves.svg").read_text().startswith("<svg")


def test_colours_are_not_used() -> None:
    app = Workbench(FakeSession(), settings=Settings(plain=True))

    assert app.looks.depth == "none"
    styles = {app.looks.style(role) for role in ("good", "bad", "run1", "key", "warning")}
    assert all(style.color is None or style.color.is_default for style in styles)


def test_plain_is_switched_on_and_off_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "settings.toml").write_text("")
    monkeypatch.setenv("MLBENCH_CONFIG", str(tmp_path / "settings.toml"))
    app = Workbench(FakeSession(), settings=Settings())

    async def script(pilot: Pilot[int]) -> None:
        await keys(pilot, ",", "'plain'", "enter", "'true'", "enter")
        assert "\u2502" not in screen_text(app)
        assert any(line.split()[:1] == ["failed"] for line in screen_text(app).splitlines())
        await keys(pilot, ",", "'plain'", "enter", "'false'", "enter")
        assert "\u2717" in screen_text(app)

    play(app, script, WIDE)
    assert compat._state["is_plain"] is False


def test_the_terminal_gets_no_lines_of_boxes_and_shows_its_cursor(tmp_path: Path) -> None:
    (tmp_path / "settings.toml").write_text("")
    environ = {"MLBENCH_HOME": str(tmp_path / "home"), "MLBENCH_CONFIG": str(tmp_path / "settings.toml"),
               "TERM": "xterm-256color", "COLORTERM": "truecolor"}  # fmt: skip
    with Terminal(["open", "--plain", str(ROOT / "sample_runs")], size=WIDE, environ=environ, cwd=str(ROOT)) as seen:
        seen.wait_for("33 runs", "finished")
        seen.press("jp")
        screen = seen.wait_for("points, all finite")

        assert drawn_signs(screen) == set()
        assert b"38;2;" not in seen.written
        assert b"38;5;" not in seen.written
        assert seen.written.rfind(b"\x1b[?25h") > seen.written.rfind(b"\x1b[?25l")
        seen.press("qq")
        assert seen.wait_for_end() == 0
