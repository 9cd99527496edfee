"""Roles as ANSI escape sequences. Pure: whoever writes to the terminal decides how many colours it has."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import Literal, TypeAlias

from mlbench.render.cells import Cell, Line
from mlbench.render.palette import Look, look, xterm256

Depth: TypeAlias = Literal["none", "16", "256", "truecolor"]
RESET = "\x1b[0m"


@lru_cache(maxsize=1024)
def sgr(role: str, depth: Depth, *, back: str = "", is_light: bool = False) -> str:
    """The sequence that begins a role, '' where nothing is to be done.

    Args:
        role: of the text, one of `cells.ROLES`.
        depth: `none` (NO_COLOR: no sequence at all), `16`, `256` or `truecolor`.
        back: role of the background, '' for the terminal's own. Not shown with 16 colours.
        is_light: for a light ground.
    """
    if depth == "none":
        return ""
    shown = look(role, is_light=is_light)
    codes = [code for code, is_on in (("1", shown.is_bold), ("2", shown.is_dim and not shown.colour)) if is_on]
    codes += _foreground(shown, depth)
    if back and depth != "16":
        codes.append(_colour(look(back, is_light=is_light).colour, depth, 48))
    return f"\x1b[{';'.join(codes)}m" if codes else ""


def _foreground(shown: Look, depth: Depth) -> list[str]:
    if depth == "16":
        dim = ["2"] if shown.is_dim else []
        return [*dim, str(shown.ansi16)] if shown.ansi16 else dim
    return [_colour(shown.colour, depth, 38)] if shown.colour else []


def _colour(colour: str, depth: Depth, selector: int) -> str:
    if depth == "256":
        return f"{selector};5;{xterm256(colour)}"
    return f"{selector};2;{int(colour[1:3], 16)};{int(colour[3:5], 16)};{int(colour[5:7], 16)}"


def painted(cell: Cell, depth: Depth, *, is_light: bool = False) -> str:
    """A cell's text between its sequence and a reset; the bare text where it has no look of its own."""
    begin = sgr(cell.role, depth, back=cell.back, is_light=is_light)
    return f"{begin}{cell.text}{RESET}" if begin and cell.text else str(cell.text)


def painted_lines(lines: Iterable[Line], depth: Depth, *, is_light: bool = False) -> str:
    """Lines with colours, each ended by a newline; blanks at their ends are kept only under a background."""
    return "".join(_painted_line(line, depth, is_light=is_light) + "\n" for line in lines)


def _painted_line(line: Line, depth: Depth, *, is_light: bool) -> str:
    cells = list(line)
    while cells and not cells[-1].back and not cells[-1].text.strip():
        cells.pop()
    return "".join(painted(cell, depth, is_light=is_light) for cell in cells).rstrip(" ")
