"""PNG images as arrays, with numpy and zlib alone: what TensorBoard logs, and the library of images is an extra.

Format: https://www.w3.org/TR/png-3/. Every bit depth and colour type is read; of interlaced images each pass.
"""

from __future__ import annotations

import struct
import zlib
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from mlbench.dataclass import dataclass
from mlbench.wire.protobuf import WireError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Bytes: TypeAlias = NDArray[np.uint8]

SIGNATURE = b"\x89PNG\r\n\x1a\n"
MOST_PIXELS = 1 << 25
"""Larger images are refused before anything of them is unpacked: 33 million pixels are 128 MiB."""
_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
_DEPTHS = {0: (1, 2, 4, 8, 16), 2: (8, 16), 3: (1, 2, 4, 8), 4: (8, 16), 6: (8, 16)}
_PASSES = ((0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2), (1, 0, 2, 1))
"""Of interlaced images: first row and column, and the distance of the next ones."""


@dataclass(frozen=True, slots=True)
class _Header:
    width: int
    height: int
    depth: int
    """Bits of a channel."""
    kind: int
    """Colour type."""
    is_interlaced: bool

    @property
    def bits(self) -> int:
        """Of a pixel."""
        return self.depth * _CHANNELS[self.kind]


def read_png(content: bytes) -> Bytes:
    """Decode an image.

    Args:
        content: the bytes of a PNG file; a checksum is not verified, since whoever reads them has the digest.

    Returns:
        Shape (rows, columns, channels): grey, grey and alpha, RGB, or RGB and alpha. Of 16 bits the upper eight.

    Raises:
        WireError: it is no PNG, is cut or damaged, or has more than `MOST_PIXELS`.
    """
    chunks = _chunks(content)
    header = _header(chunks)
    packed = b"".join(body for kind, body in chunks if kind == b"IDAT")
    passes = _PASSES if header.is_interlaced else ((0, 0, 1, 1),)
    shapes = [_pass_shape(header, one) for one in passes]
    unpacked = _inflated(packed, sum(rows * (_row_bytes(header, columns) + 1) for rows, columns in shapes))
    samples = np.zeros((header.height, header.width, _CHANNELS[header.kind]), dtype=np.uint8)
    start = 0
    for (top, left, down, across), (rows, columns) in zip(passes, shapes, strict=True):
        n_bytes = rows * (_row_bytes(header, columns) + 1)
        if n_bytes:
            lines = np.frombuffer(unpacked, np.uint8, n_bytes, start).reshape(rows, -1)
            samples[top::down, left::across] = _samples(_unfiltered(lines, max(header.bits // 8, 1)), header, columns)
        start += n_bytes
    return _coloured(samples, header, chunks)


def _chunks(content: bytes) -> list[tuple[bytes, bytes]]:
    if not content.startswith(SIGNATURE):
        raise WireError("the bytes are no PNG image")
    chunks = []
    place = len(SIGNATURE)
    while place + 8 <= len(content):
        length, kind = struct.unpack_from(">I4s", content, place)
        body = content[place + 8 : place + 8 + length]
        if len(body) < length:
            raise WireError("the PNG image is cut")
        chunks.append((kind, body))
        if kind == b"IEND":
            return chunks
        place += 12 + length
    raise WireError("the PNG image is cut")


def _header(chunks: list[tuple[bytes, bytes]]) -> _Header:
    kind, body = chunks[0]
    if kind != b"IHDR" or len(body) != 13:
        raise WireError("the PNG image has no header")
    width, height, depth, colour, _deflate, _filter, interlace = struct.unpack(">IIBBBBB", body)
    if depth not in _DEPTHS.get(colour, ()) or not width or not height:
        raise WireError("the header of the PNG image is damaged")
    if width * height > MOST_PIXELS:
        raise WireError(f"the image has {width:,} x {height:,} pixels, more than are read")
    return _Header(width, height, depth, colour, interlace == 1)


def _pass_shape(header: _Header, one: tuple[int, int, int, int]) -> tuple[int, int]:
    """Rows and columns of a pass; none where either is 0."""
    top, left, down, across = one
    rows, columns = -((top - header.height) // down), -((left - header.width) // across)
    return (rows, columns) if rows > 0 and columns > 0 else (0, 0)


def _row_bytes(header: _Header, columns: int) -> int:
    return (columns * header.bits + 7) // 8


def _inflated(packed: bytes, n_bytes: int) -> bytes:
    """The first `n_bytes` that unpack: what claims more is not given room."""
    try:
        unpacked = zlib.decompressobj().decompress(packed, n_bytes)
    except zlib.error as error:
        raise WireError("the pixels of the PNG image are damaged") from error
    if len(unpacked) < n_bytes:
        raise WireError("the PNG image is cut")
    return unpacked


def _unfiltered(lines: Bytes, distance: int) -> Bytes:
    """Take the prediction of each row back.

    Args:
        lines: shape (rows, 1 + bytes): the filter of each row and its bytes.
        distance: bytes from a byte to the one left of it.
    """
    filters, raw = lines[:, 0], lines[:, 1:]
    if filters.max(initial=0) > 4:
        raise WireError("the pixels of the PNG image are damaged")
    n_rows, n_bytes = raw.shape
    padded = np.zeros((n_rows, -(-n_bytes // distance) * distance), dtype=np.uint8)
    padded[:, :n_bytes] = raw
    pixels = padded.reshape(n_rows, -1, distance)
    shown = _by_rows(pixels, filters) if filters.max(initial=0) <= 2 else _by_diagonals(pixels, filters)
    return shown.reshape(n_rows, -1)[:, :n_bytes]


def _by_rows(pixels: Bytes, filters: Bytes) -> Bytes:
    """Rows that are told from what is left of a byte or above it alone."""
    shown = np.zeros_like(pixels)
    above = np.zeros_like(pixels[0])
    for y, kind in enumerate(filters.tolist()):
        row = pixels[y]
        if kind == 1:
            row = np.add.accumulate(row, axis=0, dtype=np.uint8)
        elif kind == 2:
            row = row + above
        shown[y] = above = row
    return shown


def _by_diagonals(pixels: Bytes, filters: Bytes) -> Bytes:
    """Rows of any filter: a pixel needs the ones left, above, and left above, so all on one diagonal are told at once.

    An image of 800 x 800 is 1,600 diagonals of few operations each, not 640,000 turns of a loop.
    """
    n_rows, n_columns, _distance = pixels.shape
    shown = np.zeros((n_rows + 1, n_columns + 1, pixels.shape[2]), dtype=np.int16)
    for diagonal in range(n_rows + n_columns - 1):
        y = np.arange(max(0, diagonal - n_columns + 1), min(n_rows, diagonal + 1))
        x = diagonal - y
        left, above, corner = shown[y + 1, x], shown[y, x + 1], shown[y, x]
        slope = left + above - corner
        to_left, to_above, to_corner = abs(slope - left), abs(slope - above), abs(slope - corner)
        nearest = np.where(to_above <= to_corner, above, corner)
        paeth = np.where((to_left <= to_above) & (to_left <= to_corner), left, nearest)
        guesses = np.stack([np.zeros_like(left), left, above, (left + above) >> 1, paeth])
        shown[y + 1, x + 1] = (pixels[y, x] + guesses[filters[y], np.arange(y.size)]) & 255
    return shown[1:, 1:].astype(np.uint8)


def _samples(lines: Bytes, header: _Header, columns: int) -> Bytes:
    """Shape (rows, columns, channels), each sample as it is told: of fewer bits than eight not yet spread."""
    n_channels = _CHANNELS[header.kind]
    if header.depth == 16:
        return lines.reshape(lines.shape[0], columns, n_channels, 2)[..., 0]
    if header.depth < 8:
        bits = np.unpackbits(lines, axis=1).reshape(lines.shape[0], -1, header.depth)[:, :columns]
        weights = 1 << np.arange(header.depth - 1, -1, -1)
        return (bits @ weights).astype(np.uint8)[..., None]
    return lines.reshape(lines.shape[0], columns, n_channels)


def _coloured(samples: Bytes, header: _Header, chunks: list[tuple[bytes, bytes]]) -> Bytes:
    """Numbers of a palette as its colours, and grey of few bits over the whole range."""
    if header.kind != 3:
        return samples if header.depth >= 8 else samples * np.uint8(255 // ((1 << header.depth) - 1))
    bodies = dict(chunks)
    table = np.frombuffer(bodies.get(b"PLTE", b""), dtype=np.uint8)
    table = table[: table.size // 3 * 3].reshape(-1, 3)
    if samples.max() >= len(table):
        raise WireError("the palette of the PNG image has too few colours")
    if b"tRNS" in bodies:
        alpha = np.full(len(table), 255, dtype=np.uint8)
        told = np.frombuffer(bodies[b"tRNS"], dtype=np.uint8)[: len(table)]
        alpha[: told.size] = told
        table = np.column_stack([table, alpha])
    return table[samples[..., 0]]
