import math

import pytest

from mlbench.queries.answers import DiffAnswer, FactRow, MetricCell, MetricRow, ParamCell
from mlbench.queries.slices import slice_rows
from mlbench.render.cells import plain
from mlbench.render.diff import (
    diff_records,
    diff_sections,
    diff_summary,
    majority,
    param_text,
    param_value,
)
from mlbench.render.diff_metrics import odd_text
from mlbench.render.records import write
from mlbench.render.table import section_lines
from tests.golden.check import check_golden

from .samples import diff_answer, head, param


def test_runs_side_by_side_look_as_they_did() -> None:
    answer = diff_answer()

    values = plain(section_lines(diff_sections(answer), 120))
    deltas = plain(section_lines(diff_sections(answer, as_deltas=True), 120))

    check_golden("diff.txt", f"{values}\n\n\n{deltas}\n")


def _roles(key: str, index: int) -> list[str]:
    section = next(one for one in diff_sections(diff_answer()) if one.key == key)
    return [cell.role for cell in section.table.rows[index]]


def test_what_most_runs_have_is_muted_and_what_is_unusual_is_changed() -> None:
    assert _roles("params", 0) == ["key", "", "changed", "changed"]
    assert _roles("params", 1) == ["key", "muted", "changed", "muted"]
    assert _roles("params", 2) == ["key", "muted", "muted", "muted"]
    assert _roles("params", 4) == ["muted", "muted", "muted", "muted"]


def test_better_is_good_and_worse_is_bad() -> None:
    assert _roles("metrics", 0) == ["key", "muted", "muted", "", "good", "bad"]
    assert _roles("metrics", 1) == ["", "", *["muted"] * 4]
    assert _roles("metrics", 2) == ["", "", "muted", "", "", "warning"]
    assert _roles("metrics", 3) == ["", "", "muted", "warning", "warning", "warning"]
    assert _roles("metrics", 4) == ["key", "muted", "muted", "", "", "muted"]


def test_the_best_value_is_told_with_its_step_and_time() -> None:
    best = MetricRow("acc", "max", "set", (MetricCell(0.5, 9, 0.75, 4, best_after_s=90.0), MetricCell(0.5, 9, 0.5, 9)))
    at_the_end = MetricRow("f1", "max", "set", (MetricCell(0.5, 9, 0.5, 9), MetricCell(None)))
    answer = DiffAnswer((head("a"), head("b")), (), (best, at_the_end))

    rows = [[cell.text for cell in row[2:]] for row in diff_sections(answer)[0].table.rows]

    assert rows == [
        ["best", "0.75", "0.5"], ["best at", "@4 1m 30s", "@9"], ["last", "0.5", "0.5"],
        ["best", "0.5", "-"], ["last", "0.5", "-"],
    ]  # fmt: skip


def test_slices_are_told_as_a_group_unless_each_is_asked_for() -> None:
    cells = (MetricCell(0.5, 1, 0.5, 1), MetricCell(0.25, 1, 0.25, 1, -0.25, -50.0, False))
    rows = tuple(MetricRow(f"recall/class={n}", "max", "set", cells) for n in range(3))
    answer = DiffAnswer((head("a"), head("b")), (), rows, slices=slice_rows(rows))

    usual = {section.key: section for section in diff_sections(answer, folds=())}
    opened = {section.key: section for section in diff_sections(answer, folds=("slices:recall",))}
    whole = {section.key: section for section in diff_sections(answer, has_slices=True)}

    assert "metrics" not in usual
    assert [row[0].text for row in usual["slices"].table.rows] == ["▸ recall (3 slices, max)", "  spread"]
    assert usual["slices"].table.keys == ("fold:slices:recall",) * 2
    assert [row[0].text for row in opened["slices"].table.rows][2:] == ["  class=0", "  class=1", "  class=2"]
    assert opened["slices"].table.keys[2] == "metrics:recall/class=0"
    assert opened["slices"].table.rows[2][2].text == "0.25 ▼ -0.25 -50%"
    assert len(whole["metrics"].table.rows) == 6


