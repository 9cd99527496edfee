"""Batches of points joined: what a source yields in pieces becomes one table in the order of the file."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from mlbench.model import Points, PointTable

if TYPE_CHECKING:
    from mlbench.model import Int32Array


def join_tables(parts: Sequence[Points | PointTable]) -> PointTable | None:
    """All points of a source as one table, each batch behind the one before; None where there is none."""
    import numpy as np

    if not parts:
        return None
    if len(parts) == 1 and isinstance(parts[0], PointTable):
        return parts[0]
    places: dict[str, int] = {}
    which = [_places(part, places) for part in parts]
    return PointTable(
        tuple(places),
        np.concatenate(which),
        np.concatenate([part.steps for part in parts]).astype(np.int64, copy=False),
        np.concatenate([part.wall_s for part in parts]),
        np.concatenate([part.values for part in parts]),
        np.concatenate([part.seq for part in parts]).astype(np.int64, copy=False),
    )


def _places(part: Points | PointTable, places: dict[str, int]) -> Int32Array:
    import numpy as np

    if isinstance(part, Points):
        return np.full(len(part.steps), places.setdefault(part.metric, len(places)), dtype=np.int32)
    numbers = np.array([places.setdefault(metric, len(places)) for metric in part.metrics], dtype=np.int32)
    which: Int32Array = numbers[part.which]
    return which
