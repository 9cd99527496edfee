"""A comparison as a Markdown file that reads well raw, on a code forge and in a pager, with charts beside it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import field, replace
from typing import TYPE_CHECKING

from mlbench.dataclass import dataclass
from mlbench.queries.step_metrics import common_axis
from mlbench.render.cells import RUN_SLOTS
from mlbench.render.chart import ChartOptions, Curve
from mlbench.render.chart_svg import chart_svg
from mlbench.render.chart_text import MOST_COLOURED, CurveOptions, chart_text, completed, series_chart, series_curves
from mlbench.render.costs import cost_table
from mlbench.render.data_changes import data_change_lines
from mlbench.render.diff import ABSENT, majority
from mlbench.render.inside import short_hashes
from mlbench.render.labels import BASELINE_MARK, label_map, run_labels
from mlbench.render.notebooks import notebook_change_lines
from mlbench.render.numbers import delta, distinct, number, timestamp, value_text
from mlbench.render.prose import prose
from mlbench.render.report_front import front_matter
from mlbench.render.report_many import (
    MOST_SIDE_BY_SIDE,
    costs_of_many,
    facts_of_many,
    params_of_many,
)
from mlbench.render.report_metrics import metrics
from mlbench.render.report_parts import marked, run_titles, strong, table
from mlbench.render.report_real import is_it_real
from mlbench.render.report_settings import settings
from mlbench.render.runs import PARAM_DIGITS, best_of, value_cell
from mlbench.render.verdict import verdict
from mlbench.safe import file_slug, markdown_block, markdown_code, safe, text_of_path

if TYPE_CHECKING:
    from mlbench.queries.answers import (
        Column,
        FactRow,
        ParamRow,
        ProblemLine,
        SeriesAnswer,
        Value,
    )
    from mlbench.queries.report_answer import ReportAnswer

MOST_CHARTS = 12
MOST_PROBLEMS = 20
MOST_CHANGES = 20
"""Lines on what was added to data and removed."""
TEXT_CHART = ChartOptions(width_cells=100, height_cells=22)


@dataclass(frozen=True, slots=True)
class ReportFiles:
    """A report and what lies beside it."""

    markdown: str
    files: Mapping[str, str] = field(default_factory=dict)
    """SVG text by file name; the names are made of `stem` and safe on every system."""


def draw_report(
    answer: ReportAnswer,
    *,
    stem: str = "report",
    inline_text: bool = False,
    smoothing: float = 0.0,
    smoothing_kind: str = "ema",
    y_scale: str = "linear",
) -> ReportFiles:
    """Make the report. Everything from a log is escaped: nothing in it becomes HTML, a link or a heading.

    Args:
        answer: what the report says; its diff has the baseline first.
        stem: beginning of the names of the SVG files, as a rule that of the report's own name.
        inline_text: draw charts as text in the report, and no files.
        smoothing: amount of smoothing in the charts, 0 for raw curves.
        smoothing_kind: one of `smoothing.KINDS`.
        y_scale: of the charts: `linear`, `log` or `symlog`.
    """
    look = TEXT_CHART.scaled("linear", y_scale)
    charts = _charts(answer, stem, CurveOptions("step", smoothing, smoothing_kind), look, inline_text=inline_text)
    sections = (
        front_matter(answer),
        _head(answer),
        _runs(answer),
        settings(answer),
        is_it_real(answer),
        _params(answer),
        metrics(answer),
        "".join(text for text, _ in charts.values())
        and "## Charts\n\n" + "\n".join(text for text, _ in charts.values()),
        _facts("Command", answer, answer.diff.typed),
        _under("Code", _facts("Code", answer, answer.diff.code), _code_changes(answer)),
        _under("Data", _facts("Data", answer, answer.diff.data), _data_changes(answer)),
        _facts("Environment", answer, answer.diff.environment),
        _costs(answer),
        _problems(answer),
        _commands(answer),
    )
    markdown = "\n".join(section.rstrip("\n") + "\n" for section in sections if section)
    return ReportFiles(markdown, {name: svg for name, (_, svg) in charts.items() if svg})


def _head(answer: ReportAnswer) -> str:
    made = "" if answer.made_at is None else f"Made on {timestamp(answer.made_at)} UTC from "
    source = f"the query {markdown_code(answer.query)}" if answer.query else "all runs"
    line = f"{made}{source}: {_count(answer)}."
    title = prose(answer.title or "Comparison")
    return f"# {title}\n\n{line[0].upper()}{line[1:]}\n\n{verdict(answer.runs, answer.diff, answer.real)}\n"


def _count(answer: ReportAnswer) -> str:
    n, n_matched = len(answer.runs.rows), answer.runs.n_matched
    noun = "run" if n == 1 else "runs"
    return f"{n} {noun}" if n == n_matched else f"{n} of {n_matched} runs"


# ---------------------------------------------------------------- runs


def _runs(answer: ReportAnswer) -> str:
    if not answer.runs.rows:
        return ""
    heads = [row.head for row in answer.runs.rows]
    labels = dict(zip((head.run_id for head in heads), run_labels(heads), strict=True))
    baseline = answer.diff.runs[0].run_id if answer.diff.runs else ""
    base = next((row.values for row in answer.runs.rows if row.head.run_id == baseline), None)
    columns = [
        _run_column(column, [row.values[index] for row in answer.runs.rows], None if base is None else base[index])
        for index, column in enumerate(answer.runs.columns)
    ]
    rows = [
        [marked(markdown_code(labels[row.head.run_id]), is_baseline=row.head.run_id == baseline),
         *(cells[index] for cells in columns)]
        for index, row in enumerate(answer.runs.rows)
    ]  # fmt: skip
    titles = ["run", *(_column_title(column) for column in answer.runs.columns)]
    legend = (
        f"\n{BASELINE_MARK} is the baseline; of each metric with a goal the best value is bold, "
        f"with its difference from the baseline behind it. {_order(answer)}".rstrip()
        + "\n"
    )
    right = [
        index
        for index in range(1, len(titles))
        if all(isinstance(row.values[index - 1], int | float | None) for row in answer.runs.rows)
    ]
    return "## Runs\n\n" + table(titles, rows, right=right) + legend


def _order(answer: ReportAnswer) -> str:
    """What the table is sorted by, as the heading of its column says it."""
    if not answer.sorted_by:
        return ""
    spec, _colon, order = answer.sorted_by.rpartition(":")
    titles = {column.spec: column.title for column in answer.runs.columns}
    if spec not in titles or order not in ("asc", "desc"):
        return f"The runs are sorted by {markdown_code(answer.sorted_by)}."
    return (
        f"The runs are sorted by {markdown_code(titles[spec])}, the {'greatest' if order == 'desc' else 'least'} first."
    )


def _column_title(column: Column) -> str:
    return markdown_code(column.title) + (f" ({column.goal})" if column.goal else "")


def _run_column(column: Column, values: Sequence[Value], base: Value) -> list[str]:
    """The cells of a column; of metrics the best in bold, and the difference to the baseline."""
    if column.kind != "metric":
        return [_value(column, value) for value in values]
    numbers = [value if isinstance(value, int | float) else None for value in values]
    texts = distinct(numbers)
    best = best_of(column.goal, values)
    cells: list[str] = []
    for value, text in zip(numbers, texts, strict=True):
        shown = strong(text, best is not None and value == best)
        difference = value - base if isinstance(base, int | float) and value is not None else 0.0
        if difference and math.isfinite(difference):
            shown = f"{shown} ({delta(difference, digits=3)})"
        cells.append(shown or "–")
    return cells


def _value(column: Column, value: Value) -> str:
    if value is None:
        return "–"
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value_cell(column, value).text)
    return markdown_code(value_text(value, digits=PARAM_DIGITS))


# ---------------------------------------------------------------- differences


def _are_many(answer: ReportAnswer) -> bool:
    return len(answer.diff.runs) > MOST_SIDE_BY_SIDE


def _params(answer: ReportAnswer) -> str:
    differing = [row for row in answer.diff.params if row.differs]
    if len(answer.diff.runs) < 2:
        return ""
    equal = f"{answer.diff.n_equal_params} others are equal.\n" if answer.diff.n_equal_params else ""
    if not differing:
        return f"## Parameters\n\nNo parameter differs. {equal}".rstrip() + "\n"
    if _are_many(answer):
        shown = params_of_many(answer, differing)
    else:
        shown = table(["parameter", *run_titles(answer)], [_param_row(row) for row in differing])
    return f"## Parameters that differ\n\n{shown}" + (f"\n{equal}" if equal else "")


def _param_row(row: ParamRow) -> list[str]:
    """What is unusual is bold; a raw text is shown as the source has it."""
    usual = majority([cell.raw for cell in row.cells])
    texts = [ABSENT if cell.raw is None else markdown_code(cell.raw or "''") for cell in row.cells]
    cells = [
        f"**{text}**" if usual is not None and cell.raw != usual[0] else text
        for cell, text in zip(row.cells, texts, strict=True)
    ]
    return [markdown_code(row.key), *cells]


def _facts(title: str, answer: ReportAnswer, facts: Sequence[FactRow]) -> str:
    """Lines that differ as a table, equal ones as a list."""
    if not facts:
        return ""
    differing = [row for row in facts if row.differs]
    text = ""
    if differing and _are_many(answer):
        text = facts_of_many(answer, title.lower(), differing)
    elif differing:
        rows = [[markdown_code(row.key), *map(_fact, row.cells)] for row in differing]
        text = table([title.lower(), *run_titles(answer)], rows)
    equal = [row for row in facts if not row.differs and row.cells and row.cells[0] is not None]
    lines = "".join(f"- {markdown_code(row.key)}: {markdown_code(row.cells[0])}\n" for row in equal)
    between = "\nEqual in all runs:\n\n" if differing and lines else ""
    return f"## {title}\n\n{text}{between}{lines}" if text or lines else ""


def _fact(text: str | None) -> str:
    return "–" if text is None else markdown_code(short_hashes(text))


def _costs(answer: ReportAnswer) -> str:
    """Duration, speed and recorded costs, with how much more or less than the baseline's."""
    if len(answer.diff.runs) < 2 or not answer.diff.costs:
        return ""
    if _are_many(answer):
        return "## Cost\n\n" + costs_of_many(answer)
    rows = [[markdown_code(head.text), *("–" if cell.text == "-" else cell.text for cell in cells)]
            for head, *cells in cost_table(answer.diff)]  # fmt: skip
    return "## Cost\n\n" + table(["cost", *run_titles(answer)], rows)


