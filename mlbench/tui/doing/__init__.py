"""What the actions do: one function for each id of `tui.actions`, by the group it belongs to."""

from __future__ import annotations

from collections.abc import Mapping

from mlbench.tui.actions import DRAWN, Action
from mlbench.tui.desk import Desk
from mlbench.tui.doing import (
    arranging,
    axes,
    charting,
    choosing,
    comparing,
    finding,
    front,
    giving,
    inspecting,
    moving,
    noting,
    saying,
    setting,
    showing,
)
from mlbench.tui.doing.types import Handler

HANDLERS: Mapping[str, Handler] = {
    **moving.HANDLERS,
    **choosing.HANDLERS,
    **arranging.HANDLERS,
    **charting.HANDLERS,
    **axes.HANDLERS,
    **comparing.HANDLERS,
    **saying.HANDLERS,
    **noting.HANDLERS,
    **giving.HANDLERS,
    **inspecting.HANDLERS,
    **setting.HANDLERS,
    **showing.HANDLERS,
    **finding.HANDLERS,
    **front.HANDLERS,
}


def do(desk: Desk, action: Action, n: int) -> None:
    """Do an action; where curves are told in words, say of what only changes how they are drawn that it does nothing.

    Args:
        desk: what is looked at.
        action: of the table.
        n: the number typed before its key.
    """
    if desk.panes.looks.is_linear and action.id in DRAWN:
        desk.say(f"in plain mode curves and pictures are told in words: there is no '{action.label}'", "muted")
        return
    HANDLERS[action.id](desk, n)
