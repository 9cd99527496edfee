"""From runs that were read to their rows: attribution of code and data, then Arrow tables, in the process that read."""

from __future__ import annotations

import json
import time
from collections.abc import Container, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from mlbench import safe
from mlbench.catalog.batch import Rows
from mlbench.dataclass import dataclass
from mlbench.ingest.code import Repositories, attribute_code
from mlbench.ingest.data import Stores, attribute_data
from mlbench.ingest.draft import Draft, Life, SourceReading, add_rows
from mlbench.ingest.features import FeatureStores, attribute_features
from mlbench.ingest.keep import to_json
from mlbench.ingest.lfs import LfsStore, attribute_lfs
from mlbench.ingest.plan import SourceKey, UnitPlan, source_key
from mlbench.model import DataVersion, Problem, ReadStatus, Role
from mlbench.wire import patience

if TYPE_CHECKING:
    from mlbench.ingest.shelf import Span

_ENDS = {
    ReadStatus.TRUNCATED: (
        "the file ends in the middle of a record",
        "normal while it is being written; else its end is lost",
    ),
    ReadStatus.EMPTY: ("the file is empty", "normal while a training starts; else its points are lost"),
}


@dataclass(frozen=True, slots=True)
class ReadRun:
    """A run whose points have been put away."""

    unit: UnitPlan
    draft: Draft
    span: Span
    fingerprint: str


@dataclass(frozen=True, slots=True)
class FiledRun:
    """What the committing process has to know of a run whose rows are made."""

    run_id: str
    is_sweep: bool
    """It only describes a sweep and is no run."""
    n_sources: int
    """Its own ones, whose rows are made too."""
    n_points: int
    """New points of those."""
    shared: tuple[SourceReading, ...]
    """Sources that tell of other runs too, without points; their rows are not made."""
    problems: tuple[Problem, ...] = ()
    """Of what lies beside the runs: tables and feature stores that cannot be read."""
    unit: UnitPlan | None = None
    """The run with the stamps of the shared sources, where there is something to be said of those or a problem."""


class Filer:
    """Makes the rows of runs. Repositories and stores that it meets are opened once, as long as it lives."""

    def __init__(self, versions: Mapping[str, int]) -> None:
        self._versions = versions
        self.rows = Rows()
        """Those made since they were last taken."""
        self.begin_anew()

    def begin_anew(self) -> None:
        """Forget the rows, and what was opened: a thread that hangs may have it in its hands."""
        self.rows = Rows()
        self._repositories = Repositories()
        self._stores = Stores()
        self._lfs = LfsStore()
        self._features = FeatureStores()

    def close(self) -> None:
        """Let go of the repositories."""
        self._repositories.close()

    def take(self) -> Rows:
        """The rows made so far; those to come begin anew."""
        rows, self.rows = self.rows, Rows()
        return rows

    def add(self, run: ReadRun, shared: Container[SourceKey], life: Life) -> FiledRun:
        """Make the rows of a run and of its sources; nothing is read.

        Args:
            run: its points have been put away.
            shared: sources that tell of other runs too, beside those that are inherited.
            life: what `attribute` gave.
        """
        patience.check()
        draft, unit = run.draft, run.unit
        is_sweep = draft.is_sweep_only
        if not is_sweep:
            add_rows(draft, self.rows, life)
        told_run = None if is_sweep else draft.run_id
        others: list[SourceReading] = []
        n_points = 0
        for source in draft.sources:
            for problem in _problems_of(source):
                add_problem(self.rows, problem, told_run, unit.root)
            key = source_key(source.member)
            if source.member.is_inherited or key in shared:
                others.append(replace(source, reading=source.reading.without_points()))
            else:
                n_points += source.reading.n_new_points
                self.add_source(source, unit, [] if is_sweep else [draft.run_id])
        n_own = len(draft.sources) - len(others)
        problems = self._take_problems()
        left = unit.bare({source_key(source.member) for source in others}) if others or problems else None
        return FiledRun(draft.run_id, is_sweep, n_own, n_points, tuple(others), problems, left)

    def attribute(self, run: ReadRun) -> Life:
        """Find out which code and data the run used, where no source recorded them."""
        folder, span = run.draft.unit.folder, run.span
        if not run.draft.is_sweep_only:
            try:
                patience.enter(folder)
                self._find_code_and_data(run.draft, span)
            except patience.UnansweredError:
                self._stores.problems[folder] = Problem(folder, patience.WHAT, hint=patience.HINT)
        newest = max((stamp.mtime_ns for stamp in run.unit.stamps.values()), default=-1)
        return Life(run.fingerprint, span.first_wall_s, span.last_wall_s, newest / 1e9 if newest >= 0 else None)

    def _find_code_and_data(self, draft: Draft, span: Span) -> None:
        draft.code = attribute_code(draft, self._repositories, span.first_wall_s)
        started = draft.recorded("started")
        begin_s = float(started) if isinstance(started, int | float) else span.first_wall_s
        draft.data = attribute_data(draft, self._stores, begin_s)
        recorded = [fact.name for _member, _path, fact in draft.of_kind(DataVersion)]
        known = [*recorded, *(version.name for version in draft.data)]
        draft.data += attribute_lfs(draft, self._repositories, self._lfs, known)
        draft.data += attribute_features(draft, self._features, begin_s, known)

    def _take_problems(self) -> tuple[Problem, ...]:
        found: list[Problem] = []
        for problems in (self._stores.problems, self._features.problems):
            found += problems.values()
            problems.clear()
        return tuple(found)

    def add_source(self, source: SourceReading, unit: UnitPlan, run_ids: list[str]) -> None:
        """Make the row of a source that tells of these runs."""
        key = source_key(source.member)
        claim, reading = source.member.claimed.claim, source.reading
        stamp = unit.stamps[key]
        path = key[1]
        self.rows.add(
            "source", source_id=source.source_id, run_ids=run_ids,
            adapter=key[0], adapter_version=self._versions[key[0]], path=path,
            path_bytes=None if path == claim.place else claim.place.encode("utf-8", "surrogateescape"),
            root=safe.text_of_path(unit.root), role=claim.role.value, size_bytes=stamp.size_bytes,
            mtime_ns=stamp.mtime_ns, inode=stamp.inode, stamp=stamp.text,
            cursor=json.dumps(dict(reading.cursor.state)), status=reading.cursor.status.value,
            n_records=reading.cursor.n_records, n_bad=reading.cursor.n_bad, read_s=time.time(),
            facts=to_json(reading.small),
        )  # fmt: skip


def add_problem(rows: Rows, problem: Problem, run_id: str | None, root: str) -> None:
    """Make the row of a problem; `run_id` is None where it is no run's."""
    rows.add(
        "problem", run_id=run_id, source_path=safe.text_of_path(problem.path), place=problem.place,
        what=problem.what, hint=problem.hint, root=safe.text_of_path(root), since_s=time.time(),
    )  # fmt: skip


def _problems_of(source: SourceReading) -> list[Problem]:
    """What the adapter could not read, and where the file just ends."""
    small = source.reading.small
    problems = [fact for fact in small if isinstance(fact, Problem)] if Problem in map(type, small) else []
    claim = source.member.claimed.claim
    if claim.role is Role.EVENTS and source.reading.cursor.status in _ENDS:
        what, hint = _ENDS[source.reading.cursor.status]
        problems.append(Problem(claim.path, what, hint=hint))
    return problems
