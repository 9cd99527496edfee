"""Where the linear part of a symmetric logarithm ends, by whole curves: so that a zoom bends nothing."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import TYPE_CHECKING

from mlbench.render import symlog
from mlbench.render.pyramid import kept

if TYPE_CHECKING:
    from mlbench.model import Float64Array

X_SHARE, Y_SHARE = 0.0, 0.02
"""Of the magnitudes so many lie in the linear part. Of x none: steps are logarithmic from the first one after 0. Of y
a fiftieth: a curve that crosses nought has a point as near to it as you like, and decades down to that would be a
jump."""


def linear_x(arrays: Iterable[Float64Array]) -> float:
    """Of the x values of all curves; looked at once as long as these live."""
    return _linear(arrays, X_SHARE)


def linear_y(arrays: Iterable[Float64Array]) -> float:
    """Of the values of all curves; looked at once as long as these live."""
    return _linear(arrays, Y_SHARE)


def _linear(arrays: Iterable[Float64Array], share: float) -> float:
    return symlog.linear_part(
        kept((array,), ("magnitudes", share), partial(symlog.magnitudes, array, share)) for array in arrays
    )
