import pytest

from mlbench.tui.completion import (
    Completion,
    complete_column,
    complete_metric,
    complete_query,
    complete_tag,
    matching,
    split_metrics,
)
from mlbench.tui.doing.choosing import spelt_sort
from mlbench.tui.session import Vocabulary

KNOWN = Vocabulary(
    params=("lr", "optim.name", "odd name"),
    metrics=("val/loss", "val/acc", "train/loss"),
    tags=("best", "needs work"),
    statuses=("running", "finished"),
    fields=("status", "started", "tag"),
    values={"optim.name": ("adam", "sgd", "my adam"), "tags.team": ("vision", "nlp")},
)


def completed(text: str) -> list[str]:
    """The whole text after each candidate was taken."""
    found = complete_query(text, len(text), KNOWN)
    return [text[: found.start] + word + text[found.end :] for word in found.words]


def test_beginnings_come_before_parts_and_parts_before_loose_letters() -> None:
    words = ["xvalx/loss", "train/val", "val/loss", "v1a2l"]

    assert matching("val", words) == ("val/loss", "train/val", "xvalx/loss", "v1a2l")
    assert matching("VAL", words, is_loose=False, most=1) == ("val/loss",)
    assert matching("v/l", ["val/loss", "train/loss"]) == ("val/loss",)


@pytest.mark.parametrize(
    ("typed", "whole"),
    [
        ("sta", ["status", "started"]),
        ("lr > 0.1 and metrics.v", ["lr > 0.1 and metrics.val/loss", "lr > 0.1 and metrics.val/acc"]),
        ("(odd", ["(params.`odd name`"]),
        ("status = fin", ["status = finished"]),
        ("status=f", ["status=finished", "status=failed"]),
        ("tags.team = v", ["tags.team = vision"]),
        ("min(val", ["min(metrics.val/loss", "min(metrics.val/acc"]),
        ("-tag:be", ["-tag:best"]),
        ("optim.name = s", ["optim.name = sgd"]),
        ("metrics.`val", ["metrics.`val/loss`", "metrics.`val/acc`"]),
        ("params.lr ", []),
        ("params.optim.name = a", ["params.optim.name = adam", "params.optim.name = 'my adam'"]),
        ("tag:be", ["tag:best"]),
        ("tag = n", ["tag = 'needs work'"]),
        ("unknown = x", []),
        ("", []),
    ],
)
def test_the_query_is_completed_by_what_can_stand_there(typed: str, whole: list[str]) -> None:
    assert completed(typed) == whole


def test_behind_a_name_come_signs_and_behind_a_condition_and() -> None:
    assert completed("params.lr i")[:3] == ["params.lr in (", "params.lr is null", "params.lr is not null"]
    assert completed("params.lr = 1 a")[:1] == ["params.lr = 1 and"]


def test_a_word_in_the_middle_is_completed_where_it_stands() -> None:
    found = complete_query("sta > 3", 3, KNOWN)

    assert (found.start, found.end) == (0, 3)


def test_columns_are_completed_behind_the_last_comma() -> None:
    found = complete_column("params.lr, metrics.tr", 21, KNOWN)

    assert (found.start, found.words) == (11, ("metrics.train/loss",))


def test_metrics_are_completed_as_the_logs_spell_them() -> None:
    assert complete_metric("val/loss, acc", 13, KNOWN) == Completion(10, 13, ("val/acc",))


def test_tags_are_completed_behind_a_sign_and_only_own_ones_are_taken_away() -> None:
    assert complete_tag("+b", 2, KNOWN, ["mine"]).words == ("best",)
    assert complete_tag("best -", 6, KNOWN, ["mine"]) == Completion(6, 6, ("mine",))


def test_metrics_are_split_at_commas_each_once() -> None:
    assert split_metrics(" a , b,a,, c d ") == ("a", "b", "c d")


def test_parts_that_begin_with_the_typed_ones_come_before_loose_letters() -> None:
    words = ("val/recall", "val/loss", "val_loss", "train/v/loss")

    assert matching("v/l", words) == ("train/v/loss", "val/loss", "val_loss", "val/recall")
    assert matching("v/l", words, is_loose=False) == ("train/v/loss",)


def test_a_word_that_begins_as_typed_comes_before_others_of_another_kind() -> None:
    known = Vocabulary(
        params=tuple(f"a_c{number}_cu" for number in range(20)), metrics=("val_accuracy", "accuracy", "train/accuracy")
    )

    words = complete_column("accu", 4, known).words

    assert words[:3] == ("metrics.accuracy", "metrics.val_accuracy", "metrics.train/accuracy")
    assert complete_query("accu", 4, known).words[0] == "metrics.accuracy"


def test_of_columns_that_fit_alike_those_that_are_shown_come_first() -> None:
    known = Vocabulary(metrics=("val/loss", "val/recall", "validation/accuracy"))
    shown = ("metrics.validation/accuracy",)

    assert complete_column("val", 3, known, first=shown).words[0] == "metrics.validation/accuracy"
    assert spelt_sort("val", known, shown) == "metrics.validation/accuracy:desc"
    assert spelt_sort("val", known) == "metrics.val/loss"
    assert spelt_sort("val/r", known, shown) == "metrics.val/recall:desc"
