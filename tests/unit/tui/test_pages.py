"""Pages as text: what is compared, and how it is fitted."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mlbench.queries.answers import DiffAnswer, MetricCell, MetricRow, ParamCell, ParamRow, ProblemLine
from mlbench.queries.code import CodeChange
from mlbench.queries.slices import slice_rows
from mlbench.render.cells import line_cells
from mlbench.tui.code_page import NOTHING, code_page
from mlbench.tui.compare_page import compare_page
from mlbench.tui.pages import help_page, problems_page
from mlbench.tui.run_page import run_page
from mlbench.tui.transposed import transposed_page
from mlbench.tui.widgets.lines_view import Page
from tests.tui.fake import HOSTILE_NAMES, FakeSession, make_runs


def text_of(page: Page) -> str:
    lines = [page.title, *page.head, *page.lines]
    return "\n".join("".join(cell.text for cell in line).rstrip() for line in lines)


def compared(n_runs: int) -> DiffAnswer:
    session = FakeSession()
    return session.compare([run.head.run_id for run in session.runs[:n_runs]], everything=False)


def page_of(answer: DiffAnswer, width: int = 80, offset: int = 0, *, as_deltas: bool = False) -> Page:
    return compare_page(answer, width, offset, as_deltas=as_deltas, slots={}, has_baseline=True)


def test_runs_stand_side_by_side_with_deltas_to_the_first() -> None:
    assert text_of(page_of(compared(3), 100)) == (
        " compare   3 runs against adam-lr0.3-w64\n"
        "                   ◆ adam-lr0.3-w64     ● adam-lr0.03-w64      ● adam-lr0.003-w64\n"
        " params: 1 differs   3 equal left out\n"
        "  optim.lr                      0.3                  0.03                   0.003\n"
        "\n"
        " metrics: 1\n"
        "  val/loss ↓?best            0.8471  0.4654 ▲ -0.382 -45%  0.8654 ▼ +0.0183 +2.2%\n"
        "\n"
        " code\n"
        "  commit                   a41f09c0              a41f09c1                a41f09c0"
    )


def test_parents_and_groups_of_slices_are_what_their_lines_are_about() -> None:
    cells = (MetricCell(0.5, 1, 0.5, 1), MetricCell(0.25, 1, 0.25, 1))
    rows = tuple(MetricRow(f"f1/class={n}", "max", "set", cells) for n in range(2))
    params = tuple(ParamRow(key, (ParamCell("1"), ParamCell("2")), True) for key in ("optim.lr", "optim.wd"))
    answer = replace(compared(2), params=params, metrics=rows, slices=slice_rows(rows), code=())

    pages = [
        compare_page(answer, 80, 0, as_deltas=False, slots={}, has_baseline=True, folds=folds)
        for folds in ((), ("params:optim", "slices:f1"))
    ]

    assert [key for key in pages[0].keys if key] == [
        "fold:params:optim", "params:optim.lr", "params:optim.wd", "fold:slices:f1", "fold:slices:f1",
    ]  # fmt: skip
    assert [key for key in pages[1].keys if key] == [
        "fold:params:optim", "fold:slices:f1", "fold:slices:f1", "metrics:f1/class=0", "metrics:f1/class=1",
    ]  # fmt: skip
    assert "▸ optim" in text_of(pages[1])


def test_numbers_of_slices_are_not_cut_either() -> None:
    base = MetricCell(0.8378, 1, 0.8378, 1)
    cells = (base, *[MetricCell(0.9189, 1, 0.9189, 1, 0.0811, 9.68, True)] * 6)
    rows = tuple(MetricRow(f"f1/class={n}", "max", "set", cells) for n in range(2))
    answer = replace(compared(7), params=(), metrics=rows, slices=slice_rows(rows), code=())

    page = compare_page(answer, 120, 0, as_deltas=False, slots={}, has_baseline=True, folds=("slices:f1",))

    told = [line for line in text_of(page).splitlines() if line.strip().startswith("class=")]
    assert len(told) == 2
    assert all("…" not in line and line.count("0.9189 ▲") == 5 for line in told)


def test_numbers_are_never_cut_the_percent_goes_first_and_then_the_difference() -> None:
    wide, middle = (text_of(page_of(compared(4), width)) for width in (120, 90))
    narrow = text_of(page_of(compared(12), 84))

    assert "0.4654 ▲ -0.382 -45%" in wide
    assert "0.4654 ▲ -0.382" in middle
    assert "-45%" not in middle
    assert "0.4654 ▲" in narrow
    assert "0.4654 ▲ -0.382" not in narrow


def test_as_deltas_the_difference_takes_the_place_of_the_value() -> None:
    text = text_of(page_of(compared(4), 76, as_deltas=True))

    assert "▲-0.382" in text
    assert "0.4654" not in text
    assert "0.03 ÷10" in text


def test_as_deltas_last_values_are_differences_too_and_what_is_not_finite_stays() -> None:
    cells = (
        MetricCell(0.5, 100, 0.25, 90),
        MetricCell(0.75, 100, 0.25, 80, 0.0, 0.0),
        MetricCell(float("nan"), 100, 0.5, 50, 0.25, 100.0, False),
        MetricCell(None),
    )
    answer = replace(compared(4), metrics=(MetricRow("val/loss", "min", "set", cells),))

    lines = text_of(page_of(answer, 100, as_deltas=True)).split("\n")

    (last,) = (line.split() for line in lines if "last" in line)
    assert last == ["last", "0.5", "▼+0.25", "+50%", "NaN", "-"]


def test_headings_that_are_cut_stay_apart() -> None:
    answer = compared(3)
    names = ("adam-lr0.1-w64-seed1", "adam-lr0.1-w16-seed1", "adam-lr0.01-w64-seed1")
    runs = tuple(replace(run, name=name) for run, name in zip(answer.runs, names, strict=True))

    heading = text_of(page_of(replace(answer, runs=runs), 80)).split("\n")[1]

    assert len(set(heading.split())) == 5  # two marks and three names


def test_the_first_run_stays_when_the_others_move() -> None:
    first, moved = page_of(compared(12), 80, 0), page_of(compared(12), 80, 5)

    assert first.n_columns == 11
    assert "".join(cell.text for cell in moved.right).startswith("runs 1, 7-9 of 12")
    assert "0.8471" in text_of(moved)


def test_a_metric_whose_last_value_is_its_best_is_said_once() -> None:
    answer = compared(2)
    (row,) = answer.metrics
    later = replace(row, cells=tuple(replace(cell, last=1.5) for cell in row.cells))

    once, twice = text_of(page_of(answer)), text_of(page_of(replace(answer, metrics=(later,))))

    assert "last" not in once
    assert "last" in twice


def test_lines_know_what_they_are_about() -> None:
    page = page_of(compared(3))

    assert [key for key in page.keys if key] == ["params:optim.lr", "metrics:val/loss", "code:"]
    assert len(page.keys) == len(page.lines)
    assert len(page.sections) == 3


def test_of_one_run_the_metrics_come_first_and_nothing_is_said_of_differences() -> None:
    session = FakeSession()
    answer = session.compare([session.runs[0].head.run_id], everything=True)

    text = text_of(page_of(answer))

    assert "one run: mark more with space" in text
    assert text.index("metrics") < text.index("params")
    assert "differ" not in text


def test_runs_that_do_not_differ_say_so() -> None:
    heads = tuple(run.head for run in make_runs()[:2])

    assert "nothing differs" in text_of(page_of(DiffAnswer(heads, (), ())))


@pytest.mark.parametrize("width", [1, 10, 40, 72, 160, 300])
@pytest.mark.parametrize("n_runs", [1, 2, 7, 12])
def test_no_line_is_wider_than_its_pane(width: int, n_runs: int) -> None:
    page = page_of(compared(n_runs), max(width, 60))

    assert max(line_cells(line) for line in (*page.head, *page.lines)) <= max(width, 60)


def test_what_is_not_finite_is_told() -> None:
    answer = compared(2)
    cells = (MetricCell(float("nan"), 10, 0.5, 5, n=3, n_nan=2), MetricCell(None))

    text = text_of(page_of(replace(answer, metrics=(MetricRow("loss", "min", "guessed", cells),))))

    assert "2 NaN" in text


def with_moments(n_runs: int) -> DiffAnswer:
    """Runs whose best value came before the last, and with points that are not finite."""
    moments = [MetricCell(0.7, 1000, 0.5, 900, best_after_s=597.0, n_nan=12, n_inf=3),
               MetricCell(0.7, 1000, 0.25, 123_456_789, -0.25, -50.0, True, best_after_s=45_240.0)]  # fmt: skip
    cells = (moments[0], *[moments[1]] * (n_runs - 1))
    return replace(compared(n_runs), metrics=(MetricRow("loss", "min", "set", cells),), params=(), code=())


@pytest.mark.parametrize("as_deltas", [False, True], ids=["values", "deltas"])
def test_when_the_best_was_and_what_is_not_finite_are_never_cut(as_deltas: bool) -> None:
    lines = text_of(page_of(with_moments(3), 110, as_deltas=as_deltas)).splitlines()

    assert [line.strip() for line in lines if "best at" in line or "not finite" in line] == [
        "best at       @900 9m 57s  @123456789 12h 34m  @123456789 12h 34m",
        "not finite     12 NaN, 3 inf",
    ]
    assert (
        len({line.index(text) + len(text) for line in lines for text in ("@900 9m 57s", "3 inf") if text in line}) == 1
    )


def test_a_time_without_room_is_left_out_and_its_step_stays() -> None:
    text = text_of(page_of(with_moments(4), 84))

    assert "@123456789" in text
    assert "@123456789 12h" not in text


def test_a_run_is_shown_with_its_note_in_full() -> None:
    session = FakeSession()
    head = session.runs[0].head
    session.note([head], "first line\nsecond " + "long " * 30)
    session.tag([head], ["best"], [])

    text = text_of(run_page(session.show(head.run_id), 70))

    assert "#best" in text
    assert "  first line\n" in text
    assert text.count("long") == 30
    assert "python train.py --lr 0.3" in text


def test_problems_say_where_what_and_what_to_do() -> None:
    page = problems_page([ProblemLine("/logs/a.yaml", "line 3", "is not YAML " * 20, "Mend it")], 60)

    assert [key for key in page.keys if key] == ["problem:0"]
    assert "/logs/a.yaml  line 3" in text_of(page)
    assert "    Mend it" in text_of(page)


def test_problems_are_found_by_any_of_their_texts() -> None:
    problems = [ProblemLine("/logs/a.yaml", "", "is not YAML", ""), ProblemLine("/logs/b", "", "is cut", "Wait")]

    page = problems_page(problems, 60, text="WAIT")

    assert [key for key in page.keys if key] == ["problem:1"]
    assert "1 of 2 problems" in text_of(page)
    assert "no problem has this text" in text_of(problems_page(problems, 60, text="x y z"))


def test_without_problems_it_says_so() -> None:
    assert "everything could be read" in text_of(problems_page([], 60))


def test_help_stands_in_two_columns_where_there_is_room() -> None:
    rows = [([f"k{n}"], f"does thing {n}", "Runs" if n < 6 else "Everywhere") for n in range(12)]

    narrow, wide = help_page("Keys", rows, 60), help_page("Keys", rows, 140)

    assert len(wide.lines) < len(narrow.lines)
    assert "does thing 11" in text_of(wide)


def test_help_on_what_has_no_key_is_no_title() -> None:
    page = help_page("Keys", [(("u",), "take back", "Do"), ((), "list the problems (also :problems)", "Do")], 80)

    roles = {cell.text.strip(): cell.role for line in page.lines for cell in line if cell.text.strip()}
    assert (roles["Do"], roles[":"], roles["list the problems (also :problems)"]) == ("heading", "key", "")


@pytest.mark.parametrize("name", HOSTILE_NAMES)
def test_hostile_names_are_signs_on_every_page(name: str) -> None:
    session = FakeSession(make_runs([name, name]), metric_name=name)
    ids = [run.head.run_id for run in session.runs]
    session.note([session.runs[0].head], name)

    pages = [
        page_of(session.compare(ids, everything=True)),
        run_page(session.show(ids[0]), 80),
        problems_page([ProblemLine(name, name, name, name)], 80),
    ]

    for page in pages:
        assert all(cell.text.isprintable() for line in (page.title, *page.head, *page.lines) for cell in line)


def test_turned_each_run_has_a_line_and_columns_move() -> None:
    page = transposed_page(compared(3), 100, 0, as_deltas=False, slots={}, title="compare")
    narrow = transposed_page(compared(3), 40, 1, as_deltas=False, slots={}, title="compare")

    assert text_of(page) == (
        " compare   3 runs, turned: T turns back\n"
        "                      optim.lr                val/loss    commit\n"
        "  ◆ adam-lr0.3-w64         0.3                  0.8471  a41f09c0\n"
        "  ● adam-lr0.03-w64       0.03    0.4654 ▲ -0.382 -45%  a41f09c1\n"
        "  ● adam-lr0.003-w64     0.003  0.8654 ▼ +0.0183 +2.2%  a41f09c0"
    )
    assert "optim.lr" not in text_of(narrow)
    assert "".join(cell.text for cell in narrow.right) == "1 of 3 columns  h l "
    assert all(line_cells(line) <= 100 for line in page.lines)


def test_turned_metrics_are_differences_too() -> None:
    page = transposed_page(compared(3), 100, 0, as_deltas=True, slots={}, title="compare")

    assert text_of(page).split("\n")[1:] == [
        "                        optim.lr        val/loss    commit",
        "  ◆ adam-lr0.3-w64           0.3          0.8471  a41f09c0",
        "  ● adam-lr0.03-w64     0.03 ÷10    ▲-0.382 -45%  a41f09c1",
        "  ● adam-lr0.003-w64  0.003 ÷100  ▼+0.0183 +2.2%  a41f09c0",
    ]
    assert page.section_columns == (0, 1, 2)


def test_turned_no_number_of_a_metric_is_cut() -> None:
    cells = (MetricCell(0.2965, 10, 0.2965, 10), MetricCell(2.091e10, 10, 2.091e10, 10, 2.0909e10, 7.05e12, False))
    answer = replace(compared(2), metrics=(MetricRow("val/loss", "min", "set", cells),))

    text = text_of(transposed_page(answer, 100, 0, as_deltas=False, slots={}, title="compare"))

    assert " 2.091e+10 ▼ +2.09e+10 " in text
    assert "…" not in text


def test_the_code_is_a_page_of_its_own_and_stands_once_for_runs_of_one_commit() -> None:
    answer = compared(3)
    change = CodeChange(
        answer.runs[1].run_id, "1" * 40, "2" * 40, ("recorded", "recorded"), "/repo", ("Raise lr",),
        (("train.py", "changed"),), "diff --git a/train.py b/train.py\n@@ -1 +1 @@\n-lr = 1\n+lr = 2" + "0" * 200 + "\n",
    )  # fmt: skip
    other = replace(change, run_id=answer.runs[2].run_id)

    page = code_page(replace(answer, code_changes=(change, other)), 60, title="compare")

    text = text_of(page)
    assert " compare: code   c goes back" in text
    assert "* Raise lr" in text
    assert "-lr = 1\n+lr = 2000" in text
    assert text.count("+lr") == 1
    assert "code of adam-lr0.003-w64: as that of adam-lr0.03-w64" in text
    assert len(page.sections) == 2
    assert max(map(len, text.splitlines())) < 60
    assert text_of(code_page(answer, 80, title="compare")).endswith(NOTHING)
    narrow = code_page(answer, 40, title="compare").lines
    assert " ".join("".join(cell.text for cell in line).strip() for line in narrow) == NOTHING
    assert max(map(line_cells, narrow)) <= 40
