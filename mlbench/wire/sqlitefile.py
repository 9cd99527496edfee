"""SQLite files of trackers, read without touching them: not the file, not its folder, and never waiting for long.

A file in rollback mode is opened with `mode=ro`. One in WAL mode would get a `-shm` file from a mere reader, so it is
opened as immutable where no log lies beside it (all its pages are then in the file itself), with the index that the
writer shares where there is one, and else read in a private copy, as is one whose writer was killed within a
transaction: SQLite has to roll that back. Every table is looked up before it is read and columns are taken by name, so
that schemas of many versions are read by the same queries. The content is a stranger's: views and virtual tables are
no tables here, triggers never run, a statement ends after a while.
Link: https://www.sqlite.org/wal.html#readonly
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Generic, TypeAlias, TypeVar
from urllib.parse import quote

from mlbench.wire.files import NotRegularError, is_lfs_pointer, read_head

MAGIC = b"SQLite format 3\0"
_WAL_FORMAT = 2
"""The bytes 18 and 19 of the header in WAL mode; 1 else."""
BUSY_S = 2.0
"""How long to wait for a writer's transaction."""
STATEMENT_S = 120.0
"""A statement on a file that was made to be slow ends after this."""
MAX_COPY_BYTES = 4 << 30
_OPS_BETWEEN = 100_000
_MAX_TEXT_BYTES = 64 << 20

Scalar: TypeAlias = "int | float | str | bytes | None"
Row: TypeAlias = tuple[Scalar, ...]
T = TypeVar("T")


class DatabaseError(Exception):
    """The file cannot be read as a database. `what` is a sentence without the path, `hint` what to do."""

    def __init__(self, what: str, hint: str = "", *, is_locked: bool = False) -> None:
        super().__init__(what)
        self.what, self.hint = what, hint
        self.is_locked = is_locked
        """A writer is in the middle of a transaction; a moment later it can be read."""


class Database:
    """An open file; close it when done."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        # The handler must not hold this object, which holds the connection: else the file would stay open until
        # somebody looks for cycles, which no ingest does.
        self._until_s = until_s = [0.0]
        connection.set_progress_handler(lambda: time.monotonic() > until_s[0], _OPS_BETWEEN)
        try:
            for pragma in ("query_only = 1", "trusted_schema = 0", "cell_size_check = 1"):
                connection.execute(f"PRAGMA {pragma}")
            self.tables: Mapping[str, tuple[str, ...]] = dict(self._find_tables())
            """Names of columns by name of table, in lower case."""
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Database:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()

    def __del__(self) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the file. Twice does no harm."""
        self._connection.close()

    def rows(
        self, table: str, columns: Sequence[str], where: str = "", values: Sequence[str | int] = (), order: str = ""
    ) -> Iterator[Row]:
        """Rows of a table, none where it does not exist; a column that it does not have is None.

        Args:
            table: its name, in lower case, as the caller wrote it.
            columns: to be returned, in this order.
            where: a condition with `?`; the columns that it names must exist, else there are no rows.
            values: for the `?`.
            order: columns to sort by.

        Raises:
            DatabaseError: the file is damaged or locked.
        """
        known = self.tables.get(table)
        if known is None:
            return
        chosen = ", ".join(f'"{name}"' if name in known or name == "rowid" else "NULL" for name in columns)
        sql = f'SELECT {chosen} FROM "{table}"'
        sql += f" WHERE {where}" if where else ""
        sql += f" ORDER BY {order}" if order else ""
        yield from self.ask(sql, values)

    def ask(self, sql: str, values: Sequence[str | int] = ()) -> Iterator[Row]:
        """The rows of a statement of the caller's own; raises as `rows` does."""
        self._until_s[0] = time.monotonic() + STATEMENT_S
        try:
            cursor = self._connection.execute(sql, values)
            while rows := cursor.fetchmany(1000):
                yield from rows
                self._until_s[0] = time.monotonic() + STATEMENT_S
        except (sqlite3.Error, OverflowError, ValueError) as error:
            raise _told(error) from error

    def has(self, table: str, *columns: str) -> bool:
        """Whether it has this table with at least these columns."""
        return set(columns) <= set(self.tables.get(table, ())) and table in self.tables

    def _find_tables(self) -> Iterator[tuple[str, tuple[str, ...]]]:
        named = [
            (name, sql)
            for name, sql in self.ask("SELECT name, sql FROM sqlite_master WHERE type = 'table'")
            if isinstance(name, str) and isinstance(sql, str) and not sql.upper().startswith("CREATE VIRTUAL")
        ]
        for name, _sql in named:
            columns = self.ask("SELECT name FROM pragma_table_info(?)", (name,))
            yield name.lower(), tuple(str(column).lower() for (column,) in columns)


