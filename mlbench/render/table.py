"""Tables: cells in columns, fitted to a width; nothing is left out without a word."""

from __future__ import annotations

from collections.abc import Sequence

from mlbench.dataclass import dataclass
from mlbench.render.cells import EMPTY, Cell, Line, fit, fit_middle, line_of, padded, width_cells
from mlbench.render.numbers import aligned
from mlbench.safe import Safe, safe

GAP_CELLS = 2
"""Columns between columns: one is not enough to tell texts with blanks apart."""
LEAST_TEXT_CELLS = 12
"""Texts and titles are not cut shorter than this to make room: columns are left out instead, and counted."""
LEAST_CUT_CELLS = 4
"""The first column, alone, may be cut this short."""
FIRST_SHARE = 4
"""A quarter of the width is the first column's that holds texts: it says what the row is about."""


@dataclass(frozen=True, slots=True)
class Heading:
    """The title of a column, and how its cells behave when there is no room."""

    title: Safe
    align: str = "left"
    """`left`, `right` or `number`; cells of the column are aligned alike unless they say otherwise."""
    is_cut: bool = True
    """Texts may be cut; numbers never are, since a cut number is another number."""
    role: str = "title"


@dataclass(frozen=True, slots=True)
class Table:
    headings: tuple[Heading, ...]
    rows: tuple[tuple[Cell, ...], ...]
    """Each row has a cell for every heading."""
    keys: tuple[str, ...] = ()
    """What each row is about, for panes where rows can be chosen; () where they cannot."""


@dataclass(frozen=True, slots=True)
class Section:
    """A table with a title, one of several that make an answer."""

    key: str
    """One word, for keys and flat rows: `params`, `metrics`, `code`."""
    title: Safe
    table: Table
    remark: Safe = EMPTY
    """What was left out: `6 equal`."""


def heading(title: str, *, align: str = "left", role: str = "title") -> Heading:
    """A heading whose cells may be cut where they are texts (`left`), never where they are numbers."""
    return Heading(safe(title), align, is_cut=align == "left", role=role)


def layout(table: Table, width: int | None = None, *, has_titles: bool = True) -> tuple[Line, ...]:
    """The table as lines of at most `width` columns (None: as wide as it is).

    Long texts are cut in the middle first, then columns are left out from the right, and a last line names them.
    """
    rows = _number_columns(table)
    natural = [_column_cells(table, rows, index, has_titles=has_titles) for index in range(len(table.headings))]
    widths = natural if width is None else _fitted(table.headings, rows, natural, width)
    lines = [_title_line(table.headings, widths)] if has_titles and widths else []
    lines += [_row_line(row, table.headings, widths) for row in rows]
    if len(widths) < len(natural):
        lines.append(_missing_line(table.headings[len(widths) :], width))
    return tuple(lines)


def n_left_out(table: Table, width: int) -> int:
    """Columns that `layout` leaves out on so many columns."""
    rows = _number_columns(table)
    natural = [_column_cells(table, rows, index, has_titles=True) for index in range(len(table.headings))]
    return len(natural) - len(_fitted(table.headings, rows, natural, width))


def _number_columns(table: Table) -> list[tuple[Cell, ...]]:
    """The rows, with the numbers of `number` columns filled up so that their decimal points are aligned."""
    rows = list(table.rows)
    for index, head in enumerate(table.headings):
        if head.align != "number":
            continue
        texts = aligned(row[index].text if row[index].align == "number" else "" for row in rows)
        for place, (row, text) in enumerate(zip(rows, texts, strict=True)):
            cell = row[index]
            if cell.align == "number":
                rows[place] = (*row[:index], Cell(safe(text), cell.role, "right", cell.back), *row[index + 1 :])
    return rows


def _column_cells(table: Table, rows: Sequence[tuple[Cell, ...]], index: int, *, has_titles: bool) -> int:
    title = width_cells(table.headings[index].title) if has_titles else 0
    return max((title, *(width_cells(row[index].text) for row in rows)))


def _total(widths: Sequence[int]) -> int:
    return sum(widths) + GAP_CELLS * max(len(widths) - 1, 0)


def _fitted(headings: Sequence[Heading], rows: Sequence[tuple[Cell, ...]], natural: list[int], width: int) -> list[int]:
    """Widths of the columns that are shown: cut what may be cut, then leave out columns from the right."""
    for n_shown in range(len(natural), 1, -1):
        least = [_least_cells(headings[i], rows, i, natural[i]) for i in range(n_shown)]
        first = next((i for i in range(n_shown) if headings[i].is_cut), 0)
        least[first] = max(least[first], min(natural[first], width // FIRST_SHARE))
        if _total(least) <= width:
            return _shrunk(natural[:n_shown], least, width)
    return [min(natural[0], max(width, LEAST_CUT_CELLS))] if natural else []


def _least_cells(head: Heading, rows: Sequence[tuple[Cell, ...]], index: int, natural: int) -> int:
    """Texts shrink to 12 columns; of number columns only the title does."""
    if head.is_cut:
        return min(natural, LEAST_TEXT_CELLS)
    widest = max((width_cells(row[index].text) for row in rows), default=0)
    return min(natural, max(widest, LEAST_TEXT_CELLS))


def _shrunk(natural: list[int], least: list[int], width: int) -> list[int]:
    """The widest column that can still give is cut first, until all fit."""
    widths = list(natural)
    while _total(widths) > width:
        givers = [index for index in range(len(widths)) if widths[index] > least[index]]
        widest = max(givers, key=lambda index: widths[index])
        others = [widths[index] for index in givers if widths[index] < widths[widest]]
        goal = max(max(others, default=0), least[widest], widths[widest] - (_total(widths) - width))
        widths[widest] = min(goal, widths[widest] - 1)
    return widths


def _title_line(headings: Sequence[Heading], widths: Sequence[int]) -> Line:
    cells = tuple(Cell(head.title, head.role, head.align) for head in headings[: len(widths)])
    return _row_line(cells, headings, widths)


def _row_line(row: Sequence[Cell], headings: Sequence[Heading], widths: Sequence[int]) -> Line:
    gap = Cell(safe(" " * GAP_CELLS))
    line: list[Cell] = []
    for cell, head, width in zip(row, headings, widths, strict=False):
        align = cell.align if cell.align != "left" else head.align
        text = padded(fit_middle(cell.text, width), width, align=align)
        line += [gap, Cell(text, cell.role, back=cell.back)]
    return tuple(line[1:])


def _missing_line(missing: Sequence[Heading], width: int | None) -> Line:
    noun = "column" if len(missing) == 1 else "columns"
    text = safe(f"… {len(missing)} more {noun}: " + ", ".join(head.title for head in missing))
    return (Cell(text if width is None else fit(text, width), "muted"),)


def section_lines(sections: Sequence[Section], width: int | None = None) -> tuple[Line, ...]:
    """Sections below each other, each with its title and a blank line between."""
    lines: list[Line] = []
    for section in sections:
        if lines:
            lines.append(())
        remark = f"  ({section.remark})" if section.remark else ""
        lines.append(line_of((section.title, "heading"), (remark, "muted")))
        lines += layout(section.table, width)
    return tuple(lines)
