"""Runs that no other run beats: the Pareto front of two or more aims, such as accuracy and duration."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from mlbench.errors import UsageError
from mlbench.queries.answers import RunRow, RunsAnswer, Value
from mlbench.queries.columns import metric_spec
from mlbench.queries.goals import goal_of, guess_goal, ranked_metrics
from mlbench.queries.mistakes import shown
from mlbench.queries.names import metrics_of
from mlbench.queries.reading import Reader
from mlbench.queries.runs import find_runs

_COSTS = frozenset({"duration"})


@dataclass(frozen=True, slots=True)
class Aim:
    """One thing to be good at."""

    spec: str
    """As a column: of a metric its best value."""
    goal: str
    """min or max."""


def read_aims(reader: Reader, words: Sequence[str]) -> tuple[Aim, ...]:
    """The aims that words mean: `val/acc`, `duration`, `metrics.size at min(metrics.val/loss):min`.

    Raises:
        UsageError: there are fewer than two, or it is not known which way one shall go.
    """
    if len(words) < 2:
        raise UsageError("a front has two aims or more. Try: --pareto val/acc --pareto duration")
    known = ranked_metrics(reader)
    return tuple(_aim(reader, word, known) for word in words)


def _aim(reader: Reader, word: str, known: Sequence[str]) -> Aim:
    found = re.fullmatch(r"(.+?):(min|max)", word.strip())
    bare, goal = (found[1], found[2]) if found else (word.strip(), "")
    metrics = metrics_of(bare, known)
    if len(metrics) == 1:
        goal = goal or goal_of(reader, metrics[0])[0]
        spec = f"{goal}({metric_spec(metrics[0])})" if goal else metric_spec(metrics[0])
    else:
        goal = goal or ("min" if bare in _COSTS else guess_goal(bare))
        spec = bare
    if not goal:
        raise UsageError(f"it is not known whether less or more of {shown(bare)} is better. Try: {bare}:min")
    return Aim(spec, goal)


def find_front(
    reader: Reader, words: Sequence[str], *, where: str = "", columns: Sequence[str] = (), within: Sequence[str] = ()
) -> RunsAnswer:
    """The runs of which no other is better in one aim and as good in all, the best in the first aim first.

    Runs without a finite value of an aim are on no front. The aims stand before the other columns.

    Raises:
        FilterError: the filter or a column cannot be understood.
        UsageError: as `read_aims`.
    """
    aims = read_aims(reader, words)
    answer = find_runs(reader, where=where, columns=[*(aim.spec for aim in aims), *columns], within=within)
    rows = {row: costs for row in answer.rows if (costs := _costs(row, aims)) is not None}
    front = sorted(_undominated(rows), key=lambda row: rows[row])
    n_lost = len(answer.rows) - len(rows)
    lost = f"; {n_lost} have no value of one of them" if n_lost else ""
    remark = f"{len(front)} of {len(answer.rows)} runs are not beaten by another in all aims{lost}"
    return replace(answer, rows=tuple(front), remarks=(*answer.remarks, remark))


def _costs(row: RunRow, aims: Sequence[Aim]) -> tuple[float, ...] | None:
    """What is to be small; None where a value is missing."""
    numbers = [_number(value) for value in row.values[: len(aims)]]
    if any(number is None for number in numbers):
        return None
    return tuple((number or 0.0) if aim.goal == "min" else -(number or 0.0)
                 for number, aim in zip(numbers, aims, strict=True))  # fmt: skip


def _number(value: Value) -> float | None:
    is_number = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    return float(value) if is_number else None  # type: ignore[arg-type]


def _undominated(costs: dict[RunRow, tuple[float, ...]]) -> list[RunRow]:
    """In order of the first cost only those before can dominate: compared with the front so far."""
    front: list[RunRow] = []
    for row in sorted(costs, key=lambda row: costs[row]):
        mine = costs[row]
        if not any(_beats(costs[other], mine) for other in front):
            front.append(row)
    return front


def _beats(one: tuple[float, ...], other: tuple[float, ...]) -> bool:
    return one != other and all(a <= b for a, b in zip(one, other, strict=True))
