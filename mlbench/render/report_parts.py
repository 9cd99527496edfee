"""What the sections of a report share: tables of Markdown, and the headings of its runs."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

from mlbench.render.labels import BASELINE_MARK, short_labels
from mlbench.safe import markdown_code

if TYPE_CHECKING:
    from mlbench.queries.answers import DiffAnswer, MetricRow, SliceRow
    from mlbench.queries.report_answer import ReportAnswer


def table(titles: Sequence[str], rows: Sequence[Sequence[str]], *, right: Collection[int] = ()) -> str:
    """A Markdown table of cells that are escaped already; the columns of numbers stand `right`."""
    rules = ["---:" if index in right else "---" for index in range(len(titles))]
    return "".join(f"| {' | '.join(line)} |\n" for line in (titles, rules, *rows))


def marked(text: str, *, is_baseline: bool) -> str:
    """The text, behind a diamond where it is the baseline's."""
    return f"{BASELINE_MARK} {text}" if is_baseline else text


def run_titles(answer: ReportAnswer) -> list[str]:
    """The heading of each compared run, the baseline's first."""
    labels = [markdown_code(label) for label in short_labels(answer.diff.runs)]
    return [marked(label, is_baseline=index == 0) for index, label in enumerate(labels)]


def strong(text: str, is_best: bool) -> str:
    """The text, in bold where it is the best."""
    return f"**{text}**" if is_best else text


def without_slices(diff: DiffAnswer) -> list[MetricRow]:
    """The metrics that are no slice of one (those are told as a group), the ones with a goal first."""
    told = {metric for row in diff.slices for metric in row.metrics}
    return sorted((row for row in diff.metrics if row.metric not in told), key=lambda row: not row.goal)


def slices_title(row: SliceRow) -> str:
    """`` `val/recall`, 10 slices (max)``."""
    return f"{markdown_code(row.stem)}, {row.n_slices} slices ({row.goal})"
