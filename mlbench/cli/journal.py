"""`mlbench journal [export|import|compact] [FILE]`."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import click

from mlbench.cli.common import emit, format_option, home_of, home_option, talk, warn
from mlbench.cli.words import print_rows
from mlbench.errors import SourceError
from mlbench.queries.vocabulary import counted

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mlbench.paths import Home

ACTIONS = ("export", "import", "compact")


@click.command("journal")
@click.argument("action", required=False, metavar="[export|import|compact]", type=click.Choice(ACTIONS))
@click.argument("file", required=False, metavar="[FILE]", type=click.Path())
@click.option("--force", "is_forced", is_flag=True, help="Replace a FILE that is there.")
@home_option
@format_option
def command(action: str | None, file: str | None, is_forced: bool, home: str | None, form: str | None) -> None:
    """List the journal's files, write all words into FILE, or take in those of FILE, another journal's.

    FILE may be - for standard output or input; import also takes the folder of a journal. Importing is safe to repeat
    and in any order: each word counts once. compact merges the files into one, which happens by itself when there are
    many; it keeps every word and puts the old files into journal/archive.

    \b
    mlbench journal export words.jsonl
    mlbench journal import words.jsonl
    """
    place = home_of(home)
    if action in ("export", "import") and not file:
        raise click.UsageError(f"give the FILE to {action}, or - ")
    if action not in ("export", "import") and file:
        raise click.UsageError(f"journal {action} takes no FILE")
    if action == "export":
        _export(place, file or "", is_forced=is_forced)
    elif action == "import":
        _import(place, file or "")
    elif action == "compact":
        _compact(place)
    else:
        _list(place, form)


def _export(place: Home, file: str, *, is_forced: bool) -> None:
    from mlbench.journal import export_lines
    from mlbench.render.export import write_file

    lines = list(export_lines(place))
    if file == "-":
        emit("".join(lines).encode("utf-8", "backslashreplace").decode())
    else:
        write_file(file, "".join(lines), is_new=not is_forced)
    talk(f"{counted(len(lines), 'entry', 'entries')} written")


def _import(place: Home, file: str) -> None:
    from mlbench.journal import open_journal

    n_new, n_seen = 0, 0
    with open_journal(place) as journal:
        for path in _files_of(file):
            lines = _lines_of(path)
            n_seen += len(lines)
            n, problems = journal.import_lines(lines, path)
            n_new += n
            for problem in problems:
                warn(f"{problem.path}: {problem.place}: {problem.what}. {problem.hint}".replace(": : ", ": "))
    talk(f"{n_new} new of {n_seen} entries; the others were here already")


def _files_of(file: str) -> Iterable[str]:
    from mlbench.journal.entries import journal_names

    if not os.path.isdir(file):
        return [file]
    names = journal_names(file)
    if not names:
        raise SourceError(
            f"{file}: there are no journal files in this folder. Try: the folder that mlbench doctor tells"
        )
    return [os.path.join(file, name) for name in names]


def _lines_of(path: str) -> list[str]:
    try:
        if path == "-":
            return sys.stdin.buffer.read().decode("utf-8", "surrogateescape").splitlines(keepends=True)
        with open(path, encoding="utf-8", errors="surrogateescape", newline="\n") as lines:
            return list(lines)
    except OSError as error:
        raise SourceError(f"{path}: cannot be read: {error.strerror}. Give a file of mlbench journal export") from error


def _compact(place: Home) -> None:
    from mlbench.journal import compact

    merged = compact(place.journal)
    if not merged.n_files:
        talk("there is nothing to merge")
    else:
        talk(f"{merged.n_files} files merged into {merged.name}, {merged.n_entries} entries; they are in archive/ now")
    if merged.n_left:
        warn(f"{merged.n_left} files with damaged lines stay as they are. Try: mlbench doctor --fsck")


def _list(place: Home, form: str | None) -> None:
    from mlbench.journal.entries import journal_files, read_lines
    from mlbench.model import Problem
    from mlbench.render.records import Records

    rows = []
    for name, size_bytes in journal_files(place.journal):
        problems: list[Problem] = []
        entries = read_lines(os.path.join(place.journal, name), problems)
        authors = tuple(sorted({entry.author for entry, _line in entries}))
        rows.append((name, len(entries), authors, size_bytes, len(problems)))
    print_rows(Records(("file", "entries", "authors", "size_bytes", "problems"), tuple(rows)), form)
    talk(f"{place.journal}: {len(rows)} {'file' if len(rows) == 1 else 'files'}")
