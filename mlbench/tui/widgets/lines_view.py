"""A page of lines under a title: the panes that are read rather than drawn."""

from __future__ import annotations

from collections.abc import Callable

from textual.events import Click, MouseScrollDown, MouseScrollUp
from textual.geometry import Region, Size
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from mlbench.dataclass import dataclass
from mlbench.render.cells import Cell, Line
from mlbench.safe import safe
from mlbench.tui.paint import both_ends, changed_rows, strip_of
from mlbench.tui.placed import Placed
from mlbench.tui.theme import Looks


@dataclass(frozen=True, slots=True)
class Page:
    """What a pane shows at one width."""

    title: Line = ()
    right: Line = ()
    """At the right end of the title."""
    head: tuple[Line, ...] = ()
    """Lines that stay when the rest scrolls."""
    lines: tuple[Line, ...] = ()
    keys: tuple[str, ...] = ()
    """For each line what it is about, '' where there is nothing to choose; () if nothing can be chosen at all."""
    sections: tuple[int, ...] = ()
    """Numbers of the lines that begin a section."""
    section_columns: tuple[int, ...] = ()
    """What `offset` is where each section begins, where they stand beside each other."""
    n_columns: int = 0
    """Columns that can be moved by `offset`."""
    pictures: tuple[Placed, ...] = ()
    """What the terminal draws itself, over the lines."""


Builder = Callable[[int, int], Page]
"""Width and offset to a page."""


def no_page(_width: int, _offset: int) -> Page:
    """An empty page."""
    return Page()


