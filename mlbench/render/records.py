"""Records: exact values under keys, and the formats that other programs (or papers) read them in."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from mlbench.dataclass import dataclass
from mlbench.errors import UsageError
from mlbench.render.cells import Cell
from mlbench.render.numbers import iso, value_exact, value_text
from mlbench.render.prose import prose
from mlbench.render.table import Table, heading
from mlbench.safe import csv_cell, latex_text, tsv_cell

if TYPE_CHECKING:
    import pyarrow as pa

    from mlbench.queries.answers import Value


_NEEDS_QUOTES = re.compile('[",\r\n]')


@dataclass(frozen=True, slots=True)
class Records:
    """Rows of exact values; texts are still as the logs have them."""

    keys: tuple[str, ...]
    """Different from each other."""
    rows: tuple[tuple[Value, ...], ...]
    """Each row has a value for every key; None where there is none."""


def unique_keys(keys: Sequence[str]) -> tuple[str, ...]:
    """The keys, the second of two equal ones as `key#2`: an object cannot hold both under one name."""
    seen: dict[str, int] = {}
    made: list[str] = []
    for key in keys:
        seen[key] = seen.get(key, 0) + 1
        made.append(key if seen[key] == 1 else f"{key}#{seen[key]}")
    return tuple(made)


def json_value(value: Value) -> object:
    """A value as JSON has it. JSON knows no NaN and no infinity: they are the texts `NaN`, `Infinity`, `-Infinity`.

    Times are ISO 8601 in UTC, tags a list, None is null.
    """
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    if isinstance(value, datetime):
        return iso(value)
    return list(value) if isinstance(value, tuple) else value


def json_text(value: object, *, indent: int | None = None) -> str:
    """JSON with readable letters of all scripts, safe to show: what is invisible or unprintable is escaped."""
    text = json.dumps(value, ensure_ascii=False, indent=indent, allow_nan=False)
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() or char == "\n" else json.dumps(char)[1:-1] for char in text)


def _objects(records: Records) -> list[dict[str, object]]:
    return [
        {key: json_value(value) for key, value in zip(records.keys, row, strict=True)} for row in records.rows
    ]  # fmt: skip


def to_json(records: Records) -> str:
    """A list of objects, one on each line."""
    if not records.rows:
        return "[]\n"
    return "[\n" + ",\n".join("  " + json_text(item) for item in _objects(records)) + "\n]\n"


def to_jsonl(records: Records) -> str:
    """One object on each line."""
    return "".join(json_text(item) + "\n" for item in _objects(records))


def to_tsv(records: Records) -> str:
    """Tabs between, a line of keys first, no quotes: tabs and line ends in texts are shown as symbols."""
    return "".join("\t".join(map(tsv_cell, line)) + "\n" for line in _exact_lines(records))


def to_csv(records: Records) -> str:
    """RFC 4180 with a line of keys first. Texts that a spreadsheet would take for a formula begin with `'`."""
    return "".join(_csv_line([csv_cell(text) for text in line]) for line in _exact_lines(records))


def _csv_line(cells: Sequence[str]) -> str:
    """Cells with quotes where they need them (the csv module leaves carriage returns bare), lines ended as here."""
    quoted = ['"' + cell.replace('"', '""') + '"' if _NEEDS_QUOTES.search(cell) else cell for cell in cells]
    return (",".join(quoted) or '""') + "\n"


def _exact_lines(records: Records) -> list[list[str]]:
    return [list(records.keys), *([value_exact(value) for value in row] for row in records.rows)]


def is_numeric(records: Records, index: int) -> bool:
    """Whether a column holds numbers (and nothing else but gaps), so that it stands right."""
    values = [row[index] for row in records.rows if row[index] is not None]
    return bool(values) and all(isinstance(value, int | float) and not isinstance(value, bool) for value in values)


def to_markdown(records: Records) -> str:
    """A table with four significant digits; nothing in it is live."""
    columns = range(len(records.keys))
    rules = ["---:" if is_numeric(records, index) else "---" for index in columns]
    lines = [[prose(key) for key in records.keys], rules]
    lines += [[prose(value_text(value)) for value in row] for row in records.rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def to_latex(records: Records) -> str:
    """A `tabular` with four significant digits and the rules of the booktabs package."""
    columns = "".join("r" if is_numeric(records, index) else "l" for index in range(len(records.keys)))
    lines = [rf"\begin{{tabular}}{{{columns}}}", r"\toprule", _latex_row(list(records.keys)), r"\midrule"]
    lines += [_latex_row([value_text(value) for value in row]) for row in records.rows]
    return "\n".join([*lines, r"\bottomrule", r"\end{tabular}", ""])


def _latex_row(texts: Sequence[str]) -> str:
    return " & ".join(map(latex_text, texts)) + r" \\"


def to_arrow(records: Records) -> pa.Table:
    """An Arrow table with exact values; a column of mixed types becomes text."""
    import pyarrow as pa

    columns = list(zip(*records.rows, strict=True)) if records.rows else [()] * len(records.keys)
    return pa.table([_arrow_column(column) for column in columns], names=[_valid(key) for key in records.keys])


def _arrow_column(values: Sequence[Value]) -> pa.Array:
    import pyarrow as pa

    kinds = {type(value) for value in values if value is not None}
    if kinds == {tuple}:
        lists = [[_valid(tag) for tag in value] if isinstance(value, tuple) else None for value in values]
        return pa.array(lists, pa.list_(pa.string()))
    if kinds == {bool}:
        return pa.array(list(values), pa.bool_())
    if kinds == {datetime}:
        return pa.array(list(values), pa.timestamp("us", tz="UTC"))
    if kinds == {int} and _are_within(values, 2**63):
        return pa.array(list(values), pa.int64())
    if kinds and kinds <= {int, float} and _are_within(values, 2**53):
        return pa.array([float(v) if isinstance(v, int | float) else None for v in values], pa.float64())
    return pa.array([None if value is None else _valid(value_exact(value)) for value in values], pa.string())


def _are_within(values: Sequence[Value], limit: int) -> bool:
    """Whether all integers fit: longer ones (parameters may be) make a column of texts, with every digit."""
    return all(-limit <= value < limit for value in values if isinstance(value, int))


def _valid(text: str) -> str:
    """Lone surrogates (bytes of names that are not UTF-8) have no place in UTF-8 columns."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def records_table(records: Records) -> Table:
    """The records as a table for people, without a look of its own: four significant digits, gaps blank."""
    aligns = ["number" if is_numeric(records, index) else "left" for index in range(len(records.keys))]
    rows = tuple(
        tuple(Cell(value_text(value), align=align) for value, align in zip(row, aligns, strict=True))
        for row in records.rows
    )
    return Table(tuple(heading(key, align=align) for key, align in zip(records.keys, aligns, strict=True)), rows)


def to_parquet(records: Records) -> bytes:
    """A Parquet file with exact values."""
    from mlbench.render.export import parquet_bytes

    return parquet_bytes(to_arrow(records))


_WRITERS: Mapping[str, Callable[[Records], str | bytes]] = {
    "json": to_json,
    "jsonl": to_jsonl,
    "csv": to_csv,
    "tsv": to_tsv,
    "markdown": to_markdown,
    "latex": to_latex,
    "parquet": to_parquet,
}
FORMATS: tuple[str, ...] = ("table", *_WRITERS)
"""What `--format` takes. `table` is laid out by `table.layout`, since it needs the width of the terminal."""


def write(records: Records, form: str) -> str | bytes:
    """The records in one of `FORMATS` but `table`; bytes for `parquet`, else text that ends in a newline.

    Raises:
        UsageError: there is no such format.
    """
    writer: Callable[[Records], Any] | None = _WRITERS.get(form)
    if writer is None:
        raise UsageError(f"no format '{form}'. Try one of: {', '.join(FORMATS)}")
    result: str | bytes = writer(records)
    return result
