"""After the runs are committed: those that are gone, those that moved, and those that may be the same."""

from __future__ import annotations

import os
from collections.abc import Container, Sequence
from typing import TYPE_CHECKING

from mlbench import safe
from mlbench.catalog.batch import Batch
from mlbench.ingest.likeness import find_hints
from mlbench.ingest.plan import Plan, is_inside
from mlbench.wire.patience import WHAT, hides

if TYPE_CHECKING:
    from mlbench.catalog.writer import Writer


def drop_gone_sources(writer: Writer, plan: Plan, scanned: Sequence[str]) -> None:
    """Forget sources whose file is gone while their run is still there; those of missing runs are kept with them."""
    found = plan.found
    gone = {
        source.source_id
        for key, source in plan.known.items()
        if plan.is_gone(key)
        and (source.run_ids & found or not source.run_ids)
        and any(is_inside(safe.path_of_text(key[1]), root) for root in scanned)
        and not hides(safe.path_of_text(key[1]))
    }
    writer.commit(Batch(source_ids=gone))


def mark_missing(writer: Writer, plan: Plan, looked_at: Sequence[str], unseen: Sequence[str]) -> int:
    """Mark runs that were not found again; forget those that moved or became part of another run.

    A run moved when one that is new has its fingerprint; one that was there before is a copy.

    Args:
        writer: the open catalog.
        plan: what was found.
        looked_at: roots that were scanned, and roots that are gone.
        unseen: folders that could not be listed: nothing is known of the runs below them.

    Returns:
        How many runs are missing now.
    """
    found = plan.found
    new = sorted(found - plan.known_runs)
    marks = {row[0] for row in writer.rows("SELECT fingerprint FROM run WHERE run_id IN (SELECT unnest(?))", [new])}
    gone = [
        (run_id, path, bool(mark) and mark in marks and not os.path.exists(path), is_missing)
        for run_id, path, mark, is_missing in _not_found(writer, found)
        if not _is_below(path, unseen)
    ]
    below = {run_id for run_id, path, _moved, _missing in gone if _is_below(path, looked_at)}
    moved = {run_id for run_id, _path, has_moved, _missing in gone if has_moved}
    part_of_another = {run_id for run_id, path, _moved, _missing in gone if run_id in below and os.path.exists(path)}
    forgotten = moved | part_of_another
    gone = [row for row in gone if row[0] in below - forgotten]
    missing = {run_id: was_missing for run_id, _path, _moved, was_missing in gone}
    if forgotten:
        writer.commit(Batch(run_ids=forgotten, source_ids=_orphans(writer, plan, forgotten)))
    if not all(missing.values()):
        writer.update("UPDATE run SET is_missing = true WHERE run_id IN (SELECT unnest(?))", [list(missing)])
    return len(missing)


def _not_found(writer: Writer, found: Container[str]) -> list[tuple[str, str, str, bool]]:
    """Id, path, fingerprint and mark of the runs of the catalog that this scan has not met."""
    rows = writer.rows("SELECT run_id, path, fingerprint, is_missing FROM run")
    return [
        (run_id, safe.path_of_text(path), mark, is_missing)
        for run_id, path, mark, is_missing in rows
        if run_id not in found
    ]


def _is_below(path: str, folders: Sequence[str]) -> bool:
    return any(is_inside(path, folder) for folder in folders)


def _orphans(writer: Writer, plan: Plan, forgotten: set[str]) -> set[int]:
    """Sources that told of nothing but forgotten runs and that no run has now."""
    rows = writer.rows("SELECT source_id, adapter, path, run_ids FROM source")
    return {
        source_id
        for source_id, adapter, path, run_ids in rows
        if plan.is_gone((adapter, path)) and run_ids and set(run_ids) <= forgotten
    }


def forget_waiting(writer: Writer, plan: Plan) -> None:
    """Forget of runs that are as the catalog has them that a file of theirs did not answer: it has answered since."""
    unchanged = {unit.run_id for unit in plan.units if not unit.is_changed}
    rows = writer.rows("SELECT DISTINCT run_id, source_path FROM problem WHERE what = ?", [WHAT])
    over = [row for row in rows if row[0] in unchanged and not hides(safe.path_of_text(row[1]))]
    for run_id, path in over:
        writer.update("DELETE FROM problem WHERE run_id = ? AND source_path = ? AND what = ?", [run_id, path, WHAT])


_COPIES = """
SELECT b.run_id, a.name FROM run a JOIN run b
ON a.fingerprint = b.fingerprint AND a.fingerprint <> '' AND a.run_id <> b.run_id
WHERE a.path < b.path AND NOT a.is_missing AND NOT b.is_missing AND a.adapters LIKE '%tensorboard%'
ORDER BY b.run_id, a.path
"""


def tell_hints(writer: Writer) -> None:
    """Say of each run what it may be a copy or a second record of."""
    hints: dict[str, str] = {}
    for run_id, name in writer.rows(_COPIES):
        hints.setdefault(run_id, f"a copy of {name}")
    for run_id, sentence in find_hints(writer):
        hints.setdefault(run_id, sentence)
    known = dict(writer.rows("SELECT run_id, hint FROM run WHERE hint IS NOT NULL"))
    if hints == known:
        return
    writer.update("UPDATE run SET hint = NULL WHERE hint IS NOT NULL", [])
    writer.update(
        "UPDATE run SET hint = new.hint FROM (SELECT unnest(?) AS run_id, unnest(?) AS hint) new "
        "WHERE run.run_id = new.run_id",
        [list(hints), list(hints.values())],
    )
