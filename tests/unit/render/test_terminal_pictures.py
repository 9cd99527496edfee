"""Pictures in kitty's protocol and as sixels: read back as a terminal reads them."""

from __future__ import annotations

import base64
import importlib.util
import re
import subprocess
import sys
import zlib

import numpy as np
import pytest

from mlbench.render import terminal_pictures
from mlbench.render.picture_cells import thinned
from mlbench.render.terminal_pictures import (
    CHUNK_BYTES,
    MOST_PIXELS,
    fitted,
    is_graphics,
    kitty_gone,
    kitty_picture,
    sixel_picture,
    why_not,
)

CELL = (10, 20)
needs_sixels = pytest.mark.skipif(importlib.util.find_spec("textual_image") is None, reason="no textual-image here")


def kitty_pixels(text: str) -> tuple[dict[str, str], np.ndarray]:
    """The keys of the first message, and the pixels of all."""
    messages = re.findall(r"\x1b_G([^;]*);([^\x1b]*)\x1b\\", text)
    keys = dict(pair.split("=") for pair in messages[0][0].split(","))
    assert [message[0].endswith("m=1") for message in messages] == [True] * (len(messages) - 1) + [False]
    assert all(len(payload) <= CHUNK_BYTES for _keys, payload in messages)
    flat = zlib.decompress(base64.b64decode("".join(payload for _keys, payload in messages)))
    return keys, np.frombuffer(flat, np.uint8).reshape(int(keys["v"]), int(keys["s"]), 3)


def sixel_pixels(text: str) -> np.ndarray:
    """What a terminal paints: shape (rows, columns, 3), percent."""
    head = re.match(r'\x1bP[0-9;]*q"1;1;(\d+);(\d+)', text)
    assert head is not None
    width, height = int(head[1]), int(head[2])
    painted = np.full((height + 6, width, 3), -1)
    colours: dict[int, tuple[int, ...]] = {}
    x, y, colour = 0, 0, 0
    for token in re.findall(r"#\d+;2;\d+;\d+;\d+|#\d+|!\d+.|[$\-]|[?-~]", text[head.end() : -2]):
        if token[0] == "#":
            number, *rest = map(int, token[1:].split(";"))
            colours |= {number: tuple(rest[1:])} if rest else {}
            colour = number
        elif token in "$-":
            x, y = 0, y + 6 * (token == "-")
        else:
            count, sign = (int(token[1:-1]), token[-1]) if token[0] == "!" else (1, token)
            for bit in range(6):
                if (ord(sign) - 63) >> bit & 1:
                    painted[y + bit, x : x + count] = colours[colour]
            x += count
    return painted[:height]


def test_kitty_gets_the_very_pixels_in_pieces_that_it_takes() -> None:
    pixels = np.random.default_rng(7).integers(0, 256, (60, 80, 3), dtype=np.uint8)

    text = kitty_picture(pixels, 20, 8, CELL, "#000000", number=9)

    keys, seen = kitty_pixels(text)
    assert is_graphics(text)
    assert (keys["a"], keys["i"], keys["c"], keys["r"], keys["q"], keys["C"]) == ("T", "9", "20", "8", "2", "1")
    assert (seen == pixels).all()
    assert text.count("\x1b_G") > 1


def test_kitty_gets_no_more_pixels_than_are_seen() -> None:
    keys, seen = kitty_pixels(kitty_picture(np.full((5000, 5000, 4), 255, np.uint8), 4, 2, CELL, "#000000", number=1))

    assert (keys["s"], keys["v"]) == ("40", "40")
    assert (seen == 255).all()


def test_what_is_clear_shows_the_ground() -> None:
    clear = np.zeros((2, 2, 4), np.uint8)

    assert (kitty_pixels(kitty_picture(clear, 1, 1, CELL, "#102030", number=1))[1] == (0x10, 0x20, 0x30)).all()


