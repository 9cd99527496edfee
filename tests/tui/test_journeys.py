"""Whole errands on a real home, as a user would do them."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual.pilot import Pilot

from mlbench import journal
from mlbench.paths import Home, find_home
from mlbench.tui.app import Workbench
from mlbench.tui.catalog_session import CatalogSession
from tests.paths import ROOT
from tests.tui.driving import NARROW, keys, play, screen_text, workbench

SAMPLES = ROOT / "sample_runs" / "logs"
needs_samples = pytest.mark.skipif(not SAMPLES.is_dir(), reason="sample_runs/logs is not there")


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    monkeypatch.chdir(tmp_path)
    return find_home(str(tmp_path / "home"))


def opened(home: Home, folder: Path = SAMPLES) -> Workbench:
    return workbench(CatalogSession(home, [str(folder)]))


@needs_samples
def test_find_compare_tag_and_report(home: Home, tmp_path: Path) -> None:
    app = opened(home)

    async def errand(pilot: Pilot[int]) -> None:
        assert "33 runs" in screen_text(app)

        await keys(pilot, "/", "'optimiser = adam and width = 64 and lr = 0.1'", "enter")
        assert "3 of 33 runs" in screen_text(app)

        await keys(pilot, "3", "space", "d")
        compared = screen_text(app)
        assert "3 runs against" in compared
        assert "params: 1 differs" in compared
        assert "metrics:" in compared

        await keys(pilot, "t", "'candidate +adam'", "enter", "q")
        assert screen_text(app).count("#adam #candidate") == 3

        await keys(pilot, "x", "enter")
        assert "report.md" in screen_text(app)

    play(app, errand)

    tags = journal.replay(home).tags
    assert sorted(tags.values()) == [("adam", "candidate")] * 3
    report = (tmp_path / "report.md").read_text()
    assert "adam-lr0.1-w64-seed1" in report.replace("&#45;", "-").replace("&#46;", ".")
    assert sorted(path.suffix for path in tmp_path.glob("report*")) != [".md"]


@needs_samples
def test_note_baseline_undo_and_a_report_that_is_not_replaced(home: Home, tmp_path: Path) -> None:
    (tmp_path / "mine.md").write_text("mine")
    app = opened(home)

    async def errand(pilot: Pilot[int]) -> None:
        await keys(pilot, "b", "n", "'first line\\nsecond'", "enter")
        assert "◆" in screen_text(app).splitlines()[0]

        await keys(pilot, "n")
        assert "first line\\nsecond" in screen_text(app)

        await keys(pilot, "escape", "u", "u")
        assert "◆" not in screen_text(app).splitlines()[0]

        await keys(pilot, "x", "ctrl+u", "'mine.md'", "enter")
        assert "mine.md is there already" in screen_text(app)

        await keys(pilot, "n")
        assert "nothing was written" in screen_text(app)

        await keys(pilot, "ctrl+r", "ctrl+r", "/", "'archived ='")
        assert "a value is missing" in screen_text(app)

        await keys(pilot, "escape", "q")

    play(app, errand, NARROW)

    words = journal.replay(home)
    assert [note.body for notes in words.notes.values() for note in notes] == ["first line\nsecond"]
    assert len(words.baselines) == 1
    assert (tmp_path / "mine.md").read_text() == "mine"
    assert app.return_value == 0


def test_a_directory_without_runs_says_so_and_keys_do_no_harm(home: Home, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    app = opened(home, tmp_path / "empty")
    seen = []

    async def errand(pilot: Pilot[int]) -> None:
        seen.append(screen_text(app))
        for key in ("space", "v", "v", "*", "s", "=", "!", "b", "t", "n", "a", "m", "d", "enter", "r", "a", "q", "p", "h",
                    "plus", "i", "n", "s", "q", "enter", "y", "i", "y", "p", "u", "G", "g", "tab", "j", "k"):  # fmt: skip
            await keys(pilot, key)
        seen.append(screen_text(app))

    play(app, errand)

    assert "no runs in empty" in seen[0]


def test_a_directory_that_has_gone_is_told(home: Home, tmp_path: Path) -> None:
    app = opened(home, tmp_path / "gone")
    seen = []

    async def errand(pilot: Pilot[int]) -> None:
        seen.append(screen_text(app))

    play(app, errand)

    assert "gone" in seen[0]
    assert app.return_value is None
