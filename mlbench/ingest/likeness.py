"""Which runs may be second records of one training, by what the catalog says of their curves and their start.

Two readings of one training have the same curves: as many points, with the same least, greatest and last value to five
digits (CSV files round), under names of which one may have a prefix. Where no metric was recorded twice, the start is
all there is: it counts where it is the only one within two minutes, in the same part of the tree.
"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterator
from typing import TYPE_CHECKING

from mlbench.dataclass import dataclass

if TYPE_CHECKING:
    from mlbench.catalog.writer import Writer

SAME_TIME_S = 120.0
"""Two records of one training begin within two minutes: the tracker's first, the writer's after set-up."""
MIN_POINTS = 4
"""Shorter curves are alike by chance."""
MIN_EVIDENCE = 10
"""Points that all alike curves of two runs have together."""
_LOGGED = "tensorboard"
"""The adapter of runs that a tracker may have recorded too."""
MAX_ALIKE = 6
"""A curve that so many runs have is a schedule, and says nothing."""

_CURVES = """
WITH mixed AS (
    SELECT r.root FROM series s JOIN run r USING (run_id) WHERE NOT r.is_missing
    GROUP BY r.root HAVING count(DISTINCT s.adapter) > 1
), curve AS (
    SELECT r.root, r.run_id, s.adapter, regexp_replace(lower(s.metric), '[^a-z0-9]+', '_', 'g') AS metric,
        s.first_step, s.n, printf('%.4e', s.last_value) AS last, printf('%.4e', s.min_value) AS low,
        printf('%.4e', s.max_value) AS high
    FROM series s JOIN run r USING (run_id) JOIN mixed USING (root)
    WHERE s.n >= ? AND s.min_value < s.max_value AND NOT r.is_missing
    QUALIFY count(*) OVER (PARTITION BY r.root, s.n, last, low, high) <= ?
)
SELECT a.run_id, b.run_id, count(*), min(b.first_step - a.first_step), max(b.first_step - a.first_step)
FROM curve a JOIN curve b USING (root, n, last, low, high)
WHERE a.run_id < b.run_id AND a.adapter <> b.adapter
    AND (a.metric = b.metric OR suffix(a.metric, '_' || b.metric) OR suffix(b.metric, '_' || a.metric))
GROUP BY 1, 2 HAVING sum(n) >= ?
"""
_SAME_TIME = """
WITH started AS (
    SELECT run_id, root, adapters, started_s, split_part(substr(path, length(root) + 2), '/', 1) AS part FROM run
    WHERE NOT is_missing AND started_s IS NOT NULL AND EXISTS (SELECT 1 FROM series s WHERE s.run_id = run.run_id)
), pair AS (
    SELECT a.run_id AS tracked, b.run_id AS logged FROM started a JOIN started b
    ON a.root = b.root AND a.part = b.part AND a.run_id <> b.run_id AND abs(a.started_s - b.started_s) < ?
    WHERE a.adapters NOT LIKE '%tensorboard%' AND b.adapters = 'tensorboard'
)
SELECT tracked, logged FROM pair
QUALIFY count(*) OVER (PARTITION BY tracked) = 1 AND count(*) OVER (PARTITION BY logged) = 1
"""
_ADAPTERS = "SELECT DISTINCT adapter FROM series"
_KINDS = "SELECT DISTINCT adapters FROM run WHERE NOT is_missing"
_HEADS = """SELECT run_id, name, path, adapters FROM run WHERE run_id IN (SELECT unnest(?))"""


@dataclass(frozen=True, slots=True)
class Likeness:
    """Two runs that may be one training."""

    run_id: str
    """The one that is told of."""
    other: str
    n_curves: int
    """How many metrics are alike; 0 where only the start is."""
    offset: int = 0
    """How much greater the steps of the first are, where that is the same for all metrics."""


@dataclass(frozen=True, slots=True)
class _Head:
    name: str
    path: str
    adapters: frozenset[str]


def find_hints(writer: Writer) -> Iterator[tuple[str, str]]:
    """For each run that may be a second record of another's training, its id and a sentence."""
    pairs = [*_by_curves(writer), *_by_start(writer)]
    heads = _heads(writer, {run_id for pair in pairs for run_id in (pair.run_id, pair.other)})
    told: dict[str, list[Likeness]] = defaultdict(list)
    for pair in (_turned(pair, heads) for pair in pairs):
        if not heads[pair.run_id].adapters & heads[pair.other].adapters - _BESIDE:
            told[pair.run_id].append(pair)
    for run_id, found in sorted(told.items()):
        name = heads[run_id].name
        best = min(found, key=lambda pair: (-pair.n_curves, heads[pair.other].name != name, heads[pair.other].path))
        yield run_id, _sentence(best, heads[best.other], name)


_BESIDE = frozenset({"config", "argparse", "absl", "gin", "git", "hydra", "data", "confusion", "notebook", "dvc"})
"""Adapters that tell of parameters and code: two runs that have these in common may still be one training."""


def _by_curves(writer: Writer) -> list[Likeness]:
    if len(writer.rows(_ADAPTERS)) < 2:  # a tenth of what the whole question takes, and there is nearly always one
        return []
    rows = writer.rows(_CURVES, [MIN_POINTS, MAX_ALIKE, MIN_EVIDENCE])
    return [Likeness(b, a, n, low if low == high else 0) for a, b, n, low, high in rows]


def _by_start(writer: Writer) -> list[Likeness]:
    kinds = {adapters for (adapters,) in writer.rows(_KINDS)}
    if _LOGGED not in kinds or all(_LOGGED in adapters for adapters in kinds):
        return []
    return [Likeness(logged, tracked, 0) for tracked, logged in writer.rows(_SAME_TIME, [SAME_TIME_S])]


def _heads(writer: Writer, run_ids: set[str]) -> dict[str, _Head]:
    rows = writer.rows(_HEADS, [sorted(run_ids)]) if run_ids else []
    return {run_id: _Head(name, path, frozenset(adapters.split(","))) for run_id, name, path, adapters in rows}


def _turned(pair: Likeness, heads: dict[str, _Head]) -> Likeness:
    """The hint stands at the run of which less is known: one of event files alone, else the later path."""
    ours, theirs = ((_LOGGED in head.adapters, head.path) for head in (heads[pair.run_id], heads[pair.other]))
    return pair if ours >= theirs else Likeness(pair.other, pair.run_id, pair.n_curves, -pair.offset)


def _sentence(pair: Likeness, other: _Head, name: str) -> str:
    """What is told; where both have one name, with the file or folder of the other."""
    place = f" ({os.path.basename(other.path)})" if other.name == name else ""
    steps = f", with steps {abs(pair.offset)} {'greater' if pair.offset > 0 else 'less'}" if pair.offset else ""
    return f"perhaps the same as {other.name}{place}{steps}"
