"""A changed run's facts as they now stand: sources read anew, read on, or taken from the catalog."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import field, replace
from typing import TYPE_CHECKING

from mlbench import safe
from mlbench.dataclass import dataclass
from mlbench.ingest.draft import SourceReading
from mlbench.ingest.identity import Member
from mlbench.ingest.keep import from_json
from mlbench.ingest.plan import KnownSource, Plan, SourceKey, UnitPlan, is_unchanged, source_key
from mlbench.ingest.read import Reading, read_source
from mlbench.ingest.series import PLACE_MASK
from mlbench.ingest.tables import join_tables
from mlbench.model import Adapter, Blob, Cursor, PointTable, ReadStatus

if TYPE_CHECKING:
    from mlbench.catalog.writer import Writer
    from mlbench.ingest.filing import FiledRun


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
            SourceReading(member, self.id_of(member), self._reading(member, unit, old)) for member in unit.unit.members
        ]

    def gather_new(self, unit: UnitPlan) -> list[SourceReading] | None:
        """The readings with what has come since the last one alone; None where the run has to be made anew.

        That is where sources came or went, where one is read as a whole, or where a file grew that is not the last
        one of its folder: the places of its points lie among those that are stored.
        """
        if not self._only_grew(unit):
            return None
        versions = self._versions()
        readings: list[SourceReading] = []
        n_points = int(
            self.writer.rows("SELECT coalesce(sum(n_raw), 0) FROM series WHERE run_id = ?", [unit.run_id])[0][0]
        )
        old = _OldFacts(self.writer, unit.run_id)
        for member in unit.unit.members:
            key = source_key(member)
            known = self.plan.known[key]
            reading = old.without_points(known, member, n_points)
            n_points = 0  # told once: whose they are does not matter
            if not is_unchanged(key, unit.stamps[key], self.plan.known, versions):
                new = read_source(self.adapters[key[0]], member.claimed.claim, json.loads(known.cursor), salt=self.salt)
                if not new.is_continuation:
                    return None
                reading = _join(reading, new)
            readings.append(SourceReading(member, known.source_id, reading))
        self.n_read += sum(1 for one in readings if one.reading.is_continuation)
        self.n_points += sum(one.reading.n_new_points for one in readings)
        return readings

    def _only_grew(self, unit: UnitPlan) -> bool:
        if unit.run_id not in self.plan.known_runs or self.plan.sources_of_run.get(unit.run_id) != unit.stamps.keys():
            return False
        versions = self._versions()
        old = _OldFacts(self.writer, unit.run_id)
        last: dict[tuple[str, str], str] = {}
        for name, path in unit.stamps:
            place = (name, os.path.dirname(path))
            last[place] = max(path, last.get(place, path))
        for key in unit.stamps:
            if is_unchanged(key, unit.stamps[key], self.plan.known, versions):
                continue
            adapter = self.adapters[key[0]]
            is_last = last[key[0], os.path.dirname(key[1])] == key[1]
            if not (adapter.appends and is_last and _may_go_on(self.plan.known[key], adapter.version, old)):
                return False
        return True

    def _versions(self) -> dict[str, int]:
        return {name: adapter.version for name, adapter in self.adapters.items()}

    def id_of(self, member: Member) -> int:
        """The id that a source has or gets."""
        key = source_key(member)
        if key not in self.source_ids:
            known = self.plan.known.get(key)
            self.source_ids[key] = known.source_id if known else self.writer.new_source_id()
        return self.source_ids[key]

    def let_go(self, unit: UnitPlan) -> None:
        """Forget the ids of a run's sources that are its own: it was read."""
        for key in unit.stamps:
            if not self.plan.is_shared(key) and key not in self.shared:
                self.source_ids.pop(key, None)

    def is_new(self, unit: UnitPlan) -> bool:
        """Whether the catalog knows none of the run's sources, so that nothing has to be looked up in it."""
        known = self.plan.known
        return unit.run_id not in self.plan.known_runs and not (known and any(key in known for key in unit.stamps))

    def count(self, run: FiledRun) -> None:
        """Take note of a run that was read by a task."""
        self.n_read += run.n_sources
        self.n_points += run.n_points
        for source in run.shared:
            key = source_key(source.member)
            if key not in self.shared:
                self.n_read += 1
                self.n_points += source.reading.n_new_points
                if source.member.is_inherited:
                    self.shared[key] = source.reading

    def _reading(self, member: Member, unit: UnitPlan, old: _OldFacts) -> Reading:
        key = source_key(member)
        if key in self.shared:
            return self.shared[key]
        known = self.plan.known.get(key)
        versions = self._versions()
        if known and is_unchanged(key, unit.stamps[key], self.plan.known, versions) and old.holds(known):
            self.n_unchanged += 1
            reading = old.reading(known, member)
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
        return _join(old.reading(known, member), reading)


