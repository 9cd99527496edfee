"""Rewriting journal files, the only exception to append-only: many are merged into one, or something is forgotten.

A file is read while it is held alone (`holding`), its new content is written beside it, synced and renamed into place:
a crash leaves the old file or the new one. A process that was appending to it begins a file of its own.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager

from mlbench.dataclass import dataclass
from mlbench.errors import HomeError
from mlbench.journal.entries import ENDING, Entry, journal_names, line_of, parse_lines, read_lines
from mlbench.journal.holding import hold_alone, is_in_place, sync_folder
from mlbench.model import Problem

ARCHIVE = "archive"
"""Folder in the journal's for files that were merged: nobody reads them, `forget` rewrites them too."""
GROWN_FILES = 200
"""So many files make a journal worth merging: each costs an open for every command."""
AT_ONCE = 500
"""Files that one merging takes, each held open until it is done; most systems allow 1,024."""


@dataclass(frozen=True, slots=True)
class Merged:
    """What a merging did."""

    n_files: int = 0
    """Files that were archived; 0: there was nothing to merge."""
    n_entries: int = 0
    """Entries of the new file."""
    n_left: int = 0
    """Files that stay as they are, since some of their lines are damaged."""
    name: str = ""
    """The new file."""


@dataclass(slots=True)
class Rewritten:
    """What a rewriting did, or with `is_dry` would do."""

    n_removed: int = 0
    """Entries left out."""
    n_changed: int = 0
    n_damaged: int = 0
    """Lines left out that could not be read but held what was to be forgotten."""
    n_files: int = 0
    n_archived: int = 0
    """Files in the archive, of which the same is true."""

    @property
    def is_empty(self) -> bool:
        return not (self.n_files or self.n_archived)


def compact(folder: str) -> Merged:
    """Merge the journal's files into one and archive them. Every entry is kept, so every word, undo and redo too.

    Raises:
        HomeError: the disk is full or the folder cannot be written; then all files are as they were.
    """
    held: list[tuple[int, str]] = []
    found: dict[Entry, bytes] = {}
    n_left = 0
    with _rewriting(folder, "merged"):
        try:
            for name in journal_names(folder)[:AT_ONCE]:
                fd = _held(os.path.join(folder, name))
                if fd is None:
                    continue
                problems: list[Problem] = []
                lines = parse_lines(_content(fd).split(b"\n"), name, problems)
                if problems:  # what is damaged is told as long as it lies where it lies
                    n_left += 1
                    os.close(fd)
                    continue
                held.append((fd, name))
                found.update(lines)
            if len(held) < 2:
                return Merged(n_left=n_left)
            merged = f"{time.strftime('%Y%m%d', time.gmtime())}-merged-{secrets.token_hex(4)}{ENDING}"
            _write(os.path.join(folder, merged), b"".join(found[entry] + b"\n" for entry in sorted(found)), held[0][0])
            _archive(folder, [name for _fd, name in held])
            _rescue(folder, [name for _fd, name in held], found, held[0][0])
        finally:
            for fd, _name in held:
                os.close(fd)
    return Merged(len(held), len(found), n_left, merged)


def compact_if_grown(folder: str) -> Merged:
    """The same where there are more than `GROWN_FILES` files, else nothing."""
    return compact(folder) if len(journal_names(folder)) > GROWN_FILES else Merged()


def _archive(folder: str, names: Iterable[str]) -> None:
    """Only when the new file is on the disk: until then, and after a crash, words are there twice, never not at all."""
    archive = os.path.join(folder, ARCHIVE)
    with contextlib.suppress(FileExistsError):  # also by one who merges at once
        os.mkdir(archive, 0o700)
        os.chmod(archive, os.stat(folder).st_mode & 0o7777)
    for name in names:
        with contextlib.suppress(FileNotFoundError):  # without locks two may merge at once
            os.rename(os.path.join(folder, name), os.path.join(archive, name))
    sync_folder(archive)
    sync_folder(folder)


def _rescue(folder: str, names: Iterable[str], known: Mapping[Entry, bytes], like: int) -> None:
    """Write anew what came into files after they were read and before they were archived: where locks do nothing."""
    late: dict[Entry, bytes] = {}
    for name in names:
        late.update(read_lines(os.path.join(folder, ARCHIVE, name), []))
    if new := [late[entry] + b"\n" for entry in sorted(late.keys() - known.keys())]:
        name = f"{time.strftime('%Y%m%d', time.gmtime())}-late-{secrets.token_hex(4)}{ENDING}"
        _write(os.path.join(folder, name), b"".join(new), like)


