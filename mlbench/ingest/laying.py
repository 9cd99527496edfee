"""Points of long runs on their way to the catalog: laid into a file that has no name, until they are sorted.

A point weighs 12 to 36 bytes while it waits for all others of its run, and twice as many while it is sorted. So of a
run with many points no more than HELD_POINTS are held: the others lie in a file, metric by metric as far as they were
read together, and the metrics are fetched, sorted and stored a few at a time (`ingest.shelf`).
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import TYPE_CHECKING, Any, cast

from mlbench.errors import HomeError
from mlbench.ingest.tables import join_tables
from mlbench.model import Points, PointTable
from mlbench.paths import make_folder
from mlbench.wire.patience import at_home
from mlbench.wire.point_grids import PointGrid, side_by_side

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mlbench.model import Float64Array, Int32Array, Int64Array

HELD_POINTS = 1 << 20
"""Points of a run that are held until all of it is read: 12 to 36 MB."""
LEAST_LAID = 1 << 14
"""Points that are laid together, but for the last ones of a source: each time makes a part of its own."""
LONG_POINTS = 1 << 19
"""Points of a run from which on not all are sorted and stored at once: 40 MB."""
_READ_BYTES = 4 << 20
"""Read at once."""


class Laying:
    """Takes the points of one run while it is read, source by source. Close it when they are stored."""

    def __init__(self, folder: str) -> None:
        """Nothing is written until there are many points.

        Args:
            folder: where the file is, which nobody sees; created if missing.
        """
        self._folder = folder
        self._file: _File | None = None
        self._n_before = 0
        """Points held of sources that were read."""
        self._n_held = self._n_laid = 0
        """Points held of the one that is being read, and how many of its batches are laid, the first ones."""
        self._is_refused = False
        """Nothing can be written: all is held, as long as there is memory."""

    def __enter__(self) -> Laying:
        return self

    def __exit__(self, *_error: object) -> None:
        if self._file is not None:
            self._file.close()

    def note(self, batches: list[Points | PointTable]) -> None:
        """Lay down the batches of a source where too much is held; the last one is new."""
        self._n_held += _size(batches[-1])
        if self._n_held >= LEAST_LAID:
            self._lay(batches)

    def joined(self, batches: list[Points | PointTable]) -> PointTable | None:
        """All points of a source that was read: one table, or its parts where they are many; None where it has none."""
        if self._n_held:
            self._lay(batches)
        n_laid = self._n_laid
        self._n_before += self._n_held
        self._n_held = self._n_laid = 0
        if not n_laid and sum(map(_size, batches)) <= LONG_POINTS:
            return join_tables(batches)
        laid = [batch for batch in batches[:n_laid] if isinstance(batch, PointTable)]
        parts = _fewer([*laid, *_tables(batches[n_laid:])])
        return PointParts(parts) if len(parts) > 1 else parts[0]

    def drop(self) -> None:
        """Take note that what was read of a source was forgotten."""
        self._n_held = self._n_laid = 0

    def _lay(self, batches: list[Points | PointTable]) -> None:
        if self._n_before + self._n_held <= HELD_POINTS or self._is_refused:
            return
        tables = list(_tables(batches[self._n_laid :]))
        try:
            self._file = self._file or _File(self._folder)
            batches[self._n_laid :] = [_laid(table, self._file) for table in tables]
        except (OSError, HomeError):
            self._is_refused = True
            return
        self._n_held, self._n_laid = 0, len(batches)


def _fewer(tables: Sequence[PointTable]) -> list[PointTable]:
    """The same with fewer matrices."""
    parts: list[PointTable] = []
    for _is_grid, some in groupby(tables, key=lambda table: isinstance(table, PointGrid)):
        alike = list(some)
        grids = [table for table in alike if isinstance(table, PointGrid)]
        parts += side_by_side(grids) if grids else alike
    return parts


def parts_of(points: PointTable) -> Sequence[PointTable]:
    """The tables that make it up, one behind another."""
    return points.parts if isinstance(points, PointParts) else [points]


def of_metrics(points: PointTable, numbers: Int64Array) -> PointTable:
    """The points of some metrics alone.

    Args:
        points: of one part.
        numbers: places in `metrics`, rising.
    """
    import numpy as np

    if isinstance(points, PointGrid):
        return points.of_lines(numbers)
    if isinstance(points, LaidTable):
        return points.of_metrics(numbers)
    places = np.full(len(points.metrics), -1, dtype=np.int32)
    places[numbers] = np.arange(numbers.size, dtype=np.int32)
    which = places[points.which]
    at = np.flatnonzero(which >= 0)
    metrics = tuple(points.metrics[number] for number in numbers.tolist())
    return PointTable(metrics, which[at], points.steps[at], points.wall_s[at], points.values[at], points.seq[at])


def _size(batch: Points | PointTable) -> int:
    return batch.n_points if isinstance(batch, PointTable) else len(batch.steps)


def is_laid(points: PointTable) -> bool:
    """Whether some of the points of a part lie in a file."""
    if isinstance(points, PointGrid):
        return any(isinstance(cast(object, piece), LaidArray) for piece in points.wall_pieces)
    return isinstance(points, LaidTable)


def _tables(batches: Sequence[Points | PointTable]) -> Iterator[PointTable]:
    """Matrices as they are, what stands between them joined."""
    between: list[Points | PointTable] = []
    for batch in [*batches, None]:
        if batch is not None and not isinstance(batch, PointGrid):
            between.append(batch)
            continue
        if (table := join_tables(between)) is not None:
            yield table
        between = []
        if batch is not None:
            yield batch


def _laid(table: PointTable, file: _File) -> PointTable:
    import numpy as np

    if isinstance(table, PointGrid):
        # Whoever has the matrix takes lines of its pieces, and nothing else.
        walls = cast("Float64Array", file.lay(np.concatenate(table.wall_pieces, axis=1)))
        values = cast("NDArray[Any]", file.lay(np.concatenate(table.value_pieces, axis=1)))
        return PointGrid(table.metrics, table.line_steps, [walls], [values], table.line_seq, table.later_seq)
    which = table.which
    order = np.argsort(which, kind="stable")
    columns = (file.lay(column[order]) for column in (table.steps, table.wall_s, table.values, table.seq))
    return LaidTable(table.metrics, np.bincount(which, minlength=len(table.metrics)).astype(np.int64), *columns)


class _File:
    """Numbers one behind another."""

    def __init__(self, folder: str) -> None:
        self._folder = folder
        with at_home():
            make_folder(folder)
            self._file = tempfile.TemporaryFile(dir=folder, buffering=0)  # noqa: SIM115 - closed with the run
        self._end = 0

    def close(self) -> None:
        self._file.close()

    def lay(self, numbers: NDArray[Any]) -> LaidArray:
        """Raises OSError where the disk is full."""
        import numpy as np

        content = np.ascontiguousarray(numbers).data.cast("B") if numbers.size else memoryview(b"")
        start = self._end
        with at_home():
            while len(content):
                n_bytes = os.pwrite(self._file.fileno(), content, self._end)
                content = content[n_bytes:]
                self._end += n_bytes
        return LaidArray(self, start, numbers.shape, numbers.dtype)

    def fetch(self, start: int, numbers: NDArray[Any]) -> None:
        """Fill an array; raises HomeError where that cannot be read."""
        content = numbers.data.cast("B") if numbers.size else memoryview(b"")
        with at_home():
            while len(content):
                try:
                    found = os.pread(self._file.fileno(), min(len(content), _READ_BYTES), start)
                except OSError as error:
                    reason = f"points that were laid into a file cannot be read: {error.strerror}"
                    raise HomeError(f"{self._folder}: {reason}. Try: mlbench ingest again") from error
                if not found:
                    raise HomeError(
                        f"{self._folder}: points that were laid into a file are not in it. Try: mlbench ingest again"
                    )
                content[: len(found)] = found
                content = content[len(found) :]
                start += len(found)


class LaidArray:
    """An array in the file, of one dimension or two; what is taken of it is fetched."""

    __slots__ = ("_file", "_start", "dtype", "shape")

    def __init__(self, file: _File, start: int, shape: tuple[int, ...], dtype: Any) -> None:  # noqa: ANN401 - of numpy
        self._file, self._start, self.shape, self.dtype = file, start, shape, dtype

    @property
    def itemsize(self) -> int:
        """Bytes of a number."""
        return int(self.dtype.itemsize)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:  # noqa: ANN401 - numpy's
        return self.rows(0, self.shape[0]).astype(dtype or self.dtype, copy=False)

    def rows(self, first: int, stop: int) -> NDArray[Any]:
        """Lines next to each other; numbers, where there is one dimension."""
        import numpy as np

        found = np.empty((stop - first, *self.shape[1:]), dtype=self.dtype)
        n_bytes = self.itemsize * int(np.prod(self.shape[1:], dtype=np.int64))
        self._file.fetch(self._start + first * n_bytes, found)
        return found

    def __getitem__(self, lines: slice | Int64Array | tuple[slice, int]) -> NDArray[Any]:
        """As a matrix gives them: some lines, or what stands at one place of all."""
        import numpy as np

        if isinstance(lines, tuple):
            every, place = lines
            return np.array([self.rows(line, line + 1)[0, place] for line in range(*every.indices(self.shape[0]))])
        if isinstance(lines, slice):
            return self.rows(*lines.indices(self.shape[0])[:2])
        return np.concatenate([self.rows(line, line + 1) for line in lines.tolist()])


class LaidTable(PointTable):
    """Points in the file, metric by metric; its columns are fetched when they are asked for."""

    __slots__ = ("_columns", "counts")

    metrics: tuple[str, ...]
    counts: Int64Array
    """Shape (n_metrics,): points of each."""
    _columns: tuple[LaidArray, ...]
    """Steps, times, values and places."""

    def __init__(self, metrics: tuple[str, ...], counts: Int64Array, *columns: LaidArray) -> None:
        for name, value in (("metrics", metrics), ("counts", counts), ("_columns", columns)):
            object.__setattr__(self, name, value)

    def of_metrics(self, numbers: Int64Array) -> PointTable:
        """The points of some metrics, by their places."""
        import numpy as np

        ends = np.cumsum(self.counts)
        stretches = [(int(ends[number] - self.counts[number]), int(ends[number])) for number in numbers.tolist()]
        columns = [
            np.concatenate([np.zeros(0, dtype=column.dtype), *(column.rows(*stretch) for stretch in stretches)])
            for column in self._columns
        ]
        which = np.repeat(np.arange(numbers.size, dtype=np.int32), self.counts[numbers])
        return PointTable(tuple(self.metrics[number] for number in numbers.tolist()), which, *columns)

    @property
    def n_points(self) -> int:
        return int(self.counts.sum())

    @property
    def which(self) -> Int32Array:
        import numpy as np

        return np.repeat(np.arange(len(self.metrics), dtype=np.int32), self.counts)

    @property
    def steps(self) -> Int64Array:
        return self._all(0)

    @property
    def wall_s(self) -> Float64Array:
        return self._all(1)

    @property
    def values(self) -> Float64Array:
        return self._all(2)

    @property
    def seq(self) -> Int64Array:
        return self._all(3)

    def _all(self, number: int) -> NDArray[Any]:
        column: LaidArray = self._columns[number]
        return column.rows(0, column.shape[0])


class PointParts(PointTable):
    """Tables one behind another, at least one; joined when a column is asked for."""

    __slots__ = ("parts",)

    parts: Sequence[PointTable]

    def __init__(self, parts: Sequence[PointTable]) -> None:
        object.__setattr__(self, "parts", tuple(parts))

    @property
    def n_points(self) -> int:
        return sum(part.n_points for part in self.parts)

    @property
    def metrics(self) -> tuple[str, ...]:
        return self._joined().metrics

    @property
    def which(self) -> Int32Array:
        return self._joined().which

    @property
    def steps(self) -> Int64Array:
        return self._joined().steps

    @property
    def wall_s(self) -> Float64Array:
        return self._joined().wall_s

    @property
    def values(self) -> Float64Array:
        return self._joined().values

    @property
    def seq(self) -> Int64Array:
        return self._joined().seq

    def _joined(self) -> PointTable:
        return join_tables(self.parts) or self.parts[0]
