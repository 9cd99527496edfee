import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from mlbench.wire.crc32c import (
    are_closed,
    closing_word,
    crc32c,
    masked_crc32c,
    masked_crc32c_of_length,
    masked_crc32c_of_lengths,
    unmasked,
)
from mlbench.wire.tfrecord import write_record


def test_the_checksum_is_that_of_rfc_3720() -> None:
    assert crc32c(b"") == 0
    assert crc32c(b"123456789") == 0xE3069283
    assert crc32c(bytes(32)) == 0x8A9136AA


def test_the_mask_rotates_by_fifteen_bits_and_adds_a_constant() -> None:
    assert masked_crc32c(b"") == 0xA282EAD8
    assert masked_crc32c(bytes(32)) == (0x8A9136AA >> 15 | 0x8A9136AA << 17 & 0xFFFFFFFF) + 0xA282EAD8 - (1 << 32)


def test_a_length_is_eight_little_endian_bytes() -> None:
    assert masked_crc32c_of_length(24) == masked_crc32c(b"\x18\0\0\0\0\0\0\0")
    assert masked_crc32c_of_length(2**64 - 1) == masked_crc32c(b"\xff" * 8)


@given(st.lists(st.integers(0, 2**32 - 1), max_size=20))
def test_many_lengths_at_once_have_the_checksums_of_each(lengths: list[int]) -> None:
    found = masked_crc32c_of_lengths(np.array(lengths, dtype=np.uint32))

    assert found.tolist() == [masked_crc32c_of_length(length) for length in lengths]


@given(st.lists(st.binary(max_size=20), max_size=5))
def test_plain_checksums_come_back_from_masked_ones(contents: list[bytes]) -> None:
    masked = np.array([masked_crc32c(content) for content in contents], dtype=np.uint32)

    assert unmasked(masked).tolist() == [crc32c(content) for content in contents]


# ---------------------------------------------------------------- closing records


def closed(*payloads: bytes, checksums: dict[int, int] | None = None) -> bytearray:
    """Records whose payload checksums were replaced by their closing words, as `Window.seal` does it."""
    octets = bytearray()
    for place, payload in enumerate(payloads):
        stored = (checksums or {}).get(place, crc32c(payload))
        octets += write_record(payload)[:-4] + (stored ^ closing_word(len(payload))).to_bytes(4, "little")
    return octets


def holds(octets: bytes | bytearray) -> bool:
    return are_closed(np.frombuffer(bytes(octets), dtype=np.uint8))


@given(st.lists(st.binary(max_size=60), min_size=1, max_size=6))
def test_sound_records_are_closed(payloads: list[bytes]) -> None:
    assert holds(closed(*payloads))


def test_a_closing_word_depends_on_the_length_alone() -> None:
    header = write_record(bytes(5))[:12]

    assert holds(header + b"abcde" + (crc32c(b"abcde") ^ closing_word(5)).to_bytes(4, "little"))
    assert closing_word(5) != closing_word(6)


@given(st.lists(st.binary(max_size=20), min_size=1, max_size=4))
def test_no_changed_bit_of_closed_records_goes_unnoticed(payloads: list[bytes]) -> None:
    octets = closed(*payloads)

    for place in range(8 * len(octets)):
        octets[place // 8] ^= 1 << place % 8
        assert not holds(octets), place
        octets[place // 8] ^= 1 << place % 8


@given(st.lists(st.binary(max_size=20), min_size=1, max_size=4), st.integers(0, 31), st.data())
def test_no_changed_bit_of_a_stored_checksum_goes_unnoticed(
    payloads: list[bytes], bit: int, data: st.DataObject
) -> None:
    wrong = data.draw(st.integers(0, len(payloads) - 1))

    assert not holds(closed(*payloads, checksums={wrong: crc32c(payloads[wrong]) ^ 1 << bit}))


@given(st.lists(st.binary(min_size=8, max_size=60), min_size=1, max_size=4), st.integers(1, 2**32 - 1), st.data())
def test_no_burst_of_up_to_four_bytes_goes_unnoticed(payloads: list[bytes], burst: int, data: st.DataObject) -> None:
    octets = closed(*payloads)
    place = data.draw(st.integers(0, len(octets) - 4))

    octets[place : place + 4] = (int.from_bytes(octets[place : place + 4], "little") ^ burst).to_bytes(4, "little")

    assert not holds(octets)


def test_records_in_another_order_or_without_one_are_closed_too_since_each_leads_from_zero_to_zero() -> None:
    assert holds(closed(b"second", b"first"))
    assert holds(closed(b"first"))


def test_a_record_without_its_first_or_last_byte_is_not_closed() -> None:
    octets = closed(b"first", b"second")

    assert not holds(octets[1:])
    assert not holds(octets[:-1])
