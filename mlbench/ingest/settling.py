"""Runs whose points lie in many segments are put together again, a few series at a time.

Each time a run has grown its new points get a segment, and what is said of its series is brought up to date from that
alone. After so many times all of its points are read, are told of anew, and are written together.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from mlbench.catalog.arrays import as_arrow
from mlbench.catalog.batch import Batch
from mlbench.catalog.segments import Stored, write_segment
from mlbench.ingest.laying import LONG_POINTS
from mlbench.ingest.naming import SeriesKey
from mlbench.ingest.series import SeriesPoints
from mlbench.ingest.summary import summarise

if TYPE_CHECKING:
    from mlbench.catalog.writer import Writer

MAX_SEGMENTS = 24
"""Small segments that a run may be spread over: each is a file that a reader opens."""
SMALL_ROWS = 100_000
"""Points of a run's own segment from which on it is not small: a long run has many of them from the beginning."""
_MANY = """
SELECT m.run_id FROM segment_run m JOIN segment g ON g.file = m.file
WHERE m.run_id IN (SELECT unnest(?))
    AND (g.n_rows < ? OR (SELECT count(*) FROM segment_run other WHERE other.file = m.file) > 1)
GROUP BY 1 HAVING count(*) > ? ORDER BY 1
"""


def settle(writer: Writer, run_ids: Iterable[str]) -> None:
    """Put those of some runs together that lie in too many segments; a transaction for each.

    Args:
        writer: in no transaction.
        run_ids: of runs that have grown.

    Raises:
        HomeError: a segment is missing or damaged, or nothing can be written.
    """
    asked = sorted(run_ids)
    for (run_id,) in writer.rows(_MANY, [asked, SMALL_ROWS, MAX_SEGMENTS]) if asked else ():
        files = [file for (file,) in writer.rows("SELECT file FROM segment_run WHERE run_id = ?", [run_id])]
        named = ", ".join(SeriesKey._fields)
        sql = f"SELECT series_id, run_id, {named}, n_raw FROM series WHERE run_id = ? ORDER BY series_id"
        # Under new ids: the old points stay in segments that other runs need.
        next_id = writer.new_series_block()
        stored: list[Stored] = []
        for some in _groups(writer.records(sql, [run_id])):
            stored.append(_together(writer, run_id, some, next_id))
            next_id += len(some)
        writer.commit(Batch(stored=stored, left={run_id: files}))


def _groups(rows: Sequence[Mapping[str, Any]]) -> Iterator[list[Mapping[str, Any]]]:
    """Series of as many points as may be held together, at least one."""
    some: list[Mapping[str, Any]] = []
    n_points = 0
    for row in rows:
        if some and n_points + row["n_raw"] > LONG_POINTS:
            yield some
            some, n_points = [], 0
        some.append(row)
        n_points += row["n_raw"]
    if some:
        yield some


def _together(writer: Writer, run_id: str, rows: Sequence[Mapping[str, Any]], first_id: int) -> Stored:
    """Write the points of some series into a segment of their own; what is said of them comes from all of them."""
    import numpy as np
    import pyarrow as pa

    known_ids = [row["series_id"] for row in rows]
    series_ids = np.arange(first_id, first_id + len(rows), dtype=np.int64)
    table = writer.points(run_id, known_ids)
    columns = [table.column(name).to_numpy() for name in ("source_id", "seq", "step", "wall_s", "value")]
    counts = np.array([row["n_raw"] for row in rows], dtype=np.int64)
    told = summarise(SeriesPoints(counts, *columns))
    named = {name: pa.array([row[name] for row in rows]) for name in ("run_id", *SeriesKey._fields)}
    series = pa.table({"series_id": as_arrow(series_ids), **named, **told})
    table = table.set_column(0, "series_id", as_arrow(np.repeat(series_ids, counts)))
    return Stored(write_segment(writer.home.points, table), series, (run_id,), tuple(known_ids))
