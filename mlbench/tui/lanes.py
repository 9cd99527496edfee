"""The readers that the workbench asks, and what DuckDB keeps of the catalog between questions."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from mlbench.paths import Home
from mlbench.tui.first_answer import stamp_of

if TYPE_CHECKING:
    from mlbench.catalog.reader import Reader

MEMORY = "48MB"
"""Of DuckDB's cache of the catalog, which would keep all that was ever looked at; a question that needs more gets it.

At 100,000 runs four searches and the curves of a page leave 352 MB resident with 1 GB, 267 with 128 MB and 166 with 48;
they take 0.24, 0.41 and 0.44 CPU s. With 24 it wrote to its folder and ran out now and then, also on small catalogs.
"""
KEPT = "8MB"
"""Of the cache, once no question is asked any more: what is given back goes to the system, and a next question reads
its blocks again, from the system's cache, in a millisecond."""


class Rest:
    """Knows when none of the lanes is asked, and has DuckDB give back its memory then: they share its cache."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._n_asked = 0

    @contextmanager
    def asking(self) -> Iterator[None]:
        """While a question is asked. Nothing is given back under one that may need it."""
        with self._lock:
            self._n_asked += 1
        try:
            yield
        finally:
            with self._lock:
                self._n_asked -= 1

    def give_back(self, reader: Reader) -> None:
        """Keep little, if nobody asks now: whoever begins to waits the millisecond that it takes."""
        with self._lock:
            if not self._n_asked:
                reader.give_back(KEPT, MEMORY)


class Lane:
    """One reader at a time: opened again when the snapshot or the journal is another one."""

    def __init__(self, home: Home, rest: Rest) -> None:
        """Share `rest` with the other lanes on the home."""
        self._home = home
        self._rest = rest
        self._lock = threading.Lock()
        self._reader: Reader | None = None
        self._stamp: object = None

    @contextmanager
    def reading(self) -> Iterator[Reader]:
        """The reader, for one thread at a time."""
        with self._lock:
            with self._rest.asking():
                reader = self._current()
                yield reader
            self._rest.give_back(reader)

    def _current(self) -> Reader:
        from mlbench.catalog.reader import open_reader

        stamp = stamp_of(self._home)
        if self._reader is None or stamp != self._stamp:
            self.close()
            self._reader = open_reader(self._home)
            self._reader.rows(f"SET memory_limit = '{MEMORY}'")
            self._stamp = stamp
        return self._reader

    def close(self) -> None:
        """Let go of the snapshot."""
        if self._reader is not None:
            self._reader.close()
            self._reader = None