def rewrite(
    folder: str, change: Callable[[Entry], Entry | None], is_trace: Callable[[bytes], bool],
    new_name: Callable[[str], str] = str, *, is_dry: bool = False,
) -> Rewritten:  # fmt: skip
    """Rewrite every file of the journal in which something changes, those in the archive too.

    Args:
        folder: the journal's.
        change: gives an entry as it shall stand from now on, the same one for no change, None to leave it out.
        is_trace: whether a line that cannot be read shall be left out.
        new_name: a file's name as it shall be from now on.
        is_dry: change nothing, only count.

    Raises:
        HomeError: a file cannot be written; those before it are rewritten, and doing it again does the rest.
    """
    done = Rewritten()
    seen: set[str] = set()
    with _rewriting(folder, "rewritten"):
        # A process that lost its file to us may have begun a new one meanwhile: until there is none that is new.
        while new := [path for path in _all_files(folder) if path not in seen]:
            for path in new:
                seen.add(path)
                seen.add(_rewrite_file(path, change, is_trace, new_name, done, is_dry=is_dry))
    return done


def _all_files(folder: str) -> Iterator[str]:
    for place in (folder, os.path.join(folder, ARCHIVE)):
        yield from (os.path.join(place, name) for name in journal_names(place))


def _rewrite_file(
    path: str, change: Callable[[Entry], Entry | None], is_trace: Callable[[bytes], bool],
    new_name: Callable[[str], str], done: Rewritten, *, is_dry: bool,
) -> str:  # fmt: skip
    """Rewrite one file if anything in it changes, and count; returns its path from now on."""
    fd = _held(path)
    if fd is None:
        return path
    folder, name = os.path.split(path)
    target = os.path.join(folder, new_name(name))
    try:
        before = _content(fd)
        after = b"\n".join(_changed_lines(before.split(b"\n"), change, is_trace, done))
        if before == after and target == path:
            return path
        is_archived = os.path.basename(folder) == ARCHIVE
        done.n_archived += is_archived
        done.n_files += not is_archived
        if is_dry:
            return path
        _write(target, after, fd)
        if target != path:
            os.unlink(path)
            sync_folder(folder)
        return target
    finally:
        os.close(fd)


def _changed_lines(
    lines: list[bytes], change: Callable[[Entry], Entry | None], is_trace: Callable[[bytes], bool], done: Rewritten
) -> Iterator[bytes]:
    for line in lines:
        entries = parse_lines([line, b""], "", [])
        if not entries:
            if line and is_trace(line):
                done.n_damaged += 1
            else:
                yield line
            continue
        entry = entries[0][0]
        changed = change(entry)
        if changed is None:
            done.n_removed += 1
        elif changed == entry:
            yield line
        else:
            done.n_changed += 1
            yield line_of(changed).rstrip(b"\n")


# ---------------------------------------------------------------- files


@contextmanager
def _rewriting(folder: str, what: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise HomeError(
            f"{folder}: the journal was not {what}: {error.strerror}. Nothing is lost. "
            "Make room, or see who owns the folder, then run the command again"
        ) from error


def _held(path: str) -> int | None:
    """The file, open and held alone; None if it was taken away meanwhile."""
    try:
        fd = _opened(path)
    except FileNotFoundError:
        return None
    try:
        hold_alone(fd)
        if is_in_place(path, fd):
            return fd
    except BaseException:
        os.close(fd)
        raise
    os.close(fd)
    return None


def _opened(path: str) -> int:
    try:
        return os.open(path, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
    except PermissionError:  # another member's file: the folder is ours to write, the file is not
        return os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)


def _content(fd: int) -> bytes:
    os.lseek(fd, 0, os.SEEK_SET)
    chunks = []
    while chunk := os.read(fd, 1 << 20):
        chunks.append(chunk)
    return b"".join(chunks)


def _write(path: str, content: bytes, like: int) -> None:
    """The whole content under this name and on the disk, or nothing; read by those who may read the file `like`."""
    temporary = f"{path}.{os.getpid()}.tmp"
    fd = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(fd, "wb") as file:
            os.fchmod(file.fileno(), os.fstat(like).st_mode & 0o660)
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.rename(temporary, path)
    except OSError:
        os.unlink(temporary)
        raise
    sync_folder(os.path.dirname(path))
