"""neptune-exporter's Parquet files: `<run>_part_<n>.parquet`, an attribute's value in each row.

Neptune's service ended in March 2026; these files are what its users have. The parts of a run are told apart by
number, and `part_0` gets its name last, so that a run without it is still being written. Series of numbers become
points, single values parameters, files artifacts; console lines (`string_series`) and histograms are left out.
Link: https://github.com/neptune-ai/neptune-exporter
"""

from __future__ import annotations

import hashlib
import math
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from mlbench.model import (
    Adapter,
    Artifact,
    Claim,
    Cursor,
    DataVersion,
    Environment,
    Fact,
    JsonValue,
    Listing,
    PointTable,
    Problem,
    ReadStatus,
    Role,
    RunField,
    Source,
)
from mlbench.wire.content import lfs_problem, unreadable
from mlbench.wire.counting import so_many
from mlbench.wire.files import is_lfs_pointer, open_regular
from mlbench.wire.jsonlog import as_list, as_mapping, as_text, load_json_file
from mlbench.wire.neptune import MICRO, Attributes, iso_text, places_needed, scale_fact
from mlbench.wire.parquet_pages import check_pages

if TYPE_CHECKING:
    import pyarrow as pa
    from pyarrow.parquet import ParquetFile

_PART = re.compile(r"(.+)_part_(\d{1,6})\.parquet")
_COLUMNS = ("project_id", "run_id", "attribute_path", "attribute_type", "step", "timestamp")
_VALUES = {"float": "float_value", "int": "int_value", "string": "string_value", "bool": "bool_value",
           "datetime": "datetime_value", "string_set": "string_set_value", "file": "file_value",
           "file_series": "file_value", "artifact": "file_value"}  # fmt: skip
_FOOTER_BYTES = 65_536
_BATCH_ROWS = 50_000


def claims(listing: Listing) -> Iterator[Claim]:
    parts: dict[str, list[tuple[int, str]]] = {}
    for name in listing.ending("parquet"):
        if match := _PART.fullmatch(name):
            parts.setdefault(match[1], []).append((int(match[2]), os.path.join(listing.path, name)))
    for found in parts.values():
        (number, first), *others = sorted(found)
        if number == 0 and _is_export(first):
            follows = tuple(path for _number, path in others)
            yield Claim(first, Role.TRACKER, listing.path, is_one_training=True, follows=follows)


def _is_export(path: str) -> bool:
    """Whether the columns that the footer names are the exporter's."""
    try:
        with open_regular(path) as file:
            if file.read(4) != b"PAR1":
                return False
            file.seek(max(os.fstat(file.fileno()).st_size - _FOOTER_BYTES, 0))
            footer = file.read()
    except OSError:
        return False
    return b"attribute_path" in footer and b"attribute_type" in footer


def read(source: Source, _cursor: Mapping[str, JsonValue] | None) -> Iterator[Fact]:
    import pyarrow as pa

    n_points = 0
    attributes = Attributes()
    try:
        places = _places(source)
        for path in (source.path, *source.follows):
            for batch in _batches(path, attributes):
                if isinstance(batch, pa.RecordBatch):
                    table = _points(batch, 10 ** (6 - places), n_points)
                    if table is not None:
                        n_points += len(table.steps)
                        yield table
                else:
                    yield batch
    except OSError as error:
        yield unreadable(source.path, error) if error.strerror else _damaged(source.path, error)
        yield Cursor({}, ReadStatus.UNREADABLE if not n_points else ReadStatus.DAMAGED, n_points)
        return
    except _LfsPointerError as error:
        yield lfs_problem(str(error))
        yield Cursor({}, ReadStatus.LFS_POINTER)
        return
    except (pa.ArrowException, ValueError, OverflowError) as error:
        yield _damaged(source.path, error)
        yield Cursor({}, ReadStatus.DAMAGED, n_points)
        return
    yield from attributes.facts(is_over=True)
    yield from scale_fact(places)
    yield Cursor({}, ReadStatus.EOF, n_points)


