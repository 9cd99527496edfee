"""What the queries need of a catalog's reader. `mlbench.catalog.reader.Reader` is one; tests bring a smaller one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    import pyarrow as pa

    from mlbench.journal import Words


class Reader(Protocol):
    """One immutable snapshot with the user's words over it: see catalog/schema.sql and catalog/views.sql."""

    @property
    def words(self) -> Words:
        """What the user said."""

    def rows(self, sql: str, parameters: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        """The rows of a statement; values are bound, never spliced."""

    def stream(self, sql: str, parameters: Sequence[object] = ()) -> Iterator[tuple[Any, ...]]:
        """The rows of a statement, a few thousand at a time: others are let in between. To be read to the end."""

    def runs(self, sql: str) -> str:
        """A relation for FROM: the columns of the runs `r` that a piece of SQL names, those of the first page too."""

    def once(self, sql: str) -> list[tuple[Any, ...]]:
        """The rows of a statement without parameters, read once in the life of the reader."""

    def points(self, series_ids: Sequence[int], columns: Sequence[str] = ...) -> pa.Table:
        """All raw points, sorted by series_id and seq: of series_id, seq, step, wall_s and value those named.

        Each chunk of the table holds whole series.
        """

    def few_points(self, series_ids: Sequence[int], columns: Sequence[str]) -> dict[str, Any]:
        """The same of at least one series as numpy arrays by column, for a few thousand points."""
