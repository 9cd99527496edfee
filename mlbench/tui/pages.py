"""Answers as pages of lines: problems and help. Pure; no widget."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from mlbench.render.cells import Cell, Line, fit_middle, line_of, padded, width_cells
from mlbench.render.problems import problem_table
from mlbench.safe import Safe, safe
from mlbench.tui.widgets.lines_view import Page

if TYPE_CHECKING:
    from mlbench.queries.answers import ProblemLine

# ---------------------------------------------------------------- problems


def problems_page(problems: Sequence[ProblemLine], width: int, *, text: str = "") -> Page:
    """Each problem on its own lines: where, what, what to do.

    Args:
        problems: of all runs.
        width: columns.
        text: only those that have it in one of their texts are listed.

    Returns:
        A problem has the key `problem:place`, its place among all.
    """
    rows = [row for row in enumerate(problem_table(problems).rows) if _has_text(row[1], text)]
    noun = "problem" if len(problems) == 1 else "problems"
    count = f"{len(rows)} of {len(problems)} {noun}" if text else f"{len(problems)} {noun}" if problems else ""
    title = line_of((" problems", "title"), (f"   {count}", "muted"))
    if not rows:
        said = ("  no problem has this text", "muted") if problems else ("  everything could be read", "good")
        return Page(title=title, lines=((), line_of(said)))
    lines: list[Line] = []
    keys: list[str] = []
    for index, row in rows:
        where, place, what, hint = (cell.text for cell in row)
        path = fit_middle(where, max(width - width_cells(place) - 5, 8))
        lines.append((Cell(safe("  ")), Cell(path, "key"), Cell(safe(f"  {place}"), "muted")))
        keys.append(f"problem:{index}")
        lines += _wrapped(what, width, "warning") + (_wrapped(hint, width, "") if hint else [])
        keys += [""] * (len(lines) - len(keys))
    return Page(title=title, lines=tuple(lines), keys=tuple(keys))


def _has_text(row: Sequence[Cell], text: str) -> bool:
    return any(text.casefold() in cell.text.casefold() for cell in row)


def _wrapped(text: Safe, width: int, role: str) -> list[Line]:
    return [line_of((f"    {part}", role)) for part in textwrap.wrap(text, max(width - 6, 8)) or [""]]


# ---------------------------------------------------------------- help


def help_page(title: str, working: Sequence[tuple[Sequence[str], str, str]], width: int) -> Page:
    """Keys and what they do, in two columns where there is room.

    Args:
        title: of the pane that the help is about.
        working: group, keys as people read them, and help of each action, in order.
        width: columns.
    """
    groups: dict[str, list[tuple[str, str]]] = {}
    for keys, text, group in working:
        # What has no key is done by its name; without anything at the left it would look like a title.
        groups.setdefault(group, []).append((" ".join(keys) or ":", text))
    columns = _balanced(groups, 2 if width >= 110 else 1)
    room = (width - 4) // len(columns)
    blocks = [_help_lines(column, room - 2) for column in columns]
    n_lines = max(map(len, blocks))
    lines = []
    for row in range(n_lines):
        line: Line = (Cell(safe("  ")),)
        for block in blocks:
            line = (*line, *(block[row] if row < len(block) else (Cell(safe(" " * room)),)))
        lines.append(line)
    return Page(title=line_of((f" {title}", "title")), right=line_of(("esc closes ", "muted")), lines=tuple(lines))


def _balanced(groups: Mapping[str, Sequence[tuple[str, str]]], n_columns: int) -> list[list[tuple[str, str]]]:
    """The groups in columns of about the same height; a title is a pair with an empty key."""
    blocks = [[("", name), *rows, ("", "")] for name, rows in groups.items()]
    total = sum(map(len, blocks))
    columns: list[list[tuple[str, str]]] = [[]]
    for block in blocks:
        if len(columns) < n_columns and columns[-1] and len(columns[-1]) + len(block) / 2 > total / n_columns:
            columns.append([])
        columns[-1] += block
    return columns


def _help_lines(rows: Sequence[tuple[str, str]], width: int) -> list[Line]:
    key_cells = max((width_cells(keys) for keys, _text in rows), default=0)
    lines: list[Line] = []
    for keys, text in rows:
        if not keys and text:
            lines.append(_fill(line_of((text, "heading")), width + 2))
            continue
        parts = textwrap.wrap(text, max(width - key_cells - 2, 12)) or [""]
        for index, part in enumerate(parts):
            shown = padded(safe(keys if index == 0 else ""), key_cells)
            lines.append(_fill((Cell(shown, "key"), Cell(safe(f"  {part}"))), width + 2))
    return lines


def _fill(line: Line, width: int) -> Line:
    used = sum(width_cells(cell.text) for cell in line)
    return (*line, Cell(safe(" " * max(width - used, 0))))
