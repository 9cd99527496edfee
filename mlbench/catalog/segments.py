"""Point segments: immutable Parquet files of whole runs, named and checked by a hash of their bytes.

DuckDB does not check Parquet page checksums (37 % of flipped bits gave silently wrong answers), so a segment's
hash is checked when a process first opens it.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from mlbench.dataclass import dataclass
from mlbench.errors import HomeError
from mlbench.paths import make_folder
from mlbench.wire.files import open_regular
from mlbench.wire.patience import at_home

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray
    from pyarrow.dataset import Dataset
    from pyarrow.parquet import FileMetaData

    from mlbench.model import Int64Array

ROW_GROUP_ROWS = 131_072
"""Small enough that one series of a large run is read alone, large enough to compress well."""
LEAST_GROUP_ROWS = 16_384
"""Smaller ones take longer to find than to read."""
MOST_ALONE = 8
"""Row groups of a file that are decoded in one thread: a second one costs more than it saves."""
N_FOOTERS = 256
"""Segments of which is remembered what lies where, those that were read last."""
_QUICK: dict[str, Any] = {
    "compression": "lz4",
    "column_encoding": dict.fromkeys(("seq", "step", "wall_s", "value"), "BYTE_STREAM_SPLIT"),
}
"""All first bytes of a column, then all second ones: what does not vary is a stretch of one byte."""
_CLOSE: dict[str, Any] = {
    "compression": {"series_id": "lz4", "source_id": "lz4"} | dict.fromkeys(("seq", "step", "wall_s", "value"), "zstd"),
    "compression_level": dict.fromkeys(("seq", "step", "wall_s", "value"), 2),
    "column_encoding": _QUICK["column_encoding"] | dict.fromkeys(("seq", "step"), "DELTA_BINARY_PACKED"),
}
"""Twice the time, for a sixth less where steps are uneven, and next to nothing less where they are even."""
_LOOKED_AT = 16_384
"""Points by which it is told how even the steps of a segment are."""
COLUMNS = ("series_id", "source_id", "seq", "step", "wall_s", "value")
"""Of a segment."""


@dataclass(frozen=True, slots=True)
class Segment:
    file: str
    """Name below the points folder."""
    hash: str
    n_rows: int
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Stored:
    """Points that lie in a segment, not yet known to the catalog."""

    segment: Segment
    series: pa.Table
    """Rows of the table `series`."""
    run_ids: tuple[str, ...]
    replaced: tuple[int, ...] = ()
    """Series of which the catalog has a row that `series` takes the place of."""


def point_schema() -> pa.Schema:
    """Columns of a segment. `seq` orders the points of a series over all its files."""
    import pyarrow as pa

    return pa.schema([
        ("series_id", pa.int64()), ("source_id", pa.int32()), ("seq", pa.int64()), ("step", pa.int64()),
        ("wall_s", pa.float64()), ("value", pa.float64()),
    ])  # fmt: skip


def write_segment(folder: str, points: pa.Table, *, cuts: Sequence[int] = ()) -> Segment:
    """Write a segment durably and name it by its content; writing the same points twice gives the same file.

    Args:
        folder: the points folder; created if missing.
        points: columns of `point_schema`, sorted by series_id, then seq.
        cuts: rows, rising, before which a part begins that others will be read without.

    Raises:
        HomeError: the disk is full or the folder cannot be written.
    """
    content = _encode(points, cuts)
    digest = hashlib.blake2b(content, digest_size=16).hexdigest()
    name = f"{digest}.parquet"
    try:
        with at_home():
            make_folder(folder)
            write_durably(os.path.join(folder, name), content)
    except OSError as error:
        raise HomeError(
            f"{folder}: the points cannot be stored: {error.strerror}. Free some space, then run the command again"
        ) from error
    return Segment(name, digest, points.num_rows, len(content))


def _encode(points: pa.Table, cuts: Sequence[int]) -> bytes:
    import pyarrow as pa
    import pyarrow.parquet as pq

    # No point is NULL: telling so, and no statistics but those by which a series is found, is a sixth of the time.
    # Page checksums would be a second one: the hash of the whole file is what is checked.
    # Not `cast`: that loads pyarrow.compute, 30 ms in each process.
    schema = pa.schema([field.with_nullable(False) for field in points.schema])
    whole = pa.Table.from_arrays(points.columns, schema=schema)
    sink = pa.BufferOutputStream()
    with pq.ParquetWriter(
        sink, whole.schema, use_dictionary=False, write_statistics=["series_id"], version="2.6",
        data_page_version="2.0", **(_QUICK if _is_even(points) else _CLOSE),
    ) as writer:  # fmt: skip
        for start, end in pairwise(_bounds(points.num_rows, cuts)):
            writer.write_table(whole.slice(start, end - start), row_group_size=ROW_GROUP_ROWS)
    return bytes(sink.getvalue())


def _is_even(points: pa.Table) -> bool:
    """Whether most steps follow the one before as that one followed its own."""
    differences = points.column("step").slice(0, _LOOKED_AT).to_numpy()
    differences = differences[1:] - differences[:-1]
    return bool(2 * (differences[1:] == differences[:-1]).sum() >= differences.size - 1)


def _bounds(n_rows: int, cuts: Sequence[int]) -> list[int]:
    """Where the parts that are not too small begin, and the end."""
    bounds = [0]
    for cut in cuts:
        if cut - bounds[-1] >= LEAST_GROUP_ROWS and n_rows - cut >= LEAST_GROUP_ROWS:
            bounds.append(cut)
    return [*bounds, n_rows]


def write_durably(path: str, content: bytes) -> None:
    """Write under a temporary name, fsync, rename, fsync the folder: never half a file under the real name."""
    temporary = f"{path}.{os.getpid()}.tmp"
    fd = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(fd, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.rename(temporary, path)
    except OSError:
        remove_quietly(temporary)
        raise
    sync_folder(os.path.dirname(path))


def sync_folder(folder: str) -> None:
    """Make a rename in `folder` survive a power loss."""
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def remove_quietly(path: str) -> None:
    """Delete a file that may be gone already."""
    try:
        os.unlink(path)
    except OSError:
        pass


def gone(folder: str) -> HomeError:
    """What is said of a segment that another process has just deleted."""
    return HomeError(f"{folder}: a part of the catalog is gone. Try again, or: mlbench rebuild")


def _first_id(points: pa.Table) -> int:
    return int(points.column("series_id")[0].as_py())


def _last_id(points: pa.Table) -> int:
    return int(points.column("series_id")[-1].as_py())


@dataclass(frozen=True, slots=True, eq=False)
class Footer:
    """What lies where in a segment."""

    metadata: FileMetaData
    firsts: Int64Array
    """Least series id of each row group."""
    lasts: Int64Array


def _footer(metadata: FileMetaData) -> Footer:
    import numpy as np

    known = [metadata.row_group(group).column(0).statistics for group in range(metadata.num_row_groups)]
    ends = np.array([(one.min, one.max) for one in known], dtype=np.int64).reshape(-1, 2)
    return Footer(metadata, ends[:, 0], ends[:, 1])


def _groups(footer: Footer, wanted: Int64Array) -> list[int]:
    """The row groups that may hold some of the wanted series, which are sorted."""
    is_met = wanted.searchsorted(footer.firsts) < wanted.searchsorted(footer.lasts, side="right")
    groups: list[int] = is_met.nonzero()[0].tolist()
    return groups


def _chosen(series_ids: Int64Array, wanted: Int64Array) -> Int64Array | None:
    """The rows of the wanted series, both sorted; None for all rows."""
    import numpy as np

    starts, ends = series_ids.searchsorted(wanted), series_ids.searchsorted(wanted, side="right")
    counts = ends - starts
    n_rows = int(counts.sum())
    if n_rows == series_ids.size:
        return None
    rows: Int64Array = np.arange(n_rows) + np.repeat(starts - (np.cumsum(counts) - counts), counts)
    return rows


def _array(column: NDArray[Any]) -> pa.Array:
    """The same numbers; `pa.array` would load numpy.ma, 50 ms."""
    import numpy as np
    import pyarrow as pa

    kept = np.ascontiguousarray(column)
    return pa.Array.from_buffers(pa.from_numpy_dtype(kept.dtype), len(kept), [None, pa.py_buffer(kept)])


class SegmentStore:
    """Reads points from segments; each file's hash is checked once in the life of the process."""

    _checked: set[str] = set()  # noqa: RUF012 - one per process is the point: a segment never changes
    _footers: dict[str, Footer] = {}  # noqa: RUF012 - as above

    def __init__(self, folder: str) -> None:
        self._folder = folder

    def read(
        self, segments: Sequence[tuple[str, str]], series_ids: Sequence[int], *, columns: Sequence[str] = COLUMNS
    ) -> pa.Table:
        """Points of the series, sorted by series_id and seq; each chunk holds whole series.

        Args:
            segments: file name and hash of every segment that may hold them.
            series_ids: which series; an empty sequence gives an empty table.
            columns: names out of COLUMNS, the ids of the series first; what is not needed is not decoded.

        Raises:
            HomeError: a segment is missing or its bytes have changed.
        """
        import numpy as np
        import pyarrow as pa

        wanted = np.array(sorted(set(series_ids)), dtype=np.int64)  # np.unique would load numpy.ma
        try:
            tables = [self._part(file, digest, wanted, columns) for file, digest in (segments if series_ids else ())]
        except (OSError, pa.ArrowInvalid) as error:
            raise gone(self._folder) from error
        filled = sorted((table for table in tables if table is not None and table.num_rows), key=_first_id)
        if not filled:
            return point_schema().empty_table().select(columns)
        points = pa.concat_tables(filled)
        # Each segment is sorted, and most hold whole runs: one behind the other they are sorted, too.
        if all(_last_id(one) < _first_id(next_one) for one, next_one in pairwise(filled)):
            return points
        if "seq" not in columns:
            return self.read(segments, series_ids, columns=(*columns, "seq")).select(columns)
        return points.sort_by([("series_id", "ascending"), ("seq", "ascending")]).combine_chunks()

    def _part(self, file: str, digest: str, wanted: Int64Array, columns: Sequence[str]) -> pa.Table | None:
        """The points of one segment; None where it has none of the series."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        path = self._verified(file, digest)
        known = self._footers.pop(path, None)
        if known is not None and not _groups(known, wanted):
            self._footers[path] = known
            return None
        with pq.ParquetFile(path, metadata=known.metadata if known else None) as opened:
            footer = known or _footer(opened.metadata)
            while len(self._footers) >= N_FOOTERS:
                del self._footers[next(iter(self._footers))]
            self._footers[path] = footer
            groups = _groups(footer, wanted)
            if not groups:
                return None
            table = opened.read_row_groups(groups, columns=list(columns), use_threads=len(groups) > MOST_ALONE)
        ids = table.column("series_id").to_numpy()
        rows = _chosen(ids, wanted)
        schema = pa.schema([point_schema().field(name) for name in columns])
        if rows is None:
            return table.combine_chunks().cast(schema)
        taken = [ids[rows], *(table.column(name).to_numpy()[rows] for name in columns[1:])]
        return pa.table([_array(column) for column in taken], schema=schema)

    def paths(self, segments: Sequence[tuple[str, str]]) -> list[str]:
        """Where the segments lie, their bytes proved.

        Raises:
            HomeError: a segment is missing or its bytes have changed.
        """
        return [self._verified(file, digest) for file, digest in segments]

    def dataset(self, segments: Sequence[tuple[str, str]]) -> Dataset:
        """All points of the segments, to be read file by file.

        Raises:
            HomeError: a segment is missing or its bytes have changed.
        """
        import pyarrow.dataset as ds

        try:
            paths = [self._verified(file, digest) for file, digest in segments]
        except OSError as error:
            raise gone(self._folder) from error
        if not paths:
            return ds.dataset(point_schema().empty_table())
        return ds.dataset(paths, schema=point_schema(), format="parquet")

    def _verified(self, file: str, digest: str) -> str:
        path = os.path.join(self._folder, file)
        if path not in self._checked:
            self._check(path, digest)
            self._checked.add(path)
        return path

    @staticmethod
    def _check(path: str, digest: str) -> None:
        try:
            with open_regular(path) as file:
                found = hashlib.file_digest(file, lambda: hashlib.blake2b(digest_size=16)).hexdigest()
        except OSError as error:
            raise HomeError(
                f"{path}: a part of the catalog is missing ({error.strerror or error}). Try: mlbench rebuild"
            ) from error
        if found != digest:
            raise HomeError(f"{path}: a part of the catalog was damaged on disk. Try: mlbench rebuild")
