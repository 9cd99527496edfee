"""The points of one series while it is read: 32 bytes each, and a restart takes some away."""

from __future__ import annotations

import math
from array import array
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mlbench.model import Float64Array, Int64Array


class Curve:
    """Points in the order of the log. A point without a number takes its place, but is never shown."""

    __slots__ = ("_blank", "_greatest_step", "_seq", "_steps", "_values", "_wall_s")

    def __init__(self) -> None:
        self._steps, self._seq = array("q"), array("q")
        self._wall_s, self._values = array("d"), array("d")
        self._greatest_step: int | None = None
        self._blank: set[int] = set()

    def add(self, step: int, wall_s: float, value: float | None, seq: int) -> None:
        """Append one point; None: what was logged is no number."""
        self._steps.append(step)
        self._wall_s.append(wall_s)
        self._values.append(math.nan if value is None else value)
        self._seq.append(seq)
        if value is None:
            self._blank.add(seq)
        if self._greatest_step is None or step > self._greatest_step:
            self._greatest_step = step

    def drop_from(self, step: int) -> None:
        """Drop every point of this step or a greater one, wherever it stands."""
        if self._greatest_step is None or self._greatest_step < step:
            return  # what makes a log without restarts linear: each of its events asks for this
        keep = [place for place, own in enumerate(self._steps) if own < step]
        self._keep(keep)
        self._greatest_step = max(self._steps, default=None)

    def drop_tail(self, step: int) -> None:
        """Drop the last points as long as they are of this step or a greater one."""
        n_points = len(self._steps)
        while n_points and self._steps[n_points - 1] >= step:
            n_points -= 1
        for column in (self._steps, self._wall_s, self._values, self._seq):
            del column[n_points:]

    def _keep(self, places: list[int]) -> None:
        self._steps = array("q", (self._steps[place] for place in places))
        self._seq = array("q", (self._seq[place] for place in places))
        self._wall_s = array("d", (self._wall_s[place] for place in places))
        self._values = array("d", (self._values[place] for place in places))

    def columns(self) -> tuple[Int64Array, Float64Array, Float64Array, Int64Array]:
        """Steps, wall times, values and sequence numbers of the points that have a number; each of shape (n,)."""
        import numpy as np

        seq: NDArray[np.int64] = np.array(self._seq, dtype=np.int64)
        steps = np.array(self._steps, dtype=np.int64)
        wall_s, values = np.array(self._wall_s, dtype=np.float64), np.array(self._values, dtype=np.float64)
        if self._blank:
            shown = ~np.isin(seq, list(self._blank))
            steps, wall_s, values, seq = steps[shown], wall_s[shown], values[shown], seq[shown]
        return steps, wall_s, values, seq
