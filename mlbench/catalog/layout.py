"""How the points of a segment are laid out as Parquet: what their steps are like decides.

The ending of a segment's name says which columns it has, so that nobody has to open it for that.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from mlbench.catalog import times
from mlbench.catalog.arrays import as_arrow

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

    from mlbench.model import Int64Array

ROW_GROUP_ROWS = 131_072
"""Small enough that one series of a large run is read alone, large enough to compress well."""
LEAST_GROUP_ROWS = 16_384
"""Smaller ones take longer to find than to read."""
COLUMNS = ("series_id", "source_id", "seq", "step", "wall_s", "value")
"""Of a segment."""
PLAIN, TOLD, SINGLE = ".parquet", ".told.parquet", ".single.parquet"
"""Endings: with all of COLUMNS, with what `times.tell` gives in place of `wall_s`, and as the first with steps and
values of 32 bits, as event files have the latter, where that loses no bit of any."""

_BATCH_ROWS = 1 << 16
"""Rows that the writer of Parquet takes at once: by its default of 1,024 it is called more than it writes."""
_EXACT_ROWS = 1 << 14
"""Numbers that are tried at once: the first that needs 64 bits ends it."""
_QUICK: dict[str, Any] = {
    "compression": "lz4",
    "use_dictionary": False,
    "column_encoding": dict.fromkeys(("seq", "step", "wall_s", "value"), "BYTE_STREAM_SPLIT"),
}
"""All first bytes of a column, then all second ones: what does not vary is a stretch of one byte."""
_CLOSE: dict[str, Any] = {
    "compression": {"series_id": "lz4", "source_id": "lz4"} | dict.fromkeys(("seq", "step", "wall_s", "value"), "zstd"),
    "compression_level": dict.fromkeys(("seq", "step", "wall_s", "value"), 2),
    "use_dictionary": False,
    "column_encoding": _QUICK["column_encoding"] | dict.fromkeys(("seq", "step"), "DELTA_BINARY_PACKED"),
}
"""Twice the time, for a sixth less where steps are uneven, and next to nothing less where they are even."""
_OF_SERIES = (times.BACK, times.BASE, times.SLOPE)
_TOLD: dict[str, Any] = {
    "compression": _CLOSE["compression"] | dict.fromkeys(_OF_SERIES, "lz4") | {times.REST: "zstd"},
    "compression_level": _CLOSE["compression_level"] | {times.REST: 2},
    "use_dictionary": list(_OF_SERIES),
    "column_encoding": {"seq": "DELTA_BINARY_PACKED", "step": "DELTA_BINARY_PACKED", "value": "BYTE_STREAM_SPLIT",
                        times.REST: "BYTE_STREAM_SPLIT"},
}  # fmt: skip
_LEVEL = 2
_LOOKED_AT = 16_384
"""Points by which it is told how even the steps of a segment are, and what telling its times by them saves."""
LEAST_TOLD = 4096
"""Points of a segment below which what is said of each series is not worth it."""
LEAST_SAVED = 0.1
"""Share of the bytes of the times below which these are left as they are, which is read a little sooner."""


def point_schema() -> pa.Schema:
    """Columns of points as they are read. `seq` orders the points of a series over all its files."""
    import pyarrow as pa

    return pa.schema([
        ("series_id", pa.int64()), ("source_id", pa.int32()), ("seq", pa.int64()), ("step", pa.int64()),
        ("wall_s", pa.float64()), ("value", pa.float64()),
    ])  # fmt: skip


def single_schema() -> pa.Schema:
    """The same with steps and values of 32 bits."""
    import pyarrow as pa

    schema = point_schema()
    for name, kind in (("step", pa.int32()), ("value", pa.float32())):
        schema = schema.set(COLUMNS.index(name), pa.field(name, kind))
    return schema


def is_told(file: str) -> bool:
    """Whether the wall times of a segment are told by its steps."""
    return file.endswith(TOLD)


def is_single(file: str) -> bool:
    """Whether the steps and the values of a segment have 32 bits."""
    return file.endswith(SINGLE)


def stored_columns(file: str, columns: Sequence[str]) -> list[str]:
    """The columns of a segment that are needed for these of COLUMNS, in their order."""
    if not is_told(file) or "wall_s" not in columns:
        return list(columns)
    needed = [name for name in columns if name != "wall_s"]
    return [*needed, *(() if "step" in needed else ("step",)), *times.STORED]


def encode(points: pa.Table, cuts: Sequence[int]) -> tuple[bytes, str]:
    """The content of a segment and the ending of its name.

    Args:
        points: columns of `point_schema` or `single_schema`, sorted by series_id, then seq.
        cuts: rows, rising, before which a part begins that others will be read without.
    """
    parts = _bounds(points.num_rows, cuts)
    if _is_even(points):
        single = _as_single(points)
        return _parquet(single or points, parts, _QUICK), SINGLE if single else PLAIN
    points = _as_wide(points)
    if not _is_saving(points):
        return _parquet(points, parts, _CLOSE), PLAIN
    parts = list(_whole_series(points.column("series_id").to_numpy(), parts))
    return _parquet(_with_told_times(points, parts), parts, _TOLD), TOLD


def _parquet(points: pa.Table, parts: Sequence[int], options: dict[str, Any]) -> bytes:
    import pyarrow as pa

    # No point is NULL: telling so, and no statistics but those by which a series is found, is a sixth of the time.
    # Page checksums would be a second one: the hash of the whole file is what is checked.
    # Not `cast`: that loads pyarrow.compute, 30 ms in each process.
    schema = pa.schema([field.with_nullable(False) for field in points.schema])
    whole = pa.Table.from_arrays(points.columns, schema=schema)
    most = max(ROW_GROUP_ROWS, *(end - start for start, end in pairwise(parts))) if options is _TOLD else ROW_GROUP_ROWS
    sink = pa.BufferOutputStream()
    writer = _open_writer(
        sink, schema, write_statistics=["series_id"], version="2.6", data_page_version="2.0",
        write_batch_size=_BATCH_ROWS, **options,
    )  # fmt: skip
    for start, end in pairwise(parts):
        writer.write_table(whole.slice(start, end - start), row_group_size=most)
    writer.close()
    return bytes(sink.getvalue())


def _open_writer(sink: pa.BufferOutputStream, schema: pa.Schema, **options: object) -> Any:  # noqa: ANN401
    """Arrow's writer of Parquet, as `pyarrow.parquet.ParquetWriter` opens it; by that where this Arrow wants it so.

    `pyarrow.parquet` loads all of Arrow's file systems and the ssl library: 30 to 60 ms in each process that starts.
    """
    try:
        from pyarrow._parquet import ParquetWriter

        return ParquetWriter(sink, schema, writer_engine_version="V2", **options)
    except (ImportError, TypeError, ValueError):
        import pyarrow.parquet as pq

        return pq.ParquetWriter(sink, schema, **options)


def _as_single(points: pa.Table) -> pa.Table | None:
    """The points with steps and values of 32 bits, in half the time and fewer bytes; None where one loses a bit."""
    import pyarrow as pa

    schema = single_schema()
    if points.schema.types == schema.types:
        return points
    steps = _exact(points.column("step").to_numpy(), "i4")
    values = _exact(points.column("value").to_numpy(), "f4")
    if steps is None or values is None:
        return None
    narrow = {"step": as_arrow(steps), "value": as_arrow(values)}
    return pa.Table.from_arrays(
        [narrow[name] if name in narrow else points.column(name) for name in COLUMNS], schema=schema
    )


def _exact(column: NDArray[Any], kind: str) -> NDArray[Any] | None:
    """Numbers of 64 bits in 32; None where one would come back with other bits."""
    import numpy as np

    narrow = np.empty(column.size, dtype=kind)
    with np.errstate(over="ignore", invalid="ignore"):
        for start in range(0, column.size, _EXACT_ROWS):
            part = column[start : start + _EXACT_ROWS]
            kept = narrow[start : start + _EXACT_ROWS]
            kept[:] = part
            if (kept.astype(column.dtype).view(np.int64) != part.view(np.int64)).any():
                return None
    return narrow


def _as_wide(points: pa.Table) -> pa.Table:
    """The points with steps and values of 64 bits."""
    import pyarrow as pa

    schema = point_schema()
    if points.schema.types == schema.types:
        return points
    wide = {"step": "i8", "value": "f8"}
    arrays = [
        as_arrow(points.column(name).to_numpy().astype(wide[name])) if name in wide else points.column(name)
        for name in COLUMNS
    ]
    return pa.Table.from_arrays(arrays, schema=schema)


def _is_even(points: pa.Table) -> bool:
    """Whether most steps follow the one before as that one followed its own."""
    differences = points.column("step").slice(0, _LOOKED_AT).to_numpy().astype("i8", copy=False)
    differences = differences[1:] - differences[:-1]
    return bool(2 * (differences[1:] == differences[:-1]).sum() >= differences.size - 1)


def _is_saving(points: pa.Table) -> bool:
    """Whether the times of the first series, or of the beginning of a long one, are smaller told by steps."""
    if points.num_rows < LEAST_TOLD:
        return False
    sample = {name: points.column(name).slice(0, _LOOKED_AT).to_numpy() for name in COLUMNS[:-1]}
    told = _n_bytes(times.tell(sample)[times.REST])
    return told <= (1 - LEAST_SAVED) * _n_bytes(sample["wall_s"])


def _n_bytes(column: NDArray[Any]) -> int:
    """What a column of eight bytes takes in a segment."""
    import pyarrow as pa

    split = column.view("u1").reshape(-1, 8).T.tobytes()
    return len(pa.Codec("zstd", _LEVEL).compress(split))


def _with_told_times(points: pa.Table, parts: Sequence[int]) -> pa.Table:
    import pyarrow as pa

    told = times.tell({name: points.column(name).to_numpy() for name in COLUMNS[:-1]}, parts)
    place = COLUMNS.index("wall_s")
    columns = points.columns
    arrays = [*columns[:place], *(as_arrow(told[name]) for name in times.STORED), *columns[place + 1 :]]
    return pa.table(arrays, names=[*COLUMNS[:place], *times.STORED, *COLUMNS[place + 1 :]])


def _bounds(n_rows: int, cuts: Sequence[int]) -> list[int]:
    """Where the parts that are not too small begin, and the end."""
    bounds = [0]
    for cut in cuts:
        if cut - bounds[-1] >= LEAST_GROUP_ROWS and n_rows - cut >= LEAST_GROUP_ROWS:
            bounds.append(cut)
    return [*bounds, n_rows]


def _whole_series(ids: Int64Array, parts: Sequence[int]) -> Iterator[int]:
    """The same, and where a row group is full: none begins within a series, which is told by rows of its own group."""
    starts = times.series_starts(ids).tolist()
    wanted, last = {0, *parts}, 0
    for start, end in pairwise([*starts, ids.size]):
        if start in wanted or end - last > ROW_GROUP_ROWS:
            last = start
            yield start
    yield ids.size
