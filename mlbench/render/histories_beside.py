"""Histograms over the training of several runs: heat maps beside each other on the same axes, and how far apart."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from mlbench.dataclass import dataclass
from mlbench.render.ansi import Depth
from mlbench.render.buckets import wasserstein
from mlbench.render.cells import Cell, Line, fit, fit_middle, line_of, width_cells
from mlbench.render.histories import history_axes, history_lines
from mlbench.render.numbers import number
from mlbench.render.picture_cells import beside
from mlbench.render.sparkline import sparkline
from mlbench.safe import Safe, safe

if TYPE_CHECKING:
    from mlbench.queries.answers import RunHead
    from mlbench.queries.blobs import BlobPlace
    from mlbench.wire.histograms import Histogram

LEAST_COLUMNS, GAP = 36, 2
"""Of one heat map: with fewer the axis has no room for two labels."""
LEAST_ROWS = 8
MOST_ROWS = 20
MOST_SPARKS = 12
N_DISTANCES = 3
"""Lines below each heat map: from the first run, from its own first step, and how that went."""


@dataclass(frozen=True, slots=True, eq=False)
class RunHistory:
    """The histograms of one name of one run, and how far they are from those of the first run and from their own first.

    Distances are 1-Wasserstein, in the unit of the values.
    """

    head: RunHead
    metric: str
    steps: tuple[int, ...]
    """Rising, at least one."""
    histograms: tuple[Histogram, ...]
    apart: tuple[float, ...] = ()
    """For each step, from the first run's newest histogram by then; NaN before there is one; () for the first run."""
    moved: tuple[float, ...] = ()
    """For each step, from the run's own first histogram."""

    def place_at(self, step: int) -> int | None:
        """Which histogram is the newest at a step, None before the first one."""
        place = bisect_right(self.steps, step) - 1
        return place if place >= 0 else None


@dataclass(frozen=True, slots=True)
class HistoryLook:
    """Where and how heat maps are drawn."""

    width: int = 80
    height: int = 20
    """Lines for all of them; they take more where each would have too few."""
    depth: Depth = "none"
    glyphs: str = "braille"
    is_light: bool = False


def told_histories(items: Sequence[tuple[BlobPlace, Histogram]]) -> tuple[RunHistory, ...]:
    """Histograms run by run with their distances; the first run of each name is what the others are compared with.

    Args:
        items: of each name and run in the order of their steps.
    """
    found: dict[tuple[str, str], list[tuple[BlobPlace, Histogram]]] = {}
    for place, histogram in items:
        found.setdefault((place.metric, place.head.run_id), []).append((place, histogram))
    first: dict[str, RunHistory] = {}
    told = []
    for (metric, _run_id), mine in found.items():
        steps = tuple(place.step for place, _histogram in mine)
        histograms = tuple(histogram for _place, histogram in mine)
        moved = tuple(wasserstein(histograms[0], histogram) for histogram in histograms)
        base = first.get(metric)
        apart = tuple(_distance(base, *pair) for pair in zip(steps, histograms, strict=True)) if base else ()
        history = RunHistory(mine[0][0].head, metric, steps, histograms, apart, moved)
        first.setdefault(metric, history)
        told.append(history)
    return tuple(told)


def _distance(base: RunHistory, step: int, histogram: Histogram) -> float:
    place = base.place_at(step)
    return math.nan if place is None else wasserstein(base.histograms[place], histogram)


def steps_of(histories: Sequence[RunHistory]) -> tuple[int, ...]:
    """The steps at which any of them was logged, rising."""
    return tuple(sorted({step for history in histories for step in history.steps}))


def distance_texts(history: RunHistory, base: Safe, step: int) -> tuple[str, ...]:
    """`0.012 from adam at step 900`, `moved 0.31 since step 0`: how far apart at a step; nothing without a number."""
    place = history.place_at(step)
    if place is None:
        return (f"nothing was logged by step {step:,}",)
    told = []
    if history.apart and math.isfinite(history.apart[place]):
        told.append(f"{number(history.apart[place], digits=3)} from {base} at step {history.steps[place]:,}")
    if place and math.isfinite(history.moved[place]):
        told.append(f"moved {number(history.moved[place], digits=3)} since step {history.steps[0]:,}")
    return tuple(told)


def histories_beside(
    histories: Sequence[RunHistory], names: Mapping[str, Safe], roles: Mapping[str, str], look: HistoryLook, *,
    at: int | None = None,
) -> tuple[Line, ...]:  # fmt: skip
    """Heat maps of one name on the same axes, as many beside each other as have room; below each its distances.

    Args:
        histories: of one name; the first is what the others are compared with.
        names: of the runs, by run id.
        roles: of their names, by run id.
        look: size and colours.
        at: the step that distances are told for, the last one by default.
    """
    if not histories:
        return ()
    steps = steps_of(histories)
    at = steps[-1] if at is None else at
    n_beside = max(min((look.width + GAP) // (LEAST_COLUMNS + GAP), len(histories)), 1)
    n_rows = -(-len(histories) // n_beside)
    width = (look.width + GAP) // n_beside - GAP
    # Beside the picture a block has its name, two lines of axis, the distances and a blank line.
    height = min(max(look.height // n_rows - N_DISTANCES - 4, LEAST_ROWS), MOST_ROWS)
    axes = history_axes(steps, [histogram for history in histories for histogram in history.histograms])
    base = names[histories[0].head.run_id]
    blocks: list[tuple[Line, ...]] = []
    for history in histories:
        picture = history_lines(
            history.steps, history.histograms, width=width, height=height + 3, depth=look.depth, glyphs=look.glyphs,
            is_light=look.is_light, axes=axes, at=at if len(steps) > 1 else None,
        )[1:]  # fmt: skip
        blocks.append((_named(history, names, roles, width), *picture, *_distances(history, base, at, width, look), ()))
    lines: list[Line] = []
    for start in range(0, len(blocks), n_beside):
        row = blocks[start : start + n_beside]
        lines += beside(row, [width] * len(row), gap=GAP)
    return tuple(lines[:-1])


def _named(history: RunHistory, names: Mapping[str, Safe], roles: Mapping[str, str], width: int) -> Line:
    n = len(history.steps)
    count = f"   {n} step{'' if n == 1 else 's'}"
    name = fit_middle(names[history.head.run_id], max(width - width_cells(safe(count)), 8))
    return line_of((name, roles.get(history.head.run_id, "title")), (count, "muted"))


def _distances(history: RunHistory, base: Safe, at: int, width: int, look: HistoryLook) -> list[Line]:
    """The distances at a step, and how they went: a curve of blocks between its least and its greatest value."""
    role = "changed" if history.apart else "muted"
    lines: list[Line] = [
        line_of((fit(safe(text), width), role)) for text in distance_texts(history, fit_middle(base, width // 2), at)
    ]
    values = history.apart or history.moved
    finite = [value for value in values if math.isfinite(value)]
    if len(finite) > 1 and max(finite) > 0 and look.glyphs != "ascii":
        curve = sparkline(values, min(MOST_SPARKS, len(values)))
        told = f" {number(min(finite), digits=3)} to {number(max(finite), digits=3)} over all steps"
        lines.append((Cell(curve, role), Cell(fit(safe(told), max(width - len(curve), 1)), "muted")))
    return [*lines, *[()] * (N_DISTANCES - len(lines))]
