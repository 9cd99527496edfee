"""From 32 bits to 64 without losing any: the processor's own conversion makes signalling NaNs quiet."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from mlbench.model import Float64Array

_SIGN, _EXPONENT, _MANTISSA = 0x80000000, 0x7FF << 52, 0x7FFFFF
_SHIFT = 29
"""Bits that a double's mantissa has more."""


def widen(values: NDArray[np.float32]) -> Float64Array:
    """The same numbers as doubles; a NaN keeps its sign and its payload, in the upper bits.

    Args:
        values: shape (n,); n may be 0.
    """
    import numpy as np

    with np.errstate(invalid="ignore"):
        wide = values.astype(np.float64)
    odd = np.flatnonzero(np.isnan(values))
    if odd.size:
        bits = np.ascontiguousarray(values).view(np.uint32)[odd].astype(np.uint64)
        sign = (bits & np.uint64(_SIGN)) << np.uint64(32)
        wide.view(np.uint64)[odd] = sign | np.uint64(_EXPONENT) | ((bits & np.uint64(_MANTISSA)) << np.uint64(_SHIFT))
    return wide


def widen_at(payload: bytes, place: int) -> float:
    """The float32 at a place, as `widen` gives it."""
    number: float = struct.unpack_from("<f", payload, place)[0]
    if number == number:  # noqa: PLR0124 - only a NaN differs from itself
        return number
    bits: int = struct.unpack_from("<I", payload, place)[0]
    wide = (bits & _SIGN) << 32 | _EXPONENT | (bits & _MANTISSA) << _SHIFT
    nan: float = struct.unpack("<d", wide.to_bytes(8, "little"))[0]
    return nan
