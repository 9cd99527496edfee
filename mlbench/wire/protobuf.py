"""The protobuf wire format, walked in place: which fields a message has and where their bytes lie.

Only positions come out, so that pictures are never copied, and text that is not UTF-8 or a message that is
half wrong does not cost the rest. Format: https://protobuf.dev/programming-guides/encoding/
"""

from __future__ import annotations

from collections.abc import Iterator

VARINT, I64, LEN, I32 = 0, 1, 2, 5


class WireError(ValueError):
    """The bytes are no message."""


def key(number: int, wire_type: int) -> int:
    """The number that stands before a field."""
    return number << 3 | wire_type


def fields(message: bytes, start: int, end: int) -> Iterator[tuple[int, int, int]]:
    """Walk one message.

    Args:
        message: any bytes; the message is `message[start:end]`.
        start: first byte.
        end: behind the last byte.

    Yields:
        `(key, value, end)` for a varint, `(key, start, end)` of its bytes for every other field, in order.
        Fields may come twice: the last one holds.

    Raises:
        WireError: a field reaches beyond the message, has the number 0 or is a group (no writer makes one).
    """
    position = start
    while position < end:
        field_key = message[position]
        position += 1
        if field_key >= 0x80:
            field_key, position = varint(message, position - 1, end)
        wire_type = field_key & 7
        if field_key < 8:
            raise WireError("field number 0")
        if wire_type in (VARINT, LEN):
            if position < end and (number := message[position]) < 0x80:  # most take one byte
                position += 1
            else:
                number, position = varint(message, position, end)
            if wire_type == VARINT:
                yield field_key, number, position
                continue
            begin = position
            position += number
        elif wire_type in (I32, I64):
            begin = position
            position += 4 if wire_type == I32 else 8
        else:
            raise WireError("a group or an unknown wire type")
        if position > end:
            raise WireError("a field reaches beyond its message")
        yield field_key, begin, position


def varint(message: bytes, position: int, end: int) -> tuple[int, int]:
    """The unsigned number of up to 64 bits at `position`, and where it ends.

    Raises:
        WireError: it does not end before `end` or within ten bytes.
    """
    value = shift = 0
    for place in range(position, min(end, position + 10)):
        octet = message[place]
        value |= (octet & 0x7F) << shift
        if octet < 0x80:
            return value & 0xFFFFFFFFFFFFFFFF, place + 1
        shift += 7
    raise WireError("a number does not end")


def signed(value: int) -> int:
    """A varint's 64 bits as a signed number."""
    return value - (1 << 64) if value >= 1 << 63 else value


def text_at(message: bytes, start: int, end: int) -> str:
    """Text; bytes that are not UTF-8 become U+FFFD."""
    return message[start:end].decode("utf-8", "replace")
