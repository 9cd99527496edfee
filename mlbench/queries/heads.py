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
    runs = reader.runs(HEAD_COLUMNS)
    rows = reader.rows(
        f"SELECT {HEAD_COLUMNS} FROM {runs} AS r WHERE r.id IN (SELECT unnest(CAST(? AS VARCHAR[])))", [list(run_ids)]
    )
    heads = {row[0]: head_of(reader, row) for row in rows}
    for run_id in run_ids:
        if run_id not in heads:
            raise UsageError(f"no run has the id '{run_id}'. Try: mlbench query")
    return tuple(heads[run_id] for run_id in run_ids)
