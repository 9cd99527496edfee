"""What is said on stderr: progress, --quiet, --verbose; and how pipes, signals and colours are treated."""

import os
import pty
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from mlbench.cli import progress
from mlbench.cli.indexing import progress_text
from mlbench.cli.progress import ProgressLine, pace
from mlbench.ingest.progress import Progress
from tests.unit.cli.conftest import SAMPLES, Done

Mlbench = Callable[..., Done]
SEED = "logs/sweep/adam-lr0.01-w64-seed0"


# ---------------------------------------------------------------- quiet and verbose


@pytest.mark.parametrize("words", [("--quiet", "tag", SEED, "+x"), ("tag", SEED, "+x", "--quiet")])
def test_quiet_leaves_only_the_data(mlbench: Mlbench, words: tuple[str, ...]) -> None:
    done = mlbench(*words)

    assert (done.code, done.err) == (0, "")
    assert done.out == f"run\ttags\n{SEED}\tx\n"


def test_quiet_still_says_what_went_wrong(mlbench: Mlbench, tmp_path: Path) -> None:
    mistake = mlbench("show", "nothing", "--quiet")
    gone = mlbench("ingest", str(SAMPLES), "nowhere", "--quiet")

    assert mistake.err.startswith("mlbench: no run 'nothing'")
    assert gone.err.startswith("mlbench: nowhere: no such directory")


@pytest.mark.parametrize("words", [("--verbose", "query"), ("query", "--verbose")])
def test_verbose_says_where_the_home_is_and_how_long_it_took(
    mlbench: Mlbench, home: Path, words: tuple[str, ...]
) -> None:
    done = mlbench(*words)

    assert done.code == 0
    assert f"mlbench: home: journal {home}/journal, catalog {home}/cache/" in done.err
    assert "mlbench: answered in " in done.err
    assert "answered in" not in mlbench("query").err


def test_verbose_lists_the_problems_that_an_ingest_met(mlbench: Mlbench, tmp_path: Path) -> None:
    (tmp_path / "logs/a").mkdir(parents=True)
    (tmp_path / "logs/a/events.out.tfevents.1700000000.host").write_bytes(b"this is no event file" * 40)

    usual, verbose = mlbench("ingest", "logs"), mlbench("ingest", "logs", "--verbose")

    assert "1 problem. Try: mlbench doctor" in usual.err
    assert f"{tmp_path}/logs/a/events" not in usual.err
    assert f"{tmp_path}/logs/a/events" in verbose.err


# ---------------------------------------------------------------- strict


@pytest.mark.parametrize("words", [("ingest", "logs"), ("rebuild",), ("doctor",)])
def test_strict_makes_a_problem_a_three(mlbench: Mlbench, tmp_path: Path, words: tuple[str, ...]) -> None:
    (tmp_path / "logs/a").mkdir(parents=True)
    (tmp_path / "logs/a/events.out.tfevents.1700000000.host").write_bytes(b"this is no event file" * 40)
    assert mlbench("ingest", "logs").code == 0

    assert mlbench(*words).code == 0
    assert mlbench(*words, "--strict").code == 3


