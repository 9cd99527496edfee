"""What could be typed next, in the query and in the other prompts. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from mlbench.queries.tree import quote_name, quote_text
from mlbench.tui.session import Vocabulary

MOST_WORDS = 8
"""Candidates at a time: more is a list to read, and not a hint."""
LOOSE = 3
"""Rank of a word that has the typed letters in order, but others between them."""
KEYWORDS = ("and", "or", "not", "in", "between", "like", "is null", "is not null")
SIGNS = re.compile(r"(?:==|!=|<>|<=|>=|!~|=|<|>|~)\s*$")
_LAST_WORD = re.compile(r"[^\s()=<>!~,]*$")
_NAME_BEFORE = re.compile(r"(`[^`]*`|[^\s()=<>!~,]+)\s*$")


@dataclass(frozen=True, slots=True)
class Completion:
    """Words that may stand from `start` to `end`, the likeliest first."""

    start: int = 0
    end: int = 0
    words: tuple[str, ...] = ()


def matching(typed: str, words: Iterable[str], *, most: int = MOST_WORDS, is_loose: bool = True) -> tuple[str, ...]:
    """The words that the typed letters fit: at the beginning, then at the beginning of a part, then anywhere, then,
    where it is loose, in order with others between (`v/l` fits `val/loss`). Case does not matter.
    """
    lower = typed.lower()
    ranked: list[tuple[int, int, str]] = []
    for place, word in enumerate(dict.fromkeys(words)):
        rank = _rank(lower, word.lower())
        if rank is not None and (is_loose or rank < LOOSE):
            ranked.append((rank, place, word))
    return tuple(word for _rank_, _place, word in sorted(ranked)[:most])


def _rank(typed: str, word: str) -> int | None:
    if not typed or word.startswith(typed):
        return 0
    found = word.find(typed)
    if found > 0:
        return 1 if not word[found - 1].isalnum() else 2
    letters = iter(word)
    return LOOSE if all(letter in letters for letter in typed) else None


def complete_query(text: str, cursor: int, known: Vocabulary) -> Completion:
    """Names of fields, parameters and metrics; values behind a sign; tags behind `tag:`."""
    match = _LAST_WORD.search(text[:cursor])
    start = match.start() if match else cursor
    typed = text[start:cursor]
    if typed.lower().startswith("tag:"):
        start += len("tag:")
        return Completion(start, cursor, tuple(map(quote_text, matching(typed[4:], known.tags))))
    sign = SIGNS.search(text[:start])
    if sign:
        name = _NAME_BEFORE.search(text[: sign.start()])
        values = _values_of(name[1].strip("`") if name else "", known)
        return Completion(start, cursor, tuple(quote_text(value) for value in matching(typed, values)))
    if not typed:
        return Completion(cursor, cursor)
    words = [word for word in matching(typed, _names(known), is_loose=False) if word != typed]
    return Completion(start, cursor, tuple(words[:MOST_WORDS]))


def _values_of(name: str, known: Vocabulary) -> Sequence[str]:
    if name in ("status", "tag"):
        return known.statuses if name == "status" else known.tags
    return known.values.get(name.removeprefix("params."), ())


def _names(known: Vocabulary) -> list[str]:
    """All names as a filter takes them, the shorter spelling first."""
    return [
        *known.fields,
        *(quote_name("param", name) for name in known.params),
        *(quote_name("metric", name) for name in known.metrics),
        *KEYWORDS,
    ]


def complete_column(text: str, cursor: int, known: Vocabulary) -> Completion:
    """The column specification at the cursor, of several with commas between them."""
    start = text.rfind(",", 0, cursor) + 1
    start += len(text[start:cursor]) - len(text[start:cursor].lstrip())
    words = [word for word in _names(known) if word not in KEYWORDS]
    return Completion(start, cursor, matching(text[start:cursor], words))


def complete_metric(text: str, cursor: int, known: Vocabulary) -> Completion:
    """The metric at the cursor, of several with commas between them, as the logs spell it."""
    start = text.rfind(",", 0, cursor) + 1
    start += len(text[start:cursor]) - len(text[start:cursor].lstrip())
    return Completion(start, cursor, matching(text[start:cursor], known.metrics))


def complete_tag(text: str, cursor: int, known: Vocabulary, own: Sequence[str]) -> Completion:
    """The tag at the cursor: all tags behind a plus or without a sign, the runs' own ones behind a minus."""
    start = max(text.rfind(" ", 0, cursor), text.rfind(",", 0, cursor)) + 1
    sign = text[start : start + 1]
    if sign in ("+", "-"):
        start += 1
    return Completion(start, cursor, matching(text[start:cursor], own if sign == "-" else known.tags))


def split_metrics(text: str) -> tuple[str, ...]:
    """Metrics with commas between them; a name with a comma cannot be typed here."""
    return tuple(dict.fromkeys(part.strip() for part in text.split(",") if part.strip()))
