"""How many charts stand beside and below each other in so much room, and how it is shared out."""

from __future__ import annotations

LEAST_ROWS, LEAST_COLUMNS = 9, 56
"""Of one chart of several; with less the axes eat the picture."""
LEAST_ROWS_ABOVE = 8
"""Where values stand below the charts: rather smaller than one fewer of them."""
LEAST_COLUMNS_ASKED = 36
"""Where somebody asks for so many beside each other."""


def grid(n: int, width: int, height: int, n_columns: int, *, n_below: int = 0) -> tuple[int, int]:
    """Columns and rows for n charts that leave each the least size.

    Args:
        n: charts.
        width: columns of the terminal for all of them.
        height: lines for them and what stands below.
        n_columns: as many beside each other; 0 for as few as may be.
        n_below: lines below the charts.
    """
    most_rows = height // LEAST_ROWS
    if n_below:
        most_rows = min(most_rows, (height - n_below) // LEAST_ROWS_ABOVE)
    most_rows = max(most_rows, 1)
    least = LEAST_COLUMNS_ASKED if n_columns else LEAST_COLUMNS
    columns = min(n_columns or max(-(-n // most_rows), 1), max(width // least, 1), n)
    return columns, min(-(-n // columns), most_rows)


def shares(total: int, n: int) -> list[int]:
    """The total in n whole parts that differ by one at most."""
    return [total // n + (index < total % n) for index in range(n)]