def _under(title: str, facts: str, more: str) -> str:
    """A section of facts and what is said below them; its heading also where there are no facts."""
    return facts + more if facts or not more else f"## {title}\n{more}"


def _data_changes(answer: ReportAnswer) -> str:
    told = data_change_lines(answer.diff)
    lines = "".join(f"- {markdown_code(line)}\n" for line in told[:MOST_CHANGES])
    n_more = len(told) - MOST_CHANGES
    more = f"- {n_more} more: `mlbench diff`\n" if n_more > 0 else ""
    return f"\nAdded and removed, against the baseline:\n\n{lines}{more}" if lines else ""


def _code_changes(answer: ReportAnswer) -> str:
    lines = "".join(f"- {markdown_code(line)}\n" for line in answer.code_changes)
    cells = "".join(f"- {markdown_code(line)}\n" for line in notebook_change_lines(answer.diff))
    told = f"\nAgainst the baseline's commit:\n\n{lines}" if lines else ""
    return told + (f"\nCells of the notebook, against the baseline's:\n\n{cells}" if cells else "")


# ---------------------------------------------------------------- charts


def _charts(
    answer: ReportAnswer, stem: str, asked: CurveOptions, look: ChartOptions, *, inline_text: bool
) -> Mapping[str, tuple[str, str]]:
    """Markdown and SVG (or '') of a chart for each metric, by file name."""
    slots = {head.run_id: slot for slot, head in enumerate(answer.diff.runs)}
    metrics = list(dict.fromkeys(one.metric for one in answer.series))
    drawn: dict[str, tuple[str, str]] = {}
    for metric in metrics[:MOST_CHARTS]:
        series = [one for one in answer.series if one.metric == metric]
        name = f"{stem}-{file_slug(metric)}.svg"
        if inline_text:
            drawn[name] = (_text_chart(series, asked, look, slots), "")
        else:
            axis = common_axis(series) or "step"
            curves = replace(asked, axis=axis, has_raw=len(slots) <= MOST_COLOURED)
            shown = _with_first(series_curves(series, curves, slots=slots), slots)
            svg = chart_svg(shown, completed(look, curves, series))
            drawn[name] = (f"### {markdown_code(metric)}\n\n![{_alt(series)}]({name})\n", svg)
    if len(metrics) > MOST_CHARTS:
        drawn[""] = (f"{len(metrics) - MOST_CHARTS} more metrics are not drawn.\n", "")
    return drawn


