"""Opening DuckDB files: settings, the schema's version, and what to do when a file cannot be opened."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from mlbench.catalog.importing import import_duckdb
from mlbench.errors import HomeError
from mlbench.paths import rename_new

if TYPE_CHECKING:
    import pyarrow as pa
    from duckdb import DuckDBPyConnection

SCHEMA_VERSION = 7
WORK_FILE = "work.duckdb"
CURRENT = "CURRENT"
LOCK_FILE = "writer.lock"
FIRST_ANSWER = "first-"
"""In the names of what the workbench keeps of its first answers."""
BROKEN = ".broken-"
"""In the names of what was moved aside."""
WRITER_MEMORY = "24MB"
"""At 10,000 runs of 50 parameters the writing process needs 200 MB less with 48 MB than with 1 GB, and XL 20 MiB
less with this than with that. With 16 MB a third more time: what does not fit becomes files."""
LAYING_MEMORY, MERGING_MEMORY = "48MB", "96MB"
"""For what comes last in an ingest of many runs, when no other process needs memory: to lay them out, and to put small
groups of rows together. To do that with all those of WIDE takes 2.5 s within 64 MB, since what does not fit becomes
files, 1.4 s within 96 MB, and 0.6 s with 128 MB, which is 35 MiB more for no less CPU of the whole ingest."""
_CHECKPOINT_AT = "4MB"
"""A commit that brings the log to this size writes its tables, and not the log first: those of an ingest do."""
_ROW_GROUPS = "ROW_GROUP_SIZE 4096"
"""A group that is not full is written anew with all its columns when rows come to it: by DuckDB's own size, 122,880, a
commit at 10,000 runs wrote eight times what it brought. What it has unpacked for that must fit into the writer's memory
with the three hundred columns of the pivot, else every 16 KiB of it become a file and come back from it. Groups of
another size that a file has stay as they are. The file does not say it: it has to be told at each opening."""
_BLOCK = 16384
STORAGE = f"BLOCK_SIZE {_BLOCK}, {_ROW_GROUPS}"
"""Of a new file. With 16 KiB blocks a torn metadata block is 38 times rarer after a power loss than with 256 KiB."""
_CONFIG: dict[str, str | bool | int | float | list[str]] = {
    "autoinstall_known_extensions": "false", "autoload_known_extensions": "false",
    "memory_limit": "1GB", "python_enable_replacements": "false",
}  # fmt: skip
_KEPT_BLOCKS = {"default_block_size": str(_BLOCK), "block_allocator_memory": WRITER_MEMORY}
"""Of the writer: blocks that are let go are kept for the next ones. Else DuckDB, each time when it is at its limit and
lets go of a block, returns all freed memory to the system, the C library's too, and takes it again page by page."""


class NewerCatalogError(HomeError):
    """The catalog was written by a newer mlbench; it is left alone."""


class DamagedCatalogError(HomeError):
    """Bytes of the catalog are not what was written."""


def is_damage(error: BaseException | None) -> bool:
    """Whether DuckDB has found that a block is not what was written, here or as the cause of an error of ours."""
    import duckdb

    while error is not None:
        if isinstance(error, duckdb.Error) and "corrupt" in str(error).lower():
            return True
        error = error.__cause__
    return False


@contextmanager
def telling_damage(place: str) -> Iterator[None]:
    """Say of a damaged file that it is one.

    Raises:
        DamagedCatalogError: DuckDB has found a block that is not what was written.
        duckdb.Error: another fault.
    """
    import duckdb

    try:
        yield
    except duckdb.Error as error:
        if not is_damage(error):
            raise
        reason = "a part of the catalog was damaged on disk"
        raise DamagedCatalogError(f"{place}: {reason}. Try: mlbench rebuild; your words are safe") from error


def connect(
    path: str, *, read_only: bool, n_threads: int = 2, settings: Mapping[str, str] | None = None
) -> DuckDBPyConnection:
    """Open a DuckDB file with our settings.

    Args:
        path: of the file; `:memory:` for none.
        read_only: several processes may read at once.
        n_threads: that work on a statement; a second one costs more than it saves where tables are small.
        settings: of this one alone, as DuckDB names them.

    Raises:
        duckdb.Error: it cannot be opened.
    """
    import_duckdb()
    import duckdb

    check_regular(path)
    connection = duckdb.connect(path, read_only=read_only, config={**_CONFIG, "threads": n_threads, **(settings or {})})
    # Under `python -c` and in notebooks DuckDB draws a bar on stdout, among the data, after two seconds.
    connection.execute("SET enable_progress_bar = false")
    if path != ":memory:":
        try:
            connection.execute("SET temp_directory = ?", [os.path.dirname(path)])
        except duckdb.NotImplementedException:  # this process has the file open already, and its folder is in use
            pass
    return connection


