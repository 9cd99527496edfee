"""Promises of the lexer."""

import pytest

from mlbench.queries.lexer import MAX_LENGTH, Kind, read_tokens
from mlbench.queries.mistakes import FilterError


def spelled(text: str) -> list[tuple[str, str]]:
    return [(token.kind.value, token.text) for token in read_tokens(text)][:-1]


def test_every_kind_of_token_is_told_apart() -> None:
    tokens = spelled("min(`a b`,\"c\") >= 'it''s' metrics.val/loss")

    assert tokens == [
        ("word", "min"), ("open", "("), ("name", "a b"), ("comma", ","), ("name", "c"), ("close", ")"),
        ("sign", ">="), ("text", "it's"), ("word", "metrics.val/loss"),
    ]  # fmt: skip


@pytest.mark.parametrize("sign", ["=", "==", "!=", "<>", "<", "<=", ">", ">=", "~", "!~"])
def test_a_sign_needs_no_spaces_around_it(sign: str) -> None:
    assert spelled(f"lr{sign}1e-3") == [("word", "lr"), ("sign", sign), ("word", "1e-3")]


def test_a_name_keeps_odd_characters() -> None:
    name = "metrics.a-b:c/d[0]{x}@y%z#w!v|u&t*s+r?q$p^o;n\\m"

    assert spelled(f"{name} < 3")[0] == ("word", name)


def test_tokens_know_their_place_and_what_stands_right_before_them() -> None:
    tokens = read_tokens('  metrics."a" = 3')

    assert [(token.at, token.is_glued) for token in tokens] == [
        (2, False), (10, True), (14, False), (16, False), (17, False),
    ]  # fmt: skip


def test_doubled_quotes_stand_once_inside_quotes() -> None:
    assert spelled("'''' \"\"\"\" ````") == [("text", "'"), ("name", '"'), ("name", "`")]


def test_only_words_have_a_keyword() -> None:
    assert [token.keyword for token in read_tokens("AND 'and' `and`")] == ["and", "", "", ""]


def test_a_text_of_blanks_has_only_an_end() -> None:
    assert [token.kind for token in read_tokens(" \t\n\u3000")] == [Kind.END]


@pytest.mark.parametrize(("text", "column"), [("a = 'b", 5), ('"b', 1), ("x `", 3), ("'a''", 1)])
def test_a_quote_that_is_not_closed_is_told_with_its_place(text: str, column: int) -> None:
    with pytest.raises(FilterError, match="is never closed") as raised:
        read_tokens(text)

    assert raised.value.column == column


@pytest.mark.parametrize(
    ("sign", "ours"),
    [("=~", "~"), ("~=", "~"), ("=<", "<="), ("=>", ">="), ("><", "<>"), ("===", "="), ("!==", "!="), ("~~", "~")],
)
def test_a_sign_of_another_language_is_told_with_ours(sign: str, ours: str) -> None:
    with pytest.raises(FilterError) as raised:
        read_tokens(f"lr {sign} 3")

    assert raised.value.message == f"column 4: there is no '{sign}'. Try: {ours}"


def test_a_text_that_is_far_too_long_is_refused_at_once() -> None:
    with pytest.raises(FilterError, match="may have 20,000 characters"):
        read_tokens("a " * MAX_LENGTH)
