"""What runs cost, as rows beside the other facts of a comparison."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlbench.queries.costs import LEAST_RATIO
from mlbench.render.cells import Cell
from mlbench.render.numbers import change, duration, number
from mlbench.safe import safe

if TYPE_CHECKING:
    from mlbench.queries.answers import DiffAnswer, Value
    from mlbench.queries.costs import CostRow


def cost_table(answer: DiffAnswer) -> list[tuple[Cell, ...]]:
    """Each kind of cost, and behind it how much more or less than the baseline: `1h 5m -12%`."""
    return [_row(row) for row in answer.costs]


def _row(row: CostRow) -> tuple[Cell, ...]:
    base = row.values[0]
    return (Cell(safe(row.key), "key"), *(_cell(row, value, base, place) for place, value in enumerate(row.values)))


def _cell(row: CostRow, value: float | None, base: float | None, place: int) -> Cell:
    if value is None:
        return Cell(safe("-"), "muted")
    text = duration(value) if row.unit == "seconds" else number(value, digits=3)
    if place == 0 or not base or abs(value - base) <= LEAST_RATIO * abs(base):
        return Cell(safe(text or "0s"))
    is_better = (value > base) == (row.unit == "rate")
    return Cell(safe(f"{text} {change(base, value)}".rstrip()), "good" if is_better else "bad")


def cost_records(answer: DiffAnswer) -> list[tuple[Value, ...]]:
    """Flat rows of the section `cost`; times in seconds."""
    return [("cost", row.key, *row.values) for row in answer.costs]
