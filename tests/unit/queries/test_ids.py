"""Packed ids are to whoever reads them what a tuple of them is."""

from __future__ import annotations

import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlbench.queries.ids import FEW, Ids, packed_ids

SOME = tuple(f"{number:04x}" for number in range(0, 9000, 7))


@given(st.lists(st.text("ab", min_size=2, max_size=2), max_size=12), st.data())
def test_everything_that_is_asked_of_a_tuple_has_the_same_answer(texts: list[str], data: st.DataObject) -> None:
    plain, packed = tuple(texts), Ids("".join(texts), 2)
    start, stop, step = (data.draw(st.integers(-15, 15) | st.none()) for _ in range(3))
    step = step or None

    assert len(packed) == len(plain)
    assert tuple(packed) == plain
    assert packed == plain
    assert packed[start:stop:step] == plain[start:stop:step]
    for value in ("aa", "ab", "ba", "a", "aba", ""):
        assert (value in packed) == (value in plain)
        if value in plain:
            assert packed.index(value) == plain.index(value)
        else:
            with pytest.raises(ValueError, match="is not there"):
                packed.index(value)
    for place in range(-len(plain), len(plain)):
        assert packed[place] == plain[place]
    for place in (len(plain), -len(plain) - 1):
        with pytest.raises(IndexError):
            packed[place]


def test_many_of_one_length_are_packed_and_others_are_not() -> None:
    packed = packed_ids(iter(SOME))

    assert isinstance(packed, Ids)
    assert tuple(packed) == SOME
    assert packed_ids(SOME[:FEW]) == SOME[:FEW]
    for odd in ((*SOME, "x"), ("x", *SOME), ("",) * 2000, (*SOME * 5, "12345", *SOME)):
        assert packed_ids(iter(odd)) == odd
        assert isinstance(packed_ids(odd), tuple)


def test_they_cross_a_pipe() -> None:
    packed = Ids("aabbcc", 2)

    assert pickle.loads(pickle.dumps(packed)) == packed
    assert {packed: 1}[Ids("aabbcc", 2)] == 1
    assert packed != Ids("aabbcc", 3)
    assert packed != ["aa", "bb", "cc"]
