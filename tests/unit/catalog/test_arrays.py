"""Arrow gets the numbers of an array as they are, bit by bit."""

import subprocess
import sys

import numpy as np
import pyarrow as pa
import pytest

from mlbench.catalog.arrays import as_arrow

BITS = np.array([0x7FF0000000000001, 0xFFF8DEADBEEF0000, 0x8000000000000000], dtype=np.uint64)


@pytest.mark.parametrize(
    "column",
    [
        np.arange(20, dtype=np.int64), np.arange(20, dtype=np.int32)[::2], np.zeros(0, dtype=np.float64),
        BITS.view(np.float64), np.arange(9, dtype=np.float32).reshape(3, 3)[:, 1], np.arange(3, dtype=np.uint64),
    ],
)  # fmt: skip
def test_numbers_are_as_pyarrow_takes_them(column: np.ndarray) -> None:
    found, expected = as_arrow(column), pa.array(column)

    assert (found.type, len(found), found.null_count) == (expected.type, len(expected), 0)
    assert found.to_numpy().tobytes() == expected.to_numpy().tobytes()


@pytest.mark.parametrize("n", [0, 1, 8, 9, 130])
def test_some_are_null(n: int) -> None:
    column = np.arange(n, dtype=np.float64)
    for none in (np.arange(n) % 3 == 0, np.zeros(n, np.bool_), np.ones(n, np.bool_)):
        assert as_arrow(column, none).equals(pa.array(column, mask=none))


def test_numpy_ma_is_not_loaded() -> None:
    code = (
        "import sys, numpy as np; from mlbench.catalog.arrays import as_arrow\n"
        "as_arrow(np.arange(9), np.arange(9) > 3).to_pylist(); print('numpy.ma' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.split() == ["False"]
