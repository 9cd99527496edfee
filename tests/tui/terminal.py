"""The real program in a pseudo-terminal: keys in, bytes out, and what a terminal makes of them."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Mapping, Sequence

import pyte

# pyte 0.8 takes these for other sequences: the kitty keyboard protocol and queries for modes and the terminal's name.
_UNKNOWN_TO_PYTE = re.compile(rb"\x1b\[[<>=?][0-9;]*[$]?[a-zA-Z]|\x1b\[[0-9;]*\$[a-z]|\x1bP.*?\x1b\\")
_KNOWN_MODE = re.compile(rb"\x1b\[\?(25|1049)[hl]")


class Terminal:
    """`mlbench` in a terminal of a given size."""

    def __init__(
        self,
        arguments: Sequence[str],
        *,
        size: tuple[int, int],
        environ: Mapping[str, str],
        cwd: str,
        is_ours: bool = True,
    ) -> None:
        """Start `mlbench ARGUMENTS`; without `is_ours` another program, whose controlling terminal this is."""
        self.size = size
        self.written = b""
        """All bytes that the program has written."""
        self._screen = pyte.Screen(*size)
        self._stream = pyte.ByteStream(self._screen)
        self._master, slave = pty.openpty()
        self.process: subprocess.Popen[bytes] | None = None
        self.resize(size)
        self.process = subprocess.Popen(
            [sys.executable, "-m", "mlbench.main", *arguments] if is_ours else arguments,
            stdin=slave,
            stdout=slave,
            stderr=slave,
            env={**{name: value for name, value in os.environ.items() if name not in ("COLUMNS", "LINES")}, **environ},
            cwd=cwd,
            start_new_session=True,
            preexec_fn=None if is_ours else _control,  # noqa: PLW1509 - one ioctl, in a child of one thread
        )
        os.close(slave)

    def __enter__(self) -> Terminal:
        return self

    def __exit__(self, *_exception: object) -> None:
        assert self.process is not None
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        with contextlib.suppress(OSError):  # it was hung up
            os.close(self._master)

    def hang_up(self) -> None:
        """The terminal is gone; since it is not the program's controlling one, no signal says so."""
        os.close(self._master)

    def resize(self, size: tuple[int, int]) -> None:
        """Another size; the program is told."""
        self.size = size
        fcntl.ioctl(self._master, termios.TIOCSWINSZ, struct.pack("HHHH", size[1], size[0], 0, 0))
        self._screen.resize(lines=size[1], columns=size[0])
        if self.process is not None:
            # The terminal is not the program's controlling one, so that the kernel does not tell it.
            os.kill(self.process.pid, signal.SIGWINCH)

    def press(self, keys: str) -> None:
        """Type."""
        os.write(self._master, keys.encode())

    def read(self, seconds: float) -> bytes:
        """What is written within a time; less if the program ends."""
        end = time.monotonic() + seconds
        got = b""
        while (left := end - time.monotonic()) > 0:
            ready, _, _ = select.select([self._master], [], [], left)
            if not ready:
                break
            try:
                part = os.read(self._master, 65536)
            except OSError:  # the program has gone
                break
            if not part:
                break
            got += part
            self._feed(part)
        return got

    def _feed(self, part: bytes) -> None:
        self.written += part
        known = _UNKNOWN_TO_PYTE.sub(lambda match: match[0] if _KNOWN_MODE.fullmatch(match[0]) else b"", part)
        with contextlib.suppress(UnicodeDecodeError):
            self._stream.feed(known)

    def wait_for(self, *texts: str, seconds: float = 30.0) -> str:
        """Read until all texts are on the screen; gives the screen."""
        return self.wait_until(lambda screen: all(text in screen for text in texts), f"{texts}", seconds)

    def wait_until(self, holds: Callable[[str], bool], what: str, seconds: float = 30.0) -> str:
        """Read until something holds for the screen."""
        end = time.monotonic() + seconds
        while not holds(self.screen):
            if time.monotonic() > end:
                raise AssertionError(f"no {what} on the screen:\n{self.screen}")
            self.read(0.1)
        return self.screen

    def wait_for_end(self, seconds: float = 20.0) -> int:
        """Read until the program has ended; gives its exit code."""
        assert self.process is not None
        end = time.monotonic() + seconds
        while self.process.poll() is None and time.monotonic() < end:
            self.read(0.1)
        code = self.process.poll()
        assert code is not None, f"still running:\n{self.screen}"
        self.read(0.1)
        return code

    @property
    def screen(self) -> str:
        """The screen as text."""
        return "\n".join(line.rstrip() for line in self._screen.display)


def _control() -> None:
    """In the child: make the terminal its controlling one, as a terminal emulator does."""
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
