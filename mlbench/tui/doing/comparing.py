"""The comparison: what it shows, and what a row of it does."""

from __future__ import annotations

from collections.abc import Mapping

from mlbench.tui.actions import RUN
from mlbench.tui.desk import Desk
from mlbench.tui.doing.choosing import sort_spec
from mlbench.tui.doing.moving import list_of
from mlbench.tui.doing.types import Handler


def sort_by_row(desk: Desk, _n: int) -> None:
    """Sort the runs by the parameter or metric of this row."""
    from mlbench.queries.columns import metric_spec, param_spec

    view, diff = list_of(desk), desk.answers.diff
    section, _colon, key = view.current_key.partition(":") if view else ("", "", "")
    if section == "params":
        sort_spec(desk, param_spec(key))
    elif section == "metrics" and diff is not None:
        goal = next((row.goal for row in diff.metrics if row.metric == key), "")
        sort_spec(desk, metric_spec(key), goal=goal)
    else:
        desk.say("runs can be sorted by parameters and metrics", "muted")
        return
    if desk.view.sort:
        desk.say(f"sorted by {desk.view.sort[0]}", "muted")


def go_to_section(number: int) -> Handler:
    """The handler for a section, 1 is the first."""

    def go(desk: Desk, _n: int) -> None:
        if (view := list_of(desk)) is not None:
            view.go_to_section(number - 1)
            if desk.view.pane == RUN:
                desk.inspector.follow_cursor()

    return go


HANDLERS: Mapping[str, Handler] = {
    "compare.all": lambda desk, _n: desk.with_view(has_all=not desk.view.has_all),
    "compare.deltas": lambda desk, _n: desk.with_view(as_deltas=not desk.view.as_deltas),
    "compare.transpose": lambda desk, _n: desk.with_view(is_transposed=not desk.view.is_transposed),
    "compare.code": lambda desk, _n: desk.with_view(has_code=not desk.view.has_code),
    "compare.sort": sort_by_row,
    **{f"lists.section_{n}": go_to_section(n) for n in range(1, 9)},
}
