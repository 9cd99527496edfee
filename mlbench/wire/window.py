"""A piece of an event file in memory, and its records by place: numbers are gathered from many of them at once.

A view whose elements overlap (one begins at every byte) lets numpy take eight bytes at any place: 5 ns each.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from mmap import ACCESS_COPY, mmap
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

from mlbench.wire.crc32c import are_closed, closing_word, masked_crc32c_of_lengths, unmasked
from mlbench.wire.tfrecord import FOOTER_BYTES, HEADER_BYTES

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mlbench.model import Float64Array, Int64Array

    UInt8Array = NDArray[np.uint8]
    UInt32Array = NDArray[np.uint32]
    UInt64Array = NDArray[np.uint64]

WINDOW_BYTES = 5 << 17
"""640 KiB, a third of a processor's second cache: the window is passed over several times."""
SLACK_BYTES = 8192
"""Behind the window: a gather at its end may reach beyond."""
FRAME_BYTES = HEADER_BYTES + FOOTER_BYTES
_MANY = 4096
"""Records from which on it pays to look for all headers at once."""
MAX_VARINT_BYTES = 8
"""Longer steps (2**56 and more, and all negative ones) are decoded one by one."""

WALL_KEY, STEP_KEY = 0x09, 0x10
_FRONT = np.dtype(
    {
        "names": ["wall_key", "wall_s", "step_key", "step"],
        "formats": ["u1", "<f8", "u1", "<u8"],
        "offsets": [0, 1, 9, 10],
        "itemsize": 18,
    }
)
_number = cache(np.dtype)
"""A type by its name: to look it up takes longer than to make a view of it."""
_STOPS = np.uint64(0x8080808080808080)
_LOW_BITS = np.uint64(0x0101010101010101)
_ONE = np.uint64(1)


class Window:
    """A buffer that is filled again and again, and views over it."""

    def __init__(self) -> None:
        # At the start of a page, as a file's bytes lie in the kernel's memory: copied to a place a few bytes further on
        # in its page, where a large bytearray lies, they take some processors four times as long (decision 0120).
        self._buffer = mmap(-1, WINDOW_BYTES + SLACK_BYTES, access=ACCESS_COPY)
        self.octets: UInt8Array = np.frombuffer(self._buffer, dtype=np.uint8)
        self._views: dict[int, NDArray[np.void]] = {}
        self.scratch = bytearray(WINDOW_BYTES)
        self.scratched: UInt8Array = np.frombuffer(self.scratch, dtype=np.uint8)
        """For what is worked out of the buffer and forgotten: twice the same bytes."""
        self.n_bytes = 0

    def load(self, file: BinaryIO, offset: int) -> None:
        """Fill the buffer from the file's bytes at `offset`; fewer than a window only at the end of the file."""
        file.seek(offset)
        target = memoryview(self._buffer)[:WINDOW_BYTES]
        self.n_bytes = 0
        while self.n_bytes < WINDOW_BYTES:
            n_read = file.readinto(target[self.n_bytes :])  # type: ignore[attr-defined]
            if not n_read:
                return
            self.n_bytes += n_read

    def walk(self, start: int, most: int) -> Int64Array:
        """Places of the whole records from `start` on, as their lengths tell; shape (n,).

        About so many: fewer where something looks odd, to be asked for again; where many are wanted, up to all of the
        window. Nothing is proved here: a wrong length leads astray, and `seal` will say so.
        """
        if most >= _MANY:
            places = self._chain(start)
            if places.size:
                return places
        return np.array([place for place, _length in self.steps(start, most)], dtype=np.int64)

    def steps(self, start: int, most: int) -> Iterator[tuple[int, int]]:
        """The same from record to record: places, and lengths of the payloads."""
        buffer, n_bytes = self._buffer, self.n_bytes
        position = start
        for _record in range(most):
            if position > n_bytes - FRAME_BYTES:
                break
            length = buffer[position] | buffer[position + 1] << 8 | buffer[position + 2] << 16
            following = position + length + FRAME_BYTES
            if buffer[position + 3] or following > n_bytes:
                break
            yield position, length
            position = following

    def _chain(self, start: int) -> Int64Array:
        """The same for many: every header is looked for at once, and those count that follow each other.

        A header has six zeros in the upper bytes of its length, and the checksum that belongs to that length. The
        loop over records costs four times as much.
        """
        zero = self.octets[start + 2 : self.n_bytes] == 0
        pairs = zero[:-1] & zero[1:]
        fours = pairs[:-2] & pairs[2:]
        candidates = np.flatnonzero(fours[:-2] & pairs[4:]) + start
        candidates = candidates[candidates <= self.n_bytes - FRAME_BYTES]
        if not candidates.size:
            return candidates
        lengths = self.take(candidates, 2).view("<u2")
        checksums = self.take(candidates + 8, FOOTER_BYTES).view("<u4")
        holds = masked_crc32c_of_lengths(lengths.astype(np.uint32)) == checksums
        places, sizes = candidates[holds], lengths[holds].astype(np.int64)
        ends = places + sizes + FRAME_BYTES
        follows = np.concatenate((places[:1] == start, places[1:] == ends[:-1])) & (ends <= self.n_bytes)
        chain: Int64Array = places if follows.all() else places[: int(np.argmin(follows))]
        return chain

    def length(self, place: int) -> int:
        """Of the payload of the record at this place, as the record says."""
        return int.from_bytes(self._buffer[place : place + 4], "little")

    def lengths(self, places: Int64Array) -> Int64Array:
        """Of the payloads of records at these places, as the records say; shape (n,)."""
        return self.take(places, 4).view("<u4").astype(np.int64)

    def take(self, places: Int64Array, n_bytes: int) -> NDArray[np.void]:
        """So many bytes at each place, as raw elements; shape (n,)."""
        taken: NDArray[np.void] = self._view(n_bytes)[places]
        return taken

    def columns(self, start: int, kind: str, n_bytes: int, n_rows: int) -> NDArray[Any]:
        """The numbers in rows of so many bytes as columns: one begins at every byte of a row; shape (n_bytes, n_rows).

        To choose columns by an array costs half a nanosecond a number, since numpy copies each as a whole.

        Args:
            start: where the first row begins.
            kind: the type of the numbers, of at most 8 bytes.
            n_bytes: of a row.
            n_rows: how many rows there are.
        """
        return np.ndarray((n_bytes, n_rows), _number(kind), self._buffer, start, (1, n_bytes))

    def _view(self, n_bytes: int) -> NDArray[np.void]:
        """Elements of so many bytes, one beginning at every byte of the buffer."""
        view = self._views.get(n_bytes)
        if view is None:
            n_places = len(self._buffer) - n_bytes + 1
            view = np.ndarray((n_places,), dtype=f"V{n_bytes}", buffer=self._buffer, strides=(1,))
            self._views[n_bytes] = view
        return view

    def bytes_at(self, start: int, end: int) -> bytes:
        """A copy of a stretch."""
        return self._buffer[start:end]

    def seal(self, places: Int64Array, lengths: Int64Array) -> bool:
        """Close records that follow each other without a gap, and say whether all their checksums hold.

        Their payload checksums are replaced in the buffer: a record can be sealed once only.
        """
        if not places.size:
            return True
        ends = places + lengths + HEADER_BYTES
        stored = self.take(ends, FOOTER_BYTES).view(np.uint32)
        words = unmasked(stored) ^ _closing_words(lengths)
        self._view(FOOTER_BYTES)[ends] = words.view(f"V{FOOTER_BYTES}")
        return are_closed(self.octets[places[0] : ends[-1] + FOOTER_BYTES])

    def fronts(self, places: Int64Array) -> Fronts:
        """Wall time and step of each record, read as if it began as scalars do."""
        raw = self.take(places + HEADER_BYTES, _FRONT.itemsize).view(_FRONT)
        return Fronts(raw)


