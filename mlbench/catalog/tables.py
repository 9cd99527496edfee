"""Rows on their way into the catalog as Arrow tables: the types are those of schema.sql, and no DuckDB is needed."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

from mlbench.catalog.connection import sql_text
from mlbench.dataclass import dataclass

if TYPE_CHECKING:
    import pyarrow as pa

_TABLE = re.compile(r"CREATE TABLE (\w+) \(([^;]*)\);")
_COLUMN = re.compile(r"\b(\w++)\s++([A-Z]+)(\[\])?")
_REPEATED = frozenset({("param", "run_id"), ("param", "source")})
"""Table and column of texts that stand in many rows, one behind another: on their way they are told once."""


@dataclass(frozen=True, slots=True)
class Packed:
    """Rows of one table as bytes: on their way to another process, and while they wait to be committed."""

    content: bytes
    """An Arrow stream, compressed."""
    num_rows: int

    @property
    def schema(self) -> pa.Schema:
        """The columns."""
        return self._opened().schema

    def table(self) -> pa.Table:
        """The rows, in memory of their own."""
        return self._opened().read_all()

    def _opened(self) -> pa.RecordBatchReader:
        import pyarrow as pa

        return pa.ipc.open_stream(self.content, options=pa.ipc.IpcReadOptions(use_threads=False))


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

    known = _incoming_schema(table, tuple(columns))
    return pa.table([pa.array(columns[one.name], type=one.type) for one in known], schema=known)


@cache
def _incoming_schema(table: str, columns: tuple[str, ...]) -> pa.Schema:
    """The columns of these names as `columns_as_table` makes them."""
    import pyarrow as pa

    told_once = pa.dictionary(pa.int32(), pa.string())
    return pa.schema([
        field.with_type(told_once) if (table, field.name) in _REPEATED else field
        for field in arrow_schema(table) if field.name in columns
    ])  # fmt: skip


def joined(tables: Iterable[pa.Table]) -> pa.Table:
    """Tables one behind another; a column that one of them lacks is NULL there."""
    import pyarrow as pa

    return pa.concat_tables(list(tables), promote_options="permissive")


def stream_of(tables: Sequence[pa.Table | Packed]) -> pa.RecordBatchReader:
    """The rows of tables one behind another, to be read once; a column that one of them lacks is NULL there.

    What is packed is unpacked when its turn comes, and let go then.
    """
    import pyarrow as pa

    schema = pa.unify_schemas([one.schema for one in tables], promote_options="permissive")
    return pa.RecordBatchReader.from_batches(schema, _batches(tables, schema.empty_table()))


def _batches(tables: Iterable[pa.Table | Packed], nothing: pa.Table) -> Iterator[pa.RecordBatch]:
    import pyarrow as pa

    for one in tables:
        table = one.table() if isinstance(one, Packed) else one
        if table.schema != nothing.schema:
            table = pa.concat_tables([nothing, table], promote_options="permissive")
        yield from table.to_batches()


def packed(table: pa.Table) -> Packed:
    """A table as bytes: pickling it takes five times as long, and compressed it crosses a pipe in less time."""
    import pyarrow as pa

    sink = pa.BufferOutputStream()
    options = pa.ipc.IpcWriteOptions(compression="lz4", use_threads=False)
    with pa.ipc.new_stream(sink, table.schema, options=options) as stream:
        stream.write_table(table)
    return Packed(bytes(sink.getvalue()), table.num_rows)
