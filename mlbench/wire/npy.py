"""Arrays of numbers in numpy's `.npz` files: never a pickle, never larger than asked for.

Format: https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
"""

from __future__ import annotations

import io
import warnings
from typing import TYPE_CHECKING, Any

from mlbench.model import Problem, ReadStatus
from mlbench.wire.zipped import load_member

if TYPE_CHECKING:
    from numpy.typing import NDArray

MAX_ARRAY_BYTES = 64 << 20


def load_array(path: str, name: str) -> tuple[NDArray[Any] | None, ReadStatus, Problem | None]:
    """The array `name` of a `.npz` file; None with a status, and a Problem where something is wrong with it.

    Arrays of objects are pickles and are refused.
    """
    import numpy as np

    content = load_member(path, f"{name}.npy", limit_bytes=MAX_ARRAY_BYTES)
    if content.status is not ReadStatus.EOF:
        return None, content.status, content.problem
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # that a header of Python 2 takes longer
            array = np.lib.format.read_array(io.BytesIO(content.data), allow_pickle=False)
    except _damage() as error:
        what = f"the array {name!r} in it could not be read: {str(error).splitlines()[0] if str(error) else 'damaged'}"
        return None, ReadStatus.DAMAGED, Problem(path, what)
    return array, ReadStatus.EOF, None


def _damage() -> tuple[type[Exception], ...]:
    """What numpy raises for headers that are damaged or made to harm; it reads them as a text of Python."""
    from tokenize import TokenError

    return ValueError, EOFError, SyntaxError, TokenError, TypeError, OverflowError, MemoryError, RecursionError
