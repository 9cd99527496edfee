"""Promises of the verdict as a page: every column can be reached on every width."""

import pytest

from mlbench.queries.settings_versus import compare_settings
from mlbench.render.cells import plain
from mlbench.tui.verdict_page import verdict_page
from tests.unit.queries.conftest import FakeReader
from tests.unit.queries.test_settings_versus import sweep

TITLES = ("verdict", "B - A", "95 % (t)", "B better", "p (Holm)", "A: mean", "B: mean", "effect")


@pytest.fixture
def empty() -> FakeReader:
    return FakeReader()


@pytest.mark.parametrize("width", [60, 80, 100])
def test_columns_without_room_are_moved_to(empty: FakeReader, width: int) -> None:
    ids = sweep(empty)
    found = compare_settings(empty, [ids["sgd"][2], ids["adam"][0]])

    pages = [verdict_page(found, width, offset, title="compare") for offset in range(12)]
    seen = {title for page in pages for title in TITLES for line in page.lines if title in plain([line])
            and "more column" not in plain([line])}  # fmt: skip

    assert seen == set(TITLES)
    last = plain(verdict_page(found, width, pages[0].n_columns - 1, title="compare").lines)
    assert "more column" not in last
    assert "h l columns" in plain([pages[0].right])


def test_where_all_columns_have_room_none_is_moved(empty: FakeReader) -> None:
    ids = sweep(empty)
    found = compare_settings(empty, [ids["sgd"][2], ids["adam"][0]])

    page = verdict_page(found, 200, 3, title="compare")

    assert (page.n_columns, page.right) == (0, ())
    assert page.lines == verdict_page(found, 200, 0, title="compare").lines
