"""Promises of arrays in `.npz` files: numbers or a Problem, whatever the header says."""

import struct
import zipfile
from pathlib import Path

import pytest

from mlbench.model import ReadStatus
from mlbench.wire.npy import load_array


def npz(path: Path, header: bytes, content: bytes = b"") -> str:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("x.npy", b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + content)
    return str(path)


def test_an_array_is_read(tmp_path: Path) -> None:
    header = b"{'descr': '<f8', 'fortran_order': False, 'shape': (2,), }\n"

    array, status, problem = load_array(npz(tmp_path / "a.npz", header, struct.pack("<2d", 0.5, 2.0)), "x")

    assert (array is not None and array.tolist(), status, problem) == ([0.5, 2.0], ReadStatus.EOF, None)


@pytest.mark.filterwarnings("error")
def test_an_array_of_python_2_is_read_without_a_word(tmp_path: Path) -> None:
    header = b"{'descr': '<f8', 'fortran_order': False, 'shape': (2L,), }\n"

    array, _status, problem = load_array(npz(tmp_path / "a.npz", header, struct.pack("<2d", 0.5, 2.0)), "x")

    assert (array is not None and array.tolist(), problem) == ([0.5, 2.0], None)


@pytest.mark.parametrize(
    "header",
    [b"{'descr': '<f8', 'shape': (", b"{'descr': '|O', 'fortran_order': False, 'shape': (1,)}\n", b"((" * 60, b"\xff", b"",
     b"{'descr': '<f8', 'fortran_order': False, 'shape': (99999999999,)}\n", b"{'descr': __import__('os')}\n"],
)  # fmt: skip
def test_a_damaged_header_is_a_problem(tmp_path: Path, header: bytes) -> None:
    array, status, problem = load_array(npz(tmp_path / "a.npz", header), "x")

    assert (array, status) == (None, ReadStatus.DAMAGED)
    assert problem is not None
    assert "the array 'x' in it could not be read" in problem.what
