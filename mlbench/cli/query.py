"""`mlbench query [FILTER]`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from mlbench.cli.common import (
    chosen_format,
    format_option,
    home_of,
    home_option,
    one_of,
    print_lines,
    print_records,
    reading,
    real_paths,
    talk,
    where_option,
    width_cells,
    within_option,
)
from mlbench.cli.completing import complete_filter, complete_specs

if TYPE_CHECKING:
    from mlbench.paths import Home


@click.command("query")
@click.argument("filter_word", metavar="[FILTER]", required=False, shell_complete=complete_filter)
@click.option(
    "-c", "--columns", multiple=True, metavar="SPEC", help="A column (repeatable).", shell_complete=complete_specs
)
@click.option(
    "-s", "--sort", multiple=True, metavar="SPEC[:desc]", help="Sort by it (repeatable).", shell_complete=complete_specs
)
@click.option(
    "-g",
    "--group-by",
    multiple=True,
    metavar="SPEC",
    help="One row for each value of it, with means (repeatable).",
    shell_complete=complete_specs,
)
@click.option("-n", "--limit", type=click.IntRange(min=0), metavar="N", help="At most N runs, or groups.")
@where_option
@within_option
@home_option
@format_option
def command(
    filter_word: str | None, columns: tuple[str, ...], sort: tuple[str, ...], group_by: tuple[str, ...],
    limit: int | None, where: str | None, within: tuple[str, ...], home: str | None, form: str | None,
) -> None:  # fmt: skip
    """List the runs that match FILTER, with the parameters that differ among them and their metrics.

    \b
    mlbench query 'metrics.val/loss < 0.3 and params.lr between 1e-4 and 1e-2'
    mlbench query 'tag:baseline -note:debug resnet' --sort metrics.val/accuracy:desc --limit 5
    mlbench query status=failed -c started -c 'min(metrics.val/loss) as best' --format json
    mlbench query --group-by params.optimiser,params.lr -c 'min(metrics.val/loss) as best' --sort best
    """
    text = one_of(filter_word, where)
    if group_by:
        _print_groups(home_of(home), text, (group_by, columns, sort), limit, real_paths(within), form)
    else:
        _print_runs(home_of(home), text, (columns, sort), limit, real_paths(within), form)


def _print_runs(
    home: Home, text: str, specs: tuple[tuple[str, ...], ...], limit: int | None, within: tuple[str, ...],
    form: str | None,
) -> None:  # fmt: skip
    from mlbench.queries.runs import find_runs
    from mlbench.render.runs import runs_records, runs_summary, runs_table
    from mlbench.render.table import layout

    columns, sort = specs
    with reading(home) as reader:
        answer = find_runs(reader, where=text, columns=columns, sort=sort, limit=limit, within=within)
    chosen = chosen_format(form)
    if chosen == "table":
        print_lines(layout(runs_table(answer), width_cells()))
    else:
        print_records(runs_records(answer), chosen)
    for remark in answer.remarks:
        talk(remark)
    if chosen == "table":
        talk(runs_summary(answer))


def _print_groups(
    home: Home, text: str, specs: tuple[tuple[str, ...], ...], limit: int | None, within: tuple[str, ...],
    form: str | None,
) -> None:  # fmt: skip
    from mlbench.queries.grouping import group_runs
    from mlbench.render.groups import groups_records, groups_summary, groups_table
    from mlbench.render.table import layout

    by, columns, sort = specs
    with reading(home) as reader:
        answer = group_runs(reader, by, where=text, columns=columns, sort=sort, limit=limit, within=within)
    chosen = chosen_format(form)
    if chosen == "table":
        print_lines(layout(groups_table(answer), width_cells()))
    else:
        print_records(groups_records(answer), chosen)
    for remark in answer.remarks:
        talk(remark)
    if chosen == "table":
        talk(groups_summary(answer))
