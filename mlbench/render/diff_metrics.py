"""The metrics of runs side by side: best with its step and time, last, the value where another is best, and slices."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from mlbench.render.cells import EMPTY, Cell
from mlbench.render.inside import CLOSED, OPEN
from mlbench.render.numbers import delta, distinct, duration, number, percent
from mlbench.render.table import Heading, Section, Table, heading
from mlbench.safe import Safe, safe

if TYPE_CHECKING:
    from mlbench.queries.answers import DiffAnswer, MetricCell, MetricRow, SliceRow

BETTER, WORSE = "▲", "▼"
METRICS, SLICES = "metrics", "slices"
BEST_AT, NOT_FINITE = "best at", "not finite"
"""Lines of a metric that are no values: no difference stands behind what they say."""


def metric_section(answer: DiffAnswer, runs: Sequence[Heading], *, has_slices: bool) -> Section:
    """Each metric, perhaps without those that are slices of one; a row is about `metrics:NAME`."""
    told = set() if has_slices else {metric for row in answer.slices for metric in row.metrics}
    shown = [row for row in answer.metrics if row.metric not in told]
    lines = [(f"{METRICS}:{row.metric}", line) for row in shown for line in _metric_lines(row)]
    # A number with its difference cannot be cut: what is left would be another number.
    whole = tuple(replace(run, is_cut=False) for run in runs)
    headings = (heading("metric"), heading("goal"), heading("value"), *whole)
    table = Table(headings, tuple(line for _key, line in lines), tuple(key for key, _line in lines))
    n_slices = len(answer.metrics) - len(shown)
    parts = [f"{answer.n_equal_metrics} equal left out"] if answer.n_equal_metrics else []
    parts += [f"{n_slices} slices below"] if n_slices else []
    return Section(METRICS, safe(f"metrics: {len(answer.metrics)}"), table, safe(", ".join(parts)))


def _metric_lines(row: MetricRow) -> list[tuple[Cell, ...]]:
    """Best (with a goal), when that was, and last value, and a line of what is not finite where there is any."""
    goal = f"{row.goal}{' (guessed)' if row.goal_how == 'guessed' else ''}"
    lines: list[tuple[str, list[Cell]]] = []
    if row.goal:
        lines.append(("best", _valued(row, [cell.best for cell in row.cells], has_delta=True)))
    if has_when(row):
        lines.append((BEST_AT, [Cell(when_text(cell), "muted") for cell in row.cells]))
    lines.append(("last", _valued(row, [cell.last for cell in row.cells], has_delta=not row.goal)))
    if row.at and row.at != row.metric:
        lines.append((f"at best {row.at}", _valued(row, [cell.at_best for cell in row.cells], has_delta=False)))
    if any(cell.n_nan or cell.n_inf for cell in row.cells):
        lines.append((NOT_FINITE, [Cell(odd_text(cell), "warning") for cell in row.cells]))
    heads = [(Cell(safe(row.metric), "key"), Cell(safe(goal), "muted")), *[(Cell(EMPTY), Cell(EMPTY))] * len(lines)]
    return [
        (*head, Cell(safe(what), "muted"), *cells) for head, (what, cells) in zip(heads, lines, strict=False)
    ]  # fmt: skip


def has_when(row: MetricRow) -> bool:
    """Whether it says something when the metric was best: somewhere it was not at the end."""
    return bool(row.goal) and any(cell.best_step not in (None, cell.last_step) for cell in row.cells)


def when_text(cell: MetricCell) -> Safe:
    """Step of the best value, and how long after the start: `@160 38s`."""
    if cell.best_step is None:
        return safe("-")
    after = "" if cell.best_after_s is None else duration(cell.best_after_s)
    return safe(f"@{cell.best_step} {after}".rstrip())


def _valued(row: MetricRow, values: Sequence[float | None], *, has_delta: bool) -> list[Cell]:
    texts = distinct(values)
    return [_metric_cell(cell, text, has_delta=has_delta) for cell, text in zip(row.cells, texts, strict=True)]


def _metric_cell(cell: MetricCell, text: str, *, has_delta: bool) -> Cell:
    if not text:
        return Cell(safe("-"), "muted")
    if not has_delta or cell.delta is None:
        return Cell(safe(text), "warning" if text in ("NaN", "inf", "-inf") else "")
    return Cell(safe(f"{text} {delta_text(cell)}".rstrip()), better_role(cell))


def delta_text(cell: MetricCell) -> str:
    """`▲ -0.0403 -4.8%`: better or worse than the baseline, by how much; readable without colours."""
    mark = {True: BETTER, False: WORSE, None: ""}[cell.is_better]
    shown = percent(cell.percent) if cell.delta else ""
    return " ".join(part for part in (mark, delta(cell.delta, digits=3), shown) if part)


def better_role(cell: MetricCell) -> str:
    """`good`, `bad`, or '' where nothing can be said."""
    return {True: "good", False: "bad", None: ""}[cell.is_better]


def odd_text(cell: MetricCell) -> Safe:
    """`3 NaN, 1 inf`; '' where all points are finite."""
    parts = [f"{n} {what}" for n, what in ((cell.n_nan, "NaN"), (cell.n_inf, "inf")) if n]
    return safe(", ".join(parts))


# ---------------------------------------------------------------- slices


def slice_section(answer: DiffAnswer, runs: Sequence[Heading], opened: Collection[str] | None) -> Section:
    """The groups of slices: of each run the worst slice, and how far the best one is from it.

    Args:
        answer: the comparison.
        runs: headings of the runs.
        opened: stems whose slices stand below, one by one; a row of a group is about `fold:slices:STEM`. None where
            nothing can be opened.
    """
    rows = {row.metric: row for row in answer.metrics}
    lines = [line for row in answer.slices for line in _slice_lines(row, rows, opened)]
    table = Table((heading("metric"), *runs), tuple(line for _key, line in lines), tuple(key for key, _line in lines))
    return Section(SLICES, safe("slices of the data"), table, safe("worst of each run, and the spread"))


def _slice_lines(
    row: SliceRow, rows: dict[str, MetricRow], opened: Collection[str] | None
) -> Iterator[tuple[str, tuple[Cell, ...]]]:
    worst = [f"{text} ({cell.name})" if text else "-"
             for cell, text in zip(row.cells, distinct([cell.worst for cell in row.cells]), strict=True)]  # fmt: skip
    base = row.cells[0].worst
    roles = [_slice_role(cell.worst, base, row.goal) for cell in row.cells]
    mark = "" if opened is None else OPEN if row.stem in opened else CLOSED
    name = Cell(safe(f"{mark}{row.stem} ({row.n_slices} slices, {row.goal})"), "key")
    key = f"fold:{SLICES}:{row.stem}"
    yield key, (name, *(Cell(safe(text), role) for text, role in zip(worst, roles, strict=True)))
    yield key, (Cell(safe("  spread"), "muted"), *(Cell(safe(number(cell.spread) or "-")) for cell in row.cells))
    for metric in row.metrics if opened and row.stem in opened else ():
        if metric in rows:
            yield f"{METRICS}:{metric}", _one_slice(rows[metric], metric.removeprefix(row.stem).lstrip("/_."))


def _one_slice(row: MetricRow, name: str) -> tuple[Cell, ...]:
    values = _valued(row, [cell.best for cell in row.cells], has_delta=True)
    return (Cell(safe(f"  {name}"), "key"), *values)


def _slice_role(value: float | None, base: float | None, goal: str) -> str:
    if value is None or base is None or value == base:
        return ""
    return "good" if (value < base) == (goal == "min") else "bad"
