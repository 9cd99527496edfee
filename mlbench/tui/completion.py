"""What could be typed next, in the query and in the other prompts. Pure."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence

from mlbench.dataclass import dataclass
from mlbench.queries import completing
from mlbench.queries.tree import Ref, quote_name
from mlbench.tui.session import Vocabulary

_SEPARATORS = re.compile(r"[/._ ]")
MOST_WORDS = 8
"""Candidates at a time: more is a list to read, and not a hint."""
MOST_OF_A_KIND = 40
"""Candidates of each kind that are ranked: a word that begins as typed comes before others, of whichever kind."""
_KIND = re.compile(r"^(?:params|metrics|tags|run|git|data|env)\.")
PARTS, LOOSE = 3, 4
"""Rank of a word whose parts begin with the typed ones (`v/l`: `val/loss`), and of one that has the typed letters in
order, but others between them."""


@dataclass(frozen=True, slots=True)
class Completion:
    """Words that may stand from `start` to `end`, the likeliest first."""

    start: int = 0
    end: int = 0
    words: tuple[str, ...] = ()


def matching(typed: str, words: Iterable[str], *, most: int = MOST_WORDS, is_loose: bool = True) -> tuple[str, ...]:
    """The words that the typed letters fit: at the beginning, then at the beginning of a part, then anywhere, then,
    where it is loose, part by part (`v/l` fits `val/loss`), and in order with others between (`val/recall`, too). Case
    does not matter.
    """
    lower = typed.lower()
    ranked: list[tuple[int, int, str]] = []
    for place, word in enumerate(dict.fromkeys(words)):
        rank = _rank(lower, word.lower())
        if rank is not None and (is_loose or rank < PARTS):
            ranked.append((rank, place, word))
    return tuple(word for _rank_, _place, word in sorted(ranked)[:most])


def _rank(typed: str, word: str) -> int | None:
    if not typed or word.startswith(typed):
        return 0
    found = word.find(typed)
    if found > 0:
        return 1 if not word[found - 1].isalnum() else 2
    begins = _SEPARATORS.split(typed)
    parts = iter(_SEPARATORS.split(word))
    if len(begins) > 1 and all(any(part.startswith(begin) for part in parts) for begin in begins):
        return PARTS
    letters = iter(word)
    return LOOSE if all(letter in letters for letter in typed) else None


def fitting(typed: str, specs: Iterable[str], *, first: Collection[str] = ()) -> list[str]:
    """Column specifications in the order in which the typed letters fit their names, the best first; those that the
    letters do not fit come last.

    Args:
        typed: with the kind (`metrics.`) or without.
        specs: in the order in which they are taken where they fit alike.
        first: these come before others that fit as well, such as the columns that are shown.
    """
    lower = typed.lower()
    places = {spec: place for place, spec in enumerate(dict.fromkeys(specs))}

    def order(spec: str) -> tuple[int, bool, int]:
        word = spec.lower()
        ranks = [rank for text in (word, _KIND.sub("", word)) if (rank := _rank(lower, text)) is not None]
        return min(ranks, default=LOOSE + 1), spec not in first, places[spec]

    return sorted(places, key=order)


def complete_query(text: str, cursor: int, known: Vocabulary) -> Completion:
    """Names of fields, parameters and metrics; values behind a sign; tags behind `tag:`."""
    found = completing.complete_filter(text, cursor, _Memory(known), most=MOST_OF_A_KIND * 3)
    is_value = any(one.kind == "value" for one in found.candidates)
    if found.start == cursor and not is_value:
        return Completion(cursor, cursor)  # nothing was typed yet: a list of all there is would only hide the table
    return _plain(found, text)


def complete_column(text: str, cursor: int, known: Vocabulary, *, first: Collection[str] = ()) -> Completion:
    """The column specification at the cursor, of several with commas between them; `first` as `fitting` has it."""
    found = completing.complete_column(text, cursor, _Memory(known, is_loose=True), most=MOST_OF_A_KIND * 3)
    return _plain(found, text, first)


def _plain(found: completing.Completion, text: str, first: Collection[str] = ()) -> Completion:
    words = [one.text for one in found.candidates]
    if not any(one.kind == "value" for one in found.candidates):
        words = fitting(text[found.start : found.end].strip("-`\"'"), words, first=first)
    return Completion(found.start, found.end, tuple(words[:MOST_WORDS]))


@dataclass(frozen=True, slots=True)
class _Memory:
    """The names and values that the workbench holds, so that nothing is asked of the catalog while typing."""

    vocabulary: Vocabulary
    is_loose: bool = False

    def names(self, kind: str, typed: str, most: int) -> Sequence[str]:
        """Names of parameters, metrics and tags."""
        held = {"param": self.vocabulary.params, "metric": self.vocabulary.metrics, "tag": self.vocabulary.tags}
        return matching(typed, held.get(kind, ()), most=min(most, MOST_OF_A_KIND), is_loose=self.is_loose)

    def values(self, ref: Ref, typed: str, most: int) -> Sequence[str]:
        """Values of a parameter, and the tags."""
        held = self.vocabulary.values.get(ref.name if ref.kind == "param" else quote_name(ref.kind, ref.name), ())
        words = self.vocabulary.tags if (ref.kind, ref.name) == ("field", "tag") else held
        return matching(typed, words, most=min(most, MOST_WORDS))


def complete_metric(text: str, cursor: int, known: Vocabulary, *, first: Sequence[str] = ()) -> Completion:
    """The metric at the cursor, of several with commas between them, as the logs spell it; `first` come first."""
    start = text.rfind(",", 0, cursor) + 1
    start += len(text[start:cursor]) - len(text[start:cursor].lstrip())
    words = dict.fromkeys((*matching(text[start:cursor], first), *matching(text[start:cursor], known.metrics)))
    return Completion(start, cursor, tuple(words)[:MOST_WORDS])


def complete_tag(text: str, cursor: int, known: Vocabulary, own: Sequence[str]) -> Completion:
    """The tag at the cursor: all tags behind a plus or without a sign, the runs' own ones behind a minus."""
    start = max(text.rfind(" ", 0, cursor), text.rfind(",", 0, cursor)) + 1
    sign = text[start : start + 1]
    if sign in ("+", "-"):
        start += 1
    words = own if sign == "-" else known.tags
    return Completion(start, cursor, matching(text[start:cursor], words, is_loose=False))


def split_metrics(text: str) -> tuple[str, ...]:
    """Metrics with commas between them; a name with a comma cannot be typed here."""
    return tuple(dict.fromkeys(part.strip() for part in text.split(",") if part.strip()))
