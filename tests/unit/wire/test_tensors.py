import math
import struct
from typing import Any

import pytest

from mlbench.wire.protobuf import WireError
from mlbench.wire.tensors import MAX_STRINGS, read_tensor, scalar_of
from tests.unit.wire.event_messages import tensor


def scalar(message: Any) -> float | None:
    raw = message if isinstance(message, bytes) else message.SerializeToString()
    found = scalar_of(raw, read_tensor(raw, 0, len(raw)))
    return found and found[0]


@pytest.mark.parametrize(
    ("dtype", "parts", "number"),
    [
        ("FLOAT", {"float_val": [0.5]}, 0.5),
        ("FLOAT", {"tensor_content": struct.pack("<f", 0.5)}, 0.5),
        ("DOUBLE", {"double_val": [1e300]}, 1e300),
        ("DOUBLE", {"tensor_content": struct.pack("<d", 1e300)}, 1e300),
        ("INT32", {"int_val": [-7]}, -7.0),
        ("INT32", {"tensor_content": struct.pack("<i", -7)}, -7.0),
        ("UINT8", {"int_val": [200]}, 200.0),
        ("INT16", {"tensor_content": b"\xfe\xff"}, -2.0),
        ("INT8", {"tensor_content": b"\xff"}, -1.0),
        ("INT64", {"int64_val": [-(2**40)]}, -(2.0**40)),
        ("INT64", {"tensor_content": struct.pack("<q", 2**40)}, 2.0**40),
        ("BOOL", {"bool_val": [True]}, 1.0),
        ("BOOL", {"tensor_content": b"\0"}, 0.0),
        ("BFLOAT16", {"half_val": [0x3FC0]}, 1.5),
        ("BFLOAT16", {"tensor_content": b"\xc0\x3f"}, 1.5),
        ("HALF", {"half_val": [0x3E00]}, 1.5),
        ("HALF", {"tensor_content": b"\x00\x3e"}, 1.5),
        ("UINT16", {"int_val": [65535]}, 65535.0),
        ("UINT32", {"uint32_val": [2**32 - 1]}, 2.0**32 - 1),
        ("UINT64", {"uint64_val": [2**63]}, 2.0**63),
    ],
)
@pytest.mark.parametrize("shape", [(), (1,)])
def test_every_real_dtype_is_a_number(dtype: str, parts: dict[str, Any], number: float, shape: tuple[int, ...]) -> None:
    assert scalar(tensor(dtype, shape, **parts)) == number


def test_nan_and_infinity_are_numbers() -> None:
    assert math.isnan(scalar(tensor("FLOAT", float_val=[math.nan])) or 0)
    assert scalar(tensor("FLOAT", float_val=[-math.inf])) == -math.inf


@pytest.mark.parametrize(
    "message",
    [
        tensor("FLOAT"),
        tensor("FLOAT", (0,)),
        tensor("FLOAT", (2,), float_val=[1, 2]),
        tensor("FLOAT", (1, 1), float_val=[1]),
        tensor("FLOAT", float_val=[1, 2]),
        tensor("FLOAT", double_val=[1]),
        tensor("FLOAT", tensor_content=b"123"),
        tensor("INT32", int_val=[1, 2]),
        tensor("INT32", float_val=[1]),
        tensor("STRING", string_val=[b"1"]),
        tensor("COMPLEX64", scomplex_val=[1, 2]),
        tensor("INVALID"),
        b"\x08\x01\x12\x02\x18\x01\x2d\0\0\0\0",
        b"\x08\x01\x2d\0\0\0\0\x2d\0\0\0\0",
        b"\x08\x01\x28\x01",
        b"\x08\x03\x3a\x00",
        b"\x08\x03\x3d\0\0\0\0",
    ],
)
def test_other_tensors_are_no_number(message: Any) -> None:
    assert scalar(message) is None


def test_numbers_need_not_be_packed() -> None:
    assert scalar(b"\x08\x01\x2d\0\0\0\x3f") == 0.5
    assert scalar(b"\x08\x03\x38\x05") == 5.0


def test_the_place_is_that_of_a_float32() -> None:
    packed = tensor("FLOAT", float_val=[1.5]).SerializeToString()
    content = tensor("FLOAT", tensor_content=struct.pack("<f", 1.5)).SerializeToString()
    double = tensor("DOUBLE", double_val=[1.5]).SerializeToString()

    for raw in (packed, content):
        found = scalar_of(raw, read_tensor(raw, 0, len(raw)))
        assert found is not None
        assert struct.unpack_from("<f", raw, found[1]) == (1.5,)
    assert scalar_of(double, read_tensor(double, 0, len(double))) == (1.5, -1)


def test_strings_are_found_in_their_places() -> None:
    raw = tensor("STRING", (2,), string_val=[b"ab", b""]).SerializeToString()

    found = read_tensor(raw, 0, len(raw))

    assert [raw[start:end] for start, end in found.strings] == [b"ab", b""]
    assert found.shape == (2,)


def test_a_shape_of_many_dimensions_is_not_followed() -> None:
    raw = tensor("FLOAT", (1,) * 20, float_val=[1]).SerializeToString()

    assert read_tensor(raw, 0, len(raw)).shape == (1,) * 8


def test_a_dimension_without_a_size_has_none() -> None:
    assert read_tensor(b"\x12\x02\x12\x00", 0, 4).shape == (0,)


def test_a_million_strings_are_refused() -> None:
    raw = b"\x42\x00" * (MAX_STRINGS + 1)

    with pytest.raises(WireError, match="too many strings"):
        read_tensor(raw, 0, len(raw))
