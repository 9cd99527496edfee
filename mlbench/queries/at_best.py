"""The values of all metrics at the step where one of them is best: what early stopping would have kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from mlbench.errors import UsageError
from mlbench.queries.answers import DiffAnswer
from mlbench.queries.curves import effective_points
from mlbench.queries.goals import goal_of
from mlbench.queries.mistakes import shown
from mlbench.queries.names import find_metrics
from mlbench.queries.reading import Reader

_SERIES = """SELECT run_id, metric, series_id, min_step, max_step FROM series
WHERE run_id IN (SELECT unnest(CAST(? AS VARCHAR[]))) ORDER BY n DESC, n_raw DESC, series_id"""


def with_values_at(reader: Reader, answer: DiffAnswer, word: str) -> DiffAnswer:
    """The comparison with `at_best` in every cell: the metric's last value up to the step where `word` is best.

    Raises:
        UsageError: no run has the metric, or it is not known which way it shall go.
    """
    ids = [head.run_id for head in answer.runs]
    (by, *more) = find_metrics(reader, [word], ids)
    goal, _how = goal_of(reader, by)
    if more or not goal:
        what = "means several metrics" if more else "has no goal. Try: mlbench metric NAME --goal min"
        raise UsageError(f"--at {shown(word)}: {what}")
    return values_where_best(reader, answer, by, goal)


def values_where_best(reader: Reader, answer: DiffAnswer, by: str, goal: str) -> DiffAnswer:
    """`with_values_at` of a metric whose goal is known."""
    ids = [head.run_id for head in answer.runs]
    values = _values_at(reader, ids, by, goal, {row.metric for row in answer.metrics})
    rows = tuple(
        replace(row, at=by, cells=tuple(replace(cell, at_best=values.get((run_id, row.metric)))
                                        for run_id, cell in zip(ids, row.cells, strict=True)))
        for row in answer.metrics
    )  # fmt: skip
    return replace(answer, metrics=rows)


def _values_at(
    reader: Reader, ids: Sequence[str], by: str, goal: str, metrics: set[str]
) -> dict[tuple[str, str], float]:
    steps: dict[str, int] = {}
    series: dict[tuple[str, str], int] = {}
    for run_id, metric, series_id, min_step, max_step in reader.rows(_SERIES, [list(ids)]):
        best = min_step if goal == "min" else max_step
        if metric == by and best is not None:
            steps.setdefault(run_id, best)
        if metric in metrics:
            series.setdefault((run_id, metric), series_id)
    places = {series_id: key for key, series_id in series.items() if key[0] in steps}
    found: dict[tuple[str, str], float] = {}
    for series_id, at, values in effective_points(reader, list(places)) if places else ():
        index = int(at.searchsorted(steps[places[series_id][0]], side="right")) - 1
        if index >= 0:
            found[places[series_id]] = float(values[index])
    return found
