"""Pictures of several runs beside each other, at one step. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from mlbench.queries.answers import ProblemLine, RunHead
from mlbench.render.cells import Cell, Line, fit_middle, line_of
from mlbench.render.labels import label_map, with_mark
from mlbench.safe import safe
from mlbench.tui.gallery import Hung, key_of
from mlbench.tui.placed import Placed, placed_picture
from mlbench.tui.run_page import wrapped_text
from mlbench.tui.stage import Paper
from mlbench.tui.widgets.lines_view import Page

if TYPE_CHECKING:
    from mlbench.queries.blobs import BlobPlace
    from mlbench.wire.pictures import Pixels

LEAST_COLUMNS, GAP = 24, 2
"""Of one picture: with fewer it is not seen what it shows."""
LEAST_ROWS = 6


def gallery_page(hung: Hung, heads: Sequence[RunHead], paper: Paper, *, title: str, slots: Mapping[str, int]) -> Page:
    """The picture of each run at the step or the last one before it, as many beside each other as have room.

    Args:
        hung: which pictures there are, and which are shown.
        heads: the compared runs, the baseline first.
        paper: the pane.
        title: of the pane.
        slots: colour slot by run id.
    """
    back = f"   {paper.key_of('compare.images')} goes back"
    head = line_of((f" {title}: images", "title"), (back, "muted"))
    if hung.failure:
        return Page(title=head, lines=tuple(wrapped_text(hung.failure, paper.width, "warning")))
    if hung.places is None:
        return Page(title=head, lines=(line_of(("  reading …", "muted")),))
    if not hung.places:
        return Page(title=head, lines=(line_of(("  none of these runs logged an image", "muted")),))
    steps = hung.steps
    moves = f"{paper.key_of('lists.left')} {paper.key_of('lists.right')}"
    where = f"step {steps[hung.place_of_step]:,}   {hung.place_of_step + 1} of {len(steps)}   {moves} "
    choose = f"   {paper.key_of('compare.image')} chooses of {len(hung.places)}" if len(hung.places) > 1 else ""
    named = line_of((" ", ""), (fit_middle(safe(hung.metric), max(paper.width - 28, 8)), "heading"), (choose, "muted"))
    lines, pictures = _grid(hung, heads, paper, slots)
    return Page(
        title=head, right=line_of((where, "muted")), head=(named,), lines=tuple(lines), pictures=tuple(pictures)
    )


def _grid(
    hung: Hung, heads: Sequence[RunHead], paper: Paper, slots: Mapping[str, int]
) -> tuple[list[Line], list[Placed]]:
    from mlbench.render.picture_cells import beside

    # In words they stand below each other: a line of two of them would be read as one.
    n_beside = 1 if paper.is_linear else max(min((paper.width - 1) // (LEAST_COLUMNS + GAP), len(heads)), 1)
    n_rows = -(-len(heads) // n_beside)
    width = (paper.width - 1) // n_beside - GAP
    # All of them on the screen, where that leaves each enough lines; else a screen for each row.
    height = (paper.height - 1) // n_rows - 2
    own = replace(paper, width=width, height=height if height >= LEAST_ROWS else max(paper.height - 3, LEAST_ROWS))
    labels = label_map(heads)
    blocks: list[tuple[Line, ...]] = []
    placed: list[Placed | None] = []
    for one in heads:
        place = hung.place_of(one.run_id)
        role = f"run{slots.get(one.run_id, 0) % 8}"
        at = f"  step {place.step:,}" if place is not None and place.step != hung.step else ""
        name = fit_middle(with_mark(labels[one.run_id], one), max(width - len(at), 8))
        body, picture = _picture(hung, place, own)
        blocks.append((line_of((name, role), (at, "muted")), *body, ()))
        placed.append(picture)
    lines: list[Line] = []
    pictures: list[Placed] = []
    for start in range(0, len(blocks), n_beside):
        stop = min(start + n_beside, len(blocks))
        for place_in_row, picture in enumerate(placed[start:stop]):
            if picture is not None:
                pictures.append(picture.moved(1 + place_in_row * (width + GAP), len(lines) + 1))
        row = beside(blocks[start:stop], [width] * (stop - start), gap=GAP)
        lines += [(Cell(safe(" ")), *line) for line in row]
    return lines, pictures


def _picture(hung: Hung, place: BlobPlace | None, paper: Paper) -> tuple[Sequence[Line], Placed | None]:
    if place is None:
        return [line_of(("no picture yet", "muted"))], None
    content = hung.contents.get(key_of(place))
    if content is None:
        return [line_of(("reading …", "muted"))], None
    if isinstance(content, ProblemLine):
        return wrapped_text(content.what, paper.width, "warning")[: paper.height], None
    pixels: Pixels = content  # type: ignore[assignment]
    if paper.is_linear:
        from mlbench.render.spoken import spoken_picture

        return spoken_picture(pixels), None
    return placed_picture(key_of(place), pixels, paper)
