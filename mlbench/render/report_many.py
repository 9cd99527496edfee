"""A report of more runs than can stand side by side: what they have, and how many of them; least, median, greatest."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

from mlbench.queries.costs import SECONDS
from mlbench.queries.vocabulary import runs_text
from mlbench.render.diff import ABSENT
from mlbench.render.inside import short_hashes
from mlbench.render.numbers import distinct, duration, number
from mlbench.render.report_parts import run_titles, slices_title, strong, table, without_slices
from mlbench.safe import markdown_code

if TYPE_CHECKING:
    from mlbench.queries.answers import FactRow, MetricRow, ParamRow, SliceRow
    from mlbench.queries.costs import CostRow
    from mlbench.queries.report_answer import ReportAnswer

MOST_SIDE_BY_SIDE = 8
"""Of more runs than this a table with a column for each can be read nowhere."""
MOST_TEXTS = 6
"""Values that are listed with how many runs have them; of more the rest is counted."""
_NOTHING = "–"


def params_of_many(answer: ReportAnswer, differing: Sequence[ParamRow]) -> str:
    """A line for each parameter: what the baseline has, and what the runs have, the most frequent first."""
    rows = [[markdown_code(row.key), *_values([cell.raw for cell in row.cells], ABSENT)] for row in differing]
    return table(["parameter", _baseline(answer), "all runs"], rows)


def facts_of_many(answer: ReportAnswer, title: str, differing: Sequence[FactRow]) -> str:
    """The same of the code, the data or the environment."""
    rows = [[markdown_code(row.key), *_values(row.cells, _NOTHING)] for row in differing]
    return table([title, _baseline(answer), "all runs"], rows)


def metrics_of_many(answer: ReportAnswer) -> str:
    """A line for each metric: least, median and greatest of the best values (without a goal of the last ones)."""
    titles = run_titles(answer)
    heads = ["metric", "value", titles[0], "least", "median", "greatest", "best run"]
    rows = [_metric_row(row, titles) for row in without_slices(answer.diff)]
    rows += [_slice_row(row, titles) for row in answer.diff.slices]
    legend = "\nOf all runs; the values of a run are in the table of runs, those of every metric in `mlbench diff`.\n"
    return table(heads, rows, right=range(2, 6)) + legend


def costs_of_many(answer: ReportAnswer) -> str:
    """A line for each kind of cost."""
    rows = [_cost_row(row) for row in answer.diff.costs]
    return table(["cost", _baseline(answer), "least", "median", "greatest"], rows, right=range(1, 5))


def _baseline(answer: ReportAnswer) -> str:
    return run_titles(answer)[0]


def _values(texts: Sequence[str | None], missing: str) -> tuple[str, str]:
    """The baseline's value, and `0.1 ×12, 0.01 ×8`."""
    counts = Counter(texts).most_common()
    shown = ", ".join(f"{_value(text, missing)} ×{n}" for text, n in counts[:MOST_TEXTS])
    n_more = len(counts) - MOST_TEXTS
    return _value(texts[0], missing), shown + (f", {n_more} more" if n_more > 0 else "")


def _value(text: str | None, missing: str) -> str:
    return missing if text is None else markdown_code(short_hashes(text) or "''")


def _metric_row(row: MetricRow, titles: Sequence[str]) -> list[str]:
    values = [cell.best if row.goal else cell.last for cell in row.cells]
    n_odd = sum(bool(cell.n_nan or cell.n_inf) for cell in row.cells)
    name = markdown_code(row.metric) + (f" ({row.goal})" if row.goal else "")
    what = ("best" if row.goal else "last") + (f", {runs_text(n_odd)} with NaN or inf" if n_odd else "")
    known = [value for value in values if value is not None and math.isfinite(value)]
    if not known:
        return [name, what, *[_NOTHING] * 5]
    return [name, what, *_spread(values, known, row.goal, titles)]


def _spread(values: Sequence[float | None], known: Sequence[float], goal: str, titles: Sequence[str]) -> list[str]:
    """The baseline's value, the least, the median and the greatest of the known ones, and who has the best."""
    base, least, median, greatest = distinct([values[0], min(known), _median(known), max(known)])
    best = {"min": min(known), "max": max(known)}.get(goal)
    ends = strong(least, goal == "min"), median, strong(greatest, goal == "max")
    return [base or _NOTHING, *ends, _who(values, best, titles)]


def _slice_row(row: SliceRow, titles: Sequence[str]) -> list[str]:
    """The worst slices of the runs: which one it most often is."""
    values = [cell.worst for cell in row.cells]
    names = Counter(cell.name for cell in row.cells if cell.name).most_common(1)
    what = f"worst (mostly {markdown_code(names[0][0])})" if names else "worst"
    known = [value for value in values if value is not None]
    return [slices_title(row), what, *(_spread(values, known, row.goal, titles) if known else [_NOTHING] * 5)]


def _who(values: Sequence[float | None], best: float | None, titles: Sequence[str]) -> str:
    """The run that has the best value; of several the first, with how many others."""
    if best is None:
        return _NOTHING
    places = [place for place, value in enumerate(values) if value == best]
    return titles[places[0]] + (f" and {len(places) - 1} more" if len(places) > 1 else "")


def _cost_row(row: CostRow) -> list[str]:
    known = [value for value in row.values if value is not None]
    shown = [row.values[0], min(known), _median(known), max(known)]
    return [markdown_code(row.key), *(_cost(row.unit, value) for value in shown)]


def _cost(unit: str, value: float | None) -> str:
    if value is None:
        return _NOTHING
    return duration(value) or "0s" if unit == SECONDS else number(value, digits=3)


def _median(values: Sequence[float]) -> float:
    """Of one value or more; `statistics` would load fractions and decimals for it."""
    ordered = sorted(values)
    middle = len(ordered) // 2
    return ordered[middle] if len(ordered) % 2 else (ordered[middle - 1] + ordered[middle]) / 2
