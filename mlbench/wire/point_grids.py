"""Points of metrics of which each has as many as any other: a matrix with a line for each metric, and never a column.

As a training loop logs them. At each turn all lines mostly have one step, and their places differ by what is the same
at each: both are kept once for all lines, times and values in the pieces in which they were read. Whoever puts points
where they belong (`ingest.series`) takes them from here, so that each is moved once.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from mlbench.model import PointTable

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mlbench.model import Float64Array, Int32Array, Int64Array

_SINGLE_STEPS, _SINGLE_BYTES = 1 << 31, 4


class PointGrid(PointTable):
    """A table that comes metric by metric; its columns are made when they are asked for."""

    __slots__ = ("later_seq", "line_seq", "line_steps", "value_pieces", "wall_pieces")

    metrics: tuple[str, ...]
    line_steps: Int64Array
    """Shape (n_metrics, n_each), or (1, n_each) where all metrics have the same."""
    wall_pieces: Sequence[Float64Array]
    """Shape (n_metrics, n) each: side by side they have n_each columns."""
    value_pieces: Sequence[NDArray[Any]]
    """The same, of 32 bits or of 64."""
    line_seq: Int64Array
    """Shape (n_metrics, 1) or (n_metrics, n_each): with `later_seq` the place of each point."""
    later_seq: Int64Array
    """Shape (n_each,)."""

    def __init__(
        self, metrics: tuple[str, ...], line_steps: Int64Array, wall_pieces: Sequence[Float64Array],
        value_pieces: Sequence[NDArray[Any]], line_seq: Int64Array, later_seq: Int64Array,
    ) -> None:  # fmt: skip
        for name, value in (
            ("metrics", metrics), ("line_steps", line_steps), ("wall_pieces", wall_pieces),
            ("value_pieces", value_pieces), ("line_seq", line_seq), ("later_seq", later_seq),
        ):  # fmt: skip
            object.__setattr__(self, name, value)

    @property
    def n_each(self) -> int:
        """Points of each metric."""
        return int(self.later_seq.size)

    @property
    def n_points(self) -> int:
        return len(self.metrics) * self.n_each

    @property
    def is_single(self) -> bool:
        """Whether values have 32 bits and every step fits into as many."""
        is_short = int(self.line_steps.min()) >= -_SINGLE_STEPS and int(self.line_steps.max()) < _SINGLE_STEPS
        return is_short and all(piece.itemsize == _SINGLE_BYTES for piece in self.value_pieces)

    def ends(self) -> tuple[Float64Array, Float64Array]:
        """The times of the first and of the last point of each metric, of shape (n_metrics,)."""
        return self.wall_pieces[0][:, 0], self.wall_pieces[-1][:, -1]

    @property
    def form(self) -> tuple[object, ...]:
        """Equal for matrices whose points have the same places and steps: runs of a sweep mostly do."""
        places = (self.line_steps, self.line_seq, self.later_seq)
        return (*(part.shape for part in places), *(part.tobytes() for part in places))

    def put_common(self, lines: slice | Int64Array, seq: NDArray[Any], steps: NDArray[Any]) -> None:
        """Move the places and steps of some metrics to where those of several matrices of this form belong.

        Args:
            lines: places in `metrics`.
            seq: shape (n_matrices, n_lines, n_each).
            steps: the same; may have 32 bits if `is_single`.
        """
        import numpy as np

        np.add(self.line_seq[lines], self.later_seq, out=seq[0])
        seq[1:] = seq[0]
        steps[:] = self.line_steps if len(self.line_steps) == 1 else self.line_steps[lines]

    def put(self, lines: slice | Int64Array, columns: Sequence[NDArray[Any]]) -> None:
        """Move the times and values of some metrics to where they belong.

        Args:
            lines: places in `metrics`.
            columns: times and values, each of shape (n_lines, n_each); values may have 32 bits if `is_single`.
        """
        import numpy as np

        walls, values = columns
        np.concatenate([piece[lines] for piece in self.wall_pieces], axis=1, out=walls)
        np.concatenate([piece[lines] for piece in self.value_pieces], axis=1, out=values)

    def of_lines(self, lines: Int64Array) -> PointGrid:
        """The matrix of some metrics, by their places."""
        return PointGrid(
            tuple(self.metrics[line] for line in lines.tolist()),
            self.line_steps if len(self.line_steps) == 1 else self.line_steps[lines],
            [piece[lines] for piece in self.wall_pieces], [piece[lines] for piece in self.value_pieces],
            self.line_seq[lines], self.later_seq,
        )  # fmt: skip

    # ------------------------------------------------------------ as a table

    @property
    def which(self) -> Int32Array:
        import numpy as np

        return np.repeat(np.arange(len(self.metrics), dtype=np.int32), self.n_each)

    @property
    def steps(self) -> Int64Array:
        import numpy as np

        return np.broadcast_to(self.line_steps, (len(self.metrics), self.n_each)).ravel()

    @property
    def wall_s(self) -> Float64Array:
        import numpy as np

        return np.concatenate(self.wall_pieces, axis=1).ravel()

    @property
    def values(self) -> Float64Array:
        import numpy as np

        return np.concatenate(self.value_pieces, axis=1, dtype=np.float64).ravel()

    @property
    def seq(self) -> Int64Array:
        return (self.line_seq + self.later_seq).ravel()


def side_by_side(grids: Sequence[PointGrid]) -> list[PointGrid]:
    """The same points as fewer matrices: those with the same lines that follow each other become one."""
    import numpy as np

    together: list[list[PointGrid]] = []
    for grid in grids:
        if together and _go_on(together[-1][-1], grid):
            together[-1].append(grid)
        else:
            together.append([grid])
    return [
        PointGrid(
            alike[0].metrics, np.concatenate([grid.line_steps for grid in alike], axis=1),
            [piece for grid in alike for piece in grid.wall_pieces],
            [piece for grid in alike for piece in grid.value_pieces],
            alike[0].line_seq, np.concatenate([grid.later_seq for grid in alike]),
        ) if len(alike) > 1 else alike[0]
        for alike in together
    ]  # fmt: skip


def _go_on(one: PointGrid, other: PointGrid) -> bool:
    """Whether what is kept once for all lines is so in both."""
    import numpy as np

    is_once = len(one.line_steps) == len(other.line_steps) == 1 and one.line_seq.shape[1] == 1
    return is_once and one.metrics == other.metrics and np.array_equal(one.line_seq, other.line_seq)
