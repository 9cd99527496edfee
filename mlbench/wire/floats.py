"""A TensorProto of floats as an array of doubles, as histograms and PR curves are logged.

Format: tensorboard/compat/proto/tensor.proto. The numbers lie in `tensor_content`, or in `float_val` or `double_val`;
of equal numbers at the end TensorFlow lists only the first, and so fewer than the shape says.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from mlbench.wire.protobuf import I32, I64, LEN, WireError, fields, key
from mlbench.wire.tensors import DT_FLOAT, read_tensor

if TYPE_CHECKING:
    from mlbench.model import Float64Array

MAX_NUMBERS = 1 << 20
"""In one array: 8 MiB as doubles. The largest of 616 genuine histograms has 680 buckets."""
_DT_DOUBLE = 2
# dtype: layout of a number, and the keys of its field, one number a field or packed.
_LAYOUTS = {DT_FLOAT: ("<f4", key(5, I32), key(5, LEN)), _DT_DOUBLE: ("<f8", key(6, I64), key(6, LEN))}


def read_floats(message: bytes) -> Float64Array:
    """The whole tensor, in its shape.

    Raises:
        WireError: it is no tensor of floats, has another count of numbers than its shape, or more than 1,048,576.
    """
    tensor = read_tensor(message, 0, len(message))
    if tensor.dtype not in _LAYOUTS:
        raise WireError("the tensor holds no floats")
    layout, *keys = _LAYOUTS[tensor.dtype]
    shape = _checked(tensor.shape)
    size = math.prod(shape)
    if tensor.content is not None:
        numbers = doubles([message[slice(*tensor.content)]], layout)
    else:
        numbers = doubles(listed(message, keys), layout)
        if 0 < numbers.size < size:
            numbers = np.concatenate([numbers, np.full(size - numbers.size, numbers[-1])])
    if numbers.size != size:
        raise WireError(f"the tensor has {numbers.size} numbers where its shape says {size}")
    return numbers.reshape(shape)


def _checked(shape: tuple[int, ...] | None) -> tuple[int, ...]:
    if shape is None or any(size < 0 for size in shape):
        raise WireError("the shape of the tensor is not known")
    if max(*shape, math.prod(shape), 0) > MAX_NUMBERS:
        raise WireError(f"more than {MAX_NUMBERS:,} numbers")
    return shape


def listed(message: bytes, keys: Sequence[int]) -> list[bytes]:
    """The bytes of every field with one of the keys, in their order.

    Raises:
        WireError: there are more than 1,048,576.
    """
    pieces: list[bytes] = []
    for field_key, first, last in fields(message, 0, len(message)):
        if field_key in keys:
            pieces.append(message[first:last])
            if len(pieces) > MAX_NUMBERS:
                raise WireError(f"more than {MAX_NUMBERS:,} numbers")
    return pieces


def doubles(pieces: Sequence[bytes], layout: str = "<f8") -> Float64Array:
    """Shape (n,): the numbers that lie in the pieces one behind the other.

    Raises:
        WireError: a number is cut off, or there are more than 1,048,576.
    """
    raw = b"".join(pieces)
    width = np.dtype(layout).itemsize
    if len(raw) % width:
        raise WireError("a number is cut off")
    if len(raw) > MAX_NUMBERS * width:
        raise WireError(f"more than {MAX_NUMBERS:,} numbers")
    with np.errstate(invalid="ignore"):  # a signalling NaN is a NaN
        return np.frombuffer(raw, layout).astype(np.float64)
