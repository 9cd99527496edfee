"""Promises of the messages."""

import pytest

from mlbench.errors import UsageError
from mlbench.queries.comparing import why_no_regex
from mlbench.queries.grouping import group_runs
from mlbench.queries.mistakes import FilterError, shown
from mlbench.queries.runs import find_runs
from tests.golden.check import check_golden
from tests.unit.queries.conftest import FakeReader

TYPED_WRONG = (
    "metrics.val/los < 0.3",
    "optimiser = adam",
    "metrics.val/loss < fast",
    "lr > 0.01 adn optimizer = adam",
    "status = finishd",
    "(lr > 0.01 or lr < 0.001",
    "min(params.lr) < 3",
    "0.001 < lr < 0.1",
    "name ~ '*sweep'",
    "started > 'last tuesday'",
    "acc at val/loss > 0.9",
    "optimizer contains ad",
    "lr in [0.1, 0.2]",
    "optimizer = 'adam",
    "metrics.val/loss = nan",
    "lr >> 0.1",
    "order by lr",
    "best(flat) < 1",
    "params.data_dri is null",
    "slope(val/loss, 10) > 0",
)
"""What people type; the messages were read."""


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


def told(reader: FakeReader, where: str) -> str:
    with pytest.raises(FilterError) as raised:
        find_runs(reader, where=where, columns=None)
    return f"$ mlbench query {where!r}\nmlbench: {raised.value}\n"


def test_what_is_typed_wrong_is_told_with_a_place_a_reason_and_what_to_type(reader: FakeReader) -> None:
    check_golden("mistakes.txt", "\n".join(told(reader, where) for where in TYPED_WRONG))


def test_every_message_says_what_to_type(reader: FakeReader) -> None:
    for where in TYPED_WRONG:
        message = told(reader, where)

        assert "Try: " in message or "Did you mean " in message or "is never closed" in message
        assert message.splitlines()[-1].lstrip() == "^"


def test_a_group_that_is_mistyped_is_told_like_a_filter(reader: FakeReader) -> None:
    with pytest.raises(FilterError, match=r"no parameter 'optimzer' in 12 runs. Did you mean 'optimizer'\?"):
        group_runs(reader, ["params.optimzer"])


@pytest.mark.parametrize(
    ("pattern", "why"),
    [
        ("*a", "nothing to repeat at its character 1"),
        ("[a", "unterminated character set at its character 1"),
        ("(?=a)", "in RE2 there is no look-around, no back-reference and no repetition beyond 1000"),
    ],
)
def test_a_bad_regular_expression_is_told_with_its_reason(pattern: str, why: str) -> None:
    assert why_no_regex(pattern) == why
