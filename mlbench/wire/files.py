"""Opening files that strangers wrote: regular files only, never blocking, never a device."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

from mlbench.wire import patience

if TYPE_CHECKING:
    from io import BufferedReader

LFS_MAGIC = b"version https://git-lfs.github.com/spec/v1"
MAX_DUMP_BYTES = 4 << 20
"""4 MiB: ten times the largest genuine parameter dump seen in 8,472 public files."""


class NotRegularError(OSError):
    """The path is a FIFO, a device, a socket or a folder."""


def is_there(path: str) -> bool:
    """Whether there is a file or a folder, or a link to one: where mostly none is, half as dear as `os.stat`."""
    return os.access(path, os.F_OK)


def open_regular(path: str) -> BufferedReader:
    """Open a regular file for reading, without blocking on FIFOs.

    Raises:
        NotRegularError: it is something else.
        OSError: it cannot be opened.
    """
    fd, _size_bytes = _open_descriptor(path)
    return os.fdopen(fd, "rb")


def _open_descriptor(path: str) -> tuple[int, int]:
    """The descriptor of a regular file and its size."""
    patience.note(path)
    fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    status = os.fstat(fd)
    if not stat.S_ISREG(status.st_mode):
        os.close(fd)
        raise NotRegularError(f"not a regular file: {path!r}")
    return fd, status.st_size


def read_head(path: str, size_bytes: int = 4096) -> bytes:
    """The first bytes of a regular file, b'' if it cannot be read (for sniffing in `claims`)."""
    try:
        fd, _size_bytes = _open_descriptor(path)
        try:
            return os.read(fd, size_bytes)
        finally:
            os.close(fd)
    except OSError:
        return b""


def read_whole(path: str, *, limit_bytes: int = MAX_DUMP_BYTES) -> bytes:
    """All bytes of a regular file.

    Raises:
        ValueError: it is larger than the limit; the message says so.
        OSError: it cannot be read.
    """
    # Without a buffered file in between: a store of MLflow is half a million files of a few bytes.
    fd, size_bytes = _open_descriptor(path)
    try:
        parts = [os.read(fd, min(size_bytes, limit_bytes) + 1)]
        n_bytes = len(parts[0])
        while parts[-1] and n_bytes <= limit_bytes and n_bytes != size_bytes:
            parts.append(os.read(fd, limit_bytes + 1 - n_bytes))
            n_bytes += len(parts[-1])
    finally:
        os.close(fd)
    if n_bytes > limit_bytes:
        raise ValueError(f"larger than {limit_bytes >> 20} MiB")
    return parts[0] if len(parts) == 1 else b"".join(parts)


def is_lfs_pointer(head: bytes) -> bool:
    """Whether the file is a Git LFS pointer that stands where the real file should be."""
    return head.startswith(LFS_MAGIC)
