"""Opening the writer's file: one that cannot be used is moved aside and replaced by an empty one."""

from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING

from mlbench.catalog.connection import (
    CURRENT,
    SCHEMA_VERSION,
    check_not_newer,
    connect_writer,
    create_work_file,
    move_aside,
    read_version,
)
from mlbench.catalog.importing import import_duckdb
from mlbench.catalog.lock import WriterBusyError
from mlbench.errors import HomeError

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EROFS)


def open_work(path: str, *, is_new: bool = False) -> tuple[DuckDBPyConnection, list[str]]:
    """Open the writer's file; one that cannot be used is moved aside and replaced by an empty one.

    Args:
        path: of the file.
        is_new: it was not there when the lock was taken: what is in it now, somebody else has put there, whom the lock
            did not keep out, and what this process knows of the catalog is no longer true.

    Raises:
        WriterBusyError: another process has created it.
        HomeError: it cannot be opened.
    """
    import_duckdb()
    import duckdb

    talk: list[str] = []
    try:
        if is_new and os.path.lexists(path):
            raise FileExistsError
        if os.path.exists(path):
            try:
                connection = connect_writer(path)
                version = read_version(connection)
                check_not_newer(version, path)
                if version == SCHEMA_VERSION:
                    return connection, talk
                connection.close()
                reason = f"written by an older mlbench, catalog {version}" if version else "not a catalog of mlbench"
            except duckdb.Error as error:
                if _is_no_damage(error):
                    raise
                reason = str(error).partition("\n")[0]
            aside = move_aside(path)
            talk.append(f"the catalog could not be used ({reason}); it was moved to {aside} and is built again")
        elif os.path.lexists(os.path.join(os.path.dirname(path), CURRENT)):
            talk.append("the catalog was gone; it is built again")
        return create_work_file(path), talk
    except FileExistsError:
        raise WriterBusyError(
            f"{path}: another process has just created this catalog, though this one has its lock. Try again"
        ) from None
    except (duckdb.Error, OSError) as error:
        raise HomeError(
            f"{path}: the catalog cannot be written: {reason_of(error)}. Try: mlbench --home DIR"
        ) from error


def _is_no_damage(error: Exception) -> bool:
    """The file is well, but another program has it open or the disk is full: nothing must be moved."""
    return "set lock" in str(error) or any(os.strerror(number) in str(error) for number in _NO_ROOM)


def reason_of(error: Exception) -> str:
    """What is wrong, in a few words."""
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    told = next((words for words in map(os.strerror, (*_NO_ROOM, errno.EIO)) if words in str(error)), None)
    return told or str(error).partition("\n")[0]


def is_about_the_disk(error: BaseException | None) -> bool:
    """Whether an error of DuckDB's says that a file cannot be written."""
    import duckdb

    return isinstance(error, duckdb.Error) and any(
        os.strerror(number) in str(error) for number in (*_NO_ROOM, errno.EIO)
    )
