"""Taking runs or a person's name out of the catalog, also out of the free blocks and old copies of its files."""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Collection, Iterator
from typing import TYPE_CHECKING

from mlbench.catalog import words_cache
from mlbench.catalog.batch import Batch
from mlbench.catalog.connection import BROKEN, FIRST_ANSWER, WORK_FILE
from mlbench.catalog.reader import current_snapshot
from mlbench.catalog.replacing import RUN_TABLES
from mlbench.catalog.segments import remove_quietly, sync_folder
from mlbench.catalog.writer import open_writer
from mlbench.journal import NOBODY

if TYPE_CHECKING:
    from mlbench.catalog.writer import Writer
    from mlbench.paths import Home

_NEEDED = frozenset({
    "run_id", "run_key", "fingerprint", "path", "root", "source", "source_path", "source_run", "repository", "file",
    "hash", "stamp", "cursor", "adapter", "adapters", "metric", "source_metric",
})  # fmt: skip
"""Columns by which logs are found and read on. A person's name stands there only as a part of a path or a metric."""
_TIMES = 50
"""`ada ada ada` needs more than one pass, since a blank between two belongs to one of them."""


def has_catalog(home: Home) -> bool:
    """Whether there is anything to take out of."""
    return current_snapshot(home) is not None or os.path.exists(os.path.join(home.cache, WORK_FILE))


def forget_runs(home: Home, run_ids: Collection[str]) -> dict[str, int]:
    """Take runs out of the catalog. Their logs are not touched: what is still there is read again by the next ingest.

    Returns:
        How many rows of each table went; tables of which none did are left out.

    Raises:
        HomeError: the catalog cannot be written, or another process writes it for too long.
    """
    ids = sorted(run_ids)
    with open_writer(home) as writer:
        orphans = {
            source_id
            for source_id, told in writer.rows("SELECT source_id, run_ids FROM source")
            if told and set(told) <= set(ids)
        }
        counts = {table: _count(writer, table, ids) for table in (*RUN_TABLES, "problem", "run_number")}
        writer.commit(Batch(run_ids=set(ids), source_ids=orphans))
        # The number stays taken: a note that says #12 must not mean another run.
        writer.update("UPDATE run_number SET run_id = '', fingerprint = '' WHERE run_id IN (SELECT unnest(?))", [ids])
        writer.update("UPDATE source SET run_ids = list_filter(run_ids, lambda one: NOT list_contains(?, one))", [ids])
        _leave_no_copy(home, writer)
    return {table: n for table, n in {**counts, "source": len(orphans)}.items() if n}


def _count(writer: Writer, table: str, ids: list[str]) -> int:
    return int(writer.rows(f"SELECT count(*) FROM {table} WHERE run_id IN (SELECT unnest(?))", [ids])[0][0])


def forget_person(home: Home, text: str) -> dict[str, int]:
    """Put `forgotten` in place of a person's name, wherever it stands as a whole word but in a path.

    Returns:
        How many values of each `table.column` were changed.

    Raises:
        HomeError: as `forget_runs`.
    """
    counts: dict[str, int] = {}
    with open_writer(home) as writer:
        for table, column in _text_columns(writer):
            for spelling in {text, json.dumps(text)[1:-1]} if column == "facts" else {text}:
                if n := _replace(writer, table, column, _pattern(spelling)):
                    counts[f"{table}.{column}"] = counts.get(f"{table}.{column}", 0) + n
        _leave_no_copy(home, writer)
    return counts


def places_of(home: Home, text: str) -> tuple[str, ...]:
    """Paths of runs that name the person, sorted."""
    with open_writer(home) as writer:
        rows = writer.rows("SELECT path FROM run WHERE regexp_matches(path, ?, 'i') ORDER BY path", [_pattern(text)])
    return tuple(path for (path,) in rows)


def _text_columns(writer: Writer) -> Iterator[tuple[str, str]]:
    rows = writer.rows(
        "SELECT table_name, column_name FROM duckdb_columns() "
        "WHERE NOT internal AND data_type = 'VARCHAR' AND table_name <> 'meta' ORDER BY ALL"
    )
    return ((table, column) for table, column in rows if column not in _NEEDED)


def _pattern(text: str) -> str:
    """The text as a whole word for RE2, which has no look-behind: what stands on its sides is kept."""
    return rf"(^|[^\pL\pN]){re.escape(text)}($|[^\pL\pN])"


def _replace(writer: Writer, table: str, column: str, pattern: str) -> int:
    found = f"regexp_matches({column}, ?, 'i')"
    if (table, column) == ("run", "name"):
        found += " AND NOT ends_with(path, name)"  # then it is a path too
    n = int(writer.rows(f"SELECT count(*) FROM {table} WHERE {found}", [pattern])[0][0])
    for _time in range(_TIMES if n else 0):
        writer.update(
            f"UPDATE {table} SET {column} = regexp_replace({column}, ?, '\\1{NOBODY}\\2', 'gi') WHERE {found}",
            [pattern, pattern],
        )
        if not writer.rows(f"SELECT 1 FROM {table} WHERE {found} LIMIT 1", [pattern]):
            break
    return n


def _leave_no_copy(home: Home, writer: Writer) -> None:
    """Publish, and replace or delete every older file: DuckDB leaves deleted rows in a file's free blocks."""
    writer.publish(is_compact=True)
    writer.rows("CHECKPOINT")  # the log of changes is empty: the file may be replaced while it is open
    current = current_snapshot(home)
    if current is None:
        return
    work = os.path.join(home.cache, WORK_FILE)
    shutil.copyfile(current, f"{work}.forgot")
    os.chmod(f"{work}.forgot", 0o600)
    fd = os.open(f"{work}.forgot", os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
    os.rename(f"{work}.forgot", work)
    for name in os.listdir(home.cache):
        is_old_snapshot = name.startswith("snap-") and name != os.path.basename(current)
        if is_old_snapshot or BROKEN in name or name.startswith((words_cache.PREFIX, FIRST_ANSWER)):
            remove_quietly(os.path.join(home.cache, name))
    sync_folder(home.cache)
