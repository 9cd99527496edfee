"""Gin configurations as gin-config writes and reads them."""

import time

import pytest

from mlbench.wire.dump_gin import looks_like_gin, read_gin
from mlbench.wire.dump_tree import TreeError


def test_a_macro_is_what_it_names_and_its_text_stays() -> None:
    loaded = read_gin("W = 128\nmlp.width = %W\n")

    assert loaded.value == {"W": 128, "mlp.width": 128}
    assert loaded.raw["mlp.width",].text == "%W"


def test_scopes_references_blocks_and_continued_lines() -> None:
    text = (
        "import my.module\ninclude 'base.gin'\ntrain/mlp.act = 'a # b'  # a comment\nTrainer:\n  lr = 1e-3\n"
        "  steps = [1,\n           2]\nTrainer.model = @mlp()\nTrainer.name = \\\n    ('one '\n     'two')\n"
    )

    loaded = read_gin(text)

    assert loaded.value == {
        "train/mlp.act": "a # b", "Trainer.lr": 0.001, "Trainer.steps": [1, 2], "Trainer.model": "@mlp()",
        "Trainer.name": "one two",
    }  # fmt: skip
    assert loaded.remarks == ()


def test_a_macro_of_the_older_spelling_and_one_that_is_not_defined() -> None:
    loaded = read_gin("W/macro.value = 3\na.b = %W\na.c = %gin.REQUIRED\n")

    assert loaded.value == {"W/macro.value": 3, "a.b": 3, "a.c": "%gin.REQUIRED"}


def test_macros_that_name_each_other_end() -> None:
    loaded = read_gin("A = %B\nB = %A\n")

    assert isinstance(loaded.value, dict)
    assert set(loaded.value.values()) <= {"%A", "%B"}


def test_macros_that_double_do_not_grow() -> None:
    text = "M0 = 1\n" + "".join(f"M{n} = [%M{n - 1}, %M{n - 1}]\n" for n in range(1, 60))

    before = time.process_time()
    loaded = read_gin(text)

    assert time.process_time() - before < 1
    assert isinstance(loaded.value, dict)
    assert loaded.value["M1"] == [1, 1]


def test_a_line_that_is_no_binding_is_told() -> None:
    loaded = read_gin("a.b = 1\nnot gin at all\n")

    assert [(remark.what, remark.line) for remark in loaded.remarks] == [
        ("a line is no binding of gin and was left out", 2)
    ]


def test_another_text_is_refused() -> None:
    with pytest.raises(TreeError, match="holds no bindings"):
        read_gin("hello\nworld\n")


@pytest.mark.parametrize(
    ("text", "is_gin"), [("a.b = 1", True), ("# c\n\nT:\n  x = 2", True), ("{}", False), ("", False)]
)
def test_gin_is_known_by_its_first_statement(text: str, is_gin: bool) -> None:
    assert looks_like_gin(text) is is_gin
