"""The columns of a Parquet file from its footer, without pyarrow: a scan must know in a moment what is not ours.

The footer is a struct in Thrift's compact protocol and begins with the schema, so that its first bytes are enough,
however many row groups follow. Where the chunks of the columns lie is read here too: asked for a chunk whose
description does not make sense, pyarrow (26.0) ends the process.
Link: https://parquet.apache.org/docs/file-format/metadata/
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING

from mlbench.dataclass import dataclass
from mlbench.wire.files import open_regular
from mlbench.wire.thrift_compact import LIST, STRUCT, CompactReader, Value

if TYPE_CHECKING:
    from typing import BinaryIO

MAGIC = b"PAR1"
_SCHEMA_BYTES = 1 << 20
_MAX_FOOTER_BYTES = 16 << 20
"""Walking over them takes a fifth of a microsecond a byte; 5,000 columns take 1 MB a row group."""
_MAX_COLUMNS = 20_000
_NUMBERS = frozenset({0, 1, 2, 4, 5})
"""Physical types: boolean, int32, int64, float, double."""
_TIMES = frozenset({6, 7, 8, 9, 10})
"""Converted types that are dates, times and timestamps."""
_LOGICAL_TIMES = frozenset({6, 7, 8})
_ROW_GROUPS, _CHUNKS = 4, 1
"""Fields of the footer, and of a row group."""


class ParquetError(ValueError):
    """The file is no Parquet file, or is not complete."""


@dataclass(frozen=True, slots=True)
class ParquetColumn:
    name: str
    is_number: bool
    """A number or a truth value, and no date or time; False for lists and structs."""


def parquet_columns(path: str) -> tuple[ParquetColumn, ...]:
    """The columns at the top of a Parquet file's schema, in order.

    Raises:
        OSError: it cannot be read.
        ParquetError: it is no Parquet file, or its footer is missing or broken.
    """
    with open_regular(path) as file:
        footer = _footer(file, _SCHEMA_BYTES)
    try:
        return _columns(_elements(CompactReader(footer)))
    except (IndexError, RecursionError):
        raise ParquetError("its footer is broken") from None


@dataclass(frozen=True, slots=True)
class ColumnChunk:
    """Where the pages of one column in one row group lie."""

    column: str
    """Its column at the top of the schema."""
    offset: int
    """Of its first page, in bytes from the file's start."""
    n_bytes: int
    n_values: int


def column_chunks(file: BinaryIO) -> Iterator[ColumnChunk]:
    """The chunks of a Parquet file, row group by row group; the file's place is left as it is.

    Raises:
        ParquetError: the footer is missing, broken, or larger than 16 MiB.
    """
    at = file.tell()
    try:
        reader = CompactReader(_footer(file, _MAX_FOOTER_BYTES, whole=True))
    finally:
        file.seek(at)
    try:
        for _row_group in _entries(reader, _ROW_GROUPS):
            for _number in _entries(reader, _CHUNKS, to_the_end=True):
                chunk = _chunk(reader)
                if chunk is not None:
                    yield chunk
    except (IndexError, RecursionError):
        raise ParquetError("its footer is broken") from None


def _entries(reader: CompactReader, wanted: int, *, to_the_end: bool = False) -> Iterator[int]:
    """Counts the structs of a field that is a list of them; between two the caller reads the struct."""
    for number, kind in reader.fields():
        if number == wanted and kind == LIST:
            yield from range(reader.list_of_structs())
            if not to_the_end:
                return
        else:
            reader.skip(kind)


def _chunk(reader: CompactReader) -> ColumnChunk | None:
    """The chunk that begins here; None of one that is encrypted, of which nothing is known, nor read."""
    known: dict[int, Value] = {}
    for number, kind in reader.fields():
        if number == 3 and kind == STRUCT:
            known = {
                inner: value
                for inner, inner_kind in reader.fields()
                if (value := reader.number_or_text(inner_kind)) is not None
            }
        else:
            reader.skip(kind)
    return _made_chunk(known) if known else None


def _made_chunk(known: dict[int, Value]) -> ColumnChunk:
    """Of the fields of ColumnMetaData: 3 path, 5 values, 7 bytes, 9 first data page, 11 dictionary."""
    n_values, n_bytes, data = (_whole(known.get(number)) for number in (5, 7, 9))
    words = _whole(known.get(11, 0)) or data
    return ColumnChunk(_text(known.get(3)), min(words, data) if words > 0 else data, n_bytes, n_values)


def _whole(value: Value | None) -> int:
    if not isinstance(value, int):
        raise IndexError
    return value


def _footer(file: BinaryIO, most: int, *, whole: bool = False) -> bytes:
    """The footer, or its first bytes where it need not be `whole`."""
    size = os.fstat(file.fileno()).st_size
    file.seek(0)
    if file.read(4) != MAGIC:
        raise ParquetError("it does not begin like a Parquet file")
    file.seek(max(size - 8, 0))
    end = file.read(8)
    length = int.from_bytes(end[:4], "little")
    if size < 12 or end[4:] != MAGIC or not 0 < length <= size - 12:
        raise ParquetError("its footer is missing: the file is being written or was cut off")
    if whole and length > most:
        raise ParquetError(f"its footer is larger than {most >> 20} MiB")
    file.seek(size - 8 - length)
    return file.read(min(length, most))


def _elements(reader: CompactReader) -> list[dict[int, Value]]:
    """Field 2 of the footer: the schema."""
    for number, kind in reader.fields():
        if number == 2 and kind == LIST:
            n_elements = reader.list_of_structs()
            if n_elements > _MAX_COLUMNS:
                break
            return [reader.struct() for _ in range(n_elements)]
        reader.skip(kind)
    raise IndexError


def _columns(elements: list[dict[int, Value]]) -> tuple[ParquetColumn, ...]:
    """Of the schema's elements, a tree told depth first whose first is the root, those right below the root."""
    columns: list[ParquetColumn] = []
    at = 1
    while at < len(elements):
        element = elements[at]
        columns.append(ParquetColumn(_text(element.get(4)), _is_number(element)))
        n_left = 1
        while n_left and at < len(elements):  # over what lies below it
            children = elements[at].get(5)
            n_left += (children if isinstance(children, int) else 0) - 1
            at += 1
    return tuple(columns)


def _text(value: Value | None) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else ""


def _is_number(element: dict[int, Value]) -> bool:
    logical = element.get(10)
    is_time = element.get(6) in _TIMES or (isinstance(logical, dict) and bool(_LOGICAL_TIMES & logical.keys()))
    return not element.get(5) and element.get(1) in _NUMBERS and element.get(3) != 2 and not is_time
