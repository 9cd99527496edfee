"""`mlbench views [save|rm NAME]`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from mlbench.cli.common import format_option, home_of, home_option, one_of, reading, real_paths, talk, where_option
from mlbench.cli.completing import complete_filter, complete_specs, complete_views
from mlbench.cli.words import print_rows

if TYPE_CHECKING:
    from mlbench.paths import Home
    from mlbench.queries.views import SavedView


@click.command("views")
@click.argument("action", required=False, metavar="[save|rm]", type=click.Choice(["save", "rm"]))
@click.argument("name", required=False, metavar="[NAME]", shell_complete=complete_views)
@click.argument("filter_word", required=False, metavar="[FILTER]", shell_complete=complete_filter)
@click.option(
    "-c", "--columns", multiple=True, metavar="SPEC", help="A column (repeatable).", shell_complete=complete_specs
)
@click.option(
    "-s", "--sort", multiple=True, metavar="SPEC[:desc]", help="Sort by it (repeatable).", shell_complete=complete_specs
)
@click.option(
    "-g", "--group-by", multiple=True, metavar="SPEC", help="Group by it (repeatable).", shell_complete=complete_specs
)
@click.option("-n", "--limit", type=click.IntRange(min=0), metavar="N", help="At most N runs.")
@where_option
@home_option
@format_option
def command(
    action: str | None, name: str | None, filter_word: str | None, columns: tuple[str, ...], sort: tuple[str, ...],
    group_by: tuple[str, ...], limit: int | None, where: str | None, home: str | None, form: str | None,
) -> None:  # fmt: skip
    """List the saved views, save one, or remove one. A view is a filter with its columns, order, groups and limit.

    What M saves in the workbench keeps the marked runs, too: --selection is then about these.

    \b
    mlbench views save good 'metrics.val/loss < 0.3' -c params.lr -s metrics.val/loss
    mlbench query --selection good
    mlbench views rm good
    """
    from mlbench.queries.views import SavedView

    place = home_of(home)
    if action is not None and not name:
        raise click.UsageError(f"give the NAME of the view to {'save' if action == 'save' else 'remove'}")
    view = SavedView(one_of(filter_word, where), columns, sort, limit, group_by)
    if action == "save":
        _save(place, name or "", view)
    elif view != SavedView():
        raise click.UsageError("a filter, columns and an order are said of a view that is saved: views save NAME ...")
    elif action == "rm":
        _remove(place, name or "")
    _print(place, form)


def _save(place: Home, name: str, view: SavedView) -> None:
    """Only what can be answered is saved: a mistake is told now, and not when the view is used."""
    from mlbench.journal import describe, open_journal
    from mlbench.queries.runs import find_runs

    with reading(place) as reader:
        find_runs(
            reader, where=view.filter, columns=view.columns or None, sort=view.sort, limit=0, within=real_paths(())
        )
    with open_journal(place) as journal:
        talk(describe(journal.view(name, view.to_text())))


def _remove(place: Home, name: str) -> None:
    from mlbench.journal import open_journal
    from mlbench.queries.views import find_view

    with reading(place) as reader:
        find_view(reader, name)
    with open_journal(place) as journal:
        journal.remove_view(name)
    talk(f"view {name} removed. Try: mlbench undo, to have it back")


def _print(place: Home, form: str | None) -> None:
    from mlbench.queries.views import list_views
    from mlbench.render.records import Records

    with reading(place) as reader:
        views = list_views(reader)
    rows = tuple(
        (name, view.filter, view.columns, view.sort, view.group_by, view.limit, view.runs) for name, view in views
    )
    print_rows(Records(("view", "filter", "columns", "sort", "group_by", "limit", "runs"), rows), form)
