"""Promises of the comparison of notebooks: by cells, whatever else their files hold."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlbench.wire.notebookdiff import (
    MOST_LINES,
    CellText,
    cell_changes,
    cells_of,
    change_lines,
)
from tests.paths import FORMATS, needs_formats

from .notebook_builder import notebook

SETUP = ("code", "import os\nimport sys\nfrom model import make")
FIT = ("code", "lr = 0.1\nepochs = 5\nmodel = make(lr)\nmodel.fit(epochs)")
PLOT = ("code", "plot(model.history)\nsave('loss.png')")
TEXT = ("markdown", "# The first model\n\nIt is small.")


def told(old: list[CellText], new: list[CellText]) -> list[str]:
    return list(change_lines(cell_changes(old, new)))


def test_outputs_counts_ids_and_metadata_are_no_difference() -> None:
    one = cells_of("a.ipynb", notebook(TEXT, SETUP, FIT, count=1, output="loss 1.0"))
    other = cells_of("a.ipynb", notebook(TEXT, SETUP, FIT, count=7, output="loss 0.1", kernelspec={"name": "k"}))

    assert one == [TEXT, SETUP, FIT]
    assert one == other


def test_a_changed_cell_is_compared_line_by_line() -> None:
    changed = ("code", FIT[1].replace("0.1", "0.2"))

    assert told([SETUP, FIT, PLOT], [SETUP, changed, PLOT]) == [
        "@@ code cell 2 changed @@", "-lr = 0.1", "+lr = 0.2", " epochs = 5", " model = make(lr)", " model.fit(epochs)",
    ]  # fmt: skip


def test_cells_that_came_and_went() -> None:
    assert told([SETUP, TEXT], [SETUP, PLOT]) == [
        "@@ markdown cell 2 removed @@", "-# The first model", "-", "-It is small.",
        "@@ code cell 2 added @@", "+plot(model.history)", "+save('loss.png')",
    ]  # fmt: skip


def test_a_cell_that_moved_is_no_cell_that_went_and_came() -> None:
    assert told([SETUP, FIT, TEXT, PLOT], [PLOT, SETUP, FIT, TEXT]) == ["@@ code cell 1 moved from 4 @@"]


def test_a_cell_that_moved_may_have_changed() -> None:
    changed = ("code", PLOT[1].replace("loss.png", "a.png"))

    lines = told([SETUP, FIT, TEXT, PLOT], [changed, SETUP, FIT, TEXT])

    assert lines == ["@@ code cell 1 changed and moved from 4 @@", " plot(model.history)", "-save('loss.png')",
                     "+save('a.png')"]  # fmt: skip


def test_a_cell_whose_kind_changed_went_and_came() -> None:
    assert [change.kind for change in cell_changes([("code", "x")], [("markdown", "x")])] == ["removed", "added"]


def test_equal_parts_of_a_long_cell_are_left_out() -> None:
    lines = [f"x{number} = {number}" for number in range(100)]
    old, new = ("code", "\n".join(lines)), ("code", "\n".join(["y = 0", *lines[:80], "z = 0", *lines[80:]]))

    shown = told([old], [new])

    assert shown[:3] == ["@@ code cell 1 changed @@", "@@ line 1 @@", "+y = 0"]
    assert "@@ line 79 @@" in shown
    assert len(shown) < 20


def test_a_cell_of_very_many_lines_is_not_compared_by_lines() -> None:
    old, new = ("code", "x\n" * (MOST_LINES + 1)), ("code", "x\n" * (MOST_LINES + 1) + "y")

    assert told([old], [new])[1:] == ["@@ 10,002 lines are too many to be compared @@"]


def test_cells_whose_lines_recur_are_paired_by_what_they_share_in_any_order() -> None:
    line = "fit(model)  # again\n"
    old, new, other = ("code", line * 3000), ("code", line * 2000 + "end"), ("code", "pass\n" * 3000)

    assert [change.kind for change in cell_changes([old], [new])] == ["changed"]
    assert [change.kind for change in cell_changes([old], [other])] == ["removed", "added"]


@needs_formats
def test_a_jupytext_script_is_the_same_notebook() -> None:
    folder = FORMATS / "notebooks"
    book = cells_of("train.ipynb", (folder / "train.ipynb").read_bytes())
    script = cells_of("train.py", (folder / "train.py").read_bytes())

    assert book is not None
    assert len(book) == 4
    assert book == script


@needs_formats
def test_two_papermill_runs_differ_in_their_injected_parameters_alone() -> None:
    one, other = (
        cells_of("x.ipynb", (FORMATS / "notebooks" / f"out_{lr}.ipynb").read_bytes()) for lr in ("0.1", "0.01")
    )

    assert one is not None
    assert one == other


def test_magics_and_quoted_texts_of_a_script_are_those_of_the_notebook() -> None:
    script = b'# ---\n# jupyter: {}\n# ---\n\n# %%\n# %matplotlib inline\n# !ls\n# note\n\n# %% [markdown]\n"""\n# A title\n"""\n'

    assert cells_of("a.py", script) == [("code", "%matplotlib inline\n!ls\n# note"), ("markdown", "# A title")]


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"cells": 1}', b"[" * 100_000])
def test_what_is_no_notebook_has_no_cells(content: bytes) -> None:
    assert cells_of("a.ipynb", content) is None
    assert cells_of("a.py", content) is None


cells = st.lists(st.tuples(st.sampled_from(["code", "markdown"]), st.text("abx=1\n", max_size=12)), max_size=8)


@given(cells, cells)
def test_every_cell_is_accounted_for_once(old: list[CellText], new: list[CellText]) -> None:
    changes = cell_changes(old, new)

    olds = [change.old_number for change in changes if change.old_number is not None]
    news = [change.new_number for change in changes if change.new_number is not None]
    assert len(set(olds)) == len(olds)
    assert len(set(news)) == len(news)
    kept_old = [cell for number, cell in enumerate(old, 1) if number not in olds]
    kept_new = [cell for number, cell in enumerate(new, 1) if number not in news]
    assert kept_old == kept_new
    for change in changes:
        assert (change.old, change.new) == (
            old[change.old_number - 1][1] if change.old_number else "",
            new[change.new_number - 1][1] if change.new_number else "",
        )


@given(cells)
def test_a_notebook_does_not_differ_from_itself(book: list[CellText]) -> None:
    assert cell_changes(book, book) == ()


def test_hundreds_of_changed_cells_are_paired_in_order() -> None:
    old = [("code", f"a{number} = {number * 7919 % 1000}\nprint(a{number})") for number in range(300)]
    new = [(kind, source.replace("print", "show")) for kind, source in old]

    changes = cell_changes(old, new)

    assert [(change.kind, change.old_number, change.new_number) for change in changes[:2]] == [
        ("changed", 1, 1),
        ("changed", 2, 2),
    ]
    assert len(changes) == 300
