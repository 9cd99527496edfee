import pytest
from textual.geometry import Region

from mlbench.render.cells import Cell, line_of
from mlbench.safe import safe
from mlbench.tui.paint import both_ends, changed_rows, changed_spans, cropped, strip_of
from mlbench.tui.theme import Looks


def text_of(line: tuple[Cell, ...]) -> str:
    return "".join(cell.text for cell in line)


@pytest.mark.parametrize("width", [0, 1, 3, 4, 5, 6, 12])
def test_a_strip_is_as_wide_as_it_is_asked_to_be(width: int) -> None:
    strip = strip_of(line_of(("a実b験", "good"), ("cd", "")), Looks(), width)

    assert strip.cell_length == width


def test_a_strip_has_the_style_of_its_cells() -> None:
    strip = strip_of(line_of(("ab", "good")), Looks(), 3, ground="cursor")

    assert [segment.text for segment in strip] == ["ab", " "]
    assert next(iter(strip)).style == Looks().style("good", "cursor")


def test_both_ends_stand_at_the_ends_and_the_left_one_is_cut() -> None:
    assert text_of(both_ends(line_of(("left", "")), line_of(("right", "")), 12)) == "left   right"
    assert text_of(both_ends(line_of(("left", ""), ("more", "")), line_of(("right", "")), 8)) == "l… right"
    assert text_of(both_ends(line_of(("left", ""), ("   ", "")), (), 5)) == "left "
    assert text_of(both_ends(line_of(("left", ""), ("more", "")), (), 4)) == "lef…"


def test_a_line_is_cropped_in_cells() -> None:
    line = line_of(("abc", "good"), ("def", "bad"))

    assert [(cell.text, cell.role) for cell in cropped(line, 2, 2)] == [("c", "good"), ("d", "bad")]
    assert cropped(line, 6, 4) == ()


def test_a_wide_letter_that_is_cut_leaves_a_blank() -> None:
    assert text_of(cropped((Cell(safe("実験")),), 0, 3)) == "実 "


def test_only_the_columns_that_changed_are_sent_again() -> None:
    old = [line_of(("abc", ""), ("def", "good")), line_of(("same", "")), line_of(("a実b", ""))]
    new = [line_of(("abX", ""), ("def", "good")), line_of(("same", "")), line_of(("a験b", "")), line_of(("more", ""))]

    assert changed_spans(old, new, 80) == [Region(2, 0, 1, 1), Region(1, 2, 2, 1), Region(0, 3, 4, 1)]


def test_another_role_is_a_change_and_what_has_gone_too() -> None:
    assert changed_spans([line_of(("ab", "good"), ("c", ""))], [line_of(("ab", "bad"))], 80) == [Region(0, 0, 3, 1)]
    assert changed_spans([line_of(("ab", ""))], [line_of(("a", ""), ("b", ""))], 80) == []


def test_rows_that_changed_are_sent_again_unless_nearly_all_did() -> None:
    assert changed_rows(["a", "b", "c"], ["a", "x", "c", "d"], 10) == [Region(0, 1, 10, 1), Region(0, 3, 10, 1)]
    assert changed_rows(["a", "b"], ["x", "y"], 10) is None
    assert changed_rows([], [], 10) == []
