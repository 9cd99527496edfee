"""The columns of a Parquet file from its footer, without pyarrow: a scan must know in a moment what is not ours.

The footer is a struct in Thrift's compact protocol and begins with the schema, so that its first bytes are enough,
however many row groups follow. Links: https://parquet.apache.org/docs/file-format/metadata/,
https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md
"""

from __future__ import annotations

import os

from mlbench.dataclass import dataclass
from mlbench.wire.files import open_regular

MAGIC = b"PAR1"
_SCHEMA_BYTES = 1 << 20
_MAX_COLUMNS = 20_000
_MAX_DEPTH = 16
_NUMBERS = frozenset({0, 1, 2, 4, 5})
"""Physical types: boolean, int32, int64, float, double."""
_TIMES = frozenset({6, 7, 8, 9, 10})
"""Converted types that are dates, times and timestamps."""
_LOGICAL_TIMES = frozenset({6, 7, 8})

Value = int | bytes | list["Value"] | dict[int, "Value"]


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
        size = os.fstat(file.fileno()).st_size
        if file.read(4) != MAGIC:
            raise ParquetError("it does not begin like a Parquet file")
        file.seek(max(size - 8, 0))
        end = file.read(8)
        length = int.from_bytes(end[:4], "little")
        if size < 12 or end[4:] != MAGIC or not 0 < length <= size - 12:
            raise ParquetError("its footer is missing: the file is being written or was cut off")
        file.seek(size - 8 - length)
        footer = file.read(min(length, _SCHEMA_BYTES))
    try:
        return _columns(CompactReader(footer).elements())
    except (IndexError, RecursionError):
        raise ParquetError("its footer is broken") from None


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


class CompactReader:
    """Values of Thrift's compact protocol; an IndexError where the bytes end or make no sense."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    @property
    def at(self) -> int:
        """Bytes that have been read."""
        return self._at

    def struct(self) -> dict[int, Value]:
        """A struct by the numbers of its fields."""
        return self._struct(1)

    def elements(self) -> list[dict[int, Value]]:
        """Field 2 of the footer: the schema."""
        last = 0
        while head := self._byte():
            last = self._field(head, last)
            if last == 2:
                n_elements, kind = self._list_head()
                if kind != 12 or n_elements > _MAX_COLUMNS:
                    raise IndexError
                return [self._struct(1) for _ in range(n_elements)]
            self._value(head & 15, 1)
        raise IndexError

    def _byte(self) -> int:
        self._at += 1
        return self._data[self._at - 1]

    def _varint(self) -> int:
        number = 0
        for shift in range(0, 70, 7):
            byte = self._byte()
            number |= (byte & 127) << shift
            if byte < 128:
                return number
        raise IndexError

    def _zigzag(self) -> int:
        number = self._varint()
        return (number >> 1) ^ -(number & 1)

    def _field(self, head: int, last: int) -> int:
        return last + (head >> 4) if head >> 4 else self._zigzag()

    def _list_head(self) -> tuple[int, int]:
        head = self._byte()
        return (self._varint() if head >> 4 == 15 else head >> 4), head & 15

    def _struct(self, depth: int) -> dict[int, Value]:
        if depth > _MAX_DEPTH:
            raise IndexError
        fields: dict[int, Value] = {}
        last = 0
        while head := self._byte():
            last = self._field(head, last)
            fields[last] = self._value(head & 15, depth + 1)
        return fields

    def _value(self, kind: int, depth: int) -> Value:
        if kind in (1, 2):
            return 2 - kind
        if kind == 3:
            return self._byte()
        if kind in (4, 5, 6):
            return self._zigzag()
        if kind == 8:
            return self._bytes(self._varint())
        if kind == 12:
            return self._struct(depth)
        raise IndexError  # no list, set, map or double stands where the schema does

    def _bytes(self, length: int) -> bytes:
        if length > len(self._data) - self._at:
            raise IndexError
        self._at += length
        return self._data[self._at - length : self._at]
