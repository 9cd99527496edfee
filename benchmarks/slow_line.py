"""The twelve everyday tasks over a slow line: bytes sent, and seconds from a task's last key to its last byte.

The program writes into a pseudo-terminal that is emptied at the line's rate, as sshd does it: what the line has not
taken waits in the pipe, and the program waits once that is full. Keys take half of the round trip to arrive, and what
is drawn the other half. The runs are those of `sample_runs/logs`, read before; every task goes on where the one before
left the screen. No compression: `ssh -C` sends less.

With `--minutes` it is a session instead: rounds of everything that one does in the workbench, with pauses in which
somebody reads, until the time is over. It tells for each kind of errand how often it was done, its keys and bytes, and
the longest wait; and what came while nobody pressed a key.

Usage: python benchmarks/slow_line.py [--rate 56000] [--rtt 0.15] [--size 160x45] [--minutes 10]
"""

from __future__ import annotations

import argparse
import contextlib
import fcntl
import itertools
import operator
import os
import pty
import select
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import termios
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyte
from measuring import ROOT, machine

TICK_S = 0.02
QUIET_S = 0.8
"""So long nothing must come for a task to be over: longer than any delay of the workbench before it asks."""
TYPING_S = 0.12
"""Between two keys of one who types."""
LINE_BUFFER = 65536
"""What a socket holds for a slow reader."""


@dataclass(frozen=True, slots=True)
class Task:
    """One of the twelve tasks of the workbench."""

    name: str
    keys: tuple[str, ...]
    """Texts in quotes are typed letter by letter."""
    seen: str
    """What is on the screen when it is done."""

    @property
    def typed(self) -> list[str]:
        return [
            letter for key in self.keys for letter in (key[1:-1] if key.startswith("'") and len(key) > 2 else [key])
        ]


ENTER, ESC = "\r", "\x1b"
TASKS = (
    Task("open where I left off", (), "33 runs"),
    Task("find a run by words", ("/", "'adam'", ENTER), "14 of 33 runs"),
    Task("mark the best five by a metric", ("S", "'val/acc'", ENTER, "5", " "), "5 marked"),
    Task("what differs", ("d",), "5 runs against"),
    Task("make this run the baseline", ("q", "b"), "is the baseline"),
    Task("plot val/loss, smoothed, log y", ("p", "m", "'v/l'", ENTER, "s", "Y"), "log y"),
    Task("tag the winner", ("q", "t", "'best'", ENTER), "tagged"),
    Task("write a note", ("n", "'higher is worse'", ENTER), "noted on"),
    Task("report on the marked runs", ("x", ENTER), "written"),
    Task("does a parameter matter", (ESC, "/", "\x15", ENTER, "l", "l", "l", "f"), "enter keeps the runs"),
    Task("mean over seeds with a band", (ESC, "o", "'setting'", ENTER, "j", "p"), "(n="),
    Task("running runs; copy the command", ("q", "'", "'running'", ENTER, "y", "c"), "copied"),
)  # fmt: skip


CLEAR = "\x15"
READ_S = 4.0
"""A pause in which somebody reads what came."""
ROUND = (
    Task("find runs by words", ("/", CLEAR, "'adam'", ENTER), "14 of 33 runs"),
    Task("all runs again", ("/", CLEAR, ENTER), "33 runs"),
    Task("go through the table", ("G", "g", "j", "j", "j", "k", "l", "h"), "33 runs"),
    Task("mark the best five", (ESC, "S", CLEAR, "'val/acc'", ENTER, "5", " "), "5 marked"),
    Task("what differs", ("d",), "5 runs"),
    Task("go through the comparison", ("j", "j", "j", "j", "j", "2", "r", "r"), "5 runs"),
    Task("chart a metric, smoothed", ("q", "p", "m", "'val/loss'", ENTER, "s"), "val/loss"),
    Task("log y, there and back", ("Y", "Y", "Y"), "val/loss"),
    Task("crosshair", ("l", "l", "l", "h"), "1. "),
    Task("zoom and pan", ("+", "+", "L", "H", "0"), "val/loss"),
    Task("tag", ("q", "t", "'best'", ENTER), "tagged 5 runs"),
    Task("note", ("n", "'higher is worse'", ENTER), "noted on 5 runs"),
    Task("undo both", ("u", "u"), "taken back"),
    Task("look at one run", (ENTER, "j", "j", "j", "j"), "esc back"),
    Task("values of a column", ("q", "l", "l", "l", "l", "f"), "enter keeps the runs"),
    Task("group and ungroup", (ESC, "o", "'setting'", ENTER, "j", "o", ENTER), "33 runs"),
    Task("help", ("?",), "esc closes"),
    Task("palette", (ESC, "\x10", "'zoom'", ESC), "33 runs"),
)  # fmt: skip


