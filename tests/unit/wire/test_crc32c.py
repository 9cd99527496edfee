import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from mlbench.wire.crc32c import crc32c, masked_crc32c, masked_crc32c_of_length, masked_crc32c_of_lengths


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
