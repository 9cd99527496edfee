"""One line of text under the cursor: pure, so that the prompt needs no widget with a focus."""

from __future__ import annotations

import re
from dataclasses import replace

from mlbench.dataclass import dataclass

MOST_CHARACTERS = 4096
"""Longer texts are not typed, and a pasted file must not fill the line."""
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")


@dataclass(frozen=True, slots=True)
class LineEdit:
    """Text and cursor; every edit gives a new one."""

    text: str = ""
    cursor: int = 0
    """Before this character, 0 to len(text)."""

    def put(self, text: str) -> LineEdit:
        """The text put in at the cursor; line ends and tabs of a pasted text become blanks, and no other control
        character comes in: no name of a file has a NUL.
        """
        put = _CONTROL.sub("", " ".join(text.replace("\t", " ").splitlines()))
        put = put[: max(MOST_CHARACTERS - len(self.text), 0)]
        return LineEdit(self.text[: self.cursor] + put + self.text[self.cursor :], self.cursor + len(put))

    def replaced(self, start: int, end: int, text: str) -> LineEdit:
        """The characters from start to end replaced, the cursor behind them."""
        return LineEdit(self.text[:start] + text + self.text[end:], start + len(text))

    def cut(self, start: int, end: int) -> LineEdit:
        """Without the characters from start to end."""
        start, end = max(start, 0), min(end, len(self.text))
        return LineEdit(self.text[:start] + self.text[end:], start)

    def moved(self, cursor: int) -> LineEdit:
        """The cursor elsewhere, kept inside of the text."""
        return replace(self, cursor=min(max(cursor, 0), len(self.text)))

    def word_left(self) -> int:
        """Where the word before the cursor begins."""
        return max(
            (match.start() for match in re.finditer(r"\S+", self.text) if match.start() < self.cursor), default=0
        )

    def word_right(self) -> int:
        """Where the word behind the cursor ends."""
        ends = [match.end() for match in re.finditer(r"\S+", self.text) if match.end() > self.cursor]
        return min(ends, default=len(self.text))

    def press(self, key: str, character: str | None) -> LineEdit | None:
        """What a key makes of the line; None if it means nothing here. Keys as readline has them."""
        if character is not None and character.isprintable():
            return self.put(character)
        match key:
            case "backspace" | "ctrl+h":
                return self.cut(self.cursor - 1, self.cursor) if self.cursor else self
            case "delete" | "ctrl+d":
                return replace(self.cut(self.cursor, self.cursor + 1), cursor=self.cursor)
            case "ctrl+w" | "alt+backspace":
                return self.cut(self.word_left(), self.cursor)
            case "ctrl+u":
                return self.cut(0, self.cursor)
            case "ctrl+k":
                return replace(self.cut(self.cursor, len(self.text)), cursor=self.cursor)
        place = self._place(key)
        return None if place is None else self.moved(place)

    def _place(self, key: str) -> int | None:
        match key:
            case "left" | "ctrl+b":
                return self.cursor - 1
            case "right" | "ctrl+f":
                return self.cursor + 1
            case "home" | "ctrl+a":
                return 0
            case "end" | "ctrl+e":
                return len(self.text)
            case "ctrl+left" | "alt+b":
                return self.word_left()
            case "ctrl+right" | "alt+f":
                return self.word_right()
        return None
