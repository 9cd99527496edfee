"""What the rows of a batch take the place of."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mlbench.catalog.batch import Batch

RUN_TABLES = (
    "run", "param", "series", "blob", "code", "environment", "data_version", "imported_tag", "imported_note",
    "artifact", "lineage_edge", "validation", "model_version", "segment_run",
)  # fmt: skip
"""Tables whose rows belong to one run and are replaced with it."""
_OF_POINTS = frozenset({"series", "segment_run"})
_PATHS = "SELECT path FROM source WHERE source_id IN (SELECT unnest(?))"


def delete_replaced(rows: Callable[..., list[tuple[Any, ...]]], batch: Batch) -> dict[str, str]:
    """Delete what the batch replaces.

    Args:
        rows: gives those of a statement on the writer's file, in its transaction.
        batch: that is committed then.

    Returns:
        The hints of its runs, which only all runs together tell.
    """
    known: dict[str, str | None] = {}
    if batch.run_ids:
        # A run has rows elsewhere only if it has one here; most batches bring runs that are new.
        sql = "SELECT run_id, hint FROM run WHERE run_id IN (SELECT unnest(?))"
        known = dict(rows(sql, [sorted(batch.run_ids)]))
        gone = list(known)
        made_anew = [run_id for run_id in gone if run_id not in batch.grown_ids]
        for table in (*RUN_TABLES, "problem") if known else ():
            ids = made_anew if table in _OF_POINTS else gone
            rows(f"DELETE FROM {table} WHERE run_id IN (SELECT unnest(?))", [ids])
    if batch.source_ids:
        source_ids = sorted(batch.source_ids)
        rows(f"DELETE FROM problem WHERE run_id IS NULL AND source_path IN ({_PATHS})", [source_ids])
        rows("DELETE FROM source WHERE source_id IN (SELECT unnest(?))", [source_ids])
    for run_id, files in batch.left.items():
        rows("DELETE FROM segment_run WHERE run_id = ? AND file IN (SELECT unnest(?))", [run_id, files])
    return {run_id: hint for run_id, hint in known.items() if hint is not None}
