"""The shapes of scalar records: payloads of one shape differ in wall time, step and values only.

A shape is learned from one decoded payload. From then on, records of that shape are recognised thousands at once:
what stands behind the step is gathered into rows of 64-bit words, the values are masked out, and a multiplicative
hash names the one shape that it can be; then all other bytes are compared, so that nothing is ever guessed.
"""

from __future__ import annotations

from array import array
from collections.abc import Collection
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from mlbench.wire.events import SCALAR, Event
from mlbench.wire.tfrecord import HEADER_BYTES
from mlbench.wire.window import MAX_VARINT_BYTES, STEP_KEY, WALL_KEY, Window

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mlbench.model import Int64Array

    UInt64Array = NDArray[np.uint64]
    Int32Array = NDArray[np.int32]

MAX_SHAPES = 65_536
MAX_TAIL_BYTES = 4096
"""Of a payload behind its step; a longer one (with a hundred values and more) is decoded one by one."""
MAX_LAYOUTS = 8
"""Layouts tried for one length; more are not learned."""
VALUE_BYTES = 4
_WALL_BYTES = 9
_SIMPLE_VALUE = 0x15
_CONTINUES = 0x80
_MANY_GROUPS = 16
_GOLDEN = 0x9E3779B97F4A7C15
_MAX_TABLE_BITS = 20
_ALL = (1 << 64) - 1


class Shapes:
    """All shapes learned so far. They hold for every file, but for tensors of a tag whose plugin says otherwise."""

    def __init__(self) -> None:
        self._layouts: dict[int, list[_Layout]] = {}
        self._tags: dict[str, int] = {}
        self.tags: list[str] = []
        """By tag number."""
        self._values = _Values()
        self._flat: _Flat | None = None

    @property
    def n_shapes(self) -> int:
        return len(self._values.n_values)

    @property
    def is_full(self) -> bool:
        """Nothing more is learned: the next file had better begin with a new set."""
        return self.n_shapes >= MAX_SHAPES

    @property
    def flat(self) -> _Flat:
        """The shapes as arrays."""
        if self._flat is None:
            self._flat = _Flat(self._values)
        return self._flat

    def learn(self, payload: bytes, event: Event) -> bool:
        """Remember the payload's shape if it is scalars alone, behind wall time and step; whether it is new."""
        tail = payload[event.summary_at :]
        if event.summary_at < 0 or not event.values or len(tail) > MAX_TAIL_BYTES or payload[0] != WALL_KEY:
            return False
        if event.summary_at != _WALL_BYTES and payload[_WALL_BYTES] != STEP_KEY:
            return False
        if any(value.kind != SCALAR or value.number_at < 0 or value.is_tag_damaged for value in event.values):
            return False
        if self.is_full:
            return False
        places = tuple(value.number_at - event.summary_at for value in event.values)
        is_increasing = all(place + VALUE_BYTES <= following for place, following in pairwise((*places, len(tail))))
        layout = self._layout(len(tail), places) if is_increasing else None
        if layout is None or not layout.add(tail, self.n_shapes):
            return False
        self._values.tags.extend(self._number(value.tag) for value in event.values)
        self._values.ends.extend(len(tail) - place for place in places)
        self._values.n_values.append(len(places))
        self._values.has_tensor.append(any(payload[value.number_at - 1] != _SIMPLE_VALUE for value in event.values))
        self._flat = None
        return True

    def _number(self, tag: str) -> int:
        number = self._tags.setdefault(tag, len(self._tags))
        if number == len(self.tags):
            self.tags.append(tag)
        return number

    def _layout(self, n_bytes: int, places: tuple[int, ...]) -> _Layout | None:
        layouts = self._layouts.setdefault(n_bytes, [])
        for layout in layouts:
            if layout.places == places:
                return layout
        if len(layouts) == MAX_LAYOUTS:
            return None
        layouts.append(_Layout(n_bytes, places))
        return layouts[-1]

    def classify(self, window: Window, places: Int64Array, lengths: Int64Array) -> tuple[Int32Array, Int64Array]:
        """Say which shape each record has.

        Args:
            window: where the records lie.
            places: shape (n,), offsets of whole records in the window.
            lengths: shape (n,), of their payloads.

        Returns:
            Shape numbers, -1 where none fits; and the widths of wall time and step (`Fronts.widths`). Shape (n,).
        """
        shapes = np.full(places.size, -1, dtype=np.int32)
        widths = window.fronts(places).widths()
        tails = lengths - widths
        tails[(widths == 0) | (tails < 0) | (tails > MAX_TAIL_BYTES)] = 0
        at = places + (HEADER_BYTES + widths)
        for n_bytes, rows in _groups(tails):
            for layout in self._layouts.get(n_bytes, ()):
                found = layout.find(window, at[rows])
                shapes[rows] = found
                rows = rows[found < 0]
                if not rows.size:
                    break
        return shapes, widths

    def recognise(self, payload: bytes) -> int:
        """The shape of one payload, -1 where none fits: the short way when there are few."""
        if len(payload) < _WALL_BYTES + 1 or payload[0] != WALL_KEY:
            return -1
        at = _WALL_BYTES
        if payload[at] == STEP_KEY:
            at += 1
            while at < len(payload) and payload[at] >= _CONTINUES:
                at += 1
            at += 1
            if at > _WALL_BYTES + 1 + MAX_VARINT_BYTES:
                return -1
        tail = int.from_bytes(payload[at:], "little")
        for layout in self._layouts.get(len(payload) - at, ()):
            number = layout.known.get(tail & layout.kept)
            if number is not None:
                return number
        return -1

    def blocked(self, plugins: Collection[str]) -> NDArray[np.bool_]:
        """Shapes of tensors whose tag is one of these: its plugin, and not the bytes, says what it is."""
        numbers = np.array([self._tags[tag] for tag in plugins if tag in self._tags], dtype=np.int32)
        flat = self.flat
        is_theirs = np.isin(flat.tags, numbers)
        if not is_theirs.any():
            return np.zeros(self.n_shapes, dtype=np.bool_)
        blocked: NDArray[np.bool_] = np.logical_or.reduceat(is_theirs, flat.first) & flat.has_tensor
        return blocked


