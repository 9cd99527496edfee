"""The records of a `.wandb` file of Weights & Biases: LevelDB log blocks, read by hand.

Seven bytes `:W&B`, 0xBEE1, version 0; then blocks of 32 KiB (the first holds those seven) with records of
`crc32 u32 | length u16 | type u8 | data`, type 1 whole, 2 first, 3 middle, 4 last part; fewer than seven bytes at the
end of a block are padding. A file that ends within a record is the normal state of a run that goes on or was killed.
What a record says: `wire/wandblog.py`.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from typing import BinaryIO

from mlbench.dataclass import dataclass

MAGIC = b":W&B"
HEADER_BYTES = 7
BLOCK_BYTES = 32_768
MAX_RECORD_BYTES = 64 << 20
_FRAME = struct.Struct("<IHB")
_TYPE_BYTES = tuple(bytes([kind]) for kind in range(256))
_WHOLE, _FIRST, _MIDDLE, _LAST = 1, 2, 3, 4


@dataclass(slots=True)
class Framing:
    """What was found between the records, filled while they are read."""

    n_records: int = 0
    n_bad: int = 0
    """Frames with a wrong checksum, parts without their beginning, records beyond the limit."""
    first_bad: int = 0
    """Byte offset of the first of them."""
    is_truncated: bool = False
    is_foreign: bool = False
    """The file does not begin as a `.wandb` file does; nothing was read."""

    def bad(self, offset: int) -> None:
        self.first_bad = self.first_bad if self.n_bad else offset
        self.n_bad += 1


def read_records(file: BinaryIO, framing: Framing) -> Iterator[bytes]:
    """The records of a `.wandb` file whose checksum holds, in order."""
    head = file.read(HEADER_BYTES)
    if not head:
        return
    if not head.startswith(MAGIC[: len(head)]):
        framing.is_foreign = True
        return
    if len(head) < HEADER_BYTES:
        framing.is_truncated = True
        return
    pending: list[bytes] | None = None
    for offset, kind, part in _frames(file, framing):
        if kind in (_WHOLE, _FIRST) and pending is not None:
            framing.bad(offset)
        if kind == _WHOLE:
            pending = None
            framing.n_records += 1
            yield part
        elif kind == _FIRST:
            pending = [part]
        elif pending is None or sum(map(len, pending)) > MAX_RECORD_BYTES:
            framing.bad(offset)
            pending = None
        else:
            pending.append(part)
            if kind == _LAST:
                framing.n_records += 1
                yield b"".join(pending)
                pending = None
    framing.is_truncated = framing.is_truncated or pending is not None


def _frames(file: BinaryIO, framing: Framing) -> Iterator[tuple[int, int, bytes]]:
    """Offset, type and data of every frame with a right checksum."""
    start = 0
    block = b"\0" * HEADER_BYTES + file.read(BLOCK_BYTES - HEADER_BYTES)
    place = HEADER_BYTES
    while len(block) > place:
        while place + HEADER_BYTES <= len(block):
            crc, length, kind = _FRAME.unpack_from(block, place)
            end = place + HEADER_BYTES + length
            if kind == 0 and length == 0 and crc == 0:
                break  # A block that was made longer in advance.
            if end > len(block):
                if len(block) < BLOCK_BYTES:
                    framing.is_truncated = True
                else:
                    framing.bad(start + place)
                break
            part = block[place + HEADER_BYTES : end]
            if zlib.crc32(part, zlib.crc32(_TYPE_BYTES[kind])) == crc and _WHOLE <= kind <= _LAST:
                yield start + place, kind, part
            else:
                framing.bad(start + place)
            place = end
        else:
            framing.is_truncated = framing.is_truncated or (place < len(block) < BLOCK_BYTES)
        start += BLOCK_BYTES
        block = file.read(BLOCK_BYTES)
        place = 0
