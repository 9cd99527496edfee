import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlbench.tui.lineedit import MOST_CHARACTERS, LineEdit

KEYS = (
    "backspace",
    "delete",
    "ctrl+w",
    "ctrl+u",
    "ctrl+k",
    "left",
    "right",
    "home",
    "end",
    "ctrl+left",
    "ctrl+right",
    "f5",
)


def edited(text: str, cursor: int, *keys: str) -> tuple[str, int]:
    line: LineEdit | None = LineEdit(text, cursor)
    for key in keys:
        line = line.press(key, key if len(key) == 1 else None) if line else None
    assert line is not None
    return line.text, line.cursor


@pytest.mark.parametrize(
    ("keys", "text", "cursor"),
    [
        (("x",), "lr >x 0.1", 5),
        (("backspace",), "lr  0.1", 3),
        (("delete",), "lr >0.1", 4),
        (("ctrl+w",), "lr  0.1", 3),
        (("ctrl+u",), " 0.1", 0),
        (("ctrl+k",), "lr >", 4),
        (("home", "a"), "alr > 0.1", 1),
        (("end", "a"), "lr > 0.1a", 9),
        (("left", "left", "right"), "lr > 0.1", 3),
        (("ctrl+left",), "lr > 0.1", 3),
        (("ctrl+right",), "lr > 0.1", 8),
    ],
)
def test_keys_edit_as_readline_does(keys: tuple[str, ...], text: str, cursor: int) -> None:
    assert edited("lr > 0.1", 4, *keys) == (text, cursor)


def test_nothing_happens_before_the_beginning_and_behind_the_end() -> None:
    assert edited("a", 0, "backspace", "left", "ctrl+w", "ctrl+left") == ("a", 0)
    assert edited("a", 1, "delete", "right", "ctrl+k", "ctrl+right") == ("a", 1)


def test_a_key_without_a_meaning_is_none() -> None:
    assert LineEdit("a", 1).press("f5", None) is None
    assert LineEdit("a", 1).press("ctrl+x", "\x18") is None


def test_line_ends_of_a_pasted_text_become_blanks() -> None:
    assert LineEdit().put("a\nb\r\nc").text == "a b c"


def test_a_pasted_text_brings_no_control_characters() -> None:
    assert LineEdit().put("a\x00b\tc\x1b[31m\x9bd").text == "ab c[31md"
    assert LineEdit().put("\x00").text == LineEdit().put("\n").text == ""


def test_a_line_does_not_grow_without_end() -> None:
    assert len(LineEdit().put("x" * 10_000).put("y").text) == MOST_CHARACTERS


def test_a_word_is_replaced_and_the_cursor_stands_behind_it() -> None:
    assert LineEdit("me > 1", 2).replaced(0, 2, "metrics.loss") == LineEdit("metrics.loss > 1", 12)


@given(st.text(max_size=20), st.lists(st.sampled_from([*KEYS, "a", " ", "é"]), max_size=30))
def test_the_cursor_is_always_in_the_text(text: str, keys: list[str]) -> None:
    line = LineEdit(text, len(text))
    for key in keys:
        line = line.press(key, key if len(key) == 1 else None) or line

        assert 0 <= line.cursor <= len(line.text)
