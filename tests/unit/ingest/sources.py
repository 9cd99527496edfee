"""Runs and sources as the scan and the readers would give them, for the tests of what comes after."""

from __future__ import annotations

import numpy as np

from mlbench.ingest.draft import Draft, SourceReading
from mlbench.ingest.identity import Member, Unit
from mlbench.ingest.plan import UnitPlan, source_key
from mlbench.ingest.read import Reading
from mlbench.ingest.scan import Claimed
from mlbench.ingest.stamp import stamp_of
from mlbench.model import Claim, PointTable, Role

Row = tuple[str, int, float]
"""Metric, step and value of a point; its wall time is 100 times its step."""


def points(*rows: Row) -> PointTable:
    """A table of points in this order."""
    metrics = tuple(dict.fromkeys(metric for metric, _step, _value in rows))
    steps = np.array([step for _metric, step, _value in rows], dtype=np.int64)
    return PointTable(
        metrics, np.array([metrics.index(metric) for metric, _step, _value in rows], dtype=np.int32), steps,
        (steps * 100.0).astype(np.float64), np.array([value for _metric, _step, value in rows], dtype=np.float64), np.arange(len(rows)),
    )  # fmt: skip


def source(
    path: str, table: PointTable | None, *, source_id: int = 0, prefix: str = "", run_folder: str = "/logs/run",
    role: Role = Role.EVENTS, is_inherited: bool = False,
) -> SourceReading:  # fmt: skip
    member = Member(Claimed("tensorboard", Claim(path, role, run_folder)), prefix, is_inherited)
    n_points = len(table.steps) if table is not None else 0
    return SourceReading(member, source_id, Reading(points=table, n_points=n_points))


def draft(*sources: SourceReading, folder: str = "/logs/run", root: str = "/logs") -> Draft:
    return Draft(Unit(folder, [one.member for one in sources]), root, list(sources))


def unit_of(folder: str, *paths: str, root: str) -> UnitPlan:
    """A run of event files that are really there."""
    members = [Member(Claimed("tensorboard", Claim(path, Role.EVENTS, folder))) for path in paths]
    stamps = {source_key(member): stamp_of(member.claimed.claim) for member in members}
    return UnitPlan(Unit(folder, members), root, stamps, is_changed=True)
