"""What stands at the crosshair of the charts: for each curve its rank, its value and the difference to the baseline."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from mlbench.dataclass import dataclass
from mlbench.render.apart import fit_apart
from mlbench.render.cells import Cell, Line, fit_middle, line_of, padded, width_cells
from mlbench.render.labels import BASELINE_MARK
from mlbench.render.numbers import delta, number
from mlbench.safe import Safe, safe

if TYPE_CHECKING:
    from mlbench.render.chart import Curve
    from mlbench.render.chart_values import CrossValue

MOST_LABEL, LEAST_LABEL, GAP = 40, 12, 3
LABELS = (MOST_LABEL, 24, 16)
"""Columns of a label, the widest with which all values have room."""
LEAST_LINES, MOST_LINES = 2, 4
"""Of the values of one chart."""
MOST_TABLE_LINES = 10


@dataclass(frozen=True, slots=True)
class Crossed:
    """The curves of one metric at the crosshair: ranks and differences mean nothing across metrics."""

    metric: str
    curves: tuple[Curve, ...]
    """Those of which there may be a value, none of them faint."""
    rows: tuple[CrossValue, ...]
    """Best first."""
    baseline: int | None
    """Place of the baseline's curve."""


def crossed(metric: str, curves: Sequence[Curve], x: float, *, baseline: str, goal: str) -> Crossed | None:
    """A metric at the crosshair; None where no curve goes there: its values would be those of other places.

    Args:
        metric: of which all curves are.
        curves: as they are drawn.
        x: of the crosshair.
        baseline: run id.
        goal: `min`, `max` or nothing.
    """
    from mlbench.render.chart_values import cross_values

    shown = tuple(curve for curve in curves if not curve.is_faint and _reaches(curve, x))
    if not shown:
        return None
    base = next((place for place, curve in enumerate(shown) if curve.owner and curve.owner == baseline), None)
    return Crossed(metric, shown, cross_values(shown, x, baseline=base, goal=goal), base)


def _reaches(curve: Curve, x: float) -> bool:
    import numpy as np

    known = curve.x[np.isfinite(curve.x)]
    return bool(known.size and known.min() <= x <= known.max())


def lines_below(
    charts: Sequence[Crossed], first: Sequence[Crossed], at: str, width: int, most: int,
    n_charts: Callable[[int], int],
) -> list[Line]:  # fmt: skip
    """What stands below the charts: a table of all metrics, or, where that would cost a chart, those of the first.

    Args:
        charts: the metrics at the crosshair.
        first: those of the first chart.
        at: where the crosshair is.
        width: columns of the pane.
        most: lines of the table that the pane has room for.
        n_charts: how many charts have room over so many lines.
    """
    if not charts:
        return [line_of((f" {at}", "accent"), ("  no curve goes here", "muted"))]
    least = n_charts(LEAST_LINES)
    table = value_lines(charts, at, width, min(MOST_TABLE_LINES, max(most, LEAST_LINES)))
    if len(charts) > 1 and n_charts(len(table)) >= least:
        return table
    n_lines = max(n for n in range(LEAST_LINES, MOST_LINES + 1) if n_charts(n) >= least)
    return value_lines(first, at, width, n_lines, is_table=False)


def value_lines(
    charts: Sequence[Crossed], at: str, width: int, most: int, *, is_table: bool = True
) -> list[Line]:  # fmt: skip
    """The values one after the other of one metric; of several a table with a column for each that has room.

    Args:
        charts: what stands at the crosshair.
        at: where that is.
        width: columns of the pane.
        most: lines.
        is_table: False to tell several metrics one after the other, too, each behind its name.
    """
    if len(charts) > 1 and is_table:
        return _table(charts, at, width, most)
    if not charts:
        return []
    for label in LABELS:
        parts = [line_of((f" {at}", "accent"))]
        for chart in charts:
            first, *others = _parts(chart, label)
            named = (*line_of((chart.metric, "heading"), (" ", "")), *first) if len(charts) > 1 else first
            parts += [named, *others]
        if len(_wrapped(parts, width, len(parts))) <= most:
            break
    return _wrapped(parts, width, most)


def _parts(chart: Crossed, label: int) -> list[Line]:
    parts: list[Line] = []
    names = fit_apart(tuple(safe(chart.curves[row.place].label) for row in chart.rows), label)
    for row, name in zip(chart.rows, names, strict=True):
        curve = chart.curves[row.place]
        text = safe(_rank(chart, row) + _mark(chart, row)) + name
        parts.append((Cell(text + safe(f" {_value(row)}"), _role(curve)),))
    return parts


