"""Runs on their way into the catalog: points are put into a segment, what is left is small and crosses processes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import field
from typing import TYPE_CHECKING

from mlbench.catalog.segments import Stored, point_schema, write_segment
from mlbench.dataclass import dataclass
from mlbench.ingest.draft import Draft
from mlbench.ingest.series import RunSeries, SeriesKey, SeriesPoints, series_of, sort_points
from mlbench.ingest.summary import summarise

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True, slots=True)
class Span:
    """When a run's points were written."""

    first_wall_s: float | None = None
    last_wall_s: float | None = None


@dataclass(slots=True)
class Shelf:
    """Gathers the series of runs until `store` writes them all into one segment."""

    folder: str
    """The points folder."""
    next_series_id: int
    """This and all that follow are free."""
    n_points: int = 0
    _runs: list[tuple[str, RunSeries]] = field(default_factory=list)

    def add(self, draft: Draft) -> Span:
        """Take the points of a run."""
        series = series_of(draft)
        if series is None:
            return Span()
        self._runs.append((draft.run_id, series))
        self.n_points += sum(part.size for part in series.which)
        return Span(*series.ends())

    def store(self) -> Stored | None:
        """Write what was gathered and forget it; None where there was nothing.

        Raises:
            HomeError: the disk is full or the folder cannot be written.
        """
        import pyarrow as pa

        runs, self._runs, self.n_points = self._runs, [], 0
        if not runs:
            return None
        points = sort_points([series for _run_id, series in runs])
        ids = pa.array(range(self.next_series_id, self.next_series_id + points.counts.size), type=pa.int64())
        self.next_series_id += points.counts.size
        series = pa.table({"series_id": ids, **_key_columns(runs), **summarise(points)})
        segment = write_segment(self.folder, _point_table(ids, points))
        return Stored(segment, series, tuple(sorted({run_id for run_id, _series in runs})))


def _key_columns(runs: Sequence[tuple[str, RunSeries]]) -> dict[str, pa.Array]:
    import pyarrow as pa

    keys = [key for _run_id, series in runs for key in series.keys]
    columns = {name: pa.array([key[place] for key in keys]) for place, name in enumerate(SeriesKey._fields)}
    return {"run_id": pa.array([run_id for run_id, series in runs for _key in series.keys]), **columns}


def _point_table(series_ids: pa.Array, points: SeriesPoints) -> pa.Table:
    import numpy as np
    import pyarrow as pa

    arrays = [np.repeat(series_ids.to_numpy(), points.counts), points.source_ids, points.seq, points.steps,
              points.wall_s, points.values]  # fmt: skip
    return pa.table([pa.array(array) for array in arrays], schema=point_schema())
