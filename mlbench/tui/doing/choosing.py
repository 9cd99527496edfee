"""Choosing runs: the query, marks, order and columns."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

from mlbench.queries.answers import Value
from mlbench.queries.tree import quote_text
from mlbench.render.numbers import value_exact
from mlbench.tui.actions import COMPARE
from mlbench.tui.completion import complete_column, complete_query, fitting, matching
from mlbench.tui.desk import TYPING_DELAY_S, Desk
from mlbench.tui.doing.moving import list_of
from mlbench.tui.doing.types import Handler
from mlbench.tui.prompts import Prompt
from mlbench.tui.session import Vocabulary
from mlbench.tui.view import Marks

_OR = re.compile(r"\bor\b", re.IGNORECASE)
"""Binds less than `and`: what stands around it is put in parentheses, in vain where it is a text."""

# ---------------------------------------------------------------- the query


def edit_query(desk: Desk, _n: int) -> None:
    """Open the query; the table follows while it is typed, and esc brings the old one back."""
    before = desk.good.query

    def changed(typed: str) -> None:
        desk.host.later("query", TYPING_DELAY_S, lambda: desk.with_view(query=typed.strip()))

    def settle(query: str) -> None:
        """Take the query that holds from now on, with the columns that its runs differ in."""
        is_asked = desk.view.query == query
        desk.with_view(query=query)
        if is_asked and desk.tabling.has_held_columns:
            desk.ask_runs()

    def accepted(typed: str) -> None:
        desk.host.later("query", 0, lambda: settle(typed.strip()))

    def cancelled() -> None:
        desk.typed_error = ""
        desk.host.later("query", 0, lambda: settle(before))

    desk.ask_user(
        Prompt(
            "/",
            accepted,
            text=desk.view.query,
            on_change=changed,
            on_cancel=cancelled,
            complete=lambda typed, cursor: complete_query(typed, cursor, desk.answers.names),
            hint="lr>=1e-3 and metrics.val/loss < 0.3   status = finished   tag:best   -note:debug   words",
            history="query",
            refuses=lambda typed: bool(desk.typed_error) and typed.strip() == desk.failed_query,
        )
    )


def keep_value(desk: Desk, *, is_dropped: bool) -> None:
    """Keep, or drop, the runs that have the value under the cursor: the query says so, for all to see."""
    found = _value_at_cursor(desk)
    if found is None:
        desk.say("there is no value here to keep or drop", "muted")
        return
    keep_condition(desk, *found, is_dropped=is_dropped)


def keep_condition(desk: Desk, spec: str, value: Value, *, is_dropped: bool = False) -> None:
    """Narrow the query to the runs that have a value, or that do not have it."""
    condition = condition_of(spec, value)
    condition = f"not {condition}" if is_dropped else condition
    old = desk.view.query
    desk.with_view(query=f"{f'({old})' if _OR.search(old) else old} and {condition}" if old else condition)


def column_at_cursor(desk: Desk) -> str:
    """Specification of the column under the cursor, '' where it holds nothing that can be compared."""
    column = desk.panes.table.current_column
    return column.spec if column is not None else ""


def condition_of(spec: str, value: Value) -> str:
    """The comparison that a value fulfils, as a filter has it."""
    if value is None:
        return f"{spec} is null"
    if isinstance(value, tuple):
        return " and ".join(f"tag = {quote_text(tag)}" for tag in value) or "tag is null"
    return f"{spec} = {quote_text(value_exact(value))}"


def _value_at_cursor(desk: Desk) -> tuple[str, Value] | None:
    if desk.view.pane == COMPARE:
        return _compared_value(desk)
    column, row = desk.panes.table.current_column, desk.panes.table.current
    if row is None or column is None or not column.spec:
        return None
    return (column.spec, row.head.name) if column.index is None else (column.spec, row.values[column.index])


def _compared_value(desk: Desk) -> tuple[str, Value] | None:
    """The first run's value of the parameter in the row of the comparison."""
    from mlbench.queries.columns import param_spec

    view, diff = list_of(desk), desk.answers.diff
    section, _colon, key = view.current_key.partition(":") if view else ("", "", "")
    if diff is None or section != "params":
        return None
    row = next((row for row in diff.params if row.key == key), None)
    return (param_spec(key), row.cells[0].raw) if row else None


# ---------------------------------------------------------------- marks


def mark(desk: Desk, n: int) -> None:
    """Toggle the mark of this run, or of all runs of this group; with a number mark that many from here on."""
    table = desk.panes.table
    ids = table.ids_of(table.cursor, table.cursor + n)
    if not ids:
        return
    if n == 1 and all(run_id in desk.view.marks for run_id in ids):
        desk.with_view(marks=desk.view.marks.without(ids), range_start="")
    else:
        desk.with_view(range_start="")
        desk.tabling.mark(ids)


