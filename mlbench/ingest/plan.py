"""What has to be read: the runs of a scan against the sources that the catalog already knows."""

from __future__ import annotations

import os
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import field
from functools import partial
from typing import TYPE_CHECKING

from mlbench import safe
from mlbench.dataclass import dataclass
from mlbench.ingest.identity import Member, Unit, run_id_of
from mlbench.ingest.stamp import Stamp, stamp_of
from mlbench.model import ReadStatus
from mlbench.wire.patience import Patience, hides

if TYPE_CHECKING:
    from mlbench.catalog.writer import Writer

LOOKED_AT_ONCE = 100
"""Runs whose files are asked for their state together: a thread does it, which is waited for."""
SourceKey = tuple[str, str]
"""Adapter's name and path (as text)."""


@dataclass(frozen=True, slots=True)
class KnownSource:
    """A source as the catalog has it."""

    source_id: int
    run_ids: frozenset[str]
    version: int
    stamp: str
    cursor: str
    facts: str
    root: str
    status: str
    n_records: int
    n_bad: int


@dataclass(slots=True)
class UnitPlan:
    """A run that has to be committed again, or is known as it is."""

    unit: Unit
    root: str
    """Real path that its name is told from."""
    stamps: dict[SourceKey, Stamp]
    """Of its sources; empty until it is looked at, in the plan of a first ingest."""
    is_changed: bool

    @property
    def run_id(self) -> str:
        return run_id_of(self.unit.key)

    @property
    def size_bytes(self) -> int:
        """Of its sources together."""
        return sum(max(stamp.size_bytes, 0) for stamp in self.stamps.values())

    def bare(self, needed: Container[SourceKey]) -> UnitPlan:
        """The run without its sources, but with the stamps of some."""
        unit = Unit(self.unit.folder, [], self.unit.is_own_file, self.unit.part)
        stamps = {key: stamp for key, stamp in self.stamps.items() if key in needed}
        return UnitPlan(unit, self.root, stamps, self.is_changed)

    def let_go(self, needed: Container[SourceKey]) -> None:
        """Forget the sources, since they were read, but for the stamps of some."""
        self.unit.members.clear()
        self.stamps = {key: stamp for key, stamp in self.stamps.items() if key in needed}


@dataclass(slots=True)
class Plan:
    units: list[UnitPlan]
    known: Mapping[SourceKey, KnownSource]
    runs_of_source: dict[SourceKey, Set[str]] = field(default_factory=dict)
    """Every run that a source tells of, after this ingest; left out are new sources that are one run's own."""
    sources_of_run: Mapping[str, set[SourceKey]] = field(default_factory=dict)
    """By run, as the catalog has them."""
    known_runs: frozenset[str] = frozenset()
    """Runs that the catalog had, missing ones too."""
    surveyed: frozenset[str] = frozenset()
    """Runs that were found and are not among the units."""

    @property
    def found(self) -> frozenset[str]:
        """All runs that were found."""
        return self.surveyed | {unit.run_id for unit in self.units}

    @property
    def changed(self) -> list[UnitPlan]:
        return [unit for unit in self.units if unit.is_changed]

    def is_gone(self, key: SourceKey) -> bool:
        """Whether a source that the catalog had was not found again."""
        return key in self.known and key not in self.runs_of_source

    def is_shared(self, key: SourceKey) -> bool:
        """Whether a source tells of several runs."""
        return len(self.runs_of_source.get(key, ())) > 1


def looked_at(units: Sequence[UnitPlan], waiting: Patience) -> Iterator[UnitPlan]:
    """The runs with the stamps of their sources.

    Raises:
        LeavingError: a file hangs, and somebody wants to leave.
    """
    for start in range(0, len(units), LOOKED_AT_ONCE):
        part = units[start : start + LOOKED_AT_ONCE]
        waiting.until_read(partial(_look, part))
        yield from part


def _look(units: Sequence[UnitPlan]) -> None:
    for unit in units:
        unit.stamps = stamps_of(unit.unit)


def source_key(member: Member) -> SourceKey:
    """How a source is named in the catalog."""
    return member.claimed.adapter, safe.text_of_path(member.claimed.claim.place)


def read_known(writer: Writer, paths: Iterable[str] | None = None) -> dict[SourceKey, KnownSource]:
    """The sources of the catalog, or those at some paths."""
    if writer.is_blank:
        return {}
    some = "" if paths is None else " WHERE path IN (SELECT unnest(?))"
    rows = writer.rows(
        "SELECT adapter, path, source_id, run_ids, adapter_version, stamp, cursor, facts, root, status, n_records, "
        f"n_bad FROM source{some}",
        [] if paths is None else [sorted(paths)],
    )
    return {
        (adapter, path): KnownSource(
            source_id, frozenset(run_ids), version, stamp, cursor, facts, root, status, n_records, n_bad
        )
        for adapter, path, source_id, run_ids, version, stamp, cursor, facts, root, status, n_records, n_bad in rows
    }


def stamps_of(unit: Unit) -> dict[SourceKey, Stamp]:
    """How the sources of a run are now."""
    return {source_key(member): stamp_of(member.claimed.claim) for member in unit.members}


