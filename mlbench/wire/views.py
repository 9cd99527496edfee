"""Which points of a series count after a restart: pure functions of its steps, in the order of the log.

A *regression* is a point whose step is less than that of the point directly before it.
Equal steps are repeats, not regressions.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from mlbench.model import Int64Array


def effective(steps: Int64Array) -> NDArray[np.bool_]:
    """Which points lie on the newest branch of a series that was restarted.

    A regression to step s sets aside every earlier point whose step is s or more. So a point is kept exactly if
    no regression after it goes to its step or below; kept steps never fall, and the last point is always kept.

    Args:
        steps: shape (n,) in logged order, n may be 0.

    Returns:
        Shape (n,), True: kept.
    """
    import numpy as np

    kept = np.ones(steps.shape, dtype=np.bool_)
    (regressions,) = np.nonzero(steps[1:] < steps[:-1])
    if not regressions.size:
        return kept
    regressions += 1
    # The least step that any regression from here on goes to; points behind the last one are all kept.
    least = np.minimum.accumulate(steps[regressions][::-1])[::-1]
    following = np.searchsorted(regressions, np.arange(regressions[-1]), side="right")
    kept[: regressions[-1]] = steps[: regressions[-1]] < least[following]
    return kept


def count_repeats(steps: Int64Array) -> int:
    """How many points of the newest branch have the step of the kept point before them.

    Args:
        steps: shape (n,) in logged order, n may be 0.
    """
    branch = steps[effective(steps)]
    return int((branch[1:] == branch[:-1]).sum())


def count_step_backs(steps: Int64Array) -> int:
    """How many regressions there are: how often the training went on from an earlier step.

    Args:
        steps: shape (n,) in logged order, n may be 0.
    """
    return int((steps[1:] < steps[:-1]).sum())
