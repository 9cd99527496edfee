"""The corridor from disk to catalog: scan, plan, read, commit."""

from __future__ import annotations

import json
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
from mlbench.ingest.plan import Plan, UnitPlan, is_inside, make_plan, source_key
from mlbench.ingest.scan import Scan, real_root, scan_root
from mlbench.ingest.secrets import home_salt
from mlbench.model import Adapter, Problem
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
    words = journal.replay(home)
    given = _real_roots([*words.roots, *paths] if rebuild else paths, summary)
    with open_writer(home, wait_s=wait_s) as writer:
        summary.talk += writer.talk
        if rebuild:
            writer.clear()
        roots = _remember_roots(home, words.roots, given)
        scanned = _outermost(given, roots)
        summary.roots = tuple(given)
        _Ingest(home, writer, roots, summary, progress, is_cancelled).run(scanned)
    return summary


def _real_roots(paths: Iterable[str], summary: Summary) -> list[str]:
    found: list[str] = []
    for path in dict.fromkeys(paths):
        try:
            found.append(real_root(path))
        except SourceError as error:
            summary.errors.append(str(error))
    if not found and summary.errors:
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
        self.written: set[tuple[str, str]] = set()
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
            drop_gone_sources(self.writer, plan, scanned)
            self.summary.n_missing = mark_missing(self.writer, plan, scanned)
            if plan.changed:
                tell_hints(self.writer)
        self._tell_scan_problems(scans)
        self._count(plan, gatherer)
        is_published = self.writer.publish()
        self.progress(Progress("done", len(plan.units), len(plan.units), self.summary.n_points, is_published))

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
        if not draft.is_sweep_only:
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
            self._add_source(source, unit, plan, is_sweep=draft.is_sweep_only)

    def _add_source(self, source: SourceReading, unit: UnitPlan, plan: Plan, *, is_sweep: bool) -> None:
        key = source_key(source.member)
        claim, reading = source.member.claimed.claim, source.reading
        problems = [fact for fact in reading.small if isinstance(fact, Problem)]
        for problem in problems:
            self._add_problem(problem, None if is_sweep else unit.run_id, unit.root)
        if key in self.written:
            return
        self.written.add(key)
        stamp = unit.stamps[key]
        path = key[1]
        self.batch.source_ids.add(source.source_id)
        self.batch.add(
            "source", source_id=source.source_id, run_ids=[] if is_sweep else sorted(plan.runs_of_source[key]),
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
        if self._is_time():
            began = time.monotonic()
            is_published = self.writer.publish()
            cost_s = time.monotonic() - began
            self.publish_at = time.monotonic() + max(PUBLISH_EVERY_S, PUBLISH_SHARE * cost_s)
            self.progress(Progress("read", n_done, n_total, self.summary.n_points, is_published))

    def _tell_scan_problems(self, scans: Sequence[Scan]) -> None:
        """Problems of the walk itself (unreadable folders, FIFOs) replace those of the last walk."""
        known = self.writer.rows("SELECT root, source_path, what FROM problem WHERE run_id IS NULL ORDER BY ALL")
        roots = {safe.text_of_path(scan.root) for scan in scans}
        found = [(safe.text_of_path(scan.root), problem) for scan in scans for problem in scan.problems]
        found += [("", problem) for problem in third_party()[1]]
        now = sorted((root, safe.text_of_path(problem.path), problem.what) for root, problem in found)
        if [row for row in known if row[0] in roots | {""}] == now:
            return
        self.writer.rows("DELETE FROM problem WHERE run_id IS NULL AND root IN (SELECT unnest(?))", [[*roots, ""]])
        for root, problem in found:
            self._add_problem(problem, None, safe.path_of_text(root))
        self._flush()

    def _count(self, plan: Plan, gatherer: Gatherer) -> None:
        summary = self.summary
        summary.n_runs = sum(
            1 for unit in plan.units if any(is_inside(unit.unit.folder, root) for root in summary.roots)
        )
        summary.n_changed = len(plan.changed)
        summary.n_read = gatherer.n_read
        n_sources = len({key for unit in plan.units for key in unit.stamps})
        summary.n_unchanged = max(n_sources - gatherer.n_read, 0)
        summary.n_problems = int(
            self.writer.rows("SELECT count(DISTINCT (source_path, place, what)) FROM problem")[0][0]
        )


def _distinct(units: Iterable[Unit]) -> list[Unit]:
    """Each run once, however many roots and links lead to it."""
    return list({unit.key: unit for unit in units}.values())
