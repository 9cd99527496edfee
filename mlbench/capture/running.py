"""Running a command as it would run without us, and keeping what it prints. Standard library only."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import FrameType
from typing import IO

from mlbench.capture import FOLDER_VARIABLE, tell

MAX_OUTPUT_BYTES = 64 << 20
"""Of what the command prints; the rest is counted, and still shown."""
MAX_LINE_BYTES = 1 << 16
"""Of a line that waits for its end before it is kept."""


@dataclass(slots=True)
class Outcome:
    """How a command ended."""

    exit_code: int
    """As a shell tells it: 128 and the signal's number for one that was killed."""
    ended_s: float
    n_bytes: int = 0
    """Of its output."""
    is_cut: bool = False
    problems: list[str] = field(default_factory=list)


def run_command(argv: Sequence[str], folder: str | None, output: str | None) -> Outcome:
    """Run a command with our own input and output, and keep what it prints.

    On a terminal it has a terminal of its own, so that progress bars look as ever; signals reach it as they would.

    Args:
        argv: program and arguments.
        folder: of its record, told to it in `MLBENCH_RECORD`; None where there is none.
        output: file for what it prints; None where that is not kept.
    """
    environment = dict(os.environ)
    if folder is not None:
        environment[FOLDER_VARIABLE] = folder
    sink = _Sink(output)
    try:
        if output is None:
            code = _wait(subprocess.Popen(argv, env=environment), [])  # noqa: S603 - the user's own command
        elif sys.stdout.isatty() and sys.stderr.isatty():
            code = _run_on_terminal(argv, environment, sink)
        else:
            code = _run_on_pipes(argv, environment, sink)
    except FileNotFoundError:
        tell(f"{argv[0]}: no such program")
        code = 127
    except PermissionError:
        tell(f"{argv[0]}: it may not be run")
        code = 126
    finally:
        sink.close()
    return Outcome(code, time.time(), sink.n_bytes, sink.is_cut, sink.problems)


class _Sink:
    """The file of the output. When it cannot be written any more, the rest is only shown."""

    def __init__(self, path: str | None) -> None:
        self.n_bytes = 0
        self.is_cut = False
        self.problems: list[str] = []
        self._lock = threading.Lock()
        self._file: IO[bytes] | None = None
        if path is not None:
            try:
                fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
                self._file = os.fdopen(fd, "wb", buffering=0)
            except OSError as error:
                self._fail(error)

    def write(self, data: bytes) -> None:
        with self._lock:
            room = MAX_OUTPUT_BYTES - self.n_bytes
            self.n_bytes += len(data)
            self.is_cut = self.is_cut or len(data) > room
            if self._file is not None and room > 0:
                try:
                    self._file.write(data[:room])
                except OSError as error:
                    self._fail(error)

    def _fail(self, error: OSError) -> None:
        self.problems.append(f"the output was not kept: {error.strerror or error}")
        self.is_cut = True
        self.close()

    def close(self) -> None:
        file, self._file = self._file, None
        if file is not None:
            try:
                file.close()
            except OSError as error:
                self.problems.append(f"the output was not kept: {error.strerror or error}")


def _run_on_pipes(argv: Sequence[str], environment: Mapping[str, str], sink: _Sink) -> int:
    child = subprocess.Popen(argv, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE)  # noqa: S603
    pairs = ((child.stdout, sys.stdout.fileno()), (child.stderr, sys.stderr.fileno()))
    threads = [threading.Thread(target=_copy, args=(pipe.fileno(), target, sink)) for pipe, target in pairs if pipe]
    return _wait(child, threads)


def _run_on_terminal(argv: Sequence[str], environment: Mapping[str, str], sink: _Sink) -> int:
    """Our terminal's modes stay as they are: only the output goes through a terminal of the command's own."""
    import pty

    ours, theirs = pty.openpty()
    _same_size(theirs)
    try:
        child = subprocess.Popen(argv, env=environment, stdout=theirs, stderr=theirs)  # noqa: S603
    except OSError:
        os.close(ours)
        raise
    finally:
        os.close(theirs)
    before = signal.signal(signal.SIGWINCH, lambda *_: _same_size(ours))
    thread = threading.Thread(target=_copy, args=(ours, sys.stdout.fileno(), sink))
    try:
        return _wait(child, [thread])
    finally:
        signal.signal(signal.SIGWINCH, before)
        os.close(ours)


def _same_size(terminal: int) -> None:
    """Until it is the size of now: the next signal may come between reading and setting, and its size is set first."""
    import fcntl
    import termios

    given = b""
    with contextlib.suppress(OSError):
        while (size := fcntl.ioctl(sys.stdout.fileno(), termios.TIOCGWINSZ, b"\0" * 8)) != given:
            fcntl.ioctl(terminal, termios.TIOCSWINSZ, size)
            given = size


def _copy(source: int, target: int, sink: _Sink) -> None:
    """From the command to us, until it has closed its end. That nobody reads us any more does not stop the command."""
    is_shown = True
    line = b""
    while True:
        try:
            data = os.read(source, 1 << 16)
        except OSError:  # a terminal whose last user is gone
            data = b""
        line = _write_lines(sink, line + data, is_last=not data)
        if not data:
            return
        while data and is_shown:
            try:
                data = data[os.write(target, data) :]
            except OSError:
                is_shown = False


def _write_lines(sink: _Sink, data: bytes, *, is_last: bool) -> bytes:
    """Keep whole lines, so that output and errors do not stand within each other; returns the rest of the last one."""
    end = len(data) if is_last or len(data) > MAX_LINE_BYTES else max(data.rfind(b"\n"), data.rfind(b"\r")) + 1
    if end:
        sink.write(data[:end])
    return data[end:]


def _wait(child: subprocess.Popen[bytes], threads: Sequence[threading.Thread]) -> int:
    """Wait for the end. An interrupt comes to the command by itself; other signals are passed on."""

    def pass_on(number: int, _frame: FrameType | None) -> None:
        try:
            child.send_signal(number)
        except OSError:
            pass

    before = {number: signal.signal(number, pass_on) for number in (signal.SIGTERM, signal.SIGHUP)}
    before[signal.SIGINT] = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        for thread in threads:
            thread.daemon = True
            thread.start()
        code = child.wait()
        for thread in threads:
            thread.join(timeout=5)  # what it left running in the background may hold the pipe
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        if child.stdout:
            child.stdout.close()
        if child.stderr:
            child.stderr.close()
    return 128 - code if code < 0 else code
