"""What terminals do to a program: storms of sizes, stopping and going on, hanging up. It is always given back."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import time
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


OVERTAKEN = """
import fcntl, os, signal, struct, sys, termios
from textual.drivers.linux_driver import LinuxDriver

read = LinuxDriver._get_terminal_size

def read_and_be_overtaken(driver):
    size = read(driver)
    if size == (110, 28):
        fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
        os.kill(os.getpid(), signal.SIGWINCH)
    return size

LinuxDriver._get_terminal_size = read_and_be_overtaken
from mlbench.main import main
main([sys.argv[1]])
"""


def test_a_size_that_was_overtaken_by_the_next_one_does_not_stay(environ: dict[str, str], tmp_path: Path) -> None:
    command = [sys.executable, "-c", OVERTAKEN, str(tmp_path / "logs")]
    with Terminal(command, size=(100, 30), environ=environ, cwd=str(tmp_path), is_ours=False) as terminal:
        terminal.wait_for("2 runs", "? help")
        terminal.resize((110, 28))  # while it is read the terminal becomes 80x24, and that is told first
        terminal.wait_until(lambda screen: screen.split("\n")[23].endswith("? help"), "the footer", seconds=15)


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


def state_of(terminal: Terminal) -> str:
    """The process's state as /proc tells it: R, S, T (stopped), ..."""
    assert terminal.process is not None
    status = Path(f"/proc/{terminal.process.pid}/stat")
    if not status.exists():
        pytest.skip("the states of processes are only told by Linux")
    return status.read_text().rpartition(")")[2].split()[0]


def written_after(terminal: Terminal, before: int, text: str) -> str:
    """What was written behind a place, read until a text is among it."""
    terminal.wait_until(lambda _screen: text.encode() in terminal.written[before:], f"{text!r} anew")
    return terminal.written[before:].decode("utf-8", "replace")


def test_stopping_gives_the_terminal_back_and_going_on_takes_it_again(environ: dict[str, str], tmp_path: Path) -> None:
    with opened(tmp_path, environ) as terminal:
        terminal.wait_for("2 runs", "? help")
        assert terminal.process is not None
        for _time in range(2):
            before = len(terminal.written)
            os.kill(terminal.process.pid, signal.SIGTSTP)
            stopped = written_after(terminal, before, LEFT + "\x1b[?25h")
            terminal.wait_until(lambda _screen: state_of(terminal) == "T", "stop")
            before = len(terminal.written)
            os.kill(terminal.process.pid, signal.SIGCONT)
            resumed = written_after(terminal, before, "2 runs")

            assert "\x1b[?1000l" in stopped
            assert "\x1b[?2004l" in stopped
            assert "\x1b[?1049h" in resumed
        terminal.press("q")
        assert terminal.wait_for_end() == 0


def test_the_key_stops_nothing_where_no_shell_could_bring_it_back(environ: dict[str, str], tmp_path: Path) -> None:
    with opened(tmp_path, environ) as terminal:
        terminal.wait_for("2 runs", "? help")

        terminal.press("\x1a")
        terminal.wait_for("no shell here")

        assert state_of(terminal) != "T"
        terminal.press("q")
        assert terminal.wait_for_end() == 0


def test_the_key_stops_it_in_a_shell_and_fg_brings_it_back(environ: dict[str, str], tmp_path: Path) -> None:
    shell = shutil.which("bash")
    if shell is None:
        pytest.skip("there is no bash")
    command = [shell, "--norc", "--noprofile", "-i"]
    with Terminal(
        command, size=(100, 30), environ=environ | {"PS1": "$ "}, cwd=str(tmp_path), is_ours=False
    ) as terminal:
        terminal.wait_for("$")
        terminal.press(f"{sys.executable} -m mlbench logs\r")
        terminal.wait_for("2 runs", "? help")
        terminal.press("\x1a")
        terminal.wait_until(lambda _screen: b"Stopped" in terminal.written, "Stopped")
        before = len(terminal.written)
        terminal.press("fg\r")
        written_after(terminal, before, "2 runs")
        before = len(terminal.written)
        terminal.press("q")
        written_after(terminal, before, LEFT)
        terminal.read(0.5)
        terminal.press("exit\r")

        assert terminal.wait_for_end() == 0


