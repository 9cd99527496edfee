"""The lines of the journal: what an entry is, how it is written, and how all of them are read."""

from __future__ import annotations

import json
import os
import re
import time
import zlib
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple, TypeVar

from mlbench.errors import HomeError
from mlbench.model import Problem
from mlbench.paths import Home
from mlbench.wire.files import open_regular

ENDING = ".jsonl"
"""What the names of journal files end in."""
READINGS = 50
"""A journal that changes under every reading is taken as it was in the last: a second of mergings one after another."""
_PAUSE_S = 0.001
"""Before the second reading; each later one waits that much longer, up to 20 times, since the disk is busy."""
_Told = TypeVar("_Told", str, tuple[str, int])
_SURROGATES = re.compile("[\ud800-\udfff]")
CLOCK_LIMIT = 1 << 53
"""Microseconds: the year 2255. A clock beyond it is no clock."""
_ROOT_OPS = frozenset({"root", "root_removed"})
_CHECKSUM = "had a bad checksum"
_SENSE = "made no sense to this version of mlbench"
_TORN = "the last line was cut off while it was written and was left out"
_HINTS = {
    _CHECKSUM: "Restore the file from a backup if there is one",
    _SENSE: "Update mlbench if a newer one writes to this home",
    _TORN: "Nothing that was acknowledged is lost; say the last word again if it is missing",
}


class _ChecksumError(ValueError):
    """The line is not as it was written."""


class RunRef(NamedTuple):
    """A run as a word names it: by its place, and by a fingerprint that it keeps when it moves."""

    key: str
    fingerprint: str = ""


class Entry(NamedTuple):
    """One line of the journal. A tuple, since its natural order is the order of the journal."""

    us: int
    """Hybrid logical clock: Unix microseconds, or more if a later word had been seen."""
    tick: int
    """Hybrid logical clock: tells entries of one `us` apart."""
    actor: str
    number: int
    """1, 2, 3... of this actor; with `actor` the identity of the entry."""
    author: str
    """user@host."""
    op: str
    runs: tuple[RunRef, ...] = ()
    add: tuple[str, ...] = ()
    remove: tuple[str, ...] = ()
    """Tags, ids of replaced notes, or ids of undone entries."""
    key: str = ""
    """Scope, metric, view or (for `adopt`) the run key of before."""
    text: str = ""
    """Name, note, goal, metric, view or root."""

    @property
    def id(self) -> str:
        return f"{self.actor}-{self.number}"


def stamp(home: Home) -> str:
    """A text that differs as soon as the journal has changed; costs one listing, reads nothing."""
    import hashlib

    state = "\n".join(f"{name} {size}" for name, size in journal_files(home.journal))
    return hashlib.blake2b(os.fsencode(state), digest_size=8).hexdigest()


def read_entries(folder: str) -> tuple[tuple[Entry, ...], tuple[Problem, ...]]:
    """The readable entries of all files, in order of the files, and what could not be read. No folder: nothing."""
    lines, problems = read_all_lines(folder)
    return tuple(entry for entry, _ in lines), problems


def read_all_lines(folder: str) -> tuple[list[tuple[Entry, bytes]], tuple[Problem, ...]]:
    """The same with the lines. Where files are merged meanwhile it is read again: no word is missed for a moment."""
    n_left = READINGS
    while True:
        found: list[tuple[Entry, bytes]] = []
        problems: list[Problem] = []
        names = journal_names(folder)
        for name in names:
            found += read_lines(os.path.join(folder, name), problems)
        n_left -= 1
        if not n_left or names == journal_names(folder):
            return found, tuple(problems)
        time.sleep(_PAUSE_S * min(READINGS - n_left, 20))


def export_lines(home: Home) -> Iterator[str]:
    """Each readable line of the journal once, as it was written, with its line end; for `Journal.import_lines`."""
    seen: set[Entry] = set()
    for entry, line in read_all_lines(home.journal)[0]:
        if entry not in seen:
            seen.add(entry)
            yield line.decode() + "\n"


def journal_names(folder: str) -> list[str]:
    """The names of the journal's files, sorted; raises as `journal_files` does."""
    return _listed(folder, lambda item: item.name)


def journal_files(folder: str) -> list[tuple[str, int]]:
    """Name and size in bytes of each journal file, sorted.

    Raises:
        HomeError: the folder cannot be read; one that is not there is empty.
    """
    return _listed(folder, lambda item: (item.name, _size_bytes(item)))


def _listed(folder: str, told: Callable[[os.DirEntry[str]], _Told]) -> list[_Told]:
    try:
        with os.scandir(folder) as items:
            return sorted(told(item) for item in items if item.name.endswith(ENDING))
    except FileNotFoundError:
        return []
    except OSError as error:
        hint = "Try: mlbench --home DIR ..., with a DIR you may read"
        raise HomeError(f"{folder}: the journal cannot be read: {error.strerror}. {hint}") from error


