"""What the desk needs of the app."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Protocol, TypeAlias

if TYPE_CHECKING:
    from textual.events import Key

    from mlbench.settings import Settings

HelpRow: TypeAlias = tuple[Sequence[str], str, str]
"""Keys or names, what is said of them, and the group that they stand in."""


class Host(Protocol):
    """What the desk needs of the app."""

    def later(self, name: str, delay_s: float, call: Callable[[], None]) -> None:
        """Call after a delay; a second call under the same name takes the place of the first."""

    def stop(self) -> None:
        """Give the terminal to the shell until it brings the workbench back."""

    def leave(self) -> None:
        """End the workbench."""

    def bell(self) -> None:
        """Ring the terminal's bell."""

    def act(self, action_id: str, n: int = 1) -> None:
        """Do an action by its id, in a pane where it works; `n` is the number before its key."""

    def copy(self, text: str) -> str:
        """Put a text on the clipboard; says where it went, '' for the terminal's."""

    def edit(self, path: str) -> str:
        """Let the user's editor write a file; says what went wrong, '' where nothing did."""

    def take_key(self, event: Key) -> None:
        """Give a key to the prompt, or do what it means."""

    def show_help(self, title: str, rows: Sequence[HelpRow]) -> None:
        """Open a page of help over the panes."""

    def take_settings(self, settings: Settings) -> None:
        """Let the settings of glyphs, colours and mouse hold at once."""

    def arrange(self) -> None:
        """Show the panes that the view asks for."""
