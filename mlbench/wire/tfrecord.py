"""The framing of event files: records that can be read on from any offset, and what is wrong with the others.

A record is `u64 length | u32 checksum of the length | payload | u32 checksum of the payload`, little-endian.
Both checksums of every record are verified. A file that ends within a record is normal: it is being written.
Format: https://www.tensorflow.org/tutorials/load_data/tfrecord#tfrecords_format_details
"""

from __future__ import annotations

import os
import struct
from collections.abc import Generator, Iterator
from typing import TYPE_CHECKING, BinaryIO, NamedTuple, TypeAlias

from mlbench.wire.crc32c import masked_crc32c, masked_crc32c_of_length, masked_crc32c_of_lengths

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

HEADER_BYTES = 12
FOOTER_BYTES = 4
BLOCK_BYTES = 1 << 20
MAX_RECORD_BYTES = 256 << 20
"""A longer record is taken for damage; the largest genuine one seen (a graph) was 30 MiB."""

_HEADER = struct.Struct("<QI")
_CHECKSUM = struct.Struct("<I")
_FIRST_SEARCH_BYTES = 512
_UPPER_HALF = bytes(4)
_MOST_PLACES = 16
"""Places within a bad payload that are looked at one by one."""
_EARNED = 2
"""Bytes that may be looked at within other records for each byte of the file that was passed."""


class Record(NamedTuple):
    """A record whose checksums both hold."""

    offset: int
    """Of the record, not of its payload."""
    payload: bytes

    @property
    def payload_offset(self) -> int:
        return self.offset + HEADER_BYTES

    @property
    def end(self) -> int:
        return self.offset + HEADER_BYTES + len(self.payload) + FOOTER_BYTES


class Truncated(NamedTuple):
    """The file ends within the record that begins here: read on from here when it has grown."""

    offset: int


class BadPayload(NamedTuple):
    """A record whose length can be trusted and whose payload cannot; it is left out."""

    offset: int
    end: int


class Unfinished(NamedTuple):
    """A record that was begun and not finished: within the bytes that it claims a whole one begins, at `end`.

    A writer was stopped in it, and the next one went on in the same file.
    """

    offset: int
    end: int
    may_end: int = 0
    """Not 0: the file ends before the record would, so that it may be one that is being written and holds others. Once
    the file reaches this offset its checksum tells."""


class BadLength(NamedTuple):
    """No record begins here. Given again and again while the search for the next one goes on."""

    offset: int
    resumed_at: int | None
    """Where the next record begins; None: not found up to `searched`."""
    searched: int
    """No record begins between `offset` and here."""


Item: TypeAlias = Record | Truncated | BadPayload | Unfinished | BadLength


def write_record(payload: bytes) -> bytes:
    """Frame one payload."""
    length = len(payload)
    head = _HEADER.pack(length, masked_crc32c_of_length(length))
    return head + payload + _CHECKSUM.pack(masked_crc32c(payload))


class Allowance:
    """Of bytes within other records that may be looked at: a file that is made for it must not cost for ever.

    The largest record's, and `_EARNED` times what was passed since.
    """

    __slots__ = ("left_bytes",)

    def __init__(self) -> None:
        self.left_bytes = MAX_RECORD_BYTES

    def spend(self, n_bytes: int) -> bool:
        """Whether so much was left."""
        self.left_bytes -= n_bytes
        return self.left_bytes >= 0

    def earn(self, n_bytes: int) -> None:
        """So many bytes of the file were passed."""
        self.left_bytes = min(self.left_bytes + _EARNED * n_bytes, MAX_RECORD_BYTES)


def read_records(
    file: BinaryIO, offset: int = 0, *, searched: int = 0, allowance: Allowance | None = None
) -> Iterator[Item]:
    """Read the records of a file from `offset` to its present end.

    Args:
        file: seekable. Holds at most one record and a block of 1 MiB in memory.
        offset: where a record begins, or the damage that an earlier reading ended in.
        searched: the `searched` of that damage, so that the same bytes are not searched twice.
        allowance: where one reading of a file is made of several calls, shared by them.

    Yields:
        What was found, in the order of the file. `Truncated`, or a `BadLength` that was not resumed, is the
        last item; none of both means that the file ends with a whole record.
    """
    window = _Window(file, offset, allowance or Allowance())
    passed = offset
    while window.fill(HEADER_BYTES):
        wanted_bytes = yield from _whole_records(window)
        window.allowance.earn(window.base - passed)
        passed = window.base
        if wanted_bytes == 0:
            # What was searched is known of the damage at `offset` alone, which may have been mended since.
            if not (yield from _search(window, searched if window.base == offset else 0)):
                return
        elif wanted_bytes <= window.n_bytes or not window.reach(wanted_bytes):
            item = _unsound(window, wanted_bytes)
            if isinstance(item, Truncated):
                break
            yield item
            window.move(item.end)
    if window.n_bytes:
        yield Truncated(window.base)