def check_regular(path: str) -> None:
    """See that a database and its log are files where they are there: DuckDB would wait for a pipe for ever.

    Raises:
        duckdb.IOException: one is something else.
    """
    import duckdb

    for file in (path, f"{path}.wal"):
        if os.path.exists(file) and not os.path.isfile(file):
            raise duckdb.IOException(f"{file} is not a regular file")


def connect_writer(path: str) -> DuckDBPyConnection:
    """Open the writer's file: DuckDB keeps all it has read and written up to its limit, which nothing here needs.

    Raises:
        duckdb.Error: it cannot be opened.
    """
    check_regular(path)
    connection = connect(":memory:", read_only=False, n_threads=1, settings=_KEPT_BLOCKS)
    try:
        _attach_work(connection, path)
    except BaseException:
        connection.close()
        raise
    return connection


def keep_apart(connection: DuckDBPyConnection) -> None:
    """Let small groups of rows be, where DuckDB would put them together: that takes 12 MiB more than a commit does."""
    connection.execute("SET max_vacuum_tasks = 0")


def put_together(connection: DuckDBPyConnection) -> None:
    """Put small groups of rows together, as far as they were kept apart, in a checkpoint that is made for it.

    To leave them as they are is no way: a later commit that puts two of a table together writes all that follow in it
    anew, within less memory.

    Args:
        connection: something was committed by it, else DuckDB has nothing to write.

    Raises:
        duckdb.Error: the file cannot be written, or memory is not enough; the connection is of no more use, and the
            file is as it was.
    """
    connection.execute("RESET max_vacuum_tasks")
    connection.execute("SET memory_limit = ?", [MERGING_MEMORY])
    connection.execute("FORCE CHECKPOINT")


def _attach_work(connection: DuckDBPyConnection, path: str) -> None:
    connection.execute(f"ATTACH {quote(path)} AS work ({_ROW_GROUPS})")
    connection.execute("USE work")
    connection.execute("SET temp_directory = ?", [os.path.dirname(path)])
    # Rows are inserted in the order in which they come: a join that is turned around gives them in another one.
    connection.execute("SET disabled_optimizers = 'build_side_probe_side'")
    connection.execute("SET memory_limit = ?", [WRITER_MEMORY])
    connection.execute("SET checkpoint_threshold = ?", [_CHECKPOINT_AT])


def with_room(connection: DuckDBPyConnection, change: Callable[[], object]) -> None:
    """Make a change in a transaction of its own, with more memory where the writer's was not enough.

    Raises:
        duckdb.Error: it cannot be made; its transaction may still be open.
    """
    import duckdb

    try:
        change()
    except duckdb.OutOfMemoryException:
        roll_back(connection)
        connection.execute("SET memory_limit = ?", [_CONFIG["memory_limit"]])
        change()


def execute(connection: DuckDBPyConnection, sql: str, parameters: Sequence[object]) -> DuckDBPyConnection:
    """Execute a statement, with more memory where the writer's is not enough.

    Raises:
        duckdb.Error: it fails; where it was part of a transaction, that may have ended for want of memory.
    """
    import duckdb

    try:
        return connection.execute(sql, list(parameters))
    except duckdb.OutOfMemoryException as error:
        try:
            connection.execute("SET memory_limit = ?", [_CONFIG["memory_limit"]])
        except duckdb.TransactionException:
            raise error from None
        return connection.execute(sql, list(parameters))


def shrink(connection: DuckDBPyConnection, most: str, limit: str) -> None:
    """Let go of what DuckDB keeps beyond `most`, where nothing needs it; it may take up to `limit` after that.

    A lower limit, if only for a moment, is what makes it evict blocks and return freed memory to the system.
    """
    import duckdb

    try:
        connection.execute("SET memory_limit = ?", [most])
    except (duckdb.OutOfMemoryException, duckdb.IOException):  # in use, or it may not be written: the limit stays
        pass
    connection.execute("SET memory_limit = ?", [limit])


