"""Reads that may never return: each is done in a thread that can be left behind.

On a mount that is gone a system call does not return, and nothing ends it, neither a signal nor an exception. So what
reads logs runs in a thread beside the one that waits for it (`Patience.call`). It says what it looks at (`enter` a
source or a folder, `note` a file); once it shows no sign of life for STILL_S, not a moment of a processor used, that
place is set aside: nobody waits for it, and whoever looks at it again is refused at once, until the thread that hangs
there comes back. The work is then done again, without that place. See docs/decisions/0083.
"""

from __future__ import annotations

import errno
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from queue import Empty, SimpleQueue
from typing import Final, TypeVar

T = TypeVar("T")

STILL_S = 10.0
"""Longer than a disk needs to spin up, and shorter than anybody waits."""
STILL_AGAIN_S = 2.0
"""The same where something else on the same mount hangs already."""
MOST_OF_A_MOUNT = 3
"""So many places of one mount that hang at one time are the whole mount."""
POLL_S = 0.1
LEAVING_POLLS = 5
"""Who wants to leave waits so many looks for a sign of life."""
WHAT: Final = "it does not answer (a mount that is gone?); it was set aside, and everything else was read"
HINT: Final = "it is read once it answers. Try: ls on it; mlbench ingest again"


class UnansweredError(OSError):
    """The place was set aside: somebody waited for it in vain."""

    def __init__(self, path: str) -> None:
        super().__init__(errno.ETIMEDOUT, WHAT, path)
        self.path = path


class HangsError(Exception):
    """What was waited for hangs, and the place where it does was set aside."""

    def __init__(self, path: str, *, is_known: bool = False) -> None:
        super().__init__(path)
        self.path = path
        self.is_known = is_known
        """All places that the work told of had been set aside before: doing it again would hang again."""


class LeavingError(Exception):
    """Somebody wants to leave, and the read shows no sign of life."""


class _LeftBehindError(BaseException):
    """In a thread that nobody waits for any more: end, and touch nothing."""


class _Helper(threading.Thread):
    """Does one piece of work after another, and says what it looks at."""

    def __init__(self) -> None:
        super().__init__(name="reading", daemon=True)
        self.todo: SimpleQueue[Callable[[], object] | None] = SimpleQueue()
        self.done: SimpleQueue[tuple[object, BaseException | None]] = SimpleQueue()
        self.outer = self.inner = ""
        self.n_places = 0
        self.is_left = self.is_at_home = False
        self.start()

    def run(self) -> None:
        _here.helper = self
        while not self.is_left and (work := self.todo.get()) is not None:
            try:
                self.done.put((work(), None))
            except BaseException as error:  # noqa: BLE001 - raised again where somebody waits
                self.done.put((None, error))
            del work

    @property
    def life(self) -> tuple[int, int]:
        """Changes while anything is done."""
        return self.n_places, life_of(self)


def life_of(thread: threading.Thread) -> int:
    """Nanoseconds of a processor that a thread has used; 0 where nothing tells, or when it has ended."""
    if not hasattr(time, "pthread_getcpuclockid") or thread.ident is None or not thread.is_alive():
        return 0
    try:
        return time.clock_gettime_ns(time.pthread_getcpuclockid(thread.ident))
    except OSError:  # it has ended meanwhile
        return 0


class _Here(threading.local):
    def __init__(self) -> None:
        self.helper: _Helper | None = None
        self.refused: list[str] = []


_here = _Here()
_aside: dict[str, threading.Thread] = {}
"""Paths to the threads that hang there."""
_mounts: dict[str, int] = {}
"""Mounts to how many of their paths hang."""
_answered: set[str] = set()


# ---------------------------------------------------------------- in the thread that reads


def enter(path: str) -> None:
    """Say which source or folder is read from now on; raises as `note` does."""
    helper = _here.helper
    if helper is not None:
        helper.outer = path
    note(path)


def note(path: str) -> None:
    """Say which file is looked at from now on.

    Raises:
        UnansweredError: it was set aside.
    """
    helper = _here.helper
    if helper is not None:
        if helper.is_left:
            raise _LeftBehindError
        helper.inner = path
        helper.n_places += 1
    if _aside and is_aside(path):
        _here.refused.append(path)
        raise UnansweredError(path)


def answers(path: str) -> bool:
    """The same, where it is no error that it was set aside."""
    try:
        note(path)
    except UnansweredError:
        return False
    return True


def refused() -> list[str]:
    """The places that were refused to this thread since it asked last."""
    found, _here.refused = _here.refused, []
    return found


def check() -> None:
    """End here where nobody waits for this thread any more: called before anything is changed."""
    helper = _here.helper
    if helper is not None and helper.is_left:
        raise _LeftBehindError


@contextmanager
def at_home() -> Iterator[None]:
    """What is done within waits for mlbench's own disk, however long that takes: no log is to blame."""
    helper = _here.helper
    was_at_home = helper is not None and helper.is_at_home
    if helper is not None:
        helper.is_at_home = True
    try:
        yield
    finally:
        if helper is not None:
            helper.is_at_home = was_at_home


# ---------------------------------------------------------------- what was set aside


