"""Column and sort specifications: `params.lr`, `min(metrics.val/loss) as best`, `metrics.acc:desc`."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from operator import itemgetter
from typing import Any

from mlbench.dataclass import dataclass
from mlbench.queries.answers import Column, Value
from mlbench.queries.bind import Binding, Bound
from mlbench.queries.goals import goal_of
from mlbench.queries.lexer import Kind
from mlbench.queries.operands import Cursor, read_operand
from mlbench.queries.tree import Curve, Literal, Operand, Ref, quote_name


@dataclass(frozen=True, slots=True)
class ColumnSpec:
    """One column as it was asked for."""

    operand: Operand
    text: str
    """As it was typed, without alias."""
    alias: str = ""
    typed: str = ""
    """The whole argument, for carets."""


@dataclass(frozen=True, slots=True)
class SortSpec:
    """One sort key. `alias` is the text where it may name a column's alias."""

    column: ColumnSpec
    is_descending: bool


@dataclass(frozen=True, slots=True)
class BoundColumn:
    column: Column
    bound: Bound


def read_columns(text: str) -> tuple[ColumnSpec, ...]:
    """The columns of one argument: specifications with commas between them, each perhaps with `as ALIAS`.

    Raises:
        FilterError: one is no specification.
    """
    cursor = Cursor(text)
    specs = []
    while True:
        specs.append(_read_column(cursor))
        if cursor.peek().kind is Kind.END:
            return tuple(specs)
        cursor.expect(Kind.COMMA, "a ',' stands between columns. Try: params.lr, min(metrics.val/loss) as best")


def _read_column(cursor: Cursor) -> ColumnSpec:
    start = cursor.peek()
    operand = _read_value(cursor)
    end = cursor.peek()
    text = cursor.text[start.at : end.at].strip()
    if end.keyword != "as":
        return ColumnSpec(operand, text, "", cursor.text)
    cursor.take()
    alias = cursor.take()
    if alias.kind not in {Kind.WORD, Kind.NAME, Kind.TEXT} or not alias.text:
        raise cursor.mistake("a name is missing after 'as'. Try: min(metrics.val/loss) as best", alias.at)
    return ColumnSpec(operand, text, alias.text, cursor.text)


def _read_value(cursor: Cursor) -> Operand:
    token = cursor.peek()
    if token.kind not in {Kind.WORD, Kind.NAME, Kind.TEXT}:
        raise cursor.mistake("a column is missing here. Try: params.lr", token.at)
    operand = read_operand(cursor)
    if isinstance(operand, Curve):
        raise cursor.mistake(f"{operand.how}(...) asks a question: it stands in filters, not in columns", token.at)
    # A name with blanks is often typed between single quotes; there is nothing else that it could mean here.
    return Ref("bare", operand.text, operand.at) if isinstance(operand, Literal) else operand


def read_sort(text: str) -> SortSpec:
    """A sort key: a column, perhaps with `:desc`, `:asc`, ` desc` or ` asc` behind it.

    Raises:
        FilterError: it is no column.
    """
    match = re.fullmatch(r"(.+?)(?:\s*:\s*|\s+)(asc|desc)", text.strip(), re.IGNORECASE | re.DOTALL)
    spec, order = (match[1], match[2].lower()) if match else (text, "asc")
    cursor = Cursor(spec)
    column = ColumnSpec(_read_value(cursor), spec.strip(), "", text)
    cursor.expect(Kind.END, "a sort key is one column. Try: metrics.val/loss:desc")
    return SortSpec(column, order == "desc")


def bind_column(spec: ColumnSpec, binding: Binding) -> BoundColumn:
    """Resolve a column.

    Raises:
        FilterError: no run in the scope has it.
    """
    bound = binding.bind(spec.operand, spec.typed)
    is_metric = bound.source == "metric"
    goal = goal_of(binding.reader, bound.key)[0] if is_metric and bound.key else ""
    is_plain = isinstance(spec.operand, Ref) and bound.source in {"param", "metric"}
    title = spec.alias or (spec.operand.name if is_plain and isinstance(spec.operand, Ref) else spec.text)
    return BoundColumn(Column(spec.text, title, bound.source, goal, spec.alias), bound)


def bind_sort(spec: SortSpec, columns: Sequence[tuple[ColumnSpec, BoundColumn]], binding: Binding) -> Bound:
    """What a sort key sorts by; it may name a column by its alias.

    Raises:
        FilterError: no run in the scope has it.
    """
    for column, known in columns:
        if column.alias and column.alias == spec.column.text:
            return known.bound
    return binding.bind(spec.column.operand, spec.column.typed)


def order_sql(bound: Bound, *, is_descending: bool) -> str:
    """ORDER BY terms: numbers before texts, missing values and NaN last in either direction."""
    direction = "DESC NULLS LAST" if is_descending else "ASC NULLS LAST"
    if not bound.text:
        return f"CASE WHEN isnan({bound.number}) THEN NULL ELSE {bound.number} END {direction}"
    if not bound.number:
        return f"{bound.text} {direction}"
    return f"{bound.number} {direction}, CASE WHEN ({bound.number}) IS NULL THEN {bound.text} END {direction}"


def value_of(bound: Bound, cells: Sequence[Any]) -> Value:
    """A cell's value from the expressions in `bound.value`."""
    if bound.kind == "param":
        return param_value(*cells)
    (cell,) = cells
    return tuple(cell or ()) if bound.kind == "tag" else cell


def getter_of(bound: Bound, start: int) -> Callable[[Sequence[Any]], Value]:
    """What gives `value_of` the cells from `start` on of a row; for many rows."""
    if bound.kind == "param":
        number, text = start + 1, start + 2
        return lambda row: param_value(row[start], row[number], row[text])
    if bound.kind == "tag":
        return lambda row: tuple(row[start] or ())
    return itemgetter(start)


def param_value(kind: str | None, number: float | None, text: str | None) -> Value:
    """A parameter's value from its type, number and text in the catalog; lists and mappings stay JSON text."""
    match kind:
        case "bool":
            return text == "true"
        case "int" if text is not None:
            return int(text)
        case "float":
            return number
        case None | "null":
            return None
        case _:
            return text


def metric_spec(metric: str) -> str:
    """The column specification of a metric's last value."""
    return quote_name("metric", metric)


def param_spec(key: str) -> str:
    """The column specification of a parameter."""
    return quote_name("param", key)
