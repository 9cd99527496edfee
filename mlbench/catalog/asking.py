"""SQL of a Python user's own, in this process: one SELECT over the views of an open reader."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from mlbench.errors import UsageError

if TYPE_CHECKING:
    import pyarrow as pa

    from mlbench.catalog.reader import Reader


def select(reader: Reader, sql: str, parameters: Sequence[object] = ()) -> pa.Table:
    """The answer as an Arrow table.

    Raises:
        UsageError: it is not one SELECT, or DuckDB does not understand it.
    """
    import duckdb

    try:
        statements = duckdb.extract_statements(sql)
        if len(statements) != 1 or statements[0].type != duckdb.StatementType.SELECT:
            raise UsageError("one SELECT is all that can be run here. Its views are told in docs/reference/sql.md")
        return reader.table(sql, parameters)
    except duckdb.Error as error:
        raise UsageError(str(error).strip()) from error
