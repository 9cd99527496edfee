"""The points of a run's sources put into series: by metric, in the order of the log."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from itertools import groupby, pairwise
from operator import attrgetter
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from mlbench.dataclass import dataclass
from mlbench.ingest.naming import NamedPoints, PlacedTable, SeriesKey
from mlbench.wire.point_grids import PointGrid

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mlbench.model import Float64Array, Int32Array, Int64Array, PointTable

SEQ_BITS = 40
"""A point's place: rank of its file among the run's files, then its place in the file (2^40 values a file)."""
PLACE_MASK = (1 << SEQ_BITS) - 1
Part: TypeAlias = "list[slice] | Int64Array"
"""Points of a run: stretches, or the place of each."""
_SHORT = 1 << 16
_LONG_STRETCH = 8
"""Points in a row of one series from which on stretches are sorted, not points."""
_WHOLE_STRETCH = 64
"""The same from which on they are copied as a whole."""


@dataclass(frozen=True, slots=True, eq=False)
class SeriesPoints:
    """Points of many series, one series after another, each in the order of its log."""

    counts: Int64Array
    """Shape (n_series,), each at least 1."""
    source_ids: Int32Array
    """This and all below: shape (n_points,), the sum of `counts`."""
    seq: Int64Array
    steps: NDArray[Any]
    """Of 64 bits; of 32, as `values`, where all points are of matrices that have no more (`PointGrid.is_single`)."""
    wall_s: Float64Array
    values: NDArray[Any]

    @property
    def ends(self) -> Int64Array:
        """Where each series ends."""
        import numpy as np

        return np.cumsum(self.counts)


@dataclass(frozen=True, slots=True, eq=False)
class Stretches:
    """Points as stretches of one series each; all arrays have shape (n_stretches,)."""

    which: Int32Array
    """The place of the series in `RunSeries.keys`."""
    starts: Int64Array
    """The first point, rising."""
    n_points: int

    @property
    def ends(self) -> Int64Array:
        """Behind the last point."""
        import numpy as np

        return np.append(self.starts[1:], self.n_points)[: self.starts.size]


@dataclass(frozen=True, slots=True, eq=False)
class RunSeries:
    """The series of one run, their points still in the order of its files."""

    keys: tuple[SeriesKey, ...]
    """Sorted."""
    stretches: list[Stretches]
    """Of each table."""
    tables: list[PlacedTable]

    def ends(self) -> tuple[float | None, float | None]:
        """The earliest and the latest finite wall time of the first and last points of each series in each file.

        Of each series, since a run that is read in pieces knows no more than that: both ways give the same.
        """
        return _ends(len(self.keys), zip(self.stretches, self.tables, strict=True))


def series_of(named: NamedPoints) -> RunSeries:
    """The series of a run whose points are named."""
    return RunSeries(named.keys, list(map(_stretches, named.points, named.places)), named.tables)


def ends_of(named: NamedPoints) -> tuple[float | None, float | None]:
    """What `RunSeries.ends` tells, of points that are looked at table by table."""
    stretches = map(_stretches, named.points, named.places)
    return _ends(len(named.keys), zip(stretches, named.tables, strict=True))


def _ends(n_series: int, tables: Iterable[tuple[Stretches, PlacedTable]]) -> tuple[float | None, float | None]:
    import numpy as np

    firsts: list[float] = []
    lasts: list[float] = []
    for _rank, of_file in groupby(tables, key=lambda one: one[1].rank):
        first, last = np.full((2, n_series), np.nan)
        is_known = np.zeros(n_series, dtype=np.bool_)
        for stretches, table in of_file:
            which, now = stretches.which, last.copy()
            if isinstance(table.points, PointGrid):
                now[which], last[which] = table.points.ends()
            else:
                wall_s = table.points.wall_s
                # Of several values for one place numpy keeps the one assigned last.
                now[which[::-1]] = wall_s[stretches.starts[::-1]]
                last[which] = wall_s[stretches.ends - 1]
            new = which[~is_known[which]]
            first[new], is_known[new] = now[new], True
        firsts += filter(math.isfinite, first.tolist())
        lasts += filter(math.isfinite, last.tolist())
    return min(firsts, default=None), max(lasts, default=None)


def _stretches(points: PointTable, places: Int32Array) -> Stretches:
    import numpy as np

    if isinstance(points, PointGrid):
        return Stretches(places, np.arange(places.size) * points.n_each, points.n_points)
    return stretches_of(points.which, places)


def stretches_of(which: Int32Array, places: Int32Array) -> Stretches:
    """Points in a row of one metric.

    Args:
        which: shape (n_points,), numbers of metrics.
        places: by metric the place of its series.
    """
    import numpy as np

    borders = np.flatnonzero(which[1:] != which[:-1]) + 1
    starts = np.concatenate((np.zeros(1, dtype=np.int64), borders))[: which.size]
    return Stretches(places[which[starts]], starts, which.size)


def sort_points(
    runs: Sequence[RunSeries], sheaves: Sequence[Sequence[int]] | None = None, *, may_be_single: bool = False
) -> SeriesPoints:
    """The points of many runs, sheaf by sheaf, run by run, series by series in the order of `keys`.

    The sequence numbers rise within each file, and the files of a run stand in their order: a stable sort by series
    is all that is needed. Each run is sorted by itself, while its points are in the processor's cache, and each point
    is moved once.

    Args:
        runs: whose points.
        sheaves: for each run, for each of its series the number of its sheaf, rising; all are one by default.
        may_be_single: steps and values come in 32 bits where these hold all.
    """
    import numpy as np

    is_single = may_be_single and all(grid is not None and grid.is_single for grid in map(_grid_of, runs))

    sheaves = [[0] * len(run.keys) for run in runs] if sheaves is None else sheaves
    joined = [_in_a_row(run.stretches) for run in runs]
    counts = [_counts(stretches, len(run.keys)) for stretches, run in zip(joined, runs, strict=True)]
    n_points = sum(stretches.n_points for stretches in joined)
    source_ids = np.empty(n_points, dtype=np.int32)
    seq, steps = np.empty(n_points, dtype=np.int64), np.empty(n_points, dtype=np.int32 if is_single else np.int64)
    wall_s, values = np.empty(n_points, dtype=np.float64), np.empty(n_points, "f4" if is_single else "f8")
    grids: list[_PlacedGrid] = []
    n_others = 0
    for run, stretches, moves, numbers in zip(runs, joined, _moves(counts, sheaves), sheaves, strict=True):
        if grid := _grid_of(run):
            grids.append(_PlacedGrid(grid, run.tables[0], stretches.which, moves, tuple(numbers), n_others))
            continue
        n_others += 1
        parts = _parts(stretches, moves)
        _place(_source_ids(run), parts, source_ids)
        for target, columns in (
            (seq, [_placed(table) for table in run.tables]),
            (steps, [table.points.steps for table in run.tables]),
            (wall_s, [table.points.wall_s for table in run.tables]),
            (values, [table.points.values for table in run.tables]),
        ):
            _place(_joined(columns), parts, target)
    for _form, alike in groupby(grids, key=attrgetter("form")):
        _place_grids(list(alike), (source_ids, seq, steps, wall_s, values))
    all_numbers = [number for of_run in sheaves for number in of_run]
    by_sheaf = np.argsort(np.array(all_numbers, dtype=np.int64), kind="stable")
    return SeriesPoints(
        np.concatenate([np.zeros(0, dtype=np.int64), *counts])[by_sheaf], source_ids, seq, steps, wall_s, values
    )


def _in_a_row(tables: Sequence[Stretches]) -> Stretches:
    """Those of several tables, one behind the other."""
    import numpy as np

    if len(tables) == 1:
        return tables[0]
    sizes = np.array([table.n_points for table in tables])
    before = (np.cumsum(sizes) - sizes).tolist()
    starts = [table.starts + start for table, start in zip(tables, before, strict=True)]
    return Stretches(np.concatenate([table.which for table in tables]), np.concatenate(starts), int(sizes.sum()))


def _counts(stretches: Stretches, n_series: int) -> Int64Array:
    """Points of each series."""
    import numpy as np

    lengths = stretches.ends - stretches.starts
    return np.bincount(stretches.which, weights=lengths, minlength=n_series).astype(np.int64)  # exact up to 2**53


def _moves(counts: Sequence[Int64Array], sheaves: Sequence[Sequence[int]]) -> list[list[tuple[slice, slice]]]:
    """For each run, for each sheaf that it has points of: where these lie among its sorted points, and among all."""
    import numpy as np

    n_sheaves = max((max(of_run, default=-1) for of_run in sheaves), default=-1) + 1
    bounds = np.zeros((len(counts), n_sheaves + 1), dtype=np.int64)
    for line, count, of_run in zip(bounds, counts, sheaves, strict=True):
        line[:] = np.append(0, np.cumsum(count))[np.searchsorted(of_run, np.arange(n_sheaves + 1))]
    sizes = np.diff(bounds, axis=1).T
    targets = (np.cumsum(sizes) - sizes.ravel()).reshape(sizes.shape).T
    return [
        [
            (slice(start, stop), slice(target, target + stop - start))
            for (start, stop), target in zip(pairwise(line), places, strict=True)
            if stop > start
        ]
        for line, places in zip(bounds.tolist(), targets.tolist(), strict=True)
    ]


def _parts(stretches: Stretches, moves: Sequence[tuple[slice, slice]]) -> list[tuple[Part, slice]]:
    """What goes where, in the order of the series: places of points, or stretches where they are long.

    Args:
        stretches: of a run.
        moves: where its sorted points go; each ends where a series does.
    """
    import numpy as np

    if stretches.starts.size * _WHOLE_STRETCH > stretches.n_points:
        places = sorted_places(stretches)
        return [(places[source], goal) for source, goal in moves]
    order = np.argsort(stretches.which, kind="stable")
    starts, ends = stretches.starts[order], stretches.ends[order]
    bounds = np.searchsorted(np.cumsum(ends - starts), [source.stop for source, _goal in moves]).tolist()
    slices = list(map(slice, starts.tolist(), ends.tolist()))
    return [
        (slices[first : last + 1], goal)
        for first, last, (_source, goal) in zip([0, *(bound + 1 for bound in bounds)], bounds, moves, strict=False)
    ]


def _place(column: NDArray[Any] | int, parts: Sequence[tuple[Part, slice]], target: NDArray[Any]) -> None:
    """Move what a run has of a column, or the one value that all of it has, to where it belongs."""
    import numpy as np

    for part, goal in parts:
        if isinstance(column, int):
            target[goal] = column
        elif isinstance(part, list):
            np.concatenate([column[stretch] for stretch in part], out=target[goal])
        else:
            np.take(column, part, out=target[goal], mode="clip")


def _grid_of(run: RunSeries) -> PointGrid | None:
    """The matrix that all points of a run are, so that nothing is sorted but its lines; None where they are none."""
    points = run.tables[0].points if len(run.tables) == 1 else None
    return points if isinstance(points, PointGrid) else None


class _PlacedGrid(NamedTuple):
    """The points of a run that are a matrix, and where they belong."""

    grid: PointGrid
    table: PlacedTable
    """The same, with its source and rank."""
    which: Int32Array
    """Of each line the place of its series, all of which differ."""
    moves: Sequence[tuple[slice, slice]]
    """As `_moves` tells."""
    sheaves: tuple[int, ...]
    """Of each series."""
    n_others: int
    """Runs before it that are no matrices."""

    @property
    def form(self) -> tuple[object, ...]:
        """Equal for runs with the same places and steps that lie one behind another in the same sheaves."""
        return (self.n_others, self.sheaves, self.table.rank, self.which.tobytes(), self.grid.form)


def _place_grids(runs: Sequence[_PlacedGrid], targets: Sequence[NDArray[Any]]) -> None:
    """Move the points of matrices to where they belong, line by line.

    Args:
        runs: of one form, one behind another.
        targets: source ids, seq, steps, times and values of all runs.
    """
    import numpy as np

    grid, table, which, moves = runs[0][:4]
    order = None if (which[1:] > which[:-1]).all() else np.argsort(which)
    ids = np.array([run.table.source_id for run in runs], dtype=np.int32)[:, None]
    for number, (source, goal) in enumerate(moves):
        lines: slice | Int64Array = slice(source.start // grid.n_each, source.stop // grid.n_each)
        lines = lines if order is None else order[lines]
        # The runs lie one behind another in each sheaf: what they have in common is put there at once.
        together = slice(goal.start, runs[-1].moves[number][1].stop)
        source_ids, seq, steps = (target[together].reshape(len(runs), -1) for target in targets[:3])
        source_ids[:] = ids
        grid.put_common(lines, seq.reshape(len(runs), -1, grid.n_each), steps.reshape(len(runs), -1, grid.n_each))
        if table.rank:
            seq &= PLACE_MASK
            seq |= table.rank << SEQ_BITS
        for run in runs:
            own = run.moves[number][1]
            run.grid.put(lines, [target[own].reshape(-1, grid.n_each) for target in targets[3:]])


def _source_ids(run: RunSeries) -> NDArray[Any] | int:
    """Of each point of a run in the order of its files, or the one that all have."""
    import numpy as np

    if len(run.tables) == 1:
        return run.tables[0].source_id
    sizes = [table.points.steps.size for table in run.tables]
    return np.repeat(np.array([table.source_id for table in run.tables], dtype=np.int32), sizes)


def sorted_places(stretches: Stretches) -> Int64Array:
    """The points by series, those of each in their order: a stable sort, sooner where stretches are long.

    Points come in long stretches of one series, as the turns of a training loop are read, or by turns.
    """
    import numpy as np

    which, starts = stretches.which, stretches.starts
    lengths = stretches.ends - starts
    if starts.size * _LONG_STRETCH > stretches.n_points:
        of_points = np.repeat(which, lengths)
        # 16 bits are sorted by radix, in a third of the time.
        return np.argsort(of_points.astype(np.uint16) if which.max(initial=0) < _SHORT else of_points, kind="stable")
    order = np.argsort(which, kind="stable")
    starts, lengths = starts[order], lengths[order]
    before = np.cumsum(lengths) - lengths
    places: Int64Array = np.arange(stretches.n_points) + np.repeat(starts - before, lengths)
    return places


def _joined(parts: Sequence[NDArray[Any]]) -> NDArray[Any]:
    import numpy as np

    return parts[0] if len(parts) == 1 else np.concatenate(parts)


def _placed(table: PlacedTable) -> Int64Array:
    return (table.rank << SEQ_BITS) | (table.points.seq & PLACE_MASK) if table.rank else table.points.seq
