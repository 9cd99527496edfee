"""What the actions do: one function for each id of `tui.actions`, by the group it belongs to."""

from __future__ import annotations

from collections.abc import Mapping

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
