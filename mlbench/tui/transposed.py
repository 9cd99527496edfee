"""The comparison turned: a run on each line, what differs as columns. For many runs with few differences."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from mlbench.queries.answers import DiffAnswer
from mlbench.render.apart import fit_apart
from mlbench.render.cells import Cell, Line, fit_middle, line_of, padded, width_cells
from mlbench.render.diff import diff_sections
from mlbench.render.diff_metrics import METRICS
from mlbench.render.labels import BASELINE_MARK, short_labels
from mlbench.safe import Safe, safe
from mlbench.tui.actions import usual_key
from mlbench.tui.compare_page import only_deltas, words_fitting
from mlbench.tui.widgets.lines_view import Page

MOST_CELLS = 24
"""Of a column: longer texts are cut in their middle."""
MOST_NAME_CELLS = 32


def transposed_page(
    answer: DiffAnswer, width: int, offset: int, *, as_deltas: bool, slots: Mapping[str, int], title: str,
    key_of: Callable[[str], str] = usual_key,
) -> Page:  # fmt: skip
    """The runs below each other, the baseline first; its line is the one that all others are compared with.

    Args:
        answer: the comparison.
        width: columns of the pane.
        offset: columns of the table that are moved out at the left; the names of the runs stay.
        as_deltas: parameters and metrics relative to the baseline.
        slots: colour slots by run id.
        title: of the pane.
        key_of: id of an action to the key that is shown for it.
    """
    n_runs = len(answer.runs)
    columns, starts = _columns(answer, n_runs, as_deltas=as_deltas)
    names = fit_apart(short_labels(answer.runs), min(MOST_NAME_CELLS, max(width // 3, 12)))
    name_cells = max(map(width_cells, names)) + 4
    shown, widths = _fitting(columns, width - name_cells - 2, offset)
    head: Line = (Cell(safe(" " * (name_cells + 2))),)
    for (heading, _cells), cells in zip(shown, widths, strict=True):
        head = (*head, Cell(padded(fit_middle(heading, cells), cells, align="right"), "title"), Cell(safe("  ")))
    lines = [_line(answer, place, names[place], name_cells, shown, widths, slots) for place in range(n_runs)]
    hidden = len(columns) - len(shown)
    keys = f"{key_of('lists.left')} {key_of('lists.right')}"
    turn = key_of("compare.transpose")
    right = line_of((f"{len(shown)} of {len(columns)} columns  {keys} ", "muted")) if hidden else ()
    return Page(
        title=line_of((f" {title}", "title"), (f"   {n_runs} runs, turned: {turn} turns back", "muted")),
        right=right,
        head=(head,),
        lines=tuple(lines),
        keys=tuple(f"run:{run.run_id}" for run in answer.runs),
        sections=(0,),
        section_columns=tuple(starts),
        n_columns=len(columns) if hidden else 0,
    )


def _columns(
    answer: DiffAnswer, n_runs: int, *, as_deltas: bool
) -> tuple[list[tuple[Safe, tuple[Cell, ...]]], list[int]]:  # fmt: skip
    """Heading and cells of everything that has one line, and at which of them each section begins.

    Of a metric it is the first line, which is its best value.
    """
    found: list[tuple[Safe, tuple[Cell, ...]]] = []
    starts = []
    for given in diff_sections(answer, as_deltas=as_deltas):
        section = only_deltas(given, answer) if as_deltas and given.key == METRICS else given
        rows = [row for row in section.table.rows if row[0].text and not row[0].text.startswith(" ")]
        starts += [len(found)] if rows else []
        for row in rows:
            cells = row[len(row) - n_runs :]
            found.append((row[0].text, tuple(map(_uncut, cells) if section.key == METRICS else cells)))
    return found, starts


def _uncut(cell: Cell) -> Cell:
    """A metric's value with as much of its difference as a column has room for: no number is cut."""
    value, _blank, rest = cell.text.partition(" ")
    behind = words_fitting(rest, MOST_CELLS - len(value) - 1)
    return replace(cell, text=safe(f"{value} {behind}".rstrip()))


def _fitting(
    columns: Sequence[tuple[Safe, tuple[Cell, ...]]], room: int, offset: int
) -> tuple[list[tuple[Safe, tuple[Cell, ...]]], list[int]]:
    shown: list[tuple[Safe, tuple[Cell, ...]]] = []
    widths: list[int] = []
    for heading, cells in columns[min(offset, max(len(columns) - 1, 0)) :]:
        widest = max(width_cells(heading), *(width_cells(cell.text) for cell in cells))
        wanted = min(widest, MOST_CELLS)
        if shown and sum(widths) + 2 * len(widths) + wanted > room:
            break
        shown.append((heading, cells))
        widths.append(max(min(wanted, room), 4))
    return shown, widths


def _line(
    answer: DiffAnswer, place: int, name: Safe, name_cells: int,
    shown: Sequence[tuple[Safe, tuple[Cell, ...]]], widths: Sequence[int], slots: Mapping[str, int],
) -> Line:  # fmt: skip
    slot = slots.get(answer.runs[place].run_id)
    mark = f"{BASELINE_MARK} " if place == 0 else "● "
    role = f"run{slot % 8}" if slot is not None else "baseline"
    cells = [Cell(safe("  ")), Cell(padded(safe(mark) + name, name_cells), role)]
    for (_heading, column), width in zip(shown, widths, strict=True):
        cell = column[place]
        cells += [Cell(padded(fit_middle(cell.text, width), width, align="right"), cell.role), Cell(safe("  "))]
    return tuple(cells)
