"""How many charts stand beside and below each other in so much room, and how it is shared out."""

from __future__ import annotations

LEAST_ROWS, LEAST_COLUMNS = 9, 56
"""Of one chart of several; with less the axes eat the picture."""


def grid(n: int, width: int, height: int, n_columns: int) -> tuple[int, int]:
    """Columns and rows for n charts that leave each the least size: `n_columns`, or for 0 as few as may be."""
    most_rows = max(height // LEAST_ROWS, 1)
    columns = min(n_columns or max(-(-n // most_rows), 1), max(width // LEAST_COLUMNS, 1), n)
    return columns, min(-(-n // columns), most_rows)


def shares(total: int, n: int) -> list[int]:
    """The total in n whole parts that differ by one at most."""
    return [total // n + (index < total % n) for index in range(n)]
