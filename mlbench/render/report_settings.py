"""The settings of a report whose runs repeat each other: mean, median and IQM, each with how sure it is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from mlbench.render.numbers import number
from mlbench.render.report_parts import table
from mlbench.render.verdict import Group, groups_of, primary_metric, setting_text
from mlbench.render.versus import interval_text
from mlbench.safe import markdown_code

if TYPE_CHECKING:
    from mlbench.queries.estimates import Estimate
    from mlbench.queries.report_answer import ReportAnswer

_LEGEND = (
    "\nThe intervals are of the mean: Student's t, and a bootstrap (BCa, 9,999 resamples; none below three runs). "
    "IQM is the mean of the middle half of the runs.\n"
)


def settings(answer: ReportAnswer) -> str:
    """A table of the settings by the best values of the primary metric, best mean first; '' where none has two runs."""
    row = primary_metric(answer.runs, answer.diff)
    groups = () if row is None else groups_of(answer.diff, row)
    if row is None or all(len(group.members) == 1 for group in groups):
        return ""
    from mlbench.queries.estimates import estimates

    groups = tuple(sorted(groups, key=lambda group: _place(group, row.goal)))
    found = estimates([group.values for group in groups])
    rows = [[setting_text(group) or "all runs", _count(group), *_cells(one)]
            for group, one in zip(groups, found, strict=True)]  # fmt: skip
    titles = ["setting", "n", f"mean {markdown_code(row.metric)}", "95 % (t)", "median", "IQM", "95 % (bootstrap)",
              "least", "greatest"]  # fmt: skip
    return "## Settings\n\n" + table(titles, rows, right=range(1, len(titles))) + _LEGEND


def _place(group: Group, goal: str) -> tuple[bool, float]:
    """Orders by the mean, the best first; settings without a finite value come last."""
    mean = group.mean if group.values else 0.0
    return not group.values, mean if goal == "min" else -mean


def _count(group: Group) -> str:
    """`3`, or `2 of 3`: a mean over the runs that have a finite value flatters."""
    n, n_all = len(group.values), len(group.members)
    return str(n) if n == n_all else f"{n} of {n_all}"


def _cells(found: Estimate | None) -> Sequence[str]:
    if found is None:
        return ["–"] * 7
    reach = f"± {number(found.student.half, digits=2)}" if found.student else "–"
    return [
        number(found.mean), reach, number(found.median), number(found.iqm), interval_text(found.bootstrap) or "–",
        number(found.least), number(found.greatest),
    ]  # fmt: skip
