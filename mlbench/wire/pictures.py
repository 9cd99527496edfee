"""Logged images as pixels: PNG by ourselves, other formats by Pillow where it is installed (the extra `images`)."""

from __future__ import annotations

import io
from struct import error as struct_error
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from mlbench.wire.png import MOST_PIXELS, SIGNATURE, read_png
from mlbench.wire.protobuf import WireError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Pixels: TypeAlias = NDArray[np.uint8]

FORMATS = ("JPEG", "GIF", "PNG", "BMP", "WEBP")
"""What Pillow may try: formats of pixels alone, none that runs another program."""


def read_picture(content: bytes) -> Pixels:
    """Decode an image by its own bytes, whatever the log calls it; of an animation the first picture.

    Returns:
        Shape (rows, columns, 1 to 4): grey, grey and alpha, RGB, or RGB and alpha.

    Raises:
        WireError: it cannot be decoded, or not without Pillow; the message says what to install.
    """
    return read_png(content) if content.startswith(SIGNATURE) else _by_pillow(content)


def _by_pillow(content: bytes) -> Pixels:
    try:
        from PIL import Image
    except ImportError as error:
        raise WireError("only PNG is decoded without Pillow. Try: pip install 'mlbench[images]'") from error
    try:
        with Image.open(io.BytesIO(content), formats=FORMATS) as image:
            if image.width * image.height > MOST_PIXELS:
                raise WireError(f"the image has {image.width:,} x {image.height:,} pixels, more than are read")
            return np.asarray(image.convert("RGBA" if image.has_transparency_data else "RGB"))
    except (OSError, ValueError, SyntaxError, struct_error, Image.DecompressionBombError) as error:
        raise WireError("the bytes are no image that Pillow knows") from error
