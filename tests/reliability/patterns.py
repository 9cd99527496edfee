"""Regular expressions that take far more than twice the time for twice the text.

For each pattern in mlbench texts are made that it begins to match, one piece of which is repeated a few thousand times
before an end that does not match: what makes a matcher try all ways through. A pattern is asked as its module asks it.
"""

from __future__ import annotations

import importlib
import pkgutil
import random
import re
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from re import _constants as codes  # type: ignore[attr-defined]  # what `sre_constants` and `sre_parse` were until 3.11
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any

import mlbench

ASKED = ("search", "match", "fullmatch", "sub", "subn", "finditer", "findall", "split")
SHORT, LONG = 4_000, 8_000
"""Characters of the texts that are compared."""
LEAST_S = 0.02
"""Of a core for the long text; below it nothing is told: a line of 64 kB would take a second at most."""
STEEP = 2.8
"""Times as long for twice the text: 2 is linear, 4 quadratic."""
ANY = "a1 -_.,=:/\"'[]()<>#@\t"
PIECES = (*ANY, "a-", "a ", "1.", "a=", "a/", "[1]", "a,")
ENDS = ("\0", "!")


@dataclass(frozen=True, slots=True)
class Asked:
    """A pattern, where it stands, and the methods that are called on it."""

    name: str
    pattern: re.Pattern[Any]
    uses: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Steep:
    """A text that takes too long."""

    name: str
    use: str
    begin: str
    piece: str
    took_s: float
    """Of a core, for LONG characters."""


def modules() -> list[str]:
    """All of mlbench's."""
    names = [info.name for info in pkgutil.walk_packages(mlbench.__path__, "mlbench.")]
    return [name for name in names if not name.endswith("__main__")]


def patterns_of(names: Iterable[str]) -> list[Asked]:
    """Those that modules keep, each once; one that is only handed on is asked for a whole text."""
    found: dict[re.Pattern[Any], Asked] = {}
    for module_name in names:
        module = importlib.import_module(module_name)
        source = Path(str(module.__file__)).read_text("utf-8")
        for name, value in vars(module).items():
            uses = tuple(use for use in ASKED if re.search(rf"\b{re.escape(name)}\.{use}\b", source))
            for pattern in _patterns_in(value):
                found.setdefault(pattern, Asked(f"{module_name}:{name}", pattern, uses or ("fullmatch",)))
    return list(found.values())


def _patterns_in(value: object) -> Iterator[re.Pattern[Any]]:
    if isinstance(value, re.Pattern):
        yield value
    elif isinstance(value, dict):
        yield from _patterns_in(tuple(value.values()))
    elif isinstance(value, list | tuple | set | frozenset):
        for one in value:
            yield from _patterns_in(one)


def steepest(asked: Asked, n_texts: int, dice: random.Random) -> Steep | None:
    """The text that takes longest; None where all take about twice as long for twice the length."""
    found: list[Steep] = []
    for begin, piece in _beginnings(asked.pattern, n_texts, dice):
        for end in ENDS:
            for use in asked.uses:
                took_s = _steep_s(asked.pattern, use, begin, piece, end)
                if took_s is not None:
                    found.append(Steep(asked.name, use, begin[:80], piece, took_s))
    return max(found, key=lambda one: one.took_s, default=None)


def _beginnings(pattern: re.Pattern[Any], n_texts: int, dice: random.Random) -> Iterator[tuple[str, str]]:
    """Texts that the pattern may begin to match, and pieces to repeat after each: of its end, and any."""
    source = pattern.pattern if isinstance(pattern.pattern, str) else pattern.pattern.decode("latin-1")
    tree = parser.parse(source, pattern.flags & ~re.UNICODE if isinstance(pattern.pattern, bytes) else pattern.flags)
    for _text in range(n_texts):
        text = "".join(_matching(tree, dice, {}))
        begin = text[: dice.randrange(len(text) + 1)]
        ends = [begin[-length:] for length in (1, 2, 3, dice.randrange(4, 12)) if begin]
        for piece in (*ends, *dice.sample(PIECES, 3)):
            yield begin, piece