@dataclass(slots=True)
class Errand:
    """What one kind of errand came to in a session."""

    n: int = 0
    keys: int = 0
    bytes: int = 0
    longest_s: float = 0.0


class Line:
    """A terminal behind a slow line."""

    def __init__(self, arguments: Sequence[str], rate: float, rtt_s: float, size: tuple[int, int], cwd: str) -> None:
        self.rate, self.rtt_s = rate, rtt_s
        self.bytes = 0
        self.last_s = time.monotonic()
        """When the last byte was taken."""
        self._screen = pyte.Screen(*size)
        self._stream = pyte.ByteStream(self._screen)
        self._master, slave = pty.openpty()
        fcntl.ioctl(self._master, termios.TIOCSWINSZ, struct.pack("HHHH", size[1], size[0], 0, 0))
        environ = {**os.environ, "TERM": "xterm-256color", "COLORTERM": "truecolor", "SSH_CONNECTION": "1 1 1 1"}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "mlbench", *arguments], stdin=slave, stdout=slave, stderr=slave, env=environ,
            cwd=cwd, start_new_session=True,
        )  # fmt: skip
        os.close(slave)
        self._budget = 0.0

    @property
    def screen(self) -> str:
        return "\n".join(self._screen.display)

    def take(self, seconds: float) -> None:
        """Take what the line carries in so many seconds."""
        end = time.monotonic() + seconds
        while (now := time.monotonic()) < end:
            self._budget = min(self._budget + self.rate * TICK_S, self.rate * TICK_S * 2, LINE_BUFFER)
            ready, _, _ = select.select([self._master], [], [], 0)
            if ready and self._budget >= 1:
                part = os.read(self._master, int(self._budget))
                self._budget -= len(part)
                self.bytes += len(part)
                self.last_s = time.monotonic()
                self._feed(part)
            time.sleep(max(TICK_S - (time.monotonic() - now), 0))

    def _feed(self, part: bytes) -> None:
        """To the emulator; it does not know the queries that a terminal is asked when a program starts."""
        try:
            self._stream.feed(part)
        except (UnicodeDecodeError, TypeError):  # a letter or a sequence was cut by the line
            return

    def press(self, key: str) -> None:
        """A key, half of the round trip later."""
        self.take(self.rtt_s / 2)
        os.write(self._master, key.encode())

    def settle(self, seen: str, began: float, most_s: float = 60.0) -> float:
        """Seconds from `began` to the last byte, with half of the round trip, once nothing more comes."""
        while time.monotonic() - self.last_s < QUIET_S or seen not in self.screen:
            if time.monotonic() - began > most_s:
                sys.exit(f"{seen!r} never came:\n{self.screen}")
            self.take(0.1)
        return max(self.last_s - began, 0.0) + self.rtt_s / 2

    def close(self) -> None:
        """End the program."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        os.close(self._master)


@contextlib.contextmanager
def opened(rate: float, rtt_s: float, size: tuple[int, int]) -> Iterator[Line]:
    """The workbench on sample runs that were read before, behind a slow line."""
    folder = Path(tempfile.mkdtemp(prefix="mlbench-slow-"))
    logs = shutil.copytree(ROOT / "sample_runs" / "logs", folder / "logs")
    os.environ |= {"MLBENCH_HOME": str(folder / "home"), "MLBENCH_CONFIG": str(folder / "settings.toml")}
    (folder / "settings.toml").touch()
    subprocess.run([sys.executable, "-m", "mlbench", "ingest", str(logs)], check=True, capture_output=True)
    line = Line([str(logs)], rate, rtt_s, size, str(folder))
    try:
        yield line
    finally:
        line.close()
        shutil.rmtree(folder)


def do(line: Line, task: Task) -> tuple[int, float]:
    """Bytes of a task, and seconds from its last key to the last byte."""
    before, began = line.bytes, time.monotonic()
    for key in task.typed:
        line.press(key)
        began = time.monotonic() - line.rtt_s / 2
        line.take(TYPING_S)
    seconds = line.settle(task.seen, began)
    return line.bytes - before, seconds


def measure(rate: float, rtt_s: float, size: tuple[int, int]) -> list[tuple[Task, int, float]]:
    """Each task with its bytes and seconds."""
    with opened(rate, rtt_s, size) as line:
        return [(task, *do(line, task)) for task in TASKS]


def session(rate: float, rtt_s: float, size: tuple[int, int], minutes: float) -> tuple[dict[str, Errand], int]:
    """What each kind of errand came to, and the bytes that came in the pauses."""
    errands: dict[str, Errand] = {}
    idle = 0
    with opened(rate, rtt_s, size) as line:
        do(line, TASKS[0])
        end = time.monotonic() + minutes * 60
        for task in itertools.cycle(ROUND):
            if time.monotonic() >= end:
                return errands, idle
            n_bytes, seconds = do(line, task)
            one = errands.setdefault(task.name, Errand())
            one.n, one.keys, one.bytes = one.n + 1, one.keys + len(task.typed), one.bytes + n_bytes
            one.longest_s = max(one.longest_s, seconds)
            before = line.bytes
            line.take(READ_S)
            idle += line.bytes - before
    return errands, idle


def print_session(errands: dict[str, Errand], idle: int, minutes: float, about: str) -> None:
    """A line for each kind of errand, and all together."""
    print(f"| session of {minutes:g} minutes, {about} | times | keys | bytes | longest wait, s |")
    print("| --- | --- | --- | --- | --- |")
    for name, one in errands.items():
        print(f"| {name} | {one.n} | {one.keys} | {one.bytes:,} | {one.longest_s:.2f} |")
    n, keys, n_bytes = (sum(map(operator.attrgetter(name), errands.values())) for name in ("n", "keys", "bytes"))
    longest = max(one.longest_s for one in errands.values())
    print(f"| all | {n} | {keys} | {n_bytes:,} | {longest:.2f} |")
    print(f"while nobody pressed a key: {idle:,} bytes")


def main() -> int:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rate", type=float, default=56_000, help="bytes a second")
    parser.add_argument("--rtt", type=float, default=0.15, help="round trip in seconds")
    parser.add_argument("--size", default="160x45")
    parser.add_argument("--minutes", type=float, default=0, help="a session so long, and not the twelve tasks")
    options = parser.parse_args()
    columns, rows = map(int, options.size.split("x"))
    if options.minutes:
        about = f"{options.size}, {options.rate / 1e3:g} kB/s, {options.rtt * 1e3:g} ms"
        print_session(*session(options.rate, options.rtt, (columns, rows), options.minutes), options.minutes, about)
        print(machine())
        return 0
    figures = measure(options.rate, options.rtt, (columns, rows))
    print(f"| task, {options.size}, {options.rate / 1e3:g} kB/s, {options.rtt * 1e3:g} ms | keys | bytes | seconds |")
    print("| --- | --- | --- | --- |")
    for task, n_bytes, seconds in figures:
        print(f"| {task.name} | {len(task.typed)} | {n_bytes:,} | {seconds:.2f} |")
    print(f"| all | {sum(len(task.typed) for task, _n, _s in figures)} | {sum(n for _t, n, _s in figures):,} | |")
    print(machine())
    return 0


if __name__ == "__main__":
    sys.exit(main())
