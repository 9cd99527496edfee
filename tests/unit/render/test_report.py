import re
from dataclasses import replace
from xml.etree import ElementTree as ET

import pytest
import yaml
from markdown_it import MarkdownIt

from mlbench.queries.answers import (
    DiffAnswer,
    FactRow,
    MetricCell,
    MetricRow,
    ProblemLine,
    RunRow,
    RunsAnswer,
)
from mlbench.queries.costs import CostRow
from mlbench.queries.report_answer import ReportAnswer
from mlbench.queries.slices import slice_rows
from mlbench.render.report import draw_report
from tests.golden.check import check_golden

from .samples import COLUMNS, diff_answer, head, param, problems, report_answer, series

NASTY = "<img src=x onerror=alert(1)> ![x](http://evil/) [y](javascript:z) | `a` *b* @me #1 \x1b[2J\n# H"


def test_a_report_looks_as_it_did() -> None:
    files = draw_report(report_answer(), smoothing=0.5)

    check_golden("report.md", files.markdown)
    assert [re.sub(r"-[0-9a-f]{8}", "", name) for name in files.files] == ["report-val-loss.svg"]
    for svg in files.files.values():
        ET.fromstring(svg)  # noqa: S314 - our own file


def test_charts_may_be_text_in_the_report() -> None:
    files = draw_report(report_answer(), inline_text=True)

    assert files.files == {}
    check_golden("report_inline.md", files.markdown)


def test_the_front_matter_can_be_read_again() -> None:
    text = draw_report(replace(report_answer(), query="note ~ 'a: \"b\"' # x\n---")).markdown

    front = yaml.safe_load(text.split("---\n")[1])

    assert front["query"] == "note ~ 'a: \"b\"' # x\n---"
    assert front["columns"][1] == "params.lr"
    assert front["baseline"] == "id-alpha"
    assert front["runs"] == ["id-alpha", "id-beta", "id-gamma"]


def test_nothing_from_a_log_is_live() -> None:
    nasty = head(NASTY, run_id="n", path=NASTY)
    answer = ReportAnswer(
        NASTY,
        NASTY,
        RunsAnswer((replace(COLUMNS[0], title=NASTY), *COLUMNS[1:]), (RunRow(nasty, (NASTY, NASTY, NASTY, 1.0, 2.0, 1.0, None, (NASTY,))),), 1, 1),
        DiffAnswer((nasty, head("b")), (param(NASTY, NASTY, None),), (), (FactRow(NASTY, (NASTY, None), True),)),
        (series("n", NASTY, [1.0], run=nasty),),
        (ProblemLine(NASTY, NASTY, NASTY, NASTY),),
        ((NASTY, NASTY + "\n```\n# out"),),
    )  # fmt: skip

    files = draw_report(answer)
    body = files.markdown.split("---\n", 2)[2]
    tokens = MarkdownIt("commonmark", {"html": True}).enable(["table"]).parse(body)

    kinds = {child.type for token in tokens for child in token.children or ()}
    assert not kinds & {"html_inline", "link_open"}
    assert "html_block" not in {token.type for token in tokens}
    images = [child.attrs["src"] for token in tokens for child in token.children or () if child.type == "image"]
    assert images == list(files.files)
    headings = [t.content for i, t in enumerate(tokens) if i and tokens[i - 1].type == "heading_open"]
    assert not {"H", "out"} & set(headings)
    assert "\x1b" not in files.markdown


def test_a_report_about_nothing_says_so() -> None:
    empty = ReportAnswer("", "", RunsAnswer((), (), 0, 0), DiffAnswer((), (), ()), (), ())

    assert draw_report(empty).markdown == (
        '---\nquery: ""\ncolumns: []\nbaseline: null\nruns: []\ncatalog: ""\nmade: null\n---\n\n'
        "# Comparison\n\nAll runs: 0 runs.\n\nNo run matches.\n"
    )


