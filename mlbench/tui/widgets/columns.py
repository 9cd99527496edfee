"""The columns of the table of runs: titles, widths and cells, from an answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from mlbench.queries.answers import Column, RunRow, RunsAnswer, Value
from mlbench.render.cells import Cell, fit, fit_middle, padded, width_cells
from mlbench.render.numbers import aligned
from mlbench.render.runs import best_of, value_cell
from mlbench.render.sparkline import sparkline
from mlbench.safe import Safe, safe

SPARK_CELLS = 8
MOST_TEXT_CELLS = 18
MOST_TITLE_CELLS = 14
MOST_ALIGNED_CELLS = 3
"""Columns may be so much wider than their numbers for the sake of the decimal points."""
LONGEST_NUMBER_CELLS = 10
"""`-1.234e-05`: no number of four digits is longer, and none is ever cut."""
SAMPLED_ROWS = 500
"""Widths are taken from so many rows: the rest of a longer table is cut to them."""
NOTE_MARK = "✎"
MISSING = "·"


@dataclass(frozen=True, slots=True)
class TableColumn:
    """A column and how it is drawn."""

    spec: str
    """Column specification to sort by; '' where it cannot be sorted by."""
    title: str
    width: int
    draw: Callable[[RunRow, int], Cell] = field(repr=False, compare=False)
    is_left: bool = True
    """Texts stand left, numbers right."""
    kind: str = "field"
    index: int | None = None
    """Place of its value in the answer's rows."""


def _no_cell(_row: RunRow, _width: int) -> Cell:
    return Cell(safe(""))


NAME = TableColumn("name", "run", 0, _no_cell)
"""The first column; the table draws it itself."""


def cell_of(column: TableColumn, row: RunRow, width: int) -> Cell:
    """The cell of a row, filled up to the width."""
    cell = column.draw(row, width)
    text = cell.text if column.is_left else padded(cell.text, width, align="right")
    return Cell(padded(fit_middle(text, width), width), cell.role)


def table_columns(answer: RunsAnswer, sketches: Mapping[tuple[str, str], tuple[float, ...]]) -> tuple[TableColumn, ...]:
    """The columns of an answer. The curve of the first metric stands beside it, and then the tags: they are the user's
    own words, and must be seen where there is little room.
    """
    curved = {spec for (_run, spec), sketch in sketches.items() if is_curve(sketch)}
    columns = [_answer_column(answer, index) for index in range(len(answer.columns))]
    place = next((index + 1 for index, column in enumerate(columns) if column.kind == "metric"), 0)
    own = [_spark_column(column.spec, sketches) for column in columns[:place] if column.spec in curved]
    if any(row.head.tags or row.head.has_note for row in answer.rows):
        own.append(_tag_column(answer.rows))
    return (NAME, *columns[:place], *own, *columns[place:])


def _answer_column(answer: RunsAnswer, index: int) -> TableColumn:
    column = answer.columns[index]
    values = [row.values[index] for row in answer.rows]
    best = best_of(column.goal, values) if column.kind == "metric" else None
    texts = _texts(column, values)
    is_left = not any(_is_number(column, value) for value in values[:SAMPLED_ROWS])
    title = fit_middle(safe(column.title), MOST_TITLE_CELLS)
    natural = max((width_cells(text) for text in texts.values()), default=1)
    if len(values) > SAMPLED_ROWS and not is_left:
        natural = max(natural, LONGEST_NUMBER_CELLS)
    width = max(width_cells(title), min(natural, MOST_TEXT_CELLS if is_left else natural))

    def draw(row: RunRow, room: int) -> Cell:
        value = row.values[index]
        cell = value_cell(column, value, is_best=best is not None and value == best)
        if value is None:
            return Cell(safe(MISSING), "axis")
        text = texts.get(cell.text, cell.text) if cell.align == "number" else cell.text
        return Cell(fit(text, room) if is_left else text, cell.role)

    return TableColumn(column.spec, title, width, draw, is_left, column.kind, index)


def _is_number(column: Column, value: Value) -> bool:
    return value_cell(column, value).align in ("number", "right")


def _texts(column: Column, values: Sequence[Value]) -> dict[str, Safe]:
    """Each text of the first rows to itself with its decimal point under those of the others."""
    cells = [value_cell(column, value) for value in values[:SAMPLED_ROWS]]
    plain = [cell.text if cell.align == "number" else "" for cell in cells]
    lined = aligned(plain)
    if max(map(len, lined), default=0) > max(map(len, plain), default=0) + MOST_ALIGNED_CELLS:
        # 25557032 and 0.0001234 under each other would take the room of three columns.
        lined = tuple(plain)
    return {
        cell.text: safe(text) if cell.align == "number" else cell.text for cell, text in zip(cells, lined, strict=True)
    }


def is_curve(sketch: Sequence[float]) -> bool:
    """Whether there is something to draw: of one or two points the numbers say all."""
    return len(sketch) > 2


def _spark_column(spec: str, sketches: Mapping[tuple[str, str], tuple[float, ...]]) -> TableColumn:
    def draw(row: RunRow, room: int) -> Cell:
        sketch = sketches.get((row.head.run_id, spec), ())
        return Cell(sparkline(sketch if is_curve(sketch) else (), room), "sketch")

    return TableColumn("", "", SPARK_CELLS, draw, kind="sketch")


def _tag_column(rows: Sequence[RunRow]) -> TableColumn:
    widest = max((width_cells(_tag_text(row)) for row in rows[:SAMPLED_ROWS]), default=0)

    def draw(row: RunRow, room: int) -> Cell:
        return Cell(fit(_tag_text(row), room), "key")

    return TableColumn("", "tags", min(max(widest, 4), MOST_TEXT_CELLS), draw, kind="tags")


def _tag_text(row: RunRow) -> Safe:
    tags = [f"#{tag}" for tag in row.head.tags]
    return safe(" ".join(([NOTE_MARK] if row.head.has_note else []) + tags))
