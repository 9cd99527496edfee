"""After the runs are committed: those that are gone, those that moved, and those that may be the same."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING

from mlbench import safe
from mlbench.catalog.writer import Batch
from mlbench.ingest.plan import Plan, is_inside

if TYPE_CHECKING:
    from mlbench.catalog.writer import Writer

SAME_TIME_S = 120.0
"""Two records of one training begin within two minutes: the tracker's first, the writer's after set-up."""


def drop_gone_sources(writer: Writer, plan: Plan, scanned: Sequence[str]) -> None:
    """Forget sources whose file is gone while their run is still there; those of missing runs are kept with them."""
    found = {unit.run_id for unit in plan.units}
    gone = {
        source.source_id
        for key, source in plan.known.items()
        if key not in plan.runs_of_source
        and (source.run_ids & found or not source.run_ids)
        and any(is_inside(safe.path_of_text(key[1]), root) for root in scanned)
    }
    writer.commit(Batch(source_ids=gone))


def mark_missing(writer: Writer, plan: Plan, scanned: Sequence[str]) -> int:
    """Mark runs that were not found again; forget those that moved or became part of another run.

    Returns:
        How many runs below `scanned` are missing now.
    """
    found = {unit.run_id for unit in plan.units}
    fingerprints = {
        row[0] for row in writer.rows("SELECT fingerprint FROM run WHERE run_id IN (SELECT unnest(?))", [sorted(found)])
    }
    gone = [
        (run_id, safe.path_of_text(path), fingerprint)
        for run_id, path, fingerprint in writer.rows("SELECT run_id, path, fingerprint FROM run")
        if run_id not in found and any(is_inside(safe.path_of_text(path), root) for root in scanned)
    ]
    forgotten = {run_id for run_id, path, mark in gone if os.path.exists(path) or (mark and mark in fingerprints)}
    missing = [run_id for run_id, _path, _mark in gone if run_id not in forgotten]
    if forgotten:
        writer.commit(Batch(run_ids=forgotten, source_ids=_orphans(writer, plan, forgotten)))
    fresh = writer.rows("SELECT count(*) FROM run WHERE NOT is_missing AND run_id IN (SELECT unnest(?))", [missing])[0][
        0
    ]
    if fresh:
        writer.update("UPDATE run SET is_missing = true WHERE run_id IN (SELECT unnest(?))", [missing])
    return len(missing)


def _orphans(writer: Writer, plan: Plan, forgotten: set[str]) -> set[int]:
    """Sources that told of nothing but forgotten runs and that no run has now."""
    rows = writer.rows("SELECT source_id, adapter, path, run_ids FROM source")
    return {
        source_id
        for source_id, adapter, path, run_ids in rows
        if (adapter, path) not in plan.runs_of_source and run_ids and set(run_ids) <= forgotten
    }


_COPIES = """
SELECT b.run_id, a.name, 'a copy of ' FROM run a JOIN run b
ON a.fingerprint = b.fingerprint AND a.fingerprint <> '' AND a.run_id <> b.run_id
WHERE a.path < b.path AND NOT a.is_missing AND NOT b.is_missing AND a.adapters LIKE '%tensorboard%'
"""
_SAME_TIME = """
SELECT b.run_id, a.name, 'perhaps the same as ' FROM run a JOIN run b ON a.run_id <> b.run_id AND a.root = b.root
WHERE a.adapters NOT LIKE '%tensorboard%' AND b.adapters = 'tensorboard'
  AND EXISTS (SELECT 1 FROM series s WHERE s.run_id = a.run_id)
  AND abs(a.started_s - b.started_s) < ?
"""


def tell_hints(writer: Writer) -> None:
    """Say of each run what it may be a copy or a second record of."""
    hints: dict[str, str] = {}
    for run_id, name, how in [*writer.rows(_COPIES), *writer.rows(_SAME_TIME, [SAME_TIME_S])]:
        hints.setdefault(run_id, f"{how}{name}")
    known = dict(writer.rows("SELECT run_id, hint FROM run WHERE hint IS NOT NULL"))
    if hints == known:
        return
    writer.update("UPDATE run SET hint = NULL WHERE hint IS NOT NULL", [])
    for run_id, hint in hints.items():
        writer.update("UPDATE run SET hint = ? WHERE run_id = ?", [hint, run_id])
