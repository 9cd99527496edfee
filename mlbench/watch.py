"""What changed since last time: in the logs, and in a catalog that others may write."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from mlbench import journal
from mlbench.catalog.reader import current_snapshot
from mlbench.paths import Home

if TYPE_CHECKING:
    from mlbench.ingest.identity import Unit
    from mlbench.ingest.progress import Progress, Summary
    from mlbench.ingest.tree import Forest

FIRST_WAIT_S = 0.25
"""Between two looks while something changes: with the reading and the drawing a new point is shown within a second."""
LIVELY_WAIT_S = 0.5
"""The longest pause for ten minutes after a change: a training that logs once a minute is seen within a second, too."""
LIVELY_S = 600.0
LONGEST_WAIT_S = 5.0
BACK_OFF = 1.3
"""Growth of the pause while nothing changes."""
MAX_SHARE = 0.1
"""Of one processor that looking may take, however large the tree is or slow its disk."""


def catalog_stamp(home: Home) -> str:
    """Changes whenever a reader would see something new: another snapshot, or another word in the journal."""
    return f"{current_snapshot(home)}|{journal.stamp(home)}"


class Watcher:
    """Follows directories: the first look reads everything that is new, each further one what has come since.

    Looking is listing every folder and asking for the state of every file, which works on any file system, network
    ones too. Nothing is opened that has not changed, and of what grew only the new bytes are read.
    """

    def __init__(
        self,
        home: Home,
        paths: Sequence[str],
        *,
        progress: Callable[[Progress], None] = lambda _progress: None,
        is_cancelled: Callable[[], bool] = lambda: False,
        is_shown: bool = False,
    ) -> None:
        self._is_shown = is_shown
        self._home, self._paths = home, tuple(paths)
        self._progress, self._is_cancelled = progress, is_cancelled
        self._forest: Forest | None = None
        self._is_behind = True
        """Names came or went that the catalog does not know of yet."""
        self._changed: set[str] = set()
        """Files that have changed and were not read yet."""
        self._units: dict[str, list[Unit]] = {}
        """By path, the runs that a file tells of."""

    def look(self) -> Summary | None:
        """See what is new and read it.

        Returns:
            What was read, None where nothing had changed.

        Raises:
            SourceError: no path can be read.
            HomeError: the catalog cannot be written now; the next look catches up.
        """
        from mlbench.ingest.tree import Forest
        from mlbench.wire.patience import HangsError, LeavingError, answered

        try:
            news = self._forest.look() if self._forest is not None and not answered() else None
        except LeavingError:
            return None
        except HangsError:
            news = None
        if self._forest is None or news is None:  # what was set aside is nowhere: everything is walked anew
            if self._forest is not None:
                self._forest.patience.rest()
            self._forest, self._is_behind = Forest(self._progress, self._is_cancelled), True
        else:
            self._is_behind = self._is_behind or news.is_other
            self._changed |= news.files
        if self._is_behind:
            return self._read_all(self._forest)
        return self._read_changed(self._forest) if self._changed else None

    def _read_all(self, forest: Forest) -> Summary:
        from mlbench.ingest.run import ingest_paths

        summary = ingest_paths(
            self._home,
            self._paths,
            progress=self._progress,
            is_cancelled=self._is_cancelled,
            scanner=forest,
            is_shown=self._is_shown,
        )
        if not summary.was_cancelled:
            self._is_behind = False
            self._changed.clear()
        self._units.clear()
        for unit in forest.units:
            for member in unit.members:
                for path in (member.claimed.claim.path, *member.claimed.claim.follows):
                    self._units.setdefault(path, []).append(unit)
        return summary

    def _read_changed(self, forest: Forest) -> Summary | None:
        from mlbench.ingest.run import CatalogLostError, ingest_changed

        units = {unit.key: unit for path in self._changed for unit in self._units_of(path)}
        if not units:
            self._changed.clear()
            return None
        try:
            summary = ingest_changed(self._home, forest, list(units.values()))
        except CatalogLostError:
            self._is_behind = True
            return self._read_all(forest)
        self._changed.clear()
        return summary

    def _units_of(self, path: str) -> list[Unit]:
        """Of the file itself, or of a folder above it that is read as a whole."""
        while path not in self._units:
            above = os.path.dirname(path)
            if above == path:
                return []
            path = above
        return self._units[path]


class Pace:
    """When to look next: soon while something changes, seldom while nothing does."""

    def __init__(self) -> None:
        self._wait_s = FIRST_WAIT_S
        self._changed_at = time.monotonic()

    def wait_s(self, *, has_changed: bool, looking_s: float) -> float:
        """Seconds until the next look.

        Args:
            has_changed: the last look found something.
            looking_s: how long it took.
        """
        now = time.monotonic()
        self._changed_at = now if has_changed else self._changed_at
        longest_s = LIVELY_WAIT_S if now - self._changed_at < LIVELY_S else LONGEST_WAIT_S
        self._wait_s = FIRST_WAIT_S if has_changed else min(self._wait_s * BACK_OFF, longest_s)
        busy_s = looking_s if has_changed else looking_s * (1 / MAX_SHARE - 1)
        return max(self._wait_s, busy_s)
