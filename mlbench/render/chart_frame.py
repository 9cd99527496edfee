"""The frame around a picture: where the axes are, their ticks and labels, and the line above."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from mlbench.dataclass import dataclass
from mlbench.render.axes import Axis, Tick, places, ticks, value_at
from mlbench.render.cells import Cell, Line, fit, line_cells, line_of, padded, width_cells
from mlbench.safe import Safe, safe

_RULES = {"braille": tuple("│┤└─┬"), "blocks": tuple("│┤└─┬"), "ascii": tuple("||+-+")}
"""Upright, upright with a tick, corner, level, level with a tick."""


@dataclass(frozen=True, slots=True)
class Frame:
    """Where the picture lies in the lines of a chart, in cells, and what it shows."""

    left: int
    """Columns of the labels and the axis before it."""
    top: int
    """Lines before it."""
    width: int
    height: int
    x_axis: Axis
    y_axis: Axis


def x_at(frame: Frame, column: int) -> float:
    """The x value in the middle of a column of the chart's lines (the gutter is left of the picture)."""
    return value_at(frame.x_axis, (column - frame.left) / max(frame.width - 1, 1))


def column_at(frame: Frame, x: float) -> int | None:
    """The column of the chart's lines where an x value stands; None outside of the picture."""
    place = float(places(frame.x_axis, np.array([x]))[0])
    if not -1e-9 <= place <= 1 + 1e-9:
        return None
    return frame.left + int(place * (frame.width - 1) + 0.5)


def row_at(frame: Frame, y: float) -> int | None:
    """The row of the picture (0 on top) where a y value stands, clipped to it; None for what has no place."""
    place = float(places(frame.y_axis, np.array([y]))[0])
    if math.isnan(place):
        return None
    return min(max(int((1 - place) * (frame.height - 1) + 0.5), 0), frame.height - 1)


def _y_ticks(axis: Axis, height: int) -> tuple[Tick, ...]:
    # A label every three rows: closer ones are read as a list.
    return ticks(axis, max((height + 2) // 3, 2)) if height > 0 else ()


def y_gutter(axis: Axis, height: int) -> int:
    """Columns that the labels and the line of the y axis take."""
    return max((len(tick.label) for tick in _y_ticks(axis, height)), default=0) + 2


def framed(lines: Sequence[Line], frame: Frame, glyphs: str) -> tuple[Line, ...]:
    """The lines of the picture behind the y axis."""
    upright, tick_mark = _RULES[glyphs][:2]
    labels: dict[int, str] = {}
    for tick in _y_ticks(frame.y_axis, frame.height):
        labels.setdefault(round((1 - tick.place) * (frame.height - 1)), tick.label)
    return tuple(
        (Cell(_gutter(labels.get(row), frame.left, upright, tick_mark), "axis"), *line)
        for row, line in enumerate(lines)
    )


def _gutter(label: str | None, width: int, upright: str, tick_mark: str) -> Safe:
    mark = upright if label is None else tick_mark
    return padded(safe(label or ""), width - 2, align="right") + safe(f" {mark}")


def axis_lines(frame: Frame, glyphs: str) -> tuple[Line, ...]:
    """The x axis and its labels; of labels that would touch, the later one is left out."""
    corner, rule, tick_mark = _RULES[glyphs][2:]
    rules = [rule] * frame.width
    labels = [" "] * (frame.left + frame.width)
    free_from = 0
    for tick in _x_ticks(frame):
        column = round(tick.place * (frame.width - 1))
        start = min(max(frame.left + column - len(tick.label) // 2, 0), len(labels) - len(tick.label))
        if start >= free_from:
            rules[column] = tick_mark
            labels[start : start + len(tick.label)] = tick.label
            free_from = start + len(tick.label) + 1
    line = " " * (frame.left - 1) + corner + "".join(rules)
    return line_of((line, "axis")), line_of(("".join(labels), "axis"))


def _x_ticks(frame: Frame) -> tuple[Tick, ...]:
    """As many ticks as labels of their length have room for."""
    for n_most in range(max(frame.width // 8, 2), 1, -1):
        found = ticks(frame.x_axis, n_most)
        if sum(len(tick.label) + 3 for tick in found) <= frame.width:
            return found
    return tuple(tick for tick in ticks(frame.x_axis, 2) if len(tick.label) <= frame.width)


def header_line(header: Safe, width: int) -> Line:
    """The title and the remarks above the picture."""
    return (Cell(fit(header, width), "title"),)


def filled(line: Line, width: int) -> Line:
    """A line with blanks up to a width."""
    missing = width - line_cells(line)
    return (*line, Cell(safe(" " * missing))) if missing > 0 else line


def label_cells(texts: Sequence[Safe]) -> int:
    """Columns of the widest text."""
    return max(map(width_cells, texts), default=0)