def roll_back(connection: DuckDBPyConnection) -> None:
    """End a transaction that failed; a commit that did has ended it already."""
    import duckdb

    try:
        connection.execute("ROLLBACK")
    except duckdb.TransactionException:
        pass


def insert(
    connection: DuckDBPyConnection, table: str, rows: pa.Table | pa.RecordBatchReader,
    *, told: str = "SELECT * FROM incoming",
) -> None:  # fmt: skip
    """Insert rows into a table, by the names of their columns.

    Args:
        connection: in a transaction, or not.
        table: its name.
        rows: what `incoming` stands for; in a transaction DuckDB keeps hold of it, and so of a table's rows.
        told: the statement that gives them.

    Raises:
        duckdb.Error: they cannot be inserted.
    """
    connection.register("incoming", rows)
    connection.execute(f"INSERT INTO {table} BY NAME {told}")
    # Not where that failed: then nothing can be said until it is rolled back, which undoes the registering too.
    connection.unregister("incoming")


def create_work_file(path: str) -> DuckDBPyConnection:
    """Create an empty catalog under a temporary name and rename it: a crash while creating leaves nothing behind.

    Returns:
        The writer's connection to it, as `connect_writer` gives one. The DuckDB that created it stays: to start another
        takes as long as to create all tables.
    """
    temporary = f"{path}.{os.getpid()}.new"
    for leftover in (temporary, f"{temporary}.wal"):
        if os.path.exists(leftover):
            os.unlink(leftover)
    connection = connect(":memory:", read_only=False, n_threads=1, settings=_KEPT_BLOCKS)
    try:
        connection.execute(f"ATTACH {quote(temporary)} AS fresh ({STORAGE})")
        connection.execute("USE fresh")
        connection.execute("BEGIN")
        create_tables(connection)
        connection.execute("COMMIT")
        connection.execute("CHECKPOINT fresh")
        connection.execute("USE memory")
        connection.execute("DETACH fresh")
        os.chmod(temporary, 0o600)  # DuckDB makes its files as the umask has it
        rename_new(temporary, path)
        _attach_work(connection, path)
    except BaseException:
        connection.close()
        raise
    return connection


def create_tables(connection: DuckDBPyConnection) -> None:
    """Create all tables of the catalog in the connection's current database."""
    from mlbench.catalog.pivot import create_front

    connection.execute(sql_text("schema.sql"))
    create_front(connection)
    connection.execute("INSERT INTO meta VALUES ('schema_version', ?), ('generation', '0')", [str(SCHEMA_VERSION)])


def sql_text(name: str) -> str:
    """The text of one of the package's SQL files."""
    with open(os.path.join(os.path.dirname(__file__), name), encoding="utf-8") as file:
        return file.read()


def quote(path: str) -> str:
    """A path as an SQL string literal, for the statements that take no parameters."""
    return "'" + path.replace("'", "''") + "'"


def read_version(connection: DuckDBPyConnection) -> int:
    """The schema version of an open catalog; 0 where it is not one of ours."""
    import duckdb

    try:
        row = connection.execute("SELECT value FROM meta WHERE key = 'schema_version'").fetchone()
    except duckdb.Error:
        return 0
    return int(row[0]) if row and str(row[0]).isdecimal() else 0


def check_not_newer(version: int, path: str) -> None:
    """Refuse a catalog that a newer mlbench wrote.

    Raises:
        NewerCatalogError: it was.
    """
    if version > SCHEMA_VERSION:
        raise NewerCatalogError(
            f"{path}: written by a newer mlbench (catalog {version}, this one reads {SCHEMA_VERSION}). "
            "Try: pip install --upgrade mlbench, or mlbench --home DIR"
        )


def check_not_older(version: int, path: str) -> None:
    """Refuse a snapshot that an older mlbench wrote: its columns may mean something else. A writer replaces it.

    Raises:
        HomeError: it was.
    """
    if version < SCHEMA_VERSION:
        raise HomeError(
            f"{path}: written by an older mlbench (catalog {version}, this one reads {SCHEMA_VERSION}). "
            "Try: mlbench rebuild, which reads the logs again; your words are safe"
        )


def move_aside(path: str) -> str:
    """Rename a file or folder that cannot be used, so that nothing is deleted; returns the new name."""
    aside = f"{path}{BROKEN}{time.strftime('%Y%m%d-%H%M%S')}-{os.getpid()}"
    os.rename(path, aside)
    if os.path.lexists(f"{path}.wal"):
        os.rename(f"{path}.wal", f"{aside}.wal")
    return aside
