"""Promises of slices: the worst class is seen at a glance."""

from mlbench.queries.answers import SliceCell
from mlbench.queries.compare import compare_runs
from mlbench.queries.slices import slice_groups
from mlbench.render.cells import plain
from mlbench.render.diff import diff_sections
from mlbench.render.table import section_lines
from tests.unit.queries.conftest import FakeReader


def test_slices_end_in_a_key_with_a_value_or_in_a_class_name() -> None:
    metrics = ["val/recall/class=0", "val/recall/class=1", "acc_site=a", "acc_site=b", "val/f1/cat", "val/f1/dog",
               "val/f1/cow", "val/f1/macro", "train/loss", "train/lr", "train/acc", "lone/x=1"]  # fmt: skip

    assert {stem: list(slices) for stem, slices in slice_groups(metrics).items()} == {
        "val/recall": ["class=0", "class=1"],
        "acc": ["site=a", "site=b"],
        "val/f1": ["cat", "dog", "cow"],
    }


def test_two_class_names_are_no_slices_yet() -> None:
    assert slice_groups(["val/f1/cat", "val/f1/dog"]) == {}


def test_the_worst_slice_and_the_spread_are_told(empty: FakeReader) -> None:
    ids = [empty.add_run("a"), empty.add_run("b"), empty.add_run("c")]
    for run_id, scores in zip(ids, ((0.9, 0.5), (0.75, 0.625)), strict=False):
        for number, score in enumerate(scores):
            empty.add_series(run_id, f"recall/class={number}", [0.1, score])

    (row,) = compare_runs(empty, ids).slices

    assert (row.stem, row.goal, row.n_slices) == ("recall", "max", 2)
    assert row.cells == (SliceCell(0.5, "class=1", 0.4, 2), SliceCell(0.625, "class=1", 0.125, 2), SliceCell())
    text = plain(section_lines(diff_sections(compare_runs(empty, ids))))
    assert "recall (2 slices, max)  0.5 (class=1)  0.625 (class=1)" in text


def test_a_group_of_slices_that_is_equal_in_all_runs_is_left_out(empty: FakeReader) -> None:
    ids = [empty.add_run(name) for name in ("a", "b")]
    for run_id in ids:
        for label, recall in (("0", 0.875), ("1", 0.5)):
            empty.add_series(run_id, f"recall/class={label}", [recall])

    assert compare_runs(empty, ids).slices == ()
    (row,) = compare_runs(empty, ids, everything=True).slices
    assert row.stem == "recall"
