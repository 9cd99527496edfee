"""The older branches of a series: points that a restart replaced, in pieces as they were logged."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlbench.dataclass import dataclass

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from mlbench.model import Float64Array, Int64Array


@dataclass(frozen=True, slots=True, eq=False)
class Branches:
    """Points that do not count any more, branch behind branch in the order of the log."""

    steps: Int64Array
    wall_s: Float64Array
    values: Float64Array
    starts: Int64Array
    """Where each branch begins in these arrays; the first is 0."""
    forks: Int64Array
    """For each branch how many of the points that count were logged before it: it goes on from the last of these."""


def older_branches(
    steps: Int64Array, wall_s: Float64Array, values: Float64Array, is_kept: NDArray[np.bool_]
) -> Branches | None:
    """What was replaced; None where nothing was.

    Args:
        steps: shape (n,), all points in the order of the log.
        wall_s: shape (n,).
        values: shape (n,).
        is_kept: shape (n,), the points that count: `wire.views.effective`.
    """
    import numpy as np

    dropped = np.flatnonzero(~is_kept)
    if not dropped.size:
        return None
    # A branch ends where points that count come between, and where it was restarted itself.
    is_first = (np.diff(dropped) > 1) | (np.diff(steps[dropped]) < 0)
    starts = np.flatnonzero(np.concatenate(([True], is_first)))
    forks = np.cumsum(is_kept, dtype=np.int64)[dropped[starts]]
    return Branches(steps[dropped], wall_s[dropped], values[dropped], starts, forks)
