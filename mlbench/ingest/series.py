"""The points of a run's sources put into series: by metric, in the order of the log."""

from __future__ import annotations

import os
from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

from mlbench import safe
from mlbench.dataclass import dataclass
from mlbench.ingest.draft import Draft, prefixed
from mlbench.ingest.identity import Member
from mlbench.ingest.scan import path_below
from mlbench.model import Role

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mlbench.model import Float64Array, Int32Array, Int64Array, PointTable

SEQ_BITS = 40
"""A point's place: rank of its file among the run's files, then its place in the file (2^40 values a file)."""
PLACE_MASK = (1 << SEQ_BITS) - 1
_SHORT = 1 << 16
_LONG_STRETCH = 8
"""Points in a row of one series from which on stretches are sorted, not points."""


class SeriesKey(NamedTuple):
    """What tells a series of a run from the others."""

    metric: str
    """Its name in the run."""
    source_run: str
    """Folder of the log below the root, as TensorBoard names a run."""
    source_metric: str
    """Its name in the log."""
    adapter: str


@dataclass(frozen=True, slots=True, eq=False)
class SeriesPoints:
    """Points of many series, one series after another, each in the order of its log."""

    counts: Int64Array
    """Shape (n_series,), each at least 1."""
    source_ids: Int32Array
    """This and all below: shape (n_points,), the sum of `counts`."""
    seq: Int64Array
    steps: Int64Array
    wall_s: Float64Array
    values: Float64Array

    @property
    def ends(self) -> Int64Array:
        """Where each series ends."""
        import numpy as np

        return np.cumsum(self.counts)


@dataclass(frozen=True, slots=True, eq=False)
class RunSeries:
    """The series of one run, their points still in the order of its files."""

    keys: tuple[SeriesKey, ...]
    """Sorted."""
    which: list[Int32Array]
    """For each table, for each of its points, the place of its series in `keys`."""
    tables: list[PlacedTable]

    def ends(self) -> tuple[float | None, float | None]:
        """The earliest and the latest finite wall time of the first and last points of each series in each file.

        Of each series, since a run that is read in pieces knows no more than that: both ways give the same.
        """
        import numpy as np

        firsts, lasts = [], []
        for which, table in zip(self.which, self.tables, strict=True):
            first, last = np.full((2, len(self.keys)), np.nan)
            is_border = which[1:] != which[:-1]
            begins = np.append(True, is_border)[: which.size].nonzero()[0][::-1]
            ends = np.append(is_border, True)[: which.size].nonzero()[0]
            # Of several values for one place numpy keeps the one assigned last.
            first[which[begins]], last[which[ends]] = table.points.wall_s[begins], table.points.wall_s[ends]
            firsts += first[np.isfinite(first)].tolist()
            lasts += last[np.isfinite(last)].tolist()
        return min(firsts, default=None), max(lasts, default=None)


class PlacedTable(NamedTuple):
    """The points of one source, and its rank among those of the run."""

    rank: int
    source_id: int
    points: PointTable


def series_of(draft: Draft) -> RunSeries | None:
    """Name the series of a run's points; None where it has none."""
    ordered = sorted(draft.sources, key=lambda source: source.member.claimed.claim.path)
    tables: list[PlacedTable] = []
    known: dict[SeriesKey, int] = {}
    numbers: list[list[int]] = []
    for rank, source in enumerate(ordered):
        points = source.reading.points
        if points is not None:
            tables.append(PlacedTable(rank, source.source_id, points))
            keys = _keys(draft, source.member, points.metrics)
            numbers.append([known.setdefault(key, len(known)) for key in keys])
    return _in_order(known, numbers, tables) if tables else None


def _in_order(known: dict[SeriesKey, int], numbers: list[list[int]], tables: list[PlacedTable]) -> RunSeries:
    import numpy as np

    keys = sorted(known)
    places = np.empty(len(keys), dtype=np.int32)
    places[[known[key] for key in keys]] = np.arange(len(keys), dtype=np.int32)
    which = [places[of_table][table.points.which] for of_table, table in zip(numbers, tables, strict=True)]
    return RunSeries(tuple(keys), which, tables)


