"""Folders that an adapter reads as a whole (a run of MLflow's file store) while they are followed.

The scan does not walk into them, but what a claim follows lies in there: `metrics/val/loss` grows, `metrics/new` comes.
A store may hold ten thousand runs that ended long ago, so those in which nothing was written for an hour are looked at
by the times of their folders alone, which tell of new names, and wholly in turns.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from dataclasses import field

from mlbench.dataclass import dataclass
from mlbench.ingest.marks import Mark, Marks, changed, mark_folder, mark_of
from mlbench.ingest.scan import FolderScan
from mlbench.model import Claim, Role

COLD_S = 3600.0
TURNS = 32
"""A cold folder is looked at wholly at every so many looks."""


@dataclass(slots=True)
class Inside:
    """The folders within one that is read as a whole."""

    marks: dict[str, Marks]
    """By path, the entries of each that holds something followed."""
    folders: dict[str, Mark]
    """The marks of these folders themselves and of those that hold nothing yet."""
    followed: frozenset[str]
    """Paths of the files whose changes count: beside them lies what an adapter does not read."""

    @classmethod
    def of(cls, folder: FolderScan) -> Inside | None:
        """What has to be looked at besides the walked folder; None for one of which no adapter reads anything whole."""
        own = folder.listing.path
        claims = [one.claim for one in folder.claims if one.claim.is_closed and one.claim.role is not Role.ASIDE]
        if not claims:
            return None
        paths = dict.fromkeys(path for claim in claims for path in _between(claim) if path != own)
        marks = {path: mark_folder(path) or {} for path in paths}
        tops = dict.fromkeys((*(claim.path for claim in claims), *marks))
        inner = [os.path.join(path, name) for path in tops for name in _folders_in(path)]
        followed = frozenset(path for claim in claims for path in claim.follows)
        return cls(marks, {path: mark_of(path) for path in dict.fromkeys((*marks, *inner))}, followed)

    def is_cold(self, now_s: float) -> bool:
        """Whether nothing was written for long."""
        times = [mark[1] for marks in self.marks.values() for mark in marks.values() if mark is not None]
        return max(times, default=0) / 1e9 < now_s - COLD_S

    def look(self, files: set[str], *, is_whole: bool) -> bool:
        """Add changed files to `files`; True where names came or went, so that the adapter has to be asked again."""
        moved = [path for path, mark in self.folders.items() if mark_of(path) != mark]
        self.folders.update((path, mark_of(path)) for path in moved)
        is_other = not self.marks.keys() >= set(moved)
        for path, known in self.marks.items() if is_whole or moved else ():
            found = mark_folder(path) or {}
            if found != known:
                paths = (os.path.join(path, name) for name in changed(known, found))
                files.update(one for one in paths if one in self.followed)
                is_other = is_other or found.keys() != known.keys()
                self.marks[path] = found
        return is_other


def _between(claim: Claim) -> Iterator[str]:
    """The folders of what the claim follows, and those between them and the claimed folder, that too."""
    for path in {os.path.dirname(path) for path in claim.follows}:
        below = path
        while below.startswith(claim.path + os.sep):
            yield below
            below = os.path.dirname(below)
        if below == claim.path:
            yield below


def _folders_in(path: str) -> list[str]:
    try:
        with os.scandir(path) as entries:
            return [entry.name for entry in entries if entry.is_dir(follow_symlinks=False)]
    except OSError:
        return []


@dataclass(slots=True)
class Insides:
    """Of all folders that are read as a whole, by their path."""

    known: dict[str, Inside] = field(default_factory=dict)
    _turn: int = 0

    def remember(self, folder: FolderScan) -> None:
        """Look into a folder that was scanned."""
        path = folder.listing.path
        inside = Inside.of(folder) if folder.closed else None
        if inside is None:
            self.known.pop(path, None)
        else:
            self.known[path] = inside

    def look(self, files: set[str]) -> list[str]:
        """Add changed files to `files`; the folders whose adapters have to be asked again."""
        now_s = time.time()
        self._turn = (self._turn + 1) % TURNS
        others = []
        for place, (path, inside) in enumerate(self.known.items()):
            is_whole = place % TURNS == self._turn or not inside.is_cold(now_s)
            if inside.look(files, is_whole=is_whole):
                others.append(path)
        return others
