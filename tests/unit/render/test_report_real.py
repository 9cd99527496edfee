"""Is it real, in a report: the table of tests, and the words below it."""

from dataclasses import replace

import pytest

from mlbench.queries.settings_versus import SettingsVersus
from mlbench.queries.significance import contrast
from mlbench.queries.versus import Measured, Uneven, VersusAnswer, corrected
from mlbench.render.report import draw_report
from mlbench.render.verdict import Group, _tested, _turned
from tests.golden.check import check_golden
from tests.unit.render.samples import head, report_answer

FAR = ((1.0, 1.1, 1.2, 1.3, 1.4), (2.0, 2.1, 2.2, 2.3, 2.4))
NEAR = ((0.5, 0.6, 0.4, 0.7, 0.3), (0.5, 0.6, 0.4, 0.7, 0.35))


def measured(title: str, goal: str, a: tuple[float, ...], b: tuple[float, ...]) -> Measured:
    return Measured(title, f"{goal}({title})", goal, "set", a, b, contrast(a, b, has_bootstrap=False))


def setting(where: str, rows: list[Measured], uneven: tuple[Uneven, ...] = ()) -> VersusAnswer:
    a, b = (tuple(head(f"{name}{n}") for n in range(5)) for name in "ab")
    return VersusAnswer("lr = 0.1", where, a, b, corrected(rows), uneven=uneven)


def section(*answers: VersusAnswer, n_untested: int = 0) -> str:
    report = replace(report_answer(), real=SettingsVersus(answers, 10), n_untested=n_untested)
    text = draw_report(report).markdown
    return text.partition("## Is it real\n")[2].partition("\n## ")[0]


def test_what_is_shown_is_bold_and_told_with_what_else_may_be_the_reason() -> None:
    rows = [measured("best acc", "max", *FAR), measured("best loss", "min", *NEAR)]
    uneven = (Uneven("data", (("v1", 5),), (("v2", 5),)),)

    check_golden("report_real.md", section(setting("lr = 0.2", rows, uneven), n_untested=2))


def test_where_nothing_is_shown_that_is_said_of_the_metric_that_matters_most() -> None:
    text = section(setting("lr = 0.2", [measured("best loss", "min", *NEAR)]))

    assert "| not shown |" in text
    assert "- Nothing is shown to differ. `lr = 0.2` (5 runs), `best loss`, n=5 and 5: by chance alone" in text
    assert "the setting would be this far behind" in text
    assert "not tested" not in text


def test_the_p_values_are_the_permutation_tests_over_all_252_arrangements() -> None:
    (row,) = setting("x", [measured("best acc", "max", *FAR)]).metrics

    assert row.contrast is not None
    assert row.contrast.p == pytest.approx(2 / 252)
    assert row.contrast.bootstrap is None
    assert "| 0.0079 | 0.0079 | **better** |" in section(setting("x", [row]))


def test_without_a_test_there_is_no_such_section() -> None:
    assert section() == ""
    assert "## Is it real" not in draw_report(report_answer()).markdown


def test_names_of_settings_are_text_and_nothing_else() -> None:
    text = section(setting("note = '<img src=x> | [a](b)'", [measured("best <b>", "max", *FAR)]))

    assert "<img" not in text.replace("`best <b>`", "")
    assert "](b)" not in text
    assert "`best <b>`" in text


def test_the_summary_says_what_the_table_says_in_either_direction() -> None:
    a, b = contrast((1.0, 1.1, 1.3, 1.2), (2.0, 2.1, 2.4, 2.2), is_paired=True), contrast((1.0,), (2.0,))
    turned = _turned(a)

    assert a.interval is not None
    assert turned.interval is not None
    assert (turned.difference, turned.interval.low) == (-a.difference, -a.interval.high)
    assert turned.chance == a.chance
    assert _turned(b).interval is None


def test_the_test_of_the_table_is_found_by_its_runs() -> None:
    report = report_answer()
    row = next(row for row in report.diff.metrics if row.metric == "val/loss")
    runs = report.diff.runs
    found = contrast((1.0, 2.0), (3.0, 4.0), has_bootstrap=False)
    measured_row = Measured("best val/loss", "min(val/loss)", "min", "set", (1.0, 2.0), (3.0, 4.0), found)
    real = SettingsVersus((VersusAnswer("x", "y", runs[:1], runs[1:2], (measured_row,)),), 2)
    one, other = (Group((place,), (), ()) for place in (0, 1))

    assert _tested(report.diff, row, other, one, real) is found
    turned = _tested(report.diff, row, one, other, real)
    assert turned is not None
    assert turned.difference == -found.difference
    assert _tested(report.diff, row, other, one, None) is None
