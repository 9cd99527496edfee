"""What a parameter means, however it is spelt: `1e-3` is 0.001, `True` is true, `1,2` is [1, 2] beside a list."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Sequence
from typing import TypeAlias

from mlbench.queries.literals import number_of

Typed: TypeAlias = "tuple[str | None, float | None, str | None]"
"""Type, number and text of a parameter in the catalog."""
_BRACKETS = {"[": "]", "(": ")"}


def meanings_of(values: Sequence[Typed | None]) -> tuple[object, ...]:
    """What each of several values of one parameter means; None for a missing one.

    A source that has only texts (a command line, flags) writes `1,2` or `[1, 2]` for what another one holds as a list:
    beside a list such a text is one, too. Among texts alone it stays a text.
    """
    has_list = any(value is not None and value[0] == "list" for value in values)
    mean = _beside_list if has_list else _meaning_alone
    return tuple([None if value is None else mean(value) for value in values])


def meanings_differ(values: Sequence[Typed | None]) -> bool:
    """Whether two of the values mean different things; no more are looked at than that takes."""
    is_list = any(value is not None and value[0] == "list" for value in values)
    mean = _beside_list if is_list else _meaning_alone
    meanings = (None if value is None else mean(value) for value in values)
    first = next(meanings, None)
    return any(meaning != first for meaning in meanings)


def _meaning_alone(value: Typed) -> object:
    return meaning_of(*value)


def _beside_list(value: Typed) -> object:
    kind, _number, text = value
    if kind not in {"str", "int", "float"} or not text:
        return meaning_of(*value)
    inner = text.strip()
    if inner[:1] in _BRACKETS and inner.endswith(_BRACKETS[inner[0]]):
        inner = inner[1:-1]
    elif "," not in inner:
        return meaning_of(*value)
    words = [word.strip() for word in inner.rstrip(", ").split(",")] if inner.strip() else []
    return ("tree", tuple(map(_word_meaning, words)))


def _word_meaning(word: str) -> object:
    number = number_of(word)
    if number is not None:
        return _tree_meaning(int(word) if re.fullmatch(r"[+-]?\d+", word) else number)
    if word.lower() in {"true", "false"}:
        return _tree_meaning(word.lower() == "true")
    is_quoted = len(word) > 1 and word[0] == word[-1] and word[0] in "\"'"
    return _tree_meaning(word[1:-1] if is_quoted else word)


def meaning_of(kind: str | None, number: float | None, text: str | None) -> object:
    """What two parameters must have equal to be equal, from type, number and text in the catalog; never None.

    Numbers are equal as numbers, also as text or inside lists; true is `True`; a null equals no text.
    """
    if text is None or kind == "null":
        return ("null",)
    if kind == "int":
        return ("number", int(text))
    if kind == "float":
        return _number_meaning(number)
    if kind in {"list", "dict"}:
        return ("tree", _tree_meaning(_parsed(text)))
    as_number = number_of(text)
    if kind == "str" and as_number is not None:
        return _number_meaning(as_number)
    return ("truth", text.lower()) if text.lower() in {"true", "false"} else ("text", text)


def _number_meaning(number: float | None) -> object:
    if number is None or math.isnan(number):
        return ("number", "nan")
    return ("number", number)


def _parsed(text: str) -> object:
    try:
        return json.loads(text)
    except ValueError:
        return text


def _tree_meaning(value: object) -> object:
    if isinstance(value, dict):
        return tuple(sorted((key, _tree_meaning(item)) for key, item in value.items()))
    if isinstance(value, list):
        return tuple(map(_tree_meaning, value))
    if isinstance(value, float):
        return _number_meaning(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return ("number", value)
    return (type(value).__name__, value)
