"""Texts that are too wide for their room, cut so that they still tell apart what they name."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from itertools import zip_longest

from mlbench.render.cells import ELLIPSIS, fit_middle, take_cells, take_last_cells, width_cells
from mlbench.safe import Safe, safe

MOST_WORDS = 12
"""Texts of more words are cut in their middle."""
LEAST_WORD_CELLS = 2


@lru_cache(maxsize=16)
def fit_apart(texts: tuple[Safe, ...], width: int) -> tuple[Safe, ...]:
    """The texts in at most `width` columns, cut at one place: near the middle, and where most of them stay apart.

    Where no place tells all of them apart their words are shortened: `adam lr=0.01 width=64` is `a… l=0.01 w=64`.
    """
    middle = (width - 1) // 2
    if width < 3 or all(width_cells(text) <= width for text in texts):
        return tuple(fit_middle(text, width) for text in texts)
    best: tuple[Safe, ...] = ()
    for n_tail in sorted(range(width), key=lambda tail: abs(tail - middle)):
        found = tuple(_cut(text, width, n_tail) for text in texts)
        if len(set(found)) > len(set(best)):
            best = found
        if len(set(best)) == len(set(texts)):
            return best
    shortened = _by_words(texts, width)
    return shortened if len(set(shortened)) > len(set(best)) else best


def fit_each(texts: Sequence[Safe], rooms: Sequence[int]) -> tuple[Safe, ...]:
    """Each text in a room of its own, cut in its middle; where two would look alike all by `fit_apart` in the least."""
    cut = tuple(fit_middle(text, room) for text, room in zip(texts, rooms, strict=True))
    return cut if len(set(cut)) == len(set(texts)) else fit_apart(tuple(texts), min(rooms))


def _cut(text: Safe, width: int, n_tail: int) -> Safe:
    if width_cells(text) <= width:
        return text
    return take_cells(text, width - 1 - n_tail) + safe(ELLIPSIS) + take_last_cells(text, n_tail)


def _by_words(texts: Sequence[Safe], width: int) -> tuple[Safe, ...]:
    """The texts without words that all have (but for a count at the end), then with shorter words, then with fewer.

    () where that is still too wide, or where there is one word only.
    """
    columns = [list(words) for words in zip_longest(*(text.split(" ") for text in texts), fillvalue="")]
    if not 1 < len(columns) <= MOST_WORDS:
        return ()
    n_apart = len(set(texts))
    columns = [words for words in columns if len(set(words)) > 1 or words[0].startswith("(")] or columns
    for place in (None, *_least_telling(columns, n_apart)):
        if place is not None:
            columns[place] = [""] * len(texts)
        narrower = list(columns)
        while _widest(narrower) > width and _narrow(narrower, n_apart):
            pass
        if _widest(narrower) <= width:
            return tuple(map(safe, _joined(narrower)))
    return ()


def _least_telling(columns: Sequence[Sequence[str]], n_apart: int) -> list[int]:
    """The places of words without which all texts are still told apart, those with the fewest values first."""
    left = list(columns)
    places: list[int] = []
    for place in sorted(range(len(columns)), key=lambda place: (len(set(columns[place])), -place)):
        without = [*left[:place], [""] * len(left[place]), *left[place + 1 :]]
        if len(set(_joined(without))) == n_apart:
            left = without
            places.append(place)
    return places


def _narrow(columns: list[list[str]], n_apart: int) -> bool:
    """Make the widest column of words that can be narrower one cell narrower; False where none can."""
    for place in sorted(range(len(columns)), key=lambda place: -max(map(width_cells, columns[place]))):
        before = columns[place]
        most = max(map(width_cells, before))
        columns[place] = [_short(word, most - 1) for word in before]
        if columns[place] != before and len(set(_joined(columns))) == n_apart:
            return True
        columns[place] = before
    return False


def _short(word: str, room: int) -> str:
    """The word in `room` cells: of `width=64` the name is cut, of other words the end; a value is never cut."""
    if width_cells(word) <= room or not word[:1].isalnum():
        return word
    name, is_setting, value = word.partition("=")
    n_name = room - width_cells(value) - 1
    if is_setting:
        return f"{take_cells(safe(name), n_name)}={value}" if n_name > 0 else word
    bare = word.removesuffix(ELLIPSIS)
    return take_cells(safe(bare), room - 1) + ELLIPSIS if room >= LEAST_WORD_CELLS else word


def _joined(columns: Sequence[Sequence[str]]) -> list[str]:
    return [" ".join(filter(None, words)) for words in zip(*columns, strict=True)]


def _widest(columns: Sequence[Sequence[str]]) -> int:
    return max(map(width_cells, _joined(columns)), default=0)
