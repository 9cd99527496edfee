"""What was added to and removed from data sets, as rows beside the other facts of a comparison."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from mlbench.render.cells import Cell
from mlbench.render.labels import label_map
from mlbench.render.numbers import size
from mlbench.safe import safe

if TYPE_CHECKING:
    from mlbench.queries.answers import DiffAnswer, Value
    from mlbench.queries.data_changes import DataChange
    from mlbench.wire.listings import EntryChange

_SIGNS = {"added": "+", "removed": "-", "changed": "~"}
_PART = re.compile(r"(part-\d+-[0-9a-f]{8})-[0-9a-f-]{27}(?:-c\d+)?(?:\.\w+)?(\.parquet)$")
_PART_SHORT = r"\1…\2"
"""Spark's names of files, of which the first digits tell them apart."""
_ROLES = {"added": "good", "removed": "bad", "changed": "changed"}


def data_change_rows(answer: DiffAnswer) -> list[tuple[Cell, ...]]:
    """For each data set of which a run has another version: counts, then columns, operations and files.

    The baseline's cell says what there was, that of a run what it has more or less.
    """
    rows: list[tuple[Cell, ...]] = []
    for name, changes in _by_name(answer).items():
        rows += _summary_rows(answer, name, changes)
        rows += _entry_rows(answer, changes, is_column=True) + _step_rows(answer, changes)
        rows += _entry_rows(answer, changes, is_column=False)
        more = {change.run_id: Cell(safe(f"and {change.n_more:,} more"), "muted")
                for change in changes if change.n_more > 0}  # fmt: skip
        if more:
            rows.append(_row(answer, Cell(safe("  …"), "muted"), more))
    return rows


def _by_name(answer: DiffAnswer) -> dict[str, list[DataChange]]:
    found: dict[str, list[DataChange]] = {}
    for change in answer.data_changes:
        found.setdefault(f"{change.name} ({change.system})", []).append(change)
    return found


def _row(
    answer: DiffAnswer, head: Cell, cells: dict[str, Cell], base: Cell = Cell(safe(""))  # noqa: B008 - frozen
) -> tuple[Cell, ...]:  # fmt: skip
    return (head, base, *(cells.get(run.run_id, Cell(safe("-"), "muted")) for run in answer.runs[1:]))


def _summary_rows(answer: DiffAnswer, name: str, changes: Sequence[DataChange]) -> list[tuple[Cell, ...]]:
    """`3 files: +2 -1`, `15 rows: +5 -0`, or why this is not known; of a single file its size."""
    files = {change.run_id: _files_cell(change) for change in changes if change.n_files is not None}
    said = {change.run_id: Cell(safe(change.said), "warning") for change in changes if change.said}
    known = next((_files_before(change) for change in changes if change.n_files is not None), "")
    rows = [_row(answer, Cell(safe(name), "key"), {**said, **files}, Cell(safe(known)))]
    counted = [(change, change.n_rows) for change in changes if change.n_rows is not None]
    if counted:
        moved = {change.run_id: _moved(n_rows[1], change.row_word, change.moved_rows or _net(n_rows))
                 for change, n_rows in counted}  # fmt: skip
        first, before = counted[0]
        base = Cell(safe(_counted(before[0], first.row_word)))
        rows.append(_row(answer, Cell(safe(f"  {first.row_word}s"), "muted"), moved, base))
    if files and said:
        rows.append(_row(answer, Cell(safe("  but"), "muted"), said))
    return rows


def _files_cell(change: DataChange) -> Cell:
    if _is_single(change):
        return Cell(safe(_about(change.files[0], of_column=False, is_old=False)), "changed")
    return _moved(change.n_files[1] if change.n_files else 0, "file", change.moved_files)


def _files_before(change: DataChange) -> str:
    if _is_single(change):
        return _about(change.files[0], of_column=False, is_old=True)
    return _counted(change.n_files[0] if change.n_files else 0, "file")


def _is_single(change: DataChange) -> bool:
    """Whether the data set is one file that changed: it is not listed below itself."""
    return len(change.files) == 1 and change.files[0].name == change.name


def _net(n_rows: tuple[int, int]) -> tuple[int, int]:
    return max(n_rows[1] - n_rows[0], 0), max(n_rows[0] - n_rows[1], 0)


def _moved(n_after: int, word: str, moved: tuple[int, ...] | None) -> Cell:
    counts = [f"{sign}{n:,}" for sign, n in zip("+-~", moved or (), strict=False) if n]
    return Cell(safe(f"{_counted(n_after, word)}{': ' if counts else ''}{' '.join(counts)}"), "changed")


def _counted(n: int, word: str) -> str:
    return f"{n:,} {word}{'' if n == 1 else 's'}"


def _entry_rows(answer: DiffAnswer, changes: Sequence[DataChange], *, is_column: bool) -> list[tuple[Cell, ...]]:
    found: dict[str, dict[str, EntryChange]] = {}
    for change in changes:
        for entry in change.columns if is_column else () if _is_single(change) else change.files:
            found.setdefault(entry.name, {})[change.run_id] = entry
    rows = []
    for name, by_run in found.items():
        one = next(iter(by_run.values()))
        base = _about(one, of_column=is_column, is_old=True) or "there" if one.old is not None else ""
        cells = {run_id: Cell(safe(_entry_text(entry, of_column=is_column)), _ROLES[entry.kind])
                 for run_id, entry in by_run.items()}  # fmt: skip
        title = f"  column {name}" if is_column else "  " + _PART.sub(_PART_SHORT, name)
        rows.append(_row(answer, Cell(safe(title), "muted"), cells, Cell(safe(base or "-"), "" if base else "muted")))
    return rows


