"""Progress on stderr: for what takes longer than half a second, on a terminal, and unless `--quiet`."""

from __future__ import annotations

import shutil
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import click

SHOWN_AFTER_S = 0.5
REDRAW_S = 0.1
ERASE = "\r\x1b[K"
_FLAGS = ("quiet", "verbose")


def is_quiet() -> bool:
    """Whether `--quiet` was given: nothing on stderr but what went wrong."""
    return _flag("quiet")


def is_verbose() -> bool:
    """Whether `--verbose` was given: also what usually goes without saying."""
    return _flag("verbose") and not is_quiet()


def _flag(name: str) -> bool:
    context = click.get_current_context(silent=True)
    return bool(context and (context.find_root().obj or {}).get(name))


def remember_flag(ctx: click.Context, param: click.Parameter, value: bool) -> bool:
    """The callback of `--quiet` and `--verbose`, which may stand before the command or behind it."""
    root = ctx.find_root()
    if value and param.name in _FLAGS:
        root.obj = {**(root.obj or {}), param.name: True}
    return value


class ProgressLine:
    """One line that is written over; nothing is drawn in the first half second."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._began = clock()
        self._drawn_at = self._began + SHOWN_AFTER_S - REDRAW_S
        self._is_shown = sys.stderr.isatty() and not is_quiet()
        self.is_drawn = False

    @property
    def elapsed_s(self) -> float:
        return self._clock() - self._began

    def draw(self, text: Callable[[], str]) -> None:
        """Draw it anew, if it is time; the text is asked for only then."""
        if not self._is_shown or self._clock() - self._drawn_at < REDRAW_S:
            return
        self._drawn_at = self._clock()
        width = shutil.get_terminal_size((80, 24)).columns
        sys.stderr.write(f"{ERASE}{text()[: width - 1]}")
        sys.stderr.flush()
        self.is_drawn = True

    def erase(self) -> None:
        """Leave the line empty, for what is said or printed next."""
        if self.is_drawn:
            sys.stderr.write(ERASE)
            sys.stderr.flush()
            self.is_drawn = False


def pace(n_done: int, n_total: int, elapsed_s: float) -> str:
    """`, 412/s, 2 s left`; '' before anything is done."""
    if not n_done or elapsed_s <= 0:
        return ""
    rate = n_done / elapsed_s
    text = f", {rate:,.0f}/s" if rate >= 10 else f", {rate:.1f}/s"
    return text + (f", {_seconds((n_total - n_done) / rate)} left" if n_total > n_done else "")


def _seconds(seconds: float) -> str:
    if seconds < 90:
        return f"{max(seconds, 1):.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60:02} min"


@contextmanager
def waiting(what: str) -> Iterator[None]:
    """Say what is waited for, and for how long already, while the block runs; where its length is not known."""
    line = ProgressLine()
    over = threading.Event()

    def tell() -> None:
        while not over.wait(REDRAW_S):
            line.draw(lambda: f"{what}, {line.elapsed_s:.1f} s")

    thread = threading.Thread(target=tell, daemon=True)
    if sys.stderr.isatty() and not is_quiet():
        thread.start()
    try:
        yield
    finally:
        over.set()
        if thread.ident is not None:
            thread.join()
        line.erase()
