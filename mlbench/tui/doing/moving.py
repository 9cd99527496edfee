"""Moving the cursor of the pane at work."""

from __future__ import annotations

from collections.abc import Mapping

from mlbench.tui.actions import CHART, COMPARE, PROBLEMS, RUN, RUNS, STAGE
from mlbench.tui.desk import Desk
from mlbench.tui.doing.types import Handler
from mlbench.tui.widgets.lines_view import LinesView

FAR = 1 << 30
"""More lines than there are."""


def list_of(desk: Desk) -> LinesView | None:
    """The page at work, None where the pane is no page."""
    panes = desk.panes
    return {COMPARE: panes.compare, RUN: panes.run, STAGE: panes.stage, PROBLEMS: panes.problems}.get(desk.view.pane)


def move(desk: Desk, lines: int) -> None:
    """Move by lines; in the plots, by a chart."""
    if desk.view.pane == RUNS:
        to_row(desk, desk.panes.table.cursor + lines)
    elif desk.view.pane == CHART:
        desk.panes.chart.move_by(lines)
    elif (view := list_of(desk)) is not None:
        view.move_by(max(min(lines, len(view.page.lines)), -len(view.page.lines)))
        if desk.view.pane == RUN:
            desk.inspector.follow_cursor()


def to_row(desk: Desk, row: int) -> None:
    """Put the cursor of the table on a row."""
    table = desk.panes.table
    if table.move_to(row):
        desk.with_view(cursor=table.current_id, group=table.current_group)


def _page(desk: Desk) -> int:
    if desk.view.pane == RUNS:
        return desk.panes.table.page_rows
    view = desk.panes.chart if desk.view.pane == CHART else list_of(desk)
    return view.page_rows if view is not None else 1


def _column(desk: Desk, columns: int) -> None:
    table = desk.panes.table
    target = table.column + columns
    if 0 <= target < len(table.state.columns) and table.state.columns[target].kind == "sketch":
        target += 1 if columns > 0 else -1  # there is nothing to do on a curve
    table.move_column(target)


def _columns(desk: Desk, columns: int) -> None:
    if desk.view.pane == COMPARE and desk.gallery.is_open:
        desk.gallery.move(columns)
    elif desk.view.pane == COMPARE and desk.view.compare_look in desk.logged:
        desk.logged[desk.view.compare_look].move(columns)
    elif (view := list_of(desk)) is not None:
        view.move_columns(columns)


HANDLERS: Mapping[str, Handler] = {
    "move.down": move,
    "move.up": lambda desk, n: move(desk, -n),
    "move.page_down": lambda desk, n: move(desk, n * _page(desk)),
    "move.page_up": lambda desk, n: move(desk, -n * _page(desk)),
    "move.top": lambda desk, _n: move(desk, -FAR),
    "move.bottom": lambda desk, _n: move(desk, FAR),
    "runs.left": lambda desk, n: _column(desk, -n),
    "runs.right": _column,
    "lists.left": lambda desk, n: _columns(desk, -n),
    "lists.right": _columns,
}
