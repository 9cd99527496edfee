"""A command under `mlbench run` has a terminal as large as ours."""

from __future__ import annotations

import fcntl
import os
import pty
import struct
import termios
from collections.abc import Iterator

import pytest

from mlbench.capture import running


@pytest.fixture
def terminals() -> Iterator[tuple[int, int]]:
    """Two terminals: ours and the command's."""
    pairs = [pty.openpty(), pty.openpty()]
    yield pairs[0][0], pairs[1][0]
    for descriptor in (*pairs[0], *pairs[1]):
        os.close(descriptor)


def test_a_size_that_was_overtaken_by_the_next_one_does_not_stay(
    terminals: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    ours, theirs = terminals
    ask = fcntl.ioctl
    ask(ours, termios.TIOCSWINSZ, struct.pack("HHHH", 28, 110, 0, 0))
    is_overtaken = False

    def ask_and_be_overtaken(descriptor: int, request: int, argument: bytes) -> bytes:
        nonlocal is_overtaken
        answer = ask(descriptor, request, argument)
        if request == termios.TIOCGWINSZ and not is_overtaken:
            is_overtaken = True
            ask(ours, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
            running._same_size(theirs)  # as the handler of the next signal does
        return answer

    monkeypatch.setattr(fcntl, "ioctl", ask_and_be_overtaken)
    monkeypatch.setattr("sys.stdout", _Terminal(ours))
    running._same_size(theirs)

    lines, columns, _, _ = struct.unpack("HHHH", ask(theirs, termios.TIOCGWINSZ, bytes(8)))
    assert is_overtaken
    assert (columns, lines) == (80, 24)


class _Terminal:
    """Standard output on a terminal."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def fileno(self) -> int:
        return self._descriptor