class LinesView(Widget):
    """A page with a cursor over what can be chosen; a page without anything to choose scrolls by lines."""

    ALLOW_SELECT = False

    class Picked(Message):
        """A line that can be chosen was clicked; the cursor stands on it."""

    def __init__(self, looks: Looks, *, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id)
        self.looks = looks
        self.is_at_work = False
        self.has_title = True
        self.cursor = 0
        self.top = 0
        self.offset_columns = 0
        self._build: Builder = no_page
        self._page = Page()
        self._laid_out = Size(0, 0)

    def show(self, build: Builder, *, is_new: bool = False) -> None:
        """Show another page; the cursor and the scroll stay where they are unless it is about something new."""
        self._build = build
        if is_new:
            self.cursor = self.top = self.offset_columns = 0
        self._rebuild()

    def set_at_work(self, is_at_work: bool) -> None:
        """Whether keys go to this pane."""
        if is_at_work != self.is_at_work:
            self.is_at_work = is_at_work
            rows = (0, self.cursor - self.top + self._head_rows)
            self.refresh(*(Region(0, row, self.size.width, 1) for row in rows))

    def _rebuild(self) -> None:
        before, pictures = self._seen(), self._page.pictures
        self._lay_out()
        regions = changed_rows(before, self._seen(), self.size.width)
        if regions is None or pictures != self._page.pictures:
            self.refresh()
        elif regions:
            self.refresh(*regions)

    def _lay_out(self) -> None:
        """Build the page for the width that the pane has now."""
        self._laid_out = self.size
        self._page = self._build(self.size.width, self.offset_columns)
        self.cursor = self._nearest(min(self.cursor, max(len(self._page.lines) - 1, 0)), 1)
        self._bring_into_view()

    def _seen(self) -> list[object]:
        """What stands on each row: two rows that are equal look alike."""
        page, top, n_rows = self._page, self.top, self.page_rows
        title = [(page.title, page.right, top, len(page.lines), n_rows)] if self.has_title else []
        cursor = self.cursor if self.current_key else -1
        lines = [(line, top + place == cursor) for place, line in enumerate(page.lines[top : top + n_rows])]
        return [*title, *page.head, *lines, *[()] * (n_rows - len(lines))]

    @property
    def page(self) -> Page:
        return self._page

    @property
    def current_key(self) -> str:
        """What the line under the cursor is about."""
        return self._page.keys[self.cursor] if self.cursor < len(self._page.keys) else ""

    @property
    def pictures(self) -> tuple[Placed, ...]:
        """What the terminal draws itself, as far as it is seen; lines and columns are those of the pane."""
        found = []
        for placed in self._page.pictures:
            first = max(self.top - placed.line, 0)
            stop = min(self.top + self.page_rows - placed.line, placed.rows)
            if first < stop:
                found.append(placed.part(first, stop).moved(0, self._head_rows - self.top))
        return tuple(found)

    @property
    def cursor_row(self) -> int:
        """The row of the pane with the line at work."""
        return self._head_rows + (self.cursor - self.top if self.current_key else 0)

    @property
    def _head_rows(self) -> int:
        return int(self.has_title) + len(self._page.head)

    @property
    def page_rows(self) -> int:
        """Lines that have room."""
        return max(self.size.height - self._head_rows, 1)

    # ------------------------------------------------------------ moving

    def move_by(self, lines: int) -> None:
        """Move the cursor, or scroll where nothing can be chosen."""
        if not any(self._page.keys):
            self._show_from(self.top + lines)
            return
        before, top = self.cursor, self.top
        step = 1 if lines > 0 else -1
        for _ in range(abs(lines)):
            self.cursor = self._next(self.cursor, step)
        if self.cursor == before:
            # The headings above the first line (and what is below the last) can be seen, too.
            self._show_from(self.top + step)
            return
        self._bring_into_view()
        if self.top != top:
            self.refresh()
        else:
            self.refresh(
                *(Region(0, line - self.top + self._head_rows, self.size.width, 1) for line in (before, self.cursor))
            )

    def _next(self, line: int, step: int) -> int:
        """The next line that can be chosen; the same where there is none."""
        keys = self._page.keys
        place = line + step
        while 0 <= place < len(keys) and not keys[place]:
            place += step
        return place if 0 <= place < len(keys) else line

    def _nearest(self, line: int, step: int) -> int:
        keys = self._page.keys
        if line < len(keys) and not keys[line]:
            after = self._next(line, step)
            return after if keys[after] else self._next(line, -step)
        return line

    def _show_from(self, top: int) -> None:
        top = min(max(top, 0), max(len(self._page.lines) - self.page_rows, 0))
        if top != self.top:
            self.top = top
            self.refresh()

    def _bring_into_view(self) -> None:
        most = max(len(self._page.lines) - self.page_rows, 0)
        if any(self._page.keys):
            # Two lines more above: the heading of a section is seen with its first line.
            self.top = min(max(self.top, self.cursor - self.page_rows + 1), max(self.cursor - 2, 0))
        self.top = min(self.top, most)

    def move_columns(self, columns: int) -> None:
        """Move to columns that have no room."""
        offset = min(max(self.offset_columns + columns, 0), max(self._page.n_columns - 1, 0))
        if offset != self.offset_columns:
            self.offset_columns = offset
            self._rebuild()

    def go_to_section(self, number: int) -> None:
        """Put a section (0 is the first) on top; of those beside each other, at the left."""
        if number < len(self._page.section_columns):
            self.move_columns(self._page.section_columns[number] - self.offset_columns)
        elif number < len(self._page.sections):
            line = self._page.sections[number]
            self.cursor = self._nearest(line, 1)
            self._show_from(line)
            self.refresh()

    def on_click(self, event: Click) -> None:
        line = self.top + event.y - self._head_rows
        if event.y >= self._head_rows and line < len(self._page.keys) and self._page.keys[line]:
            self.cursor = line
            self.refresh()
            self.post_message(self.Picked())

    def on_mouse_scroll_down(self, event: MouseScrollDown) -> None:
        event.stop()
        self._show_from(self.top + 3)

    def on_mouse_scroll_up(self, event: MouseScrollUp) -> None:
        event.stop()
        self._show_from(self.top - 3)

    # ------------------------------------------------------------ drawing

    def render_line(self, y: int) -> Strip:
        """One line of the screen: the title, a line that stays, or a line of the page."""
        width = self.size.width
        if self._laid_out != self.size:
            self._lay_out()
        if self.has_title and y == 0:
            return self._title_strip(width)
        fixed = y - int(self.has_title)
        if fixed < len(self._page.head):
            return strip_of(self._page.head[fixed], self.looks, width)
        index = self.top + fixed - len(self._page.head)
        if index >= len(self._page.lines):
            return strip_of((), self.looks, width)
        is_cursor = index == self.cursor and bool(self.current_key)
        ground = ("cursor" if self.is_at_work else "") if is_cursor else ""
        return strip_of(self._page.lines[index], self.looks, width, ground=ground)

    def _title_strip(self, width: int) -> Strip:
        """The title, and at its right how much of the page there is to see."""
        hidden = len(self._page.lines) - self.page_rows
        right = self._page.right
        if hidden > 0:
            percent = round(100 * self.top / hidden)
            right = (*right, Cell(safe(f"  {percent}% "), "muted"))
        line = both_ends(self._page.title, right, width)
        return strip_of(line, self.looks, width, ground="bar" if self.is_at_work else "")
