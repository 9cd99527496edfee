"""`mlbench report [FILTER] -o FILE.md`."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING

import click

from mlbench.cli.chart_options import check_smoothing, smoothing_options
from mlbench.cli.common import (
    emit,
    format_option,
    home_of,
    home_option,
    one_of,
    reading,
    real_paths,
    talk,
    where_option,
    within_option,
)
from mlbench.cli.completing import complete_filter, complete_metrics, complete_runs, complete_specs
from mlbench.cli.selecting import chosen_view, selection_option
from mlbench.errors import SourceError, UsageError
from mlbench.queries.vocabulary import counted, runs_text
from mlbench.safe import safe

if TYPE_CHECKING:
    from mlbench.catalog.reader import Reader
    from mlbench.paths import Home
    from mlbench.queries.report_answer import ReportAnswer
    from mlbench.render.report import ReportFiles

DEFAULT_NAME, DEFAULT_HTML = "report.md", "report.html"
MOST_RUNS = 20
"""More columns than this make no readable comparison; the table of runs says how many match."""


@click.command("report")
@click.argument("filter_word", metavar="[FILTER]", required=False, shell_complete=complete_filter)
@click.option(
    "-o",
    "--output",
    metavar="FILE.md",
    type=click.Path(dir_okay=False),
    help=f"Where to write it. [default: {DEFAULT_NAME}]",
)
@click.option(
    "--run",
    "runs",
    multiple=True,
    metavar="RUN",
    help="Only this run (repeatable, in this order).",
    shell_complete=complete_runs,
)
@click.option(
    "-m",
    "--metric",
    "metrics",
    multiple=True,
    metavar="METRIC",
    help="A chart of it (repeatable).",
    shell_complete=complete_metrics,
)
@click.option(
    "-c",
    "--columns",
    multiple=True,
    metavar="SPEC",
    help="A column of the table (repeatable).",
    shell_complete=complete_specs,
)
@click.option(
    "-s",
    "--sort",
    multiple=True,
    metavar="SPEC[:desc]",
    help="Sort by it. [default: the primary metric, best first]",
    shell_complete=complete_specs,
)
@click.option(
    "-n",
    "--limit",
    type=click.IntRange(min=1),
    default=MOST_RUNS,
    show_default=True,
    metavar="N",
    help="At most N runs.",
)
@click.option("--baseline", metavar="RUN", help="What the others are compared with.", shell_complete=complete_runs)
@click.option("--title", default="", metavar="TEXT", help="The report's heading.")
@smoothing_options
@click.option("--inline-text", is_flag=True, help="Charts as text in the report, and no files beside it.")
@click.option(
    "--html",
    "is_html",
    is_flag=True,
    help="One HTML file with the charts inside, in place of Markdown; so is FILE.html.",
)
@click.option("--check", "is_check", is_flag=True, help="Say what changed since the report was written; 1 if anything.")
@click.option("--force", "is_forced", is_flag=True, help="Replace a report that is there.")
@selection_option
@where_option
@within_option
@home_option
@format_option
def command(
    filter_word: str | None, output: str | None, runs: tuple[str, ...], metrics: tuple[str, ...],
    columns: tuple[str, ...], sort: tuple[str, ...], limit: int, baseline: str | None, title: str, smoothing: float,
    smoothing_kind: str,
    y_scale: str | None, inline_text: bool, is_html: bool, is_check: bool, is_forced: bool, selection: str | None,
    where: str | None, within: tuple[str, ...],
    home: str | None, form: str | None,
) -> int:  # fmt: skip
    """Write a Markdown report that compares the runs that match FILTER, with charts as SVG files beside it.

    Its front matter holds what it was made from: --check makes it again and says what is not as it was.

    \b
    mlbench report 'tag:candidate' -o candidates.md
    mlbench report --run seed_0 --run seed_1 -m val/loss -o seeds.md
    mlbench report --inline-text -o -
    mlbench report 'tag:candidate' --html -o candidates.html
    mlbench report --check -o candidates.md
    """
    from mlbench.queries.report import gather_report
    from mlbench.queries.views import SavedView
    from mlbench.render.report import draw_report

    check_smoothing(amount=smoothing, kind=smoothing_kind)
    if form not in (None, "markdown"):
        raise click.UsageError(f"a report is Markdown, not {form}. Try: mlbench query --format {form}")
    # Markdown in a file that a browser opens would be live HTML.
    is_html = is_html or (output or "").lower().endswith((".html", ".htm"))
    target = output or (DEFAULT_HTML if is_html else DEFAULT_NAME)
    if is_check:
        return check_report(home_of(home), target)
    with reading(home_of(home)) as reader:
        view = chosen_view(reader, selection, SavedView(one_of(filter_word, where), columns, sort))
        if view.group_by:
            talk("the view's groups are left out: a report has a row for each run")
        answer = gather_report(
            reader, where=view.filter, runs=runs, columns=view.columns, sort=view.sort, limit=limit,
            metrics=metrics, baseline=baseline, within=real_paths(within), title=title,
        )  # fmt: skip
    stem = os.path.splitext(os.path.basename(target))[0]
    is_whole = target == "-" and not is_html
    files = draw_report(
        answer, stem=stem, inline_text=inline_text or is_whole, smoothing=smoothing, smoothing_kind=smoothing_kind,
        y_scale=y_scale or "linear",
    )  # fmt: skip
    if is_html:
        files = as_html(files)
    if target == "-":
        emit(files.markdown)
        return 0
    write_report(target, files.markdown, files.files, is_forced=is_forced)
    talk(f"{target}: {runs_text(len(answer.runs.rows))}" + _beside(len(files.files)))
    return 0


def as_html(files: ReportFiles) -> ReportFiles:
    """The report as one HTML file without files beside it."""
    from mlbench.render.report import ReportFiles
    from mlbench.render.report_html import html_report

    return ReportFiles(html_report(files))


def check_report(home: Home, path: str) -> int:
    """Print what is not as a report has it; 1 if anything is.

    Raises:
        SourceError: the report cannot be read.
        UsageError: it is none of ours.
    """
    from mlbench.render.report import draw_report
    from mlbench.render.report_front import changes, read_front

    try:
        with open(path, encoding="utf-8") as file:
            before = file.read()
    except (OSError, UnicodeDecodeError) as error:
        raise SourceError(f"{path}: cannot be read: {error}") from error
    front = read_front(before)
    with reading(home) as reader:
        try:
            answer = _made_again(reader, front)
        except UsageError as error:
            emit(f"{error}\n")
            return 1
    found = changes(before, draw_report(answer).markdown, answer)
    emit("".join(f"{safe(line)}\n" for line in found))
    made = safe(front.get("made") or "it was written")
    talk(
        f"{path}: {counted(len(found), 'change')} since {made}"
        if found
        else f"{path}: nothing has changed since {made}"
    )
    return 1 if found else 0


def _made_again(reader: Reader, front: Mapping[str, object]) -> ReportAnswer:
    """The answer that a report's front matter asks for, from the catalog of today."""
    from mlbench.queries.names import resolve_runs
    from mlbench.queries.report import gather_report

    lists = {key: [str(item) for item in value] if isinstance(value := front.get(key), list) else []
             for key in ("asked", "columns", "sort", "metrics", "within")}  # fmt: skip
    limit, baseline = front.get("limit"), front.get("baseline")
    if isinstance(baseline, str):
        resolve_runs(reader, [baseline])
    return gather_report(
        reader,
        where=str(front.get("query") or ""),
        runs=lists["asked"],
        columns=lists["columns"],
        sort=lists["sort"],
        limit=limit if isinstance(limit, int) and limit > 0 else None,
        metrics=lists["metrics"],
        baseline=baseline if isinstance(baseline, str) else None,
        within=lists["within"],
    )


def _beside(n_charts: int) -> str:
    return "" if not n_charts else ", 1 chart beside it" if n_charts == 1 else f", {n_charts} charts beside it"


def write_report(target: str, markdown: str, charts: Mapping[str, str], *, is_forced: bool) -> None:
    """Write the charts, then the report that names them: never a report without its charts.

    Raises:
        SourceError: a file of these names is there (then nothing is written), or one cannot be written.
    """
    from mlbench.render.export import write_file

    beside = {os.path.join(os.path.dirname(target), name): svg for name, svg in charts.items()}
    for path in () if is_forced else (target, *beside):
        if os.path.lexists(path):
            raise SourceError(f"{path}: is there already. Try: --force, or another -o FILE")
    for path, svg in beside.items():
        write_file(path, svg, is_new=not is_forced)
    write_file(target, markdown, is_new=not is_forced)
