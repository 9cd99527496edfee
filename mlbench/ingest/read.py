"""Read one source into memory: its small facts, its points by metric, its blobs, its cursor."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field, replace

from mlbench.dataclass import dataclass
from mlbench.ingest.keep import SMALL_FACTS, SmallFact
from mlbench.ingest.laying import Laying
from mlbench.ingest.secrets import redact_fact
from mlbench.ingest.storable import are_storable, is_plain, told, unstorable_field
from mlbench.ingest.tables import join_tables
from mlbench.model import (
    Adapter,
    Blob,
    Claim,
    Cursor,
    JsonValue,
    Param,
    Points,
    PointTable,
    Problem,
    ReadStatus,
    Source,
)
from mlbench.wire import patience, recurring

_TABLES = (Points, PointTable)
_KEPT = (Blob, Cursor, *SMALL_FACTS)
"""Tuples, since a union of types is put together anew wherever it stands."""


@dataclass(slots=True)
class Reading:
    """What one call of an adapter's `read` gave."""

    small: list[SmallFact] = field(default_factory=list)
    points: PointTable | None = None
    """In the order of the source; None when there are none, or when they have been put away (`without_points`)."""
    n_points: int = 0
    """Points of the source, also when they have been put away."""
    n_new_points: int = 0
    """Those that this reading brought."""
    blobs: list[Blob] = field(default_factory=list)
    cursor: Cursor = field(default_factory=lambda: Cursor({}))
    is_continuation: bool = False
    """These facts come after those of an earlier reading, which still hold."""
    unanswered: str = ""
    """A file of the source that hangs, and was set aside."""

    def without_points(self) -> Reading:
        """What is left when the points lie in a segment."""
        return replace(self, points=None)


def read_source(
    adapter: Adapter, claim: Claim, cursor: Mapping[str, JsonValue] | None, *, salt: bytes = b"",
    laying: Laying | None = None,
) -> Reading:  # fmt: skip
    """Read a source from its beginning, or from `cursor` where the adapter can go on.

    Args:
        adapter: that claimed it.
        claim: the source.
        cursor: of an earlier reading.
        salt: of the home.
        laying: takes what is too much to be held; it is open as long as the points are needed.

    Secrets are replaced by their salted hash here, before anything is kept. A fault of an adapter becomes a Problem
    like any other: one source never stops the others.
    """
    patience.refused()
    reading = Reading(is_continuation=cursor is not None)
    batches: list[Points | PointTable] = []
    unfit: set[tuple[str, str]] = set()
    try:
        patience.enter(claim.path)
        for fact in adapter.read(Source(claim.path, claim.run_folder, claim.follows, claim.part, claim.rule), cursor):
            if (known := recurring.find(id(fact))) is not None and known.is_kept:  # most are
                reading.small.append(known.fact)
            elif type(fact) is Param and (kept := _kept_param(fact, known, salt)) is not None:
                reading.small.append(kept)
            elif field := _sort_fact(fact, reading, batches, salt, laying):
                unfit.add((type(fact).__name__, field))
    except patience.UnansweredError:
        _forget(batches, laying)
        reading = Reading()
    except Exception as error:  # noqa: BLE001 - adapters may come from other packages; one must not end the ingest
        _forget(batches, laying)
        what = f"the adapter {adapter.name!r} failed: {type(error).__name__}: {error}"
        problem = redact_fact(told(Problem(claim.path, what)), salt)
        reading = Reading([problem], cursor=Cursor({}, ReadStatus.UNREADABLE))
    for kind, field_name in sorted(unfit):
        what = f"the adapter {adapter.name!r} gave {kind}.{field_name} that cannot be stored; it was left out"
        reading.small.append(redact_fact(Problem(claim.path, what), salt))
    if waited_in_vain := patience.refused():
        reading.small += [Problem(path, patience.WHAT, hint=patience.HINT) for path in dict.fromkeys(waited_in_vain)]
        reading.cursor = replace(reading.cursor, status=ReadStatus.UNREADABLE)
        reading.unanswered = waited_in_vain[0]
    reading.points = join_tables(batches) if laying is None else laying.joined(batches)
    reading.n_points = reading.n_new_points = reading.points.n_points if reading.points is not None else 0
    if reading.cursor.state.get("restarted"):
        reading.is_continuation = False
    return reading


def _forget(batches: list[Points | PointTable], laying: Laying | None) -> None:
    batches.clear()
    if laying is not None:
        laying.drop()


def _kept_param(fact: Param, known: recurring.Recurring | None, salt: bytes) -> SmallFact | None:
    """The parameter as it is stored; None where it has to be looked at closely."""
    if not is_plain(fact):
        return None
    redacted = redact_fact(fact, salt)
    if known is not None:
        known.is_kept = redacted is fact
    return redacted


def _sort_fact(
    fact: object, reading: Reading, batches: list[Points | PointTable], salt: bytes, laying: Laying | None
) -> str:
    """Put a fact where it belongs; the name of the field for which it was left out, '' where it was not."""
    if isinstance(fact, _TABLES):
        if not are_storable(fact):
            return "metric"
        batches.append(fact)
        if laying is not None:
            laying.note(batches)
    elif isinstance(fact, Problem):
        reading.small.append(redact_fact(told(fact), salt))
    elif isinstance(fact, _KEPT):
        if field_name := unstorable_field(fact):
            return field_name
        if isinstance(fact, Blob):
            reading.blobs.append(fact)
        elif isinstance(fact, Cursor):
            reading.cursor = fact
        else:
            reading.small.append(redact_fact(fact, salt))
    return ""
