"""The metrics of a report: best with when that was, last, where the primary one was best, and groups of slices."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from mlbench.render.diff_metrics import has_when, odd_text, when_text
from mlbench.render.numbers import delta, distinct, number, percent
from mlbench.render.report_many import MOST_SIDE_BY_SIDE, metrics_of_many
from mlbench.render.report_parts import run_titles, slices_title, strong, table, without_slices
from mlbench.render.runs import best_of
from mlbench.safe import markdown_code

if TYPE_CHECKING:
    from mlbench.queries.answers import MetricRow, SliceRow
    from mlbench.queries.report_answer import ReportAnswer


def metrics(answer: ReportAnswer) -> str:
    """A table with a column for each run, or of many runs what they have together; '' of one run."""
    if not answer.diff.metrics or len(answer.diff.runs) < 2:
        return ""
    if len(answer.diff.runs) > MOST_SIDE_BY_SIDE:
        return "## Metrics\n\n" + metrics_of_many(answer)
    rows = [line for row in without_slices(answer.diff) for line in _metric_rows(row)]
    rows += [line for row in answer.diff.slices for line in _slice_rows(row)]
    return "## Metrics\n\n" + table(["metric", "value", *run_titles(answer)], rows, right=range(2, 99))


def _metric_rows(row: MetricRow) -> list[list[str]]:
    name = markdown_code(row.metric) + (f" ({row.goal})" if row.goal else "")
    lines: list[list[str]] = []
    if row.goal:
        lines.append([name, "best", *_metric_cells(row, [cell.best for cell in row.cells], has_delta=True)])
    if has_when(row):
        lines.append(["", "best at", *(str(when_text(cell)).replace("-", "–") for cell in row.cells)])
    last = [cell.last for cell in row.cells]
    lines.append(["" if lines else name, "last", *_metric_cells(row, last, has_delta=not row.goal)])
    if row.at and row.at != row.metric:
        values = [cell.at_best for cell in row.cells]
        lines.append(["", f"at best {markdown_code(row.at)}", *_metric_cells(row, values, has_delta=False)])
    if any(cell.n_nan or cell.n_inf for cell in row.cells):
        lines.append(["", "not finite", *(str(odd_text(cell)) or "–" for cell in row.cells)])
    return lines


def _slice_rows(row: SliceRow) -> list[list[str]]:
    """The worst slice of each run with its name, and how far the best one is from it."""
    values = [cell.worst for cell in row.cells]
    best = best_of(row.goal, values)
    worst = ["–" if value is None else f"{strong(text, value == best)} ({markdown_code(cell.name)})"
             for cell, value, text in zip(row.cells, values, distinct(values), strict=True)]  # fmt: skip
    return [[slices_title(row), "worst", *worst], ["", "spread", *(number(cell.spread) or "–" for cell in row.cells)]]


def _metric_cells(row: MetricRow, values: Sequence[float | None], *, has_delta: bool) -> list[str]:
    """The best in bold, the difference to the baseline behind."""
    best = best_of(row.goal, values) if has_delta else None
    cells: list[str] = []
    for cell, value, text in zip(row.cells, values, distinct(values), strict=True):
        shown = strong(text or "–", best is not None and value == best)
        if has_delta and value is not None and cell.delta:
            share = "" if cell.percent is None else f", {percent(cell.percent)}"
            shown += f" ({delta(cell.delta, digits=3)}{share})"
        cells.append(shown)
    return cells
