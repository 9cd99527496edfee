"""What differs between a repository's work tree and its HEAD, from the index, without running git.

Index format: https://git-scm.com/docs/index-format (versions 2 to 4). Files whose size and time are those of the index
are taken as unchanged, as git does. Filters (LFS, line ends) are not run: a file they would change back is changed.
"""

from __future__ import annotations

import difflib
import hashlib
import os
import stat
import struct
from collections.abc import Iterator

from mlbench.dataclass import dataclass
from mlbench.wire.files import is_lfs_pointer, open_regular
from mlbench.wire.gitobjects import Entry, Objects, entry_at, read_blob
from mlbench.wire.gitrepo import Repository, files_at, read_state

MAX_ENTRIES = 200_000
MAX_INDEX_BYTES = 128 << 20
MAX_FILE_BYTES = 512 << 10
"""Of a file whose change is written out; of larger ones only that they changed."""
MAX_PATCH_BYTES = 4 << 20
_FIXED = struct.Struct(">10I")
_EXTENDED = 0x4000
_GITLINK = 0o160000


class GitIndexError(ValueError):
    """The index cannot be read; the message is a sentence."""


@dataclass(frozen=True, slots=True)
class IndexEntry:
    path: bytes
    mode: int
    oid: str
    size: int
    mtime_s: int
    mtime_ns: int


@dataclass(frozen=True, slots=True)
class WorkChange:
    """A tracked file that is not as HEAD has it."""

    path: bytes
    kind: str
    """changed, deleted or added."""


def read_index(data: bytes, hash_size: int = 20) -> list[IndexEntry]:
    """The entries of an index file.

    Raises:
        GitIndexError: it is damaged, or of a version that is not known.
    """
    if data[:4] != b"DIRC" or len(data) < 12:
        raise GitIndexError("this is no git index")
    version, count = struct.unpack_from(">2I", data, 4)
    if version not in (2, 3, 4):
        raise GitIndexError(f"the index is of version {version}, which is not known")
    if count > MAX_ENTRIES:
        raise GitIndexError(f"the index holds {count:,} files, more than {MAX_ENTRIES:,}")
    entries: list[IndexEntry] = []
    at, name = 12, b""
    try:
        for _ in range(count):
            fields = _FIXED.unpack_from(data, at)
            oid = data[at + 40 : at + 40 + hash_size].hex()
            flags_at = at + 40 + hash_size
            (flags,) = struct.unpack_from(">H", data, flags_at)
            name_at = flags_at + (4 if flags & _EXTENDED else 2)
            name, at = _name(data, at, name_at, name, version)
            if not (flags >> 12) & 3:  # not one side of a conflict
                entries.append(IndexEntry(name, fields[6], oid, fields[9], fields[2], fields[3]))
    except (struct.error, ValueError) as error:
        raise GitIndexError("the index is damaged") from error
    return entries


def _name(data: bytes, start: int, name_at: int, before: bytes, version: int) -> tuple[bytes, int]:
    """The name of an entry and where the next one begins."""
    if version == 4:
        strip, name_at = _varint(data, name_at)
        end = data.index(b"\0", name_at)
        return before[: len(before) - strip] + data[name_at:end], end + 1
    end = data.index(b"\0", name_at)
    return data[name_at:end], start + (end - start + 8) // 8 * 8


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = data[at] & 0x7F
    while data[at] & 0x80:
        at += 1
        value = ((value + 1) << 7) | (data[at] & 0x7F)
    return value, at + 1


def work_changes(repository: Repository) -> list[WorkChange]:
    """Tracked files that are not as HEAD has them, in the order of the index.

    Raises:
        GitIndexError: the index cannot be read.
        OSError: likewise.
    """
    objects = repository.objects
    commit = read_state(repository, repository.head.commit) if repository.head.commit else None
    if objects is None or commit is None or repository.folder.is_bare:
        return []
    hash_size = len(repository.head.commit) // 2
    with open_regular(os.path.join(repository.folder.control, "index")) as file:
        data = file.read(MAX_INDEX_BYTES)
    entries = read_index(data, hash_size)
    is_as_head = commit.tree in _cached_tree(data, hash_size)
    wanted = {entry.path: entry.oid for entry in entries} if is_as_head else _ids_below(objects, commit.tree)
    changes: list[WorkChange] = []
    for entry in entries:
        before = wanted.pop(entry.path, "")
        if entry.mode != _GITLINK and (kind := _kind(before, _oid_in_work_tree(entry, repository.folder.path))):
            changes.append(WorkChange(entry.path, kind))
    changes += [WorkChange(path, "deleted") for path in sorted(wanted)]
    return changes