def test_a_closed_parent_says_how_many_of_its_keys_differ() -> None:
    params = (param("optim.lr", "1", "2", "1"), param("optim.name", "a", "b", "a"), param("seed", "1", "2", "3"))
    answer = DiffAnswer((head("a"), head("b"), head("c")), params, ())

    (section,) = diff_sections(answer, is_tree=True, folds=("params:optim",))

    assert [[cell.text for cell in row] for row in section.table.rows] == [
        ["▸ optim", "2 keys", "2 differ", "="], ["seed", "1", "2", "3"],
    ]  # fmt: skip
    assert section.table.keys == ("fold:params:optim", "params:seed")


def test_hashes_are_told_by_their_first_digits() -> None:
    row = FactRow("digits", (f"sha256:{'ab12' * 16}", None), differs=True)

    (section,) = diff_sections(DiffAnswer((head("a"), head("b")), (), (), data=(row,)))

    assert section.table.rows[0][1].text == "sha256:ab12ab12ab12…"


def test_facts_that_differ_stand_out() -> None:
    assert _roles("code", 0) == ["key", "muted", "muted", "changed"]
    assert _roles("code", 1) == ["key", "muted", "muted", "muted"]
    assert _roles("code", 2) == ["muted", "muted", "muted", "muted"]


def test_two_runs_have_no_majority() -> None:
    answer = DiffAnswer((head("a"), head("b")), (param("lr", "1", "2"),), (), (FactRow("x", ("1", "2"), True),))

    sections = diff_sections(answer)

    assert [cell.role for cell in sections[0].table.rows[0]] == ["key", "", "changed"]
    assert [cell.role for cell in sections[1].table.rows[0]] == ["key", "", "changed"]
    assert sections[0].title == "params: 1 differs"


@pytest.mark.parametrize(
    ("texts", "usual"),
    [(("a", "a", "b"), ("a",)), ((None, None, "b"), (None,)), (("a", "b", "c"), None), (("a", "a"), None), (("a", "a", "b", "b"), None)],
)  # fmt: skip
def test_a_majority_is_more_than_half(texts: tuple[str | None, ...], usual: tuple[str | None] | None) -> None:
    assert majority(texts) == usual


def test_parameters_are_shown_as_written_and_exported_as_meant() -> None:
    assert param_text(ParamCell("1e-3", 0.001)) == "1e-3"
    assert param_text(ParamCell("", "")) == "''"
    assert param_text(ParamCell(None)) == "(absent)"
    assert param_value(ParamCell("1e-3", 0.001)) == 0.001
    assert param_value(ParamCell("[1]", None)) == "[1]"
    assert param_value(ParamCell(None)) is None


def test_changes_of_numbers_too_long_for_doubles_are_not_computed() -> None:
    huge = str(10**400)
    answer = DiffAnswer((head("a"), head("b")), (param("n", "1", huge, values=(1, 10**400)),), ())

    cells = diff_sections(answer, as_deltas=True)[0].table.rows[0]

    assert cells[2].text == huge


def test_flat_rows_have_a_section_and_a_key() -> None:
    check_golden("diff.tsv", str(write(diff_records(diff_answer()), "tsv")))


def test_runs_of_one_name_have_columns_of_their_own() -> None:
    twins = (head("a", run_id="1" * 12, path="/x"), head("a", run_id="2" * 12, path="/x"))

    assert diff_records(DiffAnswer(twins, (), ())).keys == ("section", "key", "a (11111111)", "a (22222222)")


def test_one_sentence_says_what_differs() -> None:
    equal = DiffAnswer((head("a"), head("b")), (param("lr", "1", "1"),), ())

    assert diff_summary(diff_answer()) == (
        "3 runs differ in 4 parameters, 2 metrics, 2 facts of the code, 1 fact of the environment, 1 fact of the data"
    )
    assert diff_summary(equal) == "2 runs do not differ"


def test_what_is_not_finite_is_counted() -> None:
    cells = diff_answer().metrics[0].cells

    assert odd_text(cells[2]) == "3 NaN, 1 inf"
    assert odd_text(cells[0]) == ""
    assert math.isnan(cells[2].last or 0.0)
