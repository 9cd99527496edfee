"""Saying something: the one writer of a process. When a call returns, the word is on the disk."""

from __future__ import annotations

import errno
import os
import secrets
import socket
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from types import TracebackType

from mlbench.errors import HomeError, UsageError
from mlbench.journal.entries import (
    CLOCK_LIMIT,
    Entry,
    RunRef,
    cleaned,
    journal_files,
    line_of,
    parse_lines,
    read_entries,
    read_lines,
)
from mlbench.journal.folding import fold, history_of, undone_of
from mlbench.journal.holding import hold, is_in_place, release, sync_folder
from mlbench.model import Problem
from mlbench.paths import Home, host_name, make_folder

AUTOMATIC_OPS = frozenset({"undo", "root", "adopt"})
"""What the program says in the user's name; `undo` passes over it."""
_TICK_LIMIT = 1 << 31
GROUP_READS = 0o040
"""A journal folder that a group may read has files that it may read; else they are private."""
Runs = RunRef | Iterable[RunRef]


def open_journal(home: Home, *, author: str | None = None, clock_us: Callable[[], int] | None = None) -> Journal:
    """The journal of a home, for appending. Nothing is created before the first word."""
    return Journal(home.journal, author or _author(), clock_us or _clock_us)


def describe(entry: Entry) -> str:
    """What an entry says, in a few words: `tag +good -bad on 3 runs`. Not cleaned."""
    changes = [f"+{tag}" for tag in entry.add] + [f"-{tag}" for tag in entry.remove] if entry.op == "tag" else []
    text = ("" if entry.text else "removed") if entry.op == "view" else entry.text.partition("\n")[0][:60]
    words = [entry.op.replace("_", " "), *changes, entry.key, text]
    runs = {0: "", 1: "on 1 run"}.get(len(entry.runs), f"on {len(entry.runs)} runs")
    return " ".join(word for word in [*words, runs] if word)


