"""Snapshot files: their names, the link to the newest, and when old ones go."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable, Container
from typing import TYPE_CHECKING, Any

from mlbench.catalog.connection import BROKEN, CURRENT, STORAGE, check_regular, move_aside, quote
from mlbench.catalog.segments import remove_quietly, sync_folder

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

KEPT_SNAPSHOTS = 3
MOST_FREE = 0.5
"""Share of unused blocks from which a file is not worth copying as it is."""
UNUSED_SEGMENT_S = 300.0
"""A segment that no run needs is deleted after five minutes: readers of older snapshots may still want it."""
_PREFIX = "snap-"
_ENDING = ".duckdb"


def name_of(number: int) -> str:
    """The file name of a snapshot; names sort as their numbers do."""
    return f"{_PREFIX}{number:08d}{_ENDING}"


def next_number(cache: str, last: int) -> int:
    """Greater than `last` and all on disk, so that a catalog that was built again is news to every reader."""
    numbers = [name.removeprefix(_PREFIX).partition(".")[0] for name in os.listdir(cache) if name.startswith(_PREFIX)]
    return max([last, *(int(number) for number in numbers if number.isdigit())]) + 1


def put_right(connection: DuckDBPyConnection, cache: str) -> list[str]:
    """Move aside what stands in the place of the newest snapshot but cannot be read.

    Args:
        connection: any; a DuckDB of its own would take twenty times as long.
        cache: folder of the snapshots.

    Returns:
        What to tell of it.
    """
    import duckdb

    link = os.path.join(cache, CURRENT)
    if not os.path.lexists(link):
        return []
    if not os.path.islink(link):
        return [f"{CURRENT} was no link to a snapshot; it was moved to {move_aside(link)}"]
    path = os.path.join(cache, os.readlink(link))
    try:
        if os.path.exists(path):
            check_regular(path)
            connection.execute(f"ATTACH {quote(path)} AS snapshot (READ_ONLY)")
            connection.execute("DETACH snapshot")
        return []
    except duckdb.Error as error:
        reason = str(error).partition("\n")[0]
        return [f"the snapshot could not be read ({reason}); it was moved to {move_aside(path)} and is published again"]


def point_current(cache: str, name: str) -> None:
    """Make `CURRENT` lead to a snapshot, in one step that survives a power loss."""
    temporary = os.path.join(cache, f"{CURRENT}.{os.getpid()}")
    remove_quietly(temporary)
    os.symlink(name, temporary)
    os.rename(temporary, os.path.join(cache, CURRENT))
    sync_folder(cache)


def drop_old(cache: str, current: str) -> None:
    """Keep the last snapshots for readers that are just opening one; delete older and unfinished ones."""
    ours = sorted(name for name in os.listdir(cache) if name.startswith(_PREFIX))
    whole = [name for name in ours if name.endswith(_ENDING) and name != current]
    unfinished = [name for name in ours if not name.endswith(_ENDING) and BROKEN not in name]
    for name in [*whole[: -KEPT_SNAPSHOTS + 1], *unfinished]:
        remove_quietly(os.path.join(cache, name))


def drop_unfinished(path: str) -> None:
    """Delete a database that was not finished, with its log."""
    remove_quietly(path)
    remove_quietly(f"{path}.wal")


def touch(path: str) -> None:
    """Let a file's age begin now; nothing happens if it is gone."""
    try:
        os.utime(path)
    except OSError:
        pass


def remove_unused(folder: str, used: Container[str], oldest_s: float) -> None:
    """Delete the files of a folder that nobody uses, if they were last written before a time."""
    for name in os.listdir(folder):
        if name not in used:
            remove_older(os.path.join(folder, name), oldest_s)


def drop_unused_segments(rows: Callable[..., list[tuple[Any, ...]]], points: str) -> None:
    """Delete what no run has needed for a while; its age is counted from when it fell out of use.

    Args:
        rows: gives those of a statement on the writer's file.
        points: folder of the segments.
    """
    if not os.path.isdir(points):
        return
    unused = rows("SELECT file FROM segment WHERE file NOT IN (SELECT file FROM segment_run)")
    for (file,) in unused:
        touch(os.path.join(points, file))
    if unused:
        rows("DELETE FROM segment WHERE file NOT IN (SELECT file FROM segment_run)")
    used = {row[0] for row in rows("SELECT file FROM segment")}
    remove_unused(points, used, time.time() - UNUSED_SEGMENT_S)


def remove_older(path: str, oldest_s: float) -> None:
    """Delete a file that was last written before a time; a process whose ingest was killed may do so as well."""
    try:
        if os.stat(path).st_mtime < oldest_s:
            os.unlink(path)
    except OSError:
        pass


def copy(connection: DuckDBPyConnection, work: str, path: str, *, is_compact: bool) -> None:
    """Copy the writer's catalog, durably.

    Args:
        connection: has `work` open and no transaction; nothing writes meanwhile.
        work: the writer's file.
        path: the copy.
        is_compact: leave nothing of what was deleted in it.

    Raises:
        OSError: the disk is full.
        duckdb.Error: as OSError.
    """
    drop_unfinished(path)
    if not is_compact and copy_file(connection, work, path):
        return
    drop_unfinished(path)  # what `cp` has left on a full disk; the tables alone may still find room
    copy_tables(connection, path)


def copy_file(connection: DuckDBPyConnection, work: str, path: str) -> bool:
    """Copy the writer's whole file as it is, durably: twenty times as fast as table by table.

    Another process copies it: a process that opens the file it has locked and closes it again loses the lock.

    Args:
        connection: has `work` open and no transaction; nothing writes meanwhile.
        work: the writer's file.
        path: the copy.

    Returns:
        False where it was not copied, since the file holds mostly unused blocks or there is no `cp`.

    Raises:
        OSError: the disk is full.
        duckdb.Error: as OSError.
    """
    connection.execute("CHECKPOINT")
    sizes = "SELECT total_blocks, free_blocks FROM pragma_database_size() WHERE database_name = current_database()"
    row = connection.execute(sizes).fetchone()
    if row is None or not row[0] or row[1] / row[0] > MOST_FREE or os.path.exists(f"{work}.wal"):
        return False
    try:
        copied = subprocess.run(["cp", work, path], capture_output=True, check=False)  # noqa: S603, S607 - both paths are our own
    except OSError:
        return False
    if copied.returncode:
        return False
    fd = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
    return True


def copy_tables(connection: DuckDBPyConnection, path: str) -> None:
    """Copy the connection's database table by table: the copy holds nothing of what was deleted.

    Args:
        connection: in no transaction.
        path: of the copy, which is not there yet.

    Raises:
        duckdb.Error: it cannot be written.
    """
    row = connection.execute("SELECT current_database()").fetchone()
    connection.execute(f"ATTACH {quote(path)} AS snapshot ({STORAGE})")
    try:
        connection.execute(f'COPY FROM DATABASE "{row[0] if row else ""}" TO snapshot')
        connection.execute("CHECKPOINT snapshot")
    finally:
        connection.execute("DETACH snapshot")
