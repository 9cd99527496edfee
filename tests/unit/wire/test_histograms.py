"""Histograms as arrays, against tensorboard's own conversion."""

import struct
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tensorboard import data_compat
from tensorboard.compat.proto import event_pb2, summary_pb2
from tensorboard.util.tensor_util import make_ndarray

from mlbench.wire.events import decode_event
from mlbench.wire.histograms import Histogram, read_histogram
from mlbench.wire.protobuf import I64, LEN, WireError, key
from mlbench.wire.tfrecord import Record, read_records
from tests.paths import CORPORA, FORMATS, needs_corpora, needs_formats
from tests.unit.wire.event_messages import tensor

GREATEST = 1.7976931348623157e308
NAN, INF = float("nan"), float("inf")


def proto(limits: list[float], counts: list[float], *, low: float = 0.0, high: float = 0.0) -> Any:
    return summary_pb2.HistogramProto(min=low, max=high, bucket_limit=limits, bucket=counts)


def read(message: Any) -> Histogram:
    encoding = "proto" if isinstance(message, summary_pb2.HistogramProto) else "tensor"
    return read_histogram(message.SerializeToString(), encoding)


def rows(histogram: Histogram) -> list[tuple[float, float, float]]:
    columns = (histogram.lefts, histogram.rights, histogram.counts)
    return list(zip(*(column.tolist() for column in columns), strict=True))


def test_empty_outer_buckets_go_and_the_extremes_are_the_outer_edges() -> None:
    message = proto([-1, 0, 1, 2, GREATEST], [0, 3, 0, 5, 0], low=-0.7, high=1.5)

    assert rows(read(message)) == [(-0.7, 0.0, 3.0), (0.0, 1.0, 0.0), (1.0, 1.5, 5.0)]


def test_edges_keep_the_bits_of_the_file() -> None:
    message = proto([0.1, GREATEST], [1, 1], low=1 / 3 - 1, high=2 / 3)

    assert rows(read(message)) == [(1 / 3 - 1, 0.1, 1.0), (0.1, 2 / 3, 1.0)]


def test_one_bucket_reaches_from_the_least_to_the_greatest() -> None:
    assert rows(read(proto([GREATEST], [7], low=2, high=3))) == [(2.0, 3.0, 7.0)]


def test_a_histogram_of_nothing_has_no_buckets() -> None:
    assert rows(read(proto([], []))) == []
    assert rows(read(proto([1, 2], [0, 0], low=GREATEST, high=-GREATEST))) == []
    assert rows(read(tensor("DOUBLE", (0, 3)))) == []


def test_the_buckets_of_a_tensor_are_all_kept() -> None:
    buckets = struct.pack("<6d", 0, 0, 0, -0.5, 0.5, 4)

    assert rows(read(tensor("DOUBLE", (2, 3), tensor_content=buckets))) == [(0.0, 0.0, 0.0), (-0.5, 0.5, 4.0)]


def test_edges_may_be_infinite_where_infinity_was_logged() -> None:
    assert rows(read(proto([0, GREATEST], [1, 2], low=-INF, high=INF))) == [(-INF, 0.0, 1.0), (0.0, INF, 2.0)]


def test_buckets_listed_one_by_one_are_read() -> None:
    raw = b"".join(bytes([key(n, I64)]) + struct.pack("<d", x) for n, x in ((2, 5.0), (6, 1.0), (7, 2.0), (6, 9.0)))

    assert rows(read_histogram(raw + bytes([key(7, LEN), 8]) + struct.pack("<d", 3), "proto")) == [
        (0.0, 1.0, 2.0),
        (1.0, 5.0, 3.0),
    ]


