"""Confusion matrices and histograms over the training in words, for screen readers."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from mlbench.render.buckets import quantiles
from mlbench.render.cells import Line, line_of
from mlbench.render.histories_beside import distance_texts
from mlbench.render.numbers import number
from mlbench.safe import Safe, safe

if TYPE_CHECKING:
    from mlbench.queries.matrix import MatrixAnswer
    from mlbench.render.histories_beside import RunHistory

MOST_MISTAKES = 5
MOST_CLASSES = 12
SAMPLES = 5


def spoken_matrices(matrices: Sequence[MatrixAnswer], names: Sequence[str], width: int) -> tuple[Line, ...]:
    """Each matrix as a paragraph: accuracy, the classes with least recall, what is taken for what; against the first.

    Args:
        matrices: of one metric, one for each run.
        names: of the runs, as long.
        width: columns.
    """
    first = _recalls(matrices[0]) if matrices else {}
    lines: list[Line] = []
    for place, (matrix, name) in enumerate(zip(matrices, names, strict=True)):
        told = [_size_text(matrix), _recall_text(_recalls(matrix)), _mistakes_text(matrix)]
        told += [_change_text(_recalls(matrix), first, names[0])] if place else []
        lines += [line_of((f"  {safe(name)}", "title")), *_wrapped([text for text in told if text], width), ()]
    return tuple(lines[:-1])


def _table(matrix: MatrixAnswer) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    table = np.array(matrix.rows, dtype=np.float64)
    return np.where(np.isfinite(table), table, 0.0)


def _recalls(matrix: MatrixAnswer) -> Mapping[str, float]:
    """By class; classes without a single example are left out."""
    table = _table(matrix)
    sums = table.sum(axis=1)
    return {
        label: float(table[place, place] / sums[place]) for place, label in enumerate(matrix.labels) if sums[place] > 0
    }


def _size_text(matrix: MatrixAnswer) -> str:
    table = _table(matrix)
    total = float(table.sum())
    right = f", accuracy {number(float(np.trace(table)) / total, digits=3)}" if total > 0 else ""
    return f"{len(matrix.labels):,} classes, {number(total)} in all{right}"


def _recall_text(recalls: Mapping[str, float]) -> str:
    least = sorted(recalls.items(), key=lambda item: item[1])[:MOST_CLASSES]
    told = ", ".join(f"{safe(label)} {number(recall, digits=3)}" for label, recall in least)
    return f"recall{', least first' if len(recalls) > 1 else ''}: {told}" if told else ""


def _mistakes_text(matrix: MatrixAnswer) -> str:
    wrong = _table(matrix) * (1 - np.eye(len(matrix.labels)))
    places = np.argsort(-wrong, axis=None, kind="stable")[:MOST_MISTAKES]
    told = [
        f"{safe(matrix.labels[row])} for {safe(matrix.labels[column])} {number(float(wrong[row, column]))}"
        for row, column in zip(*(side.tolist() for side in np.unravel_index(places, wrong.shape)), strict=True)
        if wrong[row, column] > 0
    ]
    return f"taken for another: {', '.join(told)}" if told else "nothing is taken for another"


def _change_text(mine: Mapping[str, float], first: Mapping[str, float], name: str) -> str:
    changes = {label: mine[label] - first[label] for label in mine if label in first and mine[label] != first[label]}
    told = sorted(changes.items(), key=lambda item: -abs(item[1]))[:MOST_CLASSES]
    shown = ", ".join(f"{safe(label)} {change:+.3g}" for label, change in told)
    return f"recall against {safe(name)}: {shown}" if shown else f"every recall is that of {safe(name)}"


def spoken_histories(
    histories: Sequence[RunHistory], names: Mapping[str, Safe], width: int, *, at: int
) -> tuple[Line, ...]:
    """Each run as a paragraph: its distances at a step, and where its values lay at some steps.

    Args:
        histories: of one metric; the first is what the others are compared with.
        names: of the runs, by run id.
        width: columns.
        at: the step that distances are told for.
    """
    lines: list[Line] = []
    for history in histories:
        base = names[histories[0].head.run_id]
        count = f"{len(history.steps)} step{'' if len(history.steps) == 1 else 's'}, to {history.steps[-1]:,}"
        told = [count, *distance_texts(history, base, at)]
        places = np.unique(np.linspace(0, len(history.steps) - 1, SAMPLES).round().astype(int)).tolist()
        told += [_spread_text(history, place) for place in places]
        lines += [line_of((f"  {names[history.head.run_id]}", "title")), *_wrapped(told, width), ()]
    return tuple(lines[:-1])


def _spread_text(history: RunHistory, place: int) -> str:
    found = quantiles(history.histograms[place], (0.0, 0.25, 0.5, 0.75, 1.0))
    if found is None:
        return f"step {history.steps[place]:,}: no values"
    low, quarter, middle, three, high = map(number, found)
    return f"step {history.steps[place]:,}: {low} to {high}, half of them from {quarter} to {three}, median {middle}"


def _wrapped(sentences: Sequence[str], width: int) -> list[Line]:
    parts = (part for text in sentences for part in textwrap.wrap(text, max(width - 6, 20), subsequent_indent="  "))
    return [line_of((f"    {part}", "")) for part in parts]