class _Values:
    """The values of all shapes, one after another, in arrays that grow."""

    def __init__(self) -> None:
        self.n_values = array("q")
        """This and `has_tensor`: one for each shape."""
        self.has_tensor = array("b")
        self.tags = array("i")
        """This and `ends`: one for each value of each shape."""
        self.ends = array("q")


class _Flat:
    """The values of all shapes as they are now."""

    def __init__(self, values: _Values) -> None:
        self.n_values = np.array(values.n_values, dtype=np.int64)
        self.has_tensor = np.array(values.has_tensor, dtype=np.bool_)
        self.first = np.cumsum(self.n_values) - self.n_values
        """Where the values of each shape begin in `tags` and `ends`."""
        self.tags = np.array(values.tags, dtype=np.int32)
        self.ends = np.array(values.ends, dtype=np.int64)
        """How far before the payload's end each value lies."""
        self.is_single = bool((self.n_values == 1).all())
        """Every shape has one value: the number of a shape is the place of its value."""


def _groups(tails: Int64Array) -> list[tuple[int, Int64Array]]:
    """The records of each length of tail, without those of length 0."""
    counts = np.bincount(tails, minlength=1)
    counts[0] = 0
    present = np.flatnonzero(counts)
    if present.size <= _MANY_GROUPS:
        return [(int(n_bytes), np.flatnonzero(tails == n_bytes)) for n_bytes in present]
    order = np.argsort(tails.astype(np.uint16), kind="stable")  # 16 bits: sorted by radix
    ends = np.cumsum(np.bincount(tails)[1:]) + int((tails == 0).sum())
    return [(int(n_bytes), order[ends[n_bytes - 1] - counts[n_bytes] : ends[n_bytes - 1]]) for n_bytes in present]


