import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlbench.wire.protobuf import I32, I64, LEN, VARINT, WireError, fields, key, signed, text_at, varint


def walk(message: bytes) -> list[tuple[int, int, int]]:
    return list(fields(message, 0, len(message)))


def test_each_wire_type_gives_the_place_of_its_bytes() -> None:
    message = b"\x08\x96\x01" + b"\x12\x02ab" + b"\x1d\0\0\x80\x3f" + b"\x21" + bytes(8)

    assert walk(message) == [
        (key(1, VARINT), 150, 3),
        (key(2, LEN), 5, 7),
        (key(3, I32), 8, 12),
        (key(4, I64), 13, 21),
    ]


def test_an_empty_message_has_no_fields() -> None:
    assert walk(b"") == []


def test_a_field_number_above_fifteen_takes_two_bytes() -> None:
    assert walk(b"\x80\x01\x07") == [(key(16, VARINT), 7, 3)]


def test_only_the_part_asked_for_is_walked() -> None:
    assert list(fields(b"\xff\x08\x01\xff", 1, 3)) == [(key(1, VARINT), 1, 3)]


@pytest.mark.parametrize(
    "message",
    [
        b"\x00\x01",
        b"\x08",
        b"\x08\x80",
        b"\x08" + b"\x80" * 10 + b"\x01",
        b"\x12\x03ab",
        b"\x12\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01",
        b"\x1d\0\0\0",
        b"\x21" + bytes(7),
        b"\x0b\x0c",
        b"\x0f",
    ],
)
def test_what_is_no_message_is_an_error(message: bytes) -> None:
    with pytest.raises(WireError):
        walk(message)


@given(st.binary(max_size=60))
def test_fields_never_reach_beyond_the_message(message: bytes) -> None:
    try:
        found = walk(message)
    except WireError:
        return

    assert all(end <= len(message) for _, _, end in found)
    assert (found[-1][2] if found else 0) == len(message)


def test_a_number_of_ten_bytes_keeps_64_bits() -> None:
    assert varint(b"\xff" * 9 + b"\x01", 0, 10) == (2**64 - 1, 10)
    assert varint(b"\xff" * 9 + b"\x7f", 0, 10) == (2**64 - 1, 10)


def test_the_upper_half_of_64_bits_is_negative() -> None:
    assert [signed(bits) for bits in (0, 2**63 - 1, 2**63, 2**64 - 1)] == [0, 2**63 - 1, -(2**63), -1]


def test_text_that_is_not_utf8_is_replaced() -> None:
    assert text_at(b"..caf\xc3\xa9\xff..", 2, 8) == "caf\u00e9\ufffd"
