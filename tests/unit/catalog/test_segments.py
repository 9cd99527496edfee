"""Segments keep every bit, however their columns are coded."""

import hashlib
import sys
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from mlbench.catalog import layout
from mlbench.catalog.few import read_few
from mlbench.catalog.layout import point_schema
from mlbench.catalog.segments import SegmentStore, is_whole, write_segment

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


def uneven(n: int, *, n_series: int = 6, first_id: int = 7, is_odd: bool = True) -> pa.Table:
    """Series that one run logs in turns: uneven steps, times that go by them and by each turn's luck; odd bits too."""
    random = np.random.default_rng(2)
    steps = np.sort(random.integers(0, 30 * n, (n_series, n)), axis=1)
    walls = 1.7e9 + steps * 0.2 + random.uniform(0, 0.1, n)
    if is_odd:
        steps[1, -_EDGES.size :] = _EDGES
        walls[0, : _BITS.size] = _BITS
    columns: list[np.ndarray] = [
        np.repeat(np.arange(n_series) + first_id, n), np.full(n * n_series, 3, np.int32), np.tile(np.arange(n), n_series),
        steps.ravel(), walls.ravel(), random.random(n * n_series),
    ]  # fmt: skip
    return pa.table([pa.array(column) for column in columns], schema=point_schema())


def same_bits(found: pa.Table, table: pa.Table) -> bool:
    return found.column_names == table.column_names and all(
        one.to_numpy().tobytes() == other.to_numpy().tobytes()
        for one, other in zip(found.columns, table.columns, strict=True)
    )


def test_times_are_told_by_uneven_steps_and_every_bit_comes_back(tmp_path: Path) -> None:
    table = uneven(2_000)

    segment = write_segment(str(tmp_path), table)

    store, named = SegmentStore(str(tmp_path)), [(segment.file, segment.hash)]
    assert segment.file == f"{segment.hash}.told.parquet"
    assert same_bits(store.read(named, range(20)), table)
    for wanted in ([7], [9], [8, 12], [10, 11]):
        rows = np.isin(table.column("series_id").to_numpy(), wanted)
        for names in (table.column_names, ["series_id", "wall_s"], ["series_id", "step", "value"]):
            assert same_bits(store.read(named, wanted, columns=names), table.filter(pa.array(rows)).select(names))
    assert store.read(named, [6, 13]).num_rows == 0


def test_told_times_take_a_third(tmp_path: Path) -> None:
    segment = write_segment(str(tmp_path), uneven(5_000, is_odd=False))

    group = pq.read_metadata(tmp_path / segment.file).row_group(0)
    names = [group.column(place).path_in_schema for place in range(group.num_columns)]
    size = sum(group.column(place).total_compressed_size for place in range(4, 8))
    assert names[4:8] == ["wall_rest", "wall_back", "wall_base", "wall_slope"]
    assert size / group.num_rows < 1.4  # 4 as they are


@pytest.mark.parametrize("cuts", [[], [2_000, 6_000], [1_000, 5_000]])
def test_a_row_group_holds_whole_series_so_that_each_is_read_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cuts: list[int]
) -> None:
    monkeypatch.setattr(layout, "ROW_GROUP_ROWS", 4_500)
    monkeypatch.setattr(layout, "LEAST_GROUP_ROWS", 1)
    table = pa.concat_tables([uneven(2_000, n_series=4), uneven(5_000, n_series=3, first_id=11)])

    segment = write_segment(str(tmp_path), table, cuts=cuts)

    groups = pq.read_metadata(tmp_path / segment.file)
    sizes = [groups.row_group(place).num_rows for place in range(groups.num_row_groups)]
    rows = {(): [4_000, 4_000], (2_000, 6_000): [2_000, 4_000, 2_000], (1_000, 5_000): [4_000, 4_000]}[tuple(cuts)]
    assert sizes == [*rows, 5_000, 5_000, 5_000]
    store = SegmentStore(str(tmp_path))
    for wanted in range(7, 14):
        found = store.read([(segment.file, segment.hash)], [wanted])
        is_here = table.column("series_id").to_numpy() == wanted
        assert same_bits(found, table.filter(pa.array(is_here)))


@pytest.mark.parametrize("n", [1, 2, 600])
def test_few_points_and_times_of_no_line_are_stored_as_they_are(tmp_path: Path, n: int) -> None:
    few = uneven(n, n_series=2 if n < 6 else 6) if n > 5 else points(np.array([5, 9, 2][:n]))

    assert not layout.is_told(write_segment(str(tmp_path), few).file)
    by_luck = np.random.default_rng(0).integers(0, 10**6, 40_000)
    assert not layout.is_told(write_segment(str(tmp_path), points(by_luck)).file)


def test_all_points_of_told_segments_can_be_scanned_again_and_again(tmp_path: Path) -> None:
    table = uneven(2_000)
    written = [write_segment(str(tmp_path), one) for one in (table, uneven(1_500, first_id=40), points(np.arange(9)))]

    plain, told = SegmentStore(str(tmp_path)).relations([(one.file, one.hash) for one in written])

    with duckdb.connect() as connection:
        connection.register("told", told)
        for _time in range(2):
            assert connection.execute("SELECT count(*), count(DISTINCT series_id) FROM told").fetchall() == [
                (21_000, 12)
            ]
        found = connection.sql("SELECT * FROM told WHERE series_id < 40 ORDER BY series_id, seq").to_arrow_table()
    assert same_bits(found, table)
    assert plain.count_rows() == 9


