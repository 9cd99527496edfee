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
from mlbench.cli.selecting import chosen_view, selection_option

LEAST_CELLS = 60
"""On narrower terminals the numbers of the runs are left out."""

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mlbench.catalog.reader import Reader
    from mlbench.queries.answers import RunsAnswer
    from mlbench.queries.grouping import GroupsAnswer
    from mlbench.queries.views import SavedView


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
    help="One row for each value of it, with means (repeatable); `setting` for all but seeds, names and places.",
    shell_complete=complete_specs,
)
@click.option(
    "--ignore", multiple=True, metavar="PARAM", help="With `--group-by setting`: makes no other setting (repeatable)."
)
@click.option(
    "--pareto", multiple=True, metavar="AIM[:min|max]", shell_complete=complete_specs,
    help="Only runs that no other beats in all aims, metrics or columns (give it twice or more).",
)  # fmt: skip
@click.option("-n", "--limit", type=click.IntRange(min=0), metavar="N", help="At most N runs, or groups.")
@selection_option
@where_option
@within_option
@home_option
@format_option
def command(
    filter_word: str | None, columns: tuple[str, ...], sort: tuple[str, ...], group_by: tuple[str, ...],
    ignore: tuple[str, ...], pareto: tuple[str, ...], limit: int | None, selection: str | None,
    where: str | None, within: tuple[str, ...],
    home: str | None, form: str | None,
) -> None:  # fmt: skip
    """List the runs that match FILTER, with the parameters that differ among them and their metrics.

    On a terminal each run has a number before it: '#12' names it wherever a RUN is asked for (in quotes, since # begins
    a comment in a shell). A run keeps its number; --columns run.number gives it in other formats.

    \b
    mlbench query 'metrics.val/loss < 0.3 and params.lr between 1e-4 and 1e-2'
    mlbench query 'tag:baseline -note:debug resnet' --sort metrics.val/acc:desc --limit 5
    mlbench query status=failed -c started -c 'min(metrics.val/loss) as best' --format json
    mlbench query --group-by params.optimizer,params.lr -c 'min(metrics.val/loss) as best' --sort best
    mlbench query --group-by setting
    mlbench query --pareto val/acc --pareto duration
    """
    from mlbench.queries.views import SavedView

    if pareto and group_by:
        raise click.UsageError("a front is of runs and not of groups. Leave --pareto or --group-by out")
    if pareto and (sort or limit is not None):
        raise click.UsageError("a front is sorted by its first aim and shown whole. Leave --sort and --limit out")
    chosen, below = chosen_format(form), real_paths(within)
    groups = None
    with reading(home_of(home)) as reader:
        view = chosen_view(reader, selection, SavedView(one_of(filter_word, where), columns, sort, limit, group_by))
        if ignore and (pareto or not view.group_by):
            raise click.UsageError("--ignore says what makes no other setting. Try: --group-by setting --ignore ...")
        if pareto:
            answer, numbers = _front(reader, view, pareto, below), None
        elif view.group_by:
            groups = _groups(reader, view, ignore, below)
        else:
            answer, numbers = _runs(reader, view, below, has_numbers=chosen == "table" and width_cells() >= LEAST_CELLS)
    if groups is not None:
        _print_groups(groups, chosen)
    else:
        _print_runs(answer, numbers, chosen, has_summary=not pareto)


def _runs(
    reader: Reader, view: SavedView, within: tuple[str, ...], *, has_numbers: bool
) -> tuple[RunsAnswer, Mapping[str, int] | None]:
    """The runs, and their numbers where these are shown."""
    from mlbench.queries.names import numbers_of
    from mlbench.queries.runs import find_runs

    answer = find_runs(reader, where=view.filter, columns=view.columns, sort=view.sort, limit=view.limit, within=within)
    return answer, numbers_of(reader, [row.head.run_id for row in answer.rows]) if has_numbers else None


def _front(reader: Reader, view: SavedView, aims: tuple[str, ...], within: tuple[str, ...]) -> RunsAnswer:
    from mlbench.queries.pareto import find_front

    return find_front(reader, aims, where=view.filter, columns=view.columns, within=within)


def _groups(reader: Reader, view: SavedView, ignore: tuple[str, ...], within: tuple[str, ...]) -> GroupsAnswer:
    from mlbench.queries.grouping import group_runs

    return group_runs(
        reader, view.group_by, where=view.filter, columns=view.columns, sort=view.sort, limit=view.limit,
        within=within, ignore=ignore,
    )  # fmt: skip


def _print_runs(answer: RunsAnswer, numbers: Mapping[str, int] | None, chosen: str, *, has_summary: bool) -> None:
    from mlbench.render.runs import runs_records, runs_summary, runs_table
    from mlbench.render.table import layout

    if chosen == "table":
        print_lines(layout(runs_table(answer, numbers), width_cells()))
    else:
        print_records(runs_records(answer), chosen)
    for remark in answer.remarks:
        talk(remark)
    if chosen == "table" and has_summary:
        talk(runs_summary(answer))


def _print_groups(answer: GroupsAnswer, chosen: str) -> None:
    from mlbench.render.groups import groups_records, groups_summary, groups_table
    from mlbench.render.table import layout

    if chosen == "table":
        print_lines(layout(groups_table(answer), width_cells()))
    else:
        print_records(groups_records(answer), chosen)
    for remark in answer.remarks:
        talk(remark)
    if chosen == "table":
        talk(groups_summary(answer))
