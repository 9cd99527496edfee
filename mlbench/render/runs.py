"""The table of runs: an answer as cells, and as records for other programs."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from mlbench.render.cells import Cell
from mlbench.render.labels import run_labels, with_mark
from mlbench.render.numbers import age, duration, number, value_text
from mlbench.render.records import Records, unique_keys
from mlbench.render.table import Heading, Table, heading
from mlbench.safe import Safe, safe

if TYPE_CHECKING:
    from mlbench.queries.answers import Column, RunHead, RunsAnswer, Value

PARAM_DIGITS = 6
"""Parameters are settings: more of their digits matter than of a measurement's."""
STATUS_ROLES = {"failed": "bad", "killed": "bad", "stalled": "warning", "running": "good", "no metrics": "muted"}


def runs_table(answer: RunsAnswer, numbers: Mapping[str, int] | None = None) -> Table:
    """One row for each run; of every metric with a goal, the best value has the role `good`.

    Args:
        answer: the runs.
        numbers: by run id, for a first column that names each run `#12`; None for no such column.
    """
    labels = run_labels([row.head for row in answer.rows])
    columns = [
        _column_cells(column, [row.values[index] for row in answer.rows]) for index, column in enumerate(answer.columns)
    ]
    rows = [
        (
            Cell(with_mark(label, row.head), "baseline" if row.head.is_baseline else "key"),
            *(cells[i] for cells in columns),
        )
        for i, (row, label) in enumerate(zip(answer.rows, labels, strict=True))
    ]
    headings = [heading("run"), *(_heading(c, cells) for c, cells in zip(answer.columns, columns, strict=True))]
    if numbers is None:
        return Table(tuple(headings), tuple(rows))
    numbered = [(_number_cell(numbers.get(run.head.run_id)), *row) for run, row in zip(answer.rows, rows, strict=True)]
    return Table((heading("#", align="right"), *headings), tuple(numbered))


def _number_cell(number_: int | None) -> Cell:
    return Cell(safe("" if number_ is None else f"{number_}"), "muted", "right")


def _heading(column: Column, cells: Sequence[Cell]) -> Heading:
    is_number = any(cell.align == "number" for cell in cells)
    goal = {"min": " ↓", "max": " ↑"}.get(column.goal, "") if column.kind == "metric" else ""
    return heading(column.title + goal, align="number" if is_number else "left")


def _column_cells(column: Column, values: Sequence[Value]) -> list[Cell]:
    best = best_of(column.goal, values) if column.kind == "metric" else None
    return [value_cell(column, value, is_best=best is not None and value == best) for value in values]


def best_of(goal: str, values: Sequence[Value]) -> float | None:
    """The best finite number; None without a goal, and where there is nothing to be better than."""
    numbers = [v for v in values if isinstance(v, int | float) and not isinstance(v, bool) and math.isfinite(v)]
    if goal not in ("min", "max") or len(set(numbers)) < 2:
        return None
    return min(numbers) if goal == "min" else max(numbers)


def value_cell(column: Column, value: Value, *, is_best: bool = False) -> Cell:
    """A value as a cell of its column: fields by their own units, numbers with sensible digits, `-` for nothing."""
    if value is None:
        return Cell(safe("-"), "muted")
    if column.kind == "field":
        return _field_cell(column.spec, value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return Cell(value_text(value))
    digits = PARAM_DIGITS if column.kind == "param" else 4
    role = "warning" if not math.isfinite(value) else "good" if is_best else ""
    return Cell(safe(number(value, digits=digits)), role, "number")


def _field_cell(spec: str, value: Value) -> Cell:
    name = spec.rpartition(".")[2]
    if name == "duration" and isinstance(value, int | float):
        return Cell(safe(duration(float(value))), align="right")
    if name == "status" and isinstance(value, str):
        return Cell(safe(value), STATUS_ROLES.get(value, ""))
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return Cell(value_text(value), "muted" if isinstance(value, datetime) else "", "number" if is_number else "left")


def status_cell(head: RunHead, *, now: datetime | None = None) -> Cell:
    """The status and since when: `running 12s`, `stalled 3h`, `failed 2d`. A `~` stands before what no source recorded
    and the last point alone tells.

    Args:
        head: of the run.
        now: UTC, naive; the clock's by default.
    """
    text = f"{'~' if head.status_how == 'last point' else ''}{head.status}"
    if head.since is not None and head.status != "missing":
        seconds = ((now or datetime.now(UTC).replace(tzinfo=None)) - head.since).total_seconds()
        text = f"{text} {age(seconds)}"
    return Cell(safe(text), STATUS_ROLES.get(head.status, ""))


def runs_records(answer: RunsAnswer) -> Records:
    """Exact values: `run` (the name) first, then a key for each column, which is its alias or its specification."""
    keys = unique_keys(("run", *(column.key for column in answer.columns)))
    return Records(keys, tuple((row.head.name, *row.values) for row in answer.rows))


def runs_summary(answer: RunsAnswer) -> Safe:
    """How many runs are shown, matched and looked at: talk for stderr, or a line under the table."""
    n_shown, n_matched, n_runs = len(answer.rows), answer.n_matched, answer.n_runs
    noun = "run" if n_runs == 1 else "runs"
    if n_matched == n_runs:
        text = f"{n_runs} {noun}"
    else:
        text = f"{n_matched} of {n_runs} {noun} {'matches' if n_matched == 1 else 'match'}"
    if n_shown < n_matched:
        text += f", {n_shown} shown"
    return safe(text)
