"""Runs side by side: sections of tables with what differs, and flat rows for other programs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from mlbench.render.cells import EMPTY, Cell
from mlbench.render.costs import cost_records, cost_table
from mlbench.render.data_changes import data_change_records, data_change_rows
from mlbench.render.inside import as_tree, insides
from mlbench.render.labels import BASELINE_MARK, run_labels, short_labels
from mlbench.render.notebooks import cell_records, cell_rows
from mlbench.render.numbers import change, delta, distinct, number, percent
from mlbench.render.records import Records, unique_keys
from mlbench.render.table import Heading, Section, Table, heading
from mlbench.safe import Safe, safe

if TYPE_CHECKING:
    from mlbench.queries.answers import DiffAnswer, FactRow, MetricCell, MetricRow, ParamCell, ParamRow, SliceRow, Value

HARDWARE = frozenset(("cpu", "cpus", "gpu", "n_gpus", "gpus", "memory", "machine", "hostname", "host", "tpu"))
"""Facts of the environment that are about the machine."""
ABSENT = "(absent)"
BETTER, WORSE = "▲", "▼"


def diff_sections(
    answer: DiffAnswer, *, as_deltas: bool = False, is_tree: bool = False, has_layers: bool = False
) -> tuple[Section, ...]:
    """Params, metrics, command, code, hardware, environment, data and cost: those that have rows, in this order.

    Args:
        answer: the baseline stands first.
        as_deltas: show parameters relative to the baseline: `=`, `×2`, `-5%`.
        is_tree: nested parameters stand below their parents.
        has_layers: say behind each parameter where it was said: `0.1 [cli]`.
    """
    runs = _run_headings(answer)
    hardware, environment = _split_hardware(answer.environment)
    params = [_param_row(row, as_deltas=as_deltas, has_layers=has_layers) for row in answer.params]
    sections = [
        _section("params", _param_title(answer), "parameter", runs, as_tree(params) if is_tree else params,
                 _equal(answer.n_equal_params)),
        _metric_section(answer, runs),
        _section("slices", "slices of the data", "metric", runs,
                 [line for row in answer.slices for line in _slice_lines(row)], "worst of each run, and the spread"),
        _section("command", "command", "option", runs, [_fact_row(row) for row in answer.typed]),
        _fact_section("code", runs, answer.code),
        _section("cells", "cells of the notebook", "cell", runs, cell_rows(answer), _cells_remark(answer)),
        _fact_section("hardware", runs, hardware),
        _fact_section("environment", runs, environment),
        _fact_section("data", runs, answer.data),
        _section("data_changes", "data: added and removed", "data", runs, data_change_rows(answer)),
        _section("cost", "cost", "cost", runs, cost_table(answer)),
    ]  # fmt: skip
    return tuple(section for section in sections if section.table.rows)


def _run_headings(answer: DiffAnswer) -> tuple[Heading, ...]:
    labels = short_labels(answer.runs)
    marked = [safe(f"{BASELINE_MARK} ") + label if index == 0 else label for index, label in enumerate(labels)]
    roles = ["baseline", *(f"run{index}" for index in range(1, len(labels)))]
    return tuple(Heading(label, role=role) for label, role in zip(marked, roles, strict=True))


def _section(
    key: str, title: str, first: str, runs: Sequence[Heading], rows: Sequence[tuple[Cell, ...]], remark: str = ""
) -> Section:
    return Section(key, safe(title), Table((heading(first), *runs), tuple(rows)), safe(remark))


def _fact_section(key: str, runs: Sequence[Heading], rows: Sequence[FactRow]) -> Section:
    return _section(key, key, key, runs, [_fact_row(row) for row in rows])


def _split_hardware(facts: Sequence[FactRow]) -> tuple[list[FactRow], list[FactRow]]:
    """The machines, and the software on them."""
    machines = [row for row in facts if row.key in HARDWARE]
    return machines, [row for row in facts if row.key not in HARDWARE]


def _cells_remark(answer: DiffAnswer) -> str:
    return "without outputs" if any(book.changes for book in answer.notebooks) else ""


def _param_title(answer: DiffAnswer) -> str:
    n_differ = sum(row.differs for row in answer.params)
    return f"params: {n_differ} {'differs' if n_differ == 1 else 'differ'}"


def _equal(n: int) -> str:
    return f"{n} equal left out" if n else ""


# ---------------------------------------------------------------- parameters


def _param_row(row: ParamRow, *, as_deltas: bool, has_layers: bool) -> tuple[Cell, ...]:
    usual = majority([cell.raw for cell in row.cells])
    key = Cell(safe(row.key), "key" if row.differs else "muted")
    texts = insides([cell.raw for cell in row.cells])
    cells = [
        _param_cell(cell, row, usual, text, as_deltas=as_deltas) for cell, text in zip(row.cells, texts, strict=True)
    ]
    if has_layers:
        cells = [replace(shown, text=shown.text + safe(f" [{cell.layer}]")) if cell.layer else shown
                 for shown, cell in zip(cells, row.cells, strict=True)]  # fmt: skip
    return (key, *cells)


def majority(texts: Sequence[str | None]) -> tuple[str | None] | None:
    """The text (in a tuple, since it may be None) that more than half of three or more runs have; else None."""
    if len(texts) < 3:
        return None
    text, n = Counter(texts).most_common(1)[0]
    return (text,) if 2 * n > len(texts) else None


def _param_cell(
    cell: ParamCell, row: ParamRow, usual: tuple[str | None] | None, text: str | None, *, as_deltas: bool
) -> Cell:
    base = row.cells[0]
    is_usual = not row.differs or (usual is not None and cell.raw == usual[0])
    role = "muted" if is_usual else "" if cell is base else "changed"
    if as_deltas and cell is not base:
        return Cell(_param_change(base, cell), "muted" if cell.raw == base.raw else role)
    if cell.raw is None:
        return Cell(safe(ABSENT), "muted")
    return Cell(safe(text) if text else param_text(cell), role)


def param_text(cell: ParamCell) -> Safe:
    """What the source says, `(absent)` where it says nothing: `1e-3` and `0.001` are both shown as written."""
    if cell.raw is None:
        return safe(ABSENT)
    return safe(cell.raw) if cell.raw else safe("''")


def _param_change(base: ParamCell, cell: ParamCell) -> Safe:
    if cell.raw == base.raw:
        return safe("=")
    a, b = _real(base.value), _real(cell.value)
    if a is None or b is None:
        return param_text(cell)
    return safe(f"{param_text(cell)} {change(a, b)}".rstrip())


def _real(value: Value) -> float | None:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    try:
        return float(value) if is_number else None  # type: ignore[arg-type]
    except OverflowError:
        return None


# ---------------------------------------------------------------- metrics


def _metric_section(answer: DiffAnswer, runs: Sequence[Heading]) -> Section:
    rows = [line for row in answer.metrics for line in _metric_lines(row)]
    # A number with its difference cannot be cut: what is left would be another number.
    whole = tuple(replace(run, is_cut=False) for run in runs)
    table = Table((heading("metric"), heading("goal"), heading("value"), *whole), tuple(rows))
    n = len(answer.metrics)
    return Section("metrics", safe(f"metrics: {n}"), table, safe(_equal(answer.n_equal_metrics)))


def _metric_lines(row: MetricRow) -> list[tuple[Cell, ...]]:
    """Best (with a goal) and last value, and a line of what is not finite where there is any."""
    goal = f"{row.goal}{' (guessed)' if row.goal_how == 'guessed' else ''}"
    lines: list[tuple[str, list[Cell]]] = []
    if row.goal:
        lines.append(("best", _valued(row, [cell.best for cell in row.cells], has_delta=True)))
    lines.append(("last", _valued(row, [cell.last for cell in row.cells], has_delta=not row.goal)))
    if row.at and row.at != row.metric:
        lines.append((f"at best {row.at}", _valued(row, [cell.at_best for cell in row.cells], has_delta=False)))
    if any(cell.n_nan or cell.n_inf for cell in row.cells):
        lines.append(("not finite", [Cell(odd_text(cell), "warning") for cell in row.cells]))
    heads = [(Cell(safe(row.metric), "key"), Cell(safe(goal), "muted")), *[(Cell(EMPTY), Cell(EMPTY))] * len(lines)]
    return [
        (*head, Cell(safe(what), "muted"), *cells) for head, (what, cells) in zip(heads, lines, strict=False)
    ]  # fmt: skip


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


def _slice_lines(row: SliceRow) -> list[tuple[Cell, ...]]:
    """The worst slice of each run (with its name) and how far the best is from it."""
    worst = [f"{text} ({cell.name})" if text else "-"
             for cell, text in zip(row.cells, distinct([cell.worst for cell in row.cells]), strict=True)]  # fmt: skip
    base = row.cells[0].worst
    roles = [_slice_role(cell.worst, base, row.goal) for cell in row.cells]
    name = f"{row.stem} ({row.n_slices} slices, {row.goal})"
    return [
        (Cell(safe(name), "key"), *(Cell(safe(text), role) for text, role in zip(worst, roles, strict=True))),
        (Cell(safe("  spread"), "muted"), *(Cell(safe(number(cell.spread) or "-")) for cell in row.cells)),
    ]


def _slice_role(value: float | None, base: float | None, goal: str) -> str:
    if value is None or base is None or value == base:
        return ""
    return "good" if (value < base) == (goal == "min") else "bad"


# ---------------------------------------------------------------- facts


def _fact_row(row: FactRow) -> tuple[Cell, ...]:
    usual = majority(row.cells)
    cells = [Cell(safe("-"), "muted") if text is None else Cell(safe(text), _fact_role(row, index, usual))
             for index, text in enumerate(row.cells)]  # fmt: skip
    return (Cell(safe(row.key), "key" if row.differs else "muted"), *cells)


def _fact_role(row: FactRow, index: int, usual: tuple[str | None] | None) -> str:
    text = row.cells[index]
    if not row.differs or (usual is not None and text == usual[0]):
        return "muted"
    return "" if text == row.cells[0] else "changed"


# ---------------------------------------------------------------- records


def diff_records(answer: DiffAnswer, more: Sequence[tuple[Value, ...]] = ()) -> Records:
    """Flat rows, and perhaps `more`: `section`, `key`, then a value for each run under its name, the baseline first.

    Sections are `params`, `command`, `code`, `hardware`, `environment`, `data`, `cost`; for metrics `last`,
    `last_step`, `best`, `best_step`, `delta`, `percent`, `nan` and `inf` (those that say something); and those of
    `cell_records` and `data_change_records`.
    """
    rows: list[tuple[Value, ...]] = [
        ("params", row.key, *(param_value(cell) for cell in row.cells)) for row in answer.params
    ]
    rows += [line for row in answer.metrics for line in _metric_records(row)]
    hardware, environment = _split_hardware(answer.environment)
    facts_of: tuple[tuple[str, Sequence[FactRow]], ...] = (
        ("command", answer.typed), ("code", answer.code), ("hardware", hardware), ("environment", environment),
        ("data", answer.data),
    )  # fmt: skip
    for section, facts in facts_of:
        rows += [(section, row.key, *row.cells) for row in facts]
    rows += [*more, *cell_records(answer), *data_change_records(answer), *cost_records(answer)]
    keys = unique_keys(("section", "key", *run_labels(answer.runs)))
    return Records(keys, tuple(rows))


def param_value(cell: ParamCell) -> Value:
    """The typed value; the raw text of what has none (a list, a null); None where the run has no such key."""
    return cell.raw if cell.raw is None or cell.value is None else cell.value


def _metric_records(row: MetricRow) -> list[tuple[Value, ...]]:
    columns: tuple[tuple[str, tuple[Value, ...]], ...] = (
        ("last", tuple(cell.last for cell in row.cells)),
        ("last_step", tuple(cell.last_step for cell in row.cells)),
        ("best", tuple(cell.best for cell in row.cells)),
        ("best_step", tuple(cell.best_step for cell in row.cells)),
        (f"at best {row.at}", tuple(cell.at_best for cell in row.cells)),
        ("delta", tuple(cell.delta for cell in row.cells)),
        ("percent", tuple(cell.percent for cell in row.cells)),
        ("nan", tuple(cell.n_nan or None for cell in row.cells)),
        ("inf", tuple(cell.n_inf or None for cell in row.cells)),
    )
    return [
        (what, row.metric, *values) for what, values in columns if any(value is not None for value in values)
    ]  # fmt: skip


def diff_summary(answer: DiffAnswer) -> Safe:
    """One sentence: what differs between how many runs."""
    if not answer.differs:
        return safe(f"{len(answer.runs)} runs do not differ")
    names = (
        ("parameter", "parameters", answer.params),
        ("metric", "metrics", answer.metrics),
        ("fact of the code", "facts of the code", answer.code),
        ("fact of the environment", "facts of the environment", answer.environment),
        ("fact of the data", "facts of the data", answer.data),
    )
    counts = [(sum(row.differs for row in rows), one, many) for one, many, rows in names]
    cells = {change for book in answer.notebooks for change in book.changes}
    counts.insert(3, (len(cells), "cell of the notebook", "cells of the notebook"))
    parts = [f"{n} {one if n == 1 else many}" for n, one, many in counts if n]
    return safe(f"{len(answer.runs)} runs differ in " + ", ".join(parts))
