"""Wall times told by steps: a line over them, and for metrics that are logged together by what another one has.

Where steps are uneven so are times, and half of what a segment takes are times. But a training loop takes about as
long for every step, and what it takes more or less, all metrics of a turn do. A series is told by a line over its
steps. Up to MOST_BACK series behind it, from the same source and as long, are told by its times and a line over how
far their steps are from its own, point by point. What is stored is the difference of the bits of a time and of what is
told, both taken as int64, modulo 2^64: every bit comes back, whatever is told.

Each operation is one of IEEE 754, rounded once, done array by array: every machine tells the same numbers.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from mlbench.model import Float64Array, Int64Array

    Columns = Mapping[str, NDArray[Any]]

MOST_BACK = 3
"""How many ids before its own the series by which one is told may have: whoever reads one reads a few more."""
REST, BACK, BASE, SLOPE = "wall_rest", "wall_back", "wall_base", "wall_slope"
STORED = (REST, BACK, BASE, SLOPE)
"""The columns in the place of `wall_s`."""
_DECADES_S = 1e9


def tell(columns: Columns, cuts: Collection[int] = ()) -> dict[str, NDArray[Any]]:
    """The columns that are stored for the times of points.

    Args:
        columns: series_id, rising, source_id, step and wall_s, each of shape (n,), n at least 1.
        cuts: rows before which a series begins that is told by none before it.

    Returns:
        wall_rest (int64, the sign last: what is small is so in all bytes), and what all points of a series share:
        wall_back (int8, how many ids before its own the series has by which it is told, 0 for none), wall_base and
        wall_slope (int64, bits of the line's double at 0 and for each step).
    """
    import numpy as np

    ids, steps, walls = columns["series_id"], columns["step"], columns["wall_s"]
    starts = series_starts(ids)
    counts = np.diff(starts, append=ids.size)
    backs = _backs(ids, columns["source_id"], starts, cuts)
    others, is_first = _others(ids, starts, backs)
    x = _distances(steps, others, is_first)
    known = _known(walls, others, is_first)
    with np.errstate(all="ignore"):
        base, slope = (np.repeat(one, counts) for one in _lines(x, walls - known, starts, counts))
        x *= slope
        x += base
        x += known
    rest = walls.view(np.int64) - _bits(x)
    return {
        REST: (rest << 1) ^ (rest >> 63), BACK: np.repeat(backs, counts), BASE: base.view(np.int64),
        SLOPE: slope.view(np.int64),
    }  # fmt: skip


def times_of(columns: Columns) -> Float64Array:
    """The times, bit for bit.

    Args:
        columns: series_id, rising, step and what `tell` gave; where a series is told by another one, that one too.
    """
    import numpy as np

    ids, base, slope = columns["series_id"], columns[BASE].view(np.float64), columns[SLOPE].view(np.float64)
    starts = series_starts(ids)
    others, is_first = _others(ids, starts, columns[BACK][starts])
    rest = (columns[REST].view(np.uint64) >> np.uint64(1)).view(np.int64)
    rest ^= -(columns[REST] & 1)
    walls = _distances(columns["step"], others, is_first)
    with np.errstate(all="ignore"):
        walls *= slope
        walls += base
        firsts = (_bits(walls + 0.0) + rest).view(np.float64)  # as `tell` adds it, -0.0 is none
        walls += _known(firsts, others, is_first)
    bits = _bits(walls)
    bits += rest
    return walls


def needed_series(ids: Int64Array, backs: NDArray[Any], wanted: Int64Array) -> Int64Array:
    """The wanted series that are there, and those by which they are told, sorted, each once.

    Args:
        ids: of the series of each point, rising.
        backs: the column `wall_back` of each point.
        wanted: ids of series, sorted, each once.
    """
    import numpy as np

    places = np.minimum(ids.searchsorted(wanted), max(ids.size - 1, 0))
    places = places[ids[places] == wanted] if ids.size else places[:0]
    return np.array(sorted({*ids[places].tolist(), *(ids[places] - backs[places]).tolist()}), dtype=np.int64)


def series_starts(ids: Int64Array) -> Int64Array:
    """The rows where a series begins, from the ids of all points, rising."""
    import numpy as np

    is_first = np.concatenate((np.ones(min(ids.size, 1), np.bool_), ids[1:] != ids[:-1]))
    starts: Int64Array = is_first.nonzero()[0]
    return starts


def _backs(ids: Int64Array, source_ids: NDArray[Any], starts: Int64Array, cuts: Collection[int]) -> NDArray[Any]:
    """For each series how many ids before its own that one has by which it is told."""
    import numpy as np

    begins = {0, *cuts}
    counts = np.diff(starts, append=ids.size).tolist()
    backs: list[int] = []
    first = source = count = None
    for start, own, own_source, own_count in zip(
        starts.tolist(), ids[starts].tolist(), source_ids[starts].tolist(), counts, strict=True
    ):
        is_told = (own_source, own_count) == (source, count) and start not in begins
        if first is None or not is_told or own - first > MOST_BACK:
            first, source, count = own, own_source, own_count
        backs.append(own - first)
    return np.array(backs, dtype=np.int8)


def _others(ids: Int64Array, starts: Int64Array, backs: NDArray[Any]) -> tuple[Int64Array, NDArray[np.bool_]]:
    """For each row that by which it is told, and whether it is told by none: then it is the row itself."""
    import numpy as np

    counts = np.diff(starts, append=ids.size)
    others = starts[ids[starts].searchsorted(ids[starts] - backs)]
    return np.arange(ids.size) - np.repeat(starts - others, counts), np.repeat(backs == 0, counts)


def _distances(steps: Int64Array, others: Int64Array, is_first: NDArray[np.bool_]) -> Float64Array:
    """How far each step is from that of the row by which it is told, or from 0; what is too far wraps around."""
    import numpy as np

    known = steps[others]
    known[is_first] = 0
    distances: Float64Array = np.subtract(steps, known, out=known).astype(np.float64)
    return distances


def _known(walls: Float64Array, others: Int64Array, is_first: NDArray[np.bool_]) -> Float64Array:
    """The time of the row by which each is told, or 0."""
    known = walls[others]
    known[is_first] = 0.0
    return known


def _lines(x: Float64Array, y: Float64Array, starts: Int64Array, counts: Int64Array) -> tuple[Float64Array, ...]:
    """For each series the least-squares line, its value at 0 and its slope, 0 for none.

    Times that are no numbers, or decades from the one in the middle, are left out: 0 is written where none is known.
    """
    import numpy as np

    is_near = np.abs(y - np.repeat(y[starts + counts // 2], counts)) < _DECADES_S
    n_near = counts
    if not is_near.all():
        x, y = x * is_near, np.where(is_near, y, 0.0)
        n_near = np.add.reduceat(is_near, starts, dtype=np.int64)
    mean_x, mean_y = np.add.reduceat(x, starts) / n_near, np.add.reduceat(y, starts) / n_near
    from_x, from_y = x - np.repeat(mean_x, counts), y - np.repeat(mean_y, counts)
    if n_near is not counts:
        from_x, from_y = np.where(is_near, from_x, 0.0), np.where(is_near, from_y, 0.0)
    spread = np.add.reduceat(from_x * from_x, starts)
    slope = np.add.reduceat(from_x * from_y, starts) / spread
    slope[spread == 0] = 0.0
    base = mean_y - slope * mean_x
    is_none = ~(np.isfinite(base) & np.isfinite(slope))
    base[is_none] = slope[is_none] = 0.0
    return base, slope


def _bits(told: Float64Array) -> Int64Array:
    """The bits of what is told, in place. None is NaN or infinite: machines make NaN of different bits."""
    import numpy as np

    is_none = ~np.isfinite(told)
    if is_none.any():
        told[is_none] = 0.0
    return told.view(np.int64)
