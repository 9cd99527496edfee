"""Points as facts: of one metric, and of many."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, TypeAlias

from mlbench.dataclass import dataclass

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Float64Array: TypeAlias = NDArray[np.float64]
    Int64Array: TypeAlias = NDArray[np.int64]
    Int32Array: TypeAlias = NDArray[np.int32]


@dataclass(frozen=True, slots=True, eq=False)
class Points:
    """A batch of points of one metric in the order of the file. One metric may come in many batches."""

    metric: str
    """The name as the log itself has it (TensorBoard's tag)."""
    steps: Int64Array
    """Shape (n,), n >= 1."""
    wall_s: Float64Array
    """Shape (n,), Unix seconds UTC; the bits of the file, NaN where there is none."""
    values: Float64Array
    """Shape (n,); the bits of the file, NaN and infinity kept."""
    seq: Int64Array
    """Shape (n,), rising: place of the point among all values of the source, so that any order can be rebuilt."""


@dataclass(frozen=True, slots=True, eq=False)
class PointTable:
    """A batch of points of many metrics; what `Points` is for one. All arrays: shape (n,).

    The points of each metric are in the order of the file; the metrics may follow each other or alternate.
    """

    metrics: tuple[str, ...]
    which: Int32Array
    """For each point, the place of its metric in `metrics`."""
    steps: Int64Array
    wall_s: Float64Array
    values: Float64Array
    seq: Int64Array
    """Rising for each metric."""

    @property
    def n_points(self) -> int:
        """Of all metrics."""
        return len(self.steps)

    def split(self) -> Iterator[Points]:
        """The points of each metric that has any."""
        for place, metric in enumerate(self.metrics):
            at = self.which == place
            if at.any():
                yield Points(metric, self.steps[at], self.wall_s[at], self.values[at], self.seq[at])
