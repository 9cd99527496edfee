"""The writing side of the catalog: one process at a time, whole runs in one transaction, snapshots by rename."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from mlbench.catalog import pivot, snapshots
from mlbench.catalog.batch import Batch
from mlbench.catalog.connection import (
    CURRENT,
    LAYING_MEMORY,
    WORK_FILE,
    DamagedCatalogError,
    connect_writer,
    execute,
    insert,
    is_damage,
    keep_apart,
    move_aside,
    put_together,
    with_room,
)
from mlbench.catalog.lock import take_lock
from mlbench.catalog.opening import is_about_the_disk, open_work, reason_of
from mlbench.catalog.replacing import delete_replaced
from mlbench.catalog.segments import SegmentStore, Stored, sync_segments
from mlbench.catalog.tables import rows_as_table, stream_of
from mlbench.errors import HomeError
from mlbench.paths import Home, make_folder
from mlbench.wire.patience import at_home, check

if TYPE_CHECKING:
    import pyarrow as pa
    from duckdb import DuckDBPyConnection

SERIES_BLOCK = 1 << 24
"""More series than a segment can have."""
_UNPUBLISHED = "unpublished"
"""Mark in `meta`: a commit that no snapshot holds yet, perhaps of a process that was killed."""
_REBUILDING = "rebuilding"
"""Mark in `meta`: the catalog was emptied for a rebuild that is not done."""
_STATE = """
SELECT (SELECT coalesce(max(series_id), 0) FROM series), (SELECT coalesce(max(source_id), 0) FROM source),
    (SELECT coalesce(list(key), []) FROM meta)
