"""Numpy's arrays as Arrow's, without a copy and without numpy.ma.

`pa.array` asks of each array whether it is a masked one and loads numpy.ma for it, 20 to 50 ms in each process.
"""

from __future__ import annotations

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
