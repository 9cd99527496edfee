"""Runs side by side: sections of tables with what differs, and flat rows for other programs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from mlbench.render.cells import Cell
from mlbench.render.costs import cost_records, cost_table
from mlbench.render.data_changes import data_change_records, data_change_rows
from mlbench.render.diff_metrics import metric_section, slice_section
from mlbench.render.inside import as_folding_tree, as_tree, branches, insides, short_hashes
from mlbench.render.labels import BASELINE_MARK, run_labels, short_labels
from mlbench.render.notebooks import cell_records, cell_rows
from mlbench.render.numbers import change
from mlbench.render.records import Records, unique_keys
from mlbench.render.table import Heading, Section, Table, heading
from mlbench.safe import Safe, safe

if TYPE_CHECKING:
    from mlbench.queries.answers import DiffAnswer, FactRow, MetricRow, ParamCell, ParamRow, Value

HARDWARE = frozenset(("cpu", "cpus", "gpu", "n_gpus", "gpus", "memory", "machine", "hostname", "host", "tpu"))
"""Facts of the environment that are about the machine."""
ABSENT = "(absent)"


def diff_sections(
    answer: DiffAnswer, *, as_deltas: bool = False, is_tree: bool = False, has_layers: bool = False,
    has_slices: bool = False, folds: Collection[str] | None = None,
) -> tuple[Section, ...]:  # fmt: skip
    """Params, metrics, command, code, hardware, environment, data and cost: those that have rows, in this order.

    Args:
        answer: the baseline stands first.
        as_deltas: show parameters relative to the baseline: `=`, `×2`, `-5%`.
        is_tree: nested parameters stand below their parents.
        has_layers: say behind each parameter where it was said: `0.1 [cli]`.
        has_slices: tell each slice of the data among the metrics, too, and not only the group.
        folds: where parents can be closed and opened, those that are not as they are at first: `params:optim` is
            closed, `slices:val/recall` open. None where nothing can be.
    """
    runs = _run_headings(answer)
    hardware, environment = _split_hardware(answer.environment)
    sections = [
        _param_section(answer, runs, [_param_row(row, as_deltas=as_deltas, has_layers=has_layers)
                                      for row in answer.params], folds, is_tree=is_tree),
        metric_section(answer, runs, has_slices=has_slices),
        slice_section(answer, runs, None if folds is None else _of("slices", folds)),
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


def _of(section: str, folds: Collection[str]) -> frozenset[str]:
    return frozenset(fold.removeprefix(f"{section}:") for fold in folds if fold.startswith(f"{section}:"))


def _param_section(
    answer: DiffAnswer, runs: Sequence[Heading], rows: Sequence[tuple[Cell, ...]], folds: Collection[str] | None, *,
    is_tree: bool,
) -> Section:  # fmt: skip
    """The parameters; a row is about `params:KEY`, a parent about `fold:params:PATH`: keys as they were logged.

    Args:
        answer: the baseline stands first.
        runs: headings of the runs.
        rows: of the table, one for each parameter of the answer.
        folds: as in `diff_sections`.
        is_tree: nested parameters stand below their parents.
    """
    names = [row.key for row in answer.params]
    keys = tuple(f"params:{name}" for name in names)
    drawn = tuple(rows)
    if is_tree and folds is None:
        drawn, keys = as_tree(names, rows), ()
    elif is_tree and folds is not None:
        tree = branches(names, rows, _of("params", folds))
        drawn = as_folding_tree(tree, _of("params", folds))
        keys = tuple(f"{'params' if len(one.rows) == 1 else 'fold:params'}:{one.path}" for one in tree)
    table = Table((heading("parameter"), *runs), drawn, keys)
    return Section("params", safe(_param_title(answer)), table, safe(_equal(answer.n_equal_params)))


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


# ---------------------------------------------------------------- facts


def _fact_row(row: FactRow) -> tuple[Cell, ...]:
    usual = majority(row.cells)
    cells = [Cell(safe("-"), "muted") if text is None else Cell(safe(short_hashes(text)), _fact_role(row, index, usual))
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
    `last_step`, `best`, `best_step`, `best_after_s` (from the start of the run), `delta`, `percent`, `nan` and `inf`
    (those that say something); and those of `cell_records` and `data_change_records`.
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
        ("best_after_s", tuple(cell.best_after_s for cell in row.cells)),
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
    made = {change.name for change in answer.data_changes} - {row.key for row in answer.data}
    counts.append((len(made), "data set that they made", "data sets that they made"))
    cells = {change for book in answer.notebooks for change in book.changes}
    counts.insert(3, (len(cells), "cell of the notebook", "cells of the notebook"))
    parts = [f"{n} {one if n == 1 else many}" for n, one, many in counts if n]
    return safe(f"{len(answer.runs)} runs differ in " + ", ".join(parts))
