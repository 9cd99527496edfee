"""The number that a tensor stands for: to the Python readers any real number, to the data server one float32."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tensorboard.compat.proto.tensor_pb2 import TensorProto

_FLOAT, _DOUBLE, _BOOL, _HALF = 1, 2, 10, 19

# dtype: how one number lies in `tensor_content`.
_CONTENT = {1: "<f", 2: "<d", 3: "<i", 4: "<B", 5: "<h", 6: "<b", 9: "<q", 10: "<?", 17: "<H", 19: "<e", 22: "<I",
            23: "<Q"}  # fmt: skip
# dtype: the field that holds it otherwise. For uint32 and uint64 `make_ndarray` reads none.
_FIELD = {1: "float_val", 2: "double_val", 3: "int_val", 4: "int_val", 5: "int_val", 6: "int_val", 9: "int64_val",
          10: "bool_val", 17: "int_val", 19: "half_val"}  # fmt: skip
# dtype: how an integer of that field must fit.
_FITS = {4: range(256), 5: range(-(2**15), 2**15), 6: range(-(2**7), 2**7), 17: range(2**16), 19: range(2**16)}


def python_number(tensor: TensorProto) -> float | None:
    """What `float(make_ndarray(tensor).item())` gives: the number of a tensor of one element, whatever its rank.

    Returns:
        None where that would raise or give something else: several elements, texts, complex numbers, bfloat16.
    """
    dims = [dim.size for dim in tensor.tensor_shape.dim]
    content = tensor.tensor_content
    if content:
        layout = _CONTENT.get(tensor.dtype)
        # A dimension of -1 is worked out from the length; a second one cannot be.
        has_one_element = dims.count(-1) < 2 and all(size in {1, -1} for size in dims)
        if layout is None or not has_one_element or len(content) != struct.calcsize(layout):
            return None
        return _quiet(struct.unpack(layout, content)[0])
    field = _FIELD.get(tensor.dtype)
    if field is None or any(size != 1 for size in dims):
        return None
    numbers = getattr(tensor, field)
    return _listed(tensor.dtype, numbers[0]) if len(numbers) == 1 else None


def _listed(dtype: int, number: float) -> float | None:
    if dtype in _FITS and number not in _FITS[dtype]:
        return None
    if dtype == _HALF:
        return _quiet(struct.unpack("<e", struct.pack("<H", number))[0])
    return float(number)


def server_number(tensor: TensorProto) -> float | None:
    """The float32 of a tensor of rank 0; None for every other tensor, also for double, half and int."""
    if tensor.dtype != _FLOAT or tensor.tensor_shape.dim:
        return None
    if tensor.float_val:
        return float(tensor.float_val[0]) if len(tensor.float_val) == 1 else None
    content = tensor.tensor_content
    return _quiet(struct.unpack("<f", content)[0]) if len(content) == 4 else None


def _quiet(number: float) -> float:
    """The number as every reader's float32 comes to be a double: a signalling NaN loses that bit and no other."""
    return float(number) * 1.0
