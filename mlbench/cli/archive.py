"""`mlbench archive RUN...`."""

from __future__ import annotations

import click

from mlbench.cli.common import format_option, home_of, home_option, where_option, within_option
from mlbench.cli.completing import complete_runs
from mlbench.cli.words import print_runs, say_of_runs


@click.command("archive")
@click.argument("runs", nargs=-1, metavar="RUN...", shell_complete=complete_runs)
@click.option("--undo", "is_undo", is_flag=True, help="Take the runs back from the archive.")
@where_option
@within_option
@home_option
@format_option
def command(
    runs: tuple[str, ...], is_undo: bool, where: str | None, within: tuple[str, ...], home: str | None, form: str | None
) -> None:
    """Archive runs: they are left out of tables unless a filter asks for `archived`. Nothing is deleted."""
    place = home_of(home)
    heads = say_of_runs(
        place,
        runs,
        where,
        within,
        lambda journal, refs: journal.archive(refs, not is_undo),
        is_archived=is_undo,
    )
    print_runs(place, heads, form, "archived", lambda _reader, head: head.is_archived)