_SINGLE_BITS = np.array(
    [0x7FC00000, 0xFFC12345, 0x80000000, 0x7F800000, 0xFF800000, 1, 0x007FFFFF, 0x7F7FFFFF], dtype=np.uint32
).view(np.float32)
"""Quiet NaN with and without a payload, the negative zero, both infinities, the least, a small and the greatest number."""
_DOUBLES = np.array([0.1, 2.0**-150, 2.0**1023, np.nan])
"""What 32 bits do not hold, and a NaN that they do."""


def valued(values: np.ndarray, first_id: int) -> pa.Table:
    """Series of eight points with even steps and these values."""
    n = values.size
    columns: list[np.ndarray] = [
        np.arange(n) // 8 + first_id, np.full(n, 3, np.int32), np.arange(n), np.arange(n),
        1.7e9 + np.arange(n) * 0.1, values.astype(np.float64),
    ]  # fmt: skip
    return pa.table([pa.array(column) for column in columns], schema=point_schema())


def test_steps_and_values_that_32_bits_hold_are_stored_in_32_and_come_back_beside_others(tmp_path: Path) -> None:
    floats = np.concatenate((np.random.default_rng(3).random(40_000).astype(np.float32), _SINGLE_BITS))
    tables = [valued(floats, 1), valued(np.concatenate((floats[:4], _DOUBLES)), 9_000), valued(_SINGLE_BITS, 10_000)]
    written = [write_segment(str(tmp_path), table) for table in tables]

    named = [(one.file, one.hash) for one in written]
    store = SegmentStore(str(tmp_path))
    assert [layout.is_single(one.file) for one in written] == [True, False, True]
    stored = pq.read_schema(tmp_path / written[0].file)
    assert (stored.field("step").type, stored.field("value").type) == (pa.int32(), pa.float32())
    whole = pa.concat_tables(tables)
    assert same_bits(store.read(named, range(20_000)), whole)
    wanted = [2, 5_001, 9_000, 10_000]
    some = whole.filter(pa.array(np.isin(whole.column("series_id").to_numpy(), wanted)))
    assert same_bits(store.read(named, wanted), some)
    plain, _told = store.relations(named)
    with duckdb.connect() as connection:
        paths = store.paths(named)
        for ordered in (paths, paths[::-1], [paths[2], paths[1], paths[0]]):
            few = read_few(connection, ordered, wanted, layout.COLUMNS)
            assert few["value"].tobytes() == some.column("value").to_numpy().tobytes()
        connection.register("point", plain)
        found = connection.sql("SELECT * FROM point ORDER BY series_id, seq").to_arrow_table()
        above = connection.execute("SELECT count(*) FROM point WHERE value > 0.5 AND NOT isnan(value)").fetchall()
    assert same_bits(found, whole)
    assert above == [(int((whole.column("value").to_numpy() > 0.5).sum()),)]


@pytest.mark.parametrize("place", [0, 16_383, 16_384, 39_999])
@pytest.mark.parametrize("value", [0.1, 2.0**-150, 2.0**128, np.uint64(0x7FF0000000000001).view(np.float64)])
def test_one_value_of_64_bits_keeps_all_in_64(tmp_path: Path, place: int, value: float) -> None:
    values = np.zeros(40_000)
    values[place] = value

    segment = write_segment(str(tmp_path), valued(values, 1))

    assert not layout.is_single(segment.file)
    assert same_bits(SegmentStore(str(tmp_path)).read([(segment.file, segment.hash)], range(6_000)), valued(values, 1))


@pytest.mark.parametrize("step", [2**31, -(2**31) - 1, 2**63 - 1])
def test_one_step_of_64_bits_keeps_all_in_64(tmp_path: Path, step: int) -> None:
    table = valued(np.zeros(80), 1)
    steps = np.arange(80)
    steps[-1] = step
    table = table.set_column(3, table.schema.field(3), pa.array(steps))

    segment = write_segment(str(tmp_path), table)

    assert not layout.is_single(segment.file)
    assert same_bits(SegmentStore(str(tmp_path)).read([(segment.file, segment.hash)], range(99)), table)


@pytest.mark.parametrize("steps", [np.arange(8_000), np.arange(8_000) ** 2 % 7_001])
def test_points_that_come_in_32_bits_give_the_same_file(tmp_path: Path, steps: np.ndarray) -> None:
    wide = valued(np.random.default_rng(3).random(8_000).astype(np.float32), 1)
    wide = wide.set_column(3, wide.schema.field(3), pa.array(steps))
    arrays = [
        column.to_numpy().astype(field.type.to_pandas_dtype())
        for column, field in zip(wide.columns, layout.single_schema(), strict=True)
    ]
    single = pa.table([pa.array(array) for array in arrays], schema=layout.single_schema())

    assert write_segment(str(tmp_path), single) == write_segment(str(tmp_path), wide)


def test_a_segment_of_an_older_mlbench_is_proved_by_its_own_hash(tmp_path: Path) -> None:
    segment = write_segment(str(tmp_path), points(np.arange(1_000)))
    path = tmp_path / segment.file
    older = hashlib.blake2b(path.read_bytes(), digest_size=16).hexdigest()

    assert len(segment.hash) == 40
    assert is_whole(str(path), segment.hash)
    assert is_whole(str(path), older)

    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    assert not is_whole(str(path), segment.hash)
    assert not is_whole(str(path), older)


@pytest.mark.parametrize("steps", [np.arange(40_000), np.random.default_rng(0).integers(0, 10**6, 40_000)])
def test_a_segment_is_the_same_by_arrows_own_writer(monkeypatch: pytest.MonkeyPatch, steps: np.ndarray) -> None:
    short = layout.encode(points(steps), [])

    monkeypatch.setitem(sys.modules, "pyarrow._parquet", None)
    assert layout.encode(points(steps), []) == short
