"""Which runs match, with the columns that were asked for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import accumulate
from typing import Any

from mlbench.dataclass import dataclass
from mlbench.queries.answers import RunRow, RunsAnswer
from mlbench.queries.bind import Binding, Bound
from mlbench.queries.chosen import default_columns
from mlbench.queries.columns import (
    BoundColumn,
    ColumnSpec,
    bind_column,
    bind_sort,
    getter_of,
    order_sql,
    read_columns,
    read_sort,
)
from mlbench.queries.filter import parse
from mlbench.queries.fragment import Sql, joined
from mlbench.queries.heads import HEAD_COLUMNS, N_HEAD, head_of
from mlbench.queries.mistakes import shown as quoted
from mlbench.queries.reading import Reader
from mlbench.queries.sql import where_sql
from mlbench.queries.tree import AllOf, AnyOf, Curve, Everything, Node, Not, Ref, Word
from mlbench.queries.vocabulary import Vocabulary, runs_text
from mlbench.queries.within import scope_of

__all__ = ["default_columns", "find_runs"]

_NEWEST_FIRST = "r.started DESC NULLS LAST"
_BY_NAME = "r.name, r.id"
FEW_ROWS = 1_000
"""Rows whose columns are looked up once they are found, so that filter and sort carry nothing but ids."""


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked of the runs `r`."""

    binding: Binding
    where: Sql
    order: str
    limit: int | None = None

    def found(self) -> tuple[list[tuple[int, str]], int]:
        """Number and id of the runs, in order, and how many there are without the limit."""
        columns = "r.run_no, r.id" if self.limit is None else "r.run_no, r.id, count(*) OVER ()"
        rows = self.select(columns, order=self.order, limit=self.limit)
        runs = [(run_no, run_id) for run_no, run_id, *_n in rows]
        if self.limit == 0:
            return runs, self.count(self.where)
        return runs, rows[0][2] if rows and self.limit is not None else len(rows)

    def rows_of(self, run_nos: Sequence[int], columns: Sequence[BoundColumn]) -> Iterator[RunRow]:
        """The rows of these runs, which were found; in no order."""
        is_few = len(run_nos) <= FEW_ROWS
        those = Sql("r.run_no IN (SELECT unnest(CAST(? AS INTEGER[])))", (list(run_nos),)) if is_few else self.where
        values = [expression for column in columns for expression in column.bound.value]
        starts = accumulate((len(column.bound.value) for column in columns), initial=N_HEAD)
        getters = [getter_of(column.bound, start) for column, start in zip(columns, starts, strict=False)]
        for row in self.select(", ".join([HEAD_COLUMNS, *values]), where=those):
            yield RunRow(head_of(self.binding.reader, row), tuple([get(row) for get in getters]))

    def count(self, where: Sql) -> int:
        """How many runs there are."""
        return int(self.select("count(*)", where=where)[0][0])

    def select(
        self, columns: str, *, where: Sql | None = None, group: str = "", order: str = "", limit: int | None = None
    ) -> list[tuple[Any, ...]]:
        """The rows of `statement`."""
        sql = self.statement(columns, where=where, group=group, order=order, limit=limit)
        return self.binding.reader.rows(sql.text, sql.parameters)

    def statement(
        self, columns: str, *, where: Sql | None = None, group: str = "", order: str = "", limit: int | None = None
    ) -> Sql:
        """A statement over the runs, by default over those of the question, with those joins alone that it names."""
        where = self.where if where is None else where
        tail = " ".join(f"{word} {terms}" for word, terms in (("GROUP BY", group), ("ORDER BY", order)) if terms)
        named = f"{columns} {where.text} {tail}"
        joins = [join for place, join in enumerate(self.binding.joins) if f"j{place}." in named]
        joined_to = " ".join(join.text for join in joins)
        runs = self.binding.reader.runs(f"{named} {joined_to}")
        # Bound as a parameter the limit comes too late for DuckDB to plan with it: it would sort all that match.
        end = "" if limit is None else f"LIMIT {limit:d}"
        sql = f"SELECT {columns} FROM {runs} AS r {joined_to} WHERE {where.text} {tail} {end}"
        return Sql(sql, tuple(value for part in (*joins, where) for value in part.parameters))