def mark_range(desk: Desk, _n: int) -> None:
    """Begin a range, or mark the one that was begun."""
    listing = desk.tabling.rows.listing
    start = listing.place_of(desk.view.range_start) if desk.view.range_start else None
    end = listing.place_of(desk.panes.table.current_id)
    if start is None or end is None:
        desk.with_view(range_start=desk.view.cursor)
        desk.say(
            f"{desk.key('runs.range')} again marks from here to there; {desk.key('runs.unmark')} leaves it",
            "muted",
        )
        return
    first, last = sorted((start, end))
    desk.with_view(range_start="")
    desk.tabling.mark(listing.ids[first : last + 1])


def mark_all(desk: Desk, _n: int) -> None:
    """Mark all runs that are shown, in their order."""
    desk.with_view(range_start="")
    desk.tabling.mark(desk.tabling.rows.listing.ids)


def unmark(desk: Desk, _n: int) -> None:
    """Leave the range; without one take all marks away."""
    if desk.view.range_start:
        desk.with_view(range_start="")
    elif desk.view.marks:
        desk.with_view(marks=Marks())


# ---------------------------------------------------------------- order and columns


def sort_spec(desk: Desk, spec: str, *, goal: str = "") -> None:
    """Sort by a column: best first, then the other way round, then not at all."""
    first, second = (f"{spec}:desc", spec) if goal == "max" else (spec, f"{spec}:desc")
    current = desk.view.sort[0] if desk.view.sort else ""
    following = {first: second, second: ""}.get(current, first)
    desk.goes_to_top = True
    desk.with_view(sort=(following,) if following else ())


def sort_column(desk: Desk, _n: int) -> None:
    """Sort by the column under the column cursor."""
    column = desk.panes.table.current_column
    found = desk.answers.found
    if column is None or found is None:
        return
    if not column.spec:
        desk.say(f"this column has no order. {desk.key('runs.sort_by')} sorts by any other", "muted")
        return
    goals = {each.spec: each.goal for each in found.answer.columns}
    sort_spec(desk, column.spec, goal="max" if column.spec == "started" else goals.get(column.spec, ""))


def sort_by(desk: Desk, _n: int) -> None:
    """Sort by a column that is named; nothing takes the order away."""
    desk.ask_user(
        Prompt(
            "sort by",
            lambda text: sort_as_typed(desk, text),
            complete=lambda text, cursor: complete_column(text, cursor, desk.answers.names, first=_shown_specs(desk)),
            hint="a few letters of a column: v/l; :desc or :asc behind it; nothing for the newest first",
            history="sort",
        )
    )


def sort_as_typed(desk: Desk, typed: str) -> None:
    """Sort by what was typed; nothing takes the order away."""
    desk.goes_to_top = True
    spelt = spelt_sort(typed.strip(), desk.answers.names, _shown_specs(desk)) if typed.strip() else ""
    desk.with_view(sort=(spelt,) if spelt else ())


def _shown_specs(desk: Desk) -> tuple[str, ...]:
    """Columns of the table: what the runs in it have is meant rather than what others have."""
    found = desk.answers.found
    return tuple(column.spec for column in found.answer.columns) if found else ()


def spelt_sort(typed: str, names: Vocabulary, shown: Sequence[str] = ()) -> str:
    """The order that was meant: `v/l` is `metrics.val/loss`, and a metric without `:asc` or `:desc` has its best first.

    What has brackets, or fits no name, stays as it was typed: the query language then says what is wrong with it.

    Args:
        typed: not empty.
        names: all there are.
        shown: columns of the table, taken before others that fit as well.
    """
    from mlbench.queries.columns import metric_spec, param_spec
    from mlbench.queries.goals import guess_goal

    bare, order = next(
        ((typed[: -len(end)].strip(), end) for end in (":desc", ":asc") if typed.endswith(end)), (typed, "")
    )
    if "(" in bare or " at " in bare or "," in bare:
        return typed
    known = {metric_spec(metric): guess_goal(metric) for metric in names.metrics}
    known |= {**dict.fromkeys(map(param_spec, names.params), ""), **dict.fromkeys(names.fields, "")}
    by_bare = {spec.removeprefix("metrics.").removeprefix("params."): spec for spec in reversed(known)}
    meant = fitting(bare, matching(bare, known, most=len(known)), first=shown)
    spec = bare if bare in known else by_bare.get(bare) or next(iter(meant), bare)
    return spec + (order or (":desc" if known.get(spec) == "max" else ""))


def show_details(desk: Desk, _n: int) -> None:
    """All that is known of the run under the cursor, in a pane of its own."""
    if desk.view.cursor:
        desk.change(replace(desk.view, shown_run=desk.view.cursor, pane="run"))


HANDLERS: Mapping[str, Handler] = {
    "app.query": edit_query,
    "runs.keep": lambda desk, _n: keep_value(desk, is_dropped=False),
    "runs.drop": lambda desk, _n: keep_value(desk, is_dropped=True),
    "runs.mark": mark,
    "runs.range": mark_range,
    "runs.mark_all": mark_all,
    "runs.unmark": unmark,
    "runs.sort": sort_column,
    "runs.sort_by": sort_by,
}
