"""Runs on their way into the catalog: points are put into a segment, what is left is small and crosses processes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import field
from itertools import islice
from typing import TYPE_CHECKING, Any

from mlbench.catalog.arrays import as_arrow
from mlbench.catalog.layout import point_schema, single_schema
from mlbench.catalog.segments import Stored, write_segment
from mlbench.dataclass import dataclass
from mlbench.ingest.draft import Draft
from mlbench.ingest.laying import LONG_POINTS
from mlbench.ingest.naming import NamedPoints, SeriesKey, name_points
from mlbench.ingest.series import RunSeries, SeriesPoints, ends_of, series_of, sort_points
from mlbench.ingest.summary import summarise

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

    from mlbench.model import Int64Array

METRICS_TOGETHER = 4
"""Of the 20 metrics of set L one is read in a quarter of the time, and a point takes 5.6 bytes for 4.9."""


@dataclass(frozen=True, slots=True)
class Span:
    """When a run's points were written."""

    first_wall_s: float | None = None
    last_wall_s: float | None = None


@dataclass(slots=True)
class Shelf:
    """Gathers the series of runs until `store` writes them all into one segment; a long run gets its own."""

    folder: str
    """The points folder."""
    next_series_id: int
    """This and all that follow are free."""
    n_points: int = 0
    _runs: list[tuple[str, RunSeries]] = field(default_factory=list)
    _stored: list[Stored] = field(default_factory=list)
    """Of long runs."""

    def add(self, draft: Draft) -> Span:
        """Take the points of a run; those of a long one are stored now, since they may lie in a file that goes.

        Raises:
            HomeError: the disk is full or the folder cannot be written.
        """
        named = name_points(draft)
        if named is None:
            return Span()
        if named.is_long:
            self._stored += self._store_long(draft.run_id, named)
            return Span(*ends_of(named))
        series = series_of(named)
        self._runs.append((draft.run_id, series))
        self.n_points += named.n_points
        return Span(*series.ends())

    def store(self) -> list[Stored]:
        """Write what was gathered and forget it; gives what was written since this was asked last.

        Raises:
            HomeError: the disk is full or the folder cannot be written.
        """
        stored, self._stored = self._stored, []
        runs, self._runs, self.n_points = self._runs, [], 0
        return [*stored, self._store(runs)] if runs else stored

    def _store_long(self, run_id: str, named: NamedPoints) -> list[Stored]:
        """Segments of as many series each as may be held together, one at least."""
        import numpy as np

        before = np.append(0, np.cumsum(named.counts()))
        stored: list[Stored] = []
        first, n_series = 0, len(named.keys)
        while first < n_series:
            most = int(np.searchsorted(before, before[first] + LONG_POINTS, side="right")) - 1
            stop = max(first + 1, most)
            stored.append(self._store([(run_id, series_of(named.some(first, stop)))]))
            first = stop
        return stored

    def _store(self, runs: list[tuple[str, RunSeries]]) -> Stored:
        """Write the points of runs into one segment; the list is emptied."""
        import numpy as np
        import pyarrow as pa

        named = [(run_id, key) for run_id, series in runs for key in series.keys]
        sheaves = sheaves_of([key.metric for _run_id, key in named])
        order = sorted(range(len(named)), key=sheaves.__getitem__)
        numbers = iter(sheaves)
        of_runs = [list(islice(numbers, len(series.keys))) for _run_id, series in runs]
        run_ids = tuple(sorted({run_id for run_id, _series in runs}))
        points = sort_points([series for _run_id, series in runs], of_runs, may_be_single=True)
        runs.clear()  # the points are there once more
        ids = np.arange(self.next_series_id, self.next_series_id + points.counts.size, dtype=np.int64)
        self.next_series_id += points.counts.size
        keys = _key_columns([named[place] for place in order])
        series = pa.table({"series_id": as_arrow(ids), **keys, **summarise(points)})
        cuts = _cuts(points, [sheaves[place] for place in order])
        segment = write_segment(self.folder, _point_table(ids, points), cuts=cuts)
        return Stored(segment, series, run_ids)


def sheaves_of(metrics: Sequence[str]) -> list[int]:
    """For each of these names the number of its sheaf: METRICS_TOGETHER different ones, by name, are one.

    A chart needs one metric of many runs, so that in a segment those lie together. Not one metric alone: the metrics of
    a run are logged at the same moments, whose times are stored in half the space beside each other.
    """
    places = {name: place // METRICS_TOGETHER for place, name in enumerate(sorted(set(metrics)))}
    return [places[name] for name in metrics]


def _cuts(points: SeriesPoints, sheaves: Sequence[int]) -> list[int]:
    """The rows where another sheaf begins."""
    ends = points.ends.tolist()
    return [ends[place] for place in range(len(sheaves) - 1) if sheaves[place] != sheaves[place + 1]]


def _key_columns(named: Sequence[tuple[str, SeriesKey]]) -> dict[str, pa.Array]:
    import pyarrow as pa

    columns = {name: pa.array([key[place] for _run, key in named]) for place, name in enumerate(SeriesKey._fields)}
    return {"run_id": pa.array([run_id for run_id, _key in named]), **columns}


def _point_table(series_ids: Int64Array, points: SeriesPoints) -> pa.Table:
    import numpy as np
    import pyarrow as pa

    arrays: list[NDArray[Any]] = [np.repeat(series_ids, points.counts), points.source_ids, points.seq,
                                  points.steps, points.wall_s, points.values]  # fmt: skip
    schema = single_schema() if points.values.itemsize < points.wall_s.itemsize else point_schema()
    return pa.table([as_arrow(array) for array in arrays], schema=schema)
