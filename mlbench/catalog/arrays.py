"""Numpy's arrays as Arrow's, without a copy and without numpy.ma; rows of cells as columns.

`pa.array` asks of each array whether it is a masked one and loads numpy.ma for it, 20 to 50 ms in each process.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray


def as_arrow(column: NDArray[Any], none: NDArray[np.bool_] | None = None) -> pa.Array:
    """The same numbers; NULL where `none` says so.

    Args:
        column: shape (n,), integers or floats; it is kept, and must not change.
        none: shape (n,).
    """
    import numpy as np
    import pyarrow as pa

    kept = np.ascontiguousarray(column)
    valid = pa.py_buffer(np.packbits(~none, bitorder="little")) if none is not None and none.any() else None
    return pa.Array.from_buffers(pa.from_numpy_dtype(kept.dtype), kept.size, [valid, pa.py_buffer(kept)])


def cells_by_place(rows: pa.Table, run_nos: list[int]) -> Iterator[tuple[int, dict[str, pa.Array]]]:
    """For each column's place its cells, one for each run: NULL where the run has none.

    Args:
        rows: place, run_no and the cells, sorted by place and run_no.
        run_nos: sorted.
    """
    import numpy as np

    places = rows.column("place").to_numpy()
    lines = np.searchsorted(np.array(run_nos), rows.column("run_no").to_numpy())
    bounds = [*np.flatnonzero(np.diff(places, prepend=-1)).tolist(), len(places)]
    names = rows.column_names[2:]
    for start, stop in pairwise(bounds):
        mine = rows.slice(start, stop - start)
        chosen = np.full(len(run_nos), -1)
        chosen[lines[start:stop]] = np.arange(stop - start)
        index = None if stop - start == len(run_nos) == len(chosen[chosen >= 0]) else as_arrow(chosen, chosen < 0)
        cells = {name: mine.column(name).combine_chunks() for name in names}
        yield (
            int(places[start]),
            {name: column if index is None else column.take(index) for name, column in cells.items()},
        )
