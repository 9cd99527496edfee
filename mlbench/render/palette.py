"""The colours of the roles, for those who paint: the terminal writer, the workbench and SVG files.

The eight of each palette were found by a search in the xterm-256 cube, so that 256 colours show the same as
true colour: contrast of at least 4.5 on a dark ground (3 on white), and the greatest least distance (CIE76
27.7 and 30.7) over normal, deuteran, protan and tritan sight.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from mlbench.dataclass import dataclass

if TYPE_CHECKING:
    from mlbench.model import Float64Array, Int64Array

DARK = ("#5fafff", "#ffd700", "#d75f87", "#afff87", "#875fff", "#ff0000", "#87af5f", "#ffffff")
LIGHT = ("#0000d7", "#ff5f00", "#000000", "#d75faf", "#870000", "#0087ff", "#87875f", "#5f0087")
ANSI16 = (94, 93, 95, 92, 96, 91)
"""SGR foreground codes for terminals of 16 colours, where eight can not be told apart."""
PATTERNS = ("solid", "dashed", "dotted")
"""What tells curves apart when the colours are used up, and where there are none."""

DARK_GROUND = "#121212"
LIGHT_GROUND = "#ffffff"


@dataclass(frozen=True, slots=True)
class Look:
    """How a role looks: colours as `#rrggbb`, '' for the terminal's own."""

    colour: str = ""
    is_bold: bool = False
    is_dim: bool = False
    ansi16: int = 0
    """SGR foreground code for 16 colours, 0 for the terminal's own."""


_DARK_LOOKS = {
    "": Look(),
    "good": Look("#87d787", ansi16=32),
    "bad": Look("#ff8787", ansi16=31),
    "muted": Look("#8a8a8a", is_dim=True),
    "changed": Look("#ffd787", ansi16=33),
    "title": Look(is_bold=True),
    "heading": Look("#87afd7", is_bold=True, ansi16=36),
    "baseline": Look("#ffffff", is_bold=True, ansi16=97),
    "warning": Look("#ffaf5f", ansi16=33),
    "key": Look("#87d7d7", ansi16=36),
    "axis": Look("#8a8a8a", is_dim=True),
    "keyword": Look("#d7afff", ansi16=35),
    "string": Look("#d7d787", ansi16=33),
    "number": Look("#87d7ff", ansi16=36),
    "added": Look("#14281a"),
    "removed": Look("#32191b"),
}
_LIGHT_COLOURS = {
    "good": "#005f00", "bad": "#af0000", "muted": "#6c6c6c", "changed": "#875f00", "heading": "#005f87",
    "baseline": "#000000", "warning": "#af5f00", "key": "#005f5f", "axis": "#6c6c6c",
    "keyword": "#5f00af", "string": "#5f5f00", "number": "#005f87", "added": "#e2f5e6", "removed": "#fbe5e5",
}  # fmt: skip
_SLOTTED = re.compile(r"(run|faint|band)(\d+)")


def look(role: str, *, is_light: bool = False) -> Look:
    """How a role looks on a dark or light ground. Slots above 7 begin again; an unknown role looks like text.

    `#rrggbb` is a colour of a picture (`picture_cells`, heat maps), which looks the same on every ground.
    """
    if role.startswith("#"):
        return Look(role, ansi16=_ansi16(role))
    slotted = _SLOTTED.fullmatch(role)
    if slotted:
        return _slot_look(slotted[1], int(slotted[2]), is_light=is_light)
    found = _DARK_LOOKS.get(role, _DARK_LOOKS[""])
    if is_light and role in _LIGHT_COLOURS:
        return Look(_LIGHT_COLOURS[role], found.is_bold, found.is_dim, found.ansi16)
    return found


def _slot_look(kind: str, slot: int, *, is_light: bool) -> Look:
    colour = (LIGHT if is_light else DARK)[slot % len(DARK)]
    ansi16 = ANSI16[slot % len(DARK) % len(ANSI16)]
    if kind == "run":
        return Look(colour, ansi16=ansi16)
    ground = LIGHT_GROUND if is_light else DARK_GROUND
    # 0.5: a raw curve that is seen but does not compete; 0.25: a tint that text on it stays readable on.
    return Look(mixed(colour, ground, 0.5 if kind == "faint" else 0.25), is_dim=True, ansi16=ansi16)


def mixed(colour: str, ground: str, share: float) -> str:
    """`share` of a colour on the rest of another, both `#rrggbb`."""
    channels = zip(_channels(colour), _channels(ground), strict=True)
    return "#" + "".join(f"{round(share * a + (1 - share) * b):02x}" for a, b in channels)


def _channels(colour: str) -> tuple[int, int, int]:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def _ansi16(colour: str) -> int:
    """The nearest of xterm's sixteen colours, as a foreground code."""
    channels = _channels(colour)
    place = min(range(16), key=lambda index: _distance(_channels(_SIXTEEN[index]), channels))
    return 30 + place if place < 8 else 82 + place


_SIXTEEN = (
    "#000000", "#cd0000", "#00cd00", "#cdcd00", "#0000ee", "#cd00cd", "#00cdcd", "#e5e5e5",
    "#7f7f7f", "#ff0000", "#00ff00", "#ffff00", "#5c5cff", "#ff00ff", "#00ffff", "#ffffff",
)  # fmt: skip


def nearest_fixed(colours: Float64Array) -> Int64Array:
    """The nearest of the 240 fixed colours of xterm for colours of shape (..., 3), 0 to 255, as whole channels."""
    import numpy as np

    cube_steps, grey_steps = np.array(_CUBE_STEPS), np.array(_GREY_STEPS)
    cube = cube_steps[np.abs(colours[..., None] - cube_steps).argmin(axis=-1)]
    mean = colours.mean(axis=-1)
    grey = grey_steps[np.abs(mean[..., None] - grey_steps).argmin(axis=-1)][..., None]
    is_grey = ((colours - grey) ** 2).sum(axis=-1) < ((colours - cube) ** 2).sum(axis=-1)
    nearest: Int64Array = np.where(is_grey[..., None], grey, cube)
    return nearest


def xterm256(colour: str) -> int:
    """The nearest of the 240 fixed colours of xterm (16 to 255), by squared distance."""
    red, green, blue = _channels(colour)
    nearest = [_nearest(_CUBE_STEPS, value) for value in (red, green, blue)]
    cube = tuple(_CUBE_STEPS[i] for i in nearest)
    grey = _nearest(_GREY_STEPS, (red + green + blue) / 3)
    level = _GREY_STEPS[grey]
    if _distance((red, green, blue), (level, level, level)) < _distance((red, green, blue), cube):
        return 232 + grey
    return 16 + 36 * nearest[0] + 6 * nearest[1] + nearest[2]


_CUBE_STEPS = (0, 95, 135, 175, 215, 255)
_GREY_STEPS = tuple(range(8, 248, 10))


def _nearest(steps: Sequence[int], value: float) -> int:
    return min(range(len(steps)), key=lambda index: abs(steps[index] - value))


def _distance(a: tuple[int, ...], b: tuple[int, ...]) -> int:
    return sum((x - y) ** 2 for x, y in zip(a, b, strict=True))


def is_light_ground(environ: Mapping[str, str]) -> bool:
    """Whether the terminal says that its background is light (COLORFGBG, as rxvt, Konsole and others set it)."""
    back = environ.get("COLORFGBG", "").rpartition(";")[2]
    return back in ("7", "15")
