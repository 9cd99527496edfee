"""Segments keep every bit, however their columns are coded."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from mlbench.catalog.segments import SegmentStore, point_schema, write_segment

_EDGES = np.array([0, 1, -1, 2**63 - 1, -(2**63)], dtype=np.int64)
_BITS = np.array(
    [0x7FF0000000000001, 0xFFF8DEADBEEF0000, 0x8000000000000000, 0x7FF0000000000000, 1], dtype=np.uint64
).view(np.float64)
"""A signalling NaN, a quiet one with a payload, the negative zero, infinity and the least number."""


def points(steps: np.ndarray, *, seed: int = 1) -> pa.Table:
    """Two series, with such bits at their ends."""
    random = np.random.default_rng(seed)
    n = steps.size
    columns: list[np.ndarray] = [
        np.arange(n) * 2 // max(n, 1) + 7, np.full(n, 3, np.int32), np.arange(n), steps.astype(np.int64),
        random.random(n), random.random(n).astype(np.float32).astype(np.float64),
    ]  # fmt: skip
    columns[5][: _BITS.size] = columns[4][: _BITS.size] = _BITS[:n]
    return pa.table([pa.array(column) for column in columns], schema=point_schema())


def codec(folder: Path, file: str, column: int) -> str:
    name: str = pq.read_metadata(folder / file).row_group(0).column(column).compression
    return name


@pytest.mark.parametrize(
    ("steps", "codec_of_times"),
    [
        (np.arange(40_000), "LZ4"),
        (np.concatenate((np.arange(0, 2_000, 10), np.arange(0, 3_000, 10))), "LZ4"),
        (np.array([5]), "LZ4"),
        (np.array([5, 5]), "LZ4"),
        (np.random.default_rng(0).integers(0, 10**6, 40_000), "ZSTD"),
        (np.tile(_EDGES, 3), "ZSTD"),
    ],
)
def test_every_bit_comes_back_whether_steps_are_even_or_not(
    tmp_path: Path, steps: np.ndarray, codec_of_times: str
) -> None:
    table = points(steps)

    segment = write_segment(str(tmp_path), table, cuts=[steps.size // 2])

    found = SegmentStore(str(tmp_path)).read([(segment.file, segment.hash)], [7, 8])
    assert codec(tmp_path, segment.file, 4).startswith(codec_of_times)
    for name in table.column_names:
        ours, theirs = (one.column(name).to_numpy().view(np.uint8).tobytes() for one in (found, table))
        assert ours == theirs, name


def test_the_same_points_give_the_same_file(tmp_path: Path) -> None:
    one, other = (write_segment(str(tmp_path / name), points(np.arange(1_000))) for name in ("a", "b"))

    assert one == other


def test_even_steps_and_places_take_next_to_nothing(tmp_path: Path) -> None:
    table = points(np.arange(100_000))

    segment = write_segment(str(tmp_path), table)

    group = pq.read_metadata(tmp_path / segment.file).row_group(0)
    sizes = [group.column(place).total_compressed_size for place in range(4)]
    assert sum(sizes) / group.num_rows < 0.5
