"""Rows of any CSV, JSON or Parquet file by a rule of the user's mapping: column to value, nested names joined by `/`.

A field that holds a list of rows is opened where the rule says so (`rows`); columns that hold lists of equal rank are
tables by columns, and each place of the lists is a row.
"""

from __future__ import annotations

import csv
import datetime
import decimal
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import field
from typing import Any, TypeAlias

from mlbench.dataclass import dataclass
from mlbench.model import Problem, ReadStatus
from mlbench.wire.content import lfs_problem, unreadable
from mlbench.wire.csvlog import header_of
from mlbench.wire.files import is_lfs_pointer, open_regular
from mlbench.wire.jsonlog import json_lines, load_json_file
from mlbench.wire.mapping import Rule

Row: TypeAlias = dict[str, Any]
"""Texts of CSV, values of JSON, Python values of Parquet; by column."""
MAX_LINE_BYTES = 4 << 20
MAX_JSON_LINES_BYTES = 8 << 30
MAX_DEPTH = 32
_BATCH_CELLS = 40_000
"""Cells of Parquet made Python values at once: some 20 ms."""
_THRIFT_BYTES = 64 << 20


@dataclass(slots=True)
class RowSource:
    """A file being read, and what it said of itself besides its rows."""

    path: str
    rule: Rule
    status: ReadStatus = ReadStatus.EOF
    problems: list[Problem] = field(default_factory=list)
    n_bad: int = 0
    first_bad: int = 0
    """Line of the first row that could not be read."""
    columns: dict[str, None] = field(default_factory=dict)
    """All that were met, in their order."""

    def fail(self, status: ReadStatus, problem: Problem) -> None:
        self.status = status
        self.problems.append(problem)


def read_mapped(source: RowSource) -> Iterator[Row]:
    """The rows of a file in their order. Never raises for bad input; what is wrong is noted in `source`."""
    kind = source.rule.format_of(source.path)
    try:
        with open_regular(source.path) as file:
            head = file.read(64)
    except OSError as error:
        source.fail(ReadStatus.UNREADABLE, unreadable(source.path, error))
        return
    if is_lfs_pointer(head):
        source.fail(ReadStatus.LFS_POINTER, lfs_problem(source.path))
        return
    if not head:
        source.status = ReadStatus.EMPTY
        return
    records = {"csv": _csv, "jsonl": _json_lines, "json": _json, "parquet": _parquet}[kind](source)
    try:
        if kind == "csv":  # its cells are texts: nothing nests
            yield from records  # type: ignore[misc]
        else:
            for record in records:
                yield from _rows(record, source)
    except OSError as error:
        source.fail(ReadStatus.UNREADABLE, unreadable(source.path, error))
    if source.n_bad:
        source.status = ReadStatus.DAMAGED
        rows = (
            "1 row could not be read and was"
            if source.n_bad == 1
            else f"{source.n_bad} rows could not be read and were"
        )
        place = f"line {source.first_bad}" if source.first_bad else ""
        source.problems.append(Problem(source.path, f"{rows} left out", place))


def _rows(record: Mapping[str, Any], source: RowSource) -> Iterator[Row]:
    """The rows of one record."""
    for flat in _opened(record, source.rule.rows):
        source.columns.update(dict.fromkeys(flat))
        yield from _by_place(flat, source.rule)


def _opened(record: Mapping[str, Any], names: Sequence[str]) -> Iterator[Row]:
    """The record flat, once for every row of the list that it holds under the first of the names."""
    if not names:
        yield _flat(record)
        return
    inner, outer = _taken(record, names[0].split("/"))
    around = _flat(outer)
    parts: Iterable[Any] = [inner] if isinstance(inner, Mapping) else inner if isinstance(inner, list | tuple) else ()
    for part in parts:
        if isinstance(part, Mapping):
            for row in _opened(part, names[1:]):
                yield {**around, **row}


def _taken(record: Mapping[str, Any], path: Sequence[str]) -> tuple[Any, Mapping[str, Any]]:
    """The value at a path, and the record without it."""
    head, *rest = path
    inner = record.get(head)
    if rest and isinstance(inner, Mapping):
        value, left = _taken(inner, rest)
        return value, {**record, head: left}
    return (None if rest else inner), {name: part for name, part in record.items() if name != head}


def _flat(record: Mapping[str, Any]) -> Row:
    flat: Row = {}
    stack = [("", record, 0)]
    while stack:
        before, part, depth = stack.pop()
        for name, value in part.items():
            if isinstance(value, Mapping) and depth < MAX_DEPTH:
                stack.append((f"{before}{name}/", value, depth + 1))
            else:
                flat[f"{before}{name}"] = value
    return flat


def _by_place(flat: Row, rule: Rule) -> Iterator[Row]:
    """A row as it is; one whose columns hold lists as many rows as the longest has places."""
    lists = {name: value for name, value in flat.items() if isinstance(value, list | tuple) and name not in rule.params}
    if not lists:
        yield flat
        return
    others = {name: value for name, value in flat.items() if name not in lists}
    for place in range(max(map(len, lists.values()))):
        here = {name: values[place] for name, values in lists.items() if place < len(values)}
        yield {
            **others,
            **{name: value for name, value in here.items() if not isinstance(value, Mapping | list | tuple)},
        }


