"""Rows on their way into the catalog as Arrow tables: the types are those of schema.sql, and no DuckDB is needed."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

from mlbench.catalog.connection import sql_text

if TYPE_CHECKING:
    import pyarrow as pa

_TABLE = re.compile(r"CREATE TABLE (\w+) \(([^;]*)\);")
_COLUMN = re.compile(r"\b(\w++)\s++([A-Z]+)(\[\])?")


@cache
def arrow_schema(table: str) -> pa.Schema:
    """The columns of a table of the catalog as it is created, in their order."""
    import pyarrow as pa

    kinds = {
        "VARCHAR": pa.string(), "DOUBLE": pa.float64(), "FLOAT": pa.float32(), "INTEGER": pa.int32(),
        "BIGINT": pa.int64(), "UBIGINT": pa.uint64(), "USMALLINT": pa.uint16(), "BOOLEAN": pa.bool_(),
        "BLOB": pa.binary(),
    }  # fmt: skip
    columns = [
        (name, pa.list_(kinds[kind]) if is_list else kinds[kind])
        for name, kind, is_list in _COLUMN.findall(_created()[table])
    ]
    return pa.schema(columns)


@cache
def _created() -> dict[str, str]:
    """By table what stands between its brackets."""
    bare = re.sub(r"--[^\n]*", "", sql_text("schema.sql"))
    return dict(_TABLE.findall(bare))


def rows_as_table(table: str, rows: Sequence[Mapping[str, Any]]) -> pa.Table:
    """Rows by column; a column that a row does not name is NULL."""
    first = list(rows[0]) if rows else []
    if first and all(list(row) == first for row in rows):  # as those that one writer makes
        columns = zip(*(row.values() for row in rows), strict=True)
        return columns_as_table(table, dict(zip(first, columns, strict=True)))
    named = set().union(*rows)
    return columns_as_table(table, {name: [row.get(name) for row in rows] for name in named})


def columns_as_table(table: str, columns: Mapping[str, Sequence[Any]]) -> pa.Table:
    """Columns of one length; those that are missing are NULL."""
    import pyarrow as pa

    known = pa.schema([field for field in arrow_schema(table) if field.name in columns])
    return pa.table([pa.array(columns[one.name], type=one.type) for one in known], schema=known)


def joined(tables: Iterable[pa.Table]) -> pa.Table:
    """Tables one behind another; a column that one of them lacks is NULL there."""
    import pyarrow as pa

    return pa.concat_tables(list(tables), promote_options="permissive")


def packed(table: pa.Table) -> bytes:
    """A table as bytes, on its way to another process: pickling it takes five times as long."""
    import pyarrow as pa

    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as stream:
        stream.write_table(table)
    return bytes(sink.getvalue())


def unpacked(content: bytes) -> pa.Table:
    """The table that was packed."""
    import pyarrow as pa

    return pa.ipc.open_stream(content).read_all()
