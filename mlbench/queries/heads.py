"""What every answer says of a run, from the view `runs`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mlbench.errors import UsageError
from mlbench.queries.answers import RunHead
from mlbench.queries.reading import Reader

HEAD_COLUMNS = (
    "r.id, r.key, coalesce(r.fingerprint, ''), coalesce(r.name, r.id), coalesce(r.path, ''), r.status, r.baseline, "
    "r.archived, own.tags, noted.run_id IS NOT NULL"
)
N_HEAD = 10
HEAD_JOINS = """
LEFT JOIN (SELECT run_id, array_agg(tag ORDER BY tag) AS tags FROM tags WHERE origin = 'mlbench' GROUP BY run_id) AS own
    ON own.run_id = r.id
LEFT JOIN (SELECT DISTINCT run_id FROM notes) AS noted ON noted.run_id = r.id"""


def head_of(row: Sequence[Any]) -> RunHead:
    """A head from the first columns of a row that begins with HEAD_COLUMNS."""
    run_id, key, fingerprint, name, path, status, is_baseline, is_archived, tags, has_note = row[:N_HEAD]
    return RunHead(run_id, key, fingerprint, name, path, status, is_baseline, is_archived, tuple(tags or ()), has_note)


def fetch_heads(reader: Reader, run_ids: Sequence[str]) -> tuple[RunHead, ...]:
    """The heads of these runs, in their order.

    Raises:
        UsageError: a run of that id is not in the catalog.
    """
    rows = reader.rows(
        f"SELECT {HEAD_COLUMNS} FROM runs r {HEAD_JOINS} WHERE r.id IN (SELECT unnest(CAST(? AS VARCHAR[])))",
        [list(run_ids)],
    )
    heads = {row[0]: head_of(row) for row in rows}
    for run_id in run_ids:
        if run_id not in heads:
            raise UsageError(f"no run has the id '{run_id}'. Try: mlbench query")
    return tuple(heads[run_id] for run_id in run_ids)
