"""The title over charts: what they show, and what is said of how. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from mlbench.render.cells import Cell, Line, fit, fit_middle, line_of, width_cells
from mlbench.render.numbers import duration, moment_of, number, timestamp
from mlbench.safe import safe
from mlbench.tui.paint import both_ends

AXIS_WORDS = {"step": "step", "relative": "time since start", "wall": "wall time (UTC)"}
LEAST_NAME_CELLS = 24
"""Of the names of metrics: rather than to have less they leave what is said to a line of its own."""


def title_lines(
    metrics: Sequence[str], said: Sequence[str], width: int, *, is_at_work: bool, has_second: bool
) -> tuple[Line, ...]:
    """The metrics at the left and what is said at the right; what has no room there stands on a second line.

    Args:
        metrics: that are drawn.
        said: what matters on each chart first: how exact it is, NaN, outliers; last what is the same for all.
        width: columns of the pane.
        is_at_work: keys go to this pane.
        has_second: a second line may be used.
    """
    names = safe(", ".join(metrics) or "plots")
    least = min(width_cells(names), LEAST_NAME_CELLS)
    n_below = 0
    while has_second and n_below < len(said) and width - _n_cells(said[n_below:]) < least:
        n_below += 1
    beside, below = said[n_below:], said[:n_below]
    name = fit_middle(names, max(width - _n_cells(beside), 8))
    right = line_of((" · ".join(beside) + " ", "muted")) if beside else ()
    first = both_ends((Cell(safe(" ")), Cell(name, "accent" if is_at_work else "title")), right, width)
    if not below:
        return (first,)
    return first, (Cell(safe(" ")), Cell(fit(safe(" · ".join(below)), width - 2), "muted"))


def _n_cells(said: Sequence[str]) -> int:
    """Columns of what is said, with the gaps around it and the one at the left of the names."""
    return sum(width_cells(safe(part)) + 3 for part in said) + 4


def shown_remarks(remarks: Sequence[str], n_drawn: int, n_runs: int) -> tuple[str, ...]:
    """What the header of a chart on the screen says, first how many runs have no such metric.

    Args:
        remarks: of the picture, for a file. The title of the pane says the axis, once for all charts.
        n_drawn: runs that have a curve here.
        n_runs: that were asked for.
    """
    own = tuple(remark for remark in remarks if not remark.startswith("x: "))
    return (f"{n_runs - n_drawn:,} of {n_runs:,} runs without it", *own) if 0 < n_drawn < n_runs else own


def x_text(axis: str, x: float) -> str:
    """A place on the x axis: a step, a time since the start, a moment, or a metric's value."""
    if axis == "relative":
        return duration(x)
    if axis not in AXIS_WORDS:
        return number(x)
    moment = moment_of(x) if axis == "wall" else None
    return timestamp(moment) if moment else f"{x:,.0f}"
