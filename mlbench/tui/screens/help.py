"""A page over the panes: the keys that work in a pane, made from the table that binds them, or what a setting means."""

from __future__ import annotations

from collections.abc import Sequence

from textual.app import ComposeResult
from textual.events import Key
from textual.screen import ModalScreen

from mlbench.tui.actions import DRAWN, PROBLEMS, TITLES, key_text
from mlbench.tui.host import HelpRow
from mlbench.tui.keyboard import Keyboard
from mlbench.tui.pages import help_page
from mlbench.tui.theme import Looks
from mlbench.tui.widgets.lines_view import LinesView

FAR = 1 << 20
"""More lines than a page has."""
_MOVES = {"move.down": 1, "move.up": -1}
_PAGES = {"move.page_down": 1, "move.page_up": -1}
_ENDS = {"move.top": -FAR, "move.bottom": FAR}
_CLOSING = ("app.help", "app.back", "app.leave", "app.quit", "app.settings")


class HelpScreen(ModalScreen[None]):
    """Help over the panes; the keys of moving move in it, those of back and help close it, as do esc and enter.

    Args:
        title: of the page.
        rows: keys (or names), what is to be said of them, and group.
        keyboard: what the keys mean.
    """

    def __init__(self, looks: Looks, title: str, rows: Sequence[HelpRow], keyboard: Keyboard) -> None:
        super().__init__()
        self._view = LinesView(looks)
        self._title, self._rows = title, rows
        self._keyboard = keyboard

    def compose(self) -> ComposeResult:
        """The page alone."""
        yield self._view

    def on_mount(self) -> None:
        """The page is laid out for its width."""
        self._view.show(lambda width, _offset: help_page(self._title, self._rows, width))

    def on_key(self, event: Key) -> None:
        """Scroll, or close."""
        event.stop()
        event.prevent_default()
        key = event.character if event.is_printable and event.character and event.character != " " else event.key
        action = self._keyboard.press(key, PROBLEMS).action  # a pane whose lists take nothing from the general keys
        meant = action.id if action is not None else ""
        if event.key in ("escape", "enter", "ctrl+c") or meant in _CLOSING:
            self._keyboard.clear()
            self.dismiss()
        elif meant in _MOVES:
            self._view.move_by(_MOVES[meant])
        elif meant in _ENDS:
            self._view.move_by(_ENDS[meant])
        elif meant in _PAGES or event.key == "space":
            self._view.move_by(_PAGES.get(meant, 1) * self._view.page_rows)


def help_rows(keyboard: Keyboard, pane: str, *, is_linear: bool = False) -> list[HelpRow]:
    """Keys, help and group of all actions that work in a pane; its own ones first, sections as one line.

    Args:
        keyboard: what the keys mean.
        pane: one of `actions.PANES`.
        is_linear: leave out what changes only how curves are drawn, since they are told in words.
    """
    rows: list[HelpRow] = []
    working = sorted(keyboard.working(pane), key=lambda pair: (not pair[1].panes, pair[1].id.startswith("move.")))
    for keys, action in working:
        if is_linear and action.id in DRAWN:
            continue
        if action.id.startswith("lists.section_"):
            if action.id.endswith("_1"):
                rows.append((["1-8"], "go to a section", TITLES[pane]))
            continue
        group = TITLES[pane] if action.panes else "Move" if action.id.startswith("move.") else "Everywhere"
        rows.append(([key_text(key) for key in keys], action.help, group))
    return rows
