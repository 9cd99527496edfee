"""The session on a real home: the queries over the newest snapshot, the journal, and the reading of logs."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from mlbench.errors import UsageError
from mlbench.paths import Home
from mlbench.safe import safe, text_of_path
from mlbench.tui.catalog_table import CatalogTable
from mlbench.tui.clipboard import shell_line
from mlbench.tui.details import RunDetails
from mlbench.tui.drafts import Drafts
from mlbench.tui.first_answer import FirstAnswer, Known, stamp_of
from mlbench.tui.keeping import Kept, from_text
from mlbench.tui.lanes import Lane, Rest
from mlbench.tui.session import (
    ChartLabels,
    Facet,
    Followed,
    IndexDone,
    IndexProgress,
    ReportQuestion,
    RunsFound,
    RunsQuestion,
    SavedViews,
    Sketches,
    Vocabulary,
)

if TYPE_CHECKING:
    from mlbench.ingest.progress import Progress
    from mlbench.journal import Journal, RunRef
    from mlbench.queries.answers import (
        DiffAnswer,
        ProblemLine,
        RunHead,
        RunRow,
        RunsAnswer,
        SeriesAnswer,
        ShowAnswer,
    )
    from mlbench.queries.report_answer import ReportAnswer
    from mlbench.queries.views import SavedView
    from mlbench.tui.ahead import Ahead
    from mlbench.watch import Pace, Watcher

BUSY = "busy"
"""The stamp of a catalog that another process writes: any other is news."""


class CatalogSession:
    """A `Session` on a home and the roots that were named."""

    def __init__(self, home: Home, roots: Sequence[str], *, ahead: Ahead | Known | None = None) -> None:
        self._ahead = ahead
        self.home = home
        self.roots = tuple(os.path.realpath(os.path.expanduser(root)) for root in roots)
        rest = Rest()
        self._table, self._detail = Lane(home, rest), Lane(home, rest)
        self.details = RunDetails(self._detail.reading, self.roots)
        self.drafts = Drafts(home)
        self._runs = CatalogTable(self.roots)
        self._kept = Kept(home.cache, self.roots)
        self._first = FirstAnswer(home, self._kept.digest)
        self._found: tuple[RunsFound, object] | None = None
        """The last answer of the table, and the stamp that it was asked at."""
        self._words: Journal | None = None
        self._watcher: Watcher | None = None
        """Of the roots, once they were read."""
        self._pace: Pace | None = None
        self._catalog = ""
        """The stamp of the catalog that was seen last."""

    @property
    def is_ahead(self) -> bool:
        """Whether a child process reads the first answer."""
        return self._ahead is not None

    @property
    def scope(self) -> str:
        """The names of the roots."""
        names = [os.path.basename(root) or root for root in self.roots]
        return text_of_path(", ".join(names[:2]) + (f" +{len(names) - 2}" if len(names) > 2 else "")) or "all runs"

    def close(self) -> None:
        """Let go of the catalog and of the journal."""
        if self._ahead is not None:
            self._ahead.leave()
        self._table.close()
        self._detail.close()
        if self._words is not None:
            self._words.close()

    # ------------------------------------------------------------ reading logs

    def index(self, tell: Callable[[IndexProgress], None], is_cancelled: Callable[[], bool]) -> IndexDone:
        """Read what is new below the roots."""
        from mlbench.catalog.lock import WriterBusyError
        from mlbench.watch import Pace, Watcher

        def progress(step: Progress) -> None:
            tell(IndexProgress(step.stage, step.n_done, step.n_total, step.is_published))

        if not self.roots:
            return IndexDone(0, 0, 0)
        self._watcher, self._pace = None, Pace()
        watcher = Watcher(self.home, self.roots, progress=progress, is_cancelled=is_cancelled, is_shown=True)
        try:
            done = watcher.look()
        except WriterBusyError:
            # Another process reads them: what it writes is followed, and what is left is read when it is done.
            self._watcher, self._catalog = watcher, BUSY
            raise
        self._watcher = watcher
        if done is None:
            return IndexDone(0, 0, 0)
        return IndexDone(done.n_runs, done.n_read, done.n_problems, tuple(done.errors), tuple(done.talk))

    def follow(self, is_cancelled: Callable[[], bool]) -> Followed | None:
        """Look at the roots; a catalog that another process writes is looked at by that one."""
        from mlbench.errors import HomeError, SourceError
        from mlbench.watch import catalog_stamp

        if self._watcher is None or self._pace is None:
            return None
        began = time.monotonic()
        try:
            changed = None if is_cancelled() else self._watcher.look()
        except (HomeError, SourceError):
            changed = None  # busy, full, or a mount that went away: the next look may find it otherwise
        before, self._catalog = self._catalog, catalog_stamp(self.home)
        is_new = changed is not None and bool(changed.n_changed or changed.n_missing)
        has_changed = is_new or before not in ("", self._catalog)
        looking_s = time.monotonic() - began
        return Followed(has_changed, self._pace.wait_s(has_changed=has_changed, looking_s=looking_s))

    # ------------------------------------------------------------ questions of the table

    def find(self, question: RunsQuestion) -> RunsFound:
        """The runs that match, with the usual columns where none were chosen."""
        ahead, self._ahead = self._ahead, None
        stamp = stamp_of(self.home)
        found = ahead.take(question, stamp) if ahead is not None else None
        if found is None:
            with self._table.reading() as reader:
                found = self._runs.find(reader, question)
        self._found = (found, stamp)
        return found

    def known(self, question: RunsQuestion) -> RunsFound | None:
        """The answer that the last session kept, if it is still the one to this question."""
        return self.find(question) if isinstance(self._ahead, Known) else None

    def first_answer(self) -> Known | None:
        """The kept answer to what the workbench will ask first."""
        from mlbench.tui.view import View

        view = from_text(self.load_state(), View())
        return self._first.load(replace(view.question, near=view.cursor))

    def rows(self, found: RunsFound, first: int, n_rows: int) -> tuple[RunRow | None, ...]:
        """More rows of an answer."""
        with self._table.reading() as reader:
            return self._runs.rows(reader, found, first, n_rows)

    def sketches(self, found: RunsFound, first: int, n_rows: int) -> Sketches:
        """The curves of these rows."""
        with self._table.reading() as reader:
            return self._runs.sketches(reader, found, first, n_rows)

    def facet(self, question: RunsQuestion, spec: str) -> Facet:
        """The values of a column."""
        with self._table.reading() as reader:
            return self._runs.facet(reader, question, spec)

    def views(self) -> SavedViews:
        """The saved views."""
        with self._table.reading() as reader:
            return self._runs.views(reader)

    def load_state(self) -> str:
        """From the cache: it says how things looked, and nothing is lost without it."""
        return self._kept.load()

    def save_state(self, text: str) -> None:
        """Replace what was kept."""
        self._kept.save(text)
        if self._found is not None:
            self._first.save(*self._found)

    def heads(self, run_ids: Sequence[str]) -> tuple[RunHead, ...]:
        """What is known of these runs."""
        with self._table.reading() as reader:
            return self._runs.heads(reader, run_ids)

    def vocabulary(self) -> Vocabulary:
        """All names that the runs below the roots have; read beside the table, which need not wait."""
        with self._detail.reading() as reader:
            return self._runs.vocabulary(reader)

    def command(self, question: RunsQuestion) -> str:
        """As a shell would take it; also the columns that nobody chose are named."""
        words = ["mlbench", "query"]
        if question.query:
            words += ["--where", question.query] if question.query.startswith("-") else [question.query]
        words += [word for spec in question.columns for word in ("--columns", spec)]
        words += [word for spec in question.sort for word in ("--sort", spec)]
        words += [word for spec in question.by for word in ("--group-by", spec)]
        words += [word for root in self.roots for word in ("--in", root)]
        return shell_line(words)

    def note_of(self, run: RunHead) -> str:
        """The newest edit of the user's own notes."""
        from mlbench import journal
        from mlbench.catalog.reader import moved_keys

        notes = journal.replay(self.home, moved_keys(self.home)).notes.get(run.key, ())
        return notes[-1].body if notes else ""

    # ------------------------------------------------------------ questions of details

    def compare(self, run_ids: Sequence[str], *, everything: bool, at: str = "") -> DiffAnswer:
        """Runs side by side, the first as the baseline."""
        from mlbench.queries.side_by_side import compare_whole

        with self._detail.reading() as reader:
            return compare_whole(reader, run_ids, everything=everything, at=at)

    def series(
        self, run_ids: Sequence[str], metrics: Sequence[str], usual: Sequence[str], *, over: str = "",
        has_times: bool = True,
    ) -> tuple[SeriesAnswer, ...]:  # fmt: skip
        """The points of the metrics that one of the runs has."""
        from mlbench.tui.charted import charted_series

        with self._detail.reading() as reader:
            return charted_series(reader, run_ids, metrics, usual, over, has_times=has_times)

    def labels_of(self, run_ids: Sequence[str]) -> ChartLabels:
        """By the rules of `queries.folding`."""
        from mlbench.tui.charted import labels_of

        with self._detail.reading() as reader:
            return labels_of(reader, run_ids)

    def show(self, run_id: str) -> ShowAnswer:
        """All that is known of a run."""
        from mlbench.queries.origins import with_sayings
        from mlbench.queries.show import describe_run

        with self._detail.reading() as reader:
            return with_sayings(describe_run(reader, run_id), self.home, reader.moved)

    def problems(self) -> tuple[ProblemLine, ...]:
        """What could not be read below the roots."""
        from mlbench.queries.show import list_problems

        with self._detail.reading() as reader:
            return list_problems(reader, within=self.roots)

    def markdown(self, run_ids: Sequence[str], columns: Sequence[str]) -> str:
        """The runs in this order."""
        from mlbench.render.records import to_markdown
        from mlbench.render.runs import runs_records

        with self._detail.reading() as reader:
            from mlbench.queries.runs import find_runs

            answer = find_runs(reader, where="run.archived in (true, false)", columns=columns or None)
        return to_markdown(runs_records(_only(answer, run_ids)))

    def write_report(self, question: ReportQuestion) -> str:
        """Write the report and its charts; an old one is replaced only where the user said so."""
        from mlbench.queries.report import gather_report
        from mlbench.render.export import write_file
        from mlbench.render.report import draw_report

        path = os.path.abspath(os.path.expanduser(question.path))
        stem = os.path.splitext(os.path.basename(path))[0]
        with self._detail.reading() as reader:
            answer: ReportAnswer = gather_report(
                reader,
                where="run.archived in (true, false)",
                runs=question.run_ids,
                columns=question.columns,
                metrics=question.metrics,
                baseline=question.run_ids[0],
            )
        files = draw_report(answer, stem=stem, smoothing=question.smoothing, smoothing_kind=question.smoothing_kind,
                            y_scale=question.y_scale)  # fmt: skip
        write_file(path, files.markdown, is_new=not question.may_replace)
        for name, svg in files.files.items():
            write_file(os.path.join(os.path.dirname(path), name), svg)
        n = len(files.files)
        charts = f" and {n} chart{'' if n == 1 else 's'} beside it" if n else ""
        return safe(f"{text_of_path(path)}{charts} written")

    # ------------------------------------------------------------ words

    def _journal(self) -> Journal:
        from mlbench.journal import open_journal

        if self._words is None:
            self._words = open_journal(self.home)
        return self._words

    def tag(self, runs: Sequence[RunHead], add: Sequence[str], remove: Sequence[str]) -> None:
        """One line of the journal for all runs."""
        self._journal().tag(_refs(runs), add, remove)

    def note(self, runs: Sequence[RunHead], body: str) -> None:
        """In place of the notes that the runs have."""
        from mlbench.catalog.reader import moved_keys

        self._journal().note(_refs(runs), body, place=moved_keys(self.home))

    def set_baseline(self, run: RunHead | None) -> None:
        """Everywhere: the workbench has one baseline."""
        self._journal().baseline(_refs([run])[0] if run else None)

    def archive(self, runs: Sequence[RunHead], *, is_archived: bool) -> None:
        """Archived runs are shown only by a filter that asks for them."""
        self._journal().archive(_refs(runs), is_archived)

    def set_primary(self, metric: str) -> None:
        """Everywhere."""
        self._journal().primary(metric)

    def save_view(self, name: str, view: SavedView) -> None:
        """As `mlbench views save` does."""
        self._journal().view(name, view.to_text())

    def undo(self) -> str | None:
        """Take back this user's last word."""
        from mlbench.journal import describe

        entry = self._journal().undo()
        return None if entry is None else describe(entry)

    def redo(self) -> str | None:
        """Say again what was taken back last."""
        from mlbench.journal import describe

        entry = self._journal().redo()
        return None if entry is None else describe(entry)


def _refs(runs: Sequence[RunHead]) -> list[RunRef]:
    from mlbench.journal import RunRef

    if not runs:
        raise UsageError("no run is chosen. Put the cursor on one, or mark some")
    return [RunRef(run.key, run.fingerprint) for run in runs]


def _only(answer: RunsAnswer, run_ids: Sequence[str]) -> RunsAnswer:
    from dataclasses import replace

    rows = {row.head.run_id: row for row in answer.rows}
    return replace(answer, rows=tuple(rows[run_id] for run_id in run_ids if run_id in rows))
