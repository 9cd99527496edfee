"""Lays pictures over their cells in the terminal's own graphics, once the cells are painted. Only when asked for."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING

from textual.geometry import Region

from mlbench.render.picture_cells import ground_of
from mlbench.render.terminal_pictures import CELLS, KITTY, kitty_gone, kitty_picture, sixel_picture
from mlbench.tui import compat
from mlbench.tui.compat import Painted

if TYPE_CHECKING:
    from mlbench.tui.app import Workbench
    from mlbench.tui.placed import Drawing, Placed

N_NUMBERS = 0x8000
FIRST_NUMBER = 0x6D6C0000
"""Numbers of kitty's pictures, apart from those of other programs in the same window; each process begins elsewhere."""
NOTHING_PAINTED = Painted(())


class Graphics:
    """What is on the terminal and what should be; asks a thread for what is not packed yet."""

    def __init__(self, app: Workbench) -> None:
        self._app = app
        self._shown: dict[Placed, int] = {}
        """Pictures on the screen, with their numbers."""
        self._packed: dict[Placed, str] = {}
        """What the terminal gets for each picture that is wanted."""
        self._number = os.getpid() * 97 % N_NUMBERS
        compat.after_each_paint(app, self.draw)

    def draw(self, painted: Painted) -> None:
        """Bring the pictures on the screen up to what the panes show, after something was painted."""
        is_kitty = self._drawing.kind == KITTY
        wanted = self._wanted()
        lost = [one for one in self._shown if one not in wanted or _is_gone(one, painted, is_kitty=is_kitty)]
        numbers = [self._shown.pop(one) for one in lost]
        written = "".join(map(kitty_gone, numbers)) if is_kitty else ""
        self._packed = {one: text for one, text in self._packed.items() if one in wanted}
        for one in wanted:
            if one in self._packed and one not in self._shown:
                self._shown[one] = self._next_number()
                written += _at(one, self._packed[one].replace("i=0,", f"i={self._shown[one]},", 1))
        compat.write_graphics(self._app, written)
        missing = [one for one in wanted if one not in self._packed]
        if missing:
            self._pack(missing)

    def clear(self) -> None:
        """Forget all pictures, and take kitty's away; the cells of others are painted by whoever calls this."""
        if self._drawing.kind == KITTY:
            compat.write_graphics(self._app, "".join(map(kitty_gone, self._shown.values())))
        self._shown, self._packed = {}, {}
        self._app.asker.forget("graphics")

    @property
    def _drawing(self) -> Drawing:
        return self._app.panes.drawing

    def _next_number(self) -> int:
        self._number = (self._number + 1) % N_NUMBERS
        return FIRST_NUMBER + self._number

    def _wanted(self) -> list[Placed]:
        """What the panes show now, in the screen's columns and lines; nothing below a menu or a page of help."""
        panes, app = self._app.panes, self._app
        if self._drawing.kind == CELLS or len(app.screen_stack) > 1 or app.screen.has_class("small"):
            return []
        views = [view for view in (panes.stage, panes.compare) if view.display and view.region]
        placed = [one.moved(view.region.x, view.region.y) for view in views for one in view.pictures]
        menu = panes.popup.region if panes.popup.display else Region()
        return [one for one in placed if not menu.overlaps(_region(one))]

    def _pack(self, missing: Sequence[Placed]) -> None:
        drawing, ground = self._drawing, ground_of(is_light=self._app.looks.is_light)

        def pack() -> dict[Placed, str]:
            return {one: _packed(one, drawing, ground) for one in missing}

        def take(packed: dict[Placed, str]) -> None:
            self._packed |= packed
            self.draw(NOTHING_PAINTED)

        self._app.asker.ask("graphics", pack, take)


def _packed(one: Placed, drawing: Drawing, ground: str) -> str:
    if drawing.kind == KITTY:
        return kitty_picture(one.pixels, one.columns, one.rows, drawing.cell, ground, number=0)
    return sixel_picture(one.pixels, one.columns, one.rows, drawing.cell, ground)


def _is_gone(one: Placed, painted: Painted, *, is_kitty: bool) -> bool:
    """Whether painting has taken a picture away: kitty's lie above the cells, and go with the whole screen at most."""
    region = _region(one)
    return painted.covers(region) if is_kitty else painted.touches(region)


def _region(one: Placed) -> Region:
    return Region(one.column, one.line, one.columns, one.rows)


def _at(one: Placed, text: str) -> str:
    """Drawn at its place; the cursor stays where it was."""
    return f"\x1b7\x1b[{one.line + 1};{one.column + 1}H{text}\x1b8"
