"""Many run ids in one piece of memory: 100,000 texts of twelve letters take 7 MB, their letters 1.2."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import overload

FEW = 1_000
"""So many are kept as they are."""
_CHUNK = 4_096


class Ids(Sequence[str]):
    """Texts of one length, one after another; compares and slices as a tuple of them would."""

    __slots__ = ("text", "width")

    def __init__(self, text: str, width: int) -> None:
        """Take the texts joined, each of `width` characters, at least 1."""
        self.text = text
        self.width = width

    def __len__(self) -> int:
        return len(self.text) // self.width

    @overload
    def __getitem__(self, place: int) -> str: ...
    @overload
    def __getitem__(self, place: slice) -> tuple[str, ...]: ...
    def __getitem__(self, place: int | slice) -> str | tuple[str, ...]:
        width = self.width
        if isinstance(place, slice):
            return tuple([self.text[at * width : (at + 1) * width] for at in range(*place.indices(len(self)))])
        n = len(self)
        if not -n <= place < n:
            raise IndexError(place)
        at = place % n
        return self.text[at * width : (at + 1) * width]

    def __iter__(self) -> Iterator[str]:
        width = self.width
        return (self.text[at : at + width] for at in range(0, len(self.text), width))

    def __contains__(self, value: object) -> bool:
        return isinstance(value, str) and self._find(value) >= 0

    def index(self, value: str, start: int = 0, stop: int | None = None) -> int:
        """The place of a text. Raises ValueError if it is not there."""
        place = self._find(value, start)
        if place < 0 or (stop is not None and place >= stop):
            raise ValueError(f"{value!r} is not there")
        return place

    def _find(self, value: str, start: int = 0) -> int:
        """The place of a text; -1 where it is not, also where it lies over two of them."""
        at = self.text.find(value, start * self.width) if len(value) == self.width else -1
        while at % self.width and at >= 0:
            at = self.text.find(value, at + 1)
        return at // self.width if at >= 0 else -1

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Ids):
            return (self.text, self.width) == (other.text, other.width)
        return isinstance(other, tuple) and len(self) == len(other) and all(map(str.__eq__, self, other))

    def __hash__(self) -> int:
        return hash(self.text)


def packed_ids(ids: Iterable[str]) -> Sequence[str]:
    """The ids: many of one length as `Ids`, all others as a tuple."""
    rest = iter(ids)
    first = tuple(islice(rest, FEW + 1))
    if len(first) <= FEW:
        return first
    width = len(first[0])
    parts: list[str] = []
    chunk = first
    while chunk:
        if not width or any(len(one) != width for one in chunk):
            known = Ids("".join(parts), width) if parts else ()
            return (*known, *chunk, *rest)
        parts.append("".join(chunk))
        chunk = tuple(islice(rest, _CHUNK))
    return Ids("".join(parts), width)
