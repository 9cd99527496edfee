"""What one transaction of the writer replaces and adds."""

from __future__ import annotations

from collections.abc import Iterable
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
    stored: list[Stored] = field(default_factory=list)
    """Series whose points lie in segments; all of runs in `run_ids`."""

    @property
    def is_empty(self) -> bool:
        return not (self.run_ids or self.source_ids or self.rows or self.stored)

    def add(self, table: str, **values: Any) -> None:  # noqa: ANN401 - a row's values are of any column type
        self.rows.setdefault(table, []).append(values)

    def extend(self, table: str, rows: Iterable[dict[str, Any]]) -> None:
        """Add many rows of one table."""
        self.rows.setdefault(table, []).extend(rows)
