"""A walked directory remembered, so that the next look costs little more than listing it."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import field

from mlbench.adapters import load_adapters
from mlbench.dataclass import dataclass
from mlbench.ingest.inside import Insides
from mlbench.ingest.marks import Mark, Marks, kinds, mark_folder, mark_of
from mlbench.ingest.marks import changed as changed_names
from mlbench.ingest.progress import Progress
from mlbench.ingest.run import Scanner
from mlbench.ingest.scan import FolderScan, Scan, folders_below, look_into, mappings_below, walk
from mlbench.model import Adapter
from mlbench.wire import patience
from mlbench.wire.mapping import MAPPING_NAME

_GONE = (-1, -1, -1)
_SHORT_BYTES = 4096
"""A file whose content was shorter may be another adapter's now that there is more of it."""
_HEAD_BYTES = 256 << 10
"""The most that adapters look into before they claim a file; of a store they look at all."""
_STORES = (".db", ".db3", ".sqlite", ".sqlite3")


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
    marks: dict[str, Marks] = field(default_factory=dict)
    """By folder and name."""
    insides: Insides = field(default_factory=Insides)
    """Of folders that are read as a whole."""

    @classmethod
    def grown(cls, scan: Scan) -> Tree:
        """Remember a scan as the directory is now: whoever reads it afterwards misses nothing that comes later."""
        tree = cls(scan)
        for folder in scan.folders.values():
            tree._remember(folder)
        return tree

    def look(self, adapters: Sequence[Adapter]) -> News:
        """See what has changed, and take note of it."""
        files: set[str] = set()
        others: list[str] = []
        unsure: list[str] = []
        mapped: list[str] = []
        for path, known in self.marks.items():
            if patience.is_aside(path):
                continue
            found = mark_folder(path)
            if found == known:
                continue
            changed = set(changed_names(known, found or {}))
            files.update(os.path.join(path, name) for name in changed)
            is_other = found is None or found.keys() != known.keys() or kinds(found) != kinds(known)
            if MAPPING_NAME in changed:
                mapped.append(path)
            if found is None or is_other or not changed.isdisjoint(self._asked_again(path)):
                others.append(path)
                continue
            if self._may_be_claimed_anew(path, changed, found):
                unsure.append(path)
            known.update(found)
        others += [path for path in unsure if self._is_claimed_anew(path, adapters)]
        inner = [path for path in self.insides.look(files) if path not in others]
        for path in (*others, *inner):
            self._look_again(path, adapters)
        for path in mapped:
            self.ask_again(path, adapters)
        return News(frozenset(files), is_other=bool(others or inner or mapped))

    def _may_be_claimed_anew(self, path: str, changed: set[str], found: Marks) -> bool:
        """Whether these files may be logs now that were none: a table gets its header with its first row."""
        folder, before = self.scan.folders[path], self.marks[path]
        claims = [claimed.claim for claimed in folder.claims]
        claimed = {one for claim in claims for one in (claim.path, *claim.follows)}
        return any(
            _is_replaced(before[name], found[name])
            or (os.path.join(path, name) not in claimed and _may_be_a_log(name, before[name]))
            for name in changed
        )

    def _is_claimed_anew(self, path: str, adapters: Sequence[Adapter]) -> bool:
        """Ask about a folder whose names are as they were."""
        before = self.scan.folders[path]
        folder = look_into(path, adapters, [], before.listing.mappings_above)
        return folder is None or (folder.claims, folder.problems) != (before.claims, before.problems)

    @property
    def is_outdated(self) -> bool:
        """Whether a folder can be listed again that could not be, or that was gone with all that was known below it."""
        lost = [problem.path for problem in self.scan.unreadable]
        lost += [] if self.scan.root in self.marks else [self.scan.root]
        return any(not patience.is_aside(path) and mark_folder(path) is not None for path in lost)

    def ask_again(self, path: str, adapters: Sequence[Adapter]) -> None:
        """Ask about a folder and all below it anew: the mapping that holds there has changed."""
        inside = path.rstrip(os.sep) + os.sep
        for known in [one for one in self.scan.folders if one == path or one.startswith(inside)]:
            self._look_again(known, adapters)

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
        above = self._mappings_above(path)
        folder = look_into(path, adapters, self.scan.unreadable, above) if os.path.isdir(path) else None
        kept = set(folders_below(folder)) if folder else set()
        for gone in set(folders_below(before)) - kept if before else ():
            self._forget(gone)
        if folder is None:
            self.scan.folders.pop(path, None)
            self.marks.pop(path, None)
            self.insides.known.pop(path, None)
            return
        self._remember(folder)
        for new in kept - self.scan.folders.keys():
            for below in walk(new, adapters, self.scan.unreadable, mappings_below(folder)):
                if below.listing.path not in self.scan.folders:
                    self._remember(below)

    def _mappings_above(self, path: str) -> tuple[str, ...]:
        """Those that hold in the folder above as it was last looked at, else those that held here before."""
        parent = self.scan.folders.get(os.path.dirname(path)) if path != self.scan.root else None
        before = self.scan.folders.get(path)
        if parent is not None:
            return mappings_below(parent)
        return before.listing.mappings_above if before else ()

    def _remember(self, folder: FolderScan) -> None:
        path = folder.listing.path
        self.marks[path] = _marks_of(folder)
        self.scan.folders[path] = folder
        self.insides.remember(folder)

    def _forget(self, path: str) -> None:
        """A folder and all below it."""
        inside = path + os.sep
        for known in [known for known in self.scan.folders if known == path or known.startswith(inside)]:
            del self.scan.folders[known]
            self.marks.pop(known, None)
            self.insides.known.pop(known, None)


