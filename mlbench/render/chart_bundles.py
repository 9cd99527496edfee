"""Curves that nothing tells apart, tied together: a thousand muted runs are drawn in a few passes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from mlbench.render.pyramid import LEAST_POINTS
from mlbench.render.raster import WINDOW_POINTS

if TYPE_CHECKING:
    from mlbench.render.chart import Curve

MOST_APART = 20
"""So few curves are drawn one by one."""


def bundled(curves: Sequence[Curve]) -> list[Curve]:
    """The curves, of more than MOST_APART the short ones that look alike tied together, with gaps between.

    Only those of a role that several runs have: muted ones, and faint ones of one colour. A bundle is not longer than
    what is drawn at once, and stands where its first curve stood.
    """
    if len(curves) <= MOST_APART:
        return list(curves)
    alike: dict[object, list[Curve]] = {}
    for place, curve in enumerate(curves):
        is_tied = (curve.role == "muted" or curve.is_faint) and curve.y.size < LEAST_POINTS
        look = (curve.role, curve.pattern, curve.is_faint, curve.slot if curve.is_faint else 0) if is_tied else place
        alike.setdefault(look, []).append(curve)
    return [_tied(some) for group in alike.values() for some in _portions(group)]


def _portions(curves: Sequence[Curve]) -> Iterator[list[Curve]]:
    portion: list[Curve] = []
    n_points = 0
    for curve in curves:
        if portion and n_points + curve.y.size >= WINDOW_POINTS:
            yield portion
            portion, n_points = [], 0
        portion.append(curve)
        n_points += curve.y.size + 1
    yield portion


def _tied(curves: Sequence[Curve]) -> Curve:
    if len(curves) == 1:
        return curves[0]
    gap = np.array([np.nan])
    return replace(
        curves[0],
        x=np.concatenate([part for curve in curves for part in (curve.x, gap)]),
        y=np.concatenate([part for curve in curves for part in (curve.y, gap)]),
        n_total=sum(curve.y.size if curve.n_total is None else curve.n_total for curve in curves),
        n_gaps=len(curves),
    )


def joined(curves: Sequence[Curve]) -> list[Curve]:
    """The curves of a pattern as one, with gaps between, however long that is."""
    alike: dict[str, list[Curve]] = {}
    for curve in curves:
        alike.setdefault(curve.pattern, []).append(curve)
    return [_tied(some) for some in alike.values()]
