"""Whatever order the words of several people arrive in, and however often: everyone folds them to the same."""

import random
from collections.abc import Mapping
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlbench.journal import Entry, RunRef, Words, fold
from tests.reliability import histories
from tests.reliability.histories import Actor, diverging, history


@settings(max_examples=300, deadline=None)
@given(st.randoms(use_true_random=False))
def test_words_of_several_actors_fold_alike_in_any_order_and_however_often(dice: random.Random) -> None:
    entries = history(dice)

    assert diverging(entries, dice) == []


def test_a_history_has_several_actors_and_clocks_that_go_back() -> None:
    entries = [entry for seed in range(50) for entry in history(random.Random(seed))]

    assert len({entry.actor for entry in entries}) == 5
    assert {entry.op for entry in entries} >= {"tag", "note", "undo", "adopt", "root", "baseline"}
    assert any(after.us < before.us for before, after in pairwise(entries))


def test_a_fold_that_took_the_order_of_arrival_would_be_found(monkeypatch: pytest.MonkeyPatch) -> None:
    run = (RunRef("/r/a"),)
    entries = [Entry(5, 0, "x", 1, "u", "name", run, text="one"), Entry(5, 0, "y", 1, "u", "name", run, text="two")]

    def fold_as_it_comes(arrived: list[Entry], place: Mapping[str, str]) -> Words:
        return fold([entry._replace(us=at) for at, entry in enumerate(arrived)], place)

    monkeypatch.setattr(histories, "fold", fold_as_it_comes)

    assert "backwards" in diverging(entries, random.Random(1))


def test_an_actor_speaks_after_all_that_it_has_heard() -> None:
    dice = random.Random(1)
    fast, slow = Actor("f", 10**9), Actor("s", -(10**9))
    first = fast.say(10**12, dice)

    slow.heard.append(first)

    assert slow.say(10**12, dice)[:2] > first[:2]
