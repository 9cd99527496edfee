"""Which runs match, with the columns that were asked for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from mlbench.queries.answers import RunRow, RunsAnswer
from mlbench.queries.bind import Binding
from mlbench.queries.chosen import default_columns
from mlbench.queries.columns import BoundColumn, ColumnSpec, bind_column, bind_sort, read_columns, read_sort, value_of
from mlbench.queries.filter import parse
from mlbench.queries.fragment import Sql, joined
from mlbench.queries.heads import HEAD_COLUMNS, HEAD_JOINS, N_HEAD, head_of
from mlbench.queries.reading import Reader
from mlbench.queries.sql import where_sql
from mlbench.queries.tree import AllOf, AnyOf, Curve, Everything, Node, Not, Ref, Word
from mlbench.queries.vocabulary import Vocabulary, runs_text
from mlbench.queries.within import scope_of

__all__ = ["default_columns", "find_runs"]

_NEWEST_FIRST = "r.started DESC NULLS LAST"
_BY_NAME = "r.name, r.id"


@dataclass(frozen=True, slots=True)
class _Statement:
    """The parts of the SELECT over the runs `r`."""

    reader: Reader
    joins: Sequence[Sql]
    """Grows while columns are bound."""
    where: Sql
    order: str
    limit: int | None


def find_runs(
    reader: Reader,
    *,
    where: str = "",
    columns: Sequence[str] | None = (),
    sort: Sequence[str] = (),
    limit: int | None = None,
    within: Sequence[str] = (),
) -> RunsAnswer:
    """The runs that match, in order, with a value for each column.

    Without `sort` the newest come first. Archived runs are left out, and a remark says so, unless the filter asks
    about `archived`.

    Args:
        reader: the catalog.
        where: a filter; '' matches every run.
        columns: column specifications; one argument may hold several with commas between them. Empty: those of
            `default_columns` for the runs found. None: no columns.
        sort: sort specifications, the most important first; ties are broken by name.
        limit: rows at most.
        within: paths; only runs at or below one of them are looked at.

    Raises:
        FilterError: the filter or a specification cannot be understood, or names what no run has.
    """
    filter_ = parse(where)
    specs = _column_specs(columns or ())
    sorts = [read_sort(text) for text in sort]
    scope = scope_of(within)
    binding = Binding(reader, Vocabulary(reader, scope), scope)
    condition = where_sql(filter_, binding)
    asked = tuple(binding.joins)  # what the condition needs; counting does not need the columns
    bound = [bind_column(spec, binding) for spec in specs]
    order = [bind_sort(spec, list(zip(specs, bound, strict=True)), binding) for spec in sorts] or [_NEWEST_FIRST]
    shown = scope if _asks_archived(filter_.tree) else joined("AND", [scope, Sql("NOT r.archived")])
    where_all = joined("AND", [shown, condition])
    statement = _Statement(reader, binding.joins, where_all, ", ".join([*order, _BY_NAME]), limit)
    if columns is not None and not specs:
        usual = default_columns(reader, [row.head.run_id for row in _rows(statement, ())])
        bound = [bind_column(spec, binding) for spec in _column_specs(usual)]
    rows = tuple(_rows(statement, bound))
    is_cut = limit is not None and len(rows) >= limit
    return RunsAnswer(
        columns=tuple(column.column for column in bound),
        rows=rows,
        n_matched=_count(reader, asked, where_all) if is_cut else len(rows),
        n_runs=_count(reader, (), shown),
        remarks=(*binding.remarks, *_left_out(reader, scope, shown, condition, asked)),
    )


def _column_specs(columns: Sequence[str]) -> list[ColumnSpec]:
    return [spec for text in columns for spec in read_columns(text)]


def _rows(statement: _Statement, columns: Sequence[BoundColumn]) -> Iterator[RunRow]:
    values = [expression for column in columns for expression in column.bound.value]
    sql = (
        f"SELECT {', '.join([HEAD_COLUMNS, *values])} FROM runs r {HEAD_JOINS} "
        f"{' '.join(join.text for join in statement.joins)} WHERE {statement.where.text} ORDER BY {statement.order}"
    )
    parameters = [value for part in (*statement.joins, statement.where) for value in part.parameters]
    if statement.limit is not None:
        sql, parameters = f"{sql} LIMIT ?", [*parameters, max(statement.limit, 0)]
    for row in statement.reader.rows(sql, parameters):
        cells = iter(row[N_HEAD:])
        yield RunRow(
            head_of(row),
            tuple(value_of(column.bound, [next(cells) for _ in column.bound.value]) for column in columns),
        )


def _count(reader: Reader, joins: Sequence[Sql], where: Sql) -> int:
    sql = f"SELECT count(*) FROM runs r {' '.join(join.text for join in joins)} WHERE {where.text}"
    return int(reader.rows(sql, [value for part in (*joins, where) for value in part.parameters])[0][0])


def _left_out(reader: Reader, scope: Sql, shown: Sql, condition: Sql, asked: Sequence[Sql]) -> Iterator[str]:
    if shown is scope:
        return
    archived = joined("AND", [scope, Sql("r.archived")])
    if not _count(reader, (), archived):
        return
    if n := _count(reader, asked, joined("AND", [archived, condition])):
        verb = "matches but is" if n == 1 else "match but are"
        yield f"{runs_text(n)} {verb} archived and left out; to see all add: archived in (true, false)"


def _asks_archived(node: Node) -> bool:
    match node:
        case Not(part):
            return _asks_archived(part)
        case AllOf(parts) | AnyOf(parts):
            return any(map(_asks_archived, parts))
        case Curve() | Word() | Everything():
            return False
        case _:
            return isinstance(node.left, Ref) and (node.left.kind, node.left.name) == ("field", "archived")
