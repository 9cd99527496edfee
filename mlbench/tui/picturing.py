"""What draws the images: cells, or the terminal's own graphics, of which nothing is loaded before somebody asks."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from mlbench.tui import compat
from mlbench.tui.placed import CELLS, USUAL_CELL, Drawing

if TYPE_CHECKING:
    from mlbench.tui.app import Workbench


def draw_images_by(app: Workbench, kind: str) -> None:
    """Draw images so from now on; where that cannot be here, of cells, and say why. The panes are drawn by the caller.

    Args:
        app: the workbench.
        kind: `cells`, `kitty` or `sixel`.
    """
    if kind == CELLS and app.graphics is None:
        return
    from mlbench.render.terminal_pictures import why_not
    from mlbench.tui.graphics import Graphics

    complaint = why_not(kind, os.environ)
    if complaint:
        app.desk.say(complaint, "warning")
    app.graphics = app.graphics or Graphics(app)
    app.graphics.clear()
    app.panes.drawing = _drawing_by(app, CELLS if complaint else kind)


def fit_cells(app: Workbench) -> None:
    """The terminal has another size, and perhaps other cells."""
    if app.panes.drawing.kind != CELLS:
        app.panes.drawing = _drawing_by(app, app.panes.drawing.kind)


def _drawing_by(app: Workbench, kind: str) -> Drawing:
    cell = compat.cell_pixels(*app.size)
    return Drawing(kind, cell or USUAL_CELL, is_known=cell is not None)
