"""What the commands that write words share: name the runs, append to the journal, print what holds now."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from mlbench.cli.common import (
    chosen_format,
    explain,
    home_of,
    print_lines,
    print_records,
    reading,
    select_runs,
    talk,
    talk_of_none,
    width_cells,
)

if TYPE_CHECKING:
    from mlbench.catalog.reader import Reader
    from mlbench.journal import Entry, Journal, RunRef
    from mlbench.paths import Home
    from mlbench.queries.answers import RunHead
    from mlbench.render.records import Records


def refs_of(heads: Sequence[RunHead]) -> tuple[RunRef, ...]:
    """How the journal names runs."""
    from mlbench.journal import RunRef

    return tuple(RunRef(head.key, head.fingerprint) for head in heads)


def say_of_runs(
    home: Home, words: Sequence[str], where: str | None, within: Sequence[str],
    say: Callable[[Journal, tuple[RunRef, ...]], Entry], *, is_archived: bool = False,
) -> tuple[RunHead, ...]:  # fmt: skip
    """Append one word about the runs that RUN... or `--where` name; returns the runs (none is no mistake)."""
    from mlbench.journal import describe, open_journal

    with reading(home) as reader:
        heads = select_runs(reader, words, where, within, is_archived=is_archived)
    if not heads:
        talk_of_none("no run matches, nothing was said")
        return ()
    with open_journal(home) as journal:
        talk(describe(say(journal, refs_of(heads))))
    tidy(home)
    return heads


def print_runs(
    home: Home, heads: Sequence[RunHead], form: str | None, column: str, value_of: Callable[[Reader, RunHead], object]
) -> None:
    """Print the runs with one column, as it holds now."""
    from mlbench.queries.heads import fetch_heads
    from mlbench.render.records import Records

    with reading(home) as reader:
        now = fetch_heads(reader, [head.run_id for head in heads])
        print_rows(Records(("run", column), tuple((head.name, value_of(reader, head)) for head in now)), form)  # type: ignore[misc]


def print_rows(records: Records, form: str | None) -> None:
    """Print records as a table or in the format asked for."""
    from mlbench.render.records import records_table
    from mlbench.render.table import layout

    chosen = chosen_format(form)
    if chosen == "table":
        print_lines(layout(records_table(records), width_cells()))
    else:
        print_records(records, chosen)


def undo_last(home_word: str | None) -> None:
    """Take back the author's last word and say which it was."""
    from mlbench.journal import describe, open_journal

    with open_journal(home_of(home_word)) as journal:
        entry = journal.undo()
    talk(f"taken back: {describe(entry)}" if entry else "there is nothing to take back")


def redo_last(home_word: str | None) -> None:
    """Say again what was taken back last and say which it was."""
    from mlbench.journal import describe, open_journal

    with open_journal(home_of(home_word)) as journal:
        entry = journal.redo()
    talk(f"said again: {describe(entry)}" if entry else "there is nothing to say again")


def tidy(home: Home) -> None:
    """Merge the journal's files where there are many; that it cannot be done is no reason to fail."""
    from mlbench.errors import HomeError
    from mlbench.journal import compact_if_grown

    try:
        merged = compact_if_grown(home.journal)
    except HomeError as error:
        explain(str(error))
    else:
        if merged.n_files:
            explain(f"{merged.n_files} journal files merged into {merged.name}")
