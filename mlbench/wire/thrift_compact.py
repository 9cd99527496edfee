"""Values of Thrift's compact protocol, in which footers and page headers of Parquet are written.

Link: https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md
"""

from __future__ import annotations

from collections.abc import Iterator

Value = int | bytes | dict[int, "Value"]

BINARY, LIST, SET, STRUCT = 8, 9, 10, 12
"""Kinds of values."""
_LENGTHS = {1: 0, 2: 0, 3: 1, 7: 8}
"""Kinds whose bytes are always as many: truth values, bytes and doubles."""
_MAX_DEPTH = 16


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

    def fields(self) -> Iterator[tuple[int, int]]:
        """Number and kind of each field of the struct that begins here; the caller reads or skips its value."""
        last = 0
        while head := self._byte():
            last = self._field(head, last)
            yield last, head & 15

    def list_of_structs(self) -> int:
        """How many structs the list that begins here has."""
        length, kind = self._list_head()
        if kind != STRUCT and length:
            raise IndexError
        return length

    def number_or_text(self, kind: int) -> int | bytes | None:
        """A value; of a list its first text, and None of anything else, which is skipped."""
        if kind in (4, 5, 6):
            return self._zigzag()
        if kind != LIST:
            self.skip(kind)
            return None
        length, inner = self._list_head()
        first = self._bytes(self._varint()) if inner == BINARY and length else None
        self._skip_many(inner, length - (first is not None), 1)
        return first

    def skip(self, kind: int, depth: int = 0) -> None:
        """Pass over a value; nothing is made of it."""
        if depth > _MAX_DEPTH:
            raise IndexError
        if kind in (4, 5, 6):
            self._varint()
        elif kind in _LENGTHS:
            self._bytes(_LENGTHS[kind])
        elif kind == BINARY:
            self._bytes(self._varint())
        elif kind in (LIST, SET):
            length, inner = self._list_head()
            self._skip_many(inner, length, depth + 1)
        elif kind == STRUCT:
            for _number, inner in self.fields():
                self.skip(inner, depth + 1)
        else:
            raise IndexError  # no map stands in a footer

    def _skip_many(self, kind: int, count: int, depth: int) -> None:
        if kind in (1, 2):  # a truth value is a byte in a list, and none in a struct
            self._bytes(count)
            return
        for _number in range(count):
            self.skip(kind, depth)

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
        if kind == BINARY:
            return self._bytes(self._varint())
        if kind == STRUCT:
            return self._struct(depth)
        raise IndexError  # no list, set, map or double stands where the schema does

    def _bytes(self, length: int) -> bytes:
        if length > len(self._data) - self._at:
            raise IndexError
        self._at += length
        return self._data[self._at - length : self._at]
