"""The table of runs: draws only the rows and columns that can be seen."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from textual.events import Click, MouseScrollDown, MouseScrollUp
from textual.geometry import Region
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from mlbench.queries.answers import RunRow
from mlbench.render.cells import Cell, Line, fit, fit_middle, line_of, padded, width_cells
from mlbench.render.runs import STATUS_ROLES
from mlbench.safe import safe
from mlbench.tui.paint import both_ends, strip_of
from mlbench.tui.theme import Looks
from mlbench.tui.view import Marks
from mlbench.tui.widgets.columns import TableColumn, cell_of, group_cell, is_drawn_alike
from mlbench.tui.widgets.rows import group_label
from mlbench.tui.widgets.table_state import TableState

if TYPE_CHECKING:
    from mlbench.queries.answers import GroupRow

STATUS_GLYPHS = {"running": "▸", "finished": "✓", "failed": "✗", "killed": "✗", "stalled": "…", "missing": "?"}
MARK, BASELINE, NO_STATUS = "●", "◆", "·"
GLYPH_CELLS, WORD_CELLS = 7, 26
"""Columns of the mark, the baseline and the status as signs; as words, for a screen reader."""
GAP_CELLS = 2
MORE_CELLS = 3  # of the sign that there are more columns, with a blank before it
LEAST_NAME_CELLS, MOST_NAME_SHARE, LINEAR_NAME_SHARE = 12, 0.4, 0.6
"""The name takes at most this share of the table's width."""
LEAST_TEXT_CELLS = 8
"""A column of texts may be cut to this at the right edge."""
HEADER_ROWS = 1


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
        """Line."""
        self.column = 0
        self.top = 0
        self.first_column = 1
        """The first of the columns that move, at the left."""
        self.on_moved: Callable[[], None] = lambda: None
        """Called when other lines came into view."""
        self._range_place: int | None = None

    # ------------------------------------------------------------ state

    def show(self, state: TableState, *, cursor: int | None = None) -> None:
        """Show other rows, columns or marks; the cursor stays on its line number unless another is given."""
        old, self.state = self.state, state
        was_at = self.cursor
        self.cursor = min(max(self.cursor if cursor is None else cursor, 0), max(len(state.lines) - 1, 0))
        self.column = min(self.column, max(len(state.columns) - 1, 0))
        self.first_column = min(max(self.first_column, 1), max(len(state.columns) - 1, 1))
        self._range_place = state.rows.listing.place_of(state.range_start) if state.range_start else None
        is_scrolled = self._bring_into_view()
        if not is_scrolled and self.cursor == was_at and self._has_same_lines(old):
            self._refresh_changed(old)
            self.on_moved()
            return
        if is_scrolled or cursor is not None or replace(old, marks=state.marks, is_at_work=state.is_at_work) != state:
            self.refresh()
            self.on_moved()
            return
        self._refresh_marks(old.marks, state.marks)
        if old.is_at_work != state.is_at_work:
            self.refresh(Region(0, 0, self.size.width, HEADER_ROWS), self._row_region(self.cursor))

    def _has_same_lines(self, old: TableState) -> bool:
        """Whether the state is a newer answer to the same question, with the same runs in view."""
        state, seen = self.state, slice(self.top, self.top + self.page_rows)
        if replace(old, rows=state.rows, lines=state.lines) != state or state.rows is old.rows:
            return False
        if len(old.lines) != len(state.lines) or state.rows.listing.groups or old.rows.listing.groups:
            return False
        return state.rows.listing.ids[seen] == old.rows.listing.ids[seen]

    def _refresh_changed(self, old: TableState) -> None:
        """Repaint the lines whose runs have other values: one new point must not repaint the screen."""
        rows, columns = self.state.rows.rows, self.state.columns
        alike = (is_drawn_alike(old.rows.rows.get(at), rows.get(at), old.columns, columns) for at in self.lines_in_view)
        changed = [line for line, same in zip(self.lines_in_view, alike, strict=True) if not same]
        if changed:
            self.refresh(*(self._row_region(line) for line in changed))

    def _refresh_marks(self, old: Marks, new: Marks) -> None:
        """Repaint the lines in view of the runs whose mark is another one."""
        if old is new:
            return
        changed = [line for line in self.lines_in_view if self._slot(line, old) != self._slot(line, new)]
        if changed:
            self.refresh(*(self._row_region(line) for line in changed))

    def _slot(self, line: int, marks: Marks) -> int | None:
        """The colour slot of the run of a line; of a group that of its first run."""
        run_id = self.id_of(line)
        return marks.slot_of(run_id) if run_id else None

    def refresh_curves(self, places: Collection[int]) -> None:
        """Repaint the curves of those lines in view that show one of these places."""
        spans = [(x, cells) for at, x, cells in self._shown_columns() if self.state.columns[at].kind == "sketch"]
        rows = [self._row_region(line).y for line in self.lines_in_view if self.state.lines[line] in places]
        if rows and spans:
            self.refresh(*(Region(x, y, cells, 1) for y in rows for x, cells in spans))

    @property
    def lines_in_view(self) -> range:
        return range(self.top, min(self.top + self.page_rows, len(self.state.lines)))

    def place_of_line(self, line: int) -> int | None:
        """The place in the listing of the run of a line; None for a group."""
        place = self.state.lines[line] if 0 <= line < len(self.state.lines) else -1
        return place if place >= 0 else None

    def group_of(self, line: int) -> GroupRow | None:
        """The group of a line, None if it is a run's."""
        number = self.state.lines[line] if 0 <= line < len(self.state.lines) else 0
        return self.state.rows.listing.groups[~number] if number < 0 else None

    def id_of(self, line: int) -> str:
        """Id of the run of a line, of a group its first run's; '' beyond the end."""
        group = self.group_of(line)
        place = self.place_of_line(line)
        return group.run_ids[0] if group else self.state.rows.listing.ids[place] if place is not None else ""

    def ids_of(self, first: int, end: int) -> list[str]:
        """Ids of the runs of the lines from `first` up to, not including, `end`; of a group all."""
        ids: list[str] = []
        for line in range(max(first, 0), min(end, len(self.state.lines))):
            group = self.group_of(line)
            ids += group.run_ids if group else [self.id_of(line)]
        return list(dict.fromkeys(ids))

    @property
    def current(self) -> RunRow | None:
        """The run under the cursor, None while it is not known, and on a group."""
        place = self.place_of_line(self.cursor)
        return self.state.rows.rows.get(place) if place is not None else None

    @property
    def current_id(self) -> str:
        """Id of the run under the cursor; of a group its first run's; '' where there is none."""
        return self.id_of(self.cursor)

    @property
    def current_group(self) -> tuple[object, ...] | None:
        """Keys of the group under the cursor, None on a run."""
        group = self.group_of(self.cursor)
        return None if group is None else group.keys

    @property
    def cursor_row(self) -> int:
        """The row of the pane with the line under the cursor."""
        return self.cursor - self.top + HEADER_ROWS

    @property
    def glyph_cells(self) -> int:
        """Columns before the names: signs, or words in their place."""
        return WORD_CELLS if self.looks.is_linear else GLYPH_CELLS

    @property
    def current_column(self) -> TableColumn | None:
        return self.state.columns[self.column] if self.column < len(self.state.columns) else None

    @property
    def page_rows(self) -> int:
        """Rows of runs that have room."""
        return max(self.size.height - HEADER_ROWS, 1)

    def move_to(self, line: int) -> bool:
        """Put the cursor on a line, as near as there is one; whether it moved. Repaints two lines, all if it scrolls.

        Lines that are not known yet are not painted empty at once: they come in a moment.
        """
        line = min(max(line, 0), max(len(self.state.lines) - 1, 0))
        if line == self.cursor:
            return False
        before, self.cursor = self.cursor, line
        if not self._bring_into_view():
            between = range(min(before, line), max(before, line) + 1) if self._range_place is not None else ()
            self.refresh(*(self._row_region(each) for each in (between or (before, line))))
            return True
        if not self.unknown_in_view():
            self.refresh()
        self.on_moved()
        return True

    def unknown_in_view(self) -> list[int]:
        """Places in view whose rows are not known."""
        places = [self.place_of_line(line) for line in self.lines_in_view]
        return [place for place in places if place is not None and place not in self.state.rows.rows]

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
        last_top = max(len(self.state.lines) - self.page_rows, 0)
        self.top = min(max(self.top, self.cursor - self.page_rows + 1), self.cursor, last_top)
        return self.top != before

    def _row_region(self, row: int) -> Region:
        return Region(0, row - self.top + HEADER_ROWS, self.size.width, 1)

    def on_resize(self) -> None:
        """The cursor's row and column stay in view."""
        self.move_column(self.column)
        self._bring_into_view()
        self.on_moved()

    # ------------------------------------------------------------ mouse

    def on_click(self, event: Click) -> None:
        """A row is put under the cursor; a title is sorted by."""
        row = self.top + event.y - HEADER_ROWS
        column = self._column_at(event.x)
        if event.y < HEADER_ROWS:
            self.post_message(self.Picked(None, column))
        elif row < len(self.state.lines):
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
        share = LINEAR_NAME_SHARE if self.looks.is_linear else MOST_NAME_SHARE
        most = max(int(self.size.width * share) - self.glyph_cells, LEAST_NAME_CELLS)
        return min(max(self.state.rows.name_cells, LEAST_NAME_CELLS), most)

    def _shown_columns(self) -> list[tuple[int, int, int]]:
        """(index, place, width) of the moving columns that can be seen: the last text may be cut, a number never is."""
        place = self.glyph_cells + self.name_cells + GAP_CELLS
        shown = []
        for index in range(self.first_column, len(self.state.columns)):
            column = self.state.columns[index]
            room = self.size.width - MORE_CELLS - place
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
        if x < self.glyph_cells + self.name_cells + GAP_CELLS:
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
        if row < len(self.state.lines):
            return self._row_strip(row)
        empty = self.state.empty
        line = empty[y - HEADER_ROWS] if not self.state.lines and y - HEADER_ROWS < len(empty) else ()
        return strip_of(line, self.looks, self.size.width)

    def _title_line(self) -> Line:
        if not self.state.columns:
            return ()
        cells = [Cell(safe(" " * self.glyph_cells)), self._title(0, self.name_cells)]
        shown = self._shown_columns()
        gap = GAP_CELLS
        for index, _place, width in shown:
            title = self._title(index, width)
            cells += [Cell(safe(" " * gap)), title]
            gap = GAP_CELLS + width - width_cells(title.text)
        if self.first_column > 1:
            cells[2] = Cell(safe("‹ "), "accent")
        last = shown[-1][0] if shown else 0
        more = line_of(("› ", "accent")) if last + 1 < len(self.state.columns) else ()
        return both_ends(tuple(cells), more, self.size.width)

    def _title(self, index: int, width: int) -> Cell:
        column = self.state.columns[index]
        arrow = (self.state.sorted_by or {}).get(column.spec, "")
        is_cursor = index == self.column and self.state.is_at_work
        role = "accent" if is_cursor else "title" if arrow else "muted"
        return Cell(padded(fit_middle(column.title, width) + safe(arrow), width, align=column.align), role)

    def _row_strip(self, line: int) -> Strip:
        group = self.group_of(line)
        place = self.place_of_line(line)
        row = self.state.rows.rows.get(place) if place is not None else None
        ground = self._ground(line)
        if group is not None:
            return strip_of(self._group_cells(group), self.looks, self.size.width, ground=ground or "bar")
        if row is None or place is None:
            return strip_of((), self.looks, self.size.width, ground=ground)
        slot = self.state.marks.slot_of(row.head.run_id)
        cells = [*self._glyphs(row, slot), self._name_cell(place, slot)]
        for column, _place, width in self._shown_columns():
            cells += [Cell(safe(" " * GAP_CELLS)), cell_of(self.state.columns[column], row, width)]
        return strip_of(cells, self.looks, self.size.width, ground=ground)

    def _group_cells(self, group: GroupRow) -> Sequence[Cell]:
        found = self.state.rows.found
        n_marked = sum(run_id in self.state.marks for run_id in group.run_ids) if self.state.marks else 0
        mark = Cell(safe(f" {MARK} "), "muted") if n_marked else Cell(safe("   "))
        label = group_label(group)
        label = safe(label.replace("▸", "▾", 1)) if group.keys in self.state.opened else label
        width = self.glyph_cells - 3 + self.name_cells
        cells = [mark, Cell(padded(fit(label, width), width), "heading")]
        if found is not None:
            for place, _x, width in self._shown_columns():
                column = self.state.columns[place]
                cells += [Cell(safe(" " * GAP_CELLS)), group_cell(column, found.answer, group, width)]
        return cells

    def _ground(self, line: int) -> str:
        if line == self.cursor:
            return "cursor" if self.state.is_at_work else "quiet"
        return "marked" if self._is_tinted(line) else ""

    def _is_tinted(self, line: int) -> bool:
        """Marked, or in the range that is being marked."""
        place = self.place_of_line(line)
        if place is None:
            return False
        start, here = self._range_place, self.place_of_line(self.cursor)
        if start is not None and here is not None and min(start, here) <= place <= max(start, here):
            return True
        return self.state.rows.listing.ids[place] in self.state.marks

    def _glyphs(self, row: RunRow, slot: int | None) -> Sequence[Cell]:
        if self.looks.is_linear:
            words = ["marked" if slot is not None else "", "baseline" if row.head.run_id == self.state.baseline else ""]
            return (Cell(safe(f" {' '.join(filter(None, [row.head.status, *words]))} ".ljust(WORD_CELLS))),)
        mark = Cell(safe(f" {MARK} "), f"run{slot % 8}") if slot is not None else Cell(safe("   "))
        is_baseline = row.head.run_id == self.state.baseline
        status = STATUS_GLYPHS.get(row.head.status, NO_STATUS)
        role = STATUS_ROLES.get(row.head.status, "muted")
        return mark, Cell(safe(f"{BASELINE} " if is_baseline else "  "), "baseline"), Cell(safe(f"{status} "), role)

    def _name_cell(self, place: int, slot: int | None) -> Cell:
        width = self.name_cells
        indent = safe("  ") if self.state.rows.listing.groups else safe("")
        label = padded(fit_middle(indent + self.state.rows.labels[place], width), width)
        return Cell(label, f"run{slot % 8}" if slot is not None else "")