class _LfsPointerError(Exception):
    """A part is a Git LFS pointer."""


def _damaged(path: str, error: Exception) -> Problem:
    first_line = str(error).partition("\n")[0].encode("utf-8", "replace").decode()
    return Problem(path, f"the Parquet file cannot be read: {first_line}")


@contextmanager
def _opened(path: str) -> Iterator[ParquetFile]:
    import pyarrow.parquet as pq

    with open_regular(path) as file:
        if is_lfs_pointer(file.read(64)):
            raise _LfsPointerError(path)
        file.seek(0)
        with pq.ParquetFile(file, page_checksum_verification=True) as parquet:
            check_pages(file)
            missing = {"attribute_path", "attribute_type", "step", "float_value"} - set(parquet.schema_arrow.names)
            if missing:
                raise ValueError(f"it has no column {min(missing)}")
            yield parquet


def _places(source: Source) -> int:
    """How many places the steps of the run need; only the column of the steps is read."""
    import numpy as np

    places = 0
    for path in (source.path, *source.follows):
        with _opened(path) as parquet:
            for batch in parquet.iter_batches(_BATCH_ROWS, columns=["step"], use_threads=False):
                places = max(places, places_needed(np.unique(_micro(batch.column(0).drop_null())).tolist()))
    return places


def _micro(steps: pa.Array) -> Any:  # noqa: ANN401 - an array of int64, shape (n,)
    import numpy as np
    import pyarrow as pa

    numbers = np.asarray(steps.cast(pa.float64()).to_numpy(zero_copy_only=False))
    limited = np.clip(np.nan_to_num(numbers), -9e12, 9e12)
    return np.rint(limited * MICRO).astype(np.int64)


def _batches(path: str, attributes: Attributes) -> Iterator[pa.RecordBatch | Fact]:
    """Batches of rows of series, and facts of the others; single values go into `attributes`."""
    import pyarrow as pa
    import pyarrow.compute as pc

    with _opened(path) as parquet:
        names = [name for name in (*_COLUMNS, *dict.fromkeys(_VALUES.values())) if name in parquet.schema_arrow.names]
        is_first = True
        for batch in parquet.iter_batches(_BATCH_ROWS, columns=names, use_threads=False):
            kinds = batch.column("attribute_type").cast(pa.string())
            if is_first and batch.num_rows:
                is_first = False
                yield from _identity(batch.slice(0, 1).to_pylist()[0], attributes)
            is_series = pc.equal(kinds, "float_series")
            yield batch.filter(is_series)
            others = batch.filter(pc.is_in(kinds, value_set=pa.array(list(_VALUES))))
            for row in others.to_pylist():
                if row["attribute_type"] == "artifact":
                    yield from _tracked(path, row)
                else:
                    yield from _single(row, attributes)


def _identity(row: Mapping[str, Any], attributes: Attributes) -> Iterator[Fact]:
    if project := row.get("project_id"):
        yield RunField("project", str(project))
    if identity := row.get("run_id"):
        yield Environment("neptune_id", str(identity))
        attributes.values.setdefault("sys/name", str(identity))


def _single(row: Mapping[str, Any], attributes: Attributes) -> Iterator[Artifact]:
    path, kind = str(row["attribute_path"]), str(row["attribute_type"])
    value = row.get(_VALUES.get(kind, ""))
    if value is None:
        return
    if kind == "string_set":
        attributes.sets[path] = [str(text) for text in value if text is not None]
    elif kind.startswith("file"):
        if place := value.get("path"):
            yield Artifact("file", path, str(place), role="output")
    else:
        attributes.values[path] = iso_text(value) if kind == "datetime" else value


