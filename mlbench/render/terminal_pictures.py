"""Pictures in the terminal's own graphics: what kitty's protocol and sixel say for an array of pixels.

What is written is made from decoded pixels and numbers of ours alone: no byte of a logged file reaches the terminal.
`is_graphics` is the grammar of it, for whoever writes it. No answer of the terminal is ever asked for.

kitty: https://sw.kovidgoyal.net/kitty/graphics-protocol/. Sixel: https://vt100.net/docs/vt3xx-gp/chapter14.html; its
colours are chosen and its bands packed by textual-image, of the extra `images` (decision 0104).
"""

from __future__ import annotations

import base64
import math
import re
import zlib
from collections.abc import Mapping
from importlib.util import find_spec
from typing import TYPE_CHECKING

import numpy as np

from mlbench.errors import UsageError
from mlbench.render.picture_cells import blended, resized, thinned

if TYPE_CHECKING:
    from mlbench.render.picture_cells import Pixels

KITTY, SIXEL, CELLS = "kitty", "sixel", "cells"
MOST_PIXELS = 1 << 21
"""Of one picture on its way to the terminal: 2 million are a whole screen of 1920 x 1080."""
CHUNK_BYTES = 4096
"""The longest piece that kitty takes."""
SIXELS_FROM = ("textual_image", "PIL", "textual_image._sixel")
INSTALL = "pip install 'mlbench[images]'"
_KITTY = rb"\x1b_G[a-zA-Z0-9=,]*(?:;[A-Za-z0-9+/=]*)?\x1b\\"
_SIXEL = rb"\x1bP[0-9;]*q[\"#!$\-0-9;?-~]*\x1b\\"
_GRAPHICS = re.compile(rb"(?:" + _KITTY + rb"|" + _SIXEL + rb"|\x1b[78]|\x1b\[[0-9]{1,5};[0-9]{1,5}H)*")


def is_graphics(text: str) -> bool:
    """Whether a text is nothing but pictures, places of the cursor, and keeping the cursor's place."""
    return text.isascii() and _GRAPHICS.fullmatch(text.encode()) is not None


def why_not(kind: str, environ: Mapping[str, str]) -> str:
    """Why pictures cannot be drawn so here and what to do about it; '' where nothing speaks against it.

    Whether the terminal knows the kind is not asked: its answer would be read as keys.

    Args:
        kind: `cells`, `kitty` or `sixel`.
        environ: the process's environment.
    """
    if kind == CELLS:
        return ""
    if "NO_COLOR" in environ:
        return f"images stay cells: NO_COLOR is set. {kind} needs colours"
    is_screen = environ.get("TERM", "").startswith("screen") and "TMUX" not in environ
    if "STY" in environ or is_screen:
        return f"images stay cells: GNU screen does not pass {kind} on"
    if kind == KITTY and "TMUX" in environ:
        return "images stay cells: tmux does not pass kitty's images on. Try sixel, which tmux 3.4 and later know"
    if kind == SIXEL and not all(map(_is_there, SIXELS_FROM)):
        return f"images stay cells: sixel needs textual-image 0.12. Try: {INSTALL}"
    return ""


def _is_there(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except (ImportError, ValueError):
        return False


def fitted(pixels: Pixels, width: int, height: int, cell: tuple[int, int]) -> tuple[int, int]:
    """Columns and rows of the largest place in a box that has the picture's shape, in cells of so many pixels."""
    shape = max(pixels.shape[1], 1) / max(pixels.shape[0], 1) * cell[1] / cell[0]
    across = min(float(width), height * shape, math.sqrt(MOST_PIXELS / (cell[0] * cell[1]) * shape))
    return max(min(round(across), width), 1), max(min(round(across / shape), height), 1)


def kitty_picture(pixels: Pixels, columns: int, rows: int, cell: tuple[int, int], ground: str, *, number: int) -> str:
    """Draw a picture at the cursor over `columns` x `rows` cells; it takes the place of what has the number.

    Args:
        pixels: shape (rows, columns) or (rows, columns, 1 to 4), as `picture_lines` takes them.
        columns: of the terminal.
        rows: of the terminal.
        cell: width and height of a cell in pixels: no more pixels are sent than are seen.
        ground: `#rrggbb`, behind what is clear.
        number: from 1 on; it names the picture to the terminal.
    """
    height, width = min(pixels.shape[0], rows * cell[1]), min(pixels.shape[1], columns * cell[0])
    seen = _seen(pixels, max(height, 1), max(width, 1), ground)
    packed = base64.standard_b64encode(zlib.compress(seen.tobytes(), 6)).decode()
    parts = [packed[start : start + CHUNK_BYTES] for start in range(0, len(packed), CHUNK_BYTES)]
    head = f"a=T,f=24,o=z,s={seen.shape[1]},v={seen.shape[0]},i={number},c={columns},r={rows},C=1,q=2"
    keys = [f"{head if place == 0 else 'q=2'},m={int(place + 1 < len(parts))}" for place in range(len(parts))]
    return "".join(f"\x1b_G{key};{part}\x1b\\" for key, part in zip(keys, parts, strict=True))


def kitty_gone(number: int) -> str:
    """Take a picture off the screen and out of the terminal's memory."""
    return f"\x1b_Ga=d,d=I,i={number},q=2\x1b\\"


def sixel_picture(pixels: Pixels, columns: int, rows: int, cell: tuple[int, int], ground: str) -> str:
    """Draw a picture at the cursor over `columns` x `rows` cells of so many pixels; arguments as of `kitty_picture`.

    Raises:
        UsageError: textual-image is not installed, or is another one than this was written for.
    """
    try:
        from PIL import Image
        from textual_image._sixel import image_to_sixels  # its other modules ask the terminal while they are imported
    except ImportError as error:
        raise UsageError(f"sixel needs textual-image 0.12. Try: {INSTALL}") from error
    seen = _seen(pixels, rows * cell[1], columns * cell[0], ground)
    return str(image_to_sixels(Image.fromarray(seen)))


def _seen(pixels: Pixels, height: int, width: int, ground: str) -> Pixels:
    """The picture in another size, shape (height, width, 3), on the ground."""
    colours = blended(thinned(pixels, height, width), ground)
    return np.ascontiguousarray(np.rint(np.clip(resized(colours, height, width), 0, 255)).astype(np.uint8))
