"""Metric tables: text with a header, written row by row while a training runs.

Rows come out in batches as columns, so that a table of a million rows needs little memory. A row is complete when its
line is ended; the last line without an end is being written (or was, when the program died) and is not shown.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Iterator, Sequence
from dataclasses import field
from typing import BinaryIO

from mlbench.dataclass import dataclass
from mlbench.model import Points, Problem, ReadStatus
from mlbench.wire.content import lfs_problem, unreadable
from mlbench.wire.files import is_lfs_pointer, open_regular
from mlbench.wire.points import INT64_MAX, MAX_METRICS

SEPARATORS = ",;\t"
STEP_COLUMNS = (
    "time/total_timesteps", "total_timesteps", "timesteps_total", "TotalEnvSteps", "step", "global_step",
    "trainer/global_step", "iteration", "iter", "training_iteration", "epoch", "Epoch",
)  # fmt: skip
"""The first of these that a table has gives its steps."""
MAX_LINE_BYTES = 1 << 20
BATCH_ROWS = 16_384
MAX_BATCH_CELLS = 400_000
"""Cells held at once: some 40 MB of short texts."""
MAX_COLUMN_PROBLEMS = 10
MISSING = frozenset({"", "NA", "None", "null"})
"""Cells without a value: Keras writes NA, pandas and the others nothing. `nan` is a value."""
_TRUTH = {"True": 1.0, "true": 1.0, "False": 0.0, "false": 0.0}


@dataclass(frozen=True, slots=True)
class Header:
    """The first line of a table."""

    names: tuple[str, ...]
    """Without blanks around them; a name that comes twice has `.2` at its second place."""
    separator: str


@dataclass(frozen=True, slots=True)
class Batch:
    """Some rows, as columns of equal length."""

    columns: tuple[Sequence[str], ...]
    """Cells without blanks around them, in the order of the header."""
    lines: Sequence[int]
    """1-based line of each row."""
    first_row: int
    """Rows of the table before this batch."""


@dataclass(slots=True)
class Table:
    """What a table said of itself besides its rows, filled while it is read."""

    path: str
    header: Header = field(default_factory=lambda: Header((), ","))
    comment: str = ""
    """The first line, if it begins with `#` (SB3's monitor files), without the `#`."""
    status: ReadStatus = ReadStatus.EOF
    problems: list[Problem] = field(default_factory=list)
    n_rows: int = 0
    n_bad: int = 0
    first_bad: int = 0
    """Line of the first row that did not fit the header."""


def header_of(line: str) -> Header:
    """The columns that a header line names; the separator is the one it holds most of."""
    separator = max(SEPARATORS, key=line.count)
    seen: dict[str, int] = {}
    names: list[str] = []
    for name in split_line(line, separator):
        seen[name] = seen.get(name, 0) + 1
        names.append(name if seen[name] == 1 else f"{name}.{seen[name]}")
    return Header(tuple(names), separator)


def split_line(line: str, separator: str) -> list[str]:
    """The cells of one line without blanks around them."""
    if '"' not in line:
        return [cell.strip() for cell in line.split(separator)]
    try:
        return [cell.strip() for cell in next(csv.reader([line], delimiter=separator, skipinitialspace=True), [])]
    except csv.Error:
        return [line]


def head_rows(head: bytes) -> tuple[Header, list[list[str]]] | None:
    """Header and complete rows in the first bytes of a file; None if they are no text or hold no whole line."""
    lines = head.removeprefix(b"\xef\xbb\xbf").split(b"\n")
    if len(lines) < 2 or b"\0" in head:
        return None
    # The last piece is a row cut by our own reading or by the writer.
    texts = [line.decode("utf-8", "replace").rstrip("\r") for line in lines[:-1]]
    header = header_of(texts[0])
    return header, [split_line(text, header.separator) for text in texts[1:] if text.strip()]


def read_table(table: Table) -> Iterator[Batch]:
    """The rows of `table.path` in batches; everything else that is found is noted in `table`.

    Rows that have more or fewer cells than the header are left out and counted; a header that is repeated is passed
    over. Never raises.
    """
    try:
        with open_regular(table.path) as file:
            yield from _batches(table, file)
    except OSError as error:
        table.status = ReadStatus.UNREADABLE
        table.problems.append(unreadable(table.path, error))
        return
    if table.n_bad:
        table.status = ReadStatus.DAMAGED
        rows = _counted(table.n_bad, "row does not fit the header and was", "rows do not fit the header and were")
        what = f"{rows} left out"
        table.problems.append(Problem(table.path, what, f"line {table.first_bad}"))


def _counted(count: int, one: str, many: str) -> str:
    return f"1 {one}" if count == 1 else f"{count} {many}"


def _batches(table: Table, file: BinaryIO) -> Iterator[Batch]:
    lines = _lines(table, file)
    first = next(lines, None)
    if first is None:
        if table.status is ReadStatus.EOF:
            table.status = ReadStatus.EMPTY
        return
    if is_lfs_pointer(first[1].encode()):
        table.status = ReadStatus.LFS_POINTER
        table.problems.append(lfs_problem(table.path))
        return
    if first[1].startswith("#"):
        table.comment = first[1][1:]
        first = next(lines, (0, ""))
    table.header = header_of(first[1].removeprefix("\ufeff"))
    yield from _rows_as_columns(table, lines)


def _lines(table: Table, file: BinaryIO) -> Iterator[tuple[int, str]]:
    """Every ended line that is not blank, with its number."""
    number = 0
    while line := file.readline(MAX_LINE_BYTES):
        number += 1
        if not line.endswith(b"\n"):
            if len(line) < MAX_LINE_BYTES:
                table.status = ReadStatus.TRUNCATED
                return
            table.status = ReadStatus.DAMAGED
            what = f"a line is longer than {MAX_LINE_BYTES >> 20} MiB; it and what follows were left out"
            table.problems.append(Problem(table.path, what, f"line {number}"))
            return
        if not line.isspace():
            yield number, line.decode("utf-8", "replace").rstrip("\r\n")


def _rows_as_columns(table: Table, lines: Iterator[tuple[int, str]]) -> Iterator[Batch]:
    names, separator = table.header.names, table.header.separator
    size = max(1, min(BATCH_ROWS, MAX_BATCH_CELLS // len(names)))
    rows: list[list[str]] = []
    numbers: list[int] = []
    for number, line in lines:
        cells = split_line(line, separator)
        if len(cells) != len(names):
            table.n_bad += 1
            table.first_bad = table.first_bad or number
            continue
        if tuple(cells) == names:
            continue
        rows.append(cells)
        numbers.append(number)
        if len(rows) == size:
            yield _batch(table, rows, numbers)
            rows, numbers = [], []
    if rows:
        yield _batch(table, rows, numbers)


def _batch(table: Table, rows: list[list[str]], numbers: list[int]) -> Batch:
    first_row = table.n_rows
    table.n_rows += len(rows)
    return Batch(tuple(zip(*rows, strict=True)), numbers, first_row)


def number_of(cell: str) -> float | None:
    """What a cell says as a number; None for text. A missing cell is text here."""
    try:
        return float(cell)
    except ValueError:
        return _TRUTH.get(cell)


def step_of(cell: str) -> int | None:
    """A cell as an int64 step; a fraction is cut off. None if it is none."""
    try:
        step = int(cell)
    except ValueError:
        number = number_of(cell)
        if number is None or not math.isfinite(number):
            return None
        step = int(number)
    return step if -INT64_MAX - 1 <= step <= INT64_MAX else None


@dataclass(slots=True)
class Column:
    """What was met in one column so far."""

    n_numbers: int = 0
    n_texts: int = 0
    first_text: int = 0
    """Line of the first cell that was no number."""

    @property
    def is_mixed(self) -> bool:
        return self.n_numbers > 0 and self.n_texts > 0


@dataclass(slots=True)
class TablePoints:
    """Turns batches of a table into points: one step a row, one metric a column."""

    names: tuple[str, ...]
    """The metric of each column; '' for a column that is none."""
    columns: list[Column] = field(default_factory=list)
    n_without_step: int = 0
    first_without_step: int = 0

    def __post_init__(self) -> None:
        self.columns = [Column() for _ in self.names]

    def points(self, batch: Batch, steps: Sequence[int | None], walls: Sequence[float]) -> Iterator[Points]:
        """Points of one batch.

        Args:
            batch: rows as columns.
            steps: of each row; None where the row has none and is left out.
            walls: Unix seconds of each row, NaN where there is none.
        """
        without = [line for line, step in zip(batch.lines, steps, strict=True) if step is None]
        if without:
            self.n_without_step += len(without)
            self.first_without_step = self.first_without_step or without[0]
        for place, name in enumerate(self.names[:MAX_METRICS]):
            if name and (points := self._column(place, batch, steps, walls)):
                yield points

    def _column(self, place: int, batch: Batch, steps: Sequence[int | None], walls: Sequence[float]) -> Points | None:
        import numpy as np

        rows, values = self._numbers(place, batch)
        kept = [(row, value) for row, value in zip(rows, values, strict=True) if steps[row] is not None]
        if not kept:
            return None
        rows = [row for row, _ in kept]
        seq = (np.array(rows, dtype=np.int64) + batch.first_row) * len(self.names) + place
        return Points(
            self.names[place],
            np.array([steps[row] for row in rows], dtype=np.int64),
            np.array([walls[row] for row in rows], dtype=np.float64),
            np.array([value for _, value in kept], dtype=np.float64),
            seq,
        )

    def _numbers(self, place: int, batch: Batch) -> tuple[list[int], list[float]]:
        """Rows of the batch that have a number in this column, and the numbers."""
        cells, column = batch.columns[place], self.columns[place]
        rows: list[int] = []
        values: list[float] = []
        for row, cell in enumerate(cells):
            if cell in MISSING:
                continue
            number = number_of(cell)
            if number is None:
                column.n_texts += 1
                column.first_text = column.first_text or batch.lines[row]
                continue
            rows.append(row)
            values.append(number)
        column.n_numbers += len(rows)
        return rows, values

    def problems(self, path: str) -> Iterator[Problem]:
        """What was left out: cells that are no numbers in columns that have numbers, and rows without a step.

        A column of texts only (a host name, a date) is no metric and nothing is wrong with it.
        """
        mixed = [(name, column) for name, column in zip(self.names, self.columns, strict=True) if column.is_mixed]
        for name, column in mixed[:MAX_COLUMN_PROBLEMS]:
            many = _counted(column.n_texts, "cell is no number and was", "cells are no numbers and were")
            yield Problem(path, f"{many} left out of column {name!r}", f"line {column.first_text}")
        if len(mixed) > MAX_COLUMN_PROBLEMS:
            yield Problem(path, f"{len(mixed) - MAX_COLUMN_PROBLEMS} more columns have cells that are no numbers")
        if self.n_without_step:
            many = _counted(self.n_without_step, "row has no step and was", "rows have no step and were")
            yield Problem(path, f"{many} left out", f"line {self.first_without_step}")
