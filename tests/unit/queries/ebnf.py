"""A reader of the grammar in docs/reference/query.md: it makes sentences of it, and says whether tokens are one."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

_PIECE = re.compile(r'\s*(?:"([^"]*)"|(\w+)|([\[\]{}()|;=]))')
Pieces: TypeAlias = "list[tuple[str | None, ...]]"


class Part:
    """A piece of the right side of a rule."""

    def make(self, making: Making, depth: int) -> None:
        """Add words that are one."""
        raise NotImplementedError

    def ends(self, reading: Reading, at: int) -> frozenset[int]:
        """Where the piece may end if it begins at a token."""
        raise NotImplementedError


@dataclass(frozen=True)
class Word(Part):
    """A keyword or sign."""

    text: str

    def make(self, making: Making, depth: int) -> None:
        making.words.append(self.text)

    def ends(self, reading: Reading, at: int) -> frozenset[int]:
        is_here = at < len(reading.tokens) and reading.tokens[at].lower() == self.text
        return frozenset({at + 1} if is_here else ())


@dataclass(frozen=True)
class Name(Part):
    """A rule, or a token in capitals."""

    text: str

    def make(self, making: Making, depth: int) -> None:
        if self.text in making.rules:
            making.rules[self.text].make(making, depth + 1)
        else:
            making.words.append(making.token(self.text))

    def ends(self, reading: Reading, at: int) -> frozenset[int]:
        if self.text in reading.rules:
            return reading.ends(self.text, at)
        is_here = at < len(reading.tokens) and reading.fits(self.text, reading.tokens[at])
        return frozenset({at + 1} if is_here else ())


@dataclass(frozen=True)
class Row(Part):
    parts: tuple[Part, ...]

    def make(self, making: Making, depth: int) -> None:
        for one in self.parts:
            one.make(making, depth)

    def ends(self, reading: Reading, at: int) -> frozenset[int]:
        places = frozenset({at})
        for one in self.parts:
            places = frozenset(end for place in places for end in one.ends(reading, place))
        return places


@dataclass(frozen=True)
class Choice(Part):
    parts: tuple[Part, ...]

    def make(self, making: Making, depth: int) -> None:
        # Deep down the last alternative is taken: it is written to be the plainest.
        chosen = self.parts[-1] if depth > DEEP else self.parts[making.pick(len(self.parts))]
        chosen.make(making, depth)

    def ends(self, reading: Reading, at: int) -> frozenset[int]:
        return frozenset(end for one in self.parts for end in one.ends(reading, at))


@dataclass(frozen=True)
class Many(Part):
    """Any number of times, or once or not at all."""

    part: Part
    most: int

    def make(self, making: Making, depth: int) -> None:
        for _time in range(making.pick(self.most + 1) if depth <= DEEP else 0):
            self.part.make(making, depth)

    def ends(self, reading: Reading, at: int) -> frozenset[int]:
        found, fresh = {at}, {at}
        while fresh:
            fresh = {end for place in fresh for end in self.part.ends(reading, place)} - found
            found |= fresh
            if self.most == 1:
                break
        return frozenset(found)


DEEP = 25
Rules: TypeAlias = Mapping[str, Part]


@dataclass
class Making:
    """A sentence that is being made."""

    rules: Rules
    token: Callable[[str], str]
    """Makes a token of a kind."""
    pick: Callable[[int], int]
    """Chooses a number from 0 up to, not including, its argument."""
    words: list[str] = field(default_factory=list)


@dataclass
class Reading:
    """Tokens that are being looked at."""

    rules: Rules
    tokens: tuple[str, ...]
    fits: Callable[[str, str], bool]
    """Whether a token is of a kind (in capitals)."""
    _known: dict[tuple[str, int], frozenset[int]] = field(default_factory=dict)

    def ends(self, rule: str, at: int) -> frozenset[int]:
        if (rule, at) not in self._known:
            self._known[rule, at] = self.rules[rule].ends(self, at)
        return self._known[rule, at]


def read_grammar(text: str) -> dict[str, Part]:
    """The rules by name."""
    pieces = [match.groups() for match in _PIECE.finditer(text)]
    rules: dict[str, Part] = {}
    at = 0
    while at < len(pieces):
        name = str(pieces[at][1])
        assert pieces[at + 1][2] == "=", name
        rules[name], at = _choice(pieces, at + 2)
        assert pieces[at][2] == ";", name
        at += 1
    return rules


def _choice(pieces: Pieces, at: int) -> tuple[Part, int]:
    rows = []
    while True:
        row, at = _row(pieces, at)
        rows.append(row)
        if pieces[at][2] != "|":
            return (rows[0] if len(rows) == 1 else Choice(tuple(rows))), at
        at += 1


def _row(pieces: Pieces, at: int) -> tuple[Part, int]:
    parts: list[Part] = []
    while (sign := pieces[at][2]) is None or sign in "([{":
        word, name = pieces[at][:2]
        if sign is None:
            parts.append(Word(word) if word is not None else Name(str(name)))
        else:
            inner, at = _choice(pieces, at + 1)
            parts.append(inner if sign == "(" else Many(inner, 1 if sign == "[" else 2))
        at += 1
    return (parts[0] if len(parts) == 1 else Row(tuple(parts))), at


def sentence(rules: Rules, start: str, token: Callable[[str], str], pick: Callable[[int], int]) -> list[str]:
    """A sentence as words; `token` and `pick` as in Making."""
    making = Making(rules, token, pick)
    Name(start).make(making, 0)
    return making.words


def is_sentence(rules: Rules, start: str, tokens: tuple[str, ...], fits: Callable[[str, str], bool]) -> bool:
    """Whether tokens are a sentence of the grammar; `fits` as in Reading."""
    return len(tokens) in Reading(rules, tokens, fits).ends(start, 0)
