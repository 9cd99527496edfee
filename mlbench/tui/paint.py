"""Cells to strips: what every widget draws its lines with."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich.segment import Segment
from textual.strip import Strip

from mlbench.render.cells import Cell, Line, line_cells, padded, take_cells, width_cells
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
    # Textual counts cells by its own table: where the two differ for a letter, its count holds for the screen.
    return Strip(segments).adjust_cell_length(width, fill)


def both_ends(left: Line, right: Line, width: int) -> Line:
    """One line with something at each end; the left end is cut where there is no room for both, and a blank between."""
    n_right = line_cells(right)
    room = max(width - n_right, 0)
    most = room - 1 if right else room
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


def joined(parts: Sequence[Line], gap: str) -> Line:
    """Lines side by side with a muted gap between."""
    line: Line = ()
    for part in parts:
        line = (*line, Cell(safe(gap), "muted"), *part) if line else part
    return line
