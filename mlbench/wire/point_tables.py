"""The points that one reading of an event file gathered, as a table: blocks of many, and points one by one.

A training loop logs the same metrics again and again, so that nearly every block holds each metric equally often. Such
blocks are matrices with a line for each metric. They are joined side by side, so that the points come metric by metric,
as they will be stored, and are never sorted one by one.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

from mlbench.model import PointTable

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mlbench.model import Int32Array, Int64Array
    from mlbench.wire.blocks import Scalars

Row: TypeAlias = tuple[str, int, float, float, int]
"""Metric, step, wall time, value and sequence number of one point."""


def point_table(scalars: Sequence[Scalars], rows: Sequence[Row], tags: Sequence[str]) -> PointTable:
    """Join points that came in blocks and points that came one by one.

    Args:
        scalars: blocks in the order of the file, whose `tags` are places in `tags`.
        rows: metric, step, wall time, value and sequence number.
        tags: names for the blocks.
    """
    largest = max(scalars, key=len, default=None)
    if largest is not None and largest.lines is not None and len(scalars) > 1 and not rows:
        lines = largest.lines
        orders = [order for block in scalars if (order := _order(block, lines)) is not None]
        if len(orders) == len(scalars):
            return _side_by_side(scalars, lines, orders, tags)
    return _one_behind_another(scalars, rows, tags)


# ---------------------------------------------------------------- blocks that are matrices


def _order(block: Scalars, lines: Int32Array) -> Int64Array | slice | None:
    """How the points of a block are brought into these lines; None where it does not hold each tag equally often."""
    import numpy as np

    if block.lines is not None and np.array_equal(block.lines, lines):
        return slice(None)
    tags = block.tags
    if not tags.size or tags.size % lines.size:
        return None
    counts = np.bincount(tags, minlength=int(lines.max()) + 1)[lines]
    if (counts != tags.size // lines.size).any():
        return None
    ranks = np.argsort(np.argsort(lines))
    order: Int64Array = np.argsort(tags, kind="stable").reshape(lines.size, -1)[ranks].ravel()
    return order


def _side_by_side(
    scalars: Sequence[Scalars], lines: Int32Array, orders: Sequence[Int64Array | slice], tags: Sequence[str]
) -> PointTable:
    import numpy as np

    from mlbench.wire.float32 import widen

    def joined(columns: Sequence[NDArray[Any]]) -> NDArray[Any]:
        parts = [column[order].reshape(lines.size, -1) for column, order in zip(columns, orders, strict=True)]
        return np.concatenate(parts, axis=1).ravel()

    steps = joined([block.steps for block in scalars])
    return PointTable(
        tuple(tags[number] for number in lines.tolist()),
        np.repeat(np.arange(lines.size, dtype=np.int32), steps.size // lines.size),
        steps,
        joined([block.wall_s for block in scalars]),
        widen(joined([block.values for block in scalars])),
        joined([block.seq for block in scalars]),
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
