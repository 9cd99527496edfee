"""What one transaction of the writer replaces and adds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import Any

from mlbench.catalog.segments import Stored
from mlbench.dataclass import dataclass


@dataclass(slots=True)
class Batch:
    """What one transaction replaces and adds."""

    run_ids: set[str] = field(default_factory=set)
    """Runs whose rows are deleted first; those that come back have new rows in `rows`."""
    grown_ids: set[str] = field(default_factory=set)
    """Those of them that keep their series and segments, and get more."""
    source_ids: set[int] = field(default_factory=set)
    """Sources whose rows are deleted first."""
    rows: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    """Rows by table; a missing column is NULL."""
    columns: dict[str, dict[str, list[Any]]] = field(default_factory=dict)
    """More rows by table and column, for tables of many; a missing column is NULL."""
    stored: list[Stored] = field(default_factory=list)
    """Series whose points lie in segments; all of runs in `run_ids`."""

    @property
    def is_empty(self) -> bool:
        return not (self.run_ids or self.source_ids or self.rows or self.columns or self.stored)

    def add(self, table: str, **values: Any) -> None:  # noqa: ANN401 - a row's values are of any column type
        self.rows.setdefault(table, []).append(values)

    def add_columns(self, table: str, columns: Mapping[str, list[Any]]) -> None:
        """Add many rows of one table, by column; the same columns each time, all of one length."""
        known = self.columns.setdefault(table, {name: [] for name in columns})
        for name, values in columns.items():
            known[name].extend(values)
