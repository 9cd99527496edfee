"""A metric of a run that two loggers recorded: which series say the same, and how their steps differ."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

MIN_POINTS = 3
REL_TOLERANCE = 1e-4
"""Ultralytics writes five digits into its CSV, event files hold float32."""
_FIRST_WORD = ("tensorboard", "wandb", "mlflow", "mlflow-sqlite")
"""Of two records the one of these adapters stands, in this order: their values are not rounded."""


@dataclass(frozen=True, slots=True)
class Curve:
    """What is known of a series without reading it."""

    metric: str
    adapter: str
    n: int
    first_step: int
    last_step: int
    last: float | None
    min: float | None
    min_step: int | None
    max: float | None
    max_step: int | None


def find_echoes(curves: Sequence[Curve]) -> dict[int, str]:
    """For each series that repeats another of the same run, by its place, what it repeats."""
    order = sorted(range(len(curves)), key=lambda place: (_rank(curves[place].adapter), place))
    echoes: dict[int, str] = {}
    for number, place in enumerate(order):
        for before in order[:number]:
            if before not in echoes and _is_same(curves[before], curves[place]):
                echoes[place] = _words(curves[before], curves[place])
                break
    return echoes


def _rank(adapter: str) -> int:
    return _FIRST_WORD.index(adapter) if adapter in _FIRST_WORD else len(_FIRST_WORD)


def _is_same(one: Curve, other: Curve) -> bool:
    if one.adapter == other.adapter or one.n != other.n or one.n < MIN_POINTS:
        return False
    if not _are_like_names(one.metric, other.metric):
        return False
    values = [(one.last, other.last), (one.min, other.min), (one.max, other.max)]
    if not all(a is not None and b is not None and math.isclose(a, b, rel_tol=REL_TOLERANCE) for a, b in values):
        return False
    steps = [(one.first_step, other.first_step), (one.last_step, other.last_step)]
    if one.min != one.max:
        steps += [(one.min_step or 0, other.min_step or 0), (one.max_step or 0, other.max_step or 0)]
    return len({b - a for a, b in steps}) == 1


def _are_like_names(one: str, other: str) -> bool:
    """`train/loss`, `train_loss` and `loss`."""
    a, b = (re.sub(r"[^a-z0-9]+", "_", name.lower()) for name in (one, other))
    return a == b or a.endswith(f"_{b}") or b.endswith(f"_{a}")


def _words(first: Curve, echo: Curve) -> str:
    offset = echo.first_step - first.first_step
    steps = f", {abs(offset)} step{'s' * (abs(offset) != 1)} {'later' if offset > 0 else 'earlier'}" if offset else ""
    name = "" if first.metric == echo.metric else f" of {first.metric}"
    return f"a second record{name}, by {echo.adapter}{steps}"
