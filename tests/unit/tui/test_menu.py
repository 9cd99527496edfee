"""The list above the prompt."""

from __future__ import annotations

from mlbench.tui.menu import Choice, Menu

LONG = "What draws logged images: cells in any terminal, or graphics where the terminal has them"
CHOICES = (Choice("images", "images", "default", LONG), Choice("mouse", "mouse", "default", "Whether it listens"))


def texts(menu: Menu, width: int) -> list[str]:
    return ["".join(cell.text for cell in line).rstrip() for line in menu.lines(width)]


def test_what_has_no_room_behind_its_label_is_said_whole_below_the_list() -> None:
    menu = Menu(CHOICES, label_cells=10)

    lines = texts(menu, 50)

    assert "…" in lines[0]
    assert " ".join(line.removeprefix("│").strip() for line in lines[2:]) == LONG


def test_the_list_stands_still_while_the_cursor_moves() -> None:
    menu = Menu(CHOICES, label_cells=10)
    n_lines = len(texts(menu, 50))

    menu.press("down")

    assert len(texts(menu, 50)) == n_lines
    assert texts(menu, 50)[2:] == ["│ Whether it listens", *["│"] * (n_lines - 3)]


def test_where_all_is_said_behind_the_labels_nothing_stands_below() -> None:
    assert len(texts(Menu(CHOICES, label_cells=10), 120)) == 2
    assert len(texts(Menu((Choice("a", "a"),)), 40)) == 1
