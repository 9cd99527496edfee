"""The picture inside the axes of a chart, while it is drawn: a character, a role and a ground for each cell."""

from __future__ import annotations

from dataclasses import field
from typing import TYPE_CHECKING

import numpy as np

from mlbench.dataclass import dataclass
from mlbench.render.cells import Cell, Line
from mlbench.safe import safe

if TYPE_CHECKING:
    from mlbench.model import Int64Array


@dataclass(frozen=True, slots=True)
class Layers:
    """The picture inside the axes; all arrays have shape (height, width)."""

    codes: Int64Array
    """Code points."""
    roles: Int64Array
    """Index in `names`, 0 for none."""
    backs: Int64Array
    names: list[str] = field(default_factory=lambda: [""])


def name_index(layers: Layers, name: str) -> int:
    """The index of a role; a new one is added."""
    if name not in layers.names:
        layers.names.append(name)
    return layers.names.index(name)


def write(layers: Layers, text: str) -> None:
    """Write a text into the middle."""
    height, width = layers.codes.shape
    shown = text[:width]
    start = (width - len(shown)) // 2
    layers.codes[height // 2, start : start + len(shown)] = [ord(char) for char in shown]
    layers.roles[height // 2, start : start + len(shown)] = name_index(layers, "muted")


def spans(layers: Layers) -> tuple[Line, ...]:
    """Rows as runs of cells that have one role and one background."""
    width = layers.codes.shape[1]
    is_end = (np.diff(layers.roles, axis=1) != 0) | (np.diff(layers.backs, axis=1) != 0)
    lines: list[Line] = []
    for codes, roles, backs, ends in zip(layers.codes, layers.roles, layers.backs, is_end, strict=True):
        text = safe(codes.astype("<u4").tobytes().decode("utf-32-le"))
        stops = [*(np.flatnonzero(ends) + 1).tolist(), width]
        starts = [0, *stops[:-1]]
        lines.append(tuple(
            Cell(text[start:stop], layers.names[roles[start]], back=layers.names[backs[start]])
            for start, stop in zip(starts, stops, strict=True)
        ))  # fmt: skip
    return tuple(lines)
