"""A page over the panes: the keys that work in a pane, made from the table that binds them, or what a setting means."""

from __future__ import annotations

from collections.abc import Sequence

from textual.app import ComposeResult
from textual.events import Key
from textual.screen import ModalScreen

from mlbench.tui.actions import TITLES, key_text
from mlbench.tui.host import HelpRow
from mlbench.tui.keyboard import Keyboard
from mlbench.tui.pages import help_page
from mlbench.tui.theme import Looks
from mlbench.tui.widgets.lines_view import LinesView

_MOVES = {"down": 1, "j": 1, "up": -1, "k": -1}
_PAGES = {"pagedown": 1, "ctrl+d": 1, "space": 1, "pageup": -1, "ctrl+u": -1}


class HelpScreen(ModalScreen[None]):
    """Help over the panes; any of esc, q and ? closes it.

    Args:
        title: of the page.
        rows: keys (or names), what is to be said of them, and group.
    """

    def __init__(self, looks: Looks, title: str, rows: Sequence[HelpRow]) -> None:
        super().__init__()
        self._view = LinesView(looks)
        self._title, self._rows = title, rows

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
        if event.key in ("escape", "q", "question_mark", "enter", "ctrl+c"):
            self.dismiss()
        elif event.key in _MOVES:
            self._view.move_by(_MOVES[event.key])
        elif event.key in _PAGES:
            self._view.move_by(_PAGES[event.key] * self._view.page_rows)


def help_rows(keyboard: Keyboard, pane: str) -> list[HelpRow]:
    """Keys, help and group of all actions that work in a pane; its own ones first, sections as one line."""
    rows: list[HelpRow] = []
    working = sorted(keyboard.working(pane), key=lambda pair: (not pair[1].panes, pair[1].id.startswith("move.")))
    for keys, action in working:
        if action.id.startswith("lists.section_"):
            if action.id.endswith("_1"):
                rows.append((["1-8"], "go to a section", TITLES[pane]))
            continue
        group = TITLES[pane] if action.panes else "Move" if action.id.startswith("move.") else "Everywhere"
        rows.append(([key_text(key) for key in keys], action.help, group))
    return rows