class Journal:
    """Appends words. Safe to share between threads; a forked child begins a file of its own.

    Every method that says something raises HomeError when it could not be made durable; then it was not said. A call
    for many runs is one line: all of them or none.
    """

    def __init__(self, folder: str, author: str, clock_us: Callable[[], int]) -> None:
        self.folder = os.path.abspath(folder)
        self.author = author
        self._clock_us = clock_us
        self._lock = threading.RLock()
        self._heard: dict[str, int] = {}
        """File name to the offset up to which its clock has been heard."""
        self._last = (0, 0)
        self._fd = -1
        self._path = ""
        self._pid = 0
        self._actor = ""
        self._number = 0
        self._is_torn = False
        """The file ends in a line that could not be cut off."""

    def __enter__(self) -> Journal:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    # ------------------------------------------------------------ words

    def tag(self, runs: Runs, add: Iterable[str] = (), remove: Iterable[str] = ()) -> Entry:
        return self._say("tag", runs, add=tuple(add), remove=tuple(remove))

    def note(
        self, runs: Runs, body: str, replaces: Iterable[str] | None = None, place: Mapping[str, str] = {}
    ) -> Entry:
        """Write a note in place of those with the ids `replaces`: () adds one beside them, None replaces all that
        the runs have now, also what was said before they moved (`place` as in `fold`). An empty body takes the
        notes away.
        """
        runs = _refs(runs)
        if replaces is None:
            notes = fold(read_entries(self.folder)[0], place).notes
            replaces = dict.fromkeys(note.note_id for ref in runs for note in notes.get(ref.key, ()))
        return self._say("note", runs, remove=tuple(replaces), text=body)

    def name(self, runs: Runs, name: str) -> Entry:
        """'' gives the recorded name back."""
        return self._say("name", runs, text=name)

    def archive(self, runs: Runs, is_archived: bool = True) -> Entry:
        return self._say("archive" if is_archived else "unarchive", runs)

    def baseline(self, run: RunRef | None, scope: str = "") -> Entry:
        """None: no baseline in this scope."""
        return self._say("baseline", run or (), key=scope)

    def goal(self, metric: str, goal: str) -> Entry:
        """'min', 'max', or '' to have it guessed again; raises UsageError for another word."""
        if goal not in {"min", "max", ""}:
            raise UsageError(f"goal of '{metric}': '{goal}' is no goal. Try: mlbench metric '{metric}' --goal min")
        return self._say("goal", (), key=metric, text=goal)

    def primary(self, metric: str, scope: str = "") -> Entry:
        """'' for the metric: none in this scope."""
        return self._say("primary", (), key=scope, text=metric)

    def view(self, name: str, body: str) -> Entry:
        return self._say("view", (), key=name, text=body)

    def remove_view(self, name: str) -> Entry:
        return self._say("view", (), key=name)

    def root(self, path: str) -> Entry | None:
        """Remember a path that was ingested; None: it was known."""
        with self._lock:
            is_known = path in fold(read_entries(self.folder)[0]).roots
            return None if is_known else self._say("root", (), text=path)

    def remove_root(self, path: str) -> Entry:
        return self._say("root_removed", (), text=path)

    def adopt(self, old_key: str, new_key: str, fingerprint: str = "") -> Entry:
        """A run moved: what was said of the old place holds for the new one from now on."""
        return self._say("adopt", RunRef(new_key, fingerprint), key=old_key)

    def undo(self) -> Entry | None:
        """Take back this author's last word that holds, whichever process said it; gives it, None if there is none."""
        with self._lock:
            history = history_of(read_entries(self.folder)[0])
            undone = undone_of(history)
            for entry in reversed(history):
                if entry.author == self.author and entry.op not in AUTOMATIC_OPS and entry.id not in undone:
                    self._say("undo", (), remove=(entry.id,))
                    return entry
        return None

    def redo(self) -> Entry | None:
        """Say again what `undo` took back last; gives it, None if there is none or something new was said since."""
        with self._lock:
            history = history_of(read_entries(self.folder)[0])
            undone = undone_of(history)
            words = {entry.id: entry for entry in history if entry.op not in AUTOMATIC_OPS}
            undos = [entry for entry in history if entry.op == "undo" and entry.id not in undone]
            for entry in reversed(history):
                if entry.author != self.author or entry.op in AUTOMATIC_OPS - {"undo"}:
                    continue
                if entry.op != "undo":
                    return None
                if entry in undos and (word := words.get("".join(entry.remove))):
                    self._say("undo", (), remove=tuple(undo.id for undo in undos if word.id in undo.remove))
                    return word
        return None

    def import_lines(self, lines: Iterable[str], path: str = "") -> tuple[int, tuple[Problem, ...]]:
        """Merge the lines of another journal (see `export_lines`), in one durable step; what is here is left out.

        Args:
            lines: with or without their ends.
            path: where they come from, for the problems.

        Returns:
            How many entries were new, and what could not be read.
        """
        problems: list[Problem] = []
        stripped = [line.rstrip("\n").encode("utf-8", "replace") for line in lines]
        found = parse_lines([*stripped, b""], path, problems)
        with self._lock:
            # By identity, not by content: of an entry from which a person was forgotten no older copy is let in.
            known = {entry.id for entry in read_entries(self.folder)[0]}
            new = {entry.id: line for entry, line in found if entry.id not in known}
            if new:
                with self._durably("the imported words were") as fd:
                    self._append(fd, b"".join(line + b"\n" for line in new.values()))
        return len(new), tuple(problems)

    # ------------------------------------------------------------ durability

    def _say(
        self,
        op: str,
        runs: Runs,
        *,
        add: tuple[str, ...] = (),
        remove: tuple[str, ...] = (),
        key: str = "",
        text: str = "",
    ) -> Entry:
        with self._durably(f"the {op.replace('_', ' ')} was") as fd:
            us, tick = self._tick()
            # Counted before it is written: a line that failed may still come back from a broken disk.
            self._number += 1
            entry = Entry(us, tick, self._actor, self._number, self.author, op, _refs(runs), add, remove, key, text)
            entry = cleaned(entry)
            self._append(fd, line_of(entry))
            while not is_in_place(self._path, fd):  # there are no locks here, and it was merged meanwhile: say it again
                fd = self._open()
                self._append(fd, line_of(entry))
            self._heard[os.path.basename(self._path)] = os.fstat(fd).st_size
            return entry

    @contextmanager
    def _durably(self, what: str) -> Iterator[int]:
        """The open file of this process, held so that no other process takes it away (see `rewriting`); an OSError
        meanwhile becomes a HomeError that says what was not saved.
        """
        with self._lock:
            try:
                fd = self._open()
                try:
                    yield fd
                finally:
                    release(fd)
            except OSError as error:
                raise HomeError(
                    f"{self.folder}: {what} not saved: {error.strerror}. "
                    "Make room or choose another home (mlbench --home DIR ...), then say it again"
                ) from error

    def _tick(self) -> tuple[int, int]:
        """The next reading of the hybrid clock: after the wall clock and after everything that has been heard."""
        for name, size in journal_files(self.folder):
            start = self._heard.get(name, 0)
            if size > start:
                problems: list[Problem] = []
                entries = read_lines(os.path.join(self.folder, name), problems, start)
                self._last = max([self._last, *(entry[:2] for entry, _ in entries)])
                # A line that is being written looks torn: the file is then read again from here.
                self._heard[name] = start if problems else size
        us, tick = self._last
        now = self._clock_us()
        if now > us:
            self._last = (min(now, CLOCK_LIMIT - 1), 0)
        else:
            self._last = (us, tick + 1) if tick < _TICK_LIMIT else (min(us + 1, CLOCK_LIMIT - 1), 0)
        return self._last

    def _append(self, fd: int, lines: bytes) -> None:
        """All of it and on the disk; else OSError, and as if nothing had been written."""
        size = os.fstat(fd).st_size
        lines = b"\n" + lines if self._is_torn else lines
        try:
            if os.write(fd, lines) < len(lines):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            getattr(os, "fdatasync", os.fsync)(fd)
        except OSError:
            try:
                os.ftruncate(fd, size)
            except OSError:  # the torn line stays: the next one starts on a line of its own
                self._is_torn = True
            raise
        self._is_torn = False

    def _open(self) -> int:
        """The file of this process and actor, held: a new one after a fork, and if it was moved, merged or deleted."""
        while True:
            if self._fd >= 0 and self._pid == os.getpid():
                hold(self._fd)
                if is_in_place(self._path, self._fd):
                    return self._fd
            self.close()
            self._create()

    def _create(self) -> None:
        self._pid, self._actor, self._number, self._is_torn = os.getpid(), secrets.token_hex(4), 0, False
        folders = [self.folder]
        while not os.path.isdir(folders[-1]) and folders[-1] != os.path.dirname(folders[-1]):
            folders.append(os.path.dirname(folders[-1]))
        make_folder(self.folder)
        day = time.strftime("%Y%m%d", time.gmtime())
        self._path = os.path.join(self.folder, f"{day}-{host_name()}-{self._pid}-{self._actor}.jsonl")
        fd = os.open(self._path, os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_RDWR | os.O_CLOEXEC, 0o600)
        try:
            if shared := os.stat(self.folder).st_mode & GROUP_READS:
                os.fchmod(fd, 0o600 | shared)
            # Without this a power cut can take the name of the file and so every word in it; or that of a new folder.
            for folder in folders:
                sync_folder(folder)
        except OSError:
            os.close(fd)
            raise
        self._fd = fd


def _refs(runs: Runs) -> tuple[RunRef, ...]:
    return (runs,) if isinstance(runs, RunRef) else tuple(runs)


def _clock_us() -> int:
    return time.time_ns() // 1000


def _author() -> str:
    import getpass

    try:
        user = getpass.getuser()
    except (KeyError, OSError):  # in a container, the user id may have no name
        user = str(os.getuid())
    return f"{user}@{socket.gethostname()}"