class _Window:
    """The part of the file that is in memory: `buffer` from `start` on, which is the file's offset `base`."""

    __slots__ = ("allowance", "base", "buffer", "file", "known_bytes", "start")

    def __init__(self, file: BinaryIO, base: int, allowance: Allowance) -> None:
        self.file = file
        self.base = base
        self.buffer = b""
        self.start = 0
        self.known_bytes = 0
        """Of the file, when it was last asked."""
        self.allowance = allowance
        file.seek(base)

    @property
    def n_bytes(self) -> int:
        return len(self.buffer) - self.start

    def content(self, first: int, stop: int) -> bytes:
        """The bytes from `first` of the window to before `stop`, as far as they are there."""
        return self.buffer[self.start + first : self.start + stop]

    def fill(self, wanted_bytes: int) -> bool:
        """Read until the window has so many bytes; False if the file ends before.

        Reads block by block: a length that lies cannot make the buffer larger than the file.
        """
        size = self.n_bytes
        if size >= wanted_bytes:
            return True
        chunks = [self.buffer[self.start :]]
        self.buffer = b""  # let go of, so that what is read may take its place
        while size < wanted_bytes:
            chunk = self.file.read(BLOCK_BYTES)
            if not chunk:
                break
            chunks.append(chunk)
            size += len(chunk)
        self.buffer, self.start = b"".join(chunks), 0
        return size >= wanted_bytes

    def reach(self, wanted_bytes: int) -> bool:
        """The same, but where the file ends before nothing is read."""
        stop = self.base + wanted_bytes
        if stop > self.known_bytes:
            here = self.file.tell()
            self.known_bytes = self.file.seek(0, os.SEEK_END)
            self.file.seek(here)
        return stop <= self.known_bytes and self.fill(wanted_bytes)

    def drop(self, n_bytes: int) -> None:
        """Nothing is copied before half of a large buffer was dropped: there may be much damage in it."""
        self.start += n_bytes
        self.base += n_bytes
        if self.start > max(BLOCK_BYTES, len(self.buffer) // 2):
            self.buffer, self.start = self.buffer[self.start :], 0

    def move(self, offset: int) -> None:
        """Let the window begin at a later offset, which may lie beyond it."""
        if offset <= self.base + self.n_bytes:
            self.drop(offset - self.base)
        else:
            self.file.seek(offset)
            self.buffer, self.start = b"", 0
            self.base = offset


def _whole_records(window: _Window) -> Generator[Item, None, int]:
    """Yield the records that lie whole in the window, up to one that may hold another, and leave the rest in it.

    Returns:
        How many bytes the next record needs, no more than the window has where its payload is bad; 0: what comes
        next is no record.
    """
    buffer, base = window.buffer, window.base - window.start
    size = len(buffer)
    position = window.start
    # Bound to names of this function: the loop runs once for every point of every log.
    header_at, checksum_at = _HEADER.unpack_from, _CHECKSUM.unpack_from
    while True:
        if size - position < HEADER_BYTES:
            wanted_bytes = HEADER_BYTES
            break
        length, checksum = header_at(buffer, position)
        if length > MAX_RECORD_BYTES or masked_crc32c_of_length(length) != checksum:
            wanted_bytes = 0
            break
        footer = position + HEADER_BYTES + length
        if footer + FOOTER_BYTES > size:
            wanted_bytes = footer + FOOTER_BYTES - position
            break
        payload = buffer[position + HEADER_BYTES : footer]
        end = footer + FOOTER_BYTES
        if masked_crc32c(payload) == checksum_at(buffer, footer)[0]:
            yield Record(base + position, payload)
        elif end + HEADER_BYTES > size or _may_hold_another(buffer, position, end):
            wanted_bytes = end - position
            break
        else:
            yield BadPayload(base + position, base + end)
        position = end
    window.move(base + position)
    return wanted_bytes


def _may_hold_another(buffer: bytes, start: int, end: int) -> bool:
    """Whether a length whose checksum holds may begin between: false is sure, and cheap where payloads are short."""
    found = start + 4  # of a length between, the upper half is zeros
    for _place in range(_MOST_PLACES):
        found = buffer.find(_UPPER_HALF, found + 1, end + _HEADER.size - 5)
        if found < 0:
            return False
        length, checksum = _HEADER.unpack_from(buffer, found - 4)
        if length <= MAX_RECORD_BYTES and masked_crc32c_of_length(length) == checksum:
            return True
    return True


def _unsound(window: _Window, n_bytes: int) -> Truncated | BadPayload | Unfinished:
    """Tell what the record of so many bytes is that the window begins with: it is not sound, or not whole.

    Where a writer was stopped in a record and another one went on in the same file, the bytes that the record claims
    are those of the following ones, which are looked for with both checksums. It is the same whether the file is read
    as a whole or while it grows, for one whose length is there and whose payload is not is waited for.
    """
    offset, end = window.base, window.base + n_bytes
    is_whole = n_bytes <= window.n_bytes
    within, is_waited_for = _sound_within(window, n_bytes)
    if 0 < within < n_bytes:
        if is_whole:
            window.allowance.spend(n_bytes)
        return Unfinished(offset, offset + within, 0 if is_whole else end)
    if is_whole and (within or not is_waited_for):
        return BadPayload(offset, end)
    return Truncated(offset)


def _sound_within(window: _Window, n_bytes: int) -> tuple[int, bool]:
    """Find the first sound record that begins within the first `n_bytes` of the window, but not at its start.

    One that ends later than the largest record would is not looked at, nor is any where nothing is allowed any more.

    Returns:
        Its place in the window; 0: there is none. Whether the file ends within one that might be sound: then the
        place may also lie behind these bytes.
    """
    is_more, is_waited_for, at, until, stretch_bytes = True, False, 1, n_bytes, _FIRST_SEARCH_BYTES
    while is_more and at < until and window.allowance.spend(stretch_bytes):
        upto = min(at + stretch_bytes, until)
        is_more = window.fill(upto + HEADER_BYTES - 1)
        for place, length in _headers_in(window.content(at, upto + HEADER_BYTES - 1)):
            footer = at + place + HEADER_BYTES + length
            if footer > MAX_RECORD_BYTES + HEADER_BYTES:
                continue
            if not window.reach(footer + FOOTER_BYTES):
                is_waited_for, until = True, max(until, footer)  # the end of the file
                continue
            if not window.allowance.spend(length):
                return 0, False
            checksum = _CHECKSUM.unpack(window.content(footer, footer + FOOTER_BYTES))[0]
            if masked_crc32c(window.content(footer - length, footer)) == checksum:
                return at + place, is_waited_for
        at, stretch_bytes = upto, min(2 * stretch_bytes, BLOCK_BYTES)
    return 0, is_waited_for


def _search(window: _Window, searched: int) -> Generator[Item, None, bool]:
    """Move the window to the next header that holds; False if there is none up to the end of the file.

    The stretch looked at grows from 512 bytes, so that damage in every record costs no more than reading.
    """
    damage = window.base
    window.move(max(damage + 1, searched))
    stretch_bytes = _FIRST_SEARCH_BYTES
    while True:
        is_more = window.fill(stretch_bytes + HEADER_BYTES - 1)
        found = _headers_in(window.content(0, stretch_bytes + HEADER_BYTES - 1))
        if found:
            window.drop(found[0][0])
            yield BadLength(damage, window.base, window.base)
            return True
        if not is_more:
            yield BadLength(damage, None, window.base + max(0, window.n_bytes - HEADER_BYTES + 1))
            return False
        window.drop(stretch_bytes)
        if stretch_bytes == BLOCK_BYTES:
            _skip_hole(window)
            yield BadLength(damage, None, window.base)
        stretch_bytes = min(2 * stretch_bytes, BLOCK_BYTES)


def _headers_in(content: bytes) -> list[tuple[int, int]]:
    """Places of the length fields whose checksums hold and that a record may have, and the lengths."""
    import numpy as np

    octets = np.frombuffer(content, dtype=np.uint8)
    n = len(content) - HEADER_BYTES + 1
    if n <= 0 or not octets.any():
        return []
    # No record reaches 4 GiB, so the upper half of a length is zero: few places are left to be checked.
    upper = octets[4 : 4 + n] | octets[5 : 5 + n] | octets[6 : 6 + n] | octets[7 : 7 + n]
    places = np.flatnonzero(upper == 0)
    lengths = _u32_at(octets, places)
    holds = (masked_crc32c_of_lengths(lengths) == _u32_at(octets, places + 8)) & (lengths <= MAX_RECORD_BYTES)
    return list(zip(places[holds].tolist(), lengths[holds].tolist(), strict=True))


def _u32_at(octets: NDArray[np.uint8], places: NDArray[np.int64]) -> NDArray[np.uint32]:
    import numpy as np

    word = octets[places].astype(np.uint32)
    for byte in (1, 2, 3):
        word |= octets[places + byte].astype(np.uint32) << np.uint32(8 * byte)
    return word


def _skip_hole(window: _Window) -> None:
    """Jump over a hole of a sparse file, which reads as zeros: a terabyte of them is made in no time."""
    try:
        fd = window.file.fileno()
        here = os.lseek(fd, 0, os.SEEK_CUR)
    except OSError:
        return
    try:
        following = os.lseek(fd, window.base, os.SEEK_DATA)
    except OSError:
        following = os.fstat(fd).st_size
    finally:
        os.lseek(fd, here, os.SEEK_SET)
    # A header may begin with zeros of the hole, but it never ends with them.
    window.move(max(window.base, following - HEADER_BYTES + 1))
