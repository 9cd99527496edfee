"""The columns of the table of runs: titles, widths and cells, from an answer."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import field, replace
from typing import TYPE_CHECKING

from mlbench.dataclass import dataclass
from mlbench.queries.answers import Column, RunRow, RunsAnswer, Value
from mlbench.render.apart import fit_apart
from mlbench.render.cells import EMPTY, Cell, fit, fit_middle, padded, width_cells
from mlbench.render.numbers import number, point_place
from mlbench.render.runs import best_of, status_cell, value_cell
from mlbench.render.sparkline import sparkline
from mlbench.safe import Safe, safe

if TYPE_CHECKING:
    from mlbench.queries.answers import GroupCell, GroupRow

SPARK_CELLS = 8
MOST_TEXT_CELLS = 18
MOST_TITLE_CELLS = 14
MOST_ALIGNED_CELLS = 3
"""Columns may be so much wider than their numbers for the sake of the decimal points."""
NOTE_MARK = "✎"
MISSING = "·"


@dataclass(frozen=True, slots=True)
class TableColumn:
    """A column and how it is drawn."""

    spec: str
    """Column specification to sort by; '' where it cannot be sorted by."""
    title: Safe
    """In full, though `width` may be less; cut already where it would read like another one."""
    width: int
    draw: Callable[[RunRow, int], Cell] = field(repr=False, compare=False)
    is_left: bool = True
    """Texts stand left, numbers right."""
    kind: str = "field"
    index: int | None = None
    """Place of its value in the answer's rows."""
    best: float | None = field(default=None, compare=False)
    """The number that is shown as the best."""

    @property
    def align(self) -> str:
        return "left" if self.is_left else "right"


def is_drawn_alike(row: RunRow | None, other: RunRow | None, columns: Sequence[TableColumn],
                   others: Sequence[TableColumn]) -> bool:  # fmt: skip
    """Whether a row looks the same in other columns of the same layout: its values, and which of them are best."""
    if row is None or other is None or row != other:
        return row is other
    changed = [pair for pair in zip(columns, others, strict=True) if pair[0].best != pair[1].best]
    return not any(
        column.index is not None and row.values[column.index] in (column.best, now.best) for column, now in changed
    )


def _no_cell(_row: RunRow, _width: int) -> Cell:
    return Cell(safe(""))


NAME = TableColumn("name", safe("run"), 0, _no_cell)
"""The first column; the table draws it itself."""


def cell_of(column: TableColumn, row: RunRow, width: int) -> Cell:
    """The cell of a row, filled up to the width."""
    cell = column.draw(row, width)
    text = cell.text if column.is_left else padded(cell.text, width, align="right")
    return Cell(padded(fit_middle(text, width), width), cell.role)


@dataclass(frozen=True, slots=True)
class Fit:
    """What a column needs, by the rows that were seen: it only grows, so that nothing jumps while one scrolls."""

    cells: int = 1
    """Of its longest text or number."""
    after: int = 0
    """Characters of its numbers from the decimal point on."""
    before: int = 0
    """Characters of its numbers before the decimal point."""
    is_number: bool = False

    def grown(self, other: Fit) -> Fit:
        """Room for both."""
        return Fit(
            max(self.cells, other.cells),
            max(self.after, other.after),
            max(self.before, other.before),
            self.is_number or other.is_number,
        )

    @property
    def is_aligned(self) -> bool:
        """Whether the decimal points stand under each other: 25557032 and 0.0001234 would take three columns' room."""
        return self.is_number and self.before + self.after <= self.cells + MOST_ALIGNED_CELLS

    @property
    def width(self) -> int:
        return max(self.cells, self.before + self.after) if self.is_aligned else self.cells

    def placed(self, text: Safe) -> Safe:
        """A number with its decimal point under those of the others."""
        return safe(text + " " * max(self.after - (len(text) - point_place(text)), 0)) if self.is_aligned else text


@dataclass(frozen=True, slots=True)
class Fits:
    """The columns of an answer and the tags, as far as rows were seen."""

    columns: tuple[Fit, ...] = ()
    tags: int = 0
    """Cells of the longest tags; 0 where no run has any."""

    def grown(self, columns: Sequence[Column], rows: Iterable[RunRow], groups: Iterable[GroupRow] = ()) -> Fits:
        """With room for these rows and groups, too."""
        fits = list(self.columns or [Fit()] * len(columns))
        tags = self.tags
        for row in rows:
            for index, column in enumerate(columns):
                fits[index] = _fit_of(column, row.values[index], row).grown(fits[index])
            if row.head.tags or row.head.has_note:
                tags = max(tags, width_cells(_tag_text(row)))
        for group in groups:
            for index, cell in enumerate(group.cells):
                text = group_text(columns[index], cell)
                width = width_cells(text)
                # A number among parameters or fields makes no column of numbers: only a mean does.
                fits[index] = Fit(width, is_number=cell.is_number).grown(fits[index])
        return Fits(tuple(fits), tags)