"""
_SET_HINTS = """
UPDATE run SET hint = told.hint FROM (SELECT unnest(?) AS run_id, unnest(?) AS hint) told WHERE run.run_id = told.run_id
"""
_KEPT = frozenset({"meta", "run_number", "run_row"})
"""Tables that a rebuild keeps: a run has the same number afterwards."""


def open_writer(home: Home, *, wait_s: float = 10.0) -> Writer:
    """Become the one writer of the catalog, creating or repairing it as needed.

    Args:
        home: its cache folder is created if missing.
        wait_s: how long to wait for another writer to finish.

    Raises:
        WriterBusyError: another process is still writing after `wait_s`.
        HomeError: the home cannot be written.
    """
    make_folder(home.cache)
    writer = Writer(home, take_lock(home, wait_s))
    try:
        if os.path.exists(home.points) and not os.path.isdir(home.points):
            move_aside(home.points)
        if not writer.is_blank:
            writer.open()
    except OSError as error:
        writer.close()
        reason = f"the home cannot be written: {error.strerror}"
        raise HomeError(f"{home.cache}: {reason}. Try: mlbench --home DIR") from error
    except BaseException as error:
        writer.__exit__(type(error), error, None)
        raise
    return writer


class Writer:
    """The open catalog of the one writing process. Close it to let others write."""

    def __init__(self, home: Home, lock: int) -> None:
        self.home, self._file = home, os.path.join(home.cache, WORK_FILE)
        self.talk: list[str] = []
        """What the user should be told about the opening."""
        self._is_lost = self._is_rebuilding = self._is_noted = False  # noted: that something is unpublished is marked
        self._opened: DuckDBPyConnection | None = None
        self._unopened: Exception | None = None  # why it could not be opened again
        self._lock = lock
        self.is_blank = not any(os.path.lexists(os.path.join(home.cache, name)) for name in (WORK_FILE, CURRENT))
        """There is no catalog yet, nor was one: it is created by the first statement, or while others read."""
        self.is_dirty = True
        """An ingest has changed something and is not done, perhaps one that was killed."""
        self.is_apart = False
        """DuckDB leaves the small groups of rows of many commits as they are, until all are committed."""
        self._points = SegmentStore(home.points)
        self._next_series, self._next_source = SERIES_BLOCK, 1

    def open(self) -> DuckDBPyConnection:
        """Open or create the catalog unless that is done, and see how far it is; raises HomeError where it cannot."""
        if self._unopened is not None:
            reason = f"{self.home.cache}: the catalog cannot be written, nor opened again: {reason_of(self._unopened)}"
            raise HomeError(f"{reason}. Run the command again; tags and notes are safe") from self._unopened
        if self._opened is not None:
            return self._opened
        self._opened, talk = open_work(self._file, is_new=self.is_blank)
        self.talk += [*talk, *snapshots.put_right(self._opened, self.home.cache)]
        self._is_lost = bool(talk)
        if not self.is_blank:
            is_seen = os.path.exists(os.path.join(self.home.cache, CURRENT))
            ((last_series, last_source, marks),) = self.rows(_STATE)
            self._is_noted, self._is_rebuilding = _UNPUBLISHED in marks, _REBUILDING in marks
            self.is_dirty = not is_seen or self._is_noted
            if self._is_noted:  # by an ingest that was not done, perhaps of many commits
                self.is_apart = True
                keep_apart(self._opened)
            self._next_series = (last_series // SERIES_BLOCK + 1) * SERIES_BLOCK
            self._next_source = last_source + 1
        self.is_blank = False
        return self._opened

    @property
    def _connection(self) -> DuckDBPyConnection:
        return self.open()

    def __enter__(self) -> Writer:
        return self

    def __exit__(self, _kind: object, error: BaseException | None, _at: object) -> None:
        """Close it; a file in which DuckDB has found damage is moved aside, so that the next writer begins anew."""
        self._close()
        try:
            if is_damage(error):
                aside = move_aside(self._file)
                raise DamagedCatalogError(
                    f"{self.home.cache}: the catalog was damaged on disk; it was moved to {aside}. "
                    "Try: mlbench rebuild; your words are safe"
                ) from error
            if isinstance(error, Exception) and is_about_the_disk(error):
                raise self._unwritable(error) from error
        finally:
            os.close(self._lock)

    def _unwritable(self, error: Exception) -> HomeError:
        reason = f"{self.home.cache}: the catalog cannot be written: {reason_of(error)}"
        return HomeError(f"{reason}. Free some space, then run the command again; tags and notes are safe")

    @property
    def must_rebuild(self) -> bool:
        """The catalog is empty or half built: everything that was ever ingested has to be read again."""
        return self._is_lost or self._is_rebuilding

    def rebuilt(self) -> None:
        """Say that the catalog is whole again."""
        self._mark(_REBUILDING, is_set=False)
        self._is_lost = self._is_rebuilding = False

    def _mark(self, key: str, *, is_set: bool = True) -> None:
        self.rows("INSERT INTO meta VALUES (?, '1')" if is_set else "DELETE FROM meta WHERE key = ?", [key])

    def new_series_block(self) -> int:
        """The first of `SERIES_BLOCK` ids that no series of this catalog has had, for one segment.

        Old points in shared segments stay unreachable, and processes need not agree on every id.
        """
        block = self._next_series
        self._next_series += SERIES_BLOCK
        return block

    def new_source_id(self, n: int = 1) -> int:
        """An id that no source of this catalog has, the first of `n`; a catalog that has nothing yet begins at 1."""
        self._next_source += n
        return self._next_source - n

    def rows(self, sql: str, parameters: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        """The rows of a statement on the writer's own file."""
        check()
        with at_home():
            return execute(self._connection, sql, parameters).fetchall()

    def records(self, sql: str, parameters: Sequence[object] = ()) -> list[dict[str, Any]]:
        """The rows of a statement, by the names of their columns."""
        check()
        with at_home():
            result = execute(self._connection, sql, parameters)
            names = [column[0] for column in result.description or ()]
            return [dict(zip(names, row, strict=True)) for row in result.fetchall()]

    def points(self, run_ids: Sequence[str], series_ids: Sequence[int]) -> pa.Table:
        """All stored points of some series of some runs, sorted by series_id and seq."""
        segments = self.rows(
            "SELECT DISTINCT g.file, g.hash FROM segment g JOIN segment_run m ON m.file = g.file "
            "WHERE m.run_id IN (SELECT unnest(?)) ORDER BY 1", [list(run_ids)]
        )  # fmt: skip
        with at_home():
            return self._points.read([(file, digest) for file, digest in segments], series_ids)

    def update(self, sql: str, parameters: Sequence[object]) -> None:
        """Change rows by one statement of its own transaction.

        Raises:
            HomeError: the disk is full or the file cannot be written.
        """
        self._transaction(lambda: self.rows(sql, parameters))

    def clear(self) -> None:
        """Forget everything, for a rebuild; readers keep the last snapshot until the rebuild is done."""
        tables = self.rows("SELECT table_name FROM duckdb_tables() WHERE NOT temporary")

        def forget() -> None:
            if not self._is_rebuilding:
                self._mark(_REBUILDING)
            for (table,) in tables:
                if table not in _KEPT:
                    self.rows(f'DELETE FROM "{table}"')

        self._transaction(forget)
        self._is_rebuilding = True

    def _transaction(self, change: Callable[[], object]) -> None:
        """Apply a change whole or not at all, and remember that readers have not seen it yet.

        Raises:
            HomeError: the disk is full or the file cannot be written.
        """
        self.open()  # before anything else imports DuckDB: it does so in less time
        import duckdb

        def transact() -> None:
            self._connection.execute("BEGIN")
            change()
            if not self._is_noted:
                self._mark(_UNPUBLISHED)
            self._connection.execute("COMMIT")

        try:
            with_room(self._connection, transact)
        except duckdb.Error as error:
            self._reopen()
            raise self._unwritable(error) from error
        self.is_dirty = self._is_noted = True

    def commit(self, batch: Batch) -> None:
        """Apply a batch in one transaction; its points are on disk before that ends.

        Raises:
            HomeError: the disk is full or the file cannot be written; nothing of the batch is then in the catalog.
        """
        if batch.is_empty:
            return
        tables = sorted(batch.table_names(), key="run".__ne__)  # first, since rows of a run have its number

        def replace() -> None:
            hints = delete_replaced(self.rows, batch)
            for table in tables:
                self._insert_table(table, batch.stream(table))
                if table == "run":
                    self.rows(pivot.NUMBER_RUNS)
            if batch.stored:
                self._add_segments(batch.stored)
            if hints:
                self.rows(_SET_HINTS, [list(hints), list(hints.values())])

        self._transaction(replace)

    def _add_segments(self, stored: Sequence[Stored]) -> None:
        sync_segments(self.home.points)
        segments = {one.segment.file: one.segment for one in stored}
        self.rows("DELETE FROM segment WHERE file IN (SELECT unnest(?))", [list(segments)])
        self._insert("segment", [
            {"file": segment.file, "hash": segment.hash, "n_rows": segment.n_rows, "size_bytes": segment.size_bytes}
            for segment in segments.values()
        ])  # fmt: skip
        self._insert("segment_run", [
            {"file": one.segment.file, "run_id": run_id} for one in stored for run_id in one.run_ids
        ])  # fmt: skip
        new = [one.series for one in stored if not one.replaced]
        if new:
            self._insert_table("series", stream_of(new))
        for one in stored:
            if one.replaced:
                self.rows("DELETE FROM series WHERE series_id IN (SELECT unnest(?))", [list(one.replaced)])
                self._insert_table("series", stream_of([one.series]))

    def _insert(self, table: str, rows: Sequence[Mapping[str, Any]]) -> None:
        if rows:
            self._insert_table(table, rows_as_table(table, rows))

    def _insert_table(self, table: str, rows: pa.Table | pa.RecordBatchReader) -> None:
        insert(self._connection, table, rows, told=pivot.incoming(table, rows.schema.names))

    def shed(self) -> None:
        """Between commits: let go of all that DuckDB has in memory, by closing the file and opening it again.

        It grows with the file and with all that was done in it, and nothing of it is needed.
        """
        if os.path.exists(self._file):  # else somebody has deleted it, and what is open goes on
            self.is_apart = True
            self._reopen()

    def _reopen(self) -> None:
        """After a failed write DuckDB may have declared the file's connection dead: open it again."""
        import duckdb

        with suppress(duckdb.Error):
            self._close()
        try:
            self._opened = connect_writer(self._file)
            if self.is_apart:
                keep_apart(self._opened)
        except duckdb.Error as error:
            self._unopened = error

    def _lay_out(self, generation: int, *, is_roomy: bool) -> None:
        """Lay out the runs that are new, for the snapshot of this number.

        With room, at the end of many commits, put their small groups of rows together.
        """
        import duckdb

        if is_roomy:
            with suppress(duckdb.OutOfMemoryException):  # more is in use, and allowed
                self.rows("SET memory_limit = ?", [LAYING_MEMORY])
        with_room(self._connection, lambda: pivot.refresh(self._connection, is_roomy=is_roomy))
        if is_roomy:
            self.shed()
        self.rows("UPDATE meta SET value = ? WHERE key = 'generation'", [str(generation)])
        if is_roomy:
            try:
                put_together(self._connection)
                self.is_apart = False
            except duckdb.Error as error:
                if is_damage(error):
                    raise
                self._reopen()  # it goes without

    def publish(self, *, is_compact: bool = False, is_last: bool = True) -> bool:
        """Make what was committed visible to all readers; False when nothing has changed since the last time.

        Args:
            is_compact: leave nothing of what was deleted in the snapshot, which takes ten times as long.
            is_last: the ingest is done, and every segment that was written has been committed. Until then none is
                deleted: one may have been waiting for its commit while the machine slept, and look like one that
                nobody needs.

        Raises:
            HomeError: the disk is full; readers keep the snapshot they have.
        """
        import duckdb

        if not self.is_dirty:
            return False
        last = int(self.rows("SELECT value FROM meta WHERE key = 'generation'")[0][0])
        generation = snapshots.next_number(self.home.cache, last)
        name = snapshots.name_of(generation)
        path = os.path.join(self.home.cache, name)
        try:
            self._lay_out(generation, is_roomy=is_last and self.is_apart)
            snapshots.copy(self._connection, self._file, f"{path}.tmp", is_compact=is_compact)
            os.chmod(f"{path}.tmp", 0o600)
            os.rename(f"{path}.tmp", path)
            snapshots.point_current(self.home.cache, name)
            if is_last:
                self._mark(_UNPUBLISHED, is_set=False)
                self._is_noted = False
        except (duckdb.Error, OSError) as error:
            snapshots.drop_unfinished(f"{path}.tmp")
            raise HomeError(
                f"{self.home.cache}: the snapshot cannot be written: {reason_of(error)}. "
                "Free some space, then run the command again"
            ) from error
        snapshots.drop_old(self.home.cache, name)
        if is_last:
            self.is_dirty = False
            snapshots.drop_unused_segments(self.rows, self.home.points)
        return True

    def close(self) -> None:
        """Give the catalog up to the next writer."""
        self._close()
        os.close(self._lock)

    def _close(self) -> None:
        if self._opened is not None:
            self._opened.close()
