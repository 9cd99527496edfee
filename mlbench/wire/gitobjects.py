"""Commits, trees and blobs of a git repository that a stranger owns.

Only dulwich's object store is used, never its `Repo`: opening one deletes folders in a repository that says it
keeps its refs in a reftable, and refuses partial clones. Nothing here runs a program, a filter or a hook, nothing
is written, and what is missing or damaged is None.
"""

from __future__ import annotations

import os
import re
import stat
import struct
import zlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, TypeAlias

from mlbench.dataclass import dataclass
from mlbench.wire.files import open_regular

if TYPE_CHECKING:
    from dulwich.object_store import DiskObjectStore

MAX_OBJECT_BYTES = 64 << 20
"""Larger ones are taken as missing: no source file or tree comes near it."""
MAX_CHANGES = 100_000
MAX_DEPTH = 128
"""Folders in folders; git itself stops at 2048, people before 20."""

_COMMIT, _TREE, _BLOB = 1, 2, 3
_HEX = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_PREFIX = re.compile(r"[0-9a-f]{7,64}")
_FAN_OUT = struct.Struct(">256I")
"""At the beginning of a pack's index: how many names there are up to each first byte."""


@dataclass(frozen=True, slots=True)
class Objects:
    """An open object store; read by the functions of this module. Not shared between threads."""

    path: str
    """The folder `objects`."""
    oid_bytes: int
    """20 for SHA-1, 32 for SHA-256."""
    store: DiskObjectStore


@dataclass(frozen=True, slots=True)
class Commit:
    id: str
    tree: str
    parents: tuple[str, ...]
    committed_s: float
    authored_s: float
    subject: str
    """First line of the message, at most 300 characters, as written."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One name in a tree."""

    mode: int
    id: str

    @property
    def is_tree(self) -> bool:
        return stat.S_ISDIR(self.mode)

    @property
    def is_blob(self) -> bool:
        return stat.S_ISREG(self.mode) or stat.S_ISLNK(self.mode)


@dataclass(frozen=True, slots=True)
class Change:
    """One path whose entry differs between two trees; a folder only where it is there on one side alone."""

    path: bytes
    old: Entry | None
    new: Entry | None


@dataclass(slots=True)
class _Walk:
    """Places still to compare: path, tree before, tree after."""

    todo: list[tuple[bytes, str, str]]
    n_left: int


def open_objects(path: str, *, object_format: str) -> Objects:
    """Open the folder `objects` of a repository.

    Raises:
        ValueError: the format is unknown, or the folder holds a pack or list that is no regular file.
        OSError: it cannot be listed.
    """
    from dulwich.object_format import get_object_format
    from dulwich.object_store import DiskObjectStore

    _refuse_special_files(path)
    known = get_object_format(object_format)
    store = DiskObjectStore(path, object_format=known, loose_object_size_limit=MAX_OBJECT_BYTES)
    return Objects(path, known.oid_length, store)


def _refuse_special_files(path: str) -> None:
    # A FIFO in place of a pack would block the first read for ever.
    for folder in (path, os.path.join(path, "pack"), os.path.join(path, "info")):
        if folder != path and not os.path.isdir(folder):
            continue
        with os.scandir(folder) as entries:
            special = [entry.name for entry in entries if not (entry.is_dir() or entry.is_file())]
        if any(os.path.exists(os.path.join(folder, name)) for name in special):
            raise ValueError(f"{special[0]} is no regular file")


def _damage() -> tuple[type[Exception], ...]:
    """What dulwich raises for objects that are missing, damaged or made to harm."""
    from dulwich import errors
    from dulwich.pack import PackFileDisappeared, UnresolvedDeltas

    return (
        LookupError, ValueError, OSError, TypeError, AssertionError, ArithmeticError, AttributeError, EOFError,
        MemoryError, RecursionError, struct.error, zlib.error, errors.ChecksumMismatch, errors.ApplyDeltaError,
        errors.WrongObjectException, errors.FileFormatException, PackFileDisappeared, UnresolvedDeltas,
    )  # fmt: skip


def _read(objects: Objects, oid: str, kind: int) -> bytes | None:
    from dulwich.objects import ObjectID

    if len(oid) != 2 * objects.oid_bytes or not _HEX.fullmatch(oid):
        return None
    try:
        loose = os.path.join(objects.path, oid[:2], oid[2:])
        if os.path.lexists(loose) and not os.path.isfile(loose):
            return None
        found, content = objects.store.get_raw(ObjectID(oid.encode()))
    except _damage():
        return None
    return content if found == kind and len(content) <= MAX_OBJECT_BYTES else None


def full_id(objects: Objects, recorded: str) -> str | None:
    """The whole id of an object whose id, or the first 7 or more digits of it, was written down."""
    recorded = recorded.strip().lower()
    if len(recorded) == 2 * objects.oid_bytes or not _PREFIX.fullmatch(recorded):
        return recorded if _HEX.fullmatch(recorded) else None
    try:
        _refuse_damaged_indexes(objects)
        found = {oid.decode("ascii") for oid in objects.store.iter_prefix(recorded.encode())}
    except _damage():
        return None
    return found.pop() if len(found) == 1 else None


