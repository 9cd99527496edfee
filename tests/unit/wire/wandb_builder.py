"""Makes `.wandb` files for tests, record by record."""

from __future__ import annotations

import struct
import zlib

HEAD = b":W&B" + struct.pack("<HB", 0xBEE1, 0)
BLOCK_BYTES = 32_768


def varint(value: int) -> bytes:
    value &= 0xFFFFFFFFFFFFFFFF
    encoded = bytearray()
    while value >= 0x80:
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*encoded, value])


def text(number: int, content: bytes | str) -> bytes:
    content = content.encode() if isinstance(content, str) else content
    return varint(number << 3 | 2) + varint(len(content)) + content


def number(field: int, value: int) -> bytes:
    return varint(field << 3) + varint(value)


def double(field: int, value: float) -> bytes:
    return varint(field << 3 | 1) + struct.pack("<d", value)


def item(key: str | tuple[str, ...], json: str) -> bytes:
    keys = text(1, key) if isinstance(key, str) else b"".join(text(2, part) for part in key)
    return text(1, keys + text(16, json))


def history(**values: str) -> bytes:
    return text(2, b"".join(item(key, json) for key, json in values.items()))


def frame(part: bytes, kind: int = 1) -> bytes:
    return struct.pack("<IHB", zlib.crc32(part, zlib.crc32(bytes([kind]))), len(part), kind) + part


def log(*records: bytes) -> bytes:
    """A file of records as the client writes it: in blocks of 32 KiB, long records in parts."""
    content = bytearray(HEAD)
    for record in records:
        rest, is_first = record, True
        while True:
            left = BLOCK_BYTES - len(content) % BLOCK_BYTES
            if left < 7:
                content += b"\0" * left
                left = BLOCK_BYTES
            part, rest = rest[: left - 7], rest[left - 7 :]
            kind = (1 if not rest else 2) if is_first else (4 if not rest else 3)
            content += frame(part, kind)
            is_first = False
            if not rest:
                break
    return bytes(content)