def _steep_s(pattern: re.Pattern[Any], use: str, begin: str, piece: str, end: str) -> float | None:
    short_s = _took_s(pattern, use, begin + piece * (SHORT // len(piece)) + end)
    if short_s * 2 * STEEP < LEAST_S:
        return None
    long = begin + piece * (LONG // len(piece)) + end
    long_s = min(_took_s(pattern, use, long), _took_s(pattern, use, long))  # once may be chance
    return long_s if long_s > LEAST_S and long_s > STEEP * short_s else None


def _took_s(pattern: re.Pattern[Any], use: str, text: str) -> float:
    subject: Any = text.encode("latin-1", "replace") if isinstance(pattern.pattern, bytes) else text
    started_s = time.process_time()
    if use in ("sub", "subn"):
        getattr(pattern, use)(subject[:0], subject)
    elif use == "finditer":
        for _match in pattern.finditer(subject):
            pass
    else:
        getattr(pattern, use)(subject)
    return time.process_time() - started_s


# ---------------------------------------------------------------- texts that match


def _matching(tree: Iterable[tuple[Any, Any]], dice: random.Random, groups: dict[int, list[str]]) -> list[str]:
    """The characters of a text that matches, but for what looks ahead or behind."""
    made: list[str] = []
    for code, value in tree:
        if code is codes.LITERAL:
            made.append(chr(value))
        elif code is codes.NOT_LITERAL:
            made.append(dice.choice([sign for sign in ANY if ord(sign) != value]))
        elif code is codes.ANY:
            made.append(dice.choice(ANY))
        elif code is codes.IN:
            made.append(dice.choice(_members(value)))
        else:
            made += _matching_more(code, value, dice, groups)
    return made


def _matching_more(code: Any, value: Any, dice: random.Random, groups: dict[int, list[str]]) -> list[str]:
    if code is codes.BRANCH:
        return _matching(dice.choice(value[1]), dice, groups)
    if code is codes.SUBPATTERN:
        groups[value[0]] = _matching(value[3], dice, groups)
        return groups[value[0]]
    if code in (codes.MAX_REPEAT, codes.MIN_REPEAT, codes.POSSESSIVE_REPEAT):
        least, most, inner = value
        times = max(int(least), min(int(most), dice.choice((0, 1, 1, 2))))
        return [sign for _time in range(times) for sign in _matching(inner, dice, groups)]
    if code is codes.ATOMIC_GROUP:
        return _matching(value, dice, groups)
    return groups.get(value, []) if code is codes.GROUPREF else []


def _members(items: list[tuple[Any, Any]]) -> list[str]:
    """Some characters of a set such as `[a-z_]`."""
    inside = re.compile(_set_pattern(items))
    listed = [chr(value) for code, value in items if code is codes.LITERAL]
    listed += [chr(bound) for code, value in items if code is codes.RANGE for bound in value]
    return [sign for sign in (*listed, *ANY) if inside.fullmatch(sign)] or ["a"]


def _set_pattern(items: list[tuple[Any, Any]]) -> str:
    names = {codes.CATEGORY_DIGIT: r"\d", codes.CATEGORY_NOT_DIGIT: r"\D", codes.CATEGORY_SPACE: r"\s"}
    names |= {codes.CATEGORY_NOT_SPACE: r"\S", codes.CATEGORY_WORD: r"\w", codes.CATEGORY_NOT_WORD: r"\W"}
    parts = []
    for code, value in items:
        if code is codes.NEGATE:
            parts.append("^")
        elif code is codes.LITERAL:
            parts.append(re.escape(chr(value)))
        elif code is codes.RANGE:
            parts.append(f"{re.escape(chr(value[0]))}-{re.escape(chr(value[1]))}")
        else:
            parts.append(names.get(value, r"\w"))
    return f"[{''.join(parts)}]"
