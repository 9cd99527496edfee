"""The answer that the last session saw first, kept in the cache: the next one paints it before DuckDB is loaded.

What is kept is of exactly one state of snapshot, journal and program, and of the question that the kept view asks;
anything else means that it is asked as ever. It is JSON and numbers, so that nothing that is read can run. The
workbench asks anew as soon as the rows are on the screen, since what is running may have stalled by then.
"""

from __future__ import annotations

import json
import os
import sys
import zlib
from array import array
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from mlbench.catalog.connection import CURRENT, FIRST_ANSWER, SCHEMA_VERSION
from mlbench.paths import Home
from mlbench.queries.ids import Ids

if TYPE_CHECKING:
    from mlbench.queries.answers import RunHead, RunRow
    from mlbench.tui.session import RunsFound, RunsQuestion

_FORMAT = 1
"""Raised when the file looks otherwise, or the same question has another answer than before."""
MOST_BYTES = 64 << 20
"""A file that is larger is none of ours: a million runs take 20 MB."""
CHANGING = frozenset({"running", "stalled"})
"""Statuses that the clock changes: rows with them are asked for again, not kept."""


def stamp_of(home: Home) -> tuple[object, ...]:
    """What is another one when the snapshot or the journal is."""
    link = os.path.join(home.cache, CURRENT)
    try:
        name = os.readlink(link)
        status = os.stat(link)
        snapshot: tuple[object, ...] = (name, status.st_size, status.st_mtime_ns, status.st_ino)
    except OSError:
        snapshot = ()
    return (snapshot, _journal_stamp(home.journal))


def _journal_stamp(folder: str) -> tuple[tuple[str, int], ...]:
    """Names and sizes of the journal's files: they only grow."""
    try:
        with os.scandir(folder) as entries:
            return tuple(sorted((entry.name, entry.stat().st_size) for entry in entries))
    except OSError:
        return ()


class Known:
    """A kept answer that is still true."""

    def __init__(self, found: RunsFound, stamp: object) -> None:
        self._found = found
        self._stamp = stamp

    def take(self, question: RunsQuestion, stamp: object) -> RunsFound | None:
        """The answer; None where it is one to another question or of another catalog."""
        found = self._found
        is_this = question == found.question and stamp == self._stamp
        return found if is_this and _has_near(found, question.near) else None

    def leave(self) -> None:
        """Nobody has to be told."""


class FirstAnswer:
    """The file in which the answer of one scope is kept."""

    def __init__(self, home: Home, digest: str) -> None:
        self._home = home
        self._path = os.path.join(home.cache, f"{FIRST_ANSWER}{digest}")
        self._written: object = None
        """What tells the answer that was written last from others."""

    def load(self, question: RunsQuestion) -> Known | None:
        """What was kept, if it is the answer to this question as things are now."""
        try:
            with open(self._path, "rb") as file:
                content = file.read(MOST_BYTES + 1)
            stamp = stamp_of(self._home)
            found = _decoded(content, stamp)
        except (OSError, ValueError, TypeError, KeyError, IndexError, AttributeError, RecursionError):
            return None
        known = Known(found, stamp)
        return known if known.take(question, stamp) is not None else None

    def save(self, found: RunsFound, stamp: object) -> None:
        """Keep an answer of the catalog as it was at a stamp, in place of another one; what cannot be kept is not.

        Raises nothing: a folder that cannot be written keeps nothing.
        """
        key = (stamp, found.question, found.first)
        if key == self._written or stamp != stamp_of(self._home) or not _is_lasting(found):
            return
        temporary = f"{self._path}.{os.getpid()}.tmp"
        try:
            content = _encoded(found, stamp)
            descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with open(descriptor, "wb") as file:
                file.write(content)
            os.replace(temporary, self._path)
            self._written = key
        except (OSError, TypeError, ValueError):
            return


def _has_near(found: RunsFound, near: str) -> bool:
    """Whether the rows around a run are among those that are kept."""
    place = found.listing.place_of(near) if near and len(found.listing.ids) > len(found.answer.rows) else None
    return found.first <= (place or 0) < found.first + max(len(found.answer.rows), 1)


def _is_lasting(found: RunsFound) -> bool:
    """Whether the clock changes none of the rows, and whether it is a list of runs that can be written."""
    statuses = {row.head.status for row in found.answer.rows}
    return not statuses & CHANGING and not found.listing.groups and _are_plain(found.listing.ids)


# ---------------------------------------------------------------- what a file holds


def _are_plain(ids: Sequence[str]) -> bool:
    """Whether a line can hold each of them."""
    return "\n" not in ids.text if isinstance(ids, Ids) else all("\n" not in one for one in ids)


