"""What the table of runs shows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import field

from mlbench.dataclass import dataclass
from mlbench.render.cells import Line
from mlbench.tui.view import Marks
from mlbench.tui.widgets.columns import TableColumn
from mlbench.tui.widgets.rows import Rows


@dataclass(frozen=True, slots=True)
class TableState:
    """All that the table shows."""

    rows: Rows = field(default_factory=Rows)
    """The rows that were fetched; one that was not yet is drawn as an empty line."""
    lines: Sequence[int] = ()
    """See `lines_of`."""
    columns: tuple[TableColumn, ...] = ()
    """NAME first."""
    marks: Marks = field(default_factory=Marks)
    baseline: str = ""
    """Run id."""
    sorted_by: Mapping[str, str] | None = None
    """Column specification to `▲` or `▼`."""
    is_at_work: bool = True
    """Whether keys go to the table."""
    range_start: str = ""
    opened: frozenset[tuple[object, ...]] = frozenset()
    empty: tuple[Line, ...] = ()
    """Shown where there are no rows."""
