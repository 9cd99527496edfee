"""The comparison: what it shows, and what a row of it does."""

from __future__ import annotations

from collections.abc import Mapping

from mlbench.tui.actions import RUN
from mlbench.tui.clipboard import shell_line
from mlbench.tui.desk import Desk
from mlbench.tui.doing.choosing import sort_spec
from mlbench.tui.doing.moving import list_of
from mlbench.tui.doing.types import Handler
from mlbench.tui.gallery import LOOK
from mlbench.tui.logged import HISTOGRAMS, MATRICES, choices_of, forget_looks
from mlbench.tui.menu import Choice, Menu
from mlbench.tui.prompts import Prompt

_LOGGED = {LOOK: "image", MATRICES: "confusion matrix", HISTOGRAMS: "histogram"}
"""Looks of the comparison that show one thing of several that were logged, and what it is."""


def sort_by_row(desk: Desk, _n: int) -> None:
    """Sort the runs by the parameter or metric of this row."""
    from mlbench.queries.columns import metric_spec, param_spec

    view, diff = list_of(desk), desk.answers.diff
    section, _colon, key = view.current_key.partition(":") if view else ("", "", "")
    if section == "fold":
        desk.with_view(folds=desk.view.folds ^ {key})
        return
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


def fold_all(desk: Desk, _n: int) -> None:
    """Close all parents of parameters and groups of slices; where all are closed, open them."""
    view = list_of(desk)
    groups = {key.removeprefix("fold:") for key in view.page.keys if key.startswith("fold:")} if view else set()
    parents = {group for group in groups if group.startswith("params:")}
    slices = groups - parents
    are_closed = parents <= desk.view.folds and not slices & desk.view.folds
    desk.with_view(folds=frozenset(slices if are_closed else parents))


def tell_at_best(desk: Desk, _n: int) -> None:
    """Tell all metrics where this row's is best, or no longer."""
    view, diff = list_of(desk), desk.answers.diff
    section, _colon, key = view.current_key.partition(":") if view else ("", "", "")
    row = next((row for row in diff.metrics if row.metric == key), None) if diff and section == "metrics" else None
    if desk.view.at_metric and (row is None or row.metric == desk.view.at_metric):
        desk.with_view(at_metric="")
        desk.say("the values where a metric is best are no longer told", "muted")
    elif row is None:
        desk.say("go to the row of a metric: all are told where that one is best", "muted")
    elif not row.goal:
        command = shell_line(["mlbench", "metric", row.metric, "--goal", "min"])
        desk.say(f"{row.metric} has no goal. Try: {command}", "muted")
    else:
        desk.with_view(at_metric=row.metric)
        desk.say(f"each metric, too, where {row.metric} is best", "muted")


def choose_logged(desk: Desk, _n: int) -> None:
    """Choose one of the names under which the compared runs logged what is shown, and show it."""
    look, names = choices_of(desk)
    if look not in _LOGGED:
        keys = [desk.key(f"compare.{look}") for look in _LOGGED]
        desk.say(f"{keys[0]} shows images, {keys[1]} confusion matrices, {keys[2]} histograms of these runs", "muted")
        return
    choices = [Choice(name, name, f"{n:,} run{'' if n == 1 else 's'}") for name, n in names.items()]
    choose = desk.gallery.choose if desk.gallery.is_open else desk.logged[look].choose
    desk.ask_user(
        Prompt(_LOGGED[look], choose, menu=Menu(tuple(choices)), refuses=lambda name: name not in names,
               hint="a few letters narrow the list")
    )  # fmt: skip


def turn_to(look: str) -> Handler:
    """The handler that shows something in the place of the tables, or the tables again."""

    def turn(desk: Desk, _n: int) -> None:
        forget_looks(desk)  # asked anew: there may be other points, and pictures, by now
        desk.with_view(compare_look="" if desk.view.compare_look == look else look)

    return turn


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
    "compare.code": turn_to("code"),
    "compare.verdict": turn_to("verdict"),
    "compare.images": turn_to(LOOK),
    "compare.matrices": turn_to(MATRICES),
    "compare.histograms": turn_to(HISTOGRAMS),
    "compare.image": choose_logged,
    "compare.at": tell_at_best,
    "compare.fold_all": fold_all,
    "compare.sort": sort_by_row,
    **{f"lists.section_{n}": go_to_section(n) for n in range(1, 9)},
}