@pytest.mark.parametrize(
    ("sorted_by", "said"),
    [
        ("metrics.val/loss:asc", "The runs are sorted by `val/loss`, the least first."),
        ("metrics.val/loss:desc", "The runs are sorted by `val/loss`, the greatest first."),
        ("lr:desc, run.name", "The runs are sorted by `lr:desc, run.name`."),
        ("lr", "The runs are sorted by `lr`."),
        ("", "from the baseline behind it.\n"),
    ],
)
def test_what_the_runs_are_sorted_by_is_said(sorted_by: str, said: str) -> None:
    assert said in draw_report(replace(report_answer(), sorted_by=sorted_by)).markdown


def test_settings_with_several_seeds_have_a_table() -> None:
    params = (param("lr", "1", "1", "2", "3"), param("seed", "1", "2", "1", "1"))
    cells = tuple(MetricCell(value, 1, value, 1) for value in (7.0, 9.0, 5.0, None))
    diff = DiffAnswer(tuple(map(head, "abcd")), params, (MetricRow("loss", "min", "set", cells),))

    text = draw_report(replace(report_answer(), diff=diff)).markdown

    assert (
        "| setting | n | mean `loss` | 95 % (t) | median | IQM | 95 % (bootstrap) | least | greatest |\n"
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |\n"
        "| `lr` = `2` | 1 | 5 | – | 5 | 5 | – | 5 | 5 |\n"
        "| `lr` = `1` | 2 | 8 | ± 13 | 8 | 8 | – | 7 | 9 |\n"
        "| `lr` = `3` | 0 of 1 | – | – | – | – | – | – | – |\n"
    ) in text


def test_runs_that_all_repeat_each_other_are_one_setting_with_its_intervals() -> None:
    cells = tuple(MetricCell(value, 1, value, 1) for value in (1.0, 2.0, 9.0))
    diff = DiffAnswer(
        tuple(map(head, "abc")), (param("seed", "1", "2", "3"),), (MetricRow("loss", "min", "set", cells),)
    )

    text = draw_report(replace(report_answer(), diff=diff)).markdown

    assert "| all runs | 3 | 4 | ± 11 | 2 | 4 | 1.333 .. 9 | 1 | 9 |\n" in text


def test_more_runs_than_stand_side_by_side_are_told_together() -> None:
    names = [f"run{n}" for n in range(12)]
    diff = DiffAnswer(
        tuple(map(head, names)),
        (param("lr", *["0.1"] * 7, *["0.2"] * 4, None),),
        (
            MetricRow("lr", "", "", tuple(MetricCell(float(n), 1) for n in range(12))),
            MetricRow("loss", "min", "set", tuple(MetricCell(1.0, 1, 10.0 - n, 1, n_nan=n % 2) for n in range(12))),
        ),
        (FactRow("commit", ("a",) * 11 + (None,), differs=True),),
        costs=(CostRow("duration", "seconds", (60.0, None, *[120.0] * 9, 3600.0)),),
    )

    text = draw_report(replace(report_answer(), diff=diff)).markdown

    assert "| parameter | ◆ `run0` | all runs |\n| --- | --- | --- |\n| `lr` | `0.1` | `0.1` ×7, `0.2` ×4, " in text
    assert (
        "| `loss` (min) | best, 6 runs with NaN or inf | 10 | **-1** | 4.5 | 10 | `run11` |\n"
        "| `lr` | last | 0 | 0 | 5.5 | 11 | – |\n"
    ) in text
    assert "| `commit` | `a` | `a` ×11, – ×1 |\n" in text
    assert "| `duration` | 1m | 1m | 2m | 1h |\n" in text


