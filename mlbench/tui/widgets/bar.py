"""One line across the screen: header, prompt and footer; and the lines that lie over the others."""

from __future__ import annotations

from collections.abc import Callable

from textual.strip import Strip
from textual.widget import Widget

from mlbench.render.cells import Cell, Line
from mlbench.safe import safe
from mlbench.tui.paint import both_ends, strip_of
from mlbench.tui.theme import Looks


class Bar(Widget):
    """A line with something at each end."""

    ALLOW_SELECT = False

    def __init__(self, looks: Looks, *, ground: str = "bar", id: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id)
        self.looks = looks
        self.ground = ground
        self.left: Line = ()
        self.right: Line = ()
        self.on_other_width: Callable[[], None] = lambda: None
        """Called once it has another width: what it says depends on it."""

    def on_resize(self) -> None:
        """Its own new width is known only here, after the screen's."""
        self.on_other_width()

    def show(self, left: Line, right: Line = (), *, ground: str | None = None) -> None:
        """Show another line; nothing is repainted if it is the same."""
        ground = self.ground if ground is None else ground
        if (left, right, ground) != (self.left, self.right, self.ground):
            self.left, self.right, self.ground = left, right, ground
            self.refresh()

    def render_line(self, y: int) -> Strip:
        """The line, and nothing below it."""
        width = self.size.width
        if y > 0:
            return strip_of((), self.looks, width)
        return strip_of(both_ends(self.left, self.right, width), self.looks, width, ground=self.ground)


class Divider(Widget):
    """A line between two panes."""

    ALLOW_SELECT = False

    def __init__(self, looks: Looks, *, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id)
        self.looks = looks

    def render_line(self, y: int) -> Strip:  # noqa: ARG002 - Textual's signature
        """One cell of the line."""
        return strip_of((Cell(safe("│"), "axis"),), self.looks, self.size.width)


SEEN, AWAY = (0, 0), (0, 1000)
"""Offsets: a popup that nobody sees lies far below the screen. With `display` Textual (8.2.8) counts the places of all
widgets anew, and sends the whole screen whenever a list opens: 19 kB in place of 6.
"""


class Popup(Widget):
    """Lines over the panes, just above the prompt: what can be typed there."""

    ALLOW_SELECT = False

    def __init__(self, looks: Looks, *, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id)
        self.looks = looks
        self.lines: tuple[Line, ...] = ()
        self.chosen: int | None = None
        self.width = 0

    def show(self, lines: tuple[Line, ...], chosen: int | None, width: int) -> None:
        """Show other lines, so many columns wide; none hides it."""
        if (lines, chosen, width) == (self.lines, self.chosen, self.width):
            return
        self.lines, self.chosen = lines, chosen
        if width != self.width:
            self.width = width
            self.styles.width = width
        self.styles.offset = SEEN if lines else AWAY
        self.styles.height = max(len(lines), 1)
        self.refresh()

    def render_line(self, y: int) -> Strip:
        """One line."""
        line = self.lines[y] if y < len(self.lines) else ()
        return strip_of(line, self.looks, self.size.width, ground="cursor" if y == self.chosen else "popup")