def _made_by() -> list[object]:
    """What is another one for another program: one that was installed since may give other columns to a question."""
    try:
        installed = os.stat(__file__).st_mtime_ns
    except OSError:  # from an archive
        installed = 0
    return [_FORMAT, SCHEMA_VERSION, sys.byteorder, installed]


def _encoded(found: RunsFound, stamp: object) -> bytes:
    """The checksum and a line of JSON, then the ids and their numbers in the pivot. Raises TypeError for odd values."""
    answer, question, listing = found.answer, found.question, found.listing
    width = listing.ids.width if isinstance(listing.ids, Ids) else 0
    ids = (listing.ids.text if isinstance(listing.ids, Ids) else "\n".join(listing.ids)).encode()
    head = {
        "made": _made_by(), "stamp": stamp, "ids": [len(ids), width],
        "question": [question.query, question.sort, question.columns, question.by, question.near],
        "columns": [[one.spec, one.title, one.kind, one.goal, one.alias] for one in answer.columns],
        "rows": [_row_out(row) for row in answer.rows],
        "answer": [answer.n_matched, answer.n_runs, answer.remarks],
        "listing": [listing.n_runs, listing.remarks],
        "found": [found.columns, found.first, found.best, found.folders, found.curve, found.is_fresh],
        "baseline": None if found.baseline is None else _head_out(found.baseline),
    }  # fmt: skip
    body = b"\n".join((json.dumps(head, separators=(",", ":")).encode(), ids + array("i", listing.numbers).tobytes()))
    return b"%08x\n" % zlib.crc32(body) + body


def _decoded(content: bytes, stamp: object) -> RunsFound:
    """The answer. Raises ValueError and its like where it is none, or not of this state."""
    from mlbench.queries.answers import Column, Listing, RunsAnswer
    from mlbench.tui.session import RunsFound, RunsQuestion

    if len(content) > MOST_BYTES or int(content[:8], 16) != zlib.crc32(memoryview(content)[9:]):
        raise ValueError("cut or damaged")
    end = content.index(b"\n", 9)
    head: dict[str, Any] = json.loads(content[9:end])
    if head["made"] != _made_by() or head["stamp"] != json.loads(json.dumps(stamp)):
        raise ValueError("of another state")
    n_bytes, width = head["ids"]
    middle = end + 1 + n_bytes
    ids = content[end + 1 : middle].decode()
    numbers = array("i")
    numbers.frombytes(content[middle:])
    query, sort, columns, by, near = head["question"]
    n_matched, n_runs, remarks = head["answer"]
    n_listed, its_remarks = head["listing"]
    specs, first, best, folders, curve, is_fresh = head["found"]
    return RunsFound(
        RunsQuestion(query, tuple(sort), tuple(columns), tuple(by), near),
        RunsAnswer(tuple(Column(*one) for one in head["columns"]), tuple(map(_row_in, head["rows"])), n_matched,
                   n_runs, tuple(remarks)),
        tuple(specs),
        Listing(_ids_in(ids, width), numbers, n_listed, tuple(its_remarks)),
        first, tuple(best), folders, curve,
        None if head["baseline"] is None else _head_in(head["baseline"]), is_fresh,
    )  # fmt: skip


def _ids_in(text: str, width: int) -> Sequence[str]:
    """The ids: joined if they have one width, else a line for each."""
    if width:
        return Ids(text, width)
    return tuple(text.split("\n")) if text else ()


def _row_out(row: RunRow) -> list[Any]:
    return [_head_out(row.head), [_value_out(value) for value in row.values]]


def _row_in(row: Sequence[Any]) -> RunRow:
    from mlbench.queries.answers import RunRow

    return RunRow(_head_in(row[0]), tuple([_value_in(value) for value in row[1]]))


def _head_out(head: RunHead) -> list[Any]:
    return [
        head.run_id, head.key, head.fingerprint, head.name, head.path, head.status, head.is_baseline,
        head.is_archived, head.tags, head.has_note, head.status_how, _value_out(head.since),
    ]  # fmt: skip


def _head_in(values: Sequence[Any]) -> RunHead:
    from mlbench.queries.answers import RunHead

    run_id, key, fingerprint, name, path, status, is_baseline, is_archived, tags, has_note, how, since = values
    return RunHead(run_id, key, fingerprint, name, path, status, is_baseline, is_archived, tuple(tags), has_note, how,
                   _value_in(since))  # fmt: skip


def _value_out(value: object) -> object:
    """A value as JSON has it; a moment and a list of tags as a list that names its kind."""
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, datetime):
        return ["t", value.isoformat()]
    if isinstance(value, tuple) and all(isinstance(tag, str) for tag in value):
        return ["g", *value]
    raise TypeError(type(value).__name__)


def _value_in(value: Any) -> Any:  # noqa: ANN401 - a cell's value
    if not isinstance(value, list):
        return value
    return datetime.fromisoformat(value[1]) if value[0] == "t" else tuple(value[1:])
