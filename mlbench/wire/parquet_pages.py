"""Whether the pages of a Parquet file can be what their headers say, before pyarrow sets memory aside for them.

A header of a few bytes may name a page of 2 GiB; pyarrow (26.0) believes it and takes the memory before it looks.
Link: https://parquet.apache.org/docs/file-format/data-pages/
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator
from typing import TYPE_CHECKING

from mlbench.wire.parquet_schema import ColumnChunk, ParquetError, column_chunks
from mlbench.wire.thrift_compact import CompactReader, Value

if TYPE_CHECKING:
    from typing import BinaryIO

MAX_PAGE_BYTES = 64 << 20
"""Writers make pages of 1 MiB; of a table of metrics none is larger."""
_HEADER_BYTES = (1 << 10, 1 << 20)
"""Beside a few numbers a header holds the least and the greatest value of its page, which may be long texts."""
_UNPACKED, _PACKED = 2, 3
_COUNTS = {5: 1, 7: 1, 8: 1}
"""Headers of data pages, of dictionaries and of data pages of version 2: the field that counts their values."""


def check_pages(file: BinaryIO, columns: Collection[str] | None = None) -> None:
    """Walk over the headers of the pages that will be read; nothing but headers and the footer is.

    Args:
        file: the open file, whose place is left as it is.
        columns: the names of the columns at the top that will be read; None for all.

    Raises:
        ParquetError: a page cannot be what its header says, or is too large; or the footer is broken.
    """
    size = os.fstat(file.fileno()).st_size
    for chunk in column_chunks(file):
        if columns is None or chunk.column in columns:
            _check_chunk(file, size, chunk)


def _check_chunk(file: BinaryIO, size: int, chunk: ColumnChunk) -> None:
    at, n_left = chunk.offset, chunk.n_values
    end = at + chunk.n_bytes
    if at < 0 or chunk.n_bytes < 0 or end > size:
        raise ParquetError("a column of it lies beyond its end")
    while at < end and n_left > 0:
        header, at = _header(file, at)
        packed, unpacked = header.get(_PACKED), header.get(_UNPACKED)
        counts = list(_counts(header))
        if not _is_size(packed, end - at) or not _is_size(unpacked, MAX_PAGE_BYTES) or not counts:
            raise ParquetError("a page of it is damaged, or larger than 64 MiB")
        if header.get(1) != 2:  # of a dictionary the values are none of the column's rows
            n_left -= counts[0]
        if n_left < 0 or counts[0] < 0:
            raise ParquetError("a page of it holds more values than its column")
        at += packed if isinstance(packed, int) else 0


def _header(file: BinaryIO, at: int) -> tuple[dict[int, Value], int]:
    """The header at an offset, and where it ends."""
    for n_bytes in _HEADER_BYTES:
        reader = CompactReader(os.pread(file.fileno(), n_bytes, at))
        try:
            return reader.struct(), at + reader.at
        except (IndexError, RecursionError):
            continue
    raise ParquetError("the header of a page of it is broken")


def _counts(header: dict[int, Value]) -> Iterator[int]:
    for field, place in _COUNTS.items():
        inner = header.get(field)
        count = inner.get(place) if isinstance(inner, dict) else None
        if isinstance(count, int):
            yield count


def _is_size(value: Value | None, most: int) -> bool:
    return isinstance(value, int) and 0 <= value <= most