def _with_first(curves: Sequence[Curve], slots: Mapping[str, int]) -> list[Curve]:
    """Of more runs than colours can tell apart the first ones of the table are in colour."""
    if len(slots) <= MOST_COLOURED:
        return list(curves)
    return [replace(curve, role="", pattern="solid") if curve.slot < RUN_SLOTS else curve for curve in curves]


def _text_chart(
    series: Sequence[SeriesAnswer], asked: CurveOptions, look: ChartOptions, slots: Mapping[str, int]
) -> str:
    curves = replace(asked, axis=common_axis(series) or "step", is_plain=True)
    chart = series_chart(series, look, curves, slots=slots)
    return f"### {markdown_code(series[0].metric)}\n\n{markdown_block(chart_text(chart), language='text')}"


def _alt(series: Sequence[SeriesAnswer]) -> str:
    """What stands in the chart's place where pictures are not shown."""
    labels = label_map(one.head for one in series)
    lasts = [f"{labels[one.head.run_id]} {number(float(one.values[-1]))}" for one in series if one.values.size]
    shown = ", ".join(lasts[:8]) + (", …" if len(lasts) > 8 else "")
    over = common_axis(series) or "steps"
    return prose(f"{series[0].metric} over {over}, last values {shown}")


# ---------------------------------------------------------------- the rest


