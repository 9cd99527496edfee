"""Pictures that a page leaves room for, where the terminal draws them itself."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import field, replace
from typing import TYPE_CHECKING

from mlbench.dataclass import dataclass

if TYPE_CHECKING:
    from mlbench.render.cells import Line
    from mlbench.tui.stage import Paper
    from mlbench.wire.pictures import Pixels

CELLS = "cells"
USUAL_CELL = (8, 16)
"""Pixels of a cell where the terminal does not say: rather too few, so that a picture stays within its cells."""


@dataclass(frozen=True, slots=True)
class Drawing:
    """How the terminal draws pictures."""

    kind: str = CELLS
    """`cells`, `kitty` or `sixel`."""
    cell: tuple[int, int] = USUAL_CELL
    """Width and height of a cell in pixels."""
    is_known: bool = False
    """Whether the terminal said so."""


BY_CELLS = Drawing()


@dataclass(frozen=True, slots=True)
class Placed:
    """A picture over some lines of a page. Two with the same key and place look alike."""

    key: Hashable
    column: int
    line: int
    columns: int
    rows: int
    pixels: Pixels = field(compare=False)

    def moved(self, columns: int, lines: int) -> Placed:
        """The same at another place."""
        return replace(self, column=self.column + columns, line=self.line + lines)

    def part(self, first: int, stop: int) -> Placed:
        """What is seen of it where only its rows from `first` to before `stop` are."""
        if (first, stop) == (0, self.rows):
            return self
        height = self.pixels.shape[0]
        seen = self.pixels[
            first * height // self.rows : max(stop * height // self.rows, first * height // self.rows + 1)
        ]
        return Placed((self.key, first, stop), self.column, self.line + first, self.columns, stop - first, seen)


def placed_picture(key: Hashable, pixels: Pixels, paper: Paper) -> tuple[Sequence[Line], Placed | None]:
    """Lines of a picture in a box; where the terminal draws it itself, also its place, and the lines are below it.

    They are the picture in cells: they are seen until the terminal has the other one, and where it draws none. Only
    where a sixel may leave some of them uncovered they are blank.
    """
    from mlbench.render.picture_cells import picture_lines

    drawing = paper.drawing
    if drawing.kind == CELLS or not pixels.size or paper.is_linear or min(paper.width, paper.height) < 1:
        return picture_lines(
            pixels, paper.width, paper.height, depth=paper.depth, glyphs=paper.glyphs, is_light=paper.is_light
        ), None
    from mlbench.render.terminal_pictures import SIXEL, fitted

    columns, rows = fitted(pixels, paper.width, paper.height, drawing.cell)
    placed = Placed((key, paper.is_light), 0, 0, columns, rows, pixels)
    if drawing.kind == SIXEL and not drawing.is_known:
        return [()] * rows, placed
    return picture_lines(
        pixels, columns, rows, depth=paper.depth, glyphs=paper.glyphs, is_light=paper.is_light, keeps_shape=False
    ), placed
