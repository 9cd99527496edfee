"""`mlbench baseline RUN`."""

from __future__ import annotations

import click

from mlbench.cli.common import format_option, home_of, home_option, talk, within_option
from mlbench.cli.completing import complete_runs
from mlbench.cli.words import print_runs, say_of_runs
from mlbench.paths import Home


@click.command("baseline")
@click.argument("run", required=False, shell_complete=complete_runs)
@click.option("--none", "is_none", is_flag=True, help="Have no baseline.")
@within_option
@home_option
@format_option
def command(run: str | None, is_none: bool, within: tuple[str, ...], home: str | None, form: str | None) -> None:
    """Make RUN the baseline that all deltas are told from."""
    place = home_of(home)
    if is_none and run is None:
        _forget(place)
        return
    if run is None or is_none:
        raise click.UsageError("give one run, or --none")
    heads = say_of_runs(place, (run,), None, within, lambda journal, refs: journal.baseline(refs[0]))
    print_runs(place, heads, form, "path", lambda _reader, head: head.path)


def _forget(place: Home) -> None:
    from mlbench.journal import describe, open_journal

    with open_journal(place) as journal:
        talk(describe(journal.baseline(None)))
