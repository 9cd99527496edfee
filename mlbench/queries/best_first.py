"""The order of a comparison, the best run first, and the column that shows it."""

from __future__ import annotations

from typing import TypeAlias

from mlbench.queries.columns import metric_spec
from mlbench.queries.tree import quote_name

Primary: TypeAlias = "tuple[str, str]"
"""Metric and goal, as `goals.primary_metric` finds them."""


def best_order(primary: Primary | None) -> tuple[str, ...]:
    """Sort specifications: by the best value of a metric; none without one."""
    if primary is None:
        return ()
    return (f"{_best_of(primary)}:{'asc' if primary[1] == 'min' else 'desc'}",)


def best_column(primary: Primary | None) -> tuple[str, ...]:
    """The best value by which the runs are sorted: beside last ones alone the order would look like none."""
    return () if primary is None else (f"{_best_of(primary)} as {quote_name('bare', f'best {primary[0]}')}",)


def _best_of(primary: Primary) -> str:
    metric, goal = primary
    return f"{goal}({metric_spec(metric)})"
