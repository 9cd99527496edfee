"""Promises of long values and nested keys in a comparison."""

from mlbench.render.cells import Cell
from mlbench.render.diff import diff_sections
from mlbench.render.inside import as_tree, branches, insides
from mlbench.safe import safe

from .samples import diff_answer

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


def rows_of(*keys: str) -> list[tuple[Cell, ...]]:
    return [(Cell(safe(key)), Cell(safe(key.upper()))) for key in keys]


def test_keys_of_one_parent_stand_below_it() -> None:
    drawn = as_tree(rows_of("data.name", "optim.lr", "seed", "optim.sched.name", "optim.sched.steps"))

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
    drawn = as_tree(rows_of("a.b.c.x", "a.b.c.y", "a.b", "z.only"))

    assert [row[0].text for row in drawn] == ["a", "  b.c", "    x", "    y", "  b", "z.only"]


def test_what_is_below_a_closed_parent_is_left_out() -> None:
    rows = rows_of("a.b.x", "a.b.y", "a.c")

    assert [one.path for one in branches(rows, ["a.b"])] == ["a", "a.b", "a.c"]
    assert [one.path for one in branches(rows, ["a"])] == ["a"]


def test_layers_are_told_behind_the_values() -> None:
    (params, *_rest) = diff_sections(diff_answer(), has_layers=True)

    assert any(cell.text.endswith("]") for row in params.table.rows for cell in row[1:])