def _problems(answer: ReportAnswer) -> str:
    if not answer.problems:
        return ""
    lines = "".join(_problem_line(problem) for problem in answer.problems[:MOST_PROBLEMS])
    n_more = len(answer.problems) - MOST_PROBLEMS
    more = f"- {n_more} more: `mlbench sql 'SELECT * FROM problems'`\n" if n_more > 0 else ""
    return f"## Problems\n\n{lines}{more}"


def _problem_line(problem: ProblemLine) -> str:
    where = ":".join(part for part in (text_of_path(problem.path), problem.place) if part)
    what = prose(problem.what.rstrip(".")) + (f". {prose(problem.hint)}" if problem.hint else "")
    return f"- {markdown_code(where)}: {what}\n" if where else f"- {what}\n"


def _commands(answer: ReportAnswer) -> str:
    """The command of each run: runs of one command together, and those of one checkout in one block."""
    by_start: dict[str, dict[str, list[str]]] = {}
    for name, text in answer.commands:
        start, _newline, command = text.rpartition("\n")
        by_start.setdefault(start, {}).setdefault(command, []).append(safe(name))
    parts = [_block(start, by_command) for start, by_command in by_start.items()]
    return "## How to reproduce\n\n" + "\n".join(parts) if parts else ""


def _block(start: str, by_command: Mapping[str, Sequence[str]]) -> str:
    """The commands that begin alike, the names of the runs above it; above each command where there are several."""
    if len(by_command) == 1:
        ((command, names),) = by_command.items()
        titles = f"{', '.join(map(markdown_code, names))}:\n\n"
        return titles + markdown_block(f"{start}\n{command}".lstrip("\n"), language="sh")
    lines = [line for command, names in by_command.items() for line in ("", f"# {', '.join(names)}", command)]
    return markdown_block("\n".join([start, *lines]).lstrip("\n"), language="sh")
