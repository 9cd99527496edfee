"""Confusion matrices as numbers: side by side, subtracted from the first one, and the recall of each class.

Without colours shades say what the ground says otherwise. Of more classes than there is room for, those with most
mistakes are shown.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from mlbench.dataclass import dataclass
from mlbench.render.ansi import Depth
from mlbench.render.cells import Cell, Line, fit, fit_middle, line_of, padded, width_cells
from mlbench.render.numbers import delta, number
from mlbench.render.palette import DARK_GROUND, LIGHT_GROUND, mixed
from mlbench.render.picture_cells import beside
from mlbench.render.table import Table, heading, layout
from mlbench.safe import Safe, safe

if TYPE_CHECKING:
    from mlbench.model import Float64Array, Int64Array
    from mlbench.queries.matrix import MatrixAnswer

SHADES = " ░▒▓█"
_HEAT = {False: "#5fafff", True: "#005fd7"}
"""For dark and for light grounds."""
_MORE = {False: "#ff875f", True: "#d75f00"}
_LESS = {False: "#5fafff", True: "#005fd7"}
MOST_LABEL_CELLS = 12
MOST_RECALLS = 30
"""Classes in the table of recalls: of more, those whose recall changed most."""


@dataclass(frozen=True, slots=True)
class MatrixOptions:
    """Where matrices are drawn."""

    width: int = 80
    depth: Depth = "none"
    glyphs: str = "braille"
    is_light: bool = False
    has_differences: bool = True
    """Subtract the first matrix from each other one, and compare recalls."""


@dataclass(frozen=True, slots=True, eq=False)
class Aligned:
    """Matrices over the classes of all of them."""

    labels: tuple[str, ...]
    tables: Float64Array
    """Shape (matrices, classes, classes): actual down, predicted across; NaN where a matrix has no such class."""
    shares: Float64Array
    """Of the same shape: each row as shares of its sum, 0 where that is none."""
    names: tuple[Safe, ...] = ()


def align_matrices(matrices: Sequence[MatrixAnswer]) -> Aligned:
    """What takes the time of drawing matrices of a thousand classes, 0.1 s each: may be done in another thread."""
    labels = tuple(dict.fromkeys(label for matrix in matrices for label in matrix.labels))
    places = {label: index for index, label in enumerate(labels)}
    tables = np.full((len(matrices), len(labels), len(labels)), np.nan)
    for table, matrix in zip(tables, matrices, strict=True):
        mine = [places[label] for label in matrix.labels]
        table[np.ix_(mine, mine)] = matrix.rows
    tables[~np.isfinite(tables)] = np.nan
    return Aligned(labels, tables, _shares(tables))


def draw_matrices(
    matrices: Sequence[MatrixAnswer], names: Sequence[str], options: MatrixOptions, *, roles: Sequence[str] = (),
    aligned: Aligned | None = None,
) -> tuple[Line, ...]:  # fmt: skip
    """Draw matrices of one metric; the first is what the others are compared with.

    Args:
        matrices: of one metric, one for each run; what is not finite in them is blank.
        names: of the runs, as long.
        options: size and colours.
        roles: of the names; () for those of titles.
        aligned: the same matrices, where that was done before.
    """
    if not matrices:
        return ()
    whole = replace(aligned or align_matrices(matrices), names=tuple(safe(name) for name in names))
    chosen = _chosen(whole, options)
    labels = [safe(whole.labels[index]) for index in chosen.tolist()]
    remark = f"{len(labels)} of {len(whole.labels)} classes, those with most mistakes"
    lines: list[Line] = [line_of((remark, "muted"))] if len(labels) < len(whole.labels) else []
    blocks = [
        _block(
            _title(name, table),
            labels,
            table[np.ix_(chosen, chosen)],
            shares[np.ix_(chosen, chosen)],
            options,
            is_signed=False,
            role=role,
        )
        for name, table, shares, role in zip(
            whole.names, whole.tables, whole.shares, roles or ["title"] * len(names), strict=True
        )
    ]
    lines += _placed(blocks, options.width)
    if options.has_differences and len(matrices) > 1:
        lines += [(), *_placed(_differences(whole, labels, chosen, options), options.width), ()]
        lines += layout(_recalls(whole), options.width)
    return tuple(lines)


def _chosen(whole: Aligned, options: MatrixOptions) -> Int64Array:
    """The classes to show: as many as fit, in their order, those with most mistakes in all matrices."""
    widest = max(
        width_cells(_text(value))
        for value in np.nan_to_num((np.fmax.reduce(whole.tables, axis=None), np.fmin.reduce(whole.tables, axis=None)))
    )
    room = (options.width - MOST_LABEL_CELLS) // (widest + 3)
    n_most = max(min(room, len(whole.labels)), 1)
    wrong = np.nan_to_num(whole.tables).sum(axis=0) * (1 - np.eye(len(whole.labels)))
    mistakes = wrong.sum(axis=0) + wrong.sum(axis=1)
    return np.sort(np.argsort(-mistakes, kind="stable")[:n_most])


def _text(value: float) -> str:
    return "" if np.isnan(value) else number(float(value), digits=3)


def _title(name: Safe, table: Float64Array) -> Safe:
    """`w128-seed1   n=360   accuracy 0.908`; accuracy of counts and shares alike."""
    total = float(np.nansum(table))
    right = float(np.nansum(np.diagonal(table)))
    return name + safe(
        f"   n={number(total)}" + (f"   accuracy {number(right / total, digits=3)}" if total > 0 else "")
    )


def _shares(table: Float64Array) -> Float64Array:
    """Each row as shares of its sum, 0 where that is none."""
    sums = np.nansum(np.abs(table), axis=-1, keepdims=True)
    shares: Float64Array = np.nan_to_num(table) / np.where(sums > 0, sums, 1.0)
    return shares


def _differences(
    whole: Aligned, labels: Sequence[Safe], chosen: Int64Array, options: MatrixOptions
) -> list[tuple[Line, ...]]:
    """Each matrix less the first: counts where the classes are as large, else points of each actual class."""
    first = whole.tables[0]
    sums = np.nansum(whole.tables, axis=2)
    is_counted = bool(np.allclose(sums, sums[0]))
    blocks = []
    for name, table, shares in zip(whole.names[1:], whole.tables[1:], whole.shares[1:], strict=True):
        unit = "" if is_counted else ", points of each actual class"
        of_shares = 100 * (shares - whole.shares[0])
        change = table - first if is_counted else np.where(np.isnan(table - first), np.nan, np.round(of_shares, 1))
        greatest = float(np.nan_to_num(np.fmax.reduce(np.abs(change), axis=None))) or 1.0
        title = name + safe(" − ") + whole.names[0] + safe(unit)
        part = change[np.ix_(chosen, chosen)]
        blocks.append(_block(title, labels, part, part / greatest, options, is_signed=True))
    return blocks


def _block(
    title: Safe, labels: Sequence[Safe], table: Float64Array, shares: Float64Array, options: MatrixOptions, *,
    is_signed: bool, role: str = "title",
) -> tuple[Line, ...]:  # fmt: skip
    """One matrix with its title: numbers on a ground that says how much, or with a shade behind."""
    texts = [[_signed(value) if is_signed else _text(value) for value in row] for row in table.tolist()]
    has_shades = options.depth in ("none", "16")
    inner = max((width_cells(text) for row in texts for text in row), default=1)
    most = max((width_cells(label) for label in labels), default=1)
    wide = max(inner, min(most, inner + 2)) + (2 if has_shades else 0)
    side = min(max(most, 4), MOST_LABEL_CELLS)
    head = [
        Cell(padded(safe(""), side)),
        *(Cell(padded(fit(label, wide), wide + 1, align="right"), "key") for label in labels),
    ]
    rows: list[Line] = [tuple(head)]
    for label, row, row_shares in zip(labels, texts, shares.tolist(), strict=True):
        name = Cell(padded(fit_middle(label, side), side), "key")
        cells = [_heat_cell(text, share, wide + 1, options) for text, share in zip(row, row_shares, strict=True)]
        rows.append((name, *cells))
    width = max(side + len(labels) * (wide + 1), min(width_cells(title), options.width))
    return ((Cell(fit(title, width), role),), *rows)


def _signed(value: float) -> str:
    return "" if np.isnan(value) else ("·" if value == 0 else delta(value, digits=3))


def _heat_cell(text: str, share: float, width: int, options: MatrixOptions) -> Cell:
    share = 0.0 if not np.isfinite(share) else share
    if options.depth in ("none", "16"):
        level = min(int(abs(share) * len(SHADES)), len(SHADES) - 1)
        shade = SHADES[level] if options.glyphs != "ascii" else " "
        return Cell(padded(safe(f"{text} {shade}" if text else ""), width, align="right"))
    if share == 0:
        return Cell(padded(safe(text), width, align="right"), "muted")
    ground = LIGHT_GROUND if options.is_light else DARK_GROUND
    colour = (_MORE if share > 0 else _LESS)[options.is_light] if text[:1] in "+-·" else _HEAT[options.is_light]
    back = mixed(colour, ground, min(abs(share), 1.0))
    ink = "#000000" if _brightness(back) > 110 else "#eeeeee"
    return Cell(padded(safe(text), width, align="right"), ink, back=back)


def _brightness(colour: str) -> float:
    red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _placed(blocks: Sequence[tuple[Line, ...]], width: int) -> list[Line]:
    """Blocks next to each other as long as there is room, the others below."""
    lines: list[Line] = []
    widths = [max(sum(width_cells(cell.text) for cell in line) for line in block) for block in blocks]
    start = 0
    while start < len(blocks):
        stop, used = start + 1, widths[start]
        while stop < len(blocks) and used + 3 + widths[stop] <= width:
            used += 3 + widths[stop]
            stop += 1
        lines += [()] if lines else []
        lines += beside(list(blocks[start:stop]), widths[start:stop], gap=3)
        start = stop
    return lines


# ---------------------------------------------------------------- recall


def _recalls(whole: Aligned) -> Table:
    """For each class its recall in every matrix and how it changed from the first; last their mean."""
    recalls = np.array([np.diagonal(shares) for shares in whole.shares])
    # Of a class without an example, or that a matrix does not know, there is no recall.
    recalls[~(np.nansum(np.abs(whole.tables), axis=2) > 0)] = np.nan
    changes = np.nan_to_num(np.fmax.reduce(np.abs(recalls - recalls[0]), axis=0))
    order = np.arange(len(whole.labels))
    if len(order) > MOST_RECALLS:
        order = np.argsort(-changes, kind="stable")[:MOST_RECALLS]
    headings = [heading("recall of"), heading("n", align="right")]
    for index, name in enumerate(whole.names):
        headings += [heading(name, align="number")] + ([heading("change", align="number")] if index else [])
    rows = [
        _recall_row(safe(whole.labels[index]), np.nansum(whole.tables[0, index]), recalls[:, index]) for index in order
    ]
    rows.append(_mean_row(whole, recalls))
    return Table(tuple(headings), tuple(rows))


def _mean_row(whole: Aligned, recalls: Float64Array) -> tuple[Cell, ...]:
    """The mean over the classes that have a recall in all matrices: over others two means say nothing together."""
    is_common = np.isfinite(recalls).all(axis=0)
    n_common = int(is_common.sum())
    n_known = int(np.isfinite(recalls).any(axis=0).sum())
    label = "mean of classes" if n_common == n_known else f"mean of the {n_common} in all"
    means = recalls[:, is_common].mean(axis=1) if n_common else np.full(len(recalls), np.nan)
    return _recall_row(safe(label), np.nansum(whole.tables[0][is_common]), means)


def _recall_row(label: Safe, n: float, recalls: Float64Array) -> tuple[Cell, ...]:
    cells = [Cell(label, "key"), Cell(safe(number(float(n), digits=3)), "muted", align="right")]
    for index, recall in enumerate(recalls.tolist()):
        cells.append(Cell(safe(_text(recall)), align="number"))
        if index:
            change = recall - recalls[0]
            role = "muted" if not abs(change) > 0 else "good" if change > 0 else "bad"
            cells.append(Cell(safe("" if np.isnan(change) else delta(change, digits=3)), role, align="number"))
    return tuple(cells)
