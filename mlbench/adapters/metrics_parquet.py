"""Metrics as columns of a Parquet file: what pandas' or polars' `to_parquet` makes of a table of metrics.

- `metrics.parquet`, `results.parquet`, `progress.parquet`, `history.parquet` with a column that gives the step;
- any other `.parquet` whose first column is such a column and that holds nothing but numbers and times beside it. Each
  such file is a whole training.

The step is the same column as in a CSV table. `wall_time`, `timestamp`, `_timestamp` and the like are the wall time;
all other columns of numbers and truth values are metrics, texts and nested columns are not. A null is no value, NaN is
one. Row groups are read in batches, so that memory stays small.
Link: https://pandas.pydata.org/docs/reference/api/pandas.DataFrame.to_parquet.html
"""

from __future__ import annotations

import math
import os
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from mlbench.dataclass import dataclass
from mlbench.model import Adapter, Claim, Cursor, Fact, JsonValue, Listing, Points, Problem, ReadStatus, Role, Source
from mlbench.wire.content import lfs_problem, sniff, unreadable
from mlbench.wire.csvlog import STEP_COLUMNS
from mlbench.wire.files import is_lfs_pointer, open_regular
from mlbench.wire.jsonrows import WALL_KEYS, wall_of
from mlbench.wire.parquet_pages import check_pages
from mlbench.wire.parquet_schema import MAGIC, ParquetColumn, ParquetError, parquet_columns
from mlbench.wire.points import INT64_MAX, MAX_METRICS

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

    from mlbench.model import Float64Array, Int64Array

    BoolArray = NDArray[np.bool_]

NAMED = frozenset({"metrics.parquet", "results.parquet", "progress.parquet", "history.parquet"})
_BATCH_CELLS = 400_000
_BUFFER_BYTES = 1 << 20
_THRIFT_BYTES = 64 << 20
_INDEX = "__index_level_0__"
"""The index of a pandas table that has no name."""


@dataclass(frozen=True, slots=True)
class _Shape:
    """What the columns of a table are."""

    step: str
    wall: str
    """'' where there is no time."""
    metrics: tuple[str, ...]


def claims(listing: Listing) -> Iterator[Claim]:
    if "_delta_log" in listing.folders:
        return  # parts of a table of data
    for name in listing.ending("parquet"):
        path = os.path.join(listing.path, name)
        if name.lower() in NAMED:
            if _may_be_ours(path):
                yield Claim(path, Role.METRICS, listing.path)
        elif _is_training(path):
            yield Claim(path, Role.METRICS, listing.path, is_one_training=True)


def _may_be_ours(path: str) -> bool:
    """Whether a file of a known name has a step and a metric, or is a pointer or damaged, which `read` will tell."""
    head = sniff(path, 200)
    if head is None or is_lfs_pointer(head):
        return True
    try:
        return _shape(parquet_columns(path)) is not None
    except OSError:
        return True
    except ParquetError:
        return head.startswith(MAGIC)


def _is_training(path: str) -> bool:
    """Whether a step comes first and only numbers and a time stand beside it."""
    try:
        columns = parquet_columns(path)
    except (OSError, ParquetError):
        return False
    shape = _shape(columns)
    if shape is None or columns[0].name != shape.step:
        return False
    return all(column.is_number or column.name in (shape.wall, _INDEX) for column in columns)


def _shape(columns: Sequence[ParquetColumn]) -> _Shape | None:
    """None where no column gives the step or none is a metric. A name that comes twice cannot be told apart."""
    times = Counter(column.name for column in columns)
    numbers = [column.name for column in columns if column.is_number and column.name and times[column.name] == 1]
    step = next((name for name in STEP_COLUMNS if name in numbers), "")
    names = {name for name, count in times.items() if count == 1}
    wall = next((name for name in WALL_KEYS if name in names and name != step), "")
    metrics = tuple(name for name in numbers if name not in (step, wall, _INDEX))
    return _Shape(step, wall, metrics[:MAX_METRICS]) if step and metrics else None


def read(source: Source, _cursor: Mapping[str, JsonValue] | None) -> Iterator[Fact]:
    import pyarrow as pa

    reading = _Reading(source.path)
    try:
        head = sniff(source.path, 200)
        if head is not None and is_lfs_pointer(head):
            yield lfs_problem(source.path)
            yield Cursor({}, ReadStatus.LFS_POINTER)
            return
        shape = _shape(parquet_columns(source.path))
        if shape is not None:
            yield from reading.points(shape)
        else:
            yield Problem(source.path, "no column gives the step; nothing was taken from it")
    except OSError as error:
        # pyarrow raises OSError without an errno for pages that are damaged.
        yield unreadable(source.path, error) if error.errno else _damaged(source.path, error)
        yield Cursor({}, ReadStatus.UNREADABLE if error.errno else ReadStatus.DAMAGED, reading.n_rows)
        return
    except (pa.ArrowException, ValueError, OverflowError, MemoryError) as error:
        yield _damaged(source.path, error)
        yield Cursor({}, ReadStatus.DAMAGED, reading.n_rows)
        return
    yield from reading.problems()
    yield Cursor({}, ReadStatus.EOF, reading.n_rows, reading.n_without_step)


