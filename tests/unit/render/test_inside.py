"""Promises of long values and nested keys in a comparison."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from mlbench.render.cells import Cell
from mlbench.render.diff import diff_sections
from mlbench.render.inside import MOST_LEVELS, Branch, as_tree, branches, insides
from mlbench.safe import safe

from .samples import diff_answer, param

BEFORE, AFTER = "/data/experiments/2026/imagenet/", "/checkpoints/last/weights.safetensors"


def test_long_texts_show_what_differs_inside() -> None:
    assert insides([f"{BEFORE}a{AFTER}", f"{BEFORE}bc{AFTER}", None]) == (
        "…magenet/a/checkpo…",
        "…magenet/bc/checkpo…",
        None,
    )


def test_a_text_that_is_the_beginning_of_another_keeps_both_apart() -> None:
    assert insides(["x" * 50, "x" * 60]) == ("…xxxxxxxx", "…" + "x" * 18)


def test_short_equal_and_quite_different_texts_stay_whole() -> None:
    for texts in (("adam", "sgd"), ("x" * 50, "x" * 50), ("a" * 50, "b" * 50), (None, "x" * 50)):
        assert insides(texts) == texts


def tree_of(keys: Sequence[str], closed: Sequence[str] = ()) -> tuple[Branch, ...]:
    return branches(keys, rows_of(keys), closed)


def rows_of(keys: Sequence[str]) -> list[tuple[Cell, ...]]:
    return [(Cell(safe(key)), Cell(safe(key.upper()))) for key in keys]


def test_keys_of_one_parent_stand_below_it() -> None:
    keys = ("data.name", "optim.lr", "seed", "optim.sched.name", "optim.sched.steps")

    drawn = as_tree(keys, rows_of(keys))

    assert [[cell.text for cell in row] for row in drawn] == [
        ["data.name", "DATA.NAME"],
        ["optim", ""],
        ["  lr", "OPTIM.LR"],
        ["  sched", ""],
        ["    name", "OPTIM.SCHED.NAME"],
        ["    steps", "OPTIM.SCHED.STEPS"],
        ["seed", "SEED"],
    ]


def test_parts_with_one_child_stay_together_and_a_key_may_be_a_parent_too() -> None:
    keys = ("a.b.c.x", "a.b.c.y", "a.b", "z.only")

    drawn = as_tree(keys, rows_of(keys))

    assert [row[0].text for row in drawn] == ["a", "  b.c", "    x", "    y", "  b", "z.only"]


def test_what_is_below_a_closed_parent_is_left_out() -> None:
    keys = ("a.b.x", "a.b.y", "a.c")

    assert [one.path for one in tree_of(keys, ["a.b"])] == ["a", "a.b", "a.c"]
    assert [one.path for one in tree_of(keys, ["a"])] == ["a"]


@pytest.mark.parametrize("keys", [("a b", "a\u2003b"), ("x" * 5000 + "1", "x" * 5000 + "2")], ids=["blanks", "long"])
def test_keys_that_look_the_same_are_leaves_of_their_own(keys: tuple[str, str]) -> None:
    nested = [f"opt.{key}" for key in keys]

    tree = tree_of(nested)

    assert [(one.path, one.depth, len(one.rows)) for one in tree] == [
        ("opt", 0, 2),
        (nested[0], 1, 1),
        (nested[1], 1, 1),
    ]
    assert [one.path for one in tree_of(keys)] == list(keys)
    assert [one.path for one in tree_of(nested, ["opt"])] == ["opt"]


def test_parents_that_look_the_same_close_each_for_itself() -> None:
    keys = ("a b.x", "a b.y", "a\u2003b.x", "a\u2003b.y")

    assert [one.path for one in tree_of(keys, ["a b"])] == ["a b", "a\u2003b", *keys[2:]]


def test_a_key_that_is_given_twice_has_two_lines() -> None:
    assert [(one.path, len(one.rows)) for one in tree_of(("a.b", "a.b"))] == [("a", 2), ("a.b", 1), ("a.b", 1)]


def test_a_thousand_levels_are_a_tree_of_sixteen_and_whole_keys_below_it() -> None:
    keys = ["a." * n_levels + "x" for n_levels in range(1, 1001)]

    tree = tree_of(keys)

    leaves = [one for one in tree if len(one.rows) == 1]
    assert sorted(one.path for one in leaves) == sorted(keys)
    assert max(one.depth for one in tree) == MOST_LEVELS
    assert max((one.label for one in leaves), key=len) == "a." * (1000 - MOST_LEVELS) + "x"


def test_the_rows_of_parameters_are_about_the_keys_as_they_were_logged() -> None:
    params = tuple(param(key, "1", "2") for key in ("opt.a b", "opt.a\u2003b"))
    answer = replace(diff_answer(), runs=diff_answer().runs[:2], params=params, metrics=(), code=(), data=())

    plain, tree = (diff_sections(answer, is_tree=is_tree, folds=())[0].table for is_tree in (False, True))

    assert plain.keys == ("params:opt.a b", "params:opt.a\u2003b")
    assert tree.keys == ("fold:params:opt", *plain.keys)
    assert [row[0].text for row in tree.rows] == ["▾ opt", "  a b", "  a b"]


def test_layers_are_told_behind_the_values() -> None:
    (params, *_rest) = diff_sections(diff_answer(), has_layers=True)

    assert any(cell.text.endswith("]") for row in params.table.rows for cell in row[1:])