def _ids_below(objects: Objects, tree: str) -> dict[bytes, str]:
    """The identity of every file of a tree by its path."""
    files = files_at(objects, tree, limit=MAX_ENTRIES)
    return {os.fsencode(path): entry.id for path, entry in files.items()}


def _kind(before: str, now: str) -> str:
    """How a file differs, '' if it does not; '' stands for a file that is not there."""
    if before == now:
        return ""
    return "added" if not before else "changed" if now else "deleted"


def _oid_in_work_tree(entry: IndexEntry, top: str) -> str:
    """The identity of the file as it lies there, '' if it is gone."""
    path = os.path.join(os.fsencode(top), entry.path)
    try:
        status = os.lstat(path)
    except OSError:
        return ""
    seconds, rest = divmod(status.st_mtime_ns, 1_000_000_000)
    if (status.st_size & 0xFFFFFFFF, seconds & 0xFFFFFFFF, rest) == (entry.size, entry.mtime_s, entry.mtime_ns):
        return entry.oid
    if stat.S_ISLNK(status.st_mode):
        return _oid(os.readlink(path), len(entry.oid))
    if not stat.S_ISREG(status.st_mode):
        return ""
    return _oid_of_file(os.fsdecode(path), status.st_size, len(entry.oid))


def _oid_of_file(path: str, size: int, n_digits: int) -> str:
    digest = _hasher(n_digits)
    digest.update(b"blob %d\0" % size)
    try:
        with open_regular(path) as file:
            while block := file.read(1 << 20):
                digest.update(block)
    except OSError:
        return "unreadable"
    return digest.hexdigest()


def _oid(data: bytes, n_digits: int) -> str:
    digest = _hasher(n_digits)
    digest.update(b"blob %d\0" % len(data) + data)
    return digest.hexdigest()


def _hasher(n_digits: int) -> hashlib._Hash:
    return hashlib.sha256() if n_digits == 64 else hashlib.sha1(usedforsecurity=False)


def _cached_tree(data: bytes, hash_size: int) -> set[str]:
    """The tree that the index was made from, where it says so and nothing was staged since (extension `TREE`)."""
    at = data.rfind(b"TREE")
    if at < 0:
        return set()
    body = data[at + 8 :]
    line, newline, rest = body[1:64].partition(b"\n") if body[:1] == b"\0" else (b"", b"", b"")
    count = line.split(b" ")[0]
    if not newline or not count.isdigit():
        return set()
    return {rest[:hash_size].hex()} if len(rest) >= hash_size else {body[2 + len(line) :][:hash_size].hex()}


def work_patch(repository: Repository, changes: list[WorkChange], *, limit_bytes: int = MAX_PATCH_BYTES) -> str:
    """The changes as a unified diff against HEAD; binary and large files are named only."""
    objects = repository.objects
    commit = read_state(repository, repository.head.commit)
    if objects is None or commit is None:
        return ""
    parts: list[str] = []
    size = 0
    for change in changes:
        text = "".join(_file_patch(objects, commit.tree, repository.folder.path, change))
        size += len(text)
        if size > limit_bytes:
            parts.append(f"# {len(changes) - len(parts)} more files changed\n")
            break
        parts.append(text)
    return "".join(parts)


def _file_patch(objects: Objects, tree: str, top: str, change: WorkChange) -> Iterator[str]:
    name = os.fsdecode(change.path).encode("utf-8", "replace").decode()
    old = _old_lines(objects, entry_at(objects, tree, change.path))
    new = [] if change.kind == "deleted" else _new_lines(os.path.join(os.fsencode(top), change.path))
    yield f"diff --git a/{name} b/{name}\n"
    if old is None or new is None:
        yield f"Binary files a/{name} and b/{name} differ\n"
        return
    names = ("/dev/null" if change.kind == "added" else f"a/{name}",
             "/dev/null" if change.kind == "deleted" else f"b/{name}")  # fmt: skip
    for line in difflib.unified_diff(old, new, *names):
        yield line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n"


def _old_lines(objects: Objects, entry: Entry | None) -> list[str] | None:
    return [] if entry is None else _lines(read_blob(objects, entry))


def _new_lines(path: bytes) -> list[str] | None:
    try:
        with open_regular(os.fsdecode(path)) as file:
            return _lines(file.read(MAX_FILE_BYTES + 1))
    except OSError:
        return None


def _lines(data: bytes | None) -> list[str] | None:
    """Lines of a text; None for what is binary, too large or cannot be read."""
    if data is None or len(data) > MAX_FILE_BYTES or b"\0" in data or is_lfs_pointer(data):
        return None
    return data.decode("utf-8", "replace").splitlines(keepends=True)
