"""TensorProto as summaries hold it: the one number of a scalar, or where the strings of a text or picture lie.

Format: tensorboard/compat/proto/tensor.proto. Larger tensors are left in the file.
"""

from __future__ import annotations

import struct

from mlbench.dataclass import dataclass
from mlbench.wire.float32 import widen_at
from mlbench.wire.protobuf import I32, I64, LEN, VARINT, WireError, fields, key, signed, varint

MAX_STRINGS = 65_536
"""More strings than this in one tensor are not listed: no writer makes them, and each costs memory."""

DT_FLOAT = 1
DT_STRING = 7
_DT_BFLOAT16 = 14
_DT_HALF = 19

# dtype: how one number lies in tensor_content.
_CONTENT = {1: "<f", 2: "<d", 3: "<i", 4: "<B", 5: "<h", 6: "<b", 9: "<q", 10: "<?", 14: "<H", 17: "<H", 19: "<e",
            22: "<I", 23: "<Q"}  # fmt: skip
# dtype: the field that holds its numbers when they do not lie in tensor_content.
_FIELD = {1: 5, 2: 6, 3: 7, 4: 7, 5: 7, 6: 7, 9: 10, 10: 11, 14: 13, 17: 7, 19: 13, 22: 16, 23: 17}

_DTYPE, _SHAPE, _TENSOR_CONTENT, _STRING = key(1, VARINT), key(2, LEN), key(4, LEN), key(8, LEN)
_DIM, _DIM_SIZE, _UNKNOWN_RANK = key(2, LEN), key(1, VARINT), key(3, VARINT)
_NUMBER_FIELDS = frozenset(_FIELD.values())


@dataclass(frozen=True, slots=True)
class Tensor:
    """Where the parts of a TensorProto lie in the message around it."""

    dtype: int
    shape: tuple[int, ...] | None
    """None: the rank is not known."""
    content: tuple[int, int] | None
    """Start and end of `tensor_content`, None where it is empty."""
    numbers: tuple[int, int, int] | None
    """Key, value and end of the only number field; None where there is none or more than one."""
    strings: tuple[tuple[int, int], ...]


def read_tensor(message: bytes, start: int, end: int) -> Tensor:
    """Find the parts of the tensor in `message[start:end]`.

    Raises:
        WireError: the bytes are no message.
    """
    dtype = 0
    shape: tuple[int, ...] | None = ()
    content: tuple[int, int] | None = None
    numbers: list[tuple[int, int, int]] = []
    strings: list[tuple[int, int]] = []
    for field_key, first, last in fields(message, start, end):
        if field_key == _DTYPE:
            dtype = first
        elif field_key == _SHAPE:
            shape = _read_shape(message, first, last)
        elif field_key == _TENSOR_CONTENT:
            content = (first, last) if last > first else None
        elif field_key == _STRING:
            if len(strings) == MAX_STRINGS:
                raise WireError("too many strings")
            strings.append((first, last))
        elif field_key >> 3 in _NUMBER_FIELDS and len(numbers) < 2:
            numbers.append((field_key, first, last))
    return Tensor(dtype, shape, content, numbers[0] if len(numbers) == 1 else None, tuple(strings))


def _read_shape(message: bytes, start: int, end: int) -> tuple[int, ...] | None:
    dims: list[int] = []
    for field_key, first, last in fields(message, start, end):
        if field_key == _UNKNOWN_RANK and first:
            return None
        if field_key == _DIM and len(dims) < 8:
            sizes = [size for dim_key, size, _ in fields(message, first, last) if dim_key == _DIM_SIZE]
            dims.append(signed(sizes[-1]) if sizes else 0)
    return tuple(dims)


def scalar_of(message: bytes, tensor: Tensor) -> tuple[float, int] | None:
    """The number of a tensor of rank 0 or of shape [1], of any real dtype; None for every other tensor.

    TensorBoard shows DT_FLOAT of rank 0 only (and its Python readers every dtype); ours takes them all.

    Returns:
        The number as a double, and the place of its four bytes in `message` where it is a float32, else -1.
    """
    if tensor.shape not in ((), (1,)) or tensor.dtype not in _CONTENT:
        return None
    place = -1
    if tensor.content is not None:
        start, end = tensor.content
        layout = _CONTENT[tensor.dtype]
        if end - start != struct.calcsize(layout):
            return None
        (number,) = struct.unpack_from(layout, message, start)
        if tensor.dtype == _DT_BFLOAT16:
            number = widen_at(struct.pack("<I", number << 16), 0)
        place = start
    elif tensor.numbers is not None:
        listed = _listed_number(message, tensor.dtype, tensor.numbers)
        if listed is None:
            return None
        number, place = listed
    else:
        return None
    if tensor.dtype == DT_FLOAT:
        return widen_at(message, place), place
    return float(number), -1


def _listed_number(message: bytes, dtype: int, numbers: tuple[int, int, int]) -> tuple[float, int] | None:
    """The only number of a `*_val` field, packed or not; None if it holds another count or belongs elsewhere."""
    field_key, first, last = numbers
    if field_key >> 3 != _FIELD[dtype]:
        return None
    if dtype <= 2:
        layout, wire_type = ("<f", I32) if dtype == DT_FLOAT else ("<d", I64)
        if field_key & 7 not in (LEN, wire_type) or last - first != struct.calcsize(layout):
            return None
        return struct.unpack_from(layout, message, first)[0], first
    if field_key & 7 == LEN:
        if first == last:
            return None
        first, stop = varint(message, first, last)
        if stop != last:
            return None
    elif field_key & 7 != VARINT:
        return None
    return _integer(dtype, first), -1


def _integer(dtype: int, bits: int) -> float:
    """What a varint stands for: a 16-bit float's bits, an unsigned or a signed number."""
    if dtype == _DT_HALF:
        return float(struct.unpack("<e", struct.pack("<H", bits & 0xFFFF))[0])
    if dtype == _DT_BFLOAT16:
        return widen_at(struct.pack("<I", (bits & 0xFFFF) << 16), 0)
    return bits if dtype in (22, 23) else signed(bits)
