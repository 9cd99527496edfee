"""Holding a journal file: who appends shares it, who rewrites it has it alone. For one moment each.

Without this a word could be written into a file just while another process takes that file away. Where the file system
has no locks (some NFS mounts) nothing is held: there both sides look a second time (docs/decisions/0084), and words
should be forgotten only while nobody else writes. NFS
shares a file only with who may read it and gives it alone only to who may write it, so files are opened for both.
"""

from __future__ import annotations

import errno
import fcntl
import os

_NO_LOCKS = frozenset({errno.EBADF, errno.ENOLCK, errno.ENOTSUP, errno.EINVAL, errno.ENOSYS})


def hold(fd: int) -> None:
    """Wait until nobody rewrites the file, and keep it from being rewritten until `release`."""
    _lock(fd, fcntl.LOCK_SH)


def hold_alone(fd: int) -> None:
    """Wait until nobody appends to the file, and keep others from appending until `release` or its close."""
    _lock(fd, fcntl.LOCK_EX)


def release(fd: int) -> None:
    """Let others have the file again."""
    _lock(fd, fcntl.LOCK_UN)


def _lock(fd: int, how: int) -> None:
    try:
        fcntl.flock(fd, how)
    except OSError as error:
        if error.errno not in _NO_LOCKS:
            raise


def is_in_place(path: str, fd: int) -> bool:
    """Whether the open file still is the one of this path."""
    try:
        return os.path.samestat(os.stat(path), os.fstat(fd))
    except OSError:
        return False


def sync_folder(path: str) -> None:
    """Make the names in a folder survive a power cut."""
    fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
