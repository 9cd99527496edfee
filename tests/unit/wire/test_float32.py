import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlbench.wire.float32 import widen, widen_at


@pytest.mark.parametrize(
    ("bits", "wide"),
    [
        (0x3F800000, 0x3FF0000000000000),
        (0x80000000, 0x8000000000000000),
        (0x00000001, 0x36A0000000000000),  # the least number above zero
        (0x7F7FFFFF, 0x47EFFFFFE0000000),
        (0x7F800000, 0x7FF0000000000000),
        (0xFF800000, 0xFFF0000000000000),
        (0x7FC00000, 0x7FF8000000000000),
        (0x7F800001, 0x7FF0000020000000),  # a signalling NaN stays one
        (0xFFA12345, 0xFFF42468A0000000),
    ],
)
def test_a_number_has_the_bits_that_it_had(bits: int, wide: int) -> None:
    values = np.array([bits], dtype=np.uint32).view(np.float32)

    assert widen(values).view(np.uint64).tolist() == [wide]
    assert struct.pack("<d", widen_at(b"\x15" + struct.pack("<I", bits), 1)) == struct.pack("<Q", wide)


@given(st.lists(st.integers(0, 2**32 - 1), max_size=20))
def test_many_at_once_and_one_by_one_are_the_same(bits: list[int]) -> None:
    values = np.array(bits, dtype=np.uint32)

    one_by_one = b"".join(struct.pack("<d", widen_at(struct.pack("<I", number), 0)) for number in bits)

    assert widen(values.view(np.float32)).tobytes() == one_by_one


@given(st.integers(0, 2**32 - 1))
def test_no_two_numbers_become_one(bits: int) -> None:
    wide = int(widen(np.array([bits], dtype=np.uint32).view(np.float32)).view(np.uint64)[0])

    assert wide >> 63 == bits >> 31
    assert wide & (1 << 29) - 1 == 0 or bits & 0x7F800000 == 0  # only numbers below the normal ones are shifted
    if bits & 0x7F800000 == 0x7F800000:
        assert wide >> 29 & 0x7FFFFF == bits & 0x7FFFFF


def test_numbers_that_do_not_lie_side_by_side_are_widened_too() -> None:
    values = np.array([[0x7F800001, 0], [0x3F800000, 0]], dtype=np.uint32).view(np.float32)[:, 0]

    assert widen(values).view(np.uint64).tolist() == [0x7FF0000020000000, 0x3FF0000000000000]
