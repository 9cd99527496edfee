"""Promises of the report as HTML, and of its front matter."""

from dataclasses import replace

import pytest

from mlbench.errors import UsageError
from mlbench.queries.answers import RunRow
from mlbench.queries.report_answer import ReportAnswer
from mlbench.render.report import ReportFiles, draw_report
from mlbench.render.report_front import changes, read_front, run_states, split_front
from mlbench.render.report_html import html_report
from tests.golden.check import check_golden

from .samples import report_answer


def test_a_report_as_html_looks_as_it_did() -> None:
    files = replace(draw_report(report_answer()), files={})

    check_golden("report.html", html_report(files))


def test_charts_stand_in_the_file_and_nothing_is_loaded_or_run() -> None:
    page = html_report(draw_report(report_answer()))

    assert page.count('src="data:image/svg+xml;base64,') == 1
    assert "default-src 'none'" in page
    assert "<script" not in page


def test_hostile_text_becomes_no_html() -> None:
    page = html_report(ReportFiles("# a <b>x</b> & c\n\n<script>alert(1)</script> [x](javascript:alert(1))\n"))

    assert "<script>" not in page
    assert 'href="javascript' not in page
    assert "<title>a &lt;b&gt;x&lt;/b&gt; &amp; c</title>" in page


def test_a_report_says_what_it_was_made_from() -> None:
    answer = replace(report_answer(), options=(("sort", ("lr:desc",)), ("limit", 0), ("within", ("/runs",))))

    front = read_front(draw_report(answer).markdown)

    assert front["query"] == answer.query
    assert front["columns"] == [column.spec for column in answer.runs.columns]
    assert (front["sort"], front["within"], "limit" in front) == (["lr:desc"], ["/runs"], False)


@pytest.mark.parametrize(
    "text", ["", "# x\n", "---\nquery: 1\n---\n", "---\ncatalog: [\n---\n", '---\ncatalog: "x"\nruns: "a"\n---\n']
)
def test_what_is_no_report_is_refused(text: str) -> None:
    with pytest.raises(UsageError):
        read_front(text)


def test_front_matter_without_an_end_is_none() -> None:
    assert split_front("---\nquery: 1\n") == ("", "---\nquery: 1\n")


def changed(answer: ReportAnswer, rows: tuple[RunRow, ...]) -> tuple[str, ...]:
    now = replace(answer, catalog_digest="other", runs=replace(answer.runs, rows=rows))
    return changes(draw_report(answer).markdown, draw_report(now).markdown, now)


def test_a_check_names_values_and_runs_that_changed() -> None:
    answer = report_answer()
    first, *rest = answer.runs.rows
    names = list(run_states(draw_report(answer).markdown))

    gone = changed(answer, tuple(rest))
    place = next(index for index, column in enumerate(answer.runs.columns) if column.kind == "metric")
    values = (*first.values[:place], 123.0, *first.values[place + 1 :])
    other = changed(answer, (replace(first, values=values), *rest))

    assert f"{names[0].strip('`')}: is no longer among the runs" in gone
    assert any(f"{answer.runs.columns[place].title} was " in line and line.endswith(", is 123") for line in other)
    assert changes(draw_report(answer).markdown, draw_report(answer).markdown, answer) == ()


def test_a_change_outside_of_the_tables_is_told_too() -> None:
    answer = report_answer()

    assert changed(answer, answer.runs.rows) == (
        "a parameter, a metric or its number of points changed in what the tables do not show",
    )


def test_what_changed_in_the_code_stands_below_the_commits() -> None:
    text = draw_report(replace(report_answer(), code_changes=("a1..b2: the code changed (train.py)",))).markdown

    assert "Against the baseline's commit:\n\n- `a1..b2: the code changed (train.py)`\n" in text
