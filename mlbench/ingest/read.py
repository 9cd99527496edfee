"""Read one source into memory: its small facts, its points by metric, its blobs, its cursor."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from mlbench.ingest.keep import SMALL_FACTS, SmallFact
from mlbench.ingest.secrets import redact_fact
from mlbench.model import Adapter, Blob, Claim, Cursor, JsonValue, Points, Problem, ReadStatus, Source

if TYPE_CHECKING:
    from mlbench.model import Float64Array, Int64Array


@dataclass(frozen=True, slots=True, eq=False)
class Columns:
    """The points of one metric of one source, in the order of the file. All arrays have shape (n,)."""

    seq: Int64Array
    steps: Int64Array
    wall_s: Float64Array
    values: Float64Array


@dataclass(slots=True)
class Reading:
    """What one call of an adapter's `read` gave."""

    small: list[SmallFact] = field(default_factory=list)
    points: dict[str, Columns] = field(default_factory=dict)
    """By metric name as the log has it, in order of first appearance."""
    blobs: list[Blob] = field(default_factory=list)
    cursor: Cursor = field(default_factory=lambda: Cursor({}))
    is_continuation: bool = False
    """These facts come after those of an earlier reading, which still hold."""

    @property
    def n_points(self) -> int:
        return sum(len(columns.steps) for columns in self.points.values())


def read_source(
    adapter: Adapter, claim: Claim, cursor: Mapping[str, JsonValue] | None, *, salt: bytes = b""
) -> Reading:
    """Read a source from its beginning, or from `cursor` where the adapter can go on.

    Secrets are replaced by their salted hash here, before anything is kept. A fault of an adapter becomes a Problem
    like any other: one source never stops the others.
    """
    reading = Reading(is_continuation=cursor is not None)
    batches: dict[str, list[Points]] = {}
    try:
        for fact in adapter.read(Source(claim.path, claim.run_folder, claim.follows), cursor):
            _sort_fact(fact, reading, batches)
    except Exception as error:  # noqa: BLE001 - adapters may come from other packages; one must not end the ingest
        batches.clear()
        what = f"the adapter {adapter.name!r} failed: {type(error).__name__}: {error}"
        reading = Reading([Problem(claim.path, what)], cursor=Cursor({}, ReadStatus.UNREADABLE))
    reading.small = [redact_fact(fact, salt) for fact in reading.small]
    reading.points = {metric: _join(parts) for metric, parts in batches.items()}
    if reading.cursor.state.get("restarted"):
        reading.is_continuation = False
    return reading


def _sort_fact(fact: object, reading: Reading, batches: dict[str, list[Points]]) -> None:
    if isinstance(fact, Points):
        batches.setdefault(fact.metric, []).append(fact)
    elif isinstance(fact, Blob):
        reading.blobs.append(fact)
    elif isinstance(fact, Cursor):
        reading.cursor = fact
    elif isinstance(fact, SMALL_FACTS):
        reading.small.append(fact)


def _join(parts: list[Points]) -> Columns:
    import numpy as np

    return Columns(
        np.concatenate([part.seq for part in parts]).astype(np.int64, copy=False),
        np.concatenate([part.steps for part in parts]).astype(np.int64, copy=False),
        np.concatenate([part.wall_s for part in parts]),
        np.concatenate([part.values for part in parts]),
    )