def make_plan(writer: Writer, units: Sequence[Unit], roots: Sequence[str], versions: Mapping[str, int]) -> Plan:
    """Say for every run whether it has to be committed again.

    Args:
        writer: the open catalog.
        units: the runs of the scan.
        roots: real paths of all directories ever named, the first mentioned first; a run is named from the first that
            holds it.
        versions: of the adapters; sources read by an older one are read again.
    """
    return _plan(writer, units, roots, versions, read_known(writer))


def plan_first(units: Sequence[Unit], roots: Sequence[str]) -> Plan:
    """The same for a catalog that has nothing yet; the stamps are not taken."""
    plan = Plan([], {}, _runs_of_source(units, {}))
    plan.units += [UnitPlan(unit, naming_root(unit.folder, roots), {}, is_changed=True) for unit in units]
    return plan


def plan_some(writer: Writer, units: Sequence[Unit], roots: Sequence[str], versions: Mapping[str, int]) -> Plan:
    """The same for a few runs whose sources are those they had; the catalog is not asked about any other."""
    paths = {source_key(member)[1] for unit in units for member in unit.members}
    plan = _plan(writer, units, roots, versions, read_known(writer, paths))
    for key, source in plan.known.items():
        # Also of runs that share it and are not looked at now.
        plan.runs_of_source[key] = plan.runs_of_source[key] | source.run_ids
    return plan


def _plan(
    writer: Writer, units: Sequence[Unit], roots: Sequence[str], versions: Mapping[str, int],
    known: dict[SourceKey, KnownSource],
) -> Plan:  # fmt: skip
    rows = [] if writer.is_blank else writer.rows("SELECT run_id, root, is_missing FROM run")
    runs = {run_id: (root, missing) for run_id, root, missing in rows}
    sources_of_run = _sources_of_run(known)
    plan = Plan([], known, _runs_of_source(units, known), sources_of_run, frozenset(runs))
    for unit in units:
        run_id, root = run_id_of(unit.key), naming_root(unit.folder, roots)
        stamps = stamps_of(unit)
        is_known = runs.get(run_id) == (safe.text_of_path(root), False) or _is_known_sweep(unit, known)
        same = is_known and _same_sources(run_id, stamps, sources_of_run) and _unchanged(stamps, known, versions)
        is_changed = not same and not _is_hidden(sources_of_run.get(run_id, set()) - stamps.keys())
        plan.units.append(UnitPlan(unit, root, stamps, is_changed=is_changed))
    return plan


def _runs_of_source(units: Sequence[Unit], known: Mapping[SourceKey, KnownSource]) -> dict[SourceKey, Set[str]]:
    """Of sources that are known, inherited or shared: of ten thousand runs few are, and a set for each other weighs."""
    places: dict[SourceKey, int] = {}
    found: dict[SourceKey, set[str]] = {}
    for place, unit in enumerate(units):
        run_id = run_id_of(unit.key)
        for member in unit.members:
            key = source_key(member)
            first = places.setdefault(key, place)
            if first != place or member.is_inherited or key in known:
                found.setdefault(key, {run_id_of(units[first].key)}).add(run_id)
    return dict(found)


def _is_hidden(gone: Iterable[SourceKey]) -> bool:
    """Whether one of these sources of a run is not gone, but where nothing answers."""
    return any(hides(safe.path_of_text(path)) for _adapter, path in gone)


def _is_known_sweep(unit: Unit, known: Mapping[SourceKey, KnownSource]) -> bool:
    """Its own sources were read before and made no run."""
    own = [source_key(member) for member in unit.members if not member.is_inherited]
    return all(key in known and not known[key].run_ids for key in own)


def _sources_of_run(known: Mapping[SourceKey, KnownSource]) -> dict[str, set[SourceKey]]:
    sources: dict[str, set[SourceKey]] = {}
    for key, source in known.items():
        for run_id in source.run_ids:
            sources.setdefault(run_id, set()).add(key)
    return sources


def _same_sources(run_id: str, stamps: Iterable[SourceKey], sources_of_run: Mapping[str, set[SourceKey]]) -> bool:
    return run_id not in sources_of_run or sources_of_run[run_id] == set(stamps)


def _unchanged(
    stamps: Mapping[SourceKey, Stamp], known: Mapping[SourceKey, KnownSource], versions: Mapping[str, int]
) -> bool:
    return all(is_unchanged(key, stamp, known, versions) for key, stamp in stamps.items())


def is_unchanged(
    key: SourceKey, stamp: Stamp, known: Mapping[SourceKey, KnownSource], versions: Mapping[str, int]
) -> bool:
    """Whether the catalog holds what this adapter reads of this source as it is now."""
    source = known.get(key)
    if source is None or source.status == ReadStatus.UNREADABLE:
        return False  # permissions come back without a new mtime
    return source.stamp == stamp.text and source.version == versions.get(key[0])


def naming_root(folder: str, roots: Sequence[str]) -> str:
    """The first mentioned root that holds the folder; the folder's parent if none does (it lies behind a link)."""
    return next((root for root in roots if is_inside(folder, root)), os.path.dirname(folder))


def is_inside(path: str, root: str) -> bool:
    """Whether `path` is `root` or lies below it; both are real paths."""
    return path == root or path.startswith(root.rstrip(os.sep) + os.sep)