@needs_sixels
def test_sixels_paint_every_pixel_of_their_cells() -> None:
    pixels = np.zeros((4, 4, 3), np.uint8)
    pixels[:2, :2], pixels[2:, 2:] = (255, 0, 0), (0, 0, 255)

    text = sixel_picture(pixels, 4, 2, CELL, "#000000")

    seen = sixel_pixels(text)
    assert is_graphics(text)
    assert seen.shape == (40, 40, 3)
    assert (seen[:20, :20] == (100, 0, 0)).all()
    assert (seen[20:, 20:] == (0, 0, 100)).all()
    assert (seen[:20, 20:] == 0).all()


def test_nothing_but_pictures_is_graphics() -> None:
    assert is_graphics("\x1b7\x1b[3;41H" + kitty_gone(7) + "\x1b8")
    for text in ("text", "\x1b]52;c;ZXZpbA==\x07", "\x1b[6n", "\x1b_Ga=T;\x1b]0;x\x07\x1b\\", "\x1bP$q q\x1b\\", "\x1b[2J",
                 "\x1bP0q~\n~\x1b\\", "\x1b_Xa=T;AAAA\x1b\\", "\x1b_Ga=T;AA\u2588A\x1b\\", "\x1bPtmux;\x1b\\"):  # fmt: skip
        assert not is_graphics(text), text
        assert not is_graphics(kitty_gone(1) + text), text


def test_a_picture_keeps_its_shape_in_pixels_not_in_cells() -> None:
    square = np.zeros((100, 100), np.uint8)

    assert fitted(square, 100, 20, (10, 20)) == (40, 20)
    assert fitted(square, 30, 100, (10, 20)) == (30, 15)
    assert fitted(square, 100, 20, (10, 10)) == (20, 20)
    assert fitted(np.zeros((1, 100000), np.uint8), 100, 20, CELL) == (100, 1)


def test_no_terminal_is_so_large_that_a_picture_floods_it() -> None:
    columns, rows = fitted(np.zeros((100, 200), np.uint8), 2000, 1000, (20, 40))

    assert columns * rows * 20 * 40 <= MOST_PIXELS * 1.02
    assert columns / rows == pytest.approx(4, rel=0.05)


def test_a_large_picture_is_looked_at_coarsely_before_it_becomes_floats() -> None:
    assert thinned(np.zeros((5000, 300, 3), np.uint8), 100, 100).shape == (417, 300, 3)
    assert thinned(np.zeros((3, 2), np.uint8), 100, 100).shape == (3, 2)


@pytest.mark.parametrize(
    ("kind", "environ", "said"),
    [
        ("cells", {"TMUX": "x", "NO_COLOR": ""}, ""),
        ("kitty", {}, ""),
        ("kitty", {"SSH_CONNECTION": "x"}, ""),
        ("kitty", {"TMUX": "x"}, "tmux does not pass kitty's images on. Try sixel"),
        ("sixel", {"STY": "x"}, "GNU screen does not pass sixel on"),
        ("kitty", {"TERM": "screen-256color"}, "GNU screen does not pass kitty on"),
        ("kitty", {"NO_COLOR": ""}, "NO_COLOR is set"),
    ],
)
def test_what_cannot_be_drawn_here_is_said(kind: str, environ: dict[str, str], said: str) -> None:
    told = why_not(kind, environ)

    assert said in told
    assert bool(told) == bool(said)


def test_without_the_extra_sixels_say_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(terminal_pictures, "SIXELS_FROM", ("no_such_module",))

    assert "Try: pip install 'mlbench[images]'" in why_not("sixel", {})


@needs_sixels
def test_packing_sixels_asks_no_terminal() -> None:
    code = """if True:
        import os, pty, sys
        child, terminal = pty.fork()
        if child == 0:
            import numpy as np
            from mlbench.render.terminal_pictures import sixel_picture, why_not
            said = why_not("sixel", {})
            sixel_picture(np.zeros((8, 8), np.uint8), 2, 1, (8, 16), "#000000")
            print("said", repr(said), sorted(name for name in sys.modules if name.startswith("textual_image")))
            os._exit(0)
        written = b""
        try:
            while part := os.read(terminal, 65536):
                written += part
        except OSError:
            pass
        print(written)
    """
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout

    assert told == "b\"said '' ['textual_image', 'textual_image._sixel']\\r\\n\"\n"
