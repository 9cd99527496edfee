"""CRC-32C as TFRecord files carry it: rotated and offset, so that a checksum of checksums stays strong.

The polynomial itself is computed by `google_crc32c` (13 GB/s); the pure-Python one in tensorboard's stub is
what makes its reader slow.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from google_crc32c import value as _crc32c

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_MASK_DELTA = 0xA282EAD8
_LENGTH_BYTES = 8


def crc32c(content: bytes) -> int:
    """The plain checksum (Castagnoli polynomial), 0 to 2**32 - 1."""
    return int(_crc32c(content))


def masked_crc32c(content: bytes) -> int:
    """The checksum as a TFRecord stores it: rotated right by 15 bits, plus a constant, modulo 2**32."""
    crc: int = _crc32c(content)
    return ((crc >> 15 | crc << 17) + _MASK_DELTA) & 0xFFFFFFFF


@lru_cache(maxsize=4096)
def masked_crc32c_of_length(length: int) -> int:
    """The checksum that stands behind a length field; a file has few lengths, so they are remembered.

    Args:
        length: 0 to 2**64 - 1.
    """
    return masked_crc32c(length.to_bytes(_LENGTH_BYTES, "little"))


def masked_crc32c_of_lengths(lengths: NDArray[np.uint32]) -> NDArray[np.uint32]:
    """The same for many lengths at once; lengths of 2**32 and more cannot be asked for.

    Args:
        lengths: shape (n,); n may be 0.

    Returns:
        Shape (n,). The checksum is affine in its input: that of zero, xor one table entry a byte.
    """
    import numpy as np

    zero, tables = _length_tables()
    crc = np.full(lengths.shape, zero, dtype=np.uint32)
    for place, table in enumerate(tables):
        crc ^= table[(lengths >> np.uint32(8 * place)) & np.uint32(0xFF)]
    rotated = (crc >> np.uint32(15)) | (crc << np.uint32(17))
    return rotated + np.uint32(_MASK_DELTA)


@lru_cache(maxsize=1)
def _length_tables() -> tuple[int, tuple[NDArray[np.uint32], ...]]:
    """The checksum of a zero length, and what each value of each of the four low bytes changes in it."""
    import numpy as np

    zero = crc32c(bytes(_LENGTH_BYTES))
    tables = tuple(
        np.array(
            [crc32c((value << 8 * place).to_bytes(_LENGTH_BYTES, "little")) ^ zero for value in range(256)],
            dtype=np.uint32,
        )
        for place in range(4)
    )
    return zero, tables
