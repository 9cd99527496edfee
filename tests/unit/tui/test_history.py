"""Back and forward through the places that were visited."""

from __future__ import annotations

from dataclasses import replace

from mlbench.tui.history import History
from mlbench.tui.view import Marks, View


def test_places_are_gone_through_both_ways_with_the_marks_of_now() -> None:
    history, first = History(), View()
    second = replace(first, query="lr = 1")
    third = replace(second, pane="compare", is_zoomed=True)
    history.note(first, second, is_typed=False)
    history.note(second, third, is_typed=False)
    marked = replace(third, marks=Marks((("a", 0),)))

    back = history.back(marked)

    assert back is not None
    assert (back.query, back.pane, back.marks) == ("lr = 1", "runs", marked.marks)
    assert history.back(back) == replace(first, marks=marked.marks)
    assert history.back(first) is None
    again = history.forward(first)
    assert again is not None
    assert again.query == "lr = 1"


def test_marks_and_the_cursor_are_no_places() -> None:
    history, first = History(), View()
    history.note(first, replace(first, cursor="b", marks=Marks((("a", 0),))), is_typed=False)

    assert history.back(first) is None


def test_what_is_shown_while_a_query_is_typed_is_no_place() -> None:
    history, first = History(), View(query="a")
    view = first
    for text in ("al", "alp", "alph"):
        history.note(view, replace(view, query=text), is_typed=True)
        view = replace(view, query=text)

    back = history.back(view)

    assert back is not None
    assert back.query == "a"


def test_a_query_that_was_typed_and_left_is_no_place() -> None:
    history, first = History(), View(query="a")
    history.note(first, replace(first, query="al"), is_typed=True)
    history.note(replace(first, query="al"), first, is_typed=False)

    assert history.back(first) is None


def test_a_new_place_forgets_what_was_before() -> None:
    history, first, second = History(), View(), View(query="b")
    history.note(first, second, is_typed=False)
    assert history.back(second) == first
    history.note(first, View(query="c"), is_typed=False)

    assert history.forward(View(query="c")) is None
