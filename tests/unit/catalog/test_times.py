"""Wall times that are told by steps come back bit for bit, whatever they and the steps are."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from mlbench.catalog import times

Columns = dict[str, NDArray[Any]]

_BITS = st.integers(0, 2**64 - 1) | st.sampled_from([
    0x7FF0000000000001, 0xFFF8DEADBEEF0000, 0x7FF0000000000000, 0xFFF0000000000000, 1 << 63, 0, 1, 0x7FEFFFFFFFFFFFFF,
    0x41D9_5A00_0000_0000,
])  # fmt: skip
_STEPS = st.integers(-(2**63), 2**63 - 1) | st.integers(0, 1000) | st.sampled_from([-(2**63), 2**63 - 1, 0])
_SERIES = st.lists(
    st.tuples(
        st.integers(1, 3),  # from the id before to its own
        st.integers(1, 2),  # its source
        st.lists(st.tuples(_STEPS, _BITS), min_size=1, max_size=5),
    ),
    min_size=1,
    max_size=8,
)


def columns_of(series: list[tuple[int, int, list[tuple[int, int]]]]) -> Columns:
    ids = np.cumsum([gap for gap, _source, _points in series])
    counts = [len(points) for _gap, _source, points in series]
    pairs = [pair for _gap, _source, points in series for pair in points]
    return {
        "series_id": np.repeat(ids, counts),
        "source_id": np.repeat(np.array([source for _gap, source, _points in series], np.int32), counts),
        "step": np.array([step for step, _bits in pairs], dtype=np.int64),
        "wall_s": np.array([bits for _step, bits in pairs], dtype=np.uint64).view(np.float64),
    }


def turns(n_series: int, n: int = 500, *, shift: int = 0) -> Columns:
    """Series logged in the same turns: uneven steps, and times that a turn's luck shifts."""
    random = np.random.default_rng(3)
    luck = random.uniform(0, 0.1, n)
    steps = [np.sort(random.integers(0, 30_000, n)) for _one in range(n_series)]
    walls = [1.7e9 + step * 0.2 + luck + place * 7e-6 for place, step in enumerate(steps)]
    return {
        "series_id": np.repeat(np.arange(n_series) + shift, n),
        "source_id": np.full(n * n_series, 5, np.int32),
        "step": np.concatenate(steps),
        "wall_s": np.concatenate(walls),
    }


def stored(columns: Mapping[str, NDArray[Any]], cuts: tuple[int, ...] = ()) -> Columns:
    kept = {name: columns[name] for name in ("series_id", "step")}
    return kept | times.tell(columns, cuts)


@given(_SERIES, st.sets(st.integers(0, 40)))
def test_every_bit_comes_back(series: list[tuple[int, int, list[tuple[int, int]]]], cuts: set[int]) -> None:
    columns = columns_of(series)

    found = times.times_of(stored(columns, tuple(cuts)))

    assert found.tobytes() == columns["wall_s"].tobytes()


@given(_SERIES, st.data())
def test_some_series_need_only_those_by_which_they_are_told(
    series: list[tuple[int, int, list[tuple[int, int]]]], data: st.DataObject
) -> None:
    columns = columns_of(series)
    ids = columns["series_id"]
    told = stored(columns)
    wanted = np.array(sorted(data.draw(st.sets(st.integers(0, int(ids[-1]) + 2)))), dtype=np.int64)

    needed = times.needed_series(ids, told[times.BACK], wanted)

    here = np.array([one in needed.tolist() for one in ids.tolist()], dtype=np.bool_)
    found = times.times_of({name: column[here] for name, column in told.items()})
    assert set(wanted.tolist()) & set(ids.tolist()) <= set(needed.tolist()) <= set(ids.tolist())
    assert found.tobytes() == columns["wall_s"][here].tobytes()


def test_metrics_of_one_turn_leave_less_than_two_bits_to_a_time() -> None:
    columns = turns(4)

    told = stored(columns)

    assert sorted(set(told[times.BACK].tolist())) == [0, 1, 2, 3]
    followers = told[times.REST][told[times.BACK] > 0]
    assert np.log2(1 + followers).mean() < 2


def test_a_fifth_series_begins_anew() -> None:
    told = stored(turns(6, n=3))

    assert told[times.BACK][::3].tolist() == [0, 1, 2, 3, 0, 1]


def test_no_series_is_told_by_one_before_a_cut_of_another_source_or_length() -> None:
    columns = turns(4, n=3)
    columns["source_id"][9:] = 6
    longer = {name: np.append(column, column[-1:]) for name, column in columns.items()}

    assert stored(columns, (6,))[times.BACK][::3].tolist() == [0, 1, 0, 0]
    assert stored(longer)[times.BACK][::3].tolist() == [0, 1, 2, 0, 0]
    longer["source_id"][:] = 5
    assert stored(longer)[times.BACK][::3].tolist() == [0, 1, 2, 0, 0]


def test_what_all_points_of_a_series_share_is_the_same_for_each() -> None:
    told = times.tell(turns(3, n=40))

    for name in (times.BACK, times.BASE, times.SLOPE):
        assert (told[name].reshape(3, 40) == told[name].reshape(3, 40)[:, :1]).all()


def test_times_that_are_none_cost_the_others_nothing() -> None:
    columns = turns(2)
    columns["wall_s"][[4, 7, 700]] = np.nan, 0.0, np.inf

    told = stored(columns)

    assert 0.19 < told[times.SLOPE].view(np.float64)[0] < 0.21
    assert np.median(told[times.REST][told[times.BACK] > 0]) < 4
    assert times.times_of(told).tobytes() == columns["wall_s"].tobytes()


def test_times_of_which_none_is_a_number_have_no_line() -> None:
    columns = turns(1, n=10)
    columns["wall_s"][:] = np.nan

    told = stored(columns)

    assert told[times.BASE].tolist() == told[times.SLOPE].tolist() == [0] * 10
    assert times.times_of(told).tobytes() == columns["wall_s"].tobytes()
