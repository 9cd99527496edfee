"""`mlbench tag RUN... +NAME -- -NAME`."""

from __future__ import annotations

import click

from mlbench.cli.common import format_option, home_of, home_option, where_option, within_option
from mlbench.cli.completing import complete_tagging
from mlbench.cli.words import print_runs, say_of_runs


@click.command("tag", add_help_option=False, context_settings={"ignore_unknown_options": True})
@click.argument("words", nargs=-1, required=True, metavar="RUN... +NAME -- -NAME", shell_complete=complete_tagging)
@where_option
@within_option
@home_option
@format_option
@click.help_option("--help")  # and no `-h`, which click would take out of `-bench`
def command(
    words: tuple[str, ...], where: str | None, within: tuple[str, ...], home: str | None, form: str | None
) -> None:
    """Add (+NAME) or remove (-NAME) tags of runs, and print the tags they have now.

    \b
    mlbench tag fast-run +good
    mlbench tag --where 'metrics.val/loss < 0.3' +candidate
    mlbench tag fast-run -- -good
    """
    for word in words:
        if word.startswith("--"):
            raise click.UsageError(f"no such option: {word}. Try: mlbench tag --help")
    added = tuple(word[1:] for word in words if word.startswith("+"))
    removed = tuple(word[1:] for word in words if word.startswith("-"))
    runs = tuple(word for word in words if not word.startswith(("+", "-")))
    if not all((*added, *removed)) or not (added or removed):
        raise click.UsageError("no tag was named. Give +NAME to add one, -- -NAME to remove one")
    place = home_of(home)
    heads = say_of_runs(place, runs, where, within, lambda journal, refs: journal.tag(refs, added, removed))
    print_runs(place, heads, form, "tags", lambda _reader, head: head.tags)
