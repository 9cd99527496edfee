"""Summaries of series: everything that a table of runs shows of a curve, so that no table ever reads points."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlbench.wire import views

if TYPE_CHECKING:
    from mlbench.ingest.read import Columns
    from mlbench.model import Float64Array, Int64Array

SKETCH_POINTS = 64
"""Enough for a sparkline of 32 cells with its least and greatest value in each."""


def summarise(columns: Columns) -> dict[str, Any]:
    """The columns n ... sketch of the table `series`, over the effective view.

    Args:
        columns: all raw points of one series in order; at least one.
    """
    import numpy as np

    kept = views.effective(columns.steps)
    steps, wall, values = columns.steps[kept], columns.wall_s[kept], columns.values[kept]
    finite = np.isfinite(values)
    row: dict[str, Any] = {
        "n": len(steps), "n_raw": len(columns.steps),
        "first_step": int(steps[0]), "last_step": int(steps[-1]),
        "first_wall_s": _known(wall[0]), "last_wall_s": _known(wall[-1]),
        "first_value": float(values[0]), "last_value": float(values[-1]),
        "n_nan": int(np.isnan(values).sum()), "n_inf": int(np.isinf(values).sum()),
        "n_repeat": views.count_repeats(columns.steps), "n_back": views.count_step_backs(columns.steps),
        "sketch": sketch(values),
    }  # fmt: skip
    if finite.any():
        row |= _extremes(steps[finite], wall[finite], values[finite])
    return row


def _extremes(steps: Int64Array, wall: Float64Array, values: Float64Array) -> dict[str, Any]:
    import numpy as np

    least, greatest = int(np.argmin(values)), int(np.argmax(values))
    with np.errstate(over="ignore"):
        mean = float(values.mean())
    return {
        "min_value": float(values[least]), "min_step": int(steps[least]), "min_wall_s": _known(wall[least]),
        "max_value": float(values[greatest]), "max_step": int(steps[greatest]), "max_wall_s": _known(wall[greatest]),
        "mean_value": mean,
    }  # fmt: skip


def _known(wall_s: Any) -> float | None:  # noqa: ANN401 - a numpy scalar
    import math

    value = float(wall_s)
    return value if math.isfinite(value) else None


def sketch(values: Float64Array) -> list[float]:
    """At most 64 values that draw the curve: all of a short one, else least and greatest of 32 stretches in order.

    Args:
        values: shape (n,), n >= 1. NaN and infinity are left out of a stretch unless it has nothing else.
    """
    import numpy as np

    if len(values) <= SKETCH_POINTS:
        return [float(value) for value in values]
    drawn: list[float] = []
    for part in np.array_split(values, SKETCH_POINTS // 2):
        finite = part[np.isfinite(part)]
        if not len(finite):
            drawn += [float(part[0]), float(part[-1])]
            continue
        low, high = int(np.argmin(finite)), int(np.argmax(finite))
        drawn += [float(finite[min(low, high)]), float(finite[max(low, high)])]
    return drawn