def _entry_text(entry: EntryChange, *, of_column: bool) -> str:
    about = _about(entry, of_column=of_column, is_old=entry.new is None)
    return f"{_SIGNS[entry.kind]} {entry.kind}{', ' + about if about else ''}"


def _about(entry: EntryChange, *, of_column: bool, is_old: bool) -> str:
    side = entry.old if is_old else entry.new
    if side is None:
        return ""
    if of_column:
        return side.identity
    rows = [] if side.n_rows is None else [_counted(side.n_rows, "row")]
    return ", ".join([*rows, *([] if side.size_bytes is None else [size(side.size_bytes)])])


def _step_rows(answer: DiffAnswer, changes: Sequence[DataChange]) -> list[tuple[Cell, ...]]:
    """What was done between the versions; each run's own steps, the first ones together."""
    n_most = max(len(change.steps) for change in changes)
    rows = []
    for place in range(n_most):
        cells = {change.run_id: Cell(safe(change.steps[place])) for change in changes if place < len(change.steps)}
        rows.append(_row(answer, Cell(safe("  commit" if place == 0 else ""), "muted"), cells))
    return rows


MOST_NAMED = 5


def data_change_lines(answer: DiffAnswer) -> list[str]:
    """A sentence for each run and data set: `b: imgs (dvc), 3 files: +1 -1: - 2.txt, + 3.txt and 4 more`."""
    labels = label_map(answer.runs)
    lines = []
    for name, changes in _by_name(answer).items():
        for change in changes:
            parts: list[str] = [] if change.n_files is None else [_files_cell(change).text]
            if change.n_rows is not None:
                parts.append(_moved(change.n_rows[1], change.row_word, change.moved_rows or _net(change.n_rows)).text)
            parts += [f"column {_SIGNS[entry.kind]} {entry.name}" for entry in change.columns[:MOST_NAMED]]
            parts += [_named(change)] if change.files and not _is_single(change) else []
            parts += [change.said] if change.said else []
            lines.append(f"{labels[change.run_id]}: {name}, {'; '.join(parts)}")
    return lines


def _named(change: DataChange) -> str:
    names = [f"{_SIGNS[entry.kind]} {_PART.sub(_PART_SHORT, entry.name)}" for entry in change.files[:MOST_NAMED]]
    n_more = len(change.files) - len(names) + change.n_more
    return ", ".join(names) + (f" and {n_more:,} more" if n_more else "")


# ---------------------------------------------------------------- records


def data_change_records(answer: DiffAnswer) -> list[tuple[Value, ...]]:
    """Flat rows: `data_files`, `data_files_added`, `data_rows`, ... for each data set; `data_file`, `data_column` and
    `data_step` for what they are; `data_unknown` where the store cannot say.
    """
    rows: list[tuple[Value, ...]] = []
    for changes in _by_name(answer).values():
        name = changes[0].name
        for section in _NUMBERS:
            values = {change.run_id: _number(change, section) for change in changes}
            if any(after is not None for _before, after in values.values()):
                before = next((before for before, _after in values.values() if before is not None), None)
                rows.append((section, name, before, *_values(answer, {key: pair[1] for key, pair in values.items()})))
        rows += _texts(answer, changes)
    return rows


_NUMBERS = ("data_files", "data_files_added", "data_files_removed", "data_files_changed", "data_rows",
            "data_rows_added", "data_rows_removed")  # fmt: skip


def _number(change: DataChange, section: str) -> tuple[int | None, int | None]:
    """Before and after."""
    none = (None, None)
    files, rows = change.moved_files or (None, None, None), change.moved_rows or none
    pairs = (change.n_files or none, *((None, n) for n in files), change.n_rows or none, *((None, n) for n in rows))
    return pairs[_NUMBERS.index(section)]


def _values(answer: DiffAnswer, by_run: dict[str, Value]) -> Iterator[Value]:
    return (by_run.get(run.run_id) for run in answer.runs[1:])


def _texts(answer: DiffAnswer, changes: Sequence[DataChange]) -> Iterator[tuple[Value, ...]]:
    found: dict[tuple[str, str], tuple[Value, dict[str, Value]]] = {}
    for change in changes:
        for section, entries in (("data_column", change.columns), ("data_file", change.files)):
            for entry in entries:
                is_column = section == "data_column"
                base = (_about(entry, of_column=is_column, is_old=True) or "there") if entry.old is not None else None
                joint = "." if is_column else "/"
                key = entry.name if _is_single(change) else f"{change.name}{joint}{entry.name}"
                found.setdefault((section, key), (base, {}))[1][change.run_id] = entry.kind
        if change.steps:
            found.setdefault(("data_step", change.name), (None, {}))[1][change.run_id] = "\n".join(change.steps)
        if change.n_more > 0:
            found.setdefault(("data_files_not_listed", change.name), (None, {}))[1][change.run_id] = change.n_more
        if change.said:
            found.setdefault(("data_unknown", change.name), (None, {}))[1][change.run_id] = change.said
    return ((*key, base, *_values(answer, by_run)) for key, (base, by_run) in found.items())
