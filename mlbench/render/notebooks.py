"""The cells of notebooks that differ: rows beside the other facts of a comparison, and whole as coloured lines."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import zip_longest
from typing import TYPE_CHECKING

from mlbench.render.cells import Cell, Line, line_of
from mlbench.render.code import coloured
from mlbench.render.labels import label_map
from mlbench.safe import Safe, safe

if TYPE_CHECKING:
    from mlbench.queries.answers import DiffAnswer, Value
    from mlbench.queries.notebooks import NotebookChange
    from mlbench.wire.notebookdiff import CellChange

MOST_LINES = 3
"""Of a cell that are shown side by side; `--code` prints all."""
MOST_CELLS = 40
MOST_TOLD = 8
"""Cells that a sentence names."""
_ROLES = {"added": "good", "removed": "bad", "changed": "changed", "moved": "muted"}


def cell_rows(answer: DiffAnswer) -> list[tuple[Cell, ...]]:
    """For each cell that differs how it does, and its first lines that do: left the baseline's, right the run's.

    Runs in which the same cell became the same share a row.
    """
    found: dict[tuple[str, CellChange], set[str]] = {}
    for book in answer.notebooks:
        for change in book.changes:
            found.setdefault((book.name, change), set()).add(book.run_id)
    rows = _said_rows(answer)
    for (name, change), run_ids in list(found.items())[:MOST_CELLS]:
        rows += _rows_of(answer, name, change, run_ids)
    if len(found) > MOST_CELLS:
        rows.append(_row(answer, f"  and {len(found) - MOST_CELLS:,} more cells", "", "", set(), ""))
    return rows


def _said_rows(answer: DiffAnswer) -> list[tuple[Cell, ...]]:
    found: dict[str, set[str]] = {}
    for book in answer.notebooks:
        if book.said:
            found.setdefault(book.said, set()).add(book.run_id)
    return [_row(answer, "cells", "", said, run_ids, "warning") for said, run_ids in found.items()]


def _row(answer: DiffAnswer, key: str, base: str, text: str, run_ids: set[str], role: str) -> tuple[Cell, ...]:
    nothing = Cell(safe("-"), "muted")
    cells = [Cell(safe(text), role) if run.run_id in run_ids else nothing for run in answer.runs[1:]]
    return (Cell(safe(key), "muted" if key.startswith("  ") else "key"), Cell(safe(base)), *cells)


def _title(name: str, change: CellChange) -> str:
    return f"{name} {change.cell} cell {change.number}".lstrip()


def _rows_of(answer: DiffAnswer, name: str, change: CellChange, run_ids: set[str]) -> Iterator[tuple[Cell, ...]]:
    lines = change.lines()
    gone, come = ([line[1:] for line in lines if line.startswith(sign)] for sign in "-+")
    counts = f": +{len(come)} -{len(gone)}" if change.kind == "changed" else ""
    was = "" if change.old_number is None else f"cell {change.old_number}"
    yield _row(answer, _title(name, change), was, _fate(change) + counts, run_ids, _ROLES[change.kind])
    for old, new in list(zip_longest(gone, come, fillvalue=""))[:MOST_LINES]:
        yield _row(answer, "  ", old, new or "-", run_ids, "good" if new else "muted")
    if (n_more := max(len(gone), len(come)) - MOST_LINES) > 0:
        yield _row(answer, "  ", "", f"and {n_more:,} more {'line' if n_more == 1 else 'lines'}", run_ids, "muted")


def notebook_lines(book: NotebookChange, label: Safe) -> tuple[Line, ...]:
    """All cells that differ, as the hunks of a unified diff."""
    head = line_of((f"notebook of {label}: {book.before} .. {book.after}", "heading"))
    from mlbench.wire.notebookdiff import change_lines

    return (head, *coloured("\n".join(change_lines(book.changes))))


def notebook_change_lines(answer: DiffAnswer) -> list[str]:
    """A sentence for each run whose notebook differs: `b: code cell 2 changed: -lr = 0.1 +lr = 0.2; ...`."""
    labels = label_map(answer.runs)
    lines = []
    for book in answer.notebooks:
        parts = [_brief(book.name, change) for change in book.changes[:MOST_TOLD]]
        more = f" and {len(book.changes) - MOST_TOLD:,} more" if len(book.changes) > MOST_TOLD else ""
        if parts or book.said:
            lines.append(f"{labels[book.run_id]}: {book.said or '; '.join(parts) + more}")
    return lines


def _brief(name: str, change: CellChange) -> str:
    moved = [line for line in change.lines() if line[:1] in "+-"]
    told = f": {'  '.join(moved)}" if 0 < len(moved) <= MOST_LINES else ""
    return f"{_title(name, change)} {_fate(change)}{told}"


def cell_records(answer: DiffAnswer) -> list[tuple[Value, ...]]:
    """Flat rows of the section `cell`: what happened to which cell, its source before and after.

    `cell_unknown` says why cells could not be compared.
    """
    rows: list[tuple[Value, ...]] = []
    for book in answer.notebooks:
        if book.said:
            rows.append(("cell_unknown", book.after, None, *_of_run(answer, book.run_id, book.said)))
        for change in book.changes:
            key = f"{_title(book.name, change)} {_fate(change)}"
            old = None if change.old_number is None else change.old
            new = None if change.new_number is None else change.new
            rows.append(("cell", key, old, *_of_run(answer, book.run_id, new)))
    return rows


def _of_run(answer: DiffAnswer, run_id: str, value: Value) -> Sequence[Value]:
    return [value if run.run_id == run_id else None for run in answer.runs[1:]]


def _fate(change: CellChange) -> str:
    """What became of a cell; what compares cells is loaded where there are any."""
    from mlbench.wire.notebookdiff import fate

    return fate(change)
