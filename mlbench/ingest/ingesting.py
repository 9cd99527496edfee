"""One ingest under way: runs are read, batches committed, snapshots published."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence

from mlbench import safe
from mlbench.adapters import load_adapters, third_party
from mlbench.catalog.batch import Batch
from mlbench.catalog.segments import Stored
from mlbench.catalog.writer import Writer
from mlbench.ingest.aftermath import drop_gone_sources, forget_waiting, mark_missing, tell_hints
from mlbench.ingest.appending import Appended, append_points, span_of, store_appended
from mlbench.ingest.draft import Draft, Life, SourceReading
from mlbench.ingest.filing import FiledRun, Filer, ReadRun, add_problem
from mlbench.ingest.fingerprint import fingerprint_of
from mlbench.ingest.gather import Gatherer
from mlbench.ingest.identity import Unit, find_all
from mlbench.ingest.joining import join_records
from mlbench.ingest.numbers import number_runs
from mlbench.ingest.plan import (
    Plan,
    SourceKey,
    UnitPlan,
    is_inside,
    make_plan,
    plan_some,
    read_known,
    source_key,
)
from mlbench.ingest.progress import Progress, Summary
from mlbench.ingest.scan import Scan
from mlbench.ingest.secrets import home_salt
from mlbench.ingest.settling import settle
from mlbench.ingest.shelf import Shelf
from mlbench.ingest.slicing import PackedPart, Part, Slicer
from mlbench.ingest.survey import Survey
from mlbench.ingest.thrift import give_back_memory
from mlbench.ingest.workers import Task, Workers, put_away
from mlbench.model import Adapter, Problem
from mlbench.paths import Home
from mlbench.wire import patience
from mlbench.wire.patience import HangsError, LeavingError, Patience, UnansweredError

BATCH_SERIES = 15_000
"""With their sketches, and the parameters of 750 runs that have so many, they weigh 7 MB while they wait for a commit,
packed; their points are on the disk already."""
BATCH_RUNS = 1000
"""A commit costs 25 ms beside its rows."""
BATCH_PARAMS = 40_000
"""The rows of 570 runs of 70 parameters. 55,000 need 3 MB more and no less time."""
SHELF_POINTS = 500_000
"""Points of runs read in this process that wait for their segment: 20 MB."""
PUBLISH_EVERY_S = 2.0
"""Readers see news at most this late; publishing costs a copy of the catalog."""
PUBLISH_SHARE = 9.0
"""Publishing takes at most a tenth of the time of a long ingest."""
UNSEEN_EVERY_S = 10.0
"""The same where nobody is known to look on: an ingest that is done sooner publishes once."""
FIRST_PUBLISH_S = 0.3
"""The first runs are shown soon: half a second is the longest that feels like no wait."""


_OF_THE_SCAN = "run_id IS NULL AND source_path NOT IN (SELECT path FROM source)"
"""Problems of the walk itself: no source told them."""


def _answered(sources: list[SourceReading]) -> list[SourceReading]:
    """These sources, where none of their files was set aside.

    Raises:
        UnansweredError: one was.
    """
    for source in sources:
        if source.reading.unanswered:
            raise UnansweredError(source.reading.unanswered)
    return sources


class Ingest:
    """One ingest under way: the open writer, the growing batch and the counts."""

    def __init__(
        self, home: Home, writer: Writer, roots: Sequence[str], summary: Summary,
        progress: Callable[[Progress], None], is_cancelled: Callable[[], bool], workers: Workers, waiting: Patience,
        *, is_shown: bool = False, is_once: bool = False,
    ) -> None:  # fmt: skip
        self.writer, self.roots, self.summary = writer, roots, summary
        self.progress, self.is_cancelled = progress, is_cancelled
        self.workers, self.waiting = workers, waiting
        self.is_once = is_once
        """Nobody looks again: what the walk found of a run is let go once it was read."""
        self.adapters: dict[str, Adapter] = {adapter.name: adapter for adapter in load_adapters()}
        self.salt = home_salt(home)
        self.filer = Filer(self._versions())
        self.told: set[tuple[str, str]] = set()
        """Path and text of the problems of what lies beside runs: each process meets them for itself."""
        self.batch = Batch()
        self.shelf = Shelf(home.points, 0)
        self.appended: list[Appended] = []
        self.n_batch_series = self.n_batch_params = self.n_appended_points = 0
        self.shared: dict[SourceKey, tuple[SourceReading, UnitPlan]] = {}
        """Sources above several runs; their rows are written last, when it is known which of the runs are sweeps."""
        self.sweeps: set[str] = set()
        self.seen: set[str] = set()
        """Changed runs that were read, sweeps too."""
        self.publish_every_s = PUBLISH_EVERY_S if is_shown else UNSEEN_EVERY_S
        self.publish_at = time.monotonic() + (FIRST_PUBLISH_S if is_shown else UNSEEN_EVERY_S)

    def run_some(self, units: Sequence[Unit]) -> None:
        """Read known runs again, and look at no others."""
        plan = self.waiting.until_read(lambda: plan_some(self.writer, units, self.roots, self._versions()))
        gatherer = Gatherer(self.writer, plan, self.adapters, self.salt)
        self._read_all(plan, gatherer)
        self.filer.close()
        self._add_shared(plan)
        self.summary.n_changed, self.summary.n_read = len(self.seen), gatherer.n_read
        if self.summary.n_changed:
            self.writer.publish()

    def _versions(self) -> dict[str, int]:
        return {adapter.name: adapter.version for adapter in self.adapters.values()}

    def _add_shared(self, plan: Plan) -> None:
        for key, (source, unit) in self.shared.items():
            self.batch.source_ids.add(source.source_id)
            self.filer.add_source(source, unit, sorted(plan.runs_of_source[key] - self.sweeps))
        self._flush()

    def run(self, scans: Sequence[Scan], survey: Survey | None = None) -> list[Unit]:
        """Read whatever is new in what was scanned, and take note of what is gone.

        Args:
            scans: of all roots.
            survey: what they gave, where another process has walked for a catalog that has nothing yet.

        Gives the runs; none with a survey.
        """
        scanned = [scan.root for scan in scans]
        plan = survey.plan() if survey else self.waiting.until_read(lambda: self._plan(scans))
        for scan in scans:
            scan.let_go()
        gatherer = Gatherer(self.writer, plan, self.adapters, self.salt)
        self._read_all(plan, gatherer, survey)
        self.filer.close()
        self._flush()
        if not self.summary.was_cancelled:
            self._finish(plan, scanned, scans)
        self._tell_scan_problems(scans)
        self._count(plan, gatherer)
        is_last = not self.summary.was_cancelled
        if self.writer.is_apart:
            self._let_go()
        is_published = not self.writer.must_rebuild and self.writer.publish(is_last=is_last)
        n_runs = len(plan.found)
        self.progress(Progress("done", n_runs, n_runs, self.summary.n_points, is_published))
        return [one.unit for one in plan.units]

    def _plan(self, scans: Sequence[Scan]) -> Plan:
        units = join_records(find_all(scans), self.adapters, lambda paths: read_known(self.writer, paths))
        return make_plan(self.writer, units, self.roots, self._versions())

    def _finish(self, plan: Plan, scanned: Sequence[str], scans: Sequence[Scan]) -> None:
        """What can be said only when everything was read."""
        self._add_shared(plan)
        drop_gone_sources(self.writer, plan, scanned)
        forget_waiting(self.writer, plan)
        gone = [root for root in self.roots if not patience.is_folder(root, self.waiting)]
        unseen = [problem.path for scan in scans for problem in scan.problems]
        self.summary.n_missing = mark_missing(self.writer, plan, [*scanned, *gone], unseen)
        if self.seen or self.writer.is_dirty:
            tell_hints(self.writer)
        number_runs(self.writer)
        if self.writer.must_rebuild:
            self.writer.rebuilt()

    def _read_all(self, plan: Plan, gatherer: Gatherer, survey: Survey | None = None) -> None:
        changed = plan.changed
        new = [unit for unit in changed if gatherer.is_new(unit)]
        self.workers.start(sum(unit.size_bytes for unit in new), may_fork=False)
        fresh = {unit.run_id: unit for unit in new}
        new_ids = frozenset(fresh)
        n_total = len(changed) + len(plan.surveyed)
        tasks = self._surveyed(survey) if survey else self._tasks(new, gatherer, plan)
        for done in self.workers.do(tasks, self.adapters, self.filer, self._is_stopped, self.writer.open):
            for stored in done.stored:
                self._add_stored(stored)
            self.batch.add_tables(done.tables)
            self.n_batch_params += done.tables["param"].num_rows if "param" in done.tables else 0
            for run in done.runs:
                gatherer.count(run)
                self._note(run)
                unit = fresh.pop(run.run_id, None)
                if unit is None:
                    continue
                self._drop_sources_gone_from(unit, plan)
                if self.is_once:
                    gatherer.let_go(unit)
                    unit.let_go({source_key(source.member) for source in run.shared})
            self._report(n_total, gatherer)
        if self.summary.was_cancelled:
            return
        for unit in changed:
            if unit.run_id in new_ids:
                continue
            if self._is_stopped():
                return
            self._read_again(unit, gatherer, plan)
            self._report(n_total, gatherer)

    def _read_again(self, unit: UnitPlan, gatherer: Gatherer, plan: Plan) -> None:
        """A run that is known; where a file of it hangs, what the catalog has stands."""
        try:
            run, life, appended = self.waiting.call(lambda: self._read_known(unit, gatherer))
        except LeavingError:
            self.summary.was_cancelled = True
            return
        except (HangsError, UnansweredError) as error:
            self._flush()  # the rows so far, before what a thread has in its hands is forgotten
            self.filer.begin_anew()
            self._tell_unanswered(unit, error.path)
            return
        if appended is not None:
            self.appended.append(appended)
            self.n_appended_points += appended.points.steps.size
            self.n_batch_series += len(appended.rows)
            self.batch.grown_ids.add(unit.run_id)
        self._add(run, life, plan)

    def _read_known(self, unit: UnitPlan, gatherer: Gatherer) -> tuple[ReadRun, Life, Appended | None]:
        """A run that only grew with its new points, which are not on the shelf; else all of it.

        Raises:
            UnansweredError: a file of it was set aside.
        """
        patience.enter(unit.unit.folder)
        run, appended = self._read_on(unit, gatherer) or (None, None)
        if run is None:
            run = put_away(unit, _answered(gatherer.gather(unit)), self._open_shelf())
        return run, self.filer.attribute(run), appended

    def _read_on(self, unit: UnitPlan, gatherer: Gatherer) -> tuple[ReadRun, Appended] | None:
        """The new points of a run that only grew; None where that is not the case."""
        sources = gatherer.gather_new(unit)
        if sources is None:
            return None
        draft = Draft(unit.unit, unit.root, _answered(sources))
        known = self.writer.records("SELECT * FROM series WHERE run_id = ?", [unit.run_id])
        appended = append_points(draft, known, self._new_series_id)
        if appended is None:
            return None
        span = span_of([*known, *appended.rows])
        return ReadRun(unit, draft, span, fingerprint_of(unit.unit, draft.said_at_start)), appended

    def _tell_unanswered(self, unit: UnitPlan, path: str) -> None:
        """Once, however often it is tried."""
        told = [unit.run_id, safe.text_of_path(path), patience.WHAT]
        self.writer.rows("DELETE FROM problem WHERE run_id = ? AND source_path = ? AND what = ?", told)
        add_problem(self.filer.rows, Problem(path, patience.WHAT, hint=patience.HINT), unit.run_id, unit.root)

    def _new_series_id(self) -> int:
        shelf = self._open_shelf()
        shelf.next_series_id += 1
        return shelf.next_series_id - 1

    def _tasks(self, units: Sequence[UnitPlan], gatherer: Gatherer, plan: Plan) -> Iterator[Task]:
        for part in Slicer().slices(units):
            ids = {source_key(member): gatherer.id_of(member) for unit in part for member in unit.unit.members}
            shared = frozenset(key for key in ids if plan.is_shared(key))
            yield self._task(Part(part, ids, shared))

    def _surveyed(self, survey: Survey) -> Iterator[Task]:
        self.writer.new_source_id(survey.outline.n_sources)
        yield from map(self._task, survey.take_parts())

    def _task(self, part: Part | PackedPart) -> Task:
        return Task(part, self.writer.new_series_block(), self.shelf.folder, self.salt)

    def _is_stopped(self) -> bool:
        self.summary.was_cancelled = self.summary.was_cancelled or self.is_cancelled()
        return self.summary.was_cancelled

    def _open_shelf(self) -> Shelf:
        if not self.shelf.next_series_id:
            self.shelf.next_series_id = self.writer.new_series_block()
        return self.shelf

    def _report(self, n_total: int, gatherer: Gatherer) -> None:
        """Tell how far we are, and commit what is enough."""
        self.summary.n_points = gatherer.n_points
        self.progress(Progress("read", len(self.seen), n_total, self.summary.n_points))
        if self.shelf.n_points + self.n_appended_points >= SHELF_POINTS:
            self._store_shelf()
        is_enough = self.n_batch_series >= BATCH_SERIES or self.n_batch_params >= BATCH_PARAMS
        if is_enough or len(self.batch.run_ids) >= BATCH_RUNS or self._is_time():
            self._flush()
            is_amid = BATCH_RUNS <= len(self.seen) < n_total
            if is_amid:
                self._let_go()
            if self._is_time():
                self._publish(len(self.seen), n_total)
                if is_amid:
                    self._let_go()

    def _let_go(self) -> None:
        """Of what the last of many commits has left in memory, which others need, or what follows."""
        self.writer.shed()
        give_back_memory()

    def _is_time(self) -> bool:
        return time.monotonic() >= self.publish_at

    def _add(self, run: ReadRun, life: Life, plan: Plan) -> None:
        """Make the rows of a run that was read here."""
        self._drop_sources_gone_from(run.unit, plan)
        shared = {key for key in run.unit.stamps if plan.is_shared(key)}
        self.batch.source_ids |= {one.source_id for one in run.draft.sources if source_key(one.member) not in shared}
        self._note(self.filer.add(run, shared, life))

    def _note(self, run: FiledRun) -> None:
        """Take note of a run whose rows are made."""
        self.seen.add(run.run_id)
        self.batch.run_ids.add(run.run_id)
        if run.is_sweep:
            self.sweeps.add(run.run_id)
        if run.unit is None:
            return
        for problem in run.problems:
            if (problem.path, problem.what) not in self.told:
                self.told.add((problem.path, problem.what))
                add_problem(self.filer.rows, problem, run.run_id, run.unit.root)
        for source in run.shared:
            self.shared[source_key(source.member)] = (source, run.unit)

    def _drop_sources_gone_from(self, unit: UnitPlan, plan: Plan) -> None:
        """In the transaction that commits the run without them, so that they never count as known."""
        for key in plan.sources_of_run.get(unit.run_id, set()) - unit.stamps.keys():
            if plan.is_gone(key):
                self.batch.source_ids.add(plan.known[key].source_id)

    def _flush(self) -> None:
        self._store_shelf()
        self.batch.add_tables(self.filer.take().as_tables())
        self.writer.commit(self.batch)
        settle(self.writer, self.batch.grown_ids)
        self.batch, self.n_batch_series, self.n_batch_params = Batch(), 0, 0

    def _add_stored(self, stored: Stored) -> None:
        self.batch.stored.append(stored)
        self.n_batch_series += stored.series.num_rows

    def _store_shelf(self) -> None:
        for stored in self.shelf.store():
            self._add_stored(stored)
        appended, self.appended = store_appended(self.shelf.folder, self.appended), []
        self.n_appended_points = 0
        if appended is not None:
            self.batch.stored.append(appended)

    def _publish(self, n_done: int, n_total: int) -> None:
        began = time.monotonic()
        is_published = not self.writer.must_rebuild and self.writer.publish(is_last=False)
        cost_s = time.monotonic() - began
        self.publish_at = time.monotonic() + max(self.publish_every_s, PUBLISH_SHARE * cost_s)
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
            add_problem(self.filer.rows, problem, None, safe.path_of_text(root))
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
