"""Promises of the messages."""

from mlbench.errors import UsageError
from mlbench.queries.mistakes import FilterError, shown


def test_a_mistake_is_shown_with_a_caret_under_its_column() -> None:
    error = FilterError("no", "lr < fast", 5)

    assert str(error) == "column 6: no\n  lr < fast\n       ^"
    assert error.column == 6
    assert error.caret == "  lr < fast\n       ^"
    assert isinstance(error, UsageError)
    assert error.exit_code == 2


def test_a_mistake_in_a_name_says_no_column_but_shows_it() -> None:
    assert str(FilterError("no metric 'x'", "x < 3", 0, is_place_told=False)) == "no metric 'x'\n  x < 3\n  ^"


def test_the_caret_stands_right_under_wide_and_combining_letters() -> None:
    assert FilterError("no", "損失e\u0301 <", 5).caret == "  損失e\u0301 <\n        ^"


def test_control_characters_cannot_move_the_caret() -> None:
    assert FilterError("no", "a\n\tb\x1b[2J", 3).caret == "  a  b [2J\n     ^"


def test_a_place_behind_the_end_is_the_end() -> None:
    assert FilterError("no", "ab", 99).column == 3


def test_a_long_word_is_shortened_in_a_message() -> None:
    assert shown("x" * 100) == "'" + "x" * 59 + "…'"
    assert shown("a\nb") == "'a b'"
