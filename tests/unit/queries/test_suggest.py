"""Promises of the suggestions."""

import pytest

from mlbench.queries.suggest import did_you_mean, nearest

NAMES = ("val/loss", "train/loss", "optim.lr", "Accuracy", "learning_rate")


@pytest.mark.parametrize(
    ("word", "near"),
    [
        ("val/los", "val/loss"),
        ("vla/loss", "val/loss"),
        ("lr", "optim.lr"),
        ("loss", "val/loss"),
        ("accuracy", "Accuracy"),
        ("learn", "learning_rate"),
        ("xyzzy", None),
        ("x", None),
        ("", None),
    ],
)
def test_the_nearest_name_is_the_one_that_was_meant(word: str, near: str | None) -> None:
    assert nearest(word, NAMES) == near


def test_one_wrong_letter_of_three_is_near_enough() -> None:
    assert nearest("mim", ("min", "max", "mean")) == "min"


def test_a_suggestion_is_a_sentence_or_nothing() -> None:
    assert did_you_mean("val/los", NAMES) == " Did you mean 'val/loss'?"
    assert did_you_mean("xyzzy", NAMES) == ""
