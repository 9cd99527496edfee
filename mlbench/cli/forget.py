"""`mlbench forget RUN...` and `mlbench forget --person TEXT`."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import click

from mlbench.cli.common import (
    format_option,
    home_of,
    home_option,
    reading,
    select_runs,
    talk,
    talk_of_none,
    warn,
    where_option,
    within_option,
)
from mlbench.cli.completing import complete_runs
from mlbench.cli.words import print_rows

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mlbench.journal import Rewritten
    from mlbench.paths import Home
    from mlbench.queries.answers import RunHead

MOST_NAMED = 5


@click.command("forget")
@click.argument("runs", nargs=-1, metavar="RUN...", shell_complete=complete_runs)
@click.option("--person", metavar="TEXT", help="Forget a user, host or mail address instead of runs.")
@click.option("--yes", "is_sure", is_flag=True, help="Do not ask.")
@where_option
@within_option
@home_option
@format_option
def command(
    runs: tuple[str, ...], person: str | None, is_sure: bool, where: str | None, within: tuple[str, ...],
    home: str | None, form: str | None,
) -> None:  # fmt: skip
    """Take runs out of catalog and journal, or put `forgotten` in place of a person's name. There is no undo.

    Logs are never touched. A run whose files are still there is read again by the next ingest, without its words: to
    be rid of it delete its files first, or archive it instead. Of a person the words stay, said by nobody; TEXT is
    found as a whole word, without regard to case. Archived journal files and older copies of the catalog are
    rewritten too. Exports and reports that you made before are not.

    \b
    mlbench forget 'sweep/broken-*'
    mlbench forget --where 'status = missing'
    mlbench forget --person ada@example.org
    """
    place = home_of(home)
    if person is None:
        _forget_runs(place, runs, where, within, form, is_sure=is_sure)
    elif runs or where is not None or within:
        raise click.UsageError("forget either runs or a person")
    else:
        _forget_person(place, person, form, is_sure=is_sure)


# ---------------------------------------------------------------- runs


def _forget_runs(
    place: Home, words: Sequence[str], where: str | None, within: Sequence[str], form: str | None, *, is_sure: bool
) -> None:
    from mlbench import journal
    from mlbench.catalog import forgetting

    with reading(place) as reader:
        heads = select_runs(reader, words, where, within)
        keys = {head.key for head in heads}
        keys |= {old for old, new in reader.moved.items() if new in keys}
    if not heads:
        talk_of_none("no run matches, nothing was forgotten")
        return
    said = journal.forget_runs(place, keys, is_dry=True)
    _ask(f"forget {_named(heads)} and {_entries(said.n_removed + said.n_changed)} of the journal", is_sure=is_sure)
    said = journal.forget_runs(place, keys)
    rows = forgetting.forget_runs(place, [head.run_id for head in heads])
    _print(said, rows, form)
    _tell_what_comes_back(place, heads)


def _named(heads: Sequence[RunHead]) -> str:
    names = ", ".join(head.name for head in heads[:MOST_NAMED])
    more = f" and {len(heads) - MOST_NAMED} more" if len(heads) > MOST_NAMED else ""
    return f"{len(heads)} run{'' if len(heads) == 1 else 's'} ({names}{more})"


def _entries(n: int) -> str:
    return f"{n} {'entry' if n == 1 else 'entries'}"


def _tell_what_comes_back(place: Home, heads: Sequence[RunHead]) -> None:
    """What is still on the disk will be read again: said now, so that it does not come back silently."""
    there = [head for head in heads if os.path.exists(head.path.partition("#")[0])]
    if there:
        warn(
            f"the files of {_named(there)} are still there: the next ingest reads them again. "
            "Delete them, or archive the runs instead"
        )
    _leave_empty_roots(place)


def _leave_empty_roots(place: Home) -> None:
    """A directory that is gone, and of which no run is known any more, is not asked for at every start."""
    from mlbench.journal import open_journal

    with reading(place) as reader:
        known = {root for (root,) in reader.rows("SELECT DISTINCT root FROM run")}
        gone = [root for root in reader.words.roots if not os.path.exists(root) and root not in known]
    with open_journal(place) as journal:
        for root in gone:
            journal.remove_root(root)
            talk(f"{root}: is gone and no run of it is known any more; it is not looked for again")


# ---------------------------------------------------------------- persons


def _forget_person(place: Home, text: str, form: str | None, *, is_sure: bool) -> None:
    from mlbench import journal
    from mlbench.catalog import forgetting

    person = journal.Person(text)
    said = journal.forget_person(place, person, is_dry=True)
    _ask(
        f"put '{journal.NOBODY}' in place of '{person.text}' in {_entries(said.n_changed)} of the journal and in the "
        "catalog",
        is_sure=is_sure,
    )
    said = journal.forget_person(place, person)
    rows = forgetting.forget_person(place, person.text) if forgetting.has_catalog(place) else {}
    _print(said, rows, form)
    left = {*journal.places_of(place, person)}
    left |= {*forgetting.places_of(place, person.text)} if forgetting.has_catalog(place) else set()
    for path in sorted(left)[:MOST_NAMED]:
        warn(f"{path}: is named so on the disk and stays. Rename it, or forget its runs")
    if len(left) > MOST_NAMED:
        warn(f"{len(left) - MOST_NAMED} more paths are named so and stay")
    for cache in _others_caches(place):
        warn(f"{cache}: the catalog of another user or host, which may name the person. There: mlbench forget --person")
    if rows:
        talk("logs that name the person do so again when they are read again: clean them first")


def _others_caches(place: Home) -> list[str]:
    above, own = os.path.split(place.cache)
    try:
        return [os.path.join(above, name) for name in sorted(os.listdir(above)) if name != own]
    except OSError:
        return []


# ---------------------------------------------------------------- both


def _ask(what: str, *, is_sure: bool) -> None:
    """Go on only after a yes.

    Raises:
        UsageError: there is nobody to ask.
        Abort: the answer is no.
    """
    if is_sure:
        return
    if not sys.stdin.isatty():
        raise click.UsageError(f"this would {what}, for good. To do it without being asked: --yes")
    from mlbench.safe import safe

    click.confirm(safe(f"This will {what}, for good. Go on?"), abort=True, err=True)


def _print(said: Rewritten, rows: Mapping[str, int], form: str | None) -> None:
    from mlbench.render.records import Records

    journal = (
        ("entries removed", said.n_removed),
        ("entries changed", said.n_changed),
        ("damaged lines removed", said.n_damaged),
        ("files rewritten", said.n_files),
        ("archived files rewritten", said.n_archived),
    )
    listed = [("journal", what, n) for what, n in journal if n]
    listed += [("catalog", what, n) for what, n in sorted(rows.items())]
    if not listed:
        talk("nothing was found that would have to go")
    print_rows(Records(("where", "what", "n"), tuple(listed)), form)
