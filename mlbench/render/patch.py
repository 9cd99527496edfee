"""A unified diff as lines: what a run's code had beyond its commit."""

from __future__ import annotations

from collections.abc import Iterator

from mlbench.render.cells import Cell, Line, fit, line_of, width_cells
from mlbench.render.syntax import Language, coloured_code, language_of
from mlbench.safe import Safe, safe, safe_lines

MOST_LINES = 5000
"""Longer patches are cut, and say so."""
_NAMES = ("diff ", "+++ b/")
_SIGNS = {"+": ("good", "added"), "-": ("bad", "removed")}
_HEADS = (
    "diff ",
    "index ",
    "new file",
    "deleted file",
    "similarity",
    "rename ",
    "old mode",
    "new mode",
    "--- ",
    "+++ ",
)


def patch_lines(text: str, width: int) -> tuple[Line, ...]:
    """A patch in lines of at most `width` columns: added good, removed bad, files as headings, code in its colours."""
    lines: list[Line] = []
    source = safe_lines(text, limit=1 << 20).rstrip("\n").split("\n")
    language: Language | None = None
    for line in source[:MOST_LINES]:
        if line.startswith(_NAMES):
            language = language_of(line.removeprefix("+++ b/").rpartition(" b/")[2])
        lines += _line(line, width, language)
    if len(source) > MOST_LINES:
        lines.append(line_of((f"… {len(source) - MOST_LINES:,} more lines", "muted")))
    return tuple(lines)


def _line(line: str, width: int, language: Language | None) -> Iterator[Line]:
    shown = safe(line.expandtabs(4))
    if line.startswith("diff "):
        name = line.rpartition(" b/")[2] or line
        yield ()
        yield (Cell(fit(safe(name), width), "heading"),)
    elif line.startswith(_HEADS):
        return
    elif line.startswith("@@"):
        yield (Cell(fit(shown, width), "muted"),)
    else:
        role, back = _SIGNS.get(line[:1], ("", ""))
        text = fit(shown, width)
        code = coloured_code(text[1:], language, role=role, back=back)
        yield (Cell(text[:1], role, back=back), *code, *_filling(text, width, back))


def _filling(text: Safe, width: int, back: str) -> Line:
    """The ground of an added or removed line goes to the end of the page."""
    room = width - width_cells(text)
    return (Cell(safe(" " * room), back=back),) if back and room > 0 else ()


def patch_counts(text: str) -> tuple[int, int, int]:
    """Files, added lines and removed lines of a patch."""
    lines = text.split("\n")
    n_files = sum(line.startswith("diff ") for line in lines) or sum(line.startswith("+++ ") for line in lines)
    added = sum(line.startswith("+") and not line.startswith("+++ ") for line in lines)
    removed = sum(line.startswith("-") and not line.startswith("--- ") for line in lines)
    return n_files, added, removed
