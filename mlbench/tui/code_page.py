"""The code of the compared runs as a page: which commits lie between, and all that changed. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from mlbench.queries.answers import DiffAnswer
from mlbench.queries.code import CodeChange
from mlbench.render.cells import Cell, Line, fit, line_of
from mlbench.render.code import files_text
from mlbench.render.labels import label_map
from mlbench.render.notebooks import notebook_lines
from mlbench.render.patch import patch_lines
from mlbench.safe import Safe, safe
from mlbench.tui.run_page import wrapped_text
from mlbench.tui.widgets.lines_view import Page

NOTHING = "the code does not differ, as far as commits and notebooks were recorded"


def code_page(answer: DiffAnswer, width: int, *, title: str, back_key: str = "c") -> Page:
    """The diff of each run's code against the baseline's; of runs with the same one it stands once.

    Args:
        answer: the comparison, with `code_changes` and `notebooks`.
        width: columns of the pane.
        title: of the pane.
        back_key: that brings the tables back, as people read it.
    """
    labels = label_map(answer.runs)
    lines: list[Line] = []
    starts: list[int] = []
    shown: dict[tuple[str, str, str], Safe] = {}
    for change in answer.code_changes:
        label, key = labels[change.run_id], (change.before, change.after, change.patches[1])
        if change.verdict == "same":
            continue
        starts.append(len(lines))
        if key in shown:
            lines += [line_of((f"  code of {label}: as that of {shown[key]}", "muted")), ()]
        else:
            shown[key] = label
            lines += [*_of_change(change, label, width), ()]
    for book in answer.notebooks:
        if book.changes and not book.name:
            starts.append(len(lines))
            lines += [*(_cut(line, width) for line in notebook_lines(book, labels[book.run_id])), ()]
    return Page(
        title=line_of((f" {title}: code", "title"), (f"   {back_key} goes back", "muted")),
        lines=tuple(lines or wrapped_text(NOTHING, width, "muted")),
        sections=tuple(starts),
    )


def _of_change(change: CodeChange, label: Safe, width: int) -> Iterator[Line]:
    span = change.after[:10] if change.before == change.after else f"{change.before[:10]}..{change.after[:10]}"
    yield _cut(line_of((f"  code of {label}: {span}", "heading"), (f"  {files_text(change)}", "muted")), width)
    for subject in change.ahead:
        yield _cut(line_of((f"  * {subject}", "muted")), width)
    yield from patch_lines(change.diff, width - 1) if change.diff else ()
    for whose, patch in zip((safe("the baseline"), label), change.patches, strict=True):
        if patch:
            yield ()
            yield _cut(line_of((f"  not committed in {whose}", "heading")), width)
            yield from patch_lines(patch, width - 1)


def _cut(line: Line, width: int) -> Line:
    """The cells that have room."""
    cells: list[Cell] = []
    room = width - 1
    for cell in line:
        text = fit(cell.text, max(room, 0))
        cells.append(replace(cell, text=text))
        room -= len(text)
    return tuple(cells)
