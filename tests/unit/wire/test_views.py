import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlbench.wire.views import count_repeats, count_step_backs, effective


def mask(steps: list[int]) -> str:
    return "".join("x" if kept else "." for kept in effective(np.array(steps, dtype=np.int64)))


@pytest.mark.parametrize(
    ("steps", "kept"),
    [
        ([], ""),
        ([5], "x"),
        ([0, 1, 2, 3], "xxxx"),
        ([0, 1, 1, 1, 2], "xxxxx"),
        ([0, 1, 2, 3, 2, 3, 4], "xx..xxx"),
        ([0, 1, 2, 0, 1, 2], "...xxx"),
        ([0, 1, 1, 2, 1, 1, 2], "x...xxx"),
        ([0, 10, 20, 10, 20, 5, 6], "x....xx"),
        ([0, 10, 20, 15, 20, 17], "xx.x.x"),
        ([-3, -2, -3], "..x"),
        ([2**63 - 1, -(2**63), 2**63 - 1], ".xx"),
    ],
)
def test_a_regression_sets_the_older_branch_aside(steps: list[int], kept: str) -> None:
    assert mask(steps) == kept


def test_repeats_are_counted_on_the_newest_branch() -> None:
    assert count_repeats(np.array([0, 1, 1, 1, 2])) == 2
    assert count_repeats(np.array([0, 1, 1, 1, 0, 1, 1])) == 1
    assert count_repeats(np.array([], dtype=np.int64)) == 0


def test_step_backs_are_regressions_to_the_point_before() -> None:
    assert count_step_backs(np.array([0, 1, 2, 1, 2, 0])) == 2
    assert count_step_backs(np.array([1, 1])) == 0
    assert count_step_backs(np.array([], dtype=np.int64)) == 0


def kept_one_by_one(steps: list[int]) -> list[bool]:
    kept = [True] * len(steps)
    for place in range(1, len(steps)):
        if steps[place] < steps[place - 1]:
            for earlier in range(place):
                kept[earlier] = kept[earlier] and steps[earlier] < steps[place]
    return kept


@given(st.lists(st.integers(-4, 4), max_size=30))
def test_the_vectors_agree_with_a_loop(steps: list[int]) -> None:
    kept = effective(np.array(steps, dtype=np.int64))

    assert kept.tolist() == kept_one_by_one(steps)
    assert sorted(np.array(steps)[kept]) == list(np.array(steps)[kept])
