"""Legends: labels at the ends of the curves where there is room for them, else a list below."""

from __future__ import annotations

from collections.abc import Sequence

from mlbench.dataclass import dataclass
from mlbench.render.apart import fit_apart, fit_each
from mlbench.render.cells import Cell, Line, fit, fit_middle, line_cells, line_of, padded, width_cells
from mlbench.render.chart_frame import Frame, filled, label_cells, row_at
from mlbench.render.labels import BASELINE_MARK
from mlbench.render.numbers import number
from mlbench.safe import Safe, safe

KEYS = {"solid": "──", "dashed": "╌╌", "dotted": "┈┈"}
ASCII_KEYS = {"solid": "--", "dashed": "- ", "dotted": ".."}
ASCII_BASELINE = "*"
MOST_SIDE_CELLS = 38
WIDE, MOST_WIDE_CELLS = 140, 46
"""On wide charts names of settings have room."""
LEAST_SIDE_CELLS = 14
LEAST_WIDTH_FOR_SIDE = 72
"""On narrower charts a legend at the side would leave too little of the picture."""


LEAST_PICTURE_ROWS = 6
"""Of a low chart the picture keeps so many: the legend below it counts what has no room."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A curve in the legend."""

    label: Safe
    role: str
    pattern: str
    last: float | None
    """The last value, NaN where the curve ended so; None without points."""
    height: float | None
    """The last value that could be drawn, beside which the label stands."""
    is_baseline: bool = False


def legend_cells(entries: Sequence[Entry], legend: str, width: int) -> int:
    """Columns that a legend at the side takes, with the blank before it; 0 where there is none."""
    if not entries or legend in ("none", "below") or (legend == "auto" and width < LEAST_WIDTH_FOR_SIDE):
        return 0
    names = label_cells([entry.label for entry in entries])
    values = label_cells([_value(entry) for entry in entries])
    room = min(MOST_SIDE_CELLS, width * 2 // 5) if width < WIDE else MOST_WIDE_CELLS
    return min(1 + 2 + 1 + names + 2 + values, room) if room >= LEAST_SIDE_CELLS else 0


def _value(entry: Entry) -> Safe:
    return safe(number(entry.last))


def _key(entry: Entry, glyphs: str) -> str:
    key = (ASCII_KEYS if glyphs == "ascii" else KEYS)[entry.pattern]
    return (ASCII_BASELINE if glyphs == "ascii" else BASELINE_MARK) + key[1:] if entry.is_baseline else key


def legend_right(
    lines: Sequence[Line], entries: Sequence[Entry], frame: Frame, side: int, glyphs: str
) -> tuple[Line, ...]:
    """The picture with a label beside the end of each curve; labels that would collide are pushed apart."""
    n_rows = frame.height
    shown = list(entries)
    missing = 0
    if len(shown) > n_rows:
        missing = len(shown) - n_rows + 1
        shown = shown[: n_rows - 1]
    values = label_cells([_value(entry) for entry in shown])
    rows = _rows([_wanted_row(entry, frame) for entry in shown], n_rows - (1 if missing else 0))
    names = max(side - values - 6, 1)
    labels = [padded(label, names) for label in fit_apart(tuple(entry.label for entry in shown), names)]
    texts = {
        row: _side_line(entry, label, side, values, glyphs)
        for row, entry, label in zip(rows, shown, labels, strict=True)
    }
    if missing:
        texts[n_rows - 1] = line_of((f"   +{missing} more", "muted"))
    width = frame.left + frame.width
    return tuple((*filled(line, width), *texts[row]) if row in texts else line for row, line in enumerate(lines))


def _wanted_row(entry: Entry, frame: Frame) -> int:
    row = None if entry.height is None else row_at(frame, entry.height)
    return frame.height - 1 if row is None else row


def _rows(wanted: Sequence[int], n_rows: int) -> list[int]:
    """A row of its own for each entry, in order, as near as it goes to the wanted one."""
    rows: list[int] = []
    for row in wanted:
        rows.append(max(row, rows[-1] + 1 if rows else 0))
    last = n_rows - 1
    for index in range(len(rows) - 1, -1, -1):
        rows[index] = min(rows[index], last)
        last = rows[index] - 1
    return rows


def _side_line(entry: Entry, label: Safe, side: int, values: int, glyphs: str) -> Line:
    text = safe(f" {_key(entry, glyphs)} ") + label + safe("  ") + padded(_value(entry), values, align="right")
    return (Cell(fit(text, side), entry.role),)


def most_lines_below(height: int) -> int:
    """Lines that a legend below a chart of so many lines, with header and axis, may take."""
    return max(min(height // 3, height - 3 - LEAST_PICTURE_ROWS), 1)


def legend_below(entries: Sequence[Entry], width: int, n_lines: int, glyphs: str) -> tuple[Line, ...]:
    """The entries one after the other on at most `n_lines` (>= 1) lines; those without room are counted."""
    lines: list[Line] = []
    line: Line = ()
    labels = fit_each([entry.label for entry in entries], [max(width // 2 - 3, 8)] * len(entries))
    for index, (entry, label) in enumerate(zip(entries, labels, strict=True)):
        n_left = len(entries) - index
        is_last_line = len(lines) == n_lines - 1
        more = f"   +{n_left} more"
        # The last line keeps room for "+12 more" until the last entry.
        room = max(width - (len(more) if is_last_line and n_left > 1 else 0), 1)
        cell = _below_cell(entry, label, room, glyphs)
        if line and line_cells(line) + 3 + width_cells(cell.text) > room:
            if is_last_line:
                return (*lines, (*line, Cell(fit(safe(more), width - line_cells(line)), "muted")))
            lines.append(line)
            line = ()
        line = (*line, Cell(safe("   ")), cell) if line else (cell,)
    return (*lines, line) if line else ()


def _below_cell(entry: Entry, label: Safe, width: int, glyphs: str) -> Cell:
    text = safe(f"{_key(entry, glyphs)} ") + label + safe(f" {_value(entry)}")
    return Cell(fit_middle(text, width), entry.role)