class _Layout:
    """Shapes whose values lie at the same places behind the step."""

    def __init__(self, n_bytes: int, places: tuple[int, ...]) -> None:
        self.places = places
        self._n_words = -(-n_bytes // 8)
        mask = np.zeros(self._n_words * 8, dtype=np.uint8)
        mask[:n_bytes] = 0xFF
        for place in places:
            mask[place : place + VALUE_BYTES] = 0
        self._mask: UInt64Array = mask.view(np.uint64)
        self.kept = int.from_bytes(mask.tobytes(), "little")
        """The mask as one number, for tails as numbers."""
        self.known: dict[int, int] = {}
        """The shape of each masked tail."""
        self._factors: UInt64Array = np.array([_factor(word) for word in range(self._n_words)], dtype=np.uint64)
        self._rows: UInt64Array = np.zeros((1, self._n_words), dtype=np.uint64)
        """This and both below grow by doubling; a row that is not used yet is never named by the table."""
        self._hashes: UInt64Array = np.zeros(1, dtype=np.uint64)
        self._numbers: Int32Array = np.zeros(1, dtype=np.int32)
        self._bits = 8
        self._table = np.full(1 << self._bits, -1, dtype=np.int32)

    def add(self, tail: bytes, number: int) -> bool:
        """Add a shape; False where it is known or its hash cannot be told from another's."""
        kept = int.from_bytes(tail, "little") & self.kept
        if kept in self.known:
            return False
        row = np.frombuffer(tail.ljust(self._n_words * 8, b"\0"), dtype=np.uint64) & self._mask
        hashed = self._hash(row[None, :])[0]
        if not self._make_room(int(hashed)):
            return False
        place = len(self.known)
        if place == len(self._rows):
            self._rows = np.concatenate((self._rows, np.zeros_like(self._rows)))
            self._hashes = np.concatenate((self._hashes, np.zeros_like(self._hashes)))
            self._numbers = np.concatenate((self._numbers, np.zeros_like(self._numbers)))
        self._rows[place], self._hashes[place], self._numbers[place] = row, hashed, number
        self._table[int(hashed) >> 64 - self._bits] = place
        self.known[kept] = number
        return True

    def _make_room(self, hashed: int) -> bool:
        """Have an empty slot for a hash; False where no table of a bearable size tells it from another.

        Slots are the upper bits of hashes: those that differ in some bits differ in more, so that only the one shape
        in the way has to be looked at when the table grows.
        """
        in_the_way = int(self._table[hashed >> 64 - self._bits])
        if in_the_way < 0:
            return True
        bits = 65 - (hashed ^ int(self._hashes[in_the_way])).bit_length()
        if bits > _MAX_TABLE_BITS:
            return False
        n_known = len(self.known)
        self._bits = bits
        self._table = np.full(1 << bits, -1, dtype=np.int32)
        self._table[self._slots(self._hashes[:n_known])] = np.arange(n_known, dtype=np.int32)
        return True

    def _hash(self, rows: UInt64Array) -> UInt64Array:
        mixed: UInt64Array = rows[:, 0] * self._factors[0]
        for word in range(1, self._n_words):
            mixed = (mixed ^ (mixed >> np.uint64(29))) * self._factors[0] + rows[:, word] * self._factors[word]
        mixed ^= mixed >> np.uint64(32)
        mixed *= self._factors[0]
        return mixed

    def _slots(self, hashes: UInt64Array) -> Int64Array:
        return (hashes >> np.uint64(64 - self._bits)).astype(np.int64)

    def find(self, window: Window, at: Int64Array) -> Int32Array:
        """The shape of what stands at each place, -1 where it is none of these; shape (n,)."""
        rows = window.take(at, self._n_words * 8).view(np.uint64).reshape(-1, self._n_words) & self._mask
        known = self._table[self._slots(self._hash(rows))]
        same = (rows == self._rows[known]).all(axis=1) & (known >= 0)
        return np.where(same, self._numbers[known], np.int32(-1)).astype(np.int32, copy=False)


def _factor(word: int) -> int:
    """An odd multiplier of 64 bits for each word: the finaliser of splitmix64 (Steele, Lea, Flood, 2014)."""
    mixed = (word + 1) * _GOLDEN & _ALL
    mixed = (mixed ^ mixed >> 30) * 0xBF58476D1CE4E5B9 & _ALL
    mixed = (mixed ^ mixed >> 27) * 0x94D049BB133111EB & _ALL
    return (mixed ^ mixed >> 31) | 1
