"""Whether the data server accepts a payload, which it judges without looking at the checksum.

Its protobuf library (prost) is stricter than Python's: a known field of another wire type ends the file for it, where
Python takes the field for an unknown one. So what Python makes of a payload is what the server makes of it exactly
if this module accepts it.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

from mlbench.wire.protobuf import I32, I64, LEN, VARINT, WireError, varint

if TYPE_CHECKING:
    from tensorboard.compat.proto.event_pb2 import Event

_START_GROUP, _END_GROUP = 3, 4
_MAX_KEY = 2**32 - 1
_MAX_DEPTH = 100
_LAST_OF_TEN = 2
"""A tenth byte of a varint carries the 64th bit alone; more is too large a number."""


class _Field(NamedTuple):
    wire_type: int
    is_packable: bool
    """Repeated numbers may also stand in one run of bytes."""
    is_text: bool
    message: Any
    """Descriptor of the message in it, None if it holds none."""


def decode(payload: bytes) -> Event | None:
    """The event, as the server sees it; None where it gives up the file."""
    from google.protobuf.message import DecodeError
    from tensorboard.compat.proto.event_pb2 import Event

    try:
        event = Event.FromString(payload)
    except DecodeError:
        return None
    event.DiscardUnknownFields()
    # Nearly every payload is exactly what a writer of known fields makes, and that is certainly accepted: 20 times
    # faster than to walk it.
    return event if event.SerializeToString() == payload or accepts(payload) else None


def accepts(payload: bytes) -> bool:
    """Whether prost decodes this as an `Event`."""
    from tensorboard.compat.proto.event_pb2 import Event

    try:
        _walk(payload, 0, len(payload), Event.DESCRIPTOR, 0)
    except WireError:
        return False
    return True


def _walk(message: bytes, position: int, end: int, descriptor: Any, depth: int) -> None:  # noqa: ANN401 - untyped
    if depth > _MAX_DEPTH:
        raise WireError("too deep")
    known = _fields(descriptor)
    while position < end:
        number, wire_type, position = _key(message, position, end)
        field = known.get(number)
        if field is None:
            position = _skip(message, position, end, number, wire_type, depth)
            continue
        if wire_type != field.wire_type and not (field.is_packable and wire_type == LEN):
            raise WireError("another wire type")
        start = position
        position = _skip(message, position, end, number, wire_type, depth)
        if wire_type == LEN:
            length, start = _number(message, start, end)
            _look_into(message[start : start + length], field, depth)


def _look_into(content: bytes, field: _Field, depth: int) -> None:
    if field.message is not None:
        _walk(content, 0, len(content), field.message, depth + 1)
    elif field.is_text:
        try:
            content.decode()
        except UnicodeDecodeError as error:
            raise WireError("not UTF-8") from error
    elif field.is_packable:
        position = 0
        while position < len(content):
            position = _skip(content, position, len(content), 1, field.wire_type, depth)


def _key(message: bytes, position: int, end: int) -> tuple[int, int, int]:
    value, position = _number(message, position, end)
    if value > _MAX_KEY or value >> 3 == 0:
        raise WireError("no key")
    return value >> 3, value & 7, position


def _number(message: bytes, position: int, end: int) -> tuple[int, int]:
    value, after = varint(message, position, end)
    if after - position == 10 and message[after - 1] >= _LAST_OF_TEN:
        raise WireError("a number of more than 64 bits")
    return value, after


def _skip(message: bytes, position: int, end: int, number: int, wire_type: int, depth: int) -> int:
    """Where the field ends whose content begins at `position`."""
    if wire_type == VARINT:
        return _number(message, position, end)[1]
    if wire_type == _START_GROUP:
        return _skip_group(message, position, end, number, depth + 1)
    if wire_type == LEN:
        length, position = _number(message, position, end)
    elif wire_type in {I32, I64}:
        length = 4 if wire_type == I32 else 8
    else:
        raise WireError("an end without a group, or an unknown wire type")
    if position + length > end:
        raise WireError("a field reaches beyond its message")
    return position + length


def _skip_group(message: bytes, position: int, end: int, number: int, depth: int) -> int:
    if depth > _MAX_DEPTH:
        raise WireError("too deep")
    while True:
        inner, wire_type, position = _key(message, position, end)
        if wire_type == _END_GROUP:
            if inner != number:
                raise WireError("the end of another group")
            return position
        position = _skip(message, position, end, inner, wire_type, depth)


def _fields(descriptor: Any) -> dict[int, _Field]:  # noqa: ANN401
    known = _KNOWN.get(descriptor.full_name)
    if known is None:
        known = {number: _field(field) for number, field in descriptor.fields_by_number.items()}
        _KNOWN[descriptor.full_name] = known
    return known


_KNOWN: dict[str, dict[int, _Field]] = {}


def _field(field: Any) -> _Field:  # noqa: ANN401
    wire_type = _wire_types().get(field.type, VARINT)
    is_list = isinstance(field.default_value, list)
    return _Field(wire_type, is_list and wire_type != LEN, field.type == field.TYPE_STRING, field.message_type)


@cache
def _wire_types() -> dict[int, int]:
    """Of the types that are not varints."""
    from google.protobuf.descriptor import FieldDescriptor as Of

    wide, narrow = (Of.TYPE_DOUBLE, Of.TYPE_FIXED64, Of.TYPE_SFIXED64), (Of.TYPE_FLOAT, Of.TYPE_FIXED32)
    long = (Of.TYPE_STRING, Of.TYPE_BYTES, Of.TYPE_MESSAGE)
    return dict.fromkeys(wide, I64) | dict.fromkeys(narrow, I32) | dict.fromkeys(long, LEN)
