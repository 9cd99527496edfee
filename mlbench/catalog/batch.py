"""What one transaction of the writer replaces and adds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import field
from typing import TYPE_CHECKING, Any

from mlbench.catalog.segments import Stored
from mlbench.dataclass import dataclass

if TYPE_CHECKING:
    import pyarrow as pa

    from mlbench.catalog.tables import Packed


@dataclass(slots=True)
class Rows:
    """Rows of several tables."""

    rows: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    """By table; a missing column is NULL."""
    columns: dict[str, dict[str, list[Any]]] = field(default_factory=dict)
    """More rows by table and column, for tables of many; a missing column is NULL."""

    def add(self, table: str, **values: Any) -> None:  # noqa: ANN401 - a row's values are of any column type
        self.rows.setdefault(table, []).append(values)

    def add_columns(self, table: str, columns: Mapping[str, Sequence[Any]]) -> None:
        """Add many rows of one table, by column; the same columns each time, all of one length, or none at all."""
        if not columns:
            return
        known = self.columns.setdefault(table, {name: [] for name in columns})
        for name, values in columns.items():
            known[name].extend(values)

    def as_tables(self) -> dict[str, pa.Table]:
        """The rows as Arrow tables, which cost next to nothing on their way to another process."""
        from mlbench.catalog.tables import columns_as_table, joined, rows_as_table

        parts: dict[str, list[pa.Table]] = {}
        for table, rows in self.rows.items():
            parts.setdefault(table, []).append(rows_as_table(table, rows))
        for table, columns in self.columns.items():
            parts.setdefault(table, []).append(columns_as_table(table, columns))
        return {table: joined(found) for table, found in parts.items()}


@dataclass(slots=True)
class Batch:
    """What one transaction replaces and adds."""

    run_ids: set[str] = field(default_factory=set)
    """Runs whose rows are deleted first; those that come back have new rows."""
    grown_ids: set[str] = field(default_factory=set)
    """Those of them that keep their series and segments, and get more."""
    source_ids: set[int] = field(default_factory=set)
    """Sources whose rows are deleted first."""
    rows: Rows = field(default_factory=Rows)
    tables: dict[str, list[pa.Table | Packed]] = field(default_factory=dict)
    """More rows by table."""
    stored: list[Stored] = field(default_factory=list)
    """Series whose points lie in segments; those that replace none are of runs in `run_ids`."""
    left: dict[str, list[str]] = field(default_factory=dict)
    """By run the segments that no point of it is looked for in any more; those of `stored` are told after that."""

    @property
    def is_empty(self) -> bool:
        return not (
            self.run_ids or self.source_ids or self.rows.rows or self.rows.columns or self.tables or self.stored
        )

    def add(self, table: str, **values: Any) -> None:  # noqa: ANN401 - a row's values are of any column type
        self.rows.add(table, **values)

    def add_tables(self, tables: Mapping[str, pa.Table | Packed]) -> None:
        """Add rows that are tables already."""
        for table, rows in tables.items():
            self.tables.setdefault(table, []).append(rows)

    def table_names(self) -> list[str]:
        """The tables of which there are rows."""
        self.add_tables(self.rows.as_tables())
        self.rows = Rows()
        return list(self.tables)

    def stream(self, table: str) -> pa.RecordBatchReader:
        """All rows of one of these, to be read once: unpacked together they weigh more than all else in an ingest."""
        from mlbench.catalog.tables import stream_of

        return stream_of(self.tables[table])
