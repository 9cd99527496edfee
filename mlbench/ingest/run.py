"""The corridor from disk to catalog: scan, plan, read, commit."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from mlbench import journal, safe
from mlbench.adapters import load_adapters, third_party
from mlbench.catalog.writer import Batch, Writer, open_writer
from mlbench.errors import SourceError
from mlbench.ingest.aftermath import drop_gone_sources, mark_missing, tell_hints
from mlbench.ingest.code import Repositories, attribute_code
from mlbench.ingest.draft import Draft, SourceReading, add_rows
from mlbench.ingest.fingerprint import fingerprint_of
from mlbench.ingest.gather import Gatherer
from mlbench.ingest.identity import Unit, find_units
from mlbench.ingest.keep import to_json
from mlbench.ingest.numbers import number_runs
from mlbench.ingest.plan import Plan, SourceKey, UnitPlan, is_inside, make_plan, source_key
from mlbench.ingest.scan import Scan, real_root, scan_root
from mlbench.ingest.secrets import home_salt
from mlbench.model import Adapter, Problem, ReadStatus, Role
from mlbench.paths import Home

if TYPE_CHECKING:
    import pyarrow as pa

BATCH_POINTS = 1_000_000
BATCH_RUNS = 500
PUBLISH_EVERY_S = 2.0
"""Readers see news at most this late; publishing costs a copy of the catalog."""
PUBLISH_SHARE = 9.0
"""Publishing takes at most a tenth of the time of a long ingest."""
FIRST_PUBLISH_S = 0.3
"""The first runs are shown soon: half a second is the longest that feels like no wait."""


_OF_THE_SCAN = "run_id IS NULL AND source_path NOT IN (SELECT path FROM source)"
"""Problems of the walk itself: no source told them."""
_ENDS = {
    ReadStatus.TRUNCATED: (
        "the file ends in the middle of a record",
        "normal while it is being written; else its end is lost",
    ),
    ReadStatus.EMPTY: ("the file is empty", "normal while a training starts; else its points are lost"),
}


@dataclass(frozen=True, slots=True)
class Progress:
    """How far an ingest is."""

    stage: str
    """scan, read or done."""
    n_done: int = 0
    """Runs committed so far (`read`), folders seen (`scan`)."""
    n_total: int = 0
    """Runs to commit; 0 while scanning."""
    n_points: int = 0
    is_published: bool = False
    """New runs are visible to readers since the last report."""


@dataclass(slots=True)
class Summary:
    """What an ingest did."""

    roots: tuple[str, ...] = ()
    n_runs: int = 0
    """Runs found below the roots."""
    n_changed: int = 0
    n_read: int = 0
    """Sources that were opened."""
    n_unchanged: int = 0
    """Sources that were known and not opened."""
    n_points: int = 0
    """Points read, not counting those that were known."""
    n_problems: int = 0
    """Problems of the sources below the roots, old and new."""
    n_missing: int = 0
    errors: list[str] = field(default_factory=list)
    """Roots that could not be read, told in one line each."""
    talk: list[str] = field(default_factory=list)
    was_cancelled: bool = False


def ingest_paths(
    home: Home,
    paths: Sequence[str],
    *,
    progress: Callable[[Progress], None] = lambda _progress: None,
    is_cancelled: Callable[[], bool] = lambda: False,
    rebuild: bool = False,
    wait_s: float = 10.0,
) -> Summary:
    """Read what is new below the paths into the catalog.

    Args:
        home: where catalog and journal are; created if missing.
        paths: directories; with `rebuild`, none means all that were ever named.
        progress: called often, in this thread.
        is_cancelled: asked between runs; what was read by then is kept.
        rebuild: forget the catalog first and read everything again.
        wait_s: how long to wait for another process that writes.

    Raises:
        SourceError: no path can be read.
        HomeError: the home cannot be written, or another process writes it for too long.
    """
    summary = Summary()
    known = journal.replay(home).roots
    given = _real_roots(paths, summary, must_have=not rebuild)
    with open_writer(home, wait_s=wait_s) as writer:
        summary.talk += writer.talk
        if rebuild or writer.must_rebuild:
            given = _everything(writer, known, given, summary)
            writer.clear()
        roots = _remember_roots(home, known, given)
        scanned = _outermost(given, roots)
        summary.roots = tuple(given)
        _Ingest(home, writer, roots, summary, progress, is_cancelled).run(scanned)
    return summary


def _everything(writer: Writer, known: Sequence[str], given: Sequence[str], summary: Summary) -> list[str]:
    """All roots that were ever named, by the journal or, where that has lost them, by the catalog itself.

    Raises:
        SourceError: there is none, and so nothing to build a catalog from.
    """
    stored = [safe.path_of_text(row[0]) for row in writer.rows("SELECT DISTINCT root FROM run ORDER BY root")]
    found = list(dict.fromkeys([*known, *stored, *given]))
    gone = [root for root in found if not os.path.isdir(root)]
    summary.talk += [f"{root}: no such directory any more; its runs are left out" for root in gone]
    if len(gone) == len(found):
        raise SourceError("no directory is known to build the catalog from. Try: mlbench ingest DIR")
    return [root for root in found if root not in gone]


def _real_roots(paths: Iterable[str], summary: Summary, *, must_have: bool) -> list[str]:
    found: list[str] = []
    for path in dict.fromkeys(paths):
        try:
            found.append(real_root(path))
        except SourceError as error:
            summary.errors.append(str(error))
    if not found and summary.errors and must_have:
        raise SourceError("\n".join(summary.errors))
    return list(dict.fromkeys(found))


def _remember_roots(home: Home, known: Sequence[str], given: Sequence[str]) -> list[str]:
    """Names are told from the first mentioned root, so that they stay the same whatever is ingested later."""
    new = [root for root in given if root not in known]
    if new:
        with journal.open_journal(home) as words:
            for root in new:
                words.root(root)
    return [*known, *new]


def _outermost(given: Sequence[str], roots: Sequence[str]) -> list[str]:
    """A folder inside a known root is scanned with the whole of it: what a run is may depend on what lies around."""
    chosen = {max((r for r in roots if is_inside(root, r)), key=lambda r: -len(r), default=root) for root in given}
    return sorted(root for root in chosen if not any(root != other and is_inside(root, other) for other in chosen))


class _Ingest:
    """One ingest under way: the open writer, the growing batch and the counts."""

    def __init__(
        self, home: Home, writer: Writer, roots: Sequence[str], summary: Summary,
        progress: Callable[[Progress], None], is_cancelled: Callable[[], bool],
    ) -> None:  # fmt: skip
        self.writer, self.roots, self.summary = writer, roots, summary
        self.progress, self.is_cancelled = progress, is_cancelled
        self.adapters: dict[str, Adapter] = {adapter.name: adapter for adapter in load_adapters()}
        self.salt = home_salt(home)
        self.repositories = Repositories()
        self.batch = Batch()
        self.points: list[pa.Table] = []
        self.n_batch_points = 0
        self.shared: dict[SourceKey, tuple[SourceReading, UnitPlan]] = {}
        """Sources above several runs; their rows are written last, when it is known which of the runs are sweeps."""
        self.sweeps: set[str] = set()
        self.seen: set[str] = set()
        """Changed runs that were read, sweeps too."""
        self.publish_at = time.monotonic() + FIRST_PUBLISH_S

    def run(self, scanned: Sequence[str]) -> None:
        scans = [self._scan(root) for root in scanned]
        units = _distinct(unit for scan in scans for unit in find_units(scan.root, scan.claims))
        plan = make_plan(self.writer, units, self.roots, {a.name: a.version for a in self.adapters.values()})
        gatherer = Gatherer(self.writer, plan, self.adapters, self.salt)
        self._read_all(plan, gatherer)
        self.repositories.close()
        self._flush()
        if not self.summary.was_cancelled:
            self._finish(plan, scanned, scans)
        self._tell_scan_problems(scans)
        self._count(plan, gatherer)
        is_published = not self.writer.must_rebuild and self.writer.publish()
        self.progress(Progress("done", len(plan.units), len(plan.units), self.summary.n_points, is_published))

    def _finish(self, plan: Plan, scanned: Sequence[str], scans: Sequence[Scan]) -> None:
        """What can be said only when everything was read."""
        for source, unit in self.shared.values():
            self._add_source_row(source, unit, plan)
        self._flush()
        drop_gone_sources(self.writer, plan, scanned)
        gone = [root for root in self.roots if not os.path.isdir(root)]
        unseen = [problem.path for scan in scans for problem in scan.problems]
        self.summary.n_missing = mark_missing(self.writer, plan, [*scanned, *gone], unseen)
        if plan.changed:
            tell_hints(self.writer)
        number_runs(self.writer)
        if self.writer.must_rebuild:
            self.writer.rebuilt()

    def _scan(self, root: str) -> Scan:
        def tell(n_folders: int, _n_claims: int) -> None:
            if n_folders % 64 == 1:
                self.progress(Progress("scan", n_folders))

        return scan_root(root, tuple(self.adapters.values()), on_folder=tell)

    def _read_all(self, plan: Plan, gatherer: Gatherer) -> None:
        changed = plan.changed
        for n_done, unit in enumerate(changed):
            if self.is_cancelled():
                self.summary.was_cancelled = True
                return
            self.progress(Progress("read", n_done, len(changed), self.summary.n_points))
            self.seen.add(unit.run_id)
            self._add(unit, gatherer.gather(unit), plan)
            self.summary.n_points = gatherer.n_points
            if self.n_batch_points >= BATCH_POINTS or len(self.batch.run_ids) >= BATCH_RUNS or self._is_time():
                self._flush()
                self._publish(n_done + 1, len(changed))

    def _is_time(self) -> bool:
        return time.monotonic() >= self.publish_at

    def _add(self, unit: UnitPlan, sources: list[SourceReading], plan: Plan) -> None:
        draft = Draft(unit.unit, unit.root, sources)
        self.batch.run_ids.add(unit.run_id)
        self._drop_sources_gone_from(unit, plan)
        if draft.is_sweep_only:
            self.sweeps.add(unit.run_id)
        else:
            draft.code = attribute_code(draft, self.repositories)
            newest = max((stamp.mtime_ns for stamp in unit.stamps.values()), default=-1)
            tables = add_rows(
                draft,
                self.batch,
                new_series_id=self.writer.new_series_id,
                fingerprint=fingerprint_of(unit.unit, draft.said_at_start),
                newest_s=newest / 1e9 if newest >= 0 else None,
            )
            self.points += tables
            self.n_batch_points += sum(table.num_rows for table in tables)
        for source in sources:
            for problem in _problems_of(source):
                self._add_problem(problem, None if draft.is_sweep_only else unit.run_id, unit.root)
            if source.member.is_inherited:
                self.shared[source_key(source.member)] = (source, unit)
            else:
                self._add_source_row(source, unit, plan)

    def _drop_sources_gone_from(self, unit: UnitPlan, plan: Plan) -> None:
        """In the transaction that commits the run without them, so that they never count as known."""
        for key in plan.sources_of_run.get(unit.run_id, set()) - unit.stamps.keys():
            if key not in plan.runs_of_source:
                self.batch.source_ids.add(plan.known[key].source_id)

    def _add_source_row(self, source: SourceReading, unit: UnitPlan, plan: Plan) -> None:
        key = source_key(source.member)
        claim, reading = source.member.claimed.claim, source.reading
        stamp = unit.stamps[key]
        path = key[1]
        self.batch.source_ids.add(source.source_id)
        self.batch.add(
            "source", source_id=source.source_id, run_ids=sorted(plan.runs_of_source[key] - self.sweeps),
            adapter=key[0], adapter_version=self.adapters[key[0]].version, path=path,
            path_bytes=None if path == claim.path else claim.path.encode("utf-8", "surrogateescape"),
            root=safe.text_of_path(unit.root), role=claim.role.value, size_bytes=stamp.size_bytes,
            mtime_ns=stamp.mtime_ns, inode=stamp.inode, stamp=stamp.text,
            cursor=json.dumps(dict(reading.cursor.state)), status=reading.cursor.status.value,
            n_records=reading.cursor.n_records, n_bad=reading.cursor.n_bad, read_s=time.time(),
            facts=to_json(reading.small),
        )  # fmt: skip

    def _add_problem(self, problem: Problem, run_id: str | None, root: str) -> None:
        self.batch.add(
            "problem", run_id=run_id, source_path=safe.text_of_path(problem.path), place=problem.place,
            what=problem.what, hint=problem.hint, root=safe.text_of_path(root), since_s=time.time(),
        )  # fmt: skip

    def _flush(self) -> None:
        import pyarrow as pa

        if self.points:
            self.batch.points = pa.concat_tables(self.points)
        self.writer.commit(self.batch)
        self.batch, self.points, self.n_batch_points = Batch(), [], 0

    def _publish(self, n_done: int, n_total: int) -> None:
        if self._is_time() and not self.writer.must_rebuild:
            began = time.monotonic()
            is_published = self.writer.publish()
            cost_s = time.monotonic() - began
            self.publish_at = time.monotonic() + max(PUBLISH_EVERY_S, PUBLISH_SHARE * cost_s)
            self.progress(Progress("read", n_done, n_total, self.summary.n_points, is_published))

    def _tell_scan_problems(self, scans: Sequence[Scan]) -> None:
        """Problems of the walk itself (unreadable folders, FIFOs) replace those of the last walk."""
        known = self.writer.rows(f"SELECT root, source_path, what FROM problem WHERE {_OF_THE_SCAN} ORDER BY ALL")
        roots = {safe.text_of_path(scan.root) for scan in scans}
        found = [(safe.text_of_path(scan.root), problem) for scan in scans for problem in scan.problems]
        found += [("", problem) for problem in third_party()[1]]
        now = sorted((root, safe.text_of_path(problem.path), problem.what) for root, problem in found)
        if [row for row in known if row[0] in roots | {""}] == now:
            return
        self.writer.update(
            f"DELETE FROM problem WHERE {_OF_THE_SCAN} AND root IN (SELECT unnest(?))", [sorted(roots | {""})]
        )
        for root, problem in found:
            self._add_problem(problem, None, safe.path_of_text(root))
        self._flush()

    def _count(self, plan: Plan, gatherer: Gatherer) -> None:
        summary = self.summary
        runs = self.writer.rows("SELECT path FROM run WHERE NOT is_missing")
        problems = self.writer.rows("SELECT DISTINCT source_path, place, what FROM problem")
        summary.n_runs = sum(1 for (path,) in runs if self._is_named(path))
        summary.n_changed = len(self.seen)
        summary.n_read = gatherer.n_read
        known = {key for unit in plan.units if not unit.is_changed for key in unit.stamps}
        summary.n_unchanged = len(known) + gatherer.n_unchanged
        summary.n_problems = sum(1 for path, _place, _what in problems if self._is_named(path))

    def _is_named(self, path: str) -> bool:
        """Whether a path of the catalog lies below a directory that this ingest was asked for."""
        return any(is_inside(safe.path_of_text(path), root) for root in self.summary.roots)


def _problems_of(source: SourceReading) -> list[Problem]:
    """What the adapter could not read, and where the file just ends."""
    problems = [fact for fact in source.reading.small if isinstance(fact, Problem)]
    claim = source.member.claimed.claim
    if claim.role is Role.EVENTS and source.reading.cursor.status in _ENDS:
        what, hint = _ENDS[source.reading.cursor.status]
        problems.append(Problem(claim.path, what, hint=hint))
    return problems


def _distinct(units: Iterable[Unit]) -> list[Unit]:
    """Each run once, however many roots and links lead to it."""
    return list({unit.key: unit for unit in units}.values())
