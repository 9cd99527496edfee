"""What is taken out of the journal when a run or a person is forgotten."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Collection, Iterable

from mlbench.errors import UsageError
from mlbench.journal.entries import Entry, read_all_lines
from mlbench.journal.folding import history_of
from mlbench.journal.rewriting import ARCHIVE, Rewritten, rewrite
from mlbench.paths import Home

NOBODY = "forgotten"
"""What stands where a person's name stood."""
LEAST_LETTERS = 2
_PLACES = frozenset({"root", "root_removed"})


def forget_runs(home: Home, keys: Collection[str], *, is_dry: bool = False) -> Rewritten:
    """Take out every word that was said of the runs with these keys. Words said of others at once stay for the others.

    Where a forgotten run was the baseline there is none from then on: an older one does not come back by itself.

    Raises:
        HomeError: as `rewriting.rewrite`.
    """
    gone: set[str] = set()
    for entry in history_of(_everything(home)):
        is_undo_of_gone = entry.op == "undo" and entry.remove and gone.issuperset(entry.remove)
        if is_undo_of_gone or _without(entry, keys) is None:
            gone.add(entry.id)

    def change(entry: Entry) -> Entry | None:
        return None if entry.id in gone else _without(entry, keys)

    spelled = [json.dumps(key, ensure_ascii=False)[1:-1].encode("utf-8", "backslashreplace") for key in keys]
    return rewrite(home.journal, change, lambda line: any(key in line for key in spelled), is_dry=is_dry)


def _everything(home: Home) -> Iterable[Entry]:
    for folder in (home.journal, os.path.join(home.journal, ARCHIVE)):
        yield from (entry for entry, _line in read_all_lines(folder)[0])


def _without(entry: Entry, keys: Collection[str]) -> Entry | None:
    """The entry without these runs; None where nothing of it is left."""
    left = tuple(ref for ref in entry.runs if ref.key not in keys)
    if entry.op == "adopt" and (entry.key in keys or not left):
        return None
    if len(left) == len(entry.runs):
        return entry
    return entry._replace(runs=left) if left or entry.op == "baseline" else None


class Person:
    """A user, host or mail address, found as a whole word and without regard to case."""

    def __init__(self, text: str) -> None:
        """Raises UsageError for a text that would be found everywhere."""
        self.text = text.strip()
        if sum(map(str.isalnum, self.text)) < LEAST_LETTERS:
            raise UsageError(f"{text!r} is too short to tell a person by. Give a user, a host or a mail address")
        self._pattern = re.compile(rf"(?<![^\W_]){re.escape(self.text)}(?![^\W_])", re.IGNORECASE)
        self._bytes = re.compile(re.escape(self.text.encode("utf-8", "replace")), re.IGNORECASE)

    def is_in(self, text: str) -> bool:
        return self._pattern.search(text) is not None

    def is_in_bytes(self, line: bytes) -> bool:
        """Anywhere: of a damaged line it is not known where its words end."""
        return self._bytes.search(line) is not None

    def taken_from(self, text: str) -> str:
        return self._pattern.sub(NOBODY, text)


def forget_person(home: Home, person: Person, *, is_dry: bool = False) -> Rewritten:
    """Take a person's name out of every entry and every file name. What the person said stays, said by nobody.

    Paths of runs and of directories stay as they are, since logs are found by them: see `places_of`.

    Raises:
        HomeError: as `rewriting.rewrite`.
    """

    def change(entry: Entry) -> Entry:
        return _without_person(entry, person)

    return rewrite(home.journal, change, person.is_in_bytes, person.taken_from, is_dry=is_dry)


def _without_person(entry: Entry, person: Person) -> Entry:
    clean = person.taken_from
    entry = entry._replace(author=clean(entry.author))
    if entry.op in _PLACES or entry.op == "adopt":
        return entry
    if entry.op == "tag":
        entry = entry._replace(add=tuple(map(clean, entry.add)), remove=tuple(map(clean, entry.remove)))
    return entry._replace(key=clean(entry.key), text=clean(entry.text))


def places_of(home: Home, person: Person) -> tuple[str, ...]:
    """Paths in the journal that name the person, sorted; they go when their runs and directories are forgotten."""
    found = {ref.key for entry in _everything(home) for ref in entry.runs}
    found |= {entry.text for entry in _everything(home) if entry.op in _PLACES}
    found |= {entry.key for entry in _everything(home) if entry.op == "adopt"}
    return tuple(sorted(path for path in found if person.is_in(path)))
