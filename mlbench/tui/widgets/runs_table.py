"""The table of runs: draws only the rows and columns that can be seen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from textual.events import Click, MouseScrollDown, MouseScrollUp
from textual.geometry import Region
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from mlbench.queries.answers import RunRow
from mlbench.render.cells import Cell, Line, fit_middle, line_of, padded, take_cells, width_cells
from mlbench.render.runs import STATUS_ROLES
from mlbench.safe import safe
from mlbench.tui.paint import both_ends, strip_of
from mlbench.tui.theme import Looks
from mlbench.tui.view import Marks
from mlbench.tui.widgets.columns import NAME, TableColumn, cell_of

STATUS_GLYPHS = {"running": "▸", "finished": "✓", "failed": "✗", "killed": "✗", "stalled": "…", "missing": "?"}
MARK, BASELINE, NO_STATUS = "●", "◆", "·"
GLYPH_CELLS = 7
"""A blank, mark, baseline and status with blanks between, and a blank."""
GAP_CELLS = 2
LEAST_NAME_CELLS, MOST_NAME_SHARE = 12, 0.4
"""The name takes at most this share of the table's width."""
LEAST_TEXT_CELLS = 8
"""A column of texts may be cut to this at the right edge."""
HEADER_ROWS = 1


@dataclass(frozen=True, slots=True)
class TableState:
    """All that the table shows."""

    rows: tuple[RunRow, ...] = ()
    labels: tuple[str, ...] = ()
    """Names of the rows that tell them apart."""
    columns: tuple[TableColumn, ...] = ()
    """NAME first."""
    marks: Marks = field(default_factory=Marks)
    baseline: str = ""
    """Run id."""
    sorted_by: Mapping[str, str] | None = None
    """Column specification to `↑` or `↓`."""
    is_at_work: bool = True
    """Whether keys go to the table."""
    range_start: str = ""
    empty: tuple[Line, ...] = ()
    """Shown where there are no rows."""