def _may_go_on(known: KnownSource, version: int, old: _OldFacts) -> bool:
    """Whether what the catalog holds of the source is a true beginning of it."""
    is_readable = known.status not in {ReadStatus.UNREADABLE, ReadStatus.LFS_POINTER}
    return is_readable and known.version == version and old.holds(known)


def _join(before: Reading, after: Reading) -> Reading:
    points = join_tables([table for table in (before.points, after.points) if table is not None])
    return replace(
        after, small=[*before.small, *after.small], points=points, n_points=before.n_points + after.n_points,
        blobs=[*before.blobs, *after.blobs],
    )  # fmt: skip


class _OldFacts:
    """What the catalog holds of a run; loaded only when asked."""

    def __init__(self, writer: Writer, run_id: str) -> None:
        self._writer = writer
        self._run_id = run_id
        self._points: dict[int, PointTable] | None = None

    def holds(self, known: KnownSource) -> bool:
        """Whether what was read of the source is stored under this run.

        Else it belonged to another, or only described a sweep, of which nothing is stored: it is read again.
        """
        return self._run_id in known.run_ids

    def reading(self, known: KnownSource, member: Member) -> Reading:
        cursor = Cursor(json.loads(known.cursor), ReadStatus(known.status), known.n_records, known.n_bad)
        points = self._of_source(known.source_id)
        n_points = len(points.steps) if points is not None else 0
        return Reading(from_json(known.facts), points, n_points, 0, self._blobs(known.source_id, member), cursor)

    def without_points(self, known: KnownSource, member: Member, n_points: int) -> Reading:
        """What is kept of a source beside its points, of which there are so many."""
        cursor = Cursor(json.loads(known.cursor), ReadStatus(known.status), known.n_records, known.n_bad)
        return Reading(from_json(known.facts), None, n_points, 0, self._blobs(known.source_id, member), cursor)

    def _of_source(self, source_id: int) -> PointTable | None:
        if self._points is None:
            self._points = self._load()
        return self._points.get(source_id)

    def _load(self) -> dict[int, PointTable]:
        import numpy as np

        rows = self._writer.rows("SELECT series_id, source_metric FROM series WHERE run_id = ?", [self._run_id])
        if not rows:
            return {}
        table = self._writer.points([self._run_id], [series_id for series_id, _name in rows])
        columns = {name: np.asarray(table.column(name).to_numpy()) for name in table.column_names}
        metrics = tuple(dict.fromkeys(name for _series_id, name in rows))
        series_ids = np.array(sorted(series_id for series_id, _name in rows))
        names = dict(rows)
        numbers = np.array([metrics.index(names[series_id]) for series_id in series_ids.tolist()], dtype=np.int32)
        which = numbers[np.searchsorted(series_ids, columns["series_id"])]
        found: dict[int, PointTable] = {}
        for source_id in np.unique(columns["source_id"]).tolist():
            at = np.flatnonzero(columns["source_id"] == source_id)
            at = at[np.argsort(columns["seq"][at], kind="stable")]
            present, places = np.unique(which[at], return_inverse=True)
            found[source_id] = PointTable(
                tuple(metrics[number] for number in present.tolist()), places.astype(np.int32), columns["step"][at],
                columns["wall_s"][at], columns["value"][at], columns["seq"][at] & PLACE_MASK,
            )  # fmt: skip
        return found

    def _blobs(self, source_id: int, member: Member) -> list[Blob]:
        rows = self._writer.rows(
            "SELECT kind, metric, step, wall_s, seq, byte_offset, byte_length, encoding, width, height, digest, path "
            "FROM blob WHERE run_id = ? AND source_id = ? ORDER BY seq",
            [self._run_id, source_id],
        )
        claim = member.claimed.claim
        own, below = safe.text_of_path(claim.path), safe.text_of_path(claim.run_folder) + os.sep
        files = ["" if path == own else path.removeprefix(below) for *_row, path in rows]
        return [replace(Blob(*row[:-1]), file=file) for row, file in zip(rows, files, strict=True)]
