"""Lines of segments to what goes over the wire: each change of colour is said once, and only what changes.

Textual (8.2.8) says every style in full and takes it back behind every text: 45 bytes for each cell of a table, of
which ten are its text. Here a line says a colour when it becomes another one, blanks take the ink of what stands before
them, and a colour that the 256 fixed ones hold exactly is named by its number: xterm's palette beyond the first
sixteen, which themes of terminals leave alone. A line ends with the terminal's own colours, as Textual's does.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import NamedTuple

from rich.color import Color, ColorSystem, ColorType
from rich.segment import Segment
from rich.style import Style

RESET = "\x1b[0m"
_MARKS = (
    ("bold", "1"), ("dim", "2"), ("italic", "3"), ("underline", "4"), ("blink", "5"), ("blink2", "6"),
    ("reverse", "7"), ("conceal", "8"), ("strike", "9"), ("underline2", "21"), ("frame", "51"), ("encircle", "52"),
    ("overline", "53"),
)  # fmt: skip
_SEEN_ON_BLANKS = frozenset({"4", "7", "9", "21", "51", "52", "53"})


class Pen(NamedTuple):
    """What a terminal draws with."""

    marks: frozenset[str] = frozenset()
    """SGR codes: bold, underlined, ..."""
    ink: str = "39"
    paper: str = "49"


PLAIN = Pen()


def to_wire(segments: Iterable[Segment], system: ColorSystem) -> str | None:
    """The text with its escape sequences; None where there is a link or a control code, which is left to Textual.

    Args:
        segments: of one line, their texts clean.
        system: the colours that the terminal has.
    """
    parts: list[str] = []
    pen = PLAIN
    for text, style, control in segments:
        if control or (style is not None and style.link):
            return None
        wanted = PLAIN if style is None else pen_of(style, system)
        if wanted != pen and not (text.isspace() and _blanks_alike(pen, wanted)):
            parts.append(_change(pen, wanted))
            pen = wanted
        parts.append(text)
    if pen != PLAIN:
        parts.append(RESET)
    return "".join(parts)


@lru_cache(maxsize=4096)
def pen_of(style: Style, system: ColorSystem) -> Pen:
    """The pen that a style asks for."""
    marks = frozenset(code for name, code in _MARKS if getattr(style, name))
    return Pen(marks, _code(style.color, system, "39"), _code(style.bgcolor, system, "49"))


def _code(colour: Color | None, system: ColorSystem, none: str) -> str:
    if colour is None:
        return none
    shown = colour.downgrade(system)
    is_ink = none == "39"
    if shown.type is ColorType.TRUECOLOR and shown.triplet is not None:
        number = _numbers().get(tuple(shown.triplet))
        if number is not None:
            return f"{38 if is_ink else 48};5;{number}"
    return ";".join(shown.get_ansi_codes(foreground=is_ink))


@lru_cache(maxsize=1)
def _numbers() -> dict[tuple[int, ...], int]:
    """The numbers of the fixed colours: a cube of 6 x 6 x 6, then 24 greys."""
    steps = (0, 95, 135, 175, 215, 255)
    cube = [(red, green, blue) for red in steps for green in steps for blue in steps]
    greys = [(8 + 10 * grey,) * 3 for grey in range(24)]
    return {colour: 16 + place for place, colour in reversed(list(enumerate([*cube, *greys])))}


def _blanks_alike(pen: Pen, wanted: Pen) -> bool:
    """Whether blanks look the same with both."""
    return pen.paper == wanted.paper and _SEEN_ON_BLANKS.isdisjoint(pen.marks | wanted.marks)


@lru_cache(maxsize=4096)
def _change(pen: Pen, wanted: Pen) -> str:
    """The shorter one of what changes and of all from the terminal's own colours on."""
    anew = ";".join(["0", *_codes(PLAIN, wanted)])
    if pen.marks <= wanted.marks:
        anew = min(";".join(_codes(pen, wanted)), anew, key=len)
    return f"\x1b[{anew}m"


def _codes(pen: Pen, wanted: Pen) -> list[str]:
    codes = sorted(wanted.marks - pen.marks)
    codes += [wanted.ink] if wanted.ink != pen.ink else []
    return codes + ([wanted.paper] if wanted.paper != pen.paper else [])
