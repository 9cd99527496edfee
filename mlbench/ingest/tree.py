"""A walked directory remembered, so that the next look costs little more than listing it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TypeAlias

from mlbench.adapters import load_adapters
from mlbench.ingest.progress import Progress
from mlbench.ingest.run import Scanner
from mlbench.ingest.scan import FolderScan, Scan, folders_below, look_into, walk
from mlbench.model import Adapter
from mlbench.wire import patience

Mark: TypeAlias = "tuple[int, int, int] | None"
"""Size, mtime in nanoseconds and inode of a file; None for a folder, or what cannot be looked at."""

_GONE = (-1, -1, -1)


@dataclass(frozen=True, slots=True)
class News:
    """What has changed since the last look."""

    files: frozenset[str] = frozenset()
    """Paths of files whose size, time or inode is another, or that came or went."""
    is_other: bool = False
    """Names came or went: there may be other runs than before."""

    def __bool__(self) -> bool:
        return bool(self.files) or self.is_other


@dataclass(slots=True)
class Tree:
    """One root: its folders with what was claimed in them, and the mark of every entry."""

    scan: Scan
    marks: dict[str, dict[str, Mark]] = field(default_factory=dict)
    """By folder and name."""
    _files: set[str] = field(default_factory=set)
    """Changed since the last look that came to its end: one that hangs is begun again."""
    _others: dict[str, None] = field(default_factory=dict)
    """Folders to be listed anew."""
    _is_other: bool = False

    @classmethod
    def grown(cls, scan: Scan) -> Tree:
        """Remember a scan as the directory is now: whoever reads it afterwards misses nothing that comes later."""
        return cls(scan, {path: _marks_of(folder) for path, folder in scan.folders.items()})

    def look(self, adapters: Sequence[Adapter]) -> News:
        """See what has changed, and take note of it; what hangs has not changed."""
        for path, known in self.marks.items():
            if path in self._others or patience.is_aside(path):
                continue
            found = _mark_folder(path)
            patience.check()
            if found == known:
                continue
            changed = set(_changed(known, found or {}))
            self._files.update(os.path.join(path, name) for name in changed)
            is_other = found is None or found.keys() != known.keys() or _kinds(found) != _kinds(known)
            if found is None or is_other or not changed.isdisjoint(self._asked_again(path)):
                self._others[path] = None
            else:
                known.update(found)
        self._is_other = self._is_other or bool(self._others)
        while self._others:
            path = next(iter(self._others))
            if not patience.is_aside(path):
                patience.enter(path)
                self._look_again(path, adapters)
            del self._others[path]
        news = News(frozenset(self._files), is_other=self._is_other)
        self._files, self._is_other = set(), False
        return news

    def _asked_again(self, path: str) -> set[str]:
        """Names of files whose adapters have to be asked again when they change: those that hold many runs."""
        folder = self.scan.folders.get(path)
        if folder is None:
            return set()
        claims = [claimed.claim for claimed in folder.claims if claimed.claim.part]
        paths = {path for claim in claims for path in (claim.path, *claim.follows)}
        return {os.path.basename(path) for path in (*paths, *(problem.path for problem in folder.problems))}

    def _look_again(self, path: str, adapters: Sequence[Adapter]) -> None:
        """List a folder anew, with what came below it; forget what is gone."""
        before = self.scan.folders.get(path)
        self.scan.unreadable = [problem for problem in self.scan.unreadable if problem.path != path]
        folder = look_into(path, adapters, self.scan.unreadable) if os.path.isdir(path) else None
        patience.check()
        kept = set(folders_below(folder)) if folder else set()
        for gone in set(folders_below(before)) - kept if before else ():
            self._forget(gone)
        if folder is None:
            self.scan.folders.pop(path, None)
            self.marks.pop(path, None)
            return
        self._remember(folder)
        for new in kept - self.scan.folders.keys():
            for below in walk(new, adapters, self.scan.unreadable):
                if below.listing.path not in self.scan.folders:
                    self._remember(below)

    def _remember(self, folder: FolderScan) -> None:
        path = folder.listing.path
        self.marks[path] = _marks_of(folder)
        self.scan.folders[path] = folder

    def _forget(self, path: str) -> None:
        """A folder and all below it."""
        inside = path + os.sep
        for known in [known for known in self.scan.folders if known == path or known.startswith(inside)]:
            del self.scan.folders[known]
            self.marks.pop(known, None)


def _marks_of(folder: FolderScan) -> dict[str, Mark]:
    """The marks of what was listed: what came or went since then will be news to the next look."""
    listing = folder.listing
    marks = _mark_folder(listing.path) or {}
    listed = {*listing.files, *listing.folders}
    found = {name: mark for name, mark in marks.items() if mark is None or name in listed}
    return {**dict.fromkeys(listing.files, _GONE), **found}


def _mark_folder(path: str) -> dict[str, Mark] | None:
    """The mark of each entry; None where the folder cannot be listed."""
    marks: dict[str, Mark] = {}
    try:
        patience.enter(path)
        with os.scandir(path) as entries:
            # Nothing is called here that need not be: this is the loop that is run again and again over every file.
            for entry in entries:
                if entry.is_dir():
                    marks[entry.name] = None
                    continue
                try:
                    status = entry.stat()
                except OSError:
                    marks[entry.name] = None
                    continue
                marks[entry.name] = (status.st_size, status.st_mtime_ns, status.st_ino)
    except OSError:
        return None
    return marks


def _kinds(marks: Mapping[str, Mark]) -> set[str]:
    return {name for name, mark in marks.items() if mark is None}


def _changed(before: Mapping[str, Mark], after: Mapping[str, Mark]) -> Iterator[str]:
    for name in before.keys() | after.keys():
        if before.get(name) != after.get(name):
            yield name


class Forest(Scanner):
    """The roots of an ingest, remembered for the next one."""

    def __init__(self, progress: Callable[[Progress], None], is_cancelled: Callable[[], bool] = lambda: False) -> None:
        super().__init__(progress, is_cancelled)
        self._trees: dict[str, Tree] = {}

    def scan(self, root: str) -> Scan:
        """What lies below a root, as the last look saw it."""
        scan = super().scan(root)
        if root not in self._trees:
            self._trees[root] = self.patience.until_read(lambda: Tree.grown(scan))
        return scan

    def look(self) -> News:
        """See what has changed below all roots."""
        adapters = load_adapters()
        news = [self.patience.until_read(partial(tree.look, adapters)) for tree in self._trees.values()]
        return News(frozenset().union(*(one.files for one in news)), any(one.is_other for one in news))
