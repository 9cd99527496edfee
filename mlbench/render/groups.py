"""Runs in groups: an answer as cells, and as records for other programs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlbench.render.cells import Cell
from mlbench.render.numbers import number
from mlbench.render.records import Records, unique_keys
from mlbench.render.runs import best_of, value_cell
from mlbench.render.table import Heading, Table, heading
from mlbench.safe import Safe, safe

if TYPE_CHECKING:
    from mlbench.queries.answers import Column, GroupCell, GroupRow, Value
    from mlbench.queries.grouping import GroupsAnswer


def groups_table(answer: GroupsAnswer) -> Table:
    """One row for each group: what it is grouped by, how many runs, and the means with their 95 % intervals."""
    best = [
        best_of(column.goal, [row.cells[index].value for row in answer.rows])
        for index, column in enumerate(answer.columns)
    ]
    rows = tuple(
        (
            *(value_cell(column, key) for column, key in zip(answer.by, row.keys, strict=True)),
            _count_cell(row),
            *(
                _cell(column, cell, len(row.run_ids), is_best=top is not None and cell.value == top)
                for column, cell, top in zip(answer.columns, row.cells, best, strict=True)
            ),
        )
        for row in answer.rows
    )
    by = [heading(column.title, align=_align(rows, index)) for index, column in enumerate(answer.by)]
    return Table((*by, heading("runs", align="number"), *map(_heading, answer.columns)), rows)


def _count_cell(row: GroupRow) -> Cell:
    """`3`, or `3 (1 died)`: a mean over survivors alone flatters."""
    n_died = len(row.run_ids) - row.n_ended_well
    text = f"{len(row.run_ids)} ({n_died} died)" if n_died else str(len(row.run_ids))
    return Cell(safe(text), "warning" if n_died else "", "number")


def _align(rows: tuple[tuple[Cell, ...], ...], index: int) -> str:
    return "number" if any(row[index].align == "number" for row in rows) else "left"


def _heading(column: Column) -> Heading:
    goal = {"min": " ↓", "max": " ↑"}.get(column.goal, "") if column.kind == "metric" else ""
    return heading(column.title + goal)


def _cell(column: Column, cell: GroupCell, n_runs: int, *, is_best: bool) -> Cell:
    if not cell.is_number:
        several = f"{cell.n_values} values" if cell.n_values > 1 else f"{cell.n} of {n_runs}" if cell.n else "-"
        return Cell(safe(several), "muted") if cell.value is None else value_cell(column, cell.value)
    text = number(float(cell.value)) if isinstance(cell.value, int | float) else ""
    if cell.half is not None:
        text += f" ± {number(cell.half, digits=2)}"
    if cell.n < n_runs:
        text += f" ({cell.n} of {n_runs})"
    return Cell(safe(text), "good" if is_best else "")


def groups_records(answer: GroupsAnswer) -> Records:
    """Exact values: what it is grouped by, `runs`, and for each column its mean (or what all runs share), of numbers
    also half of the 95 % interval and how many runs have one; at last how many `died`, where any did.
    """
    is_number = [any(row.cells[index].is_number for row in answer.rows) for index in range(len(answer.columns))]
    has_died = any(row.n_ended_well < len(row.run_ids) for row in answer.rows)
    keys = [*(column.key for column in answer.by), "runs"]
    for column, has_mean in zip(answer.columns, is_number, strict=True):
        keys += [column.key, f"{column.key} ±", f"{column.key} n"] if has_mean else [column.key]
    keys += ["died"] if has_died else []
    rows = []
    for row in answer.rows:
        values: list[Value] = [*row.keys, len(row.run_ids)]
        for cell, has_mean in zip(row.cells, is_number, strict=True):
            values += [cell.value, cell.half, cell.n] if has_mean else [cell.value]
        values += [len(row.run_ids) - row.n_ended_well] if has_died else []
        rows.append(tuple(values))
    return Records(unique_keys(keys), tuple(rows))


def groups_summary(answer: GroupsAnswer) -> Safe:
    """How many groups and runs: talk for stderr."""
    groups = f"{answer.n_groups} group{'' if answer.n_groups == 1 else 's'}"
    shown = f", {len(answer.rows)} shown" if len(answer.rows) < answer.n_groups else ""
    return safe(f"{groups} of {answer.n_matched} run{'' if answer.n_matched == 1 else 's'}{shown}")
