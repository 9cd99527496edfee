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
    from mlbench.paths import Home
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

    asked = SavedView(one_of(filter_word, where), columns, sort, limit)
    by = group_by or (() if pareto or selection is None else _groups_of(home_of(home), selection, asked))
    if by:
        _print_groups(home_of(home), selection, asked, by, ignore, real_paths(within), form)
    elif pareto and (sort or limit is not None):
        raise click.UsageError("a front is sorted by its first aim and shown whole. Leave --sort and --limit out")
    elif pareto:
        _print_front(home_of(home), selection, asked, pareto, real_paths(within), form)
    elif ignore:
        raise click.UsageError("--ignore says what makes no other setting. Try: --group-by setting --ignore ...")
    else:
        _print_runs(home_of(home), selection, asked, real_paths(within), form)


def _groups_of(home: Home, selection: str, asked: SavedView) -> tuple[str, ...]:
    """What a saved view groups by."""
    with reading(home) as reader:
        return chosen_view(reader, selection, asked).group_by


def _print_runs(home: Home, selection: str | None, asked: SavedView, within: tuple[str, ...], form: str | None) -> None:
    from mlbench.queries.names import numbers_of
    from mlbench.queries.runs import find_runs
    from mlbench.render.runs import runs_records, runs_summary, runs_table
    from mlbench.render.table import layout

    chosen = chosen_format(form)
    with reading(home) as reader:
        view = chosen_view(reader, selection, asked)
        answer = find_runs(
            reader, where=view.filter, columns=view.columns, sort=view.sort, limit=view.limit, within=within
        )
        numbers = numbers_of(reader, [row.head.run_id for row in answer.rows]) if chosen == "table" else {}
    if chosen == "table":
        has_room = width_cells() >= LEAST_CELLS
        print_lines(layout(runs_table(answer, numbers if has_room else None), width_cells()))
    else:
        print_records(runs_records(answer), chosen)
    for remark in answer.remarks:
        talk(remark)
    if chosen == "table":
        talk(runs_summary(answer))


def _print_front(
    home: Home, selection: str | None, asked: SavedView, aims: tuple[str, ...], within: tuple[str, ...],
    form: str | None,
) -> None:  # fmt: skip
    from mlbench.queries.pareto import find_front
    from mlbench.render.runs import runs_records, runs_table
    from mlbench.render.table import layout

    with reading(home) as reader:
        view = chosen_view(reader, selection, asked)
        answer = find_front(reader, aims, where=view.filter, columns=view.columns, within=within)
    chosen = chosen_format(form)
    if chosen == "table":
        print_lines(layout(runs_table(answer, None), width_cells()))
    else:
        print_records(runs_records(answer), chosen)
    for remark in answer.remarks:
        talk(remark)


def _print_groups(
    home: Home, selection: str | None, asked: SavedView, by: tuple[str, ...], ignore: tuple[str, ...],
    within: tuple[str, ...], form: str | None,
) -> None:  # fmt: skip
    from mlbench.queries.grouping import group_runs
    from mlbench.render.groups import groups_records, groups_summary, groups_table
    from mlbench.render.table import layout

    with reading(home) as reader:
        view = chosen_view(reader, selection, asked)
        answer = group_runs(
            reader, by, where=view.filter, columns=view.columns, sort=view.sort, limit=view.limit, within=within,
            ignore=ignore,
        )  # fmt: skip
    chosen = chosen_format(form)
    if chosen == "table":
        print_lines(layout(groups_table(answer), width_cells()))
    else:
        print_records(groups_records(answer), chosen)
    for remark in answer.remarks:
        talk(remark)
    if chosen == "table":
        talk(groups_summary(answer))