@pytest.mark.parametrize(
    ("message", "said"),
    [
        (proto([1], [-1], high=1), "negative or not finite"),
        (proto([1], [NAN], high=1), "negative or not finite"),
        (proto([1], [INF], high=1), "negative or not finite"),
        (proto([1], [1], low=NAN), "an edge of the histogram is NaN"),
        (proto([NAN, 2], [1, 1], high=2), "an edge of the histogram is NaN"),
        (proto([1], [1], low=3, high=2), "ends before it begins"),
        (proto([1], [1, 1, 1], high=1), "3 buckets and 1 edges"),
        (tensor("DOUBLE", (1, 3), double_val=[0, 1, -1]), "negative or not finite"),
        (tensor("DOUBLE", (1, 3), double_val=[NAN, 1, 1]), "an edge of the histogram is NaN"),
        (tensor("DOUBLE", (1, 3), double_val=[0, NAN, 1]), "an edge of the histogram is NaN"),
        (tensor("DOUBLE", (3,), double_val=[0, 1, 1]), "its shape is not"),
        (tensor("DOUBLE", (3, 1), double_val=[0, 1, 1]), "its shape is not"),
        (tensor("INT64", (1, 3), int64_val=[0, 1, 1]), "holds no floats"),
    ],
)
def test_what_is_no_histogram_is_refused(message: Any, said: str) -> None:
    with pytest.raises(WireError, match=said):
        read(message)


def test_another_encoding_is_refused() -> None:
    with pytest.raises(WireError, match="neither"):
        read_histogram(b"", "png")


@settings(deadline=None)
@given(st.binary(max_size=200), st.sampled_from(["proto", "tensor"]))
def test_any_bytes_give_a_histogram_or_the_one_error(raw: bytes, encoding: str) -> None:
    try:
        histogram = read_histogram(raw, encoding)
    except WireError:
        return
    assert len(histogram.lefts) == len(histogram.rights) == len(histogram.counts)
    assert (histogram.lefts <= histogram.rights).all()


def test_every_cut_of_a_histogram_gives_one_or_the_one_error() -> None:
    whole = proto([-1, 0, 1, GREATEST], [0, 3, 5, 2], low=-0.7, high=1.5).SerializeToString()

    for end in range(len(whole)):
        try:
            read_histogram(whole[:end], "proto")
        except WireError:
            continue


# ---------------------------------------------------------------- tensorboard as the oracle


def converted(value: Any) -> np.ndarray[Any, Any]:
    """What tensorboard's Python readers make of a value: float32, shape (n, 3)."""
    array: np.ndarray[Any, Any] = make_ndarray(data_compat.migrate_value(value).tensor)
    return array


def assert_same(histogram: Histogram, theirs: np.ndarray[Any, Any]) -> None:
    ours = np.stack([histogram.lefts, histogram.rights, histogram.counts], axis=1)
    with np.errstate(over="ignore"):
        assert np.array_equal(ours.astype(theirs.dtype), theirs)


@settings(deadline=None)
@given(st.lists(st.integers(0, 2), max_size=8), st.data())
def test_protos_are_converted_as_tensorboard_does(counts: list[int], drawn: st.DataObject) -> None:
    limits = sorted(drawn.draw(st.lists(st.floats(-1e3, 1e3), min_size=len(counts), max_size=len(counts))))
    message = proto(limits, [float(n) for n in counts], low=-1e4, high=1e4)

    theirs = converted(summary_pb2.Summary.Value(tag="w", histo=message))

    assert_same(read(message), theirs)


def values_of(path: Any) -> Iterator[tuple[Any, Any]]:
    """Each histogram of an event file: as tensorboard's message, and as our reader finds it."""
    plugins: dict[str, str] = {}
    with path.open("rb") as file:
        for record in read_records(file):
            ours = decode_event(record.payload, plugins).values if isinstance(record, Record) else ()
            if not isinstance(record, Record) or all(found.kind != "histogram" for found in ours):
                continue
            theirs = event_pb2.Event.FromString(record.payload)
            for value, found in zip(theirs.summary.value, ours, strict=True):
                if found.kind == "histogram":
                    part = found.parts[0]
                    yield value, read_histogram(record.payload[part.start : part.end], part.encoding)


@needs_corpora
@needs_formats
def test_real_histograms_are_what_tensorboard_shows() -> None:
    files = [path for root in (FORMATS / "tfevents", CORPORA) for path in sorted(root.rglob("*tfevents*"))]
    n_compared = 0

    for path in files:
        if path.is_file() and not path.name.startswith("._"):
            for value, histogram in values_of(path):
                assert_same(histogram, converted(value))
                n_compared += 1

    assert n_compared >= 600