# ---------------------------------------------------------------- the formats


def _csv(source: RowSource) -> Iterator[Row]:
    rule = source.rule
    with open_regular(source.path) as file:
        lines = _Lines(file, rule.comment)
        names: Sequence[str] = rule.columns
        cells = _cells(lines, rule, source)
        if not names:
            names = _unlike(next(cells, []))
        source.columns.update(dict.fromkeys(names))
        for row in cells:
            if len(row) == len(names):
                yield dict(zip(names, row, strict=True))
            elif row != [""]:
                source.n_bad += 1
                source.first_bad = source.first_bad or lines.number


def _unlike(names: Sequence[str]) -> list[str]:
    """The names of a header; one that comes twice has `.2` at its second place."""
    seen: dict[str, int] = {}
    found = []
    for name in names:
        seen[name] = seen.get(name, 0) + 1
        found.append(name if seen[name] == 1 else f"{name}.{seen[name]}")
    return found


class _Lines:
    """The lines of a text that are neither blank nor comments."""

    def __init__(self, file: Any, comment: str) -> None:  # noqa: ANN401 - a binary file
        self._file, self._comment = file, comment
        self.number = 0

    def __iter__(self) -> Iterator[str]:
        while line := self._file.readline(MAX_LINE_BYTES):
            self.number += 1
            text = line.decode("utf-8", "replace").replace("\0", "")
            text = text.removeprefix("\ufeff") if self.number == 1 else text
            if text.strip() and not (self._comment and text.lstrip().startswith(self._comment)):
                yield text


def _cells(lines: _Lines, rule: Rule, source: RowSource) -> Iterator[list[str]]:
    """The cells of each line; the separator is the rule's, else told from the first line."""
    found = iter(lines)
    first = next(found, "")
    separator = rule.separator or (header_of(first.strip()).separator if any(one in first for one in ",;\t") else " ")
    if separator == " ":
        yield first.split()
        yield from (line.split() for line in found)
        return
    reader = csv.reader(_with(first, found), delimiter=separator, skipinitialspace=True)
    while True:
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error:
            source.n_bad += 1
            source.first_bad = source.first_bad or lines.number
            continue
        yield [cell.strip() for cell in row]


def _with(first: str, rest: Iterator[str]) -> Iterator[str]:
    if first:
        yield first
    yield from rest


def _json_lines(source: RowSource) -> Iterator[Mapping[str, Any]]:
    with open_regular(source.path) as file:
        for line in json_lines(file, limit_bytes=MAX_JSON_LINES_BYTES):
            if isinstance(line.value, Mapping):
                yield line.value
            elif line.is_cut:
                source.status = ReadStatus.TRUNCATED
            else:
                source.n_bad += 1
                source.first_bad = source.first_bad or line.number


def _json(source: RowSource) -> Iterator[Mapping[str, Any]]:
    found = load_json_file(source.path)
    source.status = found.status
    if found.problem is not None:
        source.problems.append(found.problem)
    records = found.value if isinstance(found.value, list) else [found.value]
    for record in records if found.status is ReadStatus.EOF else ():
        if isinstance(record, Mapping):
            yield record
        else:
            source.n_bad += 1


def _parquet(source: RowSource) -> Iterator[Mapping[str, Any]]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    options = {"pre_buffer": False, "thrift_string_size_limit": _THRIFT_BYTES}
    try:
        with open_regular(source.path) as file, pq.ParquetFile(file, **options) as parquet:
            size = max(1, _BATCH_CELLS // max(1, len(parquet.schema)))
            for batch in parquet.iter_batches(size, use_threads=False):
                yield from ({name: _plain(value) for name, value in row.items()} for row in _dicts(batch))
    except (pa.ArrowException, OSError, ValueError, OverflowError, MemoryError) as error:
        first_line = str(error).partition("\n")[0].encode("utf-8", "replace").decode()
        hint = "if it is being written, it will be read again"
        problem = Problem(source.path, f"the Parquet file cannot be read: {first_line}", hint=hint)
        source.fail(ReadStatus.DAMAGED, problem)


def _dicts(batch: Any) -> Iterator[Row]:  # noqa: ANN401 - a pyarrow RecordBatch
    names = _unlike(batch.schema.names)
    return (
        dict(zip(names, row, strict=True))
        for row in zip(*(column.to_pylist() for column in batch.columns), strict=True)
    )


def _plain(value: Any) -> Any:  # noqa: ANN401 - whatever Parquet holds
    """A value as JSON has it, times as datetimes; maps (pairs) as they are."""
    if isinstance(value, decimal.Decimal):
        return float(value)
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if isinstance(value, dict):
        return {str(name): _plain(part) for name, part in value.items()}
    if isinstance(value, list):
        return _plain_list(value)
    if isinstance(value, datetime.date) and not isinstance(value, datetime.datetime):
        return value.isoformat()
    return value


def _plain_list(values: list[Any]) -> Any:  # noqa: ANN401
    """A list of pairs is a map column: a mapping; else a list."""
    is_map = bool(values) and all(isinstance(one, tuple) and len(one) == 2 for one in values)
    return {str(key): _plain(part) for key, part in values} if is_map else [_plain(part) for part in values]