def _is_replaced(before: Mark, now: Mark) -> bool:
    """Whether the beginning of a file may be another one, or was not there yet."""
    if before is None or now is None:
        return before != now
    return before[0] < _SHORT_BYTES or now[0] < before[0] or now[2] != before[2]


def _may_be_a_log(name: str, before: Mark) -> bool:
    """Whether adapters would see in a file that none of them claims what has changed in it."""
    is_store = name.removesuffix("-wal").endswith(_STORES)
    return before is None or before[0] < _HEAD_BYTES or is_store


def _marks_of(folder: FolderScan) -> Marks:
    """The marks of what was listed: what came or went since then will be news to the next look."""
    listing = folder.listing
    marks = mark_folder(listing.path) or {}
    listed = {*listing.files, *listing.folders}
    found = {name: mark for name, mark in marks.items() if mark is None or name in listed}
    return {**dict.fromkeys(listing.files, _GONE), **found}


class Forest(Scanner):
    """The roots of an ingest, remembered for the next one."""

    keeps_folders = True

    def __init__(self, progress: Callable[[Progress], None], is_cancelled: Callable[[], bool] = lambda: False) -> None:
        super().__init__(progress, is_cancelled)
        self._trees: dict[str, Tree] = {}
        self._mapping_mark = mark_of(self.mapping)

    def scan(self, root: str) -> Scan:
        """What lies below a root, as the last look saw it."""
        scan = super().scan(root)
        if root not in self._trees:
            self._trees[root] = self.patience.until_read(lambda: Tree.grown(scan))
        return scan

    def look(self) -> News:
        """See what has changed below all roots.

        Raises:
            HangsError: a folder hangs and was set aside; what is remembered is of no use any more.
            LeavingError: it hangs, and somebody wants to leave.
        """
        return self.patience.call(self._look)

    def _look(self) -> News:
        for root in [root for root, tree in self._trees.items() if tree.is_outdated]:
            del self._trees[root], self.scans[root]  # it is walked anew when it is asked for
            return News(is_other=True)
        mark = mark_of(self.mapping)
        if mark != self._mapping_mark:
            self._mapping_mark = mark
            for root, tree in self._trees.items():
                tree.ask_again(root, load_adapters())
            return News(is_other=True)
        news = [tree.look(load_adapters()) for tree in self._trees.values()]
        return News(frozenset().union(*(one.files for one in news)), any(one.is_other for one in news))
