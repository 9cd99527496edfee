"""Point segments: immutable Parquet files of whole runs, named and checked by a hash of their bytes.

DuckDB does not check Parquet page checksums (37 % of flipped bits gave silently wrong answers), so a segment's
hash is checked when a process first opens it.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

from mlbench.catalog.arrays import as_arrow
from mlbench.catalog.layout import COLUMNS, encode, is_told, point_schema, stored_columns
from mlbench.catalog.told import ToldPoints, chosen_points, chosen_rows
from mlbench.dataclass import dataclass
from mlbench.errors import HomeError
from mlbench.paths import make_folder
from mlbench.wire.files import open_regular
from mlbench.wire.patience import at_home

if TYPE_CHECKING:
    import pyarrow as pa
    from pyarrow.dataset import Dataset
    from pyarrow.parquet import FileMetaData

    from mlbench.catalog.tables import Packed
    from mlbench.model import Int64Array

MOST_ALONE = 8
"""Row groups of a file that are decoded in one thread: a second one costs more than it saves."""
N_FOOTERS = 256
"""Segments of which is remembered what lies where, those that were read last."""
_DIGITS = 40
"""Of a segment's hash, by SHA-256: processors have instructions for it. Those written before have 32, by BLAKE2b."""


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
    series: pa.Table | Packed
    """Rows of the table `series`."""
    run_ids: tuple[str, ...]
    replaced: tuple[int, ...] = ()
    """Series of which the catalog has a row that `series` takes the place of."""


def write_segment(folder: str, points: pa.Table, *, cuts: Sequence[int] = ()) -> Segment:
    """Write a segment and name it by its content; writing the same points twice gives the same file.

    Its bytes are on the disk then; its name is when `sync_segments` was called, once for all that a commit needs.

    Args:
        folder: the points folder; created if missing.
        points: columns of `point_schema` or `single_schema`, sorted by series_id, then seq.
        cuts: rows, rising, before which a part begins that others will be read without.

    Raises:
        HomeError: the disk is full or the folder cannot be written.
    """
    content, ending = encode(points, cuts)
    digest = hashlib.sha256(content, usedforsecurity=False).hexdigest()[:_DIGITS]
    name = f"{digest}{ending}"
    try:
        with at_home():
            make_folder(folder)
            _write_whole(os.path.join(folder, name), content)
    except OSError as error:
        raise _not_stored(folder, error) from error
    return Segment(name, digest, points.num_rows, len(content))


def write_durably(path: str, content: bytes) -> None:
    """Write under a temporary name, fsync, rename, fsync the folder: never half a file under the real name."""
    _write_whole(path, content)
    sync_folder(os.path.dirname(path))


def is_whole(path: str, digest: str) -> bool:
    """Whether the bytes of a segment are those that were written; raises OSError where they cannot be read."""
    with open_regular(path) as file:
        if len(digest) == _DIGITS:
            return hashlib.file_digest(file, "sha256").hexdigest()[:_DIGITS] == digest
        return hashlib.file_digest(file, lambda: hashlib.blake2b(digest_size=16)).hexdigest() == digest


def _write_whole(path: str, content: bytes) -> None:
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


def sync_segments(folder: str) -> None:
    """Make the names of the segments written so far survive a power loss.

    Raises:
        HomeError: the folder cannot be written.
    """
    try:
        with at_home():
            sync_folder(folder)
    except OSError as error:
        raise _not_stored(folder, error) from error


def _not_stored(folder: str, error: OSError) -> HomeError:
    reason = f"the points cannot be stored: {error.strerror}"
    return HomeError(f"{folder}: {reason}. Free some space, then run the command again")


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
            names = stored_columns(file, columns)
            table = opened.read_row_groups(groups, columns=names, use_threads=len(groups) > MOST_ALONE)
        schema = pa.schema([point_schema().field(name) for name in columns])
        if tuple(names) == tuple(columns) and chosen_rows(table.column("series_id").to_numpy(), wanted) is None:
            return table.combine_chunks().cast(schema)
        taken = chosen_points({name: table.column(name).to_numpy() for name in names}, wanted, columns)
        return pa.table([as_arrow(column) for column in taken.values()], schema=schema)

    def paths(self, segments: Sequence[tuple[str, str]]) -> list[str]:
        """Where the segments lie, their bytes proved.

        Raises:
            HomeError: a segment is missing or its bytes have changed.
        """
        return [self._verified(file, digest) for file, digest in segments]

    def relations(self, segments: Sequence[tuple[str, str]]) -> tuple[Dataset, ToldPoints]:
        """All points of the segments, to be read file by file: those that lie there as they are, and the others.

        Raises:
            HomeError: a segment is missing or its bytes have changed.
        """
        import pyarrow.dataset as ds

        paths = self.paths(segments)
        plain = [path for path in paths if not is_told(path)]
        schema = point_schema()
        dataset = ds.dataset(plain, schema=schema, format="parquet") if plain else ds.dataset(schema.empty_table())
        return dataset, ToldPoints([path for path in paths if is_told(path)])

    def _verified(self, file: str, digest: str) -> str:
        path = os.path.join(self._folder, file)
        if path not in self._checked:
            self._check(path, digest)
            self._checked.add(path)
        return path

    @staticmethod
    def _check(path: str, digest: str) -> None:
        try:
            is_unchanged = is_whole(path, digest)
        except OSError as error:
            raise HomeError(
                f"{path}: a part of the catalog is missing ({error.strerror or error}). Try: mlbench rebuild"
            ) from error
        if not is_unchanged:
            raise HomeError(f"{path}: a part of the catalog was damaged on disk. Try: mlbench rebuild")
