"""The points that one reading of an event file gathered, as a table: blocks of many, and points one by one.

A training loop logs the same metrics again and again, so that nearly every block holds each metric equally often. Such
blocks are matrices with a line for each metric. Side by side they are one (`PointGrid`), in which the points lie metric
by metric, as they will be stored, and are never sorted one by one.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, TypeAlias

from mlbench.model import PointTable
from mlbench.wire.point_grids import PointGrid

if TYPE_CHECKING:
    from mlbench.model import Int32Array, Int64Array
    from mlbench.wire.blocks import Lines, Scalars

Row: TypeAlias = tuple[str, int, float, float, int]
"""Metric, step, wall time, value and sequence number of one point."""


def point_table(scalars: Sequence[Scalars | Lines], rows: Sequence[Row], tags: Sequence[str]) -> PointTable:
    """Join points that came in blocks and points that came one by one.

    Args:
        scalars: blocks in the order of the file, whose `tags` are places in `tags`.
        rows: metric, step, wall time, value and sequence number.
        tags: names for the blocks.
    """
    from mlbench.wire.blocks import Lines

    largest = max(scalars, key=_size, default=None)
    if isinstance(largest, Lines) and not rows:
        pieces = [piece for block in scalars if (piece := _piece(block, largest.tags)) is not None]
        if len(pieces) == len(scalars):
            return _side_by_side(pieces, tags)
    blocks = [block.scalars() if isinstance(block, Lines) else block for block in scalars]
    return _one_behind_another(blocks, rows, tags)


def _size(block: Scalars | Lines) -> int:
    return block.n_points


# ---------------------------------------------------------------- blocks that are matrices


def _piece(block: Scalars | Lines, lines: Int32Array) -> Lines | None:
    """A block as a matrix of these lines; None where it does not hold each tag equally often."""
    import numpy as np

    from mlbench.wire.blocks import Lines

    if isinstance(block, Lines):
        if block.tags.tobytes() == lines.tobytes():  # a tenth of what numpy takes for twenty numbers
            return block
        block = block.scalars()
    tags = block.tags
    if not tags.size or tags.size % lines.size:
        return None
    counts = np.bincount(tags, minlength=int(lines.max()) + 1)[lines]
    if (counts != tags.size // lines.size).any():
        return None
    ranks = np.argsort(np.argsort(lines))
    order = np.argsort(tags, kind="stable").reshape(lines.size, -1)[ranks]
    seq = block.seq[order]
    line_seq = seq[:, :1] - seq[0, 0]
    if (seq[1:] - seq[0] != line_seq[1:]).any():
        line_seq = seq - seq[0]
    return Lines(lines, _once(block.steps[order]), block.wall_s[order], block.values[order], line_seq, seq[0])


def _once(steps: Int64Array) -> Int64Array:
    """Steps that all lines have in common, once."""
    return steps[:1] if (steps[1:] == steps[0]).all() else steps


def _side_by_side(pieces: Sequence[Lines], tags: Sequence[str]) -> PointGrid:
    import numpy as np

    from mlbench.wire.float32 import widen

    lines = pieces[0].tags
    values = [piece.values for piece in pieces]
    if any(np.isnan(piece).any() for piece in values):
        values = [widen(piece.ravel()).reshape(piece.shape) for piece in values]
    line_seq = pieces[0].line_seq
    if not all(np.array_equal(piece.line_seq, line_seq) for piece in pieces) or line_seq.shape[1] > 1:
        line_seq = _full([piece.line_seq for piece in pieces], pieces)
    steps = [piece.steps for piece in pieces]
    is_common = all(len(one) == 1 for one in steps)
    return PointGrid(
        tuple(tags[number] for number in lines.tolist()),
        np.concatenate(steps, axis=1) if is_common else _full(steps, pieces),
        [piece.wall_s for piece in pieces], values, line_seq, np.concatenate([piece.later_seq for piece in pieces]),
    )  # fmt: skip


def _full(parts: Sequence[Int64Array], pieces: Sequence[Lines]) -> Int64Array:
    """What some pieces have in common, for each of their points."""
    import numpy as np

    return np.concatenate(
        [np.broadcast_to(part, piece.wall_s.shape) for part, piece in zip(parts, pieces, strict=True)], axis=1
    )


# ---------------------------------------------------------------- any points


def _one_behind_another(scalars: Sequence[Scalars], rows: Sequence[Row], tags: Sequence[str]) -> PointTable:
    """The blocks as they come; points that came one by one are put between them by their sequence numbers."""
    import numpy as np

    from mlbench.wire.float32 import widen

    tags_of = [block.tags for block in scalars]
    numbers = tags_of[0] if len(tags_of) == 1 else np.concatenate([np.zeros(0, dtype=np.int32), *tags_of])
    present = np.flatnonzero(np.bincount(numbers)) if numbers.size else numbers
    place_of = {tags[number]: place for place, number in enumerate(present.tolist())}
    single = [place_of.setdefault(row[0], len(place_of)) for row in rows]
    places = np.zeros(int(present[-1]) + 1 if present.size else 0, dtype=np.int32)
    places[present] = np.arange(present.size, dtype=np.int32)
    if len(scalars) == 1 and not rows:
        block = scalars[0]
        return PointTable(
            tuple(place_of), places[block.tags], block.steps, block.wall_s, widen(block.values), block.seq
        )
    columns = [
        np.concatenate([*(part(block) for block in scalars), np.array(ours, dtype=dtype)])
        for part, ours, dtype in (
            (lambda block: places[block.tags], single, np.int32),
            (lambda block: block.steps, [row[1] for row in rows], np.int64),
            (lambda block: block.wall_s, [row[2] for row in rows], np.float64),
            (lambda block: widen(block.values), [row[3] for row in rows], np.float64),
            (lambda block: block.seq, [row[4] for row in rows], np.int64),
        )
    ]
    if rows and scalars:
        order = np.argsort(columns[4], kind="stable")
        columns = [column[order] for column in columns]
    return PointTable(tuple(place_of), *columns)