def _refuse_damaged_indexes(objects: Objects) -> None:
    """A damaged count in the index of a pack lets dulwich (1.2) look at four thousand million names."""
    for place in (objects.path, *(os.fsdecode(getattr(other, "path", "")) for other in objects.store.alternates)):
        folder = os.path.join(place, "pack")
        for name in sorted(os.listdir(folder)) if os.path.isdir(folder) else ():
            if name.endswith(".idx"):
                _refuse_damaged_index(os.path.join(folder, name), objects.oid_bytes)


def _refuse_damaged_index(path: str, oid_bytes: int) -> None:
    with open_regular(path) as file:
        size = os.fstat(file.fileno()).st_size
        head = file.read(_FAN_OUT.size + 8)
    counts = _FAN_OUT.unpack_from(head, 8 if head.startswith(b"\xfftOc") else 0)
    if list(counts) != sorted(counts) or counts[-1] * oid_bytes > size:
        raise ValueError(f"{path} is damaged")


# ---------------------------------------------------------------- commits

_PERSON_TIME = re.compile(rb"> (-?\d{1,15})(?: [+-]\d{1,4})?\s*$")


def read_commit(objects: Objects, oid: str) -> Commit | None:
    """A commit by its whole id; None if it is missing, damaged or something else."""
    raw = _read(objects, oid, _COMMIT)
    return None if raw is None else parse_commit(oid, raw)


def parse_commit(oid: str, raw: bytes) -> Commit | None:
    """A commit from its bytes; None without a tree and the time of the commit."""
    head, _, message = raw.partition(b"\n\n")
    headers: dict[bytes, list[bytes]] = {}
    for line in head.split(b"\n"):
        name, _, value = line.partition(b" ")
        headers.setdefault(name, []).append(value)
    tree = headers.get(b"tree", [b""])[0].decode("ascii", "replace")
    committed = _PERSON_TIME.search(headers.get(b"committer", [b""])[0])
    if not _HEX.fullmatch(tree) or committed is None:
        return None
    authored = _PERSON_TIME.search(headers.get(b"author", [b""])[0]) or committed
    parents = tuple(parent.decode("ascii", "replace") for parent in headers.get(b"parent", []))
    subject = _decode(message.lstrip()[:1200].partition(b"\n")[0], headers.get(b"encoding", [b"utf-8"])[0])
    return Commit(oid, tree, parents, float(committed[1]), float(authored[1]), subject.strip()[:300])


def _decode(text: bytes, encoding: bytes) -> str:
    try:
        return text.decode(encoding.decode("ascii", "replace"), "replace")
    except (LookupError, ValueError):
        return text.decode("utf-8", "replace")


# ---------------------------------------------------------------- trees


_Row: TypeAlias = tuple[bytes, bytes, bytes]
"""Mode, name and id, as git writes them."""


def read_tree(objects: Objects, oid: str) -> list[_Row] | None:
    """A tree's rows; None if it is missing or damaged."""
    raw = _read(objects, oid, _TREE)
    if raw is None:
        return None
    row = rb"([0-7]{5,6}) ([^\0/]+)\0(.{%d})" % objects.oid_bytes
    is_whole = re.fullmatch(rb"(?:%s)*+" % row, raw, re.DOTALL)
    return re.findall(row, raw, re.DOTALL) if is_whole else None


def entry_at(objects: Objects, tree: str, path: bytes) -> Entry | None:
    """The entry of a path (`/` between names) below a tree."""
    entry: Entry | None = Entry(stat.S_IFDIR, tree)
    for name in path.split(b"/"):
        rows = read_tree(objects, entry.id) if entry is not None and entry.is_tree else None
        entry = next((_entry(row) for row in rows or () if row[1] == name), None)
    return entry


def _entry(row: _Row) -> Entry:
    return Entry(int(row[0], 8), row[2].hex())


def read_blob(objects: Objects, entry: Entry | None) -> bytes | None:
    """A file's bytes as git holds them: filters are not run, so a file of Git LFS is its pointer."""
    return _read(objects, entry.id, _BLOB) if entry is not None and entry.is_blob else None


def compare_trees(objects: Objects, old: str, new: str) -> Iterator[Change]:
    """What differs between two trees ('' is the empty one), folder by folder; at most MAX_CHANGES.

    Folders that are equal are not opened. One that cannot be read is taken as empty.
    """
    walk = _Walk([(b"", old, new)], MAX_CHANGES)
    while walk.todo and walk.n_left > 0:
        folder, before, after = walk.todo.pop()
        yield from _compare_folder(walk, folder, _rows(objects, before), _rows(objects, after))


def _rows(objects: Objects, tree: str) -> set[_Row]:
    return set(read_tree(objects, tree) or ()) if tree else set()


def _compare_folder(walk: _Walk, folder: bytes, before: set[_Row], after: set[_Row]) -> Iterator[Change]:
    olds, news = ({row[1]: _entry(row) for row in side} for side in (before - after, after - before))
    for name in sorted(olds.keys() | news.keys()):
        walk.n_left -= 1
        if walk.n_left < 0:
            return
        old, new = olds.get(name), news.get(name)
        old_tree = old.id if old is not None and old.is_tree else ""
        new_tree = new.id if new is not None and new.is_tree else ""
        path = folder + name
        if (old_tree or new_tree) and path.count(b"/") < MAX_DEPTH:
            walk.todo.append((path + b"/", old_tree, new_tree))
        if not (old_tree and new_tree):
            yield Change(path, old, new)
