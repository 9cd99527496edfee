"""The lock that makes a process the one writer of a catalog: on a file of its own, never opened for anything else."""

from __future__ import annotations

import contextlib
import fcntl
import os
import socket
import stat
import time
from typing import TYPE_CHECKING

from mlbench.catalog.connection import LOCK_FILE
from mlbench.errors import HomeError

if TYPE_CHECKING:
    from mlbench.paths import Home

_POLL_S = 0.05


class WriterBusyError(HomeError):
    """Another process holds the writer's lock."""


def take_lock(home: Home, wait_s: float) -> int:
    """Wait for the lock and take it.

    Returns:
        The descriptor that holds it; closing it gives the lock up.

    Raises:
        WriterBusyError: another process still holds it after `wait_s`.
        HomeError: the home cannot be written.
    """
    path = os.path.join(home.cache, LOCK_FILE)
    try:
        fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NONBLOCK | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise HomeError(f"{path}: the home cannot be written: {error.strerror}. Try: mlbench --home DIR") from error
    if not stat.S_ISREG(os.fstat(fd).st_mode):
        os.close(fd)
        raise HomeError(f"{path}: stands in the place of a lock but is no file. Try: rm {path}")
    until = time.monotonic() + wait_s
    while True:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            break
        except OSError:
            if time.monotonic() >= until:
                holder = os.pread(fd, 200, 0).decode("utf-8", "replace").strip() or "another process"
                os.close(fd)
                raise WriterBusyError(
                    f"{home.cache}: {holder} is writing this catalog. Wait for it, or try: mlbench --home DIR"
                ) from None
            time.sleep(_POLL_S)
    with contextlib.suppress(OSError):  # a full disk: the lock holds all the same, only nobody learns whose it is
        os.ftruncate(fd, 0)
        os.pwrite(fd, f"pid {os.getpid()} on {socket.gethostname()}\n".encode(), 0)
    return fd
