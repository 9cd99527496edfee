"""Promises of the pages of a Parquet file: what their headers say is looked at before memory is taken for it."""

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from mlbench.adapters.metrics_parquet import read
from mlbench.model import Cursor, Problem, ReadStatus, Source
from mlbench.wire.parquet_pages import MAX_PAGE_BYTES, check_pages
from mlbench.wire.parquet_schema import MAGIC, ParquetError, column_chunks
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


def check(path: Path, *columns: str) -> None:
    with path.open("rb") as file:
        check_pages(file, columns or None)


@pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS)
def test_what_writers_write_passes(tmp_path: Path, options: dict[str, Any]) -> None:
    table(tmp_path / "t.parquet", **options)

    check(tmp_path / "t.parquet")
    check(tmp_path / "t.parquet", "many")


@pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS)
def test_chunks_lie_where_pyarrow_finds_them(tmp_path: Path, options: dict[str, Any]) -> None:
    metadata = table(tmp_path / "t.parquet", **options)
    known = [
        metadata.row_group(group).column(column)
        for group in range(metadata.num_row_groups)
        for column in range(metadata.num_columns)
    ]

    with (tmp_path / "t.parquet").open("rb") as file:
        file.seek(7)
        found = list(column_chunks(file))
        assert file.tell() == 7

    assert [(chunk.column, chunk.offset, chunk.n_bytes, chunk.n_values) for chunk in found] == [
        (
            one.path_in_schema.partition(".")[0],
            one.dictionary_page_offset if one.has_dictionary_page else one.data_page_offset,
            one.total_compressed_size,
            one.num_values,
        )
        for one in known
    ]


def test_a_chunk_that_pyarrow_dies_of_costs_the_file_and_not_the_process(tmp_path: Path) -> None:
    path = tmp_path / "metrics.parquet"
    pq.write_table(pa.table({"step": [1, 2, 3], "loss": [0.1, 0.2, None]}), path)
    content = bytearray(path.read_bytes())
    at = content.rindex(b"\x19\x26\x02\x04\x00")  # how many values have which level: two entries, 1 and 2
    content[at : at + 5] = b"\x19\x16\x86\x00\x00"  # one entry, 3
    path.write_bytes(content)

    facts = list(read(Source(str(path), str(tmp_path)), None))

    assert isinstance(facts[-1], Cursor)  # older ones of pyarrow do not look at the histogram
    assert facts[-1].status is ReadStatus.EOF or any(isinstance(fact, Problem) for fact in facts)


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
        check(path, "step")
    check(path, "word")


def test_a_column_beyond_the_end_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    table(path, **OPTIONS["plain"])
    content = path.read_bytes()
    length = int.from_bytes(content[-8:-4], "little")
    path.write_bytes(MAGIC + content[-length - 8 :])  # nothing is left but the footer

    with pytest.raises(ParquetError, match="beyond its end"):
        check(path, "many")


@pytest.mark.parametrize(
    "footer",
    [
        b"\x49\x1c" + b"\x2c" * 40,  # structs in structs
        b"\x49\xfc\xff\xff\xff\xff\xff\xff\xff\xff\x7f",  # so many row groups
        b"\x49\x1c\x19\xfc\xff\xff\xff\xff\x7f",
        b"\x49\x1c\x19\x1c\x3c\x19\xf8\xff\xff\xff\xff\x0f",
        b"\x49\x1c\x19\x1c\x3c\x56\x02\x00\x00\x00\x00",  # a chunk of which nothing but a number is told
    ],
)
def test_a_footer_that_is_broken_is_refused(tmp_path: Path, footer: bytes) -> None:
    path = tmp_path / "t.parquet"
    path.write_bytes(MAGIC + footer + len(footer).to_bytes(4, "little") + MAGIC)

    with pytest.raises(ParquetError, match="footer is broken"):
        check(path)
