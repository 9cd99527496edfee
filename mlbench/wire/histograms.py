"""The bytes of a logged histogram as arrays: TF1's and torch's HistogramProto, and TF2's tensor of buckets.

Rules of TensorBoard's Python readers (`tensorboard.data_compat`): of a HistogramProto the empty buckets at both ends
are dropped, and the least and greatest value that were logged are its outer edges, since the writers' own reach to
the greatest double. Theirs are float32 then; ours are the doubles of the file. The data server keeps the outer
buckets and so draws some of negative width.
Format: tensorboard/compat/proto/summary.proto; tensorboard/plugins/histogram/metadata.py.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

import numpy as np

from mlbench.dataclass import dataclass
from mlbench.wire.floats import doubles, listed, read_floats
from mlbench.wire.protobuf import I64, LEN, WireError, fields, key

if TYPE_CHECKING:
    from mlbench.model import Float64Array

_MIN, _MAX = key(1, I64), key(2, I64)
_LIMITS, _COUNTS = (key(6, I64), key(6, LEN)), (key(7, I64), key(7, LEN))


@dataclass(frozen=True, slots=True, eq=False)
class Histogram:
    """Buckets in the order of the log; all arrays have shape (n,), and n may be 0."""

    lefts: Float64Array
    """No NaN; infinite where infinity was logged."""
    rights: Float64Array
    """Each at or above its left edge."""
    counts: Float64Array
    """Finite and not negative. Writers count weights, too: they need not be whole."""


def read_histogram(content: bytes, encoding: str) -> Histogram:
    """Decode the bytes of a blob of kind `histogram`.

    Args:
        content: the bytes.
        encoding: `proto` for a HistogramProto, `tensor` for a tensor of shape (n, 3): left, right, count.

    Raises:
        WireError: the bytes are something else, or no histogram: an edge is NaN, a bucket ends before it begins, a
            count is negative or not finite, or there are more than 1,048,576 buckets.
    """
    if encoding == "proto":
        return _of_proto(content)
    if encoding == "tensor":
        return _of_tensor(content)
    raise WireError("the histogram is neither a HistogramProto nor a tensor")


def _of_proto(content: bytes) -> Histogram:
    outer = {_MIN: 0.0, _MAX: 0.0}
    for field_key, first, _ in fields(content, 0, len(content)):
        if field_key in outer:
            (outer[field_key],) = struct.unpack_from("<d", content, first)
    limits, counts = doubles(listed(content, _LIMITS)), doubles(listed(content, _COUNTS))
    _check_counts(counts)
    (filled,) = np.nonzero(counts)
    if not filled.size:
        return Histogram(*np.zeros((3, 0)))
    start, end = int(filled[0]), int(filled[-1])
    if limits.size < end:
        raise WireError(f"the histogram has {counts.size} buckets and {limits.size} edges")
    inner = limits[start:end]
    lefts, rights = np.concatenate([[outer[_MIN]], inner]), np.concatenate([inner, [outer[_MAX]]])
    return _checked(Histogram(lefts, rights, counts[start : end + 1]))


def _of_tensor(content: bytes) -> Histogram:
    buckets = read_floats(content)
    if buckets.ndim != 2 or buckets.shape[1] != 3:
        raise WireError("the tensor is no histogram: its shape is not (n, 3)")
    _check_counts(buckets[:, 2])
    return _checked(Histogram(*np.ascontiguousarray(buckets.T)))


def _check_counts(counts: Float64Array) -> None:
    if not np.isfinite(counts).all() or (counts < 0).any():
        raise WireError("a count of the histogram is negative or not finite")


def _checked(histogram: Histogram) -> Histogram:
    if np.isnan(histogram.lefts).any() or np.isnan(histogram.rights).any():
        raise WireError("an edge of the histogram is NaN")
    if (histogram.lefts > histogram.rights).any():
        raise WireError("a bucket of the histogram ends before it begins")
    return histogram
