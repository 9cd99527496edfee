"""What every answer says of a run, from the view `runs`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mlbench.errors import UsageError
from mlbench.queries.answers import RunHead
from mlbench.queries.reading import Reader

HEAD_COLUMNS = (
    "r.id, r.key, r.fingerprint, r.name, r.path, r.status, r.baseline, r.archived, r.n_notes, r.status_how, r.ended"
)
N_HEAD = 11


def head_of(reader: Reader, row: Sequence[Any]) -> RunHead:
    """A head from the first columns of a row that begins with HEAD_COLUMNS; tags and notes are the journal's."""
    run_id, key, fingerprint, name, path, status, is_baseline, is_archived, n_notes, how, since = row[:N_HEAD]
    words = reader.words
    return RunHead(
        run_id=run_id,
        key=key,
        fingerprint=fingerprint or "",
        name=run_id if name is None else name,
        path=path or "",
        status=status,
        is_baseline=is_baseline,
        is_archived=is_archived,
        tags=words.tags.get(key, ()),
        has_note=n_notes > 0 or key in words.notes,
        status_how=how or "",
        since=since,
    )


def fetch_heads(reader: Reader, run_ids: Sequence[str]) -> tuple[RunHead, ...]:
    """The heads of these runs, in their order.

    Raises:
        UsageError: a run of that id is not in the catalog.
    """
    return fetch_numbered_heads(reader, run_ids)[0]


def fetch_numbered_heads(reader: Reader, run_ids: Sequence[str]) -> tuple[tuple[RunHead, ...], tuple[int, ...]]:
    """The heads of these runs and their row numbers in the catalog (`run_no`), in their order.

    Raises:
        UsageError: a run of that id is not in the catalog.
    """
    columns = f"{HEAD_COLUMNS}, r.run_no"
    sql = f"SELECT {columns} FROM {reader.runs(columns)} AS r WHERE r.id IN (SELECT unnest(CAST(? AS VARCHAR[])))"
    rows = {row[0]: row for row in reader.rows(sql, [list(run_ids)])}
    for run_id in run_ids:
        if run_id not in rows:
            raise UsageError(f"no run has the id '{run_id}'. Try: mlbench query")
    ordered = [rows[run_id] for run_id in run_ids]
    return tuple(head_of(reader, row) for row in ordered), tuple(row[N_HEAD] for row in ordered)