def open_database(path: str) -> Database:
    """Open a database for reading.

    Raises:
        DatabaseError: it is none, is damaged, or a writer has locked it.
        OSError: the file cannot be opened.
    """
    head = _checked_head(path)
    is_wal = head[18:19] == bytes([_WAL_FORMAT]) or head[19:20] == bytes([_WAL_FORMAT])
    try:
        if _size(f"{path}-journal") > 0 and not is_wal:
            return _open_unfinished(path)
        if not is_wal:
            return _connect(path, "mode=ro")
        if _size(f"{path}-wal") <= 0:
            return _connect(path, "mode=ro&immutable=1")
        if _size(f"{path}-shm") >= 0:
            return _connect(path, "mode=ro&readonly_shm=1")
        return _open_copy(path, "-wal")
    except sqlite3.Error as error:
        raise _told(error) from error


def stamp_of(path: str) -> tuple[tuple[int, int, int], ...]:
    """Size, time and inode of the file, its log and its journal: equal means that nothing was written."""
    stamps: list[tuple[int, int, int]] = []
    for name in (path, f"{path}-wal", f"{path}-journal"):
        try:
            status = os.stat(name)
            stamps.append((status.st_size, status.st_mtime_ns, status.st_ino))
        except OSError:
            stamps.append((-1, -1, -1))
    return tuple(stamps)


def _checked_head(path: str) -> bytes:
    if not os.path.lexists(path):
        raise FileNotFoundError(2, "No such file or directory", path)
    if not os.path.isfile(path):
        raise NotRegularError(path)
    head = read_head(path, 100)
    if is_lfs_pointer(head):
        raise DatabaseError("this is a Git LFS pointer, the file itself is not here", "git lfs pull")
    if not head.startswith(MAGIC):
        with open(path, "rb"):  # tells why it cannot be read
            pass
        raise DatabaseError("this is no SQLite database" if head else "the file is empty")
    return head


def _size(path: str) -> int:
    try:
        return os.stat(path).st_size
    except OSError:
        return -1


def _connect(path: str, options: str) -> Database:
    uri = f"file:{quote(os.fsencode(path))}?{options}"
    connection = sqlite3.connect(uri, uri=True, timeout=BUSY_S, check_same_thread=False, isolation_level=None)
    connection.text_factory = lambda text: text.decode("utf-8", "replace")
    if hasattr(connection, "setlimit"):
        connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, _MAX_TEXT_BYTES)
    return Database(connection)


def _open_unfinished(path: str) -> Database:
    """A journal lies beside the file: of a transaction under way, or of one whose writer was killed."""
    try:
        return _connect(path, "mode=ro")
    except DatabaseError as error:
        if error.is_locked:
            raise
        return _open_copy(path, "-journal")


def _open_copy(path: str, *suffixes: str) -> Database:
    """A private copy, in which SQLite may repair what it has to."""
    names = [path, *(f"{path}{suffix}" for suffix in suffixes)]
    if sum(max(_size(name), 0) for name in names) > MAX_COPY_BYTES:
        raise DatabaseError("its writer was stopped within a transaction, and it is too large to be copied",
                            "open it once with its own tracker")  # fmt: skip
    folder = tempfile.mkdtemp(prefix="mlbench-")
    try:
        for name, suffix in zip(names, ("", *suffixes), strict=True):
            if os.path.isfile(name):
                shutil.copyfile(name, os.path.join(folder, f"copy{suffix}"))
        return _connect(os.path.join(folder, "copy"), "mode=rw")
    finally:
        # All its files are open by now, so that none is left behind however the process ends.
        shutil.rmtree(folder, ignore_errors=True)


def _told(error: Exception) -> DatabaseError:
    text = str(error)
    if "locked" in text or "busy" in text:
        return DatabaseError("another program is writing it and has locked it", "it will be read by the next ingest",
                             is_locked=True)  # fmt: skip
    if "interrupted" in text:
        return DatabaseError(f"a question to it took longer than {STATEMENT_S:.0f} seconds")
    return DatabaseError(f"the database cannot be read: {text}")


class OneOpen(Generic[T]):
    """What was made of the database that was opened last, kept while its files stay as they are: the runs of a tracker
    are read one after another from one file. Belongs to one thread; a process that was forked makes its own.
    """

    def __init__(self, make: Callable[[Database], T]) -> None:
        self._make = make
        self._held: tuple[object, T] | None = None

    def get(self, path: str) -> T:
        """What is made of the database at `path`; raises as `open_database` does."""
        mark = (path, os.getpid(), stamp_of(path))
        if self._held is None or self._held[0] != mark:
            self._held = None  # the file is closed with the last word that anybody has of it
            self._held = (mark, self._make(open_database(path)))
        return self._held[1]
