"""Points out of what a segment has: of some series, and with wall times where they are told by steps."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from mlbench.catalog import times
from mlbench.catalog.arrays import as_arrow
from mlbench.catalog.layout import COLUMNS, point_schema, stored_columns
from mlbench.dataclass import dataclass

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

    from mlbench.model import Int64Array


def chosen_points(stored: Mapping[str, NDArray[Any]], wanted: Int64Array, columns: Sequence[str]) -> dict[str, Any]:
    """The points of some series.

    Args:
        stored: `layout.stored_columns` of whole series, ids rising, also of those by which the wanted are told.
        wanted: ids of series, sorted, each once.
        columns: names out of COLUMNS.

    Returns:
        For each of `columns` an array of shape (n,).
    """
    ids = stored["series_id"]
    rows = chosen_rows(ids, wanted)
    found = {name: _at(stored[name], rows) for name in columns if name in stored}
    if "wall_s" in columns and times.REST in stored:
        needed = chosen_rows(ids, times.needed_series(ids, stored[times.BACK], wanted))
        some = {name: _at(stored[name], needed) for name in ("series_id", "step", *times.STORED)}
        found["wall_s"] = _at(times.times_of(some), chosen_rows(some["series_id"], wanted))
    wide = {"step": "i8", "value": "f8"}  # of a segment with 32 bits for both
    return {name: found[name].astype(wide[name], copy=False) if name in wide else found[name] for name in columns}


def chosen_rows(series_ids: Int64Array, wanted: Int64Array) -> Int64Array | None:
    """The rows of the wanted series, both sorted; None for all rows."""
    import numpy as np

    starts, ends = series_ids.searchsorted(wanted), series_ids.searchsorted(wanted, side="right")
    counts = ends - starts
    n_rows = int(counts.sum())
    if n_rows == series_ids.size:
        return None
    rows: Int64Array = np.arange(n_rows) + np.repeat(starts - (np.cumsum(counts) - counts), counts)
    return rows


def _at(column: NDArray[Any], rows: Int64Array | None) -> NDArray[Any]:
    return column if rows is None else column[rows]


@dataclass(frozen=True, slots=True)
class ToldPoints:
    """The points of segments whose times are told by steps, read row group by row group each time DuckDB scans it."""

    paths: Sequence[str]
    """Of the segments, their bytes proved."""

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        """Arrow's interface for a stream of batches, which DuckDB asks for one whenever it reads."""
        import pyarrow as pa

        return pa.RecordBatchReader.from_batches(point_schema(), self._batches()).__arrow_c_stream__(requested_schema)

    def _batches(self) -> Iterator[pa.RecordBatch]:
        import pyarrow as pa
        import pyarrow.parquet as pq

        for path in self.paths:
            names = stored_columns(path, COLUMNS)
            with pq.ParquetFile(path) as opened:
                for group in range(opened.metadata.num_row_groups):
                    table = opened.read_row_group(group, columns=names, use_threads=False)
                    stored = {name: table.column(name).to_numpy() for name in names}
                    wanted = stored["series_id"][times.series_starts(stored["series_id"])]
                    points = chosen_points(stored, wanted, COLUMNS)
                    yield pa.record_batch([as_arrow(column) for column in points.values()], schema=point_schema())