class RunsTable(Widget):
    """Rows of runs under a header, with a cursor for the row and one for the column."""

    ALLOW_SELECT = False

    class Picked(Message):
        """A row, or the title of a column, was clicked."""

        def __init__(self, row: int | None, column: int | None) -> None:
            super().__init__()
            self.row = row
            self.column = column

    class Scrolled(Message):
        """The wheel was turned."""

        def __init__(self, rows: int) -> None:
            super().__init__()
            self.rows = rows

    def __init__(self, looks: Looks, *, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id)
        self.looks = looks
        self.state = TableState()
        self.cursor = 0
        self.column = 0
        self.top = 0
        self.first_column = 1
        """The first of the columns that move, at the left."""
        self._index: dict[str, int] = {}

    # ------------------------------------------------------------ state

    def show(self, state: TableState, *, cursor: int | None = None) -> None:
        """Show other rows, columns or marks; the cursor stays on its row number unless another is given."""
        old, self.state = self.state, state
        if state.rows is not old.rows:
            self._index = {row.head.run_id: index for index, row in enumerate(state.rows)}
        self.cursor = min(max(self.cursor if cursor is None else cursor, 0), max(len(state.rows) - 1, 0))
        self.column = min(self.column, max(len(state.columns) - 1, 0))
        self.first_column = min(max(self.first_column, 1), max(len(state.columns) - 1, 1))
        is_scrolled = self._bring_into_view()
        if is_scrolled or cursor is not None or replace(old, marks=state.marks, is_at_work=state.is_at_work) != state:
            self.refresh()
            return
        self._refresh_marks(old.marks, state.marks)
        if old.is_at_work != state.is_at_work:
            self.refresh(Region(0, 0, self.size.width, HEADER_ROWS), self._row_region(self.cursor))

    def _refresh_marks(self, old: Marks, new: Marks) -> None:
        """Repaint the rows of the runs whose mark is another one."""
        changed = {run_id for run_id, _slot in set(old.slots) ^ set(new.slots)}
        rows = {self._index[run_id] for run_id in changed if run_id in self._index}
        seen = [row for row in rows if self.top <= row < self.top + self.page_rows]
        if seen:
            self.refresh(*(self._row_region(row) for row in seen))

    def row_of(self, run_id: str) -> int | None:
        """Where a run stands, None if it is not shown."""
        return self._index.get(run_id)

    @property
    def current(self) -> RunRow | None:
        """The run under the cursor."""
        return self.state.rows[self.cursor] if self.cursor < len(self.state.rows) else None

    @property
    def current_column(self) -> TableColumn | None:
        return self.state.columns[self.column] if self.column < len(self.state.columns) else None

    @property
    def page_rows(self) -> int:
        """Rows of runs that have room."""
        return max(self.size.height - HEADER_ROWS, 1)

    def move_to(self, row: int) -> bool:
        """Put the cursor on a row, as near as there is one; whether it moved. Repaints two rows, all if it scrolls."""
        row = min(max(row, 0), max(len(self.state.rows) - 1, 0))
        if row == self.cursor:
            return False
        before, self.cursor = self.cursor, row
        if self._bring_into_view():
            self.refresh()
        else:
            self.refresh(*(self._row_region(each) for each in (before, row)))
        return True

    def move_column(self, column: int) -> None:
        """Put the column cursor on a column; the columns scroll so that it is seen whole."""
        self.column = min(max(column, 0), max(len(self.state.columns) - 1, 0))
        if 0 < self.column < self.first_column:
            self.first_column = self.column
        while self.first_column < self.column and not self._is_whole(self.column):
            self.first_column += 1
        if self.column == 0:
            self.first_column = 1
        self.refresh()

    def _bring_into_view(self) -> bool:
        """Scroll so that the cursor's row is seen; whether the rows moved."""
        before = self.top
        last_top = max(len(self.state.rows) - self.page_rows, 0)
        self.top = min(max(self.top, self.cursor - self.page_rows + 1), self.cursor, last_top)
        return self.top != before

    def _row_region(self, row: int) -> Region:
        return Region(0, row - self.top + HEADER_ROWS, self.size.width, 1)

    def on_resize(self) -> None:
        """The cursor's row and column stay in view."""
        self._bring_into_view()
        self.move_column(self.column)

    # ------------------------------------------------------------ mouse

    def on_click(self, event: Click) -> None:
        """A row is put under the cursor; a title is sorted by."""
        row = self.top + event.y - HEADER_ROWS
        column = self._column_at(event.x)
        if event.y < HEADER_ROWS:
            self.post_message(self.Picked(None, column))
        elif row < len(self.state.rows):
            self.post_message(self.Picked(row, column))

    def on_mouse_scroll_down(self, event: MouseScrollDown) -> None:
        event.stop()
        self.post_message(self.Scrolled(3))

    def on_mouse_scroll_up(self, event: MouseScrollUp) -> None:
        event.stop()
        self.post_message(self.Scrolled(-3))

    # ------------------------------------------------------------ columns

    @property
    def name_cells(self) -> int:
        """Columns that the names take."""
        longest = max((width_cells(label) for label in self.state.labels[self.top : self.top + 200]), default=0)
        most = max(int(self.size.width * MOST_NAME_SHARE) - GLYPH_CELLS, LEAST_NAME_CELLS)
        return min(max(longest, LEAST_NAME_CELLS), most)

    def _shown_columns(self) -> list[tuple[int, int, int]]:
        """(index, place, width) of the moving columns that can be seen: the last text may be cut, a number never is."""
        place = GLYPH_CELLS + self.name_cells + GAP_CELLS
        shown = []
        for index in range(self.first_column, len(self.state.columns)):
            column = self.state.columns[index]
            room = self.size.width - 2 - place
            if room < column.width and not (column.is_left and room >= LEAST_TEXT_CELLS):
                break
            shown.append((index, place, min(column.width, room)))
            place += column.width + GAP_CELLS
        return shown

    def _is_whole(self, column: int) -> bool:
        return any(
            index == column and width == self.state.columns[index].width
            for index, _place, width in self._shown_columns()
        )

    def _column_at(self, x: int) -> int | None:
        if x < GLYPH_CELLS + self.name_cells + GAP_CELLS:
            return 0
        return next(
            (index for index, place, width in self._shown_columns() if place <= x < place + width + GAP_CELLS), None
        )

    # ------------------------------------------------------------ drawing

    def render_line(self, y: int) -> Strip:
        """One line of the screen: the titles, a run, or what is said where there are none."""
        if y < HEADER_ROWS:
            return strip_of(
                self._title_line(), self.looks, self.size.width, ground="bar" if self.state.is_at_work else ""
            )
        row = self.top + y - HEADER_ROWS
        if row < len(self.state.rows):
            return self._row_strip(row)
        empty = self.state.empty
        line = empty[y - HEADER_ROWS] if not self.state.rows and y - HEADER_ROWS < len(empty) else ()
        return strip_of(line, self.looks, self.size.width)

    def _title_line(self) -> Line:
        if not self.state.columns:
            return ()
        cells = [Cell(safe(" " * GLYPH_CELLS)), self._title(0, self.name_cells)]
        shown = self._shown_columns()
        for index, _place, width in shown:
            cells += [Cell(safe(" " * GAP_CELLS)), self._title(index, width)]
        if self.first_column > 1:
            cells[2] = Cell(safe("‹ "), "accent")
        last = shown[-1][0] if shown else 0
        more = line_of(("› ", "accent")) if last + 1 < len(self.state.columns) else ()
        return both_ends(tuple(cells), more, self.size.width)

    def _title(self, index: int, width: int) -> Cell:
        column = self.state.columns[index]
        arrow = (self.state.sorted_by or {}).get(column.spec, "")
        room = width - len(arrow)
        title = take_cells(safe(column.title), room) + safe(arrow)
        is_cursor = index == self.column and self.state.is_at_work
        align = "left" if column.is_left else "right"
        return Cell(padded(title, width, align=align), "accent" if is_cursor else "title" if arrow else "muted")

    def _row_strip(self, index: int) -> Strip:
        row = self.state.rows[index]
        is_cursor = index == self.cursor
        slot = self.state.marks.slot_of(row.head.run_id)
        ground = (
            ("cursor" if self.state.is_at_work else "quiet")
            if is_cursor
            else "marked"
            if self._is_tinted(index)
            else ""
        )
        cells = [*self._glyphs(row, slot), self._name_cell(index, slot)]
        for column, _place, width in self._shown_columns():
            cells += [Cell(safe(" " * GAP_CELLS)), cell_of(self.state.columns[column], row, width)]
        return strip_of(cells, self.looks, self.size.width, ground=ground)

    def _is_tinted(self, index: int) -> bool:
        """Marked, or in the range that is being marked."""
        start = self._index.get(self.state.range_start)
        if start is not None and min(start, self.cursor) <= index <= max(start, self.cursor):
            return True
        return self.state.rows[index].head.run_id in self.state.marks

    def _glyphs(self, row: RunRow, slot: int | None) -> Sequence[Cell]:
        mark = Cell(safe(f" {MARK} "), f"run{slot % 8}") if slot is not None else Cell(safe("   "))
        is_baseline = row.head.run_id == self.state.baseline
        status = STATUS_GLYPHS.get(row.head.status, NO_STATUS)
        role = STATUS_ROLES.get(row.head.status, "muted")
        return mark, Cell(safe(f"{BASELINE} " if is_baseline else "  "), "baseline"), Cell(safe(f"{status} "), role)

    def _name_cell(self, index: int, slot: int | None) -> Cell:
        width = self.name_cells
        label = padded(fit_middle(safe(self.state.labels[index]), width), width)
        return Cell(label, f"run{slot % 8}" if slot is not None else "")


__all__ = ["NAME", "RunsTable", "TableColumn", "TableState"]
