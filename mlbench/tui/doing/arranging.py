"""Menus over the table: groups and their folding, the values of a column, the columns, and saved views."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from mlbench.render.numbers import number, value_text
from mlbench.tui.desk import Desk
from mlbench.tui.doing.choosing import column_at_cursor, keep_condition, show_details
from mlbench.tui.doing.types import Handler
from mlbench.tui.keeping import MOST_MARKS
from mlbench.tui.menu import Choice, Menu
from mlbench.tui.prompts import Prompt
from mlbench.tui.view import Marks

if TYPE_CHECKING:
    from mlbench.queries.views import SavedView
    from mlbench.tui.session import Facet, SavedViews

SETTING = "setting"
NO_GROUPS = "no groups"
GROUP_FIELDS = ("project", "group", "status", "tag", "user", "host", "git.commit")
_AGGREGATES = ("best({})", "min({})", "max({})", "first({})")


# ---------------------------------------------------------------- groups


def choose_groups(desk: Desk, _n: int) -> None:
    """Group by all but seeds, by a parameter or by a field."""
    from mlbench.queries.columns import param_spec

    found = desk.answers.found
    shown = [column for column in found.answer.columns if column.kind == "param"] if found else []
    others = [param_spec(key) for key in desk.answers.names.params]
    specs = dict.fromkeys([column.spec for column in shown])
    choices = [
        *([Choice("", NO_GROUPS)] if desk.view.by else []),
        Choice(SETTING, "setting", "all but seeds, names and places"),
        *(Choice(spec, spec.removeprefix("params."), "differs") for spec in specs),
        *(Choice(field, field) for field in GROUP_FIELDS),
        *(Choice(spec, spec.removeprefix("params.")) for spec in others if spec not in specs),
    ]
    desk.ask_user(
        Prompt(
            "group by",
            lambda text: group_by(desk, text),
            menu=Menu(tuple({choice.value: choice for choice in choices}.values())),
            hint="letters narrow the list; columns with commas between are taken, too",
            history="group",
        )
    )


def group_by(desk: Desk, text: str) -> None:
    """Group by columns with commas between them; '' for no groups. The groups are folded at first."""
    desk.goes_to_top = True
    desk.with_view(by=(text.strip(),) if text.strip() else (), opened=frozenset())


def toggle_group(desk: Desk, _n: int) -> None:
    """Open or fold the group under the cursor; on a run show all that is known of it."""
    table = desk.panes.table
    group = table.group_of(table.cursor)
    if group is None:
        show_details(desk, 1)
    else:
        desk.with_view(opened=desk.view.opened ^ {group.keys})


def toggle_all_groups(desk: Desk, _n: int) -> None:
    """Open all groups; if one is open, fold all."""
    groups = desk.tabling.rows.listing.groups
    if not groups:
        desk.say(f"there are no groups. {desk.key('runs.group')} makes some", "muted")
        return
    desk.with_view(opened=frozenset() if desk.view.opened else frozenset(group.keys for group in groups))


# ---------------------------------------------------------------- the values of a column


def show_facet(desk: Desk, _n: int) -> None:
    """Count the values of this column."""
    spec = column_at_cursor(desk)
    found = desk.answers.found
    if not spec or found is None:
        desk.say("this column has no values to count", "muted")
        return
    question = desk.view.question
    desk.waiting.ask("facet", lambda: desk.session.facet(question, spec), lambda facet: _ask_value(desk, facet),
                     lane="table")  # fmt: skip


def _ask_value(desk: Desk, facet: Facet) -> None:
    values = {str(index): group for index, group in enumerate(facet.groups)}
    choices = []
    for index, group in values.items():
        cell = group.cells[0] if group.cells else None
        n = len(group.run_ids)
        said = f"{n:,} {'run' if n == 1 else 'runs'}"
        if cell is not None and isinstance(cell.value, float):
            half = f" ±{number(cell.half, digits=2)}" if cell.half is not None else ""
            said = f"{facet.metric} {number(cell.value)}{half}   {said}"
        key = group.keys[0]
        choices.append(Choice(index, "(none)" if key is None else value_text(key), said))
    more = f", the first {len(choices)} of {facet.n_values:,}" if facet.n_values > len(choices) else ""
    desk.ask_user(
        Prompt(
            f"{facet.spec.removeprefix('params.')[:40]} =",
            lambda index: keep_condition(desk, facet.spec, values[index].keys[0]) if index in values else None,
            menu=Menu(tuple(choices)),
            hint=f"enter keeps the runs with this value{more}; means with their 95 % interval",
        )
    )


# ---------------------------------------------------------------- columns


def choose_columns(desk: Desk, _n: int) -> None:
    """Pick the columns; none brings the usual ones back."""
    from mlbench.queries.columns import metric_spec, param_spec

    found, names = desk.answers.found, desk.answers.names
    shown = list(found.columns) if found else []
    if len(shown) == 1 and found is not None:
        shown = [column.spec for column in found.answer.columns]
    metrics = [metric_spec(metric) for metric in names.metrics]
    choices = [
        *(Choice(spec, spec) for spec in shown),
        *(Choice(spec, spec, "last value") for spec in metrics),
        *(Choice(param_spec(key), param_spec(key)) for key in names.params),
        *(Choice(field, field) for field in names.fields),
        *(Choice(form.format(spec), form.format(spec)) for spec in metrics for form in _AGGREGATES),
        *(Choice(f"{one} at best({two})", f"{one} at best({two})") for one in metrics[:8] for two in metrics[:2]
          if one != two),
    ]  # fmt: skip
    desk.ask_user(
        Prompt(
            "columns",
            lambda text: desk.with_view(columns=(text,) if text else ()),
            menu=Menu(tuple({choice.value: choice for choice in choices}.values()), is_many=True, picked=shown),
            hint="space or tab picks · letters narrow · any specification is taken: min(metrics.val/loss) as best",
            history="columns",
        )
    )


# ---------------------------------------------------------------- views


RUNNING = "status in ('running', 'stalled')"


def open_view(desk: Desk, _n: int) -> None:
    """List the saved views, and open one."""
    desk.waiting.ask("views", desk.session.views, lambda views: _ask_view(desk, views), lane="table")


def _ask_view(desk: Desk, views: SavedViews) -> None:
    from mlbench.queries.views import SavedView

    known = {"running": SavedView(RUNNING), "all runs": SavedView(), **views}
    choices = [Choice(name, name, _told(view)) for name, view in known.items()]

    def accepted(name: str) -> None:
        if name not in known:
            desk.say(f"there is no view '{name}'. {desk.key('app.save_view')} saves what you see as one", "bad")
            return
        view = known[name]
        desk.goes_to_top = True
        desk.with_view(
            query=view.filter, columns=view.columns, sort=view.sort, by=view.group_by, opened=frozenset(),
            range_start="",
        )  # fmt: skip
        if view.runs:
            desk.with_view(marks=Marks())
            desk.tabling.mark(view.runs)

    desk.ask_user(
        Prompt(
            "view",
            accepted,
            menu=Menu(tuple(choices)),
            hint=f"letters narrow the list; {desk.key('app.save_view')} saves what you see",
        )
    )


def _told(view: SavedView) -> str:
    """What a view says, for the list."""
    parts = [view.filter, *(f"by {spec.removeprefix('params.')}" for spec in view.group_by)]
    n = len(view.runs)
    return "   ".join(filter(None, [*parts, f"{n} marked" if n else ""]))


def save_view(desk: Desk, _n: int) -> None:
    """Save query, columns, order, groups and marks under a name, for here and for `mlbench query --selection`."""
    from mlbench.queries.views import SavedView

    seen, n = desk.view, len(desk.view.marks)
    view = SavedView(seen.query, seen.columns, seen.sort, None, seen.by, seen.marks.run_ids[:MOST_MARKS])

    marked = f" and the {min(n, MOST_MARKS)} marked runs" if n else ""

    def accepted(name: str) -> None:
        def word() -> str | None:
            desk.session.save_view(name.strip(), view)
            return (
                f"view {name.strip()} saved   ({desk.key('app.views')} opens it, {desk.key('app.undo')} takes it back)"
            )

        if name.strip():
            desk.say_word(word)

    desk.ask_user(
        Prompt("save view as", accepted, hint=f"query, columns, order, groups{marked}; as mlbench views save does")
    )


HANDLERS: Mapping[str, Handler] = {
    "runs.group": choose_groups,
    "runs.fold_all": toggle_all_groups,
    "runs.facet": show_facet,
    "runs.columns": choose_columns,
    "runs.details": toggle_group,
    "app.views": open_view,
    "app.save_view": save_view,
}
