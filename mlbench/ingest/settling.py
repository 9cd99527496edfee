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
RUNS_AT_ONCE = 100
"""Runs that are put together in one transaction."""


def settle(writer: Writer, run_ids: Iterable[str]) -> None:
    """Put those of some runs together that lie in too many segments.

    Args:
        writer: in no transaction.
        run_ids: of runs that have grown.

    Raises:
        HomeError: a segment is missing or damaged, or nothing can be written.
    """
    asked = sorted(run_ids)
    many = _spread(writer, asked) if asked else []
    for start in range(0, len(many), RUNS_AT_ONCE):
        _settle(writer, many[start : start + RUNS_AT_ONCE])


def _spread(writer: Writer, run_ids: Sequence[str]) -> list[str]:
    """Those of the runs that lie in too many small segments, or segments that they share with others."""
    files: dict[str, list[tuple[str, int]]] = {}
    sql = "SELECT run_id, file, n_rows FROM segment_run JOIN segment USING (file) WHERE run_id IN (SELECT unnest(?))"
    for run_id, file, n_rows in writer.rows(sql, [run_ids]):
        files.setdefault(run_id, []).append((file, n_rows))
    found = {run_id: some for run_id, some in files.items() if len(some) > MAX_SEGMENTS}
    large = sorted({file for some in found.values() for file, n_rows in some if n_rows >= SMALL_ROWS})
    sql = "SELECT file FROM segment_run WHERE file IN (SELECT unnest(?)) GROUP BY 1 HAVING count(*) = 1"
    own = {file for (file,) in writer.rows(sql, [large])} if large else set()
    return sorted(run_id for run_id, some in found.items() if sum(file not in own for file, _n in some) > MAX_SEGMENTS)


def _settle(writer: Writer, run_ids: Sequence[str]) -> None:
    """In one transaction."""
    left: dict[str, list[str]] = {run_id: [] for run_id in run_ids}
    of_runs = "WHERE run_id IN (SELECT unnest(?))"
    for run_id, file in writer.rows(f"SELECT run_id, file FROM segment_run {of_runs}", [run_ids]):
        left[run_id].append(file)
    # Under new ids: the old points stay in segments that other runs need.
    next_id = writer.new_series_block()
    stored: list[Stored] = []
    columns = ", ".join(SeriesKey._fields)
    sql = f"SELECT series_id, run_id, {columns}, n_raw FROM series {of_runs} ORDER BY series_id"
    for some in _groups(writer.records(sql, [run_ids])):
        stored.append(_together(writer, some, next_id))
        next_id += len(some)
    writer.commit(Batch(stored=stored, left=left))


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


def _together(writer: Writer, rows: Sequence[Mapping[str, Any]], first_id: int) -> Stored:
    """Write the points of some series into a segment of their own; what is said of them comes from all of them."""
    import numpy as np
    import pyarrow as pa

    known_ids = [row["series_id"] for row in rows]
    series_ids = np.arange(first_id, first_id + len(rows), dtype=np.int64)
    run_ids = tuple(sorted({row["run_id"] for row in rows}))
    table = writer.points(run_ids, known_ids)
    columns = [table.column(name).to_numpy() for name in ("source_id", "seq", "step", "wall_s", "value")]
    counts = np.array([row["n_raw"] for row in rows], dtype=np.int64)
    told = summarise(SeriesPoints(counts, *columns))
    named = {name: pa.array([row[name] for row in rows]) for name in ("run_id", *SeriesKey._fields)}
    series = pa.table({"series_id": as_arrow(series_ids), **named, **told})
    table = table.set_column(0, "series_id", as_arrow(np.repeat(series_ids, counts)))
    return Stored(write_segment(writer.home.points, table), series, run_ids, tuple(known_ids))
