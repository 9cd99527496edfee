"""A list to choose from, above the prompt line: letters that are typed narrow it. Pure; no widget."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import field

from mlbench.dataclass import dataclass
from mlbench.render.cells import Cell, Line, fit, fit_middle, padded, width_cells
from mlbench.safe import safe
from mlbench.tui.completion import matching

SHOWN_ROWS = 12
"""Choices in view: the table above stays readable on 24 lines."""
PICKED, NOT_PICKED = "●", "·"
TOLD_INDENT = 2
"""Columns before what is said of a choice."""


@dataclass(frozen=True, slots=True)
class Choice:
    """One line of a menu."""

    value: str
    """What is taken if it is chosen."""
    label: str
    detail: str = ""
    """Said at the right."""
    more: str = ""
    """Said behind the label, and found by its words, too."""
    is_late: bool = False
    """Listed only once letters are typed, below the others."""

    @property
    def words(self) -> str:
        """What the typed letters are looked for in."""
        return f"{self.label} {self.more}" if self.more else self.label


@dataclass(slots=True)
class Menu:
    """Choices, and where the cursor is."""

    choices: tuple[Choice, ...]
    is_many: bool = False
    """Several may be picked, with tab; they are taken in the order of picking."""
    picked: list[str] = field(default_factory=list)
    cursor: int = 0
    top: int = 0
    label_cells: int = 0
    """Columns of the labels, behind which more is said; 0 where nothing more is."""
    _typed: str = ""

    def narrow(self, typed: str) -> None:
        """Show the choices that the letters fit."""
        if typed != self._typed:
            self._typed, self.cursor, self.top = typed, 0, 0

    @property
    def shown(self) -> Sequence[Choice]:
        """The choices that fit, the likeliest first."""
        typed = self._typed.strip()
        if not typed:
            return [choice for choice in self.choices if not choice.is_late]
        return [*_fitting(typed, self.choices, is_late=False), *_fitting(typed, self.choices, is_late=True)]

    @property
    def current(self) -> Choice | None:
        shown = self.shown
        return shown[self.cursor] if self.cursor < len(shown) else None

    def press(self, key: str) -> bool:
        """Move or pick; whether the key meant anything here."""
        moves = {"down": 1, "ctrl+n": 1, "up": -1, "ctrl+p": -1, "pagedown": SHOWN_ROWS, "pageup": -SHOWN_ROWS}
        if key in moves:
            self.cursor = min(max(self.cursor + moves[key], 0), max(len(self.shown) - 1, 0))
            self.top = min(max(self.top, self.cursor - SHOWN_ROWS + 1), self.cursor)
            return True
        if key == "ctrl+u" and self.is_many and not self._typed:
            self.picked.clear()
            return True
        if key != "tab" and not (key == "space" and self.is_many and not self._typed):
            return False
        choice = self.current
        if self.is_many and choice is not None:
            if choice.value in self.picked:
                self.picked.remove(choice.value)
            else:
                self.picked.append(choice.value)
        return True

    def answer(self, typed: str) -> str:
        """What is taken: the choices picked, else the one under the cursor, else what was typed."""
        if self.is_many and not typed.strip():
            return ", ".join(self.picked)
        choice = self.current
        value = choice.value if choice is not None else typed.strip()
        if not self.is_many:
            return value
        return ", ".join(dict.fromkeys([*self.picked, value]))

    def lines(self, width: int) -> tuple[Line, ...]:
        """The choices in view, each in `width` columns; below them what is said of the one under the cursor, if there
        is no room for it behind a label.
        """
        shown = self.shown
        lines = tuple(self._line(choice, width) for choice in shown[self.top : self.top + SHOWN_ROWS])
        return (*lines, *self._told_below(shown, width)) if lines else ()

    def _told_below(self, shown: Sequence[Choice], width: int) -> list[Line]:
        """As many lines for every choice, so that the list stands still while the cursor moves."""
        cut = [one for one in shown if one.more and len(one.more) > self._rooms(one, width)[1] - TOLD_INDENT]
        current = self.current
        if not cut or current is None:
            return []
        room = max(width - 2 * TOLD_INDENT, 8)
        told = _wrapped(current.more, room)
        n_lines = max(len(told), *(len(_wrapped(one.more, room)) for one in cut))
        lines = [*told, *[""] * (n_lines - len(told))]
        return [
            (Cell(safe("│"), "axis"), Cell(padded(safe(f" {line}"), max(width - 1, 8)), "muted"))
            for line in lines
        ]  # fmt: skip

    def _rooms(self, choice: Choice, width: int) -> tuple[int, int]:
        """Columns of the label, and of what is said behind it."""
        n_mark = 3 if self.is_many else 1
        room = max(width - n_mark - width_cells(safe(choice.detail)) - 2, 8)
        n_label = min(max(self.label_cells, width_cells(safe(choice.label))), room) if choice.more else room
        return n_label, room - n_label

    def _line(self, choice: Choice, width: int) -> Line:
        is_picked = choice.value in self.picked
        mark = f" {PICKED if is_picked else NOT_PICKED} " if self.is_many else " "
        detail = safe(choice.detail)
        n_label, n_more = self._rooms(choice, width)
        label = padded(fit_middle(safe(choice.label), n_label), n_label)
        return (
            Cell(safe(mark), "good" if is_picked else "axis"),
            Cell(label, "title" if is_picked else ""),
            Cell(padded(fit(safe(f"  {choice.more}"), n_more), n_more), "muted"),
            Cell(safe(" ")),
            Cell(detail, "muted"),
        )


def _fitting(typed: str, choices: Iterable[Choice], *, is_late: bool) -> list[Choice]:
    """The choices that the letters fit: in their labels, in what is said behind them, word by word, and loosely."""
    left = {choice.value: choice for choice in choices if choice.is_late == is_late}
    found: list[Choice] = []

    def take(chosen: Iterable[Choice]) -> None:
        found.extend(left.pop(choice.value) for choice in list(chosen) if choice.value in left)

    def matched(texts: Mapping[str, list[Choice]], *, is_loose: bool) -> Iterator[Choice]:
        return (one for text in matching(typed, texts, most=len(texts), is_loose=is_loose) for one in texts[text])

    take(choice for choice in left.values() if choice.label.lower() == typed.lower())
    take(matched(_by_text(left.values(), lambda choice: choice.label), is_loose=False))
    take(matched(_by_text(left.values(), lambda choice: choice.words), is_loose=False))
    parts = typed.lower().split()
    take(choice for choice in left.values() if choice.more and _has_all(choice, parts))
    take(matched(_by_text(left.values(), lambda choice: choice.label), is_loose=True))
    return found


def _wrapped(text: str, width: int) -> list[str]:
    return textwrap.wrap(safe(text), width, break_on_hyphens=False)


def _has_all(choice: Choice, parts: Iterable[str]) -> bool:
    text = f"{choice.words} {choice.detail} {choice.value}".lower()
    return all(part in text for part in parts)


def _by_text(choices: Iterable[Choice], text_of: Callable[[Choice], str]) -> dict[str, list[Choice]]:
    by_text: dict[str, list[Choice]] = {}
    for choice in choices:
        by_text.setdefault(text_of(choice), []).append(choice)
    return by_text
