"""A unified diff as lines: what a run's code had beyond its commit."""

from __future__ import annotations

from collections.abc import Iterator

from mlbench.render.cells import Cell, Line, fit, line_of
from mlbench.safe import safe, safe_lines

MOST_LINES = 5000
"""Longer patches are cut, and say so."""
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
    """A patch in lines of at most `width` columns: added good, removed bad, files as headings."""
    lines: list[Line] = []
    source = safe_lines(text, limit=1 << 20).rstrip("\n").split("\n")
    for line in source[:MOST_LINES]:
        lines += _line(line, width)
    if len(source) > MOST_LINES:
        lines.append(line_of((f"… {len(source) - MOST_LINES:,} more lines", "muted")))
    return tuple(lines)


def _line(line: str, width: int) -> Iterator[Line]:
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
        yield (Cell(fit(shown, width), {"+": "good", "-": "bad"}.get(line[:1], "")),)


def patch_counts(text: str) -> tuple[int, int, int]:
    """Files, added lines and removed lines of a patch."""
    lines = text.split("\n")
    n_files = sum(line.startswith("diff ") for line in lines) or sum(line.startswith("+++ ") for line in lines)
    added = sum(line.startswith("+") and not line.startswith("+++ ") for line in lines)
    removed = sum(line.startswith("-") and not line.startswith("--- ") for line in lines)
    return n_files, added, removed
