"""Cells to strips: what every widget draws its lines with."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import zip_longest

from rich.segment import Segment
from textual.geometry import Region
from textual.strip import Strip

from mlbench.render.cells import ELLIPSIS, Cell, Line, line_cells, padded, take_cells, width_cells
from mlbench.safe import safe
from mlbench.tui.theme import Looks


def strip_of(line: Iterable[Cell], looks: Looks, width: int, *, ground: str = "") -> Strip:
    """A line of exactly `width` columns: cut, or filled with the ground."""
    segments: list[Segment] = []
    used = 0
    for cell in line:
        text = cell.text
        if used + width_cells(text) > width:
            text = take_cells(text, width - used)
        if text:
            segments.append(Segment(text, looks.cell_style(cell, ground)))
            used += width_cells(text)
        if used >= width:
            break
    fill = looks.style("", ground)
    if used < width:
        segments.append(Segment(" " * (width - used), fill))
    # One style is one sequence on the wire. Textual counts cells by its own table: where the two differ for a letter,
    # its count holds for the screen.
    return Strip(Segment.simplify(segments)).adjust_cell_length(width, fill)


def both_ends(left: Line, right: Line, width: int) -> Line:
    """One line with something at each end; the left end is cut where there is no room for both, and a blank between.

    What is cut ends in an ellipsis, unless only blanks are lost.
    """
    n_right = line_cells(right)
    room = max(width - n_right, 0)
    most = room - 1 if right else room
    if line_cells(left) > most > 0 and any(cell.text.strip() for cell in cropped(left, most, line_cells(left))):
        left = (*cropped(left, 0, most - 1), Cell(safe(ELLIPSIS), "muted"))
    kept: list[Cell] = []
    used = 0
    for cell in left:
        text = take_cells(cell.text, most - used)
        kept.append(Cell(text, cell.role, cell.align, cell.back))
        used += width_cells(text)
        if used >= most:
            break
    return (*kept, Cell(safe(" " * (room - used))), *right)


def cropped(line: Line, start: int, width: int) -> Line:
    """The columns from `start` on, at most `width`; a wide letter that is cut leaves a blank."""
    cells: list[Cell] = []
    place = 0
    for cell in line:
        n_cells = width_cells(cell.text)
        begin, end = max(start - place, 0), min(start + width - place, n_cells)
        if begin < end:
            head = take_cells(cell.text, begin)
            rest = cell.text[len(head) :]
            cells.append(Cell(padded(take_cells(rest, end - begin), end - begin), cell.role, cell.align, cell.back))
        place += n_cells
    return tuple(cells)


def changed_rows(old: Sequence[object], new: Sequence[object], width: int) -> list[Region] | None:
    """The regions of the rows that differ; None where so many do that the whole is sent as well."""
    n_rows = max(len(old), len(new))
    is_same = [a == b for a, b in zip_longest(old, new)]
    rows = [y for y, same in enumerate(is_same) if not same]
    return None if len(rows) * 4 > n_rows * 3 else [Region(0, y, width, 1) for y in rows]


def changed_spans(old: Sequence[Line], new: Sequence[Line], width: int) -> list[Region]:
    """The regions between the first and the last cell that differ, row by row: a crosshair that moves changes two
    columns, and Textual sends the whole of a row that it is given.
    """
    regions = []
    for y in range(max(len(old), len(new))):
        before = _cells_of(old[y] if y < len(old) else ())
        after = _cells_of(new[y] if y < len(new) else ())
        n_cells = max(len(before), len(after))
        before += [("", "", "")] * (n_cells - len(before))
        after += [("", "", "")] * (n_cells - len(after))
        places = [x for x in range(n_cells) if before[x] != after[x]]
        if places:
            regions.append(Region(places[0], y, min(places[-1] + 1, width) - places[0], 1))
    return regions


def _cells_of(line: Line) -> list[tuple[str, str, str]]:
    """Each column of the screen with its look: a wide letter is in both of its columns, a mark with its letter."""
    cells: list[tuple[str, str, str]] = []
    for cell in line:
        for char in cell.text:
            n_columns = width_cells(char)
            if n_columns:
                cells += [(char, cell.role, cell.back)] * n_columns
            elif cells:
                cells[-1] = (cells[-1][0] + char, *cells[-1][1:])
    return cells
