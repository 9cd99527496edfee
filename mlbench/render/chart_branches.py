"""What a restart replaced, as a faint curve: each older branch from the point that it went on from to its end."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from mlbench.render.smoothing import smoothed

if TYPE_CHECKING:
    from mlbench.model import Float64Array
    from mlbench.queries.answers import SeriesAnswer
    from mlbench.queries.branches import Branches

MOST_SMOOTHED = 20
"""Older branches that are smoothed from the beginning of the run; more of them are drawn raw."""


def branch_points(
    values: Float64Array, kept_x: Float64Array, older: Branches, branch_x: Float64Array, *, kind: str, amount: float
) -> tuple[Float64Array, Float64Array]:
    """X and y of all older branches of a series, NaN between them.

    A branch begins at the point before it that still counts, and is smoothed together with what led to it: so the
    curve is the one that was seen before the restart.

    Args:
        values: of the points that count.
        kept_x: their x.
        older: the points that do not.
        branch_x: their x.
        kind: of smoothing, one of `smoothing.KINDS`.
        amount: of smoothing, 0 for none.
    """
    is_smooth = amount > 0 and older.starts.size <= MOST_SMOOTHED
    gap = np.array([np.nan])
    x_parts: list[Float64Array] = []
    y_parts: list[Float64Array] = []
    for start, stop, fork in _pieces(older):
        x = np.concatenate((kept_x[:fork], branch_x[start:stop]))
        y = np.concatenate((values[:fork], older.values[start:stop]))
        shown = slice(max(fork - 1, 0), None)
        x_parts += [x[shown], gap]
        y_parts += [(smoothed(kind, amount, x, y) if is_smooth else y)[shown], gap]
    return np.concatenate(x_parts), np.concatenate(y_parts)


def _pieces(older: Branches) -> list[tuple[int, int, int]]:
    """Of each branch where it begins and ends, and how many points that count came before."""
    stops = [*older.starts[1:].tolist(), older.steps.size]
    return list(zip(older.starts.tolist(), stops, older.forks.tolist(), strict=True))


def restarts_text(series: Sequence[SeriesAnswer]) -> str:
    """`restart at 180`, `3 restarts from 180`: where runs went on from an earlier step; '' where none did."""
    found = {(one.head.run_id, int(one.steps[fork])) for one in series if one.older is not None
             for fork in one.older.forks.tolist() if fork < one.steps.size}  # fmt: skip
    steps = sorted(step for _run, step in found)
    if not steps:
        return ""
    return f"restart at {steps[0]}" if len(steps) == 1 else f"{len(steps)} restarts from {steps[0]}"
