"""Small numbers for runs, so that `#12` names one: given at the end of an ingest, in order of their start."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mlbench.catalog.writer import Writer

_HAS_NONE = "r.run_id NOT IN (SELECT run_id FROM run_number)"
_MOVED = f"""
UPDATE run_number SET run_id = moved.run_id FROM (
    SELECT min(r.run_id) AS run_id, n.number FROM run r JOIN run_number n ON n.fingerprint = r.fingerprint
    WHERE r.fingerprint <> '' AND {_HAS_NONE} AND n.run_id NOT IN (SELECT run_id FROM run)
    GROUP BY n.number HAVING count(*) = 1
) moved WHERE run_number.number = moved.number
"""
_NEW = f"""
INSERT INTO run_number SELECT
    (SELECT coalesce(max(number), 0) FROM run_number) + row_number() OVER (ORDER BY r.started_s NULLS LAST, r.run_id),
    r.run_id, r.fingerprint
FROM run r WHERE {_HAS_NONE}
"""


def number_runs(writer: Writer) -> None:
    """Give a number to every run that has none; one that moved keeps the number that it had."""
    ((is_any_new, is_any_known),) = writer.rows(
        f"SELECT EXISTS (SELECT 1 FROM run r WHERE {_HAS_NONE}), EXISTS (SELECT 1 FROM run_number)"
    )
    if is_any_new and is_any_known:
        writer.update(_MOVED, [])
    if is_any_new:
        writer.update(_NEW, [])
