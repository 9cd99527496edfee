"""Which files of a folder each reader takes, and the payloads that it meets in them."""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from typing import BinaryIO, NamedTuple

from mlbench.wire.crc32c import masked_crc32c, masked_crc32c_of_length
from mlbench.wire.tfrecord import FOOTER_BYTES, HEADER_BYTES

INFIX = "tfevents"
_PROFILE = ".profile-empty"
_HEADER = struct.Struct("<QI")
_CHECKSUM = struct.Struct("<I")


class Payload(NamedTuple):
    """What stands in one record, whether or not its checksum holds."""

    offset: int
    """Of the record."""
    content: bytes
    is_sound: bool
    """Its checksum holds."""


class Damage(NamedTuple):
    """The checksum of a length does not hold: every reader gives the file up here."""

    offset: int


def is_taken_for_a_file(path: str) -> bool:
    """Whether the Python readers take what lies here for an event file; they look at nothing but the name."""
    return INFIX in os.path.basename(path) and not path.endswith(_PROFILE)


def python_files(folder: str) -> list[str]:
    """The paths that the Python readers read, in their order; a folder or a dangling link may be among them.

    Raises:
        OSError: the folder cannot be listed.
    """
    return sorted(path for path in _paths(folder) if is_taken_for_a_file(path))


def server_files(folder: str) -> list[str]:
    """The files that the data server reads, in the order of their bytes: also the empty ones of the profiler.

    Raises:
        OSError: the folder cannot be listed.
    """
    found = (path for path in _paths(folder) if INFIX in os.path.basename(path) and os.path.isfile(path))
    return sorted(found, key=os.fsencode)


def _paths(folder: str) -> Iterator[str]:
    return (os.path.join(folder, name) for name in os.listdir(folder))


def payloads(file: BinaryIO) -> Iterator[Payload | Damage]:
    """The payloads of a file, one in memory at a time; `Damage` is the last item.

    Ends without a word where the file ends, be it within a record: it is being written. (`read_records` is not used:
    it goes on after damage, and gives no payload whose checksum is wrong, as the data server does.)
    """
    size_bytes = os.fstat(file.fileno()).st_size
    offset = 0
    while len(head := file.read(HEADER_BYTES)) == HEADER_BYTES:
        length, checksum = _HEADER.unpack(head)
        if masked_crc32c_of_length(length) != checksum:
            yield Damage(offset)
            return
        if offset + HEADER_BYTES + length + FOOTER_BYTES > size_bytes:
            return  # before anything is read: a length that lies must not ask for more memory than the file has bytes
        content, footer = file.read(length), file.read(FOOTER_BYTES)
        if len(footer) < FOOTER_BYTES:
            return
        yield Payload(offset, content, masked_crc32c(content) == _CHECKSUM.unpack(footer)[0])
        offset += HEADER_BYTES + length + FOOTER_BYTES
