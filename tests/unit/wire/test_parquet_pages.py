"""Promises of the pages of a Parquet file: what their headers say is looked at before memory is taken for it."""

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from mlbench.wire.parquet_pages import MAX_PAGE_BYTES, check_pages
from mlbench.wire.parquet_schema import ParquetError
from tests.unit.wire.wandb_builder import varint

OPTIONS: dict[str, dict[str, Any]] = {
    "usual": {},
    "plain": {"compression": "none", "use_dictionary": False},
    "groups": {"row_group_size": 70, "data_page_size": 64},
    "version 2": {"data_page_version": "2.0", "compression": "zstd"},
    "checksums": {"write_page_checksum": True, "compression": "gzip"},
}


def table(path: Path, **options: Any) -> pq.FileMetaData:
    rows = {
        "step": list(range(300)),
        "word": ["x" * 3000 if row == 7 else "y" for row in range(300)],
        "many": [[row, None] for row in range(300)],
    }
    pq.write_table(pa.table(rows), path, **options)
    return pq.read_metadata(path)


def check(path: Path, metadata: pq.FileMetaData, *columns: str) -> None:
    with path.open("rb") as file:
        check_pages(file, metadata, columns or None)


@pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS)
def test_what_writers_write_passes(tmp_path: Path, options: dict[str, Any]) -> None:
    metadata = table(tmp_path / "t.parquet", **options)

    check(tmp_path / "t.parquet", metadata)
    check(tmp_path / "t.parquet", metadata, "many")


def number(value: int) -> bytes:
    """A field of 32 bits, the next one in its struct."""
    return b"\x15" + varint(value << 1)


def header(packed: int, unpacked: int, n_values: int) -> bytes:
    data_page = b"\x2c" + number(n_values) + number(0) + number(3) + number(3) + b"\0"
    return number(0) + number(unpacked) + number(packed) + data_page + b"\0"


@pytest.mark.parametrize(
    "made",
    [header(1 << 30, 10, 300), header(10, MAX_PAGE_BYTES + 1, 300), header(10, 10, 301), b"\xff" * 40, header(0, 0, 0)[:2] + b"\0"],
)  # fmt: skip
def test_a_header_that_cannot_be_true_is_refused(tmp_path: Path, made: bytes) -> None:
    path = tmp_path / "t.parquet"
    metadata = table(path, **OPTIONS["plain"])
    content = bytearray(path.read_bytes())
    at = metadata.row_group(0).column(0).data_page_offset
    content[at : at + len(made)] = made
    path.write_bytes(content)

    with pytest.raises(ParquetError, match="a page of it"):
        check(path, metadata, "step")
    check(path, metadata, "word")


def test_a_column_beyond_the_end_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    metadata = table(path, **OPTIONS["plain"])
    path.write_bytes(path.read_bytes()[:20])

    with pytest.raises(ParquetError, match="beyond its end"):
        check(path, metadata)
