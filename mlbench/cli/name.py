"""`mlbench name RUN NEW`."""

from __future__ import annotations

import click

from mlbench.cli.common import format_option, home_of, home_option, within_option
from mlbench.cli.completing import complete_runs
from mlbench.cli.words import print_runs, say_of_runs


@click.command("name")
@click.argument("run", shell_complete=complete_runs)
@click.argument("new")
@within_option
@home_option
@format_option
def command(run: str, new: str, within: tuple[str, ...], home: str | None, form: str | None) -> None:
    """Give RUN a name of your own; an empty NEW brings the recorded one back."""
    place = home_of(home)
    heads = say_of_runs(place, (run,), None, within, lambda journal, refs: journal.name(refs, new))
    print_runs(place, heads, form, "path", lambda _reader, head: head.path)
