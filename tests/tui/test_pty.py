"""The real program in a real terminal (pyte reads what it writes)."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from mlbench import journal
from mlbench.paths import find_home
from tests.events import scalar_file
from tests.paths import ROOT
from tests.tui.fake import HOSTILE_NAMES
from tests.tui.terminal import Terminal

SAMPLES = ROOT / "sample_runs" / "logs"
FIXED = {"COLUMNS": "80", "LINES": "24"}
"""As some shells export them; they must not keep the app from following the terminal."""
needs_samples = pytest.mark.skipif(not SAMPLES.is_dir(), reason="sample_runs/logs is not there")


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    return {
        "TERM": "xterm-256color",
        "COLORTERM": "truecolor",
        "MLBENCH_HOME": str(tmp_path / "home"),
        "MLBENCH_CONFIG": str(settings_in(tmp_path)),
        "PYTHONPATH": str(ROOT),
    }


def settings_in(folder: Path) -> Path:
    path = folder / "settings.toml"
    path.write_text("")
    return path


@needs_samples
def test_open_filter_tag_and_quit(environ: dict[str, str], tmp_path: Path) -> None:
    with Terminal([str(SAMPLES)], size=(160, 45), environ=environ, cwd=str(tmp_path)) as terminal:
        terminal.wait_for("33 runs", "sweep/adam-lr0.1-w64-seed0", "compare", "val/acc")

        terminal.press("/optimizer = adam and lr = 0.1")
        terminal.wait_for("[6/33]", "6 of 33 runs")
        terminal.press("\r*t")
        terminal.wait_for("6 marked", "tag 6 runs")
        terminal.press("+best\r")
        terminal.wait_for("tagged 6 runs", "#best")
        terminal.press("q")

        assert terminal.wait_for_end() == 0

    assert list(journal.replay(find_home(str(tmp_path / "home"))).tags.values()) == [("best",)] * 6


@needs_samples
def test_nothing_is_written_while_nothing_happens(environ: dict[str, str], tmp_path: Path) -> None:
    with Terminal([str(SAMPLES)], size=(80, 24), environ=environ, cwd=str(tmp_path)) as terminal:
        terminal.wait_until(lambda screen: "33 runs" in screen and "indexed" not in screen, "all runs")
        terminal.read(2.0)

        idle = terminal.read(1.0)
        terminal.press("j")
        moved = terminal.read(0.5)

        assert idle == b""
        assert 0 < len(moved) < 1200


@needs_samples
def test_a_terminal_that_becomes_too_small_gets_one_line_and_recovers(environ: dict[str, str], tmp_path: Path) -> None:
    with Terminal([str(SAMPLES)], size=(80, 24), environ=environ | FIXED, cwd=str(tmp_path)) as terminal:
        terminal.wait_for("33 runs")
        terminal.resize((40, 10))
        small = terminal.wait_for("40x10")
        terminal.resize((80, 24))
        terminal.wait_for("33 runs", "? help")
        terminal.press("q")

        assert terminal.wait_for_end() == 0

    assert len([line for line in small.splitlines() if line]) == 1


@pytest.mark.parametrize(
    ("size", "term", "says"), [((40, 10), "xterm-256color", "60x15"), ((80, 24), "dumb", "TERM=dumb")]
)
def test_where_it_cannot_open_it_says_what_to_do(
    environ: dict[str, str], tmp_path: Path, size: tuple[int, int], term: str, says: str
) -> None:
    (tmp_path / "logs").mkdir()

    with Terminal(["logs"], size=size, environ=environ | {"TERM": term}, cwd=str(tmp_path)) as terminal:
        terminal.wait_for_end()

        assert says in terminal.screen.replace("\n", "")
        assert "\x1b[?1049h" not in terminal.written.decode("utf-8", "replace")


def test_no_sequence_from_a_log_reaches_the_terminal(environ: dict[str, str], tmp_path: Path) -> None:
    write_hostile_logs(tmp_path / "logs")

    with Terminal([str(tmp_path / "logs")], size=(160, 45), environ=environ, cwd=str(tmp_path)) as terminal:
        terminal.wait_for(f"{len(FOLDERS)} runs")
        for keys in ("*", "d", "a", "r", "qp", "hh", "q", "\r", "\t", "G", "q", "t", "\x1b", "n", "\x1b", "/", "\x1b",
                     ":problems\r", "q"):  # fmt: skip
            terminal.press(keys)
            terminal.read(0.4)
        terminal.press("q")
        terminal.wait_for_end()

        written = terminal.written.decode("utf-8", "replace")

    assert "]52;" not in re.sub("␛]52;", "", written)
    assert "\x1b[31;5m" not in written
    assert "\x1b[3J" not in written
    assert not re.search("[\u0080-\u009f\u202a-\u202e\u2066-\u2069]", written)
    assert "Traceback" not in written


FOLDERS = [name for name in HOSTILE_NAMES if "/" not in name]


def write_hostile_logs(root: Path) -> None:
    """A run for each name that a folder can have; parameters and metrics have all of the names."""
    for index, name in enumerate(FOLDERS):
        folder = root / name
        folder.mkdir(parents=True)
        params = {f"key {payload}": f"{payload} {index}" for payload in HOSTILE_NAMES}
        (folder / "args.json").write_text(json.dumps(params))
        points = [(step, 0.1 * step + index) for step in range(5)]
        scalar_file(folder / "events.out.tfevents.1700000000.host", dict.fromkeys(HOSTILE_NAMES, points))