def _damaged(path: str, error: Exception) -> Problem:
    first_line = str(error).partition("\n")[0].encode("utf-8", "replace").decode()
    hint = "if it is being written, it will be read again"
    return Problem(path, f"the Parquet file cannot be read: {first_line}", hint=hint)


@dataclass(slots=True)
class _Reading:
    path: str
    n_rows: int = 0
    n_without_step: int = 0

    def points(self, shape: _Shape) -> Iterator[Points]:
        import pyarrow.parquet as pq

        names = [name for name in (shape.step, shape.wall, *shape.metrics) if name]
        options = {"buffer_size": _BUFFER_BYTES, "pre_buffer": False, "thrift_string_size_limit": _THRIFT_BYTES}
        with open_regular(self.path) as file, pq.ParquetFile(file, **options) as parquet:
            check_pages(file, names)
            size = max(1, _BATCH_CELLS // len(names))
            for batch in parquet.iter_batches(size, columns=names, use_threads=False):
                yield from self._batch(shape, batch)

    def _batch(self, shape: _Shape, batch: pa.RecordBatch) -> Iterator[Points]:
        import numpy as np

        steps, has_step = _steps(batch.column(shape.step))
        walls = _walls(batch.column(shape.wall)) if shape.wall else np.full(batch.num_rows, math.nan)
        rows = np.arange(self.n_rows, self.n_rows + batch.num_rows, dtype=np.int64) * len(shape.metrics)
        for place, name in enumerate(shape.metrics):
            column = batch.column(name)
            at = has_step & ~_is_null(column)
            if at.any():
                yield Points(name, steps[at], walls[at], _numbers(column)[at], rows[at] + place)
        self.n_rows += batch.num_rows
        self.n_without_step += int((~has_step).sum())

    def problems(self) -> Iterator[Problem]:
        if self.n_without_step:
            one = self.n_without_step == 1
            what = "1 row has no step and was" if one else f"{self.n_without_step} rows have no step and were"
            yield Problem(self.path, f"{what} left out")


def _is_null(column: pa.Array) -> BoolArray:
    import numpy as np

    return np.asarray(column.is_null().to_numpy(zero_copy_only=False), dtype=np.bool_)


def _numbers(column: pa.Array) -> Float64Array:
    """Shape (n,); NaN for nulls."""
    import numpy as np
    import pyarrow as pa

    return np.asarray(column.cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False), dtype=np.float64)


def _steps(column: pa.Array) -> tuple[Int64Array, BoolArray]:
    """Steps, int64 of shape (n,), and where there is one; fractions are cut off."""
    import numpy as np
    import pyarrow as pa

    if pa.types.is_floating(column.type) or pa.types.is_decimal(column.type):
        numbers = _numbers(column)
        good = np.isfinite(numbers) & (np.abs(numbers) < INT64_MAX)
        return np.where(good, numbers, 0).astype(np.int64), good
    if pa.types.is_uint64(column.type):
        wide = column.fill_null(0).to_numpy(zero_copy_only=False)
        good = ~_is_null(column) & (wide <= INT64_MAX)
        return np.where(good, wide, 0).astype(np.int64), good
    filled = column.cast(pa.int64()).fill_null(0)
    return np.asarray(filled.to_numpy(zero_copy_only=False), dtype=np.int64), ~_is_null(column)


def _walls(column: pa.Array) -> Float64Array:
    """Unix seconds, shape (n,); NaN where there is none. A time without a zone is UTC."""
    import numpy as np
    import pyarrow as pa

    if pa.types.is_timestamp(column.type):
        micro = column.cast(pa.timestamp("us", tz=column.type.tz), safe=False).cast(pa.int64())
        return _numbers(micro) / 1e6
    if not (pa.types.is_floating(column.type) or pa.types.is_integer(column.type) or pa.types.is_string(column.type)):
        return np.full(len(column), math.nan)
    found = (wall_of(value) for value in column.to_pylist())
    return np.array([math.nan if wall is None else wall for wall in found], dtype=np.float64)


def example(folder: str) -> None:
    """What pandas writes of a table with a validation every second step."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pa.table({
        "step": [1, 2, 3, 4],
        "train/loss": [0.9, 0.7, math.nan, 0.5],
        "val/loss": [None, 0.8, None, 0.6],
    })  # fmt: skip
    pq.write_table(table, os.path.join(folder, "metrics.parquet"))


ADAPTER = Adapter(
    name="parquet",
    claims=claims,
    read=read,
    example=example,
    formats="Metrics as columns of a Parquet file: a step column and numbers",
    files=(*sorted(NAMED), "*.parquet"),
)
