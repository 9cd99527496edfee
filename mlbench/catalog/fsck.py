"""Checking what mlbench keeps on the disk: the catalog's files and hashes, and the journal's checksums."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from mlbench.catalog.connection import BROKEN, WORK_FILE, connect, read_version
from mlbench.catalog.reader import current_snapshot
from mlbench.catalog.segments import is_whole
from mlbench.dataclass import dataclass
from mlbench.errors import HomeError
from mlbench.journal.entries import journal_names, read_lines
from mlbench.journal.rewriting import ARCHIVE
from mlbench.model import Problem

if TYPE_CHECKING:
    from mlbench.paths import Home

REBUILD = "mlbench rebuild: it is read again from the logs, and your words are safe"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was checked."""

    what: str
    """journal, snapshot, catalog or segment."""
    path: str
    state: str
    """`ok`, or what is wrong."""
    hint: str = ""
    """What to do about it."""

    @property
    def is_well(self) -> bool:
        return self.state == "ok"


def check_home(home: Home, progress: Callable[[int, int], None] = lambda _done, _total: None) -> tuple[Finding, ...]:
    """Check every journal file, the newest snapshot, and the hash of every segment that it names.

    Args:
        home: what to check; nothing is written.
        progress: called with the number of bytes that were hashed, and that there are.
    """
    return (*_check_journal(home), *_check_catalog(home, progress))


def _check_journal(home: Home) -> Iterator[Finding]:
    for folder in (home.journal, os.path.join(home.journal, ARCHIVE)):
        for name in journal_names(folder):
            path = os.path.join(folder, name)
            problems: list[Problem] = []
            read_lines(path, problems)
            for problem in problems:
                place = f" ({problem.place})" if problem.place else ""
                yield Finding("journal", path, f"{problem.what}{place}", problem.hint)
            if not problems:
                yield Finding("journal", path, "ok")


def _check_catalog(home: Home, progress: Callable[[int, int], None]) -> Iterator[Finding]:
    snapshot = current_snapshot(home)
    if snapshot is None:
        if os.path.exists(os.path.join(home.cache, WORK_FILE)):
            yield Finding("snapshot", home.cache, "no snapshot was ever published", REBUILD)
        return
    segments, state = _read_snapshot(snapshot)
    yield Finding("snapshot", snapshot, state, "" if state == "ok" else REBUILD)
    total, done = sum(size for _file, _hash, size in segments), 0
    for file, digest, size in segments:
        path = os.path.join(home.points, file)
        state = _check_segment(path, digest)
        yield Finding("segment", path, state, "" if state == "ok" else REBUILD)
        done += size
        progress(done, total)
    yield from _check_leftovers(home)


def _read_snapshot(path: str) -> tuple[list[tuple[str, str, int]], str]:
    """The segments that the snapshot names, and how it is; every table is read, so that every block is checked."""
    import duckdb

    try:
        connection = connect(path, read_only=True)
        try:
            if read_version(connection) == 0:
                return [], "not a catalog of mlbench"
            for (table,) in connection.execute("SELECT table_name FROM duckdb_tables()").fetchall():
                connection.execute(
                    f'SELECT count(*) FROM (SELECT hash(t) AS h FROM "{table}" t) WHERE h = 0'
                ).fetchall()
            return connection.execute("SELECT file, hash, size_bytes FROM segment ORDER BY file").fetchall(), "ok"
        finally:
            connection.close()
    except (duckdb.Error, HomeError) as error:
        return [], f"cannot be read: {str(error).partition(chr(10))[0]}"


def _check_segment(path: str, digest: str) -> str:
    try:
        is_unchanged = is_whole(path, digest)
    except OSError as error:
        return f"missing ({error.strerror or error})"
    return "ok" if is_unchanged else "damaged: its content is not what was written"


def _check_leftovers(home: Home) -> Iterator[Finding]:
    """Catalogs that were moved aside, since they could not be used: nothing reads them."""
    for name in sorted(os.listdir(home.cache)):
        if BROKEN in name:
            path = os.path.join(home.cache, name)
            yield Finding("catalog", path, "moved aside, since it could not be used", f"nothing reads it: rm {path}")
