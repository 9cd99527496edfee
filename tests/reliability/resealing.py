"""Content that is changed behind its checksum or compression, which would stop every change at the door.

Each kind is told by its first bytes: TFRecords, `.wandb` logs, zip files, PNG, zlib streams (git's loose objects), packs,
their indexes and git's index, and the journal's lines.
"""

from __future__ import annotations

import hashlib
import io
import random
import re
import struct
import zipfile
import zlib
from collections.abc import Callable
from typing import TypeAlias

from mlbench.wire.tfrecord import write_record
from mlbench.wire.wandbframes import BLOCK_BYTES, HEADER_BYTES, MAGIC
from mlbench.wire.zipped import NOT_READABLE
from tests.unit.wire import wandb_builder

MAX_RECORDS = 500
MAX_INNER_BYTES = 300_000
"""Of what is unpacked here; larger ones are changed as they are."""
_SHA1_BYTES = 20
_LINE = re.compile(rb"[0-9a-f]{8} ")
_PNG = b"\x89PNG\r\n\x1a\n"

ChangeBytes: TypeAlias = Callable[[bytes], bytes]
"""One change of some bytes."""
_Reseal: TypeAlias = Callable[[bytes, random.Random, ChangeBytes], bytes]


def resealed(content: bytes, dice: random.Random, change: ChangeBytes) -> bytes | None:
    """The content changed inside with its checksums right again; None where it is of no such kind."""
    for is_kind, reseal in _KINDS:
        if is_kind(content):
            return reseal(content, dice, change)
    return None


def _some_changed(parts: list[bytes], dice: random.Random, change: ChangeBytes) -> list[bytes]:
    for _change in range(dice.choice((1, 2, 5)) if parts else 0):
        number = dice.randrange(len(parts))
        parts[number] = change(parts[number])
    return parts


def _is_records(content: bytes) -> bool:
    return len(content) > 16 and struct.unpack_from("<Q", content)[0] + 16 <= len(content) and content[4:8] == b"\0" * 4


def _records(content: bytes, dice: random.Random, change: ChangeBytes) -> bytes:
    payloads: list[bytes] = []
    at = 0
    while at + 16 <= len(content) and len(payloads) < MAX_RECORDS:
        (length,) = struct.unpack_from("<Q", content, at)
        payloads.append(content[at + 12 : at + 12 + length])
        at += 16 + length
    return b"".join(map(write_record, _some_changed(payloads, dice, change)))


def _wandb(content: bytes, dice: random.Random, change: ChangeBytes) -> bytes:
    records: list[bytes] = []
    at, part = HEADER_BYTES, b""
    while at + 7 <= len(content) and len(records) < MAX_RECORDS:
        if BLOCK_BYTES - at % BLOCK_BYTES < 7:
            at += BLOCK_BYTES - at % BLOCK_BYTES
            continue
        _crc, length, kind = struct.unpack_from("<IHB", content, at)
        part += content[at + 7 : at + 7 + length]
        at += 7 + length
        if kind in {1, 4}:
            records.append(part)
            part = b""
    return wandb_builder.log(*_some_changed(records, dice, change))


def _zip(content: bytes, dice: random.Random, change: ChangeBytes) -> bytes:
    """Members changed, their sizes and sums right; a zip that cannot be read is changed from outside."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            entries = archive.infolist()[:50]
            if sum(entry.file_size for entry in entries) > MAX_INNER_BYTES:
                return change(content)
            members = [archive.read(entry) for entry in entries]
    except NOT_READABLE:
        return change(content)
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for entry, member in zip(entries, _some_changed(members, dice, change), strict=True):
            archive.writestr(zipfile.ZipInfo(entry.filename), member, dice.choice((0, 8)))
    return made.getvalue()


def _png(content: bytes, dice: random.Random, change: ChangeBytes) -> bytes:
    kinds: list[bytes] = []
    chunks: list[bytes] = []
    at = len(_PNG)
    while at + 12 <= len(content) and len(chunks) < MAX_RECORDS:
        (length,) = struct.unpack_from(">I", content, at)
        kinds.append(content[at + 4 : at + 8])
        chunks.append(content[at + 8 : at + 8 + length])
        at += 12 + length

    def change_chunk(chunk: bytes) -> bytes:
        return _zlib(chunk, dice, change) if _is_zlib(chunk) and dice.random() < 0.7 else change(chunk)

    chunks = _some_changed(chunks, dice, change_chunk)
    return _PNG + b"".join(
        struct.pack(">I", len(chunk)) + kind + chunk + struct.pack(">I", zlib.crc32(kind + chunk))
        for kind, chunk in zip(kinds, chunks, strict=True)
    )


def _is_zlib(content: bytes) -> bool:
    return len(content) > 8 and content[0] == 0x78 and int.from_bytes(content[:2], "big") % 31 == 0


def _zlib(content: bytes, _dice: random.Random, change: ChangeBytes) -> bytes:
    try:
        inner = zlib.decompressobj().decompress(content, MAX_INNER_BYTES)
    except zlib.error:
        return change(content)
    return zlib.compress(change(inner), 1)


def _summed(content: bytes, _dice: random.Random, change: ChangeBytes) -> bytes:
    """Git's packs, their indexes and the index of a work tree end with the SHA-1 of what stands before."""
    inner = change(content[:-_SHA1_BYTES])
    return inner + hashlib.sha1(inner, usedforsecurity=False).digest()


def _lines(content: bytes, dice: random.Random, change: ChangeBytes) -> bytes:
    """The journal's lines: `crc32 json`."""
    texts = [line[9:] for line in content.split(b"\n")[:MAX_RECORDS] if line]
    return b"".join(b"%08x %s\n" % (zlib.crc32(text), text) for text in _some_changed(texts, dice, change))


_KINDS: tuple[tuple[Callable[[bytes], bool], _Reseal], ...] = (
    (lambda content: content.startswith(MAGIC), _wandb),
    (lambda content: content.startswith(b"PK\x03\x04"), _zip),
    (lambda content: content.startswith(_PNG), _png),
    (lambda content: content.startswith((b"PACK", b"\xfftOc", b"DIRC")) and len(content) > 2 * _SHA1_BYTES, _summed),
    (lambda content: _LINE.match(content) is not None, _lines),
    (_is_records, _records),
    (_is_zlib, _zlib),
)