def _keys(draft: Draft, member: Member, metrics: Sequence[str]) -> list[SeriesKey]:
    claim = member.claimed.claim
    folder = os.path.dirname(claim.path) if claim.role is Role.EVENTS else claim.run_folder
    source_run = safe.text_of_path(path_below(folder, draft.root))
    return [SeriesKey(prefixed(member, metric), source_run, metric, member.claimed.adapter) for metric in metrics]


def sort_points(runs: Sequence[RunSeries], sheaves: Sequence[Sequence[int]] | None = None) -> SeriesPoints:
    """The points of many runs, sheaf by sheaf, run by run, series by series in the order of `keys`.

    The sequence numbers rise within each file, and the files of a run stand in their order: a stable sort by series
    is all that is needed. Each run is sorted by itself, while its points are in the processor's cache, and each point
    is moved once.

    Args:
        runs: whose points.
        sheaves: for each run, for each of its series the number of its sheaf, rising; all are one by default.
    """
    import numpy as np

    sheaves = [[0] * len(run.keys) for run in runs] if sheaves is None else sheaves
    joined = [_joined(run.which) for run in runs]
    counts = [np.bincount(which, minlength=len(run.keys)) for which, run in zip(joined, runs, strict=True)]
    n_points = sum(which.size for which in joined)
    source_ids = np.empty(n_points, dtype=np.int32)
    seq, steps = np.empty(n_points, dtype=np.int64), np.empty(n_points, dtype=np.int64)
    wall_s, values = np.empty(n_points, dtype=np.float64), np.empty(n_points, dtype=np.float64)
    for run, which, moves in zip(runs, joined, _moves(counts, sheaves), strict=True):
        order = sorted_places(which)
        _place(_source_ids(run), order, moves, source_ids)
        for target, parts in (
            (seq, [_placed(table) for table in run.tables]),
            (steps, [table.points.steps for table in run.tables]),
            (wall_s, [table.points.wall_s for table in run.tables]),
            (values, [table.points.values for table in run.tables]),
        ):
            _place(_joined(parts), order, moves, target)
    numbers = [number for of_run in sheaves for number in of_run]
    by_sheaf = np.argsort(np.array(numbers, dtype=np.int64), kind="stable")
    return SeriesPoints(
        np.concatenate([np.zeros(0, dtype=np.int64), *counts])[by_sheaf], source_ids, seq, steps, wall_s, values
    )


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


def _place(
    column: NDArray[Any] | int, order: Int64Array, moves: Sequence[tuple[slice, slice]], target: NDArray[Any]
) -> None:
    """Move what a run has of a column, or the one value that all of it has, to where it belongs."""
    import numpy as np

    for source, goal in moves:
        if isinstance(column, int):
            target[goal] = column
        else:
            np.take(column, order[source], out=target[goal], mode="clip")


def _source_ids(run: RunSeries) -> NDArray[Any] | int:
    """Of each point of a run in the order of its files, or the one that all have."""
    import numpy as np

    if len(run.tables) == 1:
        return run.tables[0].source_id
    sizes = [table.points.steps.size for table in run.tables]
    return np.repeat(np.array([table.source_id for table in run.tables], dtype=np.int32), sizes)


def sorted_places(which: Int32Array) -> Int64Array:
    """`np.argsort(which, kind="stable")`, sooner.

    Points come in long stretches of one series, as the turns of a training loop are read, or by turns.
    """
    import numpy as np

    borders = np.flatnonzero(which[1:] != which[:-1]) + 1
    if borders.size * _LONG_STRETCH > which.size:
        # 16 bits are sorted by radix, in a third of the time.
        return np.argsort(which.astype(np.uint16) if which.max(initial=0) < _SHORT else which, kind="stable")
    starts = np.concatenate((np.zeros(1, dtype=np.int64), borders))[: which.size]
    lengths = np.diff(starts, append=which.size)
    order = np.argsort(which[starts], kind="stable")
    starts, lengths = starts[order], lengths[order]
    places: Int64Array = np.arange(which.size) + np.repeat(starts - (np.cumsum(lengths) - lengths), lengths)
    return places


def _joined(parts: Sequence[NDArray[Any]]) -> NDArray[Any]:
    import numpy as np

    return parts[0] if len(parts) == 1 else np.concatenate(parts)


def _placed(table: PlacedTable) -> Int64Array:
    return (table.rank << SEQ_BITS) | (table.points.seq & PLACE_MASK) if table.rank else table.points.seq
