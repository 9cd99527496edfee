"""A whole file with the reason why it could not be read, so that adapters answer with a Problem and never raise."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator

from mlbench.dataclass import dataclass
from mlbench.model import Problem, ReadStatus
from mlbench.wire.files import MAX_DUMP_BYTES, NotRegularError, is_lfs_pointer, open_regular, read_whole

MAX_FOLLOWED = 5000
"""Files of one folder record whose change is watched; the largest genuine one seen had 60."""
LFS_HINT = "git lfs pull"


@dataclass(frozen=True, slots=True)
class Content:
    """What a file holds, or why it could not be read."""

    data: bytes
    status: ReadStatus
    problem: Problem | None = None
    """Set when `status` is neither `eof` nor `empty`."""


def load_content(path: str, *, limit_bytes: int = MAX_DUMP_BYTES) -> Content:
    """All bytes of a file; a link that leads nowhere, a FIFO, a folder or a Git LFS pointer is an answer."""
    try:
        data = read_whole(path, limit_bytes=limit_bytes)
    except (OSError, ValueError) as error:
        return Content(b"", ReadStatus.UNREADABLE, unreadable(path, error))
    if is_lfs_pointer(data):
        return Content(b"", ReadStatus.LFS_POINTER, lfs_problem(path))
    return Content(data, ReadStatus.EOF if data else ReadStatus.EMPTY)


def unreadable(path: str, error: OSError | ValueError) -> Problem:
    """Why a file could not be opened or read."""
    if isinstance(error, NotRegularError):
        return Problem(path, "this is not a regular file, it was not read")
    if isinstance(error, PermissionError):
        return Problem(
            path, "the file could not be read: permission denied", hint=f"ls -l {path}, to see who may read it"
        )
    if isinstance(error, OSError):
        return Problem(path, f"the file could not be read: {error.strerror or error}")
    return Problem(path, f"the file was not read: {error}")


def lfs_problem(path: str) -> Problem:
    """A Git LFS pointer lies where the file should be."""
    return Problem(path, "this is a Git LFS pointer, the file itself is not here", hint=LFS_HINT)


def sniff(path: str, size_bytes: int) -> bytes | None:
    """The first bytes of a regular file for `claims`; None if it cannot be read, which `read` will tell."""
    try:
        with open_regular(path) as file:
            return file.read(size_bytes)
    except (OSError, ValueError):
        return None


def files_below(folder: str, *, depth: int = 6, limit: int = MAX_FOLLOWED) -> Iterator[tuple[str, str]]:
    """Regular files of a small tree as (path, name below `folder` with slashes), sorted; links to folders are left.

    A folder that cannot be read counts as empty.
    """
    n_files = 0
    stack = [("", 0)]
    while stack:
        inside, level = stack.pop()
        names, folders = _entries(os.path.join(folder, inside))
        for name in names:
            if n_files == limit:
                return
            n_files += 1
            yield os.path.join(folder, inside, name), _joined(inside, name)
        if level < depth:
            stack.extend((_joined(inside, name), level + 1) for name in reversed(folders))


def _joined(inside: str, name: str) -> str:
    return f"{inside}/{name}" if inside else name


def _entries(folder: str) -> tuple[list[str], list[str]]:
    files: list[str] = []
    folders: list[str] = []
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                is_folder = entry.is_dir(follow_symlinks=False)
                (folders if is_folder else files).append(entry.name)
    except OSError:
        return [], []
    return sorted(files), sorted(folders)


def paths_in(folder: str, names: Iterable[str]) -> tuple[str, ...]:
    """The names as paths in a folder."""
    return tuple(os.path.join(folder, name) for name in names)