def is_aside(path: str) -> bool:
    """Whether somebody waits for a place in vain, or for most of its mount."""
    if path in _aside:
        return True
    return any(n >= MOST_OF_A_MOUNT and path.startswith(mount + os.sep) for mount, n in list(_mounts.items()))


def is_any_aside() -> bool:
    """Whether anything was set aside, and has not been taken back."""
    return bool(_aside)


def hides(path: str) -> bool:
    """Whether a place, or a folder that it lies in, was set aside."""
    if not _aside:
        return False
    return is_aside(path) or any(path.startswith(place + os.sep) for place in list(_aside))


def set_aside(path: str, thread: threading.Thread) -> None:
    """Look at a place no more while a thread hangs there."""
    _aside[path] = thread
    _count()


def widen(path: str, folder: str) -> None:
    """Set aside the folder of a place with it: what else lies there cannot be told without it."""
    if (thread := _aside.get(path)) is not None:
        _aside[folder] = thread


def look_after() -> None:
    """Take back what has answered."""
    gone = [path for path, thread in list(_aside.items()) if not thread.is_alive()]
    for path in gone:
        _aside.pop(path, None)
    _answered.update(gone)
    if gone:
        _count()


def answered() -> bool:
    """Whether a place that was set aside has answered since this was asked last."""
    look_after()
    is_any = bool(_answered)
    _answered.clear()
    return is_any


def _count() -> None:
    threads: dict[str, set[threading.Thread]] = {}
    for path, thread in list(_aside.items()):
        threads.setdefault(mount_of(path), set()).add(thread)
    _mounts.clear()
    _mounts.update({mount: len(found) for mount, found in threads.items() if mount != os.sep})


def mount_of(path: str) -> str:
    """The mount that a path lies on, told without looking at the path; `/` where nothing tells."""
    try:
        with open("/proc/self/mountinfo", encoding="utf-8", errors="surrogateescape") as file:
            points = [line.split(" ", 5)[4] for line in file if line.count(" ") > 4]
    except OSError:
        return os.sep
    points = [point.replace("\\040", " ").replace("\\011", "\t").replace("\\134", "\\") for point in points]
    return max((point for point in points if path.startswith(point.rstrip(os.sep) + os.sep)), key=len, default=os.sep)


def is_folder(path: str, patience: Patience) -> bool:
    """Whether there is such a folder; one that does not answer counts as there."""

    def look() -> bool:
        enter(path)
        return os.path.isdir(path)

    try:
        return patience.until_read(look)
    except UnansweredError:
        return True


# ---------------------------------------------------------------- in the thread that waits


class Patience:
    """Waits for reads as long as they live. Not shared between threads."""

    def __init__(self, is_stopped: Callable[[], bool] = lambda: False) -> None:
        self._is_stopped = is_stopped
        self._helper: _Helper | None = None

    def call(self, work: Callable[[], T]) -> T:
        """What `work` gives.

        Raises:
            HangsError: it hangs; the place where it does was set aside. The work may be done again.
            LeavingError: it hangs, and somebody wants to leave.
        """
        if _here.helper is not None:
            return work()
        helper = self._helper = self._helper or _Helper()
        helper.outer = helper.inner = ""
        helper.todo.put(work)
        try:
            answer, error = self._wait(helper)
        except BaseException:
            helper.is_left, self._helper = True, None
            helper.todo.put(None)
            raise
        if error is not None:
            raise error
        return answer  # type: ignore[return-value]

    def until_read(self, work: Callable[[], T]) -> T:
        """The same, done again without the places that hang.

        Raises:
            UnansweredError: it hangs at a place that it does not name.
            LeavingError: as `call`.
        """
        while True:
            try:
                return self.call(work)
            except HangsError as error:
                if error.is_known:
                    raise UnansweredError(error.path) from error

    def rest(self) -> None:
        """End the thread, which is idle; a later call starts another one."""
        helper, self._helper = self._helper, None
        if helper is not None:
            helper.todo.put(None)
            helper.join()

    def _wait(self, helper: _Helper) -> tuple[object, BaseException | None]:
        n_still, life = 0, (0, 0)
        while True:
            try:
                return helper.done.get(timeout=POLL_S)
            except Empty:
                before, life = life, helper.life
            # Looks are counted and not seconds: a process that was stopped by ctrl+z has not hung.
            n_still = n_still + 1 if life == before else 0
            if n_still >= LEAVING_POLLS and self._is_stopped():
                raise LeavingError
            if not helper.is_at_home and n_still * POLL_S >= _limit_s(helper.inner):
                raise _give_up(helper)


def _limit_s(path: str) -> float:
    if not _aside:
        return STILL_S
    mount = mount_of(path)
    return STILL_AGAIN_S if any(mount_of(other) == mount for other in list(_aside)) else STILL_S


def _give_up(helper: _Helper) -> HangsError:
    """Set aside the innermost place that was not."""
    helper.is_left = True
    for path in (helper.inner, helper.outer):
        if path and not is_aside(path):
            set_aside(path, helper)
            return HangsError(path)
    return HangsError(helper.outer or helper.inner, is_known=True)
