import math
import struct

import numpy as np
import pytest

from mlbench.wire.floats import MAX_NUMBERS, listed, read_floats
from mlbench.wire.protobuf import I64, LEN, WireError, key
from tests.unit.wire.event_messages import strings, tensor


def test_doubles_and_floats_are_read_from_the_content() -> None:
    double = tensor("DOUBLE", (2, 2), tensor_content=struct.pack("<4d", 1, 1e300, -2, 0.1)).SerializeToString()
    single = tensor("FLOAT", (1, 2), tensor_content=struct.pack("<2f", 0.5, -1)).SerializeToString()

    assert read_floats(double).tolist() == [[1.0, 1e300], [-2.0, 0.1]]
    assert read_floats(single).tolist() == [[0.5, -1.0]]


def test_listed_numbers_are_read_packed_and_one_by_one() -> None:
    packed = tensor("DOUBLE", (3,), double_val=[1, 2, 3]).SerializeToString()
    shape = tensor("DOUBLE", (3,)).SerializeToString()
    single = shape + b"".join(bytes([key(6, I64)]) + struct.pack("<d", number) for number in (1, 2, 3))
    mixed = shape + bytes([key(6, I64)]) + struct.pack("<d", 1) + bytes([key(6, LEN), 16]) + struct.pack("<2d", 2, 3)

    assert [read_floats(raw).tolist() for raw in (packed, single, mixed)] == [[1.0, 2.0, 3.0]] * 3


def test_the_last_of_too_few_listed_numbers_is_repeated_as_tensorflow_means_it() -> None:
    message = tensor("FLOAT", (2, 2), float_val=[1, 7]).SerializeToString()

    assert read_floats(message).tolist() == [[1.0, 7.0], [7.0, 7.0]]


def test_a_scalar_and_an_empty_tensor_keep_their_shape() -> None:
    assert read_floats(tensor("FLOAT", float_val=[2]).SerializeToString()).shape == ()
    assert read_floats(tensor("DOUBLE", (0, 3)).SerializeToString()).shape == (0, 3)


def test_a_signalling_nan_is_nan_without_a_warning() -> None:
    message = tensor("FLOAT", (1,), tensor_content=bytes.fromhex("0100a07f")).SerializeToString()

    assert math.isnan(read_floats(message)[0])


@pytest.mark.parametrize(
    ("message", "said"),
    [
        (strings(b"a"), "holds no floats"),
        (tensor("DOUBLE", (2,), tensor_content=bytes(8)), "has 1 numbers where its shape says 2"),
        (tensor("DOUBLE", (1,), double_val=[1, 2]), "has 2 numbers where its shape says 1"),
        (tensor("DOUBLE", (1,)), "has 0 numbers where its shape says 1"),
        (tensor("DOUBLE", (1,), tensor_content=bytes(9)), "cut off"),
        (tensor("DOUBLE", (-1,), tensor_content=bytes(8)), "not known"),
        (tensor("DOUBLE", (2**40,), double_val=[1]), "more than 1,048,576 numbers"),
        (tensor("DOUBLE", (0, 2**62)), "more than 1,048,576 numbers"),
        (tensor("DOUBLE", (1,), tensor_content=bytes(8 * MAX_NUMBERS + 8)), "more than 1,048,576 numbers"),
    ],
)
def test_what_is_no_array_is_refused(message: object, said: str) -> None:
    with pytest.raises(WireError, match=said):
        read_floats(message.SerializeToString())  # type: ignore[attr-defined]


def test_an_unknown_rank_is_refused() -> None:
    message = tensor("DOUBLE", tensor_content=bytes(8))
    message.tensor_shape.unknown_rank = True

    with pytest.raises(WireError, match="not known"):
        read_floats(message.SerializeToString())


def test_endless_empty_fields_are_refused() -> None:
    with pytest.raises(WireError, match="more than"):
        listed(bytes([key(6, LEN), 0]) * (MAX_NUMBERS + 1), [key(6, LEN)])


def test_every_cut_is_refused_or_read_and_nothing_else_happens() -> None:
    whole = tensor("DOUBLE", (2, 3), double_val=np.arange(6.0)).SerializeToString()

    for end in range(len(whole)):
        with pytest.raises(WireError):
            read_floats(whole[:end])
