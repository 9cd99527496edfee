"""Plain JSON by the standard library's scanner, five times as fast as the reader that also takes Python literals.

Only what both read alike is read here; for everything else the answer is None and the other reader is asked.
"""

from __future__ import annotations

import json
from typing import TypeAlias

from mlbench.model import JsonValue
from mlbench.wire.dump_tree import Items, Node, Pair, Pairs, Scalar
from mlbench.wire.dump_values import python_value, whole_number

MAX_CHARACTERS = 1 << 20
"""Longer texts are left to the reader that counts what they weigh."""
MAX_DEPTH = 32


class _NotPlain(Exception):  # noqa: N818 - a signal, never seen outside
    """It is JSON, but the other reader may see it otherwise."""


class _Found(list[tuple[str, object]]):
    """The pairs of an object, as they stand."""


def read_json(text: str) -> Pairs | None:
    """The tree of an object of JSON, None where it is none or not a plain one."""
    if len(text) > MAX_CHARACTERS or "\\u" in text:
        return None
    try:
        found = json.loads(
            text, object_pairs_hook=_Found, parse_int=_whole, parse_float=_fraction, parse_constant=_word
        )
        return _Liner(text).pairs(found, 0) if isinstance(found, _Found) else None
    except (ValueError, RecursionError, _NotPlain):
        return None


_Number: TypeAlias = tuple[str, JsonValue]
"""A number's text and value; nothing else that is found is a tuple."""


def _whole(text: str) -> _Number:
    return text, whole_number(text)


def _fraction(text: str) -> _Number:
    return text, float(text)


def _word(text: str) -> _Number:
    return text, python_value(text)


def _is_followed(text: str, at: int) -> bool:
    """Whether a colon comes next."""
    return text.startswith(":", at) or text[at : at + 40].lstrip().startswith(":")


class _Liner:
    """Finds the line of each key: the keys come in the order of the text."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._line = 1
        self._counted = 0

    def pairs(self, found: _Found, depth: int) -> Pairs:
        if depth > MAX_DEPTH:
            raise _NotPlain
        line = self._line
        made: list[Pair] = []
        for key, value in found:
            here = self._line_of(key)
            made.append(Pair(key, self._node(value, here, depth + 1), here))
        return Pairs(tuple(made), line)

    def _line_of(self, key: str) -> int:
        text, quoted = self._text, f'"{key}"'
        at = text.find(quoted, self._at)
        # The same word may stand before as a value: only a key is followed by a colon.
        while at >= 0 and not _is_followed(text, at + len(quoted)):
            at = text.find(quoted, at + 1)
        if at < 0:
            raise _NotPlain
        self._at = at + len(quoted)
        self._line += text.count("\n", self._counted, at)
        self._counted = at
        return self._line

    def _node(self, value: object, line: int, depth: int) -> Node:
        if isinstance(value, tuple):
            written, meant = value
            return Scalar(written, meant, line)
        if isinstance(value, str):
            return Scalar(value, value, line, '"')
        if isinstance(value, _Found):
            return self.pairs(value, depth)
        if isinstance(value, list):
            if depth > MAX_DEPTH:
                raise _NotPlain
            return Items(tuple(self._node(item, line, depth + 1) for item in value), line)
        word = "null" if value is None else "true" if value else "false"
        return Scalar(word, python_value(word), line)
