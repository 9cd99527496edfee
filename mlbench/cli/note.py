"""`mlbench note RUN [TEXT]`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from mlbench.cli.common import format_option, home_of, home_option, reading, select_runs, where_option, within_option
from mlbench.cli.completing import complete_runs
from mlbench.cli.words import print_runs, say_of_runs

if TYPE_CHECKING:
    from mlbench.catalog.reader import Reader


@click.command("note")
@click.argument("words", nargs=-1, metavar="RUN [TEXT]", shell_complete=complete_runs)
@where_option
@within_option
@home_option
@format_option
def command(
    words: tuple[str, ...], where: str | None, within: tuple[str, ...], home: str | None, form: str | None
) -> None:
    """Write a run's note, replacing the one before; without TEXT, print it. An empty TEXT removes it.

    \b
    mlbench note fast-run 'the one to beat'
    mlbench note --where tag:candidate 'rerun with more seeds'
    """
    from mlbench.catalog.reader import moved_keys

    place = home_of(home)
    runs, text = (words[:1], " ".join(words[1:])) if where is None else ((), " ".join(words))
    if len(words) > len(runs):
        heads = say_of_runs(
            place, runs, where, within, lambda journal, refs: journal.note(refs, text, place=moved_keys(place))
        )
    else:
        with reading(place) as reader:
            heads = select_runs(reader, runs, where, within)
    print_runs(place, heads, form, "note", lambda reader, head: note_of(reader, head.run_id))


def note_of(reader: Reader, run_id: str) -> str:
    """The user's notes of a run, oldest first, and then those that its sources hold."""
    from mlbench.queries.show import describe_run

    return "\n\n".join(note.body for note in describe_run(reader, run_id).notes)