@dataclass(frozen=True, slots=True)
class Understood:
    """A question whose names are known."""

    question: Question
    columns: tuple[BoundColumn, ...]
    sorts: tuple[Bound, ...]
    scope: Sql
    condition: Sql
    """The filter alone, without the scope."""
    words: tuple[str, ...]
    """Of the filter, those that are looked for as text."""
    shown: Sql
    """The scope without the archived runs, where the filter does not ask about them."""

    def n_runs(self) -> int:
        """Runs in the scope, before the filter."""
        if not self._has_archived:
            return self.question.binding.vocabulary.n_runs
        return self.question.count(self.shown)

    def remarks(self) -> tuple[str, ...]:
        """How bare names were understood, and how many archived runs are left out."""
        left_out = _left_out(self.question, self.scope, self.condition) if self._has_archived else ()
        return (*self.question.binding.remarks, *left_out)

    @property
    def _has_archived(self) -> bool:
        return self.shown is not self.scope and bool(self.question.binding.reader.words.archived)


def understand(
    reader: Reader, *, where: str = "", columns: Sequence[str] = (), sort: Sequence[str] = (),
    within: Sequence[str] = (), limit: int | None = None,
) -> Understood:  # fmt: skip
    """Resolve the names of a question; the arguments are those of `find_runs`.

    Raises:
        FilterError: the filter or a specification cannot be understood, or names what no run has.
    """
    filter_ = parse(where)
    specs = _column_specs(columns)
    sorts = [read_sort(text) for text in sort]
    scope = scope_of(within)
    binding = Binding(reader, Vocabulary(reader, scope), scope)
    condition = where_sql(filter_, binding)
    bound = [bind_column(spec, binding) for spec in specs]
    keys = [bind_sort(spec, list(zip(specs, bound, strict=True)), binding) for spec in sorts]
    order = [order_sql(key, is_descending=spec.is_descending) for key, spec in zip(keys, sorts, strict=True)]
    shown = scope if _asks_archived(filter_.tree) else joined("AND", [scope, Sql("NOT r.archived")])
    question = Question(
        binding,
        joined("AND", [shown, condition]),
        ", ".join([*(order or [_NEWEST_FIRST]), _BY_NAME]),
        None if limit is None else max(limit, 0),
    )
    return Understood(question, tuple(bound), tuple(keys), scope, condition, tuple(_words(filter_.tree)), shown)


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
    asked = understand(reader, where=where, columns=columns or (), sort=sort, within=within, limit=limit)
    question, bound = asked.question, list(asked.columns)
    found, n_matched = question.found()
    if columns is not None and not bound:
        usual = default_columns(reader, [run_id for _run_no, run_id in found])
        bound = [bind_column(spec, question.binding) for spec in _column_specs(usual)]
    rows = {row.head.run_id: row for row in question.rows_of([run_no for run_no, _run_id in found], bound)}
    remarks = asked.remarks()
    if not n_matched:
        told = "\n".join(remarks)
        remarks += tuple(_sought(word) for word in asked.words if quoted(word) not in told)
    return RunsAnswer(
        columns=tuple(column.column for column in bound),
        rows=tuple(rows[run_id] for _run_no, run_id in found),
        n_matched=n_matched,
        n_runs=asked.n_runs(),
        remarks=remarks,
    )


def _column_specs(columns: Sequence[str]) -> list[ColumnSpec]:
    return [spec for text in columns for spec in read_columns(text)]


def _left_out(question: Question, scope: Sql, condition: Sql) -> Iterator[str]:
    if n := question.count(joined("AND", [scope, Sql("r.archived"), condition])):
        verb = "matches but is" if n == 1 else "match but are"
        yield f"{runs_text(n)} {verb} archived and left out; to see all add: archived in (true, false)"


def _words(node: Node) -> Iterator[str]:
    """Those that must be found; of what must not be (`not debug`) nothing is said."""
    match node:
        case AllOf(parts) | AnyOf(parts):
            for part in parts:
                yield from _words(part)
        case Word(text):
            yield text


def _sought(word: str) -> str:
    """Said where nothing matches: `duration > 3 parsecs` looks for a text, too."""
    return f"{quoted(word)} was looked for as text, in names, parameters, tags and notes"


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
