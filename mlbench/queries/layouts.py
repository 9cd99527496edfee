"""The charts that a program laid out for its metrics (TensorBoard's custom scalars), with the metrics they mean here.

A chart's expressions are matched as TensorBoard does, from the beginning of the name that the log itself has, but by
DuckDB's RE2: no expression of a log can take more than linear time. What RE2 does not know (look-around, references)
is told.
"""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase

from mlbench.dataclass import dataclass
from mlbench.queries.answers import ProblemLine
from mlbench.queries.blobs import fetch_layout_charts
from mlbench.queries.mistakes import shown
from mlbench.queries.reading import Reader
from mlbench.wire.layouts import LayoutChart, Margin

MAX_EXPRESSION = 1000
"""Characters; a longer expression is told and not tried."""
_TAGS = """SELECT DISTINCT coalesce(nullif(source_metric, ''), metric) AS tag, metric FROM series
WHERE run_id IN (SELECT unnest(CAST(? AS VARCHAR[]))) ORDER BY tag, metric"""
_IS_KNOWN = "SELECT TRY(regexp_matches('', given.pattern)) FROM (SELECT CAST(? AS VARCHAR) AS pattern) AS given"
_MATCHING = """SELECT tag FROM (SELECT unnest(CAST(? AS VARCHAR[])) AS tag) WHERE regexp_matches(tag, ?)"""


@dataclass(frozen=True, slots=True)
class LaidChart:
    """One chart of a layout, over the runs that were asked for."""

    category: str
    title: str
    metrics: tuple[str, ...] = ()
    """Lines, in the order of the expressions; those of margins are not among them."""
    margins: tuple[Margin, ...] = ()
    """Lines with the ends of their band, as names of metrics that the runs have."""
    remarks: tuple[str, ...] = ()
    """Expressions that could not be used, and names that no run has."""

    @property
    def name(self) -> str:
        """`category/title`, by which it is asked for."""
        return "/".join(part for part in (self.category, self.title) if part) or "(no title)"

    @property
    def lines(self) -> tuple[str, ...]:
        """The metrics that it draws as lines, those in the middle of margins too."""
        return tuple(dict.fromkeys((*self.metrics, *(margin.value for margin in self.margins))))

    @property
    def names(self) -> tuple[str, ...]:
        """All metrics that it draws, those of margins and their ends too."""
        ends = (end for margin in self.margins for end in (margin.value, margin.lower, margin.upper))
        return tuple(dict.fromkeys((*self.metrics, *ends)))


@dataclass(frozen=True, slots=True)
class LayoutsAnswer:
    """The charts of all runs' layouts, each once, and what could not be read."""

    charts: tuple[LaidChart, ...]
    problems: tuple[ProblemLine, ...] = ()


def fetch_layouts(reader: Reader, run_ids: Sequence[str], name: str = "*") -> LayoutsAnswer:
    """The charts that the runs' logs lay out, in the order of the first log that has them.

    Args:
        reader: the catalog.
        run_ids: the runs whose layouts and metrics are looked at.
        name: a title, a category, or `category/title`; globs, without regard to case.
    """
    found = fetch_layout_charts(reader, run_ids)
    charts = dict.fromkeys(chart for _place, laid in found.items for chart in laid if _is_meant(chart, name))
    tags: dict[str, list[str]] = {}
    for tag, metric in reader.rows(_TAGS, [list(run_ids)]) if charts else ():
        tags.setdefault(tag, []).append(metric)
    return LayoutsAnswer(tuple(_laid(reader, chart, tags) for chart in charts), found.problems)


def _is_meant(chart: LayoutChart, name: str) -> bool:
    names = (chart.title, chart.category, f"{chart.category}/{chart.title}")
    return any(fnmatchcase(one.lower(), name.lower()) or one.lower() == name.lower() for one in names)


def _laid(reader: Reader, chart: LayoutChart, tags: dict[str, list[str]]) -> LaidChart:
    metrics: dict[str, None] = {}
    remarks: list[str] = []
    for expression in chart.tags:
        matching = _matching(reader, expression, list(tags))
        if isinstance(matching, str):
            remarks.append(matching)
            continue
        metrics.update(dict.fromkeys(metric for tag in matching for metric in tags[tag]))
        if not matching:
            remarks.append(f"no metric matches {shown(expression)}")
    margins = []
    for margin in chart.margins:
        missing = [tag for tag in (margin.value, margin.lower, margin.upper) if tag not in tags]
        remarks += [f"no metric {shown(tag)}" for tag in missing]
        if not missing:
            margins.append(Margin(*(tags[tag][0] for tag in (margin.value, margin.lower, margin.upper))))
    return LaidChart(chart.category, chart.title, tuple(metrics), tuple(margins), tuple(remarks))


def _matching(reader: Reader, expression: str, tags: list[str]) -> list[str] | str:
    """The tags that an expression matches from their beginning, or why it cannot be used."""
    if not expression or len(expression) > MAX_EXPRESSION:
        return "an empty expression" if not expression else f"an expression of {len(expression):,} characters"
    # The expression itself is looked at first: `a)|(b` is none, though in brackets it would be one.
    if reader.rows(_IS_KNOWN, [expression])[0][0] is None:
        return f"{shown(expression)} is no expression that RE2 knows"
    return [tag for (tag,) in reader.rows(_MATCHING, [tags, f"^(?:{expression})"])]
