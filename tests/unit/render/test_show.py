from dataclasses import replace

from mlbench.queries.answers import ShowAnswer
from mlbench.render.cells import plain
from mlbench.render.problems import problem_records, problem_table, problem_text
from mlbench.render.records import write
from mlbench.render.show import series_remarks, set_aside_text, show_records, show_sections
from mlbench.render.table import layout, section_lines
from tests.golden.check import check_golden

from .samples import head, problems, show_answer


def test_all_that_is_known_of_a_run_looks_as_it_did() -> None:
    check_golden("show.txt", plain(section_lines(show_sections(show_answer()), 120)) + "\n")


def test_a_run_of_which_nothing_is_known_has_a_name_and_a_path() -> None:
    sections = show_sections(ShowAnswer(head("a"), (), (), ()))

    assert plain(section_lines(sections)) == "a\nfield  value\nname   a\nid     id-a\npath   /logs/a"


def test_flat_rows_say_section_key_value_and_detail() -> None:
    check_golden("show.tsv", str(write(show_records(show_answer()), "tsv")))


def test_remarks_count_what_is_odd_about_a_series() -> None:
    one, clean = show_answer().metrics

    assert series_remarks(one) == ("3 NaN, 1 inf, 1 repeated step, 2 steps back, 4 of 14 points replaced by a restart")
    assert series_remarks(clean) == ""
    assert series_remarks(replace(clean, n_repeat=2, n_back=1)) == "2 repeated steps, 1 step back"


def test_problems_say_where_what_and_what_to_do() -> None:
    assert [problem_text(problem) for problem in problems()] == [
        "/logs/alpha/bad.yaml:line 12: 'lr' is given twice. The last one is used",
        "the disk was full",
    ]
    assert plain(layout(problem_table(problems()))).split("\n")[1] == (
        "/logs/alpha/bad.yaml  line 12  'lr' is given twice.  The last one is used"
    )
    assert problem_records(problems()).rows[0][1] == "line 12"


def test_names_of_strangers_are_made_safe() -> None:
    text = plain(section_lines(show_sections(ShowAnswer(head("\x1b[2J\n"), (("project", "\x9b31m"),), (), ()))))

    assert "\x1b" not in text
    assert "\x9b" not in text


def test_what_a_view_did_with_points_is_told_in_words() -> None:
    assert set_aside_text(40, 12, 0) == "12 of 40 points were replaced by a restart and are left out"
    assert set_aside_text(40, 1, 1) == (
        "1 of 40 points was replaced by a restart and is left out, 1 point repeats the step before it and is kept"
    )
    assert set_aside_text(4000, 0, 1200) == "1,200 points repeat the step before them and are kept"
    assert set_aside_text(40, 0, 0) == ""