def test_it_ends_by_itself_when_the_terminal_is_gone_without_a_signal(environ: dict[str, str], tmp_path: Path) -> None:
    with opened(tmp_path, environ) as terminal:
        terminal.wait_for("2 runs", "? help")
        assert terminal.process is not None

        terminal.hang_up()

        assert terminal.process.wait(20) in {128 + signal.SIGHUP, 1}


def test_it_ends_when_a_signal_says_that_the_terminal_is_gone(environ: dict[str, str], tmp_path: Path) -> None:
    """As when tmux or sshd are killed."""
    with opened(tmp_path, environ) as terminal:
        terminal.wait_for("2 runs", "? help")
        assert terminal.process is not None

        terminal.hang_up()
        os.kill(terminal.process.pid, signal.SIGHUP)

        assert terminal.process.wait(20) in {128 + signal.SIGHUP, 1}


@pytest.mark.parametrize("how", ["<&-", "</dev/null"])
def test_without_an_input_it_says_so_and_prints_what_it_can(environ: dict[str, str], tmp_path: Path, how: str) -> None:
    command = ["sh", "-c", f"exec {sys.executable} -m mlbench.main {tmp_path / 'logs'} {how}"]
    with Terminal(command, size=(100, 30), environ=environ, cwd=str(tmp_path), is_ours=False) as terminal:
        assert terminal.wait_for_end(60) == 0

    assert "no terminal is attached" in text_of(terminal)


def test_without_any_stream_it_works(environ: dict[str, str], tmp_path: Path) -> None:
    command = f"exec {sys.executable} -m mlbench.main ingest {tmp_path / 'logs'} <&- >&- 2>&-"

    assert subprocess.run(["sh", "-c", command], env=os.environ | environ, check=False).returncode == 0
    told = subprocess.run(
        [sys.executable, "-m", "mlbench.main", "query"],
        env=os.environ | environ,
        check=True,
        capture_output=True,
        text=True,
    )
    assert len(told.stdout.splitlines()) == 3


DEAF = """
import sys
from textual.drivers.linux_driver import LinuxDriver
from mlbench import main

def disable_mouse(driver):
    raise OSError(5, "the terminal is gone")

LinuxDriver._disable_mouse_support = disable_mouse
sys.argv[0] = "mlbench"
sys.exit(main.main())
"""


def test_it_ends_where_giving_the_terminal_back_fails_half_way(environ: dict[str, str], tmp_path: Path) -> None:
    command = [sys.executable, "-c", DEAF, str(tmp_path / "logs")]
    with Terminal(command, size=(100, 30), environ=environ, cwd=str(tmp_path), is_ours=False) as terminal:
        terminal.wait_for("2 runs", "? help")
        terminal.press("q")

        assert terminal.wait_for_end(60) == 0


HANGING = """
import os, sys, threading
from mlbench import main
logs, real = sys.argv[1], os.open

def hanging(path, *rest, **more):
    if "mlbench_hangs" in os.environ and os.fsdecode(path).startswith(logs):
        threading.Event().wait()
    return real(path, *rest, **more)

os.open = hanging
sys.argv[0] = "mlbench"
sys.exit(main.main())
"""


@pytest.mark.parametrize("is_known", [True, False])
def test_leaving_waits_for_no_log_that_hangs(environ: dict[str, str], tmp_path: Path, is_known: bool) -> None:
    command = [sys.executable, "-c", HANGING, str(tmp_path / "logs")]
    if is_known:
        subprocess.run(
            [*command[:-1], "ingest", command[-1]], env=os.environ | environ, check=True, capture_output=True
        )
        scalar_file(tmp_path / "logs/a/events.out.tfevents.1700000000.host", {"loss": [(2, 0.3)]}, append=True)
    hangs = environ | {"mlbench_hangs": "1"}
    with Terminal(command, size=(100, 30), environ=hangs, cwd=str(tmp_path), is_ours=False) as terminal:
        terminal.wait_for("2 runs" if is_known else "? help", "? help")
        terminal.read(1.0)
        terminal.press("q")
        began = time.monotonic()
        assert terminal.wait_for_end(60) == 0

    assert time.monotonic() - began < 8  # less than what is waited for a sign of life, on a busy machine
    assert LEFT in text_of(terminal)