def _tracked(source: str, row: Mapping[str, Any]) -> Iterator[Fact]:
    """Files that were tracked: the exporter keeps their names, hashes and sizes in a `files_list.json`."""
    name, told = str(row["attribute_path"]), row.get("file_value") or {}
    place = str(told.get("path") or "")
    files = os.path.join(os.path.dirname(os.path.dirname(os.path.dirname(source))), "files")
    path = os.path.normpath(os.path.join(files, place))
    if not place or not path.startswith(files + os.sep):
        return
    listed = [as_mapping(part) for part in as_list(load_json_file(path).value)] if os.path.isfile(path) else []
    pairs = sorted((as_text(one.get("filePath")), as_text(one.get("fileHash"))) for one in listed)
    lines = "".join(f"{digest} {file}\n" for file, digest in pairs)
    version = f"sha256:{hashlib.sha256(lines.encode('utf-8', 'replace')).hexdigest()}" if pairs else ""
    sizes = [size for one in listed if isinstance(size := one.get("size"), int) and 0 <= size < 1 << 53]
    size = sum(sizes) if listed and len(sizes) == len(listed) else None
    yield DataVersion("neptune", name, version, is_pinned=bool(version), size_bytes=size)
    yield Artifact("data", name, place, version, size, "input", so_many(len(listed), "file", "files") if listed else "")


def _points(batch: pa.RecordBatch, divisor: int, n_before: int) -> PointTable | None:
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    good = pc.and_(pc.is_valid(batch.column("float_value")), pc.is_valid(batch.column("step"))) if (
        "float_value" in batch.schema.names
    ) else None  # fmt: skip
    rows = batch.filter(good) if good is not None else batch.slice(0, 0)
    if not rows.num_rows:
        return None
    coded = rows.column("attribute_path").cast(pa.string()).dictionary_encode()
    n = rows.num_rows
    times = np.full(n, math.nan)
    if "timestamp" in rows.schema.names:
        column = rows.column("timestamp").cast(pa.timestamp("us", tz="UTC")).cast(pa.int64())
        times = np.asarray(column.to_numpy(zero_copy_only=False), dtype=np.float64) / 1e6
    return PointTable(
        tuple(_names(coded.dictionary.to_pylist())),
        np.asarray(coded.indices.to_numpy(zero_copy_only=False), dtype=np.int32),
        _micro(rows.column("step")) // divisor,
        times,
        np.asarray(rows.column("float_value").to_numpy(zero_copy_only=False), dtype=np.float64),
        np.arange(n_before, n_before + n, dtype=np.int64),
    )


def _names(paths: Sequence[str | None]) -> Iterator[str]:
    return (path or "" for path in paths)


def example(folder: str) -> None:
    """A run of one series with fractional steps, two parameters and a tag."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    rows: list[dict[str, object]] = [
        {"attribute_path": "sys/name", "attribute_type": "string", "string_value": "RUN-1"},
        {"attribute_path": "sys/tags", "attribute_type": "string_set", "string_set_value": ["baseline"]},
        {"attribute_path": "params/lr", "attribute_type": "float", "float_value": 0.1},
        {"attribute_path": "params/amp", "attribute_type": "bool", "bool_value": True},
    ]
    rows += [
        {
            "attribute_path": "metrics/loss",
            "attribute_type": "float_series",
            "step": number / 2,
            "float_value": 1 / number,
        }
        for number in range(1, 5)
    ]
    schema = pa.schema([
        ("project_id", pa.string()), ("run_id", pa.string()), ("attribute_path", pa.string()),
        ("attribute_type", pa.string()), ("step", pa.float64()), ("timestamp", pa.timestamp("ms", tz="UTC")),
        ("float_value", pa.float64()), ("string_value", pa.string()), ("bool_value", pa.bool_()),
        ("string_set_value", pa.list_(pa.string())),
    ])  # fmt: skip
    table = pa.Table.from_pylist([{"project_id": "acme/vision", "run_id": "RUN-1", **row} for row in rows], schema)
    pq.write_table(table, os.path.join(folder, "RUN-1-549fcb30a0f06072_part_0.parquet"), write_page_checksum=True)


ADAPTER = Adapter(
    name="neptune-export",
    claims=claims,
    read=read,
    example=example,
    version=2,
    formats="neptune-exporter's Parquet files of runs",
    files=("*_part_0.parquet",),
)
