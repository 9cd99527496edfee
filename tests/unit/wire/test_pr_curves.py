"""Precision-recall curves as arrays, against the curves that tensorboard's own plugin serves."""

import struct
import warnings
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlbench.wire.events import decode_event
from mlbench.wire.pr_curves import read_pr_curve
from mlbench.wire.protobuf import WireError
from mlbench.wire.tfrecord import Record, read_records
from tests.paths import FORMATS, needs_formats
from tests.unit.wire.event_messages import tensor

ROWS = [[4, 3, 2, 0], [5, 2, 0, 0], [0, 3, 5, 5], [0, 1, 2, 4], [4 / 9, 0.6, 1, 0], [1, 0.75, 0.5, 0]]


with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # of a library inside tensorboard
    from tensorboard.plugins.pr_curve.pr_curves_plugin import PrCurvesPlugin


def curve_message(rows: Any, dtype: str = "FLOAT") -> Any:
    array = np.asarray(rows, np.float32)
    return tensor(dtype, array.shape, tensor_content=array.tobytes())


def test_the_six_rows_have_names_and_even_thresholds() -> None:
    curve = read_pr_curve(curve_message(ROWS).SerializeToString(), "tensor")

    assert curve.thresholds.tolist() == pytest.approx([0, 1 / 3, 2 / 3, 1])
    assert curve.true_positives.tolist() == [4, 3, 2, 0]
    assert curve.false_positives.tolist() == [5, 2, 0, 0]
    assert curve.true_negatives.tolist() == [0, 3, 5, 5]
    assert curve.false_negatives.tolist() == [0, 1, 2, 4]
    assert curve.precision.tolist() == pytest.approx([4 / 9, 0.6, 1, 0])
    assert curve.recall.tolist() == [1, 0.75, 0.5, 0]


def test_thresholds_that_nothing_reaches_are_not_drawn_at_the_end() -> None:
    assert read_pr_curve(curve_message(ROWS).SerializeToString(), "tensor").n_defined == 3


@pytest.mark.parametrize(("n", "n_defined"), [(0, 0), (1, 1), (5, 1)])
def test_of_a_curve_without_positive_predictions_one_point_is_drawn(n: int, n_defined: int) -> None:
    curve = read_pr_curve(curve_message(np.zeros((6, n))).SerializeToString(), "tensor")

    assert (len(curve.thresholds), curve.n_defined) == (n, n_defined)


@pytest.mark.parametrize(
    ("message", "said"),
    [
        (curve_message(np.zeros((5, 2))), "its shape is not"),
        (curve_message(np.zeros(6)), "its shape is not"),
        (curve_message(np.full((6, 1), -1.0)), "negative or not finite"),
        (curve_message(np.full((6, 1), np.nan)), "negative or not finite"),
        (tensor("DOUBLE", (6, 2**30), double_val=[1]), "more than"),
        (tensor("DOUBLE", (6, 1), tensor_content=struct.pack("<5d", *range(5))), "has 5 numbers"),
    ],
)
def test_what_is_no_curve_is_refused(message: Any, said: str) -> None:
    with pytest.raises(WireError, match=said):
        read_pr_curve(message.SerializeToString(), "tensor")


def test_another_encoding_is_refused() -> None:
    with pytest.raises(WireError, match="no tensor"):
        read_pr_curve(b"", "proto")


@settings(deadline=None)
@given(st.integers(1, 12), st.data())
def test_a_curve_reads_as_tensorboards_plugin_serves_it(n_thresholds: int, drawn: st.DataObject) -> None:
    counts = st.lists(st.sampled_from([0, 0, 0.5, 1, 7]), min_size=6 * n_thresholds, max_size=6 * n_thresholds)
    rows = np.array(drawn.draw(counts), np.float32).reshape(6, -1)

    served = PrCurvesPlugin._make_pr_entry(None, 3, 1.0, rows)
    curve = read_pr_curve(curve_message(rows).SerializeToString(), "tensor")

    n = curve.n_defined
    assert curve.precision[:n].tolist() == served["precision"]
    assert curve.recall[:n].tolist() == served["recall"]
    assert curve.thresholds[:n].tolist() == served["thresholds"]
    assert np.trunc(curve.true_positives[:n]).tolist() == served["true_positives"]
    assert np.trunc(curve.false_positives[:n]).tolist() == served["false_positives"]
    assert np.trunc(curve.true_negatives[:n]).tolist() == served["true_negatives"]
    assert np.trunc(curve.false_negatives[:n]).tolist() == served["false_negatives"]


@needs_formats
def test_the_curves_that_torch_writes_are_read() -> None:
    (path,) = (FORMATS / "tfevents" / "torch").glob("*tfevents*")
    found = []

    with path.open("rb") as file:
        for record in read_records(file):
            assert isinstance(record, Record)
            for value in decode_event(record.payload, {}).values:
                if value.kind == "pr_curve":
                    part = value.parts[0]
                    found.append(read_pr_curve(record.payload[part.start : part.end], part.encoding))

    assert [len(curve.thresholds) for curve in found] == [127, 127]
    assert all((curve.true_positives + curve.false_negatives == curve.true_positives[0]).all() for curve in found)