def _fit_of(column: Column, value: Value, row: RunRow) -> Fit:
    if value is None:
        return Fit()
    cell = _cell(column, value, row)
    text = cell.text
    if cell.align != "number":
        return Fit(width_cells(text), is_number=cell.align == "right")
    place = point_place(text)
    return Fit(len(text), len(text) - place, place, is_number=True)


def _cell(column: Column, value: Value, row: RunRow, *, is_best: bool = False) -> Cell:
    if column.kind == "field" and column.spec.rpartition(".")[2] == "status":
        return status_cell(row.head)
    return value_cell(column, value, is_best=is_best)


def table_columns(answer: RunsAnswer, fits: Fits, *, best: Sequence[float | None] = (), curve: str = "",
                  sketches: Mapping[str, tuple[float, ...]] | None = None) -> tuple[TableColumn, ...]:  # fmt: skip
    """The columns of an answer. The curve of the first metric stands beside it, and then the tags: they are the user's
    own words, and must be seen where there is little room.

    Args:
        answer: its columns, and the rows by which the best are found where `best` is empty.
        fits: what the columns need.
        best: for each column the best number of all runs.
        curve: specification of the column whose curve is drawn, '' for none.
        sketches: the curves by run id; may be filled later.
    """
    best = best or [
        best_of(column.goal, [row.values[index] for row in answer.rows]) if column.kind == "metric" else None
        for index, column in enumerate(answer.columns)
    ]
    columns = [
        _answer_column(column, index, fits.columns[index] if fits.columns else Fit(), best[index])
        for index, column in enumerate(answer.columns)
    ]
    columns = _told_apart(columns)
    place = next((index + 1 for index, column in enumerate(columns) if column.kind == "metric"), 0)
    own = [
        _spark_column({} if sketches is None else sketches)
        for column in columns[:place]
        if curve and column.spec == curve
    ]
    if fits.tags:
        own.append(_tag_column(fits.tags))
    return (NAME, *columns[:place], *own, *columns[place:])


def _told_apart(columns: Sequence[TableColumn]) -> list[TableColumn]:
    """Titles that would be cut alike are cut where they differ: `sched…gamma` and `sched…power`."""
    alike: dict[Safe, list[TableColumn]] = {}
    for column in columns:
        alike.setdefault(fit_middle(column.title, column.width), []).append(column)
    titles: dict[str, Safe] = {}
    for same in alike.values():
        if len(same) > 1:
            cut = fit_apart(tuple(column.title for column in same), min(column.width for column in same))
            titles |= {column.spec: title for column, title in zip(same, cut, strict=True)}
    return [replace(column, title=titles.get(column.spec, column.title)) for column in columns]


def _answer_column(column: Column, index: int, fit_: Fit, best: float | None) -> TableColumn:
    is_left = not fit_.is_number
    title = safe(column.title)
    width = max(min(width_cells(title), MOST_TITLE_CELLS), min(fit_.width, MOST_TEXT_CELLS) if is_left else fit_.width)

    def draw(row: RunRow, room: int) -> Cell:
        value = row.values[index]
        if value is None:
            return Cell(safe(MISSING), "axis")
        cell = _cell(column, value, row, is_best=best is not None and value == best)
        text = fit_.placed(cell.text) if cell.align == "number" else cell.text
        return Cell(fit(text, room) if is_left else text, cell.role)

    return TableColumn(column.spec, title, width, draw, is_left, column.kind, index, best)


def group_text(column: Column, cell: GroupCell) -> Safe:
    """What a group has in a column: the mean and its interval, or what all runs share."""
    if cell.value is None:
        return safe("" if cell.n_values < 2 else f"{cell.n_values} values")
    shown = value_cell(column, cell.value).text
    return safe(f"{shown} ±{number(cell.half, digits=2)}") if cell.half is not None else shown


def group_cell(column: TableColumn, answer: RunsAnswer, group: GroupRow, width: int) -> Cell:
    """The cell of a group, filled up to the width; empty where the column is none of the answer's."""
    if column.index is None:
        return Cell(safe(" " * width))
    cell = group.cells[column.index]
    text = fit(group_text(answer.columns[column.index], cell), width)
    align = "left" if column.is_left else "right"
    return Cell(padded(text, width, align=align), "muted" if cell.value is None else "")


def is_curve(sketch: Sequence[float]) -> bool:
    """Whether there is something to draw: of one or two points the numbers say all."""
    return len(sketch) > 2


def _spark_column(sketches: Mapping[str, tuple[float, ...]]) -> TableColumn:
    def draw(row: RunRow, room: int) -> Cell:
        sketch = sketches.get(row.head.run_id, ())
        return Cell(sparkline(sketch if is_curve(sketch) else (), room), "sketch")

    return TableColumn("", EMPTY, SPARK_CELLS, draw, kind="sketch")


def _tag_column(widest: int) -> TableColumn:
    def draw(row: RunRow, room: int) -> Cell:
        return Cell(fit(_tag_text(row), room), "key")

    return TableColumn("", safe("tags"), min(max(widest, 4), MOST_TEXT_CELLS), draw, kind="tags")


def _tag_text(row: RunRow) -> Safe:
    tags = [f"#{tag}" for tag in row.head.tags]
    return safe(" ".join(([NOTE_MARK] if row.head.has_note else []) + tags))
