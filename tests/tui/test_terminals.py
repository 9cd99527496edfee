"""What terminals do to a program: storms of sizes, stopping and going on, hanging up. It is always given back."""

from __future__ import annotations

import os
import re
import signal
from pathlib import Path

import pytest

from tests.events import scalar_file
from tests.paths import ROOT
from tests.tui.terminal import Terminal

LEFT = "\x1b[?1049l"


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    (tmp_path / "settings.toml").write_text("")
    for name in ("a", "b"):
        scalar_file(tmp_path / "logs" / name / "events.out.tfevents.1700000000.host", {"loss": [(0, 1.0), (1, 0.5)]})
    return {
        "TERM": "xterm-256color",
        "MLBENCH_HOME": str(tmp_path / "home"),
        "MLBENCH_CONFIG": str(tmp_path / "settings.toml"),
        "PYTHONPATH": str(ROOT),
    }


def opened(tmp_path: Path, environ: dict[str, str]) -> Terminal:
    return Terminal([str(tmp_path / "logs")], size=(100, 30), environ=environ, cwd=str(tmp_path))


def text_of(terminal: Terminal) -> str:
    return terminal.written.decode("utf-8", "replace")


def test_a_storm_of_sizes_ends_in_the_right_screen(environ: dict[str, str], tmp_path: Path) -> None:
    with opened(tmp_path, environ) as terminal:
        terminal.wait_for("2 runs", "? help")
        for step in range(60):
            terminal.resize((50 + step * 2, 12 + step % 30))
        terminal.resize((80, 24))
        terminal.wait_until(lambda screen: screen.split("\n")[23].endswith("? help"), "the footer")
        terminal.press("q")
        assert terminal.wait_for_end() == 0

    assert "Traceback" not in text_of(terminal)
    assert LEFT in text_of(terminal)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_a_signal_that_ends_it_gives_the_terminal_back(
    environ: dict[str, str], tmp_path: Path, number: signal.Signals
) -> None:
    with opened(tmp_path, environ) as terminal:
        terminal.wait_for("2 runs", "? help")
        assert terminal.process is not None
        os.kill(terminal.process.pid, number)
        terminal.wait_for_end()

    text = text_of(terminal)
    assert LEFT in text
    assert "\x1b[?25h" in text[text.rindex(LEFT) - 400 :]
    assert "Traceback" not in text


def test_without_colour_not_one_is_sent(environ: dict[str, str], tmp_path: Path) -> None:
    with opened(tmp_path, environ | {"NO_COLOR": "1"}) as terminal:
        terminal.wait_for("2 runs", "? help")
        for keys in ("\r", "3", "z", "q", "*d", "q", "?", "\x1b"):
            terminal.press(keys)
            terminal.read(0.4)
        terminal.press("q")
        terminal.wait_for_end()

    codes = {code for found in re.findall("\x1b\\[([0-9;]*)m", text_of(terminal)) for code in found.split(";")}
    assert not codes & {"38", "48", *map(str, range(30, 38)), *map(str, range(40, 48)), *map(str, range(90, 108))}


def test_in_an_ascii_locale_everything_is_ascii(environ: dict[str, str], tmp_path: Path) -> None:
    ascii_only = {
        "LC_ALL": "C",
        "LANG": "C",
        "PYTHONUTF8": "0",
        "PYTHONCOERCECLOCALE": "0",
        "PYTHONIOENCODING": "ascii",
    }
    with opened(tmp_path, environ | ascii_only) as terminal:
        terminal.wait_for("2 runs", "? help")
        terminal.press("\r3")
        terminal.wait_for("3 metrics")
        terminal.press("qq")
        terminal.wait_for_end()

    assert text_of(terminal).isascii()
    assert "\\u28" not in text_of(terminal)
