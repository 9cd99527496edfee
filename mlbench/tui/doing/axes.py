"""The axes of the charts: what x is, how they are scaled, the crosshair, zoom and pan."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

from mlbench.tui.desk import Desk
from mlbench.tui.doing.charting import at_hand
from mlbench.tui.doing.types import Handler
from mlbench.tui.menu import Choice, Menu
from mlbench.tui.prompts import Prompt
from mlbench.tui.view import AXES, SCALES, ChartLook, axis_of, next_of

if TYPE_CHECKING:
    from mlbench.render.axes import Axis

ZOOM_FACTOR = 0.5
PAN_SHARE = 0.25
END_SHARE = 0.1
MOST_PAST = 50
"""Zooms that can be taken back."""
_COUNTED = "epoch|iter|step|sample|token|round|episode|batch|frame|timestep"
COUNTER = re.compile(rf"(?:^|[/_.])(?:{_COUNTED})s?(?![a-z])", re.IGNORECASE)
"""Names of metrics that count something, and so are likely x axes."""


def set_axis(desk: Desk, axis: str) -> None:
    """Another x axis: a place on the old one means nothing on it."""
    desk.change(desk.view.charted(axis=axis, crosshair=None, limits=None, past_limits=()))


def next_axis(desk: Desk, _n: int) -> None:
    """The next axis; that of a metric is one only where the runs define it."""
    if desk.view.chart.over:
        set_axis(desk, "step")
        return
    own = axis_of(desk.view.chart, desk.answers.series)
    axes = AXES if axis_of(ChartLook(), desk.answers.series) != "step" else AXES[1:]
    set_axis(desk, str(next_of(axes, own if own in axes else desk.view.chart.axis)))


def choose_axis(desk: Desk, _n: int) -> None:
    """Choose the x axis among the step, the times, and the metrics of these runs: first those that count something.

    Metrics that only others have come last, where letters are typed that fit: over them these runs have no curves.
    """
    words = {"step": "the step", "relative": "time since the start", "wall": "the time of the clock, UTC",
             "metric": "what the runs define (W&B), else the step"}  # fmt: skip
    names = [name for name in desk.answers.names.metrics if name not in words]
    here = frozenset(at_hand(desk) or names)
    metrics = sorted(names, key=lambda name: COUNTER.search(name) is None)
    choices = [
        *(Choice(word, word, detail) for word, detail in words.items() if word != "metric"),
        *(Choice(name, name, "metric") for name in metrics if name in here),
        Choice("metric", "as defined", words["metric"]),
        *(Choice(name, name, "metric of other runs", is_late=True) for name in metrics if name not in here),
    ]
    desk.ask_user(
        Prompt("x axis", lambda axis: set_axis(desk, axis), menu=Menu(tuple(choices)),
               refuses=lambda axis: axis not in {choice.value for choice in choices},
               hint="a few letters narrow the list; enter takes what is under the cursor")
    )  # fmt: skip


def move_crosshair(desk: Desk, columns: int) -> None:
    """Move the crosshair by columns of the screen."""
    x = desk.panes.chart.x_beside(columns)
    if x is not None:
        desk.change(desk.view.charted(crosshair=x))


def zoom(desk: Desk, factor: float) -> None:
    """Zoom the x axis around the crosshair, else around its middle, as it is drawn: a logarithm stays one."""
    axis = desk.panes.chart.x_axis
    if axis is None:
        desk.say("there is no chart to zoom", "muted")
        return
    at = desk.view.chart.crosshair
    place = 0.5 if at is None else _place_of(axis, at)
    middle = place if 0 <= place <= 1 else 0.5
    _show_places(desk, axis, middle - middle * factor, middle + (1 - middle) * factor)


def _place_of(axis: Axis, x: float) -> float:
    import numpy as np

    from mlbench.render.axes import places

    return float(places(axis, np.array([x]))[0])


def _show_places(desk: Desk, axis: Axis, first: float, last: float) -> None:
    """Show from one place of the axis as it is drawn (0 to 1) to another; nothing where no double lies between."""
    from mlbench.render.axes import value_at

    low, high = value_at(axis, first), value_at(axis, last)
    extent = desk.panes.chart.x_extent() if first < 0 and last > 1 else None
    slack = 1e-9 * (high - low)
    if extent is not None and low <= extent[0] + slack and extent[1] <= high + slack:
        show_range(desk, None)
    elif high > low:
        show_range(desk, (low, high))


def show_range(desk: Desk, limits: tuple[float, float] | None) -> None:
    """Show a part of the x axis (None: all of it); what was shown before can be gone back to."""
    look = desk.view.chart
    if limits != look.limits:
        past = (*look.past_limits, look.limits)[-MOST_PAST:]
        desk.change(desk.view.charted(limits=limits, past_limits=past))


def zoom_end(desk: Desk, _n: int) -> None:
    """Show the last tenth of the whole x axis."""
    extent = desk.panes.chart.x_extent()
    if extent is None:
        desk.say("there is no chart to zoom", "muted")
        return
    low, high = extent
    if high > low:
        show_range(desk, (high - END_SHARE * (high - low), high))


def zoom_back(desk: Desk, _n: int) -> None:
    """Show what was shown before the last zoom or pan."""
    look = desk.view.chart
    if not look.past_limits:
        desk.say("no zoom to take back", "muted")
        return
    desk.change(desk.view.charted(limits=look.past_limits[-1], past_limits=look.past_limits[:-1]))


def pan(desk: Desk, share: float) -> None:
    """Move a zoomed chart by a share of its width."""
    axis = desk.panes.chart.x_axis
    if desk.view.chart.limits is None or axis is None:
        desk.say("the whole x axis is shown. + zooms in", "muted")
        return
    _show_places(desk, axis, share, 1 + share)


def _next_scale(axis: str) -> Handler:
    def turn(desk: Desk, _n: int) -> None:
        look = desk.view.chart
        desk.change(desk.view.scaled(axis, str(next_of(SCALES, look.x_scale if axis == "x" else look.y_scale))))

    return turn


HANDLERS: Mapping[str, Handler] = {
    "chart.log_y": _next_scale("y"),
    "chart.log_x": _next_scale("x"),
    "chart.axis": next_axis,
    "chart.axis_by": choose_axis,
    "chart.left": lambda desk, n: move_crosshair(desk, -n),
    "chart.right": move_crosshair,
    "chart.pan_left": lambda desk, _n: pan(desk, -PAN_SHARE),
    "chart.pan_right": lambda desk, _n: pan(desk, PAN_SHARE),
    "chart.zoom_in": lambda desk, _n: zoom(desk, ZOOM_FACTOR),
    "chart.zoom_out": lambda desk, _n: zoom(desk, 1 / ZOOM_FACTOR),
    "chart.zoom_all": lambda desk, _n: show_range(desk, None),
    "chart.zoom_end": zoom_end,
    "chart.zoom_back": zoom_back,
}