# ---------------------------------------------------------------- progress


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_progress_is_drawn_after_half_a_second_and_ten_times_a_second(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    clock = Clock()
    line = ProgressLine(clock)
    drawn = []
    for ms in range(0, 1000, 60):
        clock.now = 100.0 + ms / 1000 + 0.001
        line.draw(lambda ms=ms: f"at {ms}")  # type: ignore[misc]
        drawn += [ms] if f"at {ms}" in capsys.readouterr().err else []
    line.erase()

    assert drawn == [540, 660, 780, 900]
    assert capsys.readouterr().err == "\r\x1b[K"
    line.erase()
    assert capsys.readouterr().err == ""


def test_progress_is_never_drawn_where_no_terminal_is(capsys: pytest.CaptureFixture[str]) -> None:
    clock = Clock()
    line = ProgressLine(clock)
    clock.now += 10
    line.draw(lambda: "x")
    with progress.waiting("waiting"):
        time.sleep(0.15)

    assert capsys.readouterr().err == ""


def test_what_is_waited_for_is_said(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    monkeypatch.setattr(progress, "SHOWN_AFTER_S", 0.0)

    with progress.waiting("reading the catalog"):
        time.sleep(0.3)

    told = capsys.readouterr().err
    assert "\x1b[Kreading the catalog, 0." in told
    assert told.endswith("\r\x1b[K")


@pytest.mark.parametrize(
    ("n_done", "n_total", "elapsed_s", "text"),
    [
        (0, 10, 1.0, ""),
        (5, 10, 0.0, ""),
        (5, 10, 5.0, ", 1.0/s, 5 s left"),
        (2000, 10_000, 1.0, ", 2,000/s, 4 s left"),
        (10, 10, 5.0, ", 2.0/s"),
        (1, 1000, 1.0, ", 1.0/s, 17 min left"),
        (1, 100_000, 1.0, ", 1.0/s, 27 h 47 min left"),
        (99_999, 100_000, 1.0, ", 99,999/s, 1 s left"),
    ],
)
def test_rate_and_time_left(n_done: int, n_total: int, elapsed_s: float, text: str) -> None:
    assert pace(n_done, n_total, elapsed_s) == text


def test_the_progress_of_an_ingest_in_words() -> None:
    assert progress_text(Progress("scan", 1078)) == "1,078 folders seen"
    assert progress_text(Progress("read", 1078, 2000, 3_200_000), 2.0) == (
        "1,078 of 2,000 runs indexed, 539/s, 2 s left, 3,200,000 points"
    )


# ---------------------------------------------------------------- processes


def command(*words: str) -> list[str]:
    return [sys.executable, "-m", "mlbench", *words]


def test_a_reader_that_goes_away_is_no_failure(home: Path) -> None:
    with subprocess.Popen(
        command("query", "-c", "path", "--format", "json"), stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()  # as `| head -0` does
        told = process.stderr.read()

    assert (process.returncode, told) == (0, b"")


def test_control_c_ends_an_ingest_with_130_and_keeps_what_was_read(home: Path, tmp_path: Path) -> None:
    from tests.events import scalar_file

    for number in range(300):
        scalar_file(
            tmp_path / f"many/{number}/events.out.tfevents.1700000000.host", {"a": [(i, 0.5) for i in range(99)]}
        )
    before = set(home.rglob("*"))
    with subprocess.Popen(
        command("ingest", "many"), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        until = time.monotonic() + 30  # a slow machine is still importing after a second
        while set(home.rglob("*")) == before and process.poll() is None and time.monotonic() < until:
            time.sleep(0.02)
        process.send_signal(signal.SIGINT)
        _out, told = process.communicate(timeout=60)
    after = subprocess.run(command("ingest", "many", "--format", "json"), capture_output=True, text=True, check=False)

    assert process.returncode in (130, 0)  # 0: a fast machine had read everything
    assert "Traceback" not in told
    assert after.returncode == 0
    assert '"runs": 300' in after.stdout


def test_control_c_ends_a_query_with_130_and_no_traceback(home: Path) -> None:
    script = (
        "import os, signal, sys; from mlbench import main; import mlbench.queries.runs as runs\n"
        "def slow(*_a, **_k): os.kill(os.getpid(), signal.SIGINT); raise SystemExit(9)\n"
        "runs.find_runs = slow; sys.exit(main.run(['query']))"
    )

    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)

    assert (done.returncode, done.stdout, done.stderr.strip()) == (130, "", "mlbench: interrupted")


@pytest.mark.parametrize(("no_color", "has_colour"), [("", True), ("1", False)])
def test_no_color_means_no_colour_on_a_terminal_either(home: Path, no_color: str, has_colour: bool) -> None:
    main, side = pty.openpty()
    environment = {**os.environ, "TERM": "xterm-256color", "NO_COLOR": no_color, "COLUMNS": "100"}
    with subprocess.Popen(
        command("query", "-n", "3"), stdin=side, stdout=side, stderr=subprocess.DEVNULL, env=environment
    ) as process:
        os.close(side)
        shown = b""
        while True:
            try:
                chunk = os.read(main, 65536)
            except OSError:  # Linux: the other side has closed
                break
            if not chunk:
                break
            shown += chunk
    os.close(main)

    assert process.returncode == 0
    assert b"val/acc" in shown
    assert (b"\x1b[" in shown) == has_colour


def test_a_watcher_tells_what_grew_until_it_is_interrupted(home: Path, tmp_path: Path) -> None:
    from tests.events import scalar_file

    scalar_file(tmp_path / "grow/a/events.out.tfevents.1700000000.host", {"a": [(1, 0.5)]})
    with subprocess.Popen(
        command("ingest", "grow", "--watch", "--format", "jsonl"),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        first = process.stdout.readline()
        scalar_file(tmp_path / "grow/b/events.out.tfevents.1700000000.host", {"a": [(1, 0.5), (2, 0.5)]})
        told = process.stderr.readline()
        process.send_signal(signal.SIGINT)
        end = process.stderr.read()

    assert '"runs": 1' in first
    assert told == "mlbench: 1 run changed, 2 new points\n"
    assert (process.returncode, end) == (130, "mlbench: no longer watching; what was read is kept\n")