def _rank(chart: Crossed, row: CrossValue) -> str:
    return f"{row.rank}. " if row.rank is not None and len(chart.curves) > 1 else ""


def _mark(chart: Crossed, row: CrossValue) -> str:
    return f"{BASELINE_MARK} " if row.place == chart.baseline else ""


def _value(row: CrossValue) -> str:
    return number(row.value) + ("" if row.delta is None else f" ({delta(row.delta)})")


def _role(curve: Curve) -> str:
    from mlbench.render.chart import curve_role

    return curve_role(curve)


def _table(charts: Sequence[Crossed], at: str, width: int, most: int) -> list[Line]:
    """A line for each run in the order of the first metric, a column for each metric: rank, value, difference."""
    cells = [_column(chart) for chart in charts]
    names = {key: name for chart in reversed(cells) for key, (name, _text, _role) in chart.items()}
    roles = {key: role for chart in reversed(cells) for key, (_name, _text, role) in chart.items()}
    widths = [max(width_cells(safe(chart.metric)), *(len(text) for _name, text, _role in column.values()))
              for chart, column in zip(charts, cells, strict=True)]  # fmt: skip
    room = min(max(*map(width_cells, names.values()), len(at) + 1), MOST_LABEL)
    room = min(room, max(width - widths[0] - GAP - 1, LEAST_LABEL))
    n_columns = _n_fitting(widths, width - room - 1)
    heads = [(padded(fit_middle(safe(chart.metric), size), size, align="right"), "heading")
             for chart, size in zip(charts[:n_columns], widths, strict=False)]  # fmt: skip
    lines: list[Line] = [_line(padded(safe(at), room), "accent", heads)]
    keys = tuple(dict.fromkeys(key for column in cells[:n_columns] for key in column))
    for key, name in zip(keys, fit_apart(tuple(names[key] for key in keys), room), strict=True):
        texts = [column[key][1] if key in column else "" for column in cells[:n_columns]]
        values = [
            (padded(safe(text), size, align="right"), roles[key]) for text, size in zip(texts, widths, strict=False)
        ]
        lines.append(_line(padded(name, room), roles[key], values))
    if len(lines) > most:
        lines = [*lines[: most - 1], line_of((f" +{len(lines) - most + 1} more", "muted"))]
    return lines


def _column(chart: Crossed) -> Mapping[str, tuple[Safe, str, str]]:
    """By run (or label of a group) its name, what stands in the table, and its role; best first."""
    column = {}
    for row in chart.rows:
        curve = chart.curves[row.place]
        column[curve.owner or curve.label] = (
            safe(_mark(chart, row) + curve.label), _rank(chart, row) + _value(row), _role(curve)
        )  # fmt: skip
    return column


def _n_fitting(widths: Sequence[int], room: int) -> int:
    n_columns, used = 0, 0
    for size in widths:
        used += size + GAP
        if used > room:
            break
        n_columns += 1
    return max(n_columns, 1)


def _line(name: Safe, role: str, cells: Sequence[tuple[Safe, str]]) -> Line:
    blank = Cell(safe(" " * GAP))
    return (Cell(safe(" ")), Cell(name, role), *(part for text, of in cells for part in (blank, Cell(text, of))))


def _wrapped(parts: Sequence[Line], width: int, most: int) -> list[Line]:
    """Parts after each other with two blanks between, on as many lines as they need; how many have no room is said."""
    lines: list[Line] = []
    used = 0
    for place, part in enumerate(parts):
        n_cells = _n_cells(part) + 2
        left = len(parts) - place
        # On the last line a part needs room for what is said of those behind it, too.
        reserve = len(f"  +{left - 1} more") if len(lines) == most and left > 1 else 0
        if lines and used + n_cells + reserve <= width:
            lines[-1] = (*lines[-1], Cell(safe("  ")), *part)
            used += n_cells
        elif len(lines) < most:
            lines.append(part if not lines else (Cell(safe(" ")), *part))
            used = n_cells
        else:
            lines[-1] = (*lines[-1], *line_of((f"  +{left} more", "muted")))
            break
    return lines


def _n_cells(part: Line) -> int:
    return sum(width_cells(cell.text) for cell in part)
