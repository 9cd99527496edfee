"""The series of a run: which points of its sources are of which."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from mlbench import safe
from mlbench.dataclass import dataclass
from mlbench.ingest.draft import Draft, prefixed
from mlbench.ingest.identity import Member
from mlbench.ingest.laying import LONG_POINTS, LaidTable, is_laid, of_metrics, parts_of
from mlbench.ingest.scan import path_below
from mlbench.model import Role
from mlbench.wire.point_grids import PointGrid

if TYPE_CHECKING:
    from mlbench.model import Int32Array, Int64Array, PointTable


class SeriesKey(NamedTuple):
    """What tells a series of a run from the others."""

    metric: str
    """Its name in the run."""
    source_run: str
    """Folder of the log below the root, as TensorBoard names a run."""
    source_metric: str
    """Its name in the log."""
    adapter: str


class PlacedTable(NamedTuple):
    """The points of one source, and its rank among those of the run."""

    rank: int
    source_id: int
    points: PointTable


@dataclass(frozen=True, slots=True, eq=False)
class NamedPoints:
    """The points of a run in the order of its files."""

    keys: tuple[SeriesKey, ...]
    """Of its series, sorted."""
    places: list[Int32Array]
    """Of each table: for each of its metrics the place in `keys`."""
    tables: list[PlacedTable]
    """Those of one source stand in the order of the source."""

    @property
    def points(self) -> list[PointTable]:
        """The tables alone."""
        return [table.points for table in self.tables]

    @property
    def is_long(self) -> bool:
        """Whether it is to be stored a few series at a time, since it has many points, or some lie in a file."""
        return self.n_points > LONG_POINTS or any(map(is_laid, self.points))

    @property
    def n_points(self) -> int:
        """Of all series."""
        return sum(points.n_points for points in self.points)

    def counts(self) -> Int64Array:
        """Points of each series, shape (n_series,)."""
        import numpy as np

        counts = np.zeros(len(self.keys), dtype=np.int64)
        for points, places in zip(self.points, self.places, strict=True):
            np.add.at(counts, places, _counts(points))
        return counts

    def some(self, first: int, stop: int) -> NamedPoints:
        """Series next to each other, by their places."""
        import numpy as np

        tables: list[PlacedTable] = []
        chosen: list[Int32Array] = []
        for table, places in zip(self.tables, self.places, strict=True):
            numbers = np.flatnonzero((places >= first) & (places < stop))
            if numbers.size:
                tables.append(table._replace(points=of_metrics(table.points, numbers)))
                chosen.append(places[numbers] - first)
        return NamedPoints(self.keys[first:stop], chosen, tables)


def _counts(points: PointTable) -> Int64Array | int:
    """Points of each metric."""
    import numpy as np

    if isinstance(points, PointGrid):
        return points.n_each
    if isinstance(points, LaidTable):
        return points.counts
    return np.bincount(points.which, minlength=len(points.metrics))


def name_points(draft: Draft) -> NamedPoints | None:
    """Name the series of a run's points; None where it has none."""
    ordered = sorted(draft.sources, key=lambda source: source.member.claimed.claim.path)
    tables: list[PlacedTable] = []
    known: dict[SeriesKey, int] = {}
    numbers: list[list[int]] = []
    for rank, source in enumerate(ordered):
        if source.reading.points is None:
            continue
        for points in filter(_has_points, map(_with_points, parts_of(source.reading.points))):
            tables.append(PlacedTable(rank, source.source_id, points))
            keys = _keys(draft, source.member, points.metrics)
            numbers.append([known.setdefault(key, len(known)) for key in keys])
    return _in_order(known, numbers, tables) if tables else None


def _has_points(points: PointTable) -> bool:
    return points.n_points > 0


def _with_points(points: PointTable) -> PointTable:
    """The table without the metrics that it only names."""
    import numpy as np

    counts = _counts(points)
    if isinstance(counts, int) or counts.all():
        return points
    return of_metrics(points, np.flatnonzero(counts))


def _in_order(known: dict[SeriesKey, int], numbers: list[list[int]], tables: list[PlacedTable]) -> NamedPoints:
    import numpy as np

    keys = sorted(known)
    places = np.empty(len(keys), dtype=np.int32)
    places[[known[key] for key in keys]] = np.arange(len(keys), dtype=np.int32)
    return NamedPoints(tuple(keys), [places[of_table] for of_table in numbers], tables)


def _keys(draft: Draft, member: Member, metrics: Sequence[str]) -> list[SeriesKey]:
    claim = member.claimed.claim
    folder = os.path.dirname(claim.path) if claim.role is Role.EVENTS else claim.run_folder
    source_run = safe.text_of_path(path_below(folder, draft.root))
    return [SeriesKey(prefixed(member, metric), source_run, metric, member.claimed.adapter) for metric in metrics]
