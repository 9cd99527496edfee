"""The bytes of a logged precision-recall curve as named arrays.

Format: tensorboard/plugins/pr_curve: a tensor of shape (6, thresholds); the thresholds are not logged, they divide
0 to 1 evenly.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mlbench.dataclass import dataclass
from mlbench.wire.floats import read_floats
from mlbench.wire.protobuf import WireError

if TYPE_CHECKING:
    from mlbench.model import Float64Array


@dataclass(frozen=True, slots=True, eq=False)
class PrCurve:
    """All arrays have shape (n,), n may be 0. Counts are finite and not negative; they need not be whole."""

    thresholds: Float64Array
    """Rising from 0 to 1."""
    true_positives: Float64Array
    false_positives: Float64Array
    true_negatives: Float64Array
    false_negatives: Float64Array
    precision: Float64Array
    """As logged; NaN where the writer made it so."""
    recall: Float64Array
    n_defined: int
    """Points that TensorBoard draws: from the first to the last that has a positive prediction, but at least one."""


def read_pr_curve(content: bytes, encoding: str) -> PrCurve:
    """Decode the bytes of a blob of kind `pr_curve`, a tensor.

    Raises:
        WireError: the bytes are something else, a count is negative or not finite, or there are more than 174,762
            thresholds.
    """
    if encoding != "tensor":
        raise WireError("the PR curve is no tensor")
    rows = read_floats(content)
    if rows.ndim != 2 or rows.shape[0] != 6:
        raise WireError("the tensor is no PR curve: its shape is not (6, n)")
    if not np.isfinite(rows[:4]).all() or (rows[:4] < 0).any():
        raise WireError("a count of the PR curve is negative or not finite")
    tp, fp, tn, fn, precision, recall = rows
    return PrCurve(np.linspace(0.0, 1.0, rows.shape[1]), tp, fp, tn, fn, precision, recall, _n_defined(rows))


def _n_defined(rows: Float64Array) -> int:
    """Without the thresholds at the end that nothing reaches: precision is not defined there."""
    (positive,) = np.nonzero(np.trunc(rows[:2]).sum(axis=0))
    return int(positive[-1]) + 1 if positive.size else min(rows.shape[1], 1)
