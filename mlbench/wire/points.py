"""Points of many metrics gathered from rows and given out in batches, so that a long log needs little memory."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import field

from mlbench.dataclass import dataclass
from mlbench.model import Points

MAX_HELD = 20_000
"""Points held before a batch is given out: 4 MB of Python numbers, and under 100 ms of the slowest reader."""
MAX_METRICS = 20_000
"""Names of one source; more are keys of a data file, not metrics."""
INT64_MAX = (1 << 63) - 1


@dataclass(slots=True)
class PointCollector:
    """Add points row by row; take `flush` whenever `is_full`, and at the end."""

    n_points: int = 0
    """Points so far, also those given out: the sequence number of the next one."""
    n_left_out: int = 0
    """Points of names beyond `MAX_METRICS`."""
    names: set[str] = field(default_factory=set)
    _held: dict[str, list[tuple[int, float, float, int]]] = field(default_factory=dict)
    _n_held: int = 0

    def add(self, metric: str, step: int, value: float, wall_s: float = math.nan) -> None:
        """One point in the order of the source; `step` is an int64."""
        if metric not in self.names:
            if len(self.names) == MAX_METRICS:
                self.n_left_out += 1
                return
            self.names.add(metric)
        self._held.setdefault(metric, []).append((step, wall_s, value, self.n_points))
        self.n_points += 1
        self._n_held += 1

    @property
    def is_full(self) -> bool:
        return self._n_held >= MAX_HELD

    def flush(self) -> Iterator[Points]:
        """A batch for each metric that has points, in the order of their first point."""
        held, self._held, self._n_held = self._held, {}, 0
        for metric, rows in held.items():
            steps, walls, values, seq = zip(*rows, strict=True)
            yield points_of(metric, steps, walls, values, seq)


def points_of(
    metric: str, steps: Sequence[int], walls: Sequence[float], values: Sequence[float], seq: Sequence[int]
) -> Points:
    """One batch; all sequences have the same length, at least 1."""
    import numpy as np

    return Points(
        metric,
        np.array(steps, dtype=np.int64),
        np.array(walls, dtype=np.float64),
        np.array(values, dtype=np.float64),
        np.array(seq, dtype=np.int64),
    )


def as_step(value: object) -> int | None:
    """A step as int64: integers as they are, floats cut to whole; None for what is no number or too large."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    if isinstance(value, float):
        if not math.isfinite(value):
            return None
        value = int(value)
    return value if -INT64_MAX - 1 <= value <= INT64_MAX else None
