"""`mlbench show RUN`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from mlbench.cli.common import (
    chosen_format,
    format_option,
    home_of,
    home_option,
    print_lines,
    print_records,
    reading,
    select_runs,
    talk,
    width_cells,
    within_option,
)
from mlbench.cli.completing import complete_runs

if TYPE_CHECKING:
    from mlbench.catalog.reader import Reader
    from mlbench.queries.answers import RunHead, ShowAnswer
    from mlbench.queries.layouts import LaidChart
    from mlbench.render.table import Section


@click.command("show")
@click.argument("run", shell_complete=complete_runs)
@click.option("--lineage", "is_lineage", is_flag=True, help="Only what it was made from and what was made of it.")
@within_option
@home_option
@format_option
def command(run: str, is_lineage: bool, within: tuple[str, ...], home: str | None, form: str | None) -> None:
    """Show all that is known of RUN: parameters by layer, metrics, code, data, environment, notes, files, problems.

    RUN is a name, a unique beginning of a name or id, a path, a glob that fits one run, @best or @baseline.
    """
    with reading(home_of(home)) as reader:
        heads = select_runs(reader, (run,), None, within)
        if len(heads) != 1:
            raise click.UsageError(f"{run!r} names {len(heads)} runs, show takes one. Try: mlbench query")
        if is_lineage:
            _print_lineage(reader, heads[0], chosen_format(form))
        else:
            _print_all(reader, heads[0].run_id, chosen_format(form))


def _print_all(reader: Reader, run_id: str, form: str) -> None:
    from mlbench.queries.show import describe_run
    from mlbench.render.show import show_records, show_sections
    from mlbench.render.table import section_lines

    answer = describe_run(reader, run_id)
    if form == "table":
        sections = (*show_sections(answer), *_layouts(reader, answer))
        print_lines(section_lines(sections, width_cells()))
    else:
        from mlbench.render.layouts import with_layouts

        print_records(with_layouts(show_records(answer), _charts(reader, answer)), form)


def _layouts(reader: Reader, answer: ShowAnswer) -> tuple[Section, ...]:
    """The section of the charts that the run's log lays out; none where it has no layout that can be read."""
    from mlbench.render.layouts import layout_section

    charts = _charts(reader, answer)
    return (layout_section(charts),) if charts else ()


def _charts(reader: Reader, answer: ShowAnswer) -> tuple[LaidChart, ...]:
    if not any(blob.kind == "layout" for blob in answer.blobs):
        return ()
    from mlbench.queries.layouts import fetch_layouts
    from mlbench.render.problems import problem_text

    found = fetch_layouts(reader, [answer.head.run_id])
    for problem in found.problems:
        talk(problem_text(problem))
    return found.charts


def _print_lineage(reader: Reader, head: RunHead, form: str) -> None:
    """The graph of the run's steps, then what is known of its artifacts, checks and registered models."""
    from mlbench.queries.lineage import fetch_lineage
    from mlbench.render.lineage import graph_lines, lineage_records, lineage_sections
    from mlbench.render.records import Records
    from mlbench.render.table import section_lines

    answer = fetch_lineage(reader, head.run_id)
    if form != "table":
        print_records(Records(("section", "key", "value", "detail"), tuple(lineage_records(answer))), form)
        return
    sections = lineage_sections(answer)
    if not sections:
        talk(f"No source of {head.name} records a lineage. Try: mlbench show {head.run_id}")
        return
    graph = graph_lines(answer)
    print_lines((*graph, *([()] if graph else []), *section_lines(sections, width_cells())))
