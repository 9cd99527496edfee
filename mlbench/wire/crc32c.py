"""CRC-32C as TFRecord files carry it: rotated and offset, so that a checksum of checksums stays strong.

The polynomial itself is computed by `google_crc32c` (13 GB/s); the pure-Python one in tensorboard's stub is
what makes its reader slow.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from google_crc32c import extend as _extend
from google_crc32c import value as _crc32c

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_MASK_DELTA = 0xA282EAD8
_ONES = 0xFFFFFFFF
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


@lru_cache(maxsize=65_536)
def closing_word(length: int) -> int:
    """What has to be xored with a record's plain payload checksum to give the word that closes it (see `are_closed`).

    Args:
        length: of the payload, 0 to 2**32 - 1.
    """
    header = length.to_bytes(_LENGTH_BYTES, "little") + masked_crc32c_of_length(length).to_bytes(4, "little")
    # The checksum as written starts from a register of ones and is inverted; the running register started from zero.
    return _register(_register(0, header) ^ _ONES, bytes(length)) ^ _ONES


def are_closed(octets: NDArray[np.uint8]) -> bool:
    """Whether a stretch of closed records leaves the register of the checksum at zero, as it was before them.

    CRC-32C runs a register through the bytes, and a word that equals the register sets it to zero. If the four bytes
    behind each payload are replaced by the value that the register must have there, as told by the record's own
    checksum and by its length alone (`closing_word`), then each sound record takes the register from zero to zero.
    So one run over a thousand records, at the processor's own speed, tests both checksums of each of them, and every
    byte between. A record of which one checksum is wrong always leaves something behind, since the register's steps are
    invertible; two wrong ones, of one record or of several, go unnoticed together once in 2**32 times, like any damage
    under a checksum of 32 bits.

    The register's algebra: R. N. Williams, "A painless guide to CRC error detection algorithms" (1993), part 10.

    Args:
        octets: shape (n,), n >= 1, contiguous: whole records with their closing words.
    """
    return int(_extend(_ONES, octets)) == _ONES


def unmasked(checksums: NDArray[np.uint32]) -> NDArray[np.uint32]:
    """The plain checksums of masked ones, shape (n,)."""
    import numpy as np

    rotated = checksums - np.uint32(_MASK_DELTA)
    upper = rotated << np.uint32(15)
    rotated >>= np.uint32(17)
    rotated |= upper
    return rotated


def _register(register: int, content: bytes) -> int:
    """The register after some bytes, without the inversion at start and end that a checksum has."""
    return int(_extend(register ^ _ONES, content)) ^ _ONES
