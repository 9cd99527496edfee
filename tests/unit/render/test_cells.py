import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from mlbench.render.cells import (
    Cell,
    fit,
    fit_middle,
    line_cells,
    line_of,
    padded,
    plain,
    take_cells,
    take_last_cells,
    width_cells,
)
from mlbench.safe import Safe, safe


@pytest.mark.parametrize(("text", "width"), [("abc", 3), ("日本", 4), ("e\u0301", 1), ("", 0), ("é×", 2), ("한", 2)])
def test_widths_are_those_of_terminals(text: str, width: int) -> None:
    assert width_cells(text) == width
    assert cell_len(text) == width


@pytest.mark.parametrize(
    ("text", "width", "cut"),
    [("abcdef", 6, "abcdef"), ("abcdef", 4, "abc…"), ("abcdef", 1, "…"), ("abcdef", 0, ""), ("日本語", 4, "日…")],
)
def test_a_text_is_cut_at_its_end(text: str, width: int, cut: str) -> None:
    assert fit(safe(text), width) == cut


@pytest.mark.parametrize(
    ("text", "width", "cut"),
    [("abcdef", 6, "abcdef"), ("abcdefgh", 5, "ab…gh"), ("abcdef", 2, "a…"), ("日本語日本", 6, "日…本")],
)
def test_a_name_is_cut_in_its_middle(text: str, width: int, cut: str) -> None:
    assert fit_middle(safe(text), width) == cut


@given(st.text(), st.integers(0, 12))
def test_what_is_cut_always_fits_and_stays_safe(text: str, width: int) -> None:
    for cut in (fit(safe(text), width), fit_middle(safe(text), width)):
        assert isinstance(cut, Safe)
        assert width_cells(cut) <= width
        assert cut.isprintable()


def test_a_mark_stays_with_its_letter() -> None:
    text = safe("xe\u0301")

    assert take_last_cells(text, 1) == "e\u0301"
    assert take_last_cells(text, 9) == text
    assert take_cells(text, 2) == text
    assert take_cells(safe("日x"), 9) == "日x"


def test_padding_is_in_cells() -> None:
    assert padded(safe("日"), 4) == "日  "
    assert padded(safe("ab"), 4, align="right") == "  ab"
    assert padded(safe("abcdef"), 4) == "abcdef"


def test_lines_become_plain_text_without_blanks_at_their_ends() -> None:
    lines = (line_of(("a ", "key"), ("b  ", "")), (), (Cell(safe("c")),))

    text = plain(lines)

    assert text == "a b\n\nc"
    assert isinstance(text, Safe)
    assert line_cells(lines[0]) == 5