class Fronts:
    """The first fields of many payloads; all arrays have shape (n,)."""

    __slots__ = ("raw", "step_bytes", "stops")

    def __init__(self, raw: NDArray[np.void]) -> None:
        self.raw = raw
        self.step_bytes: UInt64Array = np.ascontiguousarray(raw["step"])
        ends = ~self.step_bytes & _STOPS
        # The lowest set bit is the top bit of the byte that ends the number.
        self.stops: UInt64Array = ends & (~ends + _ONE)

    @property
    def wall_s(self) -> Float64Array:
        return np.ascontiguousarray(self.raw["wall_s"])

    def widths(self) -> Int64Array:
        """How many bytes wall time and step take with their keys; 0 where the payload does not begin so."""
        n_step = (((self._mask() & _LOW_BITS) * _LOW_BITS) >> np.uint64(56)).astype(np.int64)
        widths = np.where(self.raw["step_key"] == STEP_KEY, n_step + 10, 9)
        is_odd = (self.raw["wall_key"] != WALL_KEY) | ((self.stops == 0) & (widths > 9))
        widths[is_odd] = 0
        return widths

    def steps(self) -> Int64Array:
        """The numbers of up to eight bytes; 0 where there is none."""
        value = self.step_bytes & self._mask()
        value[self.raw["step_key"] != STEP_KEY] = 0
        greatest = int(value.max(initial=0))
        return fold_varints(value, max(1, -(-greatest.bit_length() // 8))).view(np.int64)

    def _mask(self) -> UInt64Array:
        return (self.stops << _ONE) - _ONE


def fold_varints(raw: NDArray[Any], n_bytes: int) -> NDArray[Any]:
    """The numbers that varints of at most so many bytes stand for, in the type of `raw`.

    Args:
        raw: unsigned, of any shape: the bytes of each varint, least significant first. What stands in the bytes beyond
            the first `n_bytes` is left out.
        n_bytes: 1 to 8, and no more than the type has.
    """
    kind, most = raw.dtype.type, (1 << 8 * raw.itemsize) - 1
    value: NDArray[Any] = raw & kind(int.from_bytes(b"\x7f" * n_bytes, "little"))
    # Seven bits of each byte move together: pairs, then fours, then all eight, as far as any number reaches.
    for n_folded, shift, low in (
        (1, 1, 0x007F007F007F007F),
        (2, 2, 0x00003FFF00003FFF),
        (4, 4, 0x000000000FFFFFFF),
    ):
        if n_bytes <= n_folded:
            break
        kept = value & kind(low & most)
        value = kept | ((value ^ kept) >> kind(shift))
    return value


def _closing_words(lengths: Int64Array) -> UInt32Array:
    """The closing word for every length; a window has few that differ."""
    counts = np.bincount(lengths)
    table = np.zeros(counts.size, dtype=np.uint32)
    present = np.flatnonzero(counts)
    table[present] = [closing_word(length) for length in present.tolist()]
    words: UInt32Array = table[lengths]
    return words


_free: list[Window] = []
_MOST_FREE = 4


def take_window() -> Window:
    """A window that nobody else uses: making one costs more than reading a small file."""
    try:
        return _free.pop()
    except IndexError:
        return Window()


def give_back(window: Window) -> None:
    """Let the next reader have it."""
    if len(_free) < _MOST_FREE:
        _free.append(window)
