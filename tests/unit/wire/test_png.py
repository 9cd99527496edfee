"""PNG images of every kind, made by hand, against what they were made of."""

from __future__ import annotations

import struct
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlbench.wire.pictures import read_picture
from mlbench.wire.png import SIGNATURE, read_png
from mlbench.wire.protobuf import WireError


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png(width: int, height: int, depth: int, colour: int, raw: bytes, *more: bytes, interlace: int = 0) -> bytes:
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, interlace)
    parts = [chunk(b"IHDR", header), *more, chunk(b"IDAT", zlib.compress(raw)), chunk(b"IEND", b"")]
    return SIGNATURE + b"".join(parts)


def rgb_png(pixels: np.ndarray, filters: list[int]) -> bytes:
    """Each row with its own filter, as the standard writes them: slow and plain, to hold the reader against."""
    height, width, _ = pixels.shape
    raw = bytearray()
    for y, kind in enumerate(filters):
        raw.append(kind)
        for x in range(width):
            for c in range(3):
                a = int(pixels[y, x - 1, c]) if x else 0
                b = int(pixels[y - 1, x, c]) if y else 0
                d = int(pixels[y - 1, x - 1, c]) if x and y else 0
                guess = (0, a, b, (a + b) // 2, paeth(a, b, d))[kind]
                raw.append((int(pixels[y, x, c]) - guess) % 256)
    return png(width, height, 8, 2, bytes(raw))


def paeth(a: int, b: int, c: int) -> int:
    p = a + b - c
    return min((a, b, c), key=lambda value: (abs(p - value), (a, b, c).index(value)))


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_every_filter_is_taken_back(data: st.DataObject) -> None:
    height, width = data.draw(st.integers(1, 7)), data.draw(st.integers(1, 7))
    seed = data.draw(st.integers(0, 1 << 30))
    filters = data.draw(st.lists(st.integers(0, 4), min_size=height, max_size=height))
    pixels = np.random.default_rng(seed).integers(0, 256, (height, width, 3)).astype(np.uint8)

    read = read_png(rgb_png(pixels, filters))

    assert np.array_equal(read, pixels)


def test_grey_of_one_bit_is_black_and_white() -> None:
    read = read_png(png(3, 2, 1, 0, bytes([0, 0b10100000, 0, 0b01000000])))

    assert read[..., 0].tolist() == [[255, 0, 255], [0, 255, 0]]


def test_of_sixteen_bits_the_upper_eight_are_taken() -> None:
    read = read_png(png(1, 1, 16, 4, bytes([0, 0x12, 0x34, 0xAB, 0xCD])))

    assert read.tolist() == [[[0x12, 0xAB]]]


def test_a_palette_gives_its_colours_and_what_is_clear() -> None:
    colours = chunk(b"PLTE", bytes([255, 0, 0, 0, 0, 255]))
    clear = chunk(b"tRNS", bytes([7]))

    read = read_png(png(2, 1, 4, 3, bytes([0, 0x01]), colours, clear))

    assert read.tolist() == [[[255, 0, 0, 7], [0, 0, 255, 255]]]


def test_an_interlaced_image_is_put_together_from_its_passes() -> None:
    # 3 x 2: pass 1 has (0, 0), pass 4 (0, 2), pass 6 (0, 1), pass 7 the second row; the others are empty.
    raw = bytes([0, 10, 0, 12, 0, 11, 0, 20, 21, 22])

    read = read_png(png(3, 2, 8, 0, raw, interlace=1))

    assert read[..., 0].tolist() == [[10, 11, 12], [20, 21, 22]]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "only PNG|Pillow"),
        (SIGNATURE, "cut"),
        (png(1, 1, 8, 0, b""), "cut"),
        (png(1, 1, 3, 0, b"\0\0"), "damaged"),
        (png(1, 1, 8, 0, b"\5\0"), "damaged"),
        (png(100_000, 100_000, 8, 0, b""), "more than are read"),
        (png(1, 1, 8, 3, b"\0\7", chunk(b"PLTE", b"\0\0\0")), "too few colours"),
        (png(1, 1, 8, 3, b"\0\0"), "too few colours"),
    ],
)
def test_what_is_no_image_is_told(content: bytes, says: str) -> None:
    with pytest.raises(WireError, match=says):
        read_picture(content)


def test_an_image_that_is_cut_or_changed_anywhere_is_an_image_or_an_error() -> None:
    whole = rgb_png(np.arange(48, dtype=np.uint8).reshape(4, 4, 3), [0, 1, 3, 4])
    rng = np.random.default_rng(0)
    for cut in range(len(SIGNATURE), len(whole)):
        damaged = bytearray(whole)
        damaged[cut] = int(rng.integers(0, 256))
        for content in (whole[:cut], bytes(damaged)):
            try:
                read = read_png(content)
            except WireError:
                continue
            assert read.dtype == np.uint8


def test_other_formats_are_read_where_pillow_is() -> None:
    image = pytest.importorskip("PIL.Image")
    import io

    file = io.BytesIO()
    image.new("RGB", (4, 2), (255, 0, 0)).save(file, "GIF")

    assert read_picture(file.getvalue()).shape == (2, 4, 3)