def _size_bytes(item: os.DirEntry[str]) -> int:
    try:
        return item.stat().st_size
    except OSError:  # gone since the listing, or a link to nowhere: the reader will tell
        return 0


def read_lines(path: str, problems: list[Problem], start: int = 0) -> list[tuple[Entry, bytes]]:
    """Entries with their lines from the offset `start` on; what is wrong with others goes to `problems`, by kind."""
    try:
        with open_regular(path) as file:
            file.seek(start)
            lines = file.read().split(b"\n")
    except OSError as error:
        problems.append(Problem(path, f"the journal file could not be read: {error.strerror or error}"))
        return []
    return parse_lines(lines, path, problems)


def parse_lines(lines: Sequence[bytes], path: str, problems: list[Problem]) -> list[tuple[Entry, bytes]]:
    """The good lines of a file split at its line ends: after the last of them stands b'', or else a torn line."""
    found: list[tuple[Entry, bytes]] = []
    bad: dict[str, list[int]] = {}
    for number, line in enumerate(lines, 1):
        if not line:
            continue
        try:
            found.append((_parse(line), line))
        except _ChecksumError:
            bad.setdefault(_TORN if number == len(lines) else _CHECKSUM, []).append(number)
        except (ValueError, RecursionError):
            bad.setdefault(_SENSE, []).append(number)
    problems += (Problem(path, _what(kind, len(at)), f"line {at[0]}", _HINTS[kind]) for kind, at in bad.items())
    return found


def _what(kind: str, n: int) -> str:
    if kind == _TORN:
        return kind
    return f"1 line {kind} and was left out" if n == 1 else f"{n} lines {kind} and were left out"


def _parse(line: bytes) -> Entry:
    """The entry of a line without its end.

    Raises:
        _ChecksumError: the line is not as it was written.
        ValueError: it is no entry.
    """
    crc, _, body = line.partition(b" ")
    if crc != b"%08x" % zlib.crc32(body):
        raise _ChecksumError
    match words := json.loads(body.decode()):
        case {"hlc": [int(us), int(tick)], "actor": str(actor), "n": int(number), "by": str(author), "op": str(op)}:
            key, text = words.get("key", ""), words.get("text", "")
            if 0 <= us < CLOCK_LIMIT and 0 <= tick < CLOCK_LIMIT and isinstance(key, str) and isinstance(text, str):
                runs = tuple(RunRef(*_texts(ref, 2)) for ref in _list(words.get("runs", [])))
                add, remove = _texts(words.get("add", [])), _texts(words.get("remove", []))
                entry = Entry(us, tick, actor, number, author, op, runs, add, remove, key, text)
                return cleaned(entry) if b"\\u" in body else entry  # UTF-8 holds a surrogate only as an escape
    raise ValueError("not an entry of a journal")


def _list(value: object) -> list[object]:
    if isinstance(value, list):
        return value
    raise ValueError("not a list")


def _texts(value: object, n: int | None = None) -> tuple[str, ...]:
    """A list of texts (of exactly `n` if given) as a tuple; ValueError for anything else."""
    items = _list(value)
    texts = tuple(item for item in items if isinstance(item, str))
    if len(texts) != len(items) or n not in {None, len(items)}:
        raise ValueError("not a list of texts")
    return texts


def cleaned(entry: Entry) -> Entry:
    """Without surrogates, which no store and no terminal takes; only roots keep them, since they are opened again."""

    def clean(text: str) -> str:
        return _SURROGATES.sub("\ufffd", text)

    if entry.op in _ROOT_OPS:
        return entry
    return entry._replace(
        actor=clean(entry.actor), author=clean(entry.author), op=clean(entry.op),
        runs=tuple(RunRef(clean(ref.key), clean(ref.fingerprint)) for ref in entry.runs),
        add=tuple(map(clean, entry.add)), remove=tuple(map(clean, entry.remove)),
        key=clean(entry.key), text=clean(entry.text),
    )  # fmt: skip


def line_of(entry: Entry) -> bytes:
    """The line with its end: readable UTF-8 whatever the entry holds."""
    record = {"hlc": entry[:2], "actor": entry.actor, "n": entry.number, "by": entry.author, "op": entry.op}
    record |= {name: value for name, value in zip(Entry._fields[6:], entry[6:], strict=True) if value}
    # A root that is no UTF-8 holds lone surrogates: backslashreplace writes them as JSON spells them, \udcff.
    body = json.dumps(record, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "backslashreplace")
    return b"%08x %b\n" % (zlib.crc32(body), body)
