"""A changed run's facts as they now stand: sources read anew, read on, or taken from the catalog."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from mlbench import safe
from mlbench.ingest.draft import SEQ_BITS, SourceReading
from mlbench.ingest.identity import Member
from mlbench.ingest.keep import from_json
from mlbench.ingest.plan import KnownSource, Plan, SourceKey, UnitPlan, is_unchanged, source_key
from mlbench.ingest.read import Columns, Reading, read_source
from mlbench.model import Adapter, Blob, Cursor, ReadStatus

if TYPE_CHECKING:
    from mlbench.catalog.writer import Writer

_PLACE = (1 << SEQ_BITS) - 1


@dataclass(slots=True)
class Gatherer:
    """Reads the sources of changed runs; remembers dumps that several runs share."""

    writer: Writer
    plan: Plan
    adapters: Mapping[str, Adapter]
    salt: bytes
    n_read: int = 0
    n_points: int = 0
    """Points read now, without those that the catalog had."""
    n_unchanged: int = 0
    shared: dict[SourceKey, Reading] = field(default_factory=dict)
    source_ids: dict[SourceKey, int] = field(default_factory=dict)

    def gather(self, unit: UnitPlan) -> list[SourceReading]:
        """The readings of all sources of a run."""
        old = _OldFacts(self.writer, unit.run_id)
        return [
            SourceReading(member, self._id_of(member), self._reading(member, unit, old)) for member in unit.unit.members
        ]

    def _id_of(self, member: Member) -> int:
        key = source_key(member)
        if key not in self.source_ids:
            known = self.plan.known.get(key)
            self.source_ids[key] = known.source_id if known else self.writer.new_source_id()
        return self.source_ids[key]

    def _reading(self, member: Member, unit: UnitPlan, old: _OldFacts) -> Reading:
        key = source_key(member)
        if key in self.shared:
            return self.shared[key]
        known = self.plan.known.get(key)
        versions = {name: adapter.version for name, adapter in self.adapters.items()}
        if known and is_unchanged(key, unit.stamps[key], self.plan.known, versions) and old.holds(known):
            self.n_unchanged += 1
            reading = old.reading(known, key[1])
        else:
            self.n_read += 1
            reading = self._read(member, known, versions, old)
        if member.is_inherited:
            self.shared[key] = reading
        return reading

    def _read(self, member: Member, known: KnownSource | None, versions: Mapping[str, int], old: _OldFacts) -> Reading:
        claimed = member.claimed
        adapter = self.adapters[claimed.adapter]
        goes_on = adapter.appends and known is not None and _may_go_on(known, versions[adapter.name], old)
        cursor = json.loads(known.cursor) if known is not None and goes_on else None
        reading = read_source(adapter, claimed.claim, cursor, salt=self.salt)
        self.n_points += reading.n_points
        if known is None or not reading.is_continuation:
            return reading
        return _join(old.reading(known, safe.text_of_path(claimed.claim.path)), reading)


def _may_go_on(known: KnownSource, version: int, old: _OldFacts) -> bool:
    """Whether what the catalog holds of the source is a true beginning of it."""
    is_readable = known.status not in {ReadStatus.UNREADABLE, ReadStatus.LFS_POINTER}
    return is_readable and known.version == version and old.holds(known)


def _join(before: Reading, after: Reading) -> Reading:
    import numpy as np

    points = dict(before.points)
    for metric, new in after.points.items():
        held = points.get(metric)
        points[metric] = new if held is None else Columns(
            np.concatenate([held.seq, new.seq]), np.concatenate([held.steps, new.steps]),
            np.concatenate([held.wall_s, new.wall_s]), np.concatenate([held.values, new.values]),
        )  # fmt: skip
    return replace(after, small=[*before.small, *after.small], points=points, blobs=[*before.blobs, *after.blobs])


class _OldFacts:
    """What the catalog holds of a run; loaded only when asked."""

    def __init__(self, writer: Writer, run_id: str) -> None:
        self._writer = writer
        self._run_id = run_id
        self._points: dict[int, dict[str, Columns]] | None = None

    def holds(self, known: KnownSource) -> bool:
        """Whether the source's points are stored under this run (else it belonged to another and is read again)."""
        return not known.run_ids or self._run_id in known.run_ids

    def reading(self, known: KnownSource, path: str) -> Reading:
        cursor = Cursor(json.loads(known.cursor), ReadStatus(known.status), known.n_records, known.n_bad)
        return Reading(from_json(known.facts), self._of_source(known.source_id), self._blobs(path), cursor)

    def _of_source(self, source_id: int) -> dict[str, Columns]:
        if self._points is None:
            self._points = self._load()
        return self._points.get(source_id, {})

    def _load(self) -> dict[int, dict[str, Columns]]:
        import numpy as np

        rows = self._writer.rows("SELECT series_id, source_metric FROM series WHERE run_id = ?", [self._run_id])
        names = dict(rows)
        if not names:
            return {}
        table = self._writer.points(self._run_id)
        columns = {name: np.asarray(table.column(name).to_numpy()) for name in table.column_names}
        found: dict[int, dict[str, Columns]] = {}
        for source_id in np.unique(columns["source_id"]):
            mine = columns["source_id"] == source_id
            for series_id in np.unique(columns["series_id"][mine]):
                at = mine & (columns["series_id"] == series_id)
                found.setdefault(int(source_id), {})[names[int(series_id)]] = _columns(columns, at)
        return found

    def _blobs(self, path: str) -> list[Blob]:
        rows = self._writer.rows(
            "SELECT kind, metric, step, wall_s, seq, byte_offset, byte_length, encoding, width, height FROM blob "
            "WHERE run_id = ? AND path = ? ORDER BY seq",
            [self._run_id, path],
        )
        return [Blob(*row) for row in rows]


def _columns(columns: Mapping[str, Any], at: Any) -> Columns:  # noqa: ANN401 - a numpy mask
    return Columns(columns["seq"][at] & _PLACE, columns["step"][at], columns["wall_s"][at], columns["value"][at])
