"""Cells: text with a role and a width in terminal cells. What every table, chart and pane is made of."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from functools import lru_cache
from typing import TypeAlias

from mlbench.dataclass import dataclass
from mlbench.safe import Safe, safe, safe_lines

ELLIPSIS = "…"
EMPTY = safe("")
SPACE = safe(" ")
NEWLINE = safe_lines("\n")

RUN_SLOTS = 8
"""Runs have one of eight colours; the ninth run has the first colour and another line pattern."""
ROLES = (
    "", "good", "bad", "muted", "changed", "title", "heading", "baseline", "warning", "key", "axis",
    "keyword", "string", "number", "added", "removed",
    *(f"{kind}{slot}" for kind in ("run", "faint", "band") for slot in range(RUN_SLOTS)),
)  # fmt: skip
"""All roles. `runN` is the colour of slot N, `faintN` its raw curve below a smoothed one, `bandN` its interval.
Of code: `keyword`, `string` and `number`; `added` and `removed` are grounds of whole lines."""


@dataclass(frozen=True, slots=True)
class Cell:
    """A piece of text on one line, and what it means."""

    text: Safe
    role: str = ""
    """One of `ROLES`; never a colour, but `#rrggbb` in pictures, where the colour is what is shown."""
    align: str = "left"
    """`left`, `right` or `number` (right, with the decimal points of the column under each other)."""
    back: str = ""
    """Role of the background: `bandN` where the interval of a group lies below a line, `#rrggbb` in pictures."""


Line: TypeAlias = tuple[Cell, ...]
"""One line: pieces side by side with nothing between them."""


def plain(lines: Iterable[Line]) -> Safe:
    """The lines as text without colour, blanks at their ends cut, each ended by a newline but the last."""
    return NEWLINE.join(EMPTY.join(cell.text for cell in line).rstrip() for line in lines)


@lru_cache(maxsize=4096)
def _char_cells(char: str) -> int:
    if unicodedata.category(char) in ("Mn", "Me", "Cf") or 0x1160 <= ord(char) <= 0x11FF:
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1


def width_cells(text: str) -> int:
    """Columns of a terminal that the text takes: two for wide East Asian letters, none for combining marks."""
    return len(text) if text.isascii() else sum(map(_char_cells, text))


def take_cells(text: Safe, width: int) -> Safe:
    """The beginning of the text that fits into `width` columns."""
    if text.isascii():
        return text[: max(width, 0)]
    used = 0
    for index, char in enumerate(text):
        used += _char_cells(char)
        if used > width:
            return text[:index]
    return text


def take_last_cells(text: Safe, width: int) -> Safe:
    """The end of the text that fits into `width` columns; a mark stays with its letter."""
    used = 0
    start = len(text)
    for index in range(len(text) - 1, -1, -1):
        cells = _char_cells(text[index])
        used += cells
        if used > width:
            break
        start = index if cells else start
    return text[start:]


def fit(text: Safe, width: int) -> Safe:
    """The text in at most `width` columns, cut at its end with an ellipsis."""
    if width_cells(text) <= width:
        return text
    return take_cells(text, width - 1) + safe(ELLIPSIS) if width > 0 else EMPTY


def fit_middle(text: Safe, width: int) -> Safe:
    """The text in at most `width` columns, cut in its middle: the ends of names and paths tell them apart."""
    if width_cells(text) <= width:
        return text
    if width < 3:
        return fit(text, width)
    return _cut(text, width, (width - 1) // 2)


def _cut(text: Safe, width: int, n_tail: int) -> Safe:
    if width_cells(text) <= width:
        return text
    return take_cells(text, width - 1 - n_tail) + safe(ELLIPSIS) + take_last_cells(text, n_tail)


def padded(text: Safe, width: int, *, align: str = "left") -> Safe:
    """The text filled with blanks to `width` columns; one that is wider stays as it is."""
    blanks = SPACE * max(width - width_cells(text), 0)
    return text + safe(blanks) if align == "left" else safe(blanks) + text


def line_cells(line: Line) -> int:
    """Columns that a line takes."""
    return sum(width_cells(cell.text) for cell in line)


def line_of(*parts: tuple[str, str]) -> Line:
    """A line of (text, role) pairs."""
    return tuple(Cell(safe(text), role) for text, role in parts)
