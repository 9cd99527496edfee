"""Mistakes in a filter or a column specification, shown with a caret under the place."""

from __future__ import annotations

import unicodedata

from mlbench.errors import UsageError


class FilterError(UsageError):
    """A filter, column or sort specification cannot be understood.

    The message says what and what to type instead; the text with a caret under the place follows on two lines.
    """

    def __init__(self, message: str, text: str, at: int, *, is_place_told: bool = True) -> None:
        """Point into a text.

        Args:
            message: one or two sentences.
            text: the whole text that was typed.
            at: 0-based place in it.
            is_place_told: begin the message with `column N: `.
        """
        self.column = min(at, len(text)) + 1
        """1-based."""
        self.caret = f"  {_one_line(text)}\n  {' ' * _width(text[:at])}^"
        """Two lines: the text, and a caret under the column."""
        self.message = f"column {self.column}: {message}" if is_place_told else message
        super().__init__(f"{self.message}\n{self.caret}")


def shown(text: str, *, limit: int = 60) -> str:
    """A user's word in quotes, shortened, for a message."""
    line = _one_line(text)
    return f"'{line if len(line) <= limit else line[: limit - 1] + '…'}'"


def _one_line(text: str) -> str:
    return "".join(char if char.isprintable() else " " for char in text)


def _width(text: str) -> int:
    """Cells that a terminal gives to the text: none to combining marks, two to wide letters."""
    return sum(
        0 if unicodedata.combining(char) else 2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text
    )
