"""Notes in the making: drafts that outlive a kill, the user's editor, and the terminal behind both (real terminals)."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest
from textual.pilot import Pilot

from mlbench import journal
from mlbench.paths import find_home
from tests.events import scalar_file
from tests.paths import ROOT
from tests.tui.driving import NARROW, keys, play, screen_text, workbench
from tests.tui.fake import FakeSession
from tests.tui.terminal import Terminal


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    (tmp_path / "settings.toml").write_text("")
    scalar_file(tmp_path / "logs" / "a" / "events.out.tfevents.1700000000.host", {"loss": [(0, 1.0), (1, 0.5)]})
    return {
        "TERM": "xterm-256color",
        "MLBENCH_HOME": str(tmp_path / "home"),
        "MLBENCH_CONFIG": str(tmp_path / "settings.toml"),
        "PYTHONPATH": str(ROOT),
        "EDITOR": "false",
        "VISUAL": "",
    }


def opened(tmp_path: Path, environ: dict[str, str]) -> Terminal:
    return Terminal([str(tmp_path / "logs")], size=NARROW, environ=environ, cwd=str(tmp_path))


def bodies(tmp_path: Path) -> list[str]:
    notes = journal.replay(find_home(str(tmp_path / "home"))).notes
    return [note.body for each in notes.values() for note in each]


def drafts(tmp_path: Path) -> list[str]:
    return [path.read_text() for path in (tmp_path / "home" / "drafts").glob("*.md")]


def editor(tmp_path: Path, script: str) -> str:
    path = tmp_path / "editor.sh"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o700)
    return str(path)


def test_a_note_that_was_being_written_outlives_kill_9(environ: dict[str, str], tmp_path: Path) -> None:
    with opened(tmp_path, environ) as terminal:
        terminal.wait_for("1 run", "loss")
        terminal.press("n")
        terminal.wait_for("note on a:")
        terminal.press("lr was wrong, see")
        terminal.wait_until(lambda _screen: drafts(tmp_path) == ["lr was wrong, see"], "the draft on the disk")
        assert terminal.process is not None
        terminal.process.send_signal(signal.SIGKILL)
        terminal.wait_for_end()

    assert bodies(tmp_path) == []
    with opened(tmp_path, environ) as terminal:
        terminal.wait_for("1 run", "loss")
        terminal.press("n")
        terminal.wait_for("note on a: lr was wrong, see", "from a draft")
        terminal.press(" log\r")
        terminal.wait_for("noted on a")
        terminal.press("q")
        terminal.wait_for_end()

    assert bodies(tmp_path) == ["lr was wrong, see log"]
    assert drafts(tmp_path) == []


def test_the_editor_has_the_terminal_and_gives_it_back(environ: dict[str, str], tmp_path: Path) -> None:
    script = 'cp "$1" "$1.before"; printf "two\\nlines of *Markdown*\\n" > "$1"; printf "the editor is here"; sleep 0.3'
    environ["EDITOR"] = editor(tmp_path, script)
    with opened(tmp_path, environ) as terminal:
        terminal.wait_for("1 run", "loss")
        terminal.press("n")
        terminal.wait_for("note on a:")
        terminal.press("begun\x0f")
        terminal.wait_for("the editor is here")
        terminal.wait_for("noted on a", "1 run")
        terminal.press("\r")
        terminal.wait_for("1 run", "name")
        terminal.press("7")
        terminal.wait_for("lines of Markdown")
        terminal.press("qq")
        assert terminal.wait_for_end() == 0

    assert bodies(tmp_path) == ["two\nlines of *Markdown*"]
    (before,) = (tmp_path / "home" / "drafts").glob("*.before")
    assert before.read_text() == "begun"


def test_an_editor_that_fails_loses_nothing(environ: dict[str, str], tmp_path: Path) -> None:
    environ["EDITOR"] = editor(tmp_path, 'printf more >> "$1"; exit 3')
    with opened(tmp_path, environ) as terminal:
        terminal.wait_for("1 run", "loss")
        terminal.press("n")
        terminal.wait_for("note on a:")
        terminal.press("begun\x0f")
        terminal.wait_for("ended with 3", "draft is kept")
        terminal.press("q")
        terminal.wait_for_end()

    assert drafts(tmp_path) == ["begunmore"]


def test_an_editor_that_is_not_there_is_told(environ: dict[str, str], tmp_path: Path) -> None:
    environ["EDITOR"] = str(tmp_path / "no-such-editor")
    with opened(tmp_path, environ) as terminal:
        terminal.wait_for("1 run", "loss")
        terminal.press("N")
        terminal.wait_for("cannot be run")
        terminal.press("q")
        assert terminal.wait_for_end() == 0


def test_esc_keeps_the_draft_and_clearing_it_throws_it_away() -> None:
    session = FakeSession()
    app = workbench(session)

    async def script(pilot: Pilot[int]) -> None:
        await keys(pilot, "n", "'half a thought'", "escape")
        assert "the draft is kept" in screen_text(app)

        await keys(pilot, "n")
        assert "half a thought" in screen_text(app)
        assert "never said" in screen_text(app)

        await keys(pilot, "ctrl+u", "enter", "n")
        assert "half a thought" not in screen_text(app)

    play(app, script)

    assert session.drafts.texts == {}
    assert session.said == []


def test_a_word_of_two_keys_and_the_text_writes_a_note() -> None:
    session = FakeSession()
    app = workbench(session)

    async def script(pilot: Pilot[int]) -> None:
        await keys(pilot, "n", "'lr 2e-3 wins'", "enter")

    play(app, script)

    assert session.said == ["note 1 'lr 2e-3 wins'"]
    assert session.drafts.texts == {}


def signalled(terminal: Terminal, number: int) -> None:
    assert terminal.process is not None
    os.kill(terminal.process.pid, number)


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGTERM])
def test_a_lost_connection_ends_it_and_leaves_the_draft(environ: dict[str, str], tmp_path: Path, number: int) -> None:
    with opened(tmp_path, environ) as terminal:
        terminal.wait_for("1 run", "loss")
        terminal.press("n")
        terminal.wait_for("note on a:")
        terminal.press("unsaid")
        terminal.wait_until(lambda _screen: drafts(tmp_path) == ["unsaid"], "the draft on the disk")
        signalled(terminal, number)
        terminal.wait_for_end()

    assert drafts(tmp_path) == ["unsaid"]
    assert "Traceback" not in terminal.written.decode("utf-8", "replace")