def test_slices_are_told_as_a_group_and_not_one_by_one() -> None:
    runs = tuple(map(head, "ab"))
    rows = tuple(
        MetricRow(f"recall/class={n}", "max", "set", tuple(MetricCell(value, 1, value, 1) for value in values))
        for n, values in enumerate(((0.5, 0.75), (1.0, 0.875), (0.25, 0.875)))
    )
    text = draw_report(replace(report_answer(), diff=DiffAnswer(runs, (), rows, slices=slice_rows(rows)))).markdown

    assert (
        "| `recall`, 3 slices (max) | worst | 0.25 (`class=2`) | **0.75** (`class=0`) |\n|  | spread | 0.75 | 0.125 |\n"
    ) in text
    assert "recall/class" not in text.partition("## Metrics")[2].partition("##")[0]


def test_runs_of_one_checkout_share_a_block() -> None:
    commands = (("a", "git checkout c0ffee\ntrain 1"), ("b", "git checkout c0ffee\ntrain 2"), ("c\nrm -rf", "train 3"))

    text = draw_report(replace(report_answer(), commands=commands)).markdown

    assert "```sh\ngit checkout c0ffee\n\n# a\ntrain 1\n\n# b\ntrain 2\n```\n" in text
    assert "\nrm -rf" not in text


def test_one_run_has_no_differences() -> None:
    one = replace(
        report_answer(),
        diff=DiffAnswer((head("alpha"),), (), ()),
        runs=replace(report_answer().runs, rows=report_answer().runs.rows[:1], n_matched=1),
        series=(),
        commands=(),
        problems=(),
    )

    text = draw_report(one).markdown

    assert "1 run." in text
    assert "## Metrics" not in text
    assert "## Parameters" not in text


def test_runs_that_are_equal_are_said_to_be() -> None:
    equal = DiffAnswer((head("a"), head("b")), (param("lr", "1", "1"),), (), n_equal_params=7)

    text = draw_report(replace(report_answer(), diff=equal)).markdown

    assert "## Parameters\n\nNo parameter differs. 7 others are equal.\n" in text
    assert (
        "No parameter differs.\n"
        in draw_report(replace(report_answer(), diff=replace(equal, n_equal_params=0))).markdown
    )


def test_equal_facts_are_a_list_and_unknown_ones_are_left_out() -> None:
    facts = (FactRow("remote", ("x", "x"), False), FactRow("branch", (None, None), False))
    diff = DiffAnswer((head("a"), head("b")), (), (), facts, data=facts[1:])

    text = draw_report(replace(report_answer(), diff=diff)).markdown

    assert "## Code\n\n- `remote`: `x`\n" in text
    assert "## Data" not in text


def test_more_charts_and_problems_than_can_be_read_are_counted() -> None:
    many = tuple(series("alpha", f"m{i}", []) for i in range(14))
    lines = problems() * 11

    text = draw_report(replace(report_answer(), series=many, problems=lines)).markdown

    assert "2 more metrics are not drawn." in text
    assert "- 2 more: `mlbench sql 'SELECT * FROM problems'`" in text


def test_more_runs_than_an_alternative_text_can_name_are_cut() -> None:
    many = tuple(series(f"r{i}", "m", [float(i)]) for i in range(9))

    assert "r7 7, &#8230;" in draw_report(replace(report_answer(), series=many)).markdown.replace("…", "&#8230;")


def test_columns_show_gaps_and_limits() -> None:
    answer = report_answer()
    limited = replace(
        answer,
        runs=replace(answer.runs, n_matched=9),
        diff=replace(diff_answer(), runs=(head("z"), *answer.diff.runs[1:])),
    )

    text = draw_report(limited).markdown

    assert "3 of 9 runs" in text


def test_options_and_costs_are_tables() -> None:
    answer = report_answer()
    n = len(answer.diff.runs)
    typed = FactRow("--lr", ("0.1", "0.2", *[None] * (n - 2)), differs=True)
    costs = (CostRow("duration", "seconds", (100.0, 287.0, *[None] * (n - 2))),)

    text = draw_report(replace(answer, diff=replace(answer.diff, typed=(typed,), costs=costs))).markdown

    assert "| `--lr` | `0.1` | `0.2` |" in text
    assert "| `duration` | 1m 40s | 4m 47s ×2.87 |" in text
