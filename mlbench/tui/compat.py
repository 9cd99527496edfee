"""Work-arounds for what lies below us, each with its reason. `install` puts them in place once, at the start."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import select
import signal
import sys
import threading
from collections.abc import Callable, MutableMapping
from types import FrameType
from typing import TYPE_CHECKING, TextIO

from rich.color import ColorSystem
from textual._compositor import ChopsUpdate, LayoutUpdate
from textual.events import Resize
from textual.geometry import Region, Size
from textual.strip import Strip

from mlbench.dataclass import dataclass
from mlbench.safe import safe
from mlbench.tui.sgr import to_wire

if TYPE_CHECKING:
    from rich.console import RenderableType
    from textual.app import App
    from textual.screen import Screen

_ASCII = str.maketrans(
    {"●": "*", "◆": "#", "│": "|", "─": "-", "━": "=", "▸": ">", "✓": "+", "✗": "x", "…": "~", "▲": "^", "▼": "v",
     "↑": "^", "↓": "v", "·": ".", "×": "x", "÷": "/", "✎": "n", "▁": "_", "▂": "_", "▃": "-", "▄": "-", "▅": "=",
     "▆": "=", "▇": "#", "█": "#", "└": "+", "┬": "+", "┤": "+", "□": "o"}
)  # fmt: skip
_PLAIN = str.maketrans({
    **dict.fromkeys("│─━└┬┤┴┼├┐┌┘▏▎▍▌▋▊▉▐▖▗▘▝▀▄▁▂▃▅▆▇█", " "),
    "●": "*", "◆": "#", "▸": ">", "▾": "v", "·": ",", "›": ">", "‹": "<", "↑": "^", "↓": "v",
})  # fmt: skip
"""Signs that a screen reader spells out at length; lines of boxes become blanks."""
COLLECTED_AFTER_S = 2.0
"""Seconds from the first paint in which no garbage is collected, if the start began so."""
MOST_CELL_PIXELS = 128
"""A terminal that claims larger cells than this is wrong."""
_ORIGINAL = Strip.render
_state = {"is_ascii": False, "is_plain": False}


def install(*, is_ascii: bool = False) -> None:
    """Make every line that Textual writes pass `_render_clean`.

    Textual (8.2.8) writes escape sequences inside of texts to the terminal as they are: 28 of 29 kinds of widgets let
    a run's name set the clipboard or the title. All of them are written by `Strip.render`, so it is the one place
    where nothing can get past. Our own panes show only `Safe` text; this stands behind them and behind Textual's.

    Args:
        is_ascii: the terminal shows no UTF-8: signs become their like in ASCII, other characters a question mark.
    """
    _state["is_ascii"] = is_ascii
    Strip.render = _render_clean  # type: ignore[method-assign]


def _render_clean(self: Strip, console: object) -> str:
    if self._render_cache is None and _state["is_plain"]:
        self._segments = [
            segment if segment.control else type(segment)(segment.text.translate(_PLAIN), segment.style)
            for segment in self._segments
        ]
    if self._render_cache is None and not all(
        _is_clean(text) for text, _style, control in self._segments if not control
    ):
        self._segments = [
            segment if segment.control else type(segment)(clean_text(segment.text), segment.style)
            for segment in self._segments
        ]
    if self._render_cache is None:
        self._render_cache = to_wire(self._segments, getattr(console, "_color_system", None) or ColorSystem.TRUECOLOR)
    return _ORIGINAL(self, console)  # type: ignore[arg-type]


def _is_clean(text: str) -> bool:
    return text.isascii() and text.isprintable() if _state["is_ascii"] else text.isprintable()


def clean_text(text: str) -> str:
    """The text as the terminal may get it."""
    cleaned = safe(text, limit=len(text) + 1)
    if not _state["is_ascii"]:
        return cleaned
    return cleaned.translate(_ASCII).encode("ascii", "replace").decode("ascii")


def use_any_encoding() -> bool:
    r"""Keep a character that the locale has no bytes for from ending the process; whether the locale is not UTF-8.

    In an ASCII locale Textual prints `\u28c9` in place of a braille letter, and every line shifts.
    """
    is_other = False
    for stream in (sys.__stdout__, sys.__stderr__):
        if stream is not None and not is_utf8(stream):
            is_other = True
            if hasattr(stream, "reconfigure"):
                stream.reconfigure(errors="replace")
    return is_other


def leave_on_signals(leave: Callable[[int], None]) -> None:
    """Leave in order when somebody ends the process or the connection is lost.

    Textual (8.2.8) dies on the spot, and the shell behind it stays on the other screen, with the mouse reporting and
    no cursor.

    Args:
        leave: called with the signal's number, in the running loop.
    """
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGHUP):
        # Not in the main thread, or not on this system: then nothing is lost but the order.
        with contextlib.suppress(NotImplementedError, RuntimeError, ValueError):
            loop.add_signal_handler(number, leave, number)


def leave_when_hung_up(leave: Callable[[int], None]) -> None:
    """The same where the terminal is gone and no signal says so: behind `setsid`, or with its input closed.

    Textual (8.2.8) goes on reading the end of its input, and takes a whole core for it.

    Args:
        leave: called with SIGHUP's number, in the running loop.
    """
    loop = asyncio.get_running_loop()

    def wait() -> None:
        poll = select.poll()
        poll.register(0, 0)  # nothing but an error, a hang-up or no such descriptor
        poll.poll()
        with contextlib.suppress(RuntimeError):  # the loop has ended meanwhile
            loop.call_soon_threadsafe(leave, signal.SIGHUP)

    threading.Thread(target=wait, name="hang-up", daemon=True).start()


def stop_reading_keys(app: App[int]) -> None:
    """Have the thread that reads keys end with the workbench.

    Textual (8.2.8) tells it to only after it has reset the mouse, which fails where the terminal is gone already: then
    the process never ends, and reads the end of its input with a whole core.
    """
    ends = getattr(app._driver, "exit_event", None)
    if isinstance(ends, threading.Event):
        ends.set()


def repaint_when_brought_back(repaint: Callable[[], object]) -> None:
    """Paint everything again once a stopped process goes on.

    Textual (8.2.8) takes the terminal again but paints nothing: the screen stays empty until something changes, and
    then shows no more than that.

    Args:
        repaint: called in the running loop.
    """
    loop, before = asyncio.get_running_loop(), signal.getsignal(signal.SIGCONT)

    def go_on(number: int, frame: FrameType | None) -> None:
        if callable(before):
            before(number, frame)
        loop.call_soon_threadsafe(repaint)

    with contextlib.suppress(ValueError):  # not in the main thread: then nobody stops us by a key
        signal.signal(signal.SIGCONT, go_on)


def catch_up_with_size(app: App[int], told: Size) -> None:
    """Tell the size of the terminal again where it is another one than was told last.

    Textual (8.2.8) reads it in the handler of the signal. In a storm of sizes the next signal may come between reading
    and telling: then the older size is told last, and stays.

    Args:
        app: in its running loop.
        told: columns and lines of the event that has just arrived.
    """
    from textual.drivers.linux_driver import LinuxDriver

    driver = app._driver
    if not isinstance(driver, LinuxDriver) or driver._in_band_window_resize:
        return  # there is no terminal, or it tells its sizes itself and in order
    now = Size(*driver._get_terminal_size())
    if now != told:
        app.post_message(Resize(now, now))


def is_job_of_a_shell() -> bool:
    """Whether somebody is there who can bring the process back once it is stopped: not behind `ssh -t HOST mlbench`."""
    try:
        return os.getsid(os.getppid()) == os.getsid(0)
    except OSError:
        return False


def speak_plainly(app: App[int], *, is_on: bool) -> None:
    """For a screen reader: no signs that are spelt out at length, and the terminal's cursor is seen, since it reads the
    line where that stands. Textual (8.2.8) hides it but moves it to `App.cursor_position`.
    """
    was_on, _state["is_plain"] = _state["is_plain"], is_on
    if app._driver is not None and not app.is_headless and (is_on or was_on):
        app._driver.write("\x1b[?25h" if is_on else "\x1b[?25l")
        app._driver.flush()


def listen_to_mouse(app: App[int], *, is_on: bool) -> None:
    """Have the terminal report the mouse, or no more: Textual (8.2.8) decides it once, when it starts."""
    from textual.drivers.linux_driver import LinuxDriver

    driver = app._driver
    if not isinstance(driver, LinuxDriver) or driver._mouse == is_on:
        return
    if is_on:
        driver._mouse = True
        driver._enable_mouse_support()
    else:
        driver._disable_mouse_support()
        driver._mouse = False
    driver.flush()


@dataclass(frozen=True, slots=True)
class Painted:
    """What Textual has just written to the screen."""

    spans: tuple[tuple[int, int, int], ...]
    """Line, first column and the column behind the last one."""

    def touches(self, region: Region) -> bool:
        """Whether any cell of a region was painted."""
        return any(region.y <= y < region.bottom and x1 < region.right and x2 > region.x for y, x1, x2 in self.spans)

    def covers(self, region: Region) -> bool:
        """Whether all lines of a region were painted from end to end."""
        lines = {y for y, x1, x2 in self.spans if x1 <= region.x and x2 >= region.right}
        return all(y in lines for y in range(region.y, region.bottom))


def after_each_paint(app: App[int], then: Callable[[Painted], None]) -> None:
    """Call after each painting of the screen: Textual (8.2.8) has a hook for it that does not say what was painted."""
    display = app._display

    def display_and_tell(screen: Screen[object], renderable: RenderableType | None) -> None:
        display(screen, renderable)
        if isinstance(renderable, LayoutUpdate):
            region = renderable.region
            then(Painted(tuple((y, region.x, region.right) for y in range(region.y, region.bottom))))
        elif isinstance(renderable, ChopsUpdate):
            then(Painted(tuple(renderable.spans)))

    app._display = display_and_tell  # type: ignore[method-assign]


def write_graphics(app: App[int], text: str) -> None:
    """Write pictures to the terminal, and nothing else: what is not in their grammar is refused.

    This is the only text that does not pass `_render_clean`.
    """
    from mlbench.render.terminal_pictures import is_graphics

    if text and app._driver is not None and is_graphics(text):
        app._driver.write(text)
        app._driver.flush()


def cell_pixels(columns: int, rows: int) -> tuple[int, int] | None:
    """Width and height of a cell in pixels as the terminal told the system; None where it did not. Nothing is asked."""
    import fcntl
    import struct
    import termios

    try:
        told = fcntl.ioctl(1, termios.TIOCGWINSZ, bytes(8))
    except OSError:
        return None
    _rows, _columns, width, height = struct.unpack("HHHH", told)
    cell = width // max(columns, 1), height // max(rows, 1)
    return cell if 2 <= cell[0] <= MOST_CELL_PIXELS and 4 <= cell[1] <= MOST_CELL_PIXELS else None


def collect_garbage_again() -> None:
    """After a start without: what is there by now is not looked through again, so that no key waits for it."""
    if not gc.isenabled():
        gc.freeze()
        gc.enable()


def forget_fixed_size(environ: MutableMapping[str, str]) -> None:
    """Take COLUMNS and LINES out of the environment: Textual believes them more than the terminal, and would neither
    fill it nor follow it when its size changes.
    """
    environ.pop("COLUMNS", None)
    environ.pop("LINES", None)


def is_utf8(stream: TextIO) -> bool:
    """Whether a stream's encoding is UTF-8."""
    return (stream.encoding or "").lower().replace("-", "") == "utf8"
