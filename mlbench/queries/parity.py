"""The points that one of TensorBoard's own readers shows of runs, as a table like the other exports of series.

The catalog says which folders hold the runs' event files; the files themselves are read again, since the catalog keeps
what mlbench finds in them and the readers lose some of it and misread other parts (decision 0010).
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from mlbench.dataclass import dataclass
from mlbench.errors import SourceError, UsageError
from mlbench.queries.answers import ProblemLine
from mlbench.queries.mistakes import shown
from mlbench.queries.reading import Reader
from mlbench.queries.series import below_root, points_table
from mlbench.queries.suggest import did_you_mean
from mlbench.safe import path_of_text, text_of_path
from mlbench.wire.parity.shown import PARITY_VIEWS, SEQ_BITS, Shown, ShownSeries, read_folder

if TYPE_CHECKING:
    import pyarrow as pa

    from mlbench.model import Float64Array, Int64Array

ADAPTER = "tensorboard"
_NUMBERS = {"step": "int64", "wall_time": "float64", "value": "float64", "seq": "int64"}
_PLACE = (1 << SEQ_BITS) - 1
_SOURCES = """SELECT r.run_id, r.root, r.run_key, s.adapter, s.path FROM run r
JOIN source s ON list_contains(s.run_ids, r.run_id)
WHERE r.run_id IN (SELECT unnest(CAST(? AS VARCHAR[]))) ORDER BY s.source_id"""
_NAMES = """SELECT run_id, source_run, source_metric, metric, adapter FROM series
WHERE run_id IN (SELECT unnest(CAST(? AS VARCHAR[])))"""


@dataclass(frozen=True, slots=True)
class ParityAnswer:
    """What a reader shows of runs."""

    table: pa.Table
    """As `series.export_series` gives it: run by run, in each by metric and source, in the order of the log."""
    problems: tuple[ProblemLine, ...]
    """Event files that are gone, and where the reader gives up a file or a folder."""
    n_other_series: int
    """Series of these runs that come from no event file and so are not in the table."""


@dataclass(frozen=True, slots=True)
class _RunFiles:
    """One run and all its sources, by path."""

    run_id: str
    root: str | None
    key: str
    sources: tuple[tuple[str, str], ...]
    """Path and adapter, in the order that gives the ranks of the raw view."""

    @property
    def event_files(self) -> list[str]:
        return [path for path, adapter in self.sources if adapter == ADAPTER]


def read_parity(reader: Reader, run_ids: Sequence[str], *, view: str) -> ParityAnswer:
    """Read the event files of the runs again, as the reader of that view does.

    Args:
        reader: the catalog.
        run_ids: the runs; those without event files have no rows.
        view: one of PARITY_VIEWS.

    Raises:
        SourceError: the runs had event files, and none of them is there any more.
        UsageError: there is no such view.
    """
    if view not in PARITY_VIEWS:
        known = ", ".join(PARITY_VIEWS)
        raise UsageError(f"there is no view {shown(view)}.{did_you_mean(view, PARITY_VIEWS)} Try one of: {known}")
    runs = _run_files(reader, run_ids)
    problems = _gone(runs)
    names = _Names(reader, run_ids)
    gathered = _Gathered()
    for run in runs:
        for folder in sorted({os.path.dirname(path) for path in run.event_files}):
            found = read_folder(view, folder)
            problems += [ProblemLine(one.path, one.place, one.what, one.hint, run.run_id) for one in found.problems]
            gathered.add(run, folder, found, names)
        gathered.end_run()
    return ParityAnswer(gathered.table(), tuple(problems), names.n_other_series)


def _run_files(reader: Reader, run_ids: Sequence[str]) -> list[_RunFiles]:
    rows: dict[str, list[tuple[Any, ...]]] = {}
    for run_id, *rest in reader.rows(_SOURCES, [list(run_ids)]):
        rows.setdefault(run_id, []).append(tuple(rest))
    runs = []
    for run_id in dict.fromkeys(run_ids):
        listed = rows.get(run_id, [])
        if listed:
            sources = sorted(((path_of_text(path), adapter) for *_run, adapter, path in listed), key=lambda one: one[0])
            runs.append(_RunFiles(run_id, listed[0][0], listed[0][1], tuple(sources)))
    return runs


def _gone(runs: Sequence[_RunFiles]) -> list[ProblemLine]:
    files = [(path, run.run_id) for run in runs for path in run.event_files]
    gone = [(path, run_id) for path, run_id in files if not os.path.exists(path)]
    if files and len(gone) == len(files):
        raise SourceError(
            f"{gone[0][0]}: the event files of these runs are gone, and the views of TensorBoard's readers read them "
            "again. Try: --view raw, which the catalog still holds"
        )
    what = "The file is gone since it was read: its points are not shown"
    return [ProblemLine(path, "", what, "Try: --view raw, which the catalog still holds", run) for path, run in gone]


class _Names:
    """What mlbench calls the tags of the runs' event files."""

    def __init__(self, reader: Reader, run_ids: Sequence[str]) -> None:
        self._metrics: dict[tuple[str, str, str], str] = {}
        self._prefixes: dict[tuple[str, str], str] = {}
        self.n_other_series = 0
        """Series that come from no event file."""
        for run_id, source_run, tag, metric, adapter in reader.rows(_NAMES, [list(run_ids)]):
            if adapter != ADAPTER:
                self.n_other_series += 1
                continue
            self._metrics[run_id, source_run, tag] = metric
            if metric != tag and metric.endswith(f"/{tag}"):
                self._prefixes[run_id, source_run] = metric.removesuffix(tag)

    def metric(self, run_id: str, source_run: str, tag: str) -> str:
        """The metric's name; for a tag that only the reader sees, made like those of the same folder."""
        known = self._metrics.get((run_id, source_run, tag))
        return self._prefixes.get((run_id, source_run), "") + tag if known is None else known


class _Gathered:
    """The series of all folders on their way into one table."""

    def __init__(self) -> None:
        self._spelled: list[tuple[str | None, str, str, str, str]] = []
        self._columns: list[tuple[Int64Array, Float64Array, Float64Array, Int64Array]] = []
        self._of_run: list[tuple[tuple[str | None, str, str, str, str], ShownSeries, Int64Array]] = []

    def add(self, run: _RunFiles, folder: str, found: Shown, names: _Names) -> None:
        root = run.root if run.root is not None else run.key
        source_run = text_of_path(os.path.relpath(folder, path_of_text(root)))
        ranks = _ranks(run, found.files)
        for series in found.series:
            metric = names.metric(run.run_id, source_run, series.tag)
            spelled = (run.root, below_root(run.key, run.root), metric, source_run, series.tag)
            self._of_run.append((spelled, series, ranks))

    def end_run(self) -> None:
        """Sort what one run has, by metric and source."""
        for spelled, series, ranks in sorted(self._of_run, key=lambda one: one[0][2:]):
            seq = ranks[series.seq >> SEQ_BITS] << SEQ_BITS | series.seq & _PLACE
            self._spelled.append(spelled)
            self._columns.append((series.steps, series.wall_s, series.values, seq))
        self._of_run.clear()

    def table(self) -> pa.Table:
        import numpy as np

        sizes = np.array([len(steps) for steps, *_rest in self._columns], dtype=np.int64)
        numbers = {
            title: np.concatenate([np.empty(0, kind), *(columns[place] for columns in self._columns)])
            for place, (title, kind) in enumerate(_NUMBERS.items())
        }
        return points_table(self._spelled, np.repeat(np.arange(len(sizes)), sizes), numbers)


def _ranks(run: _RunFiles, files: Sequence[str]) -> Int64Array:
    """The place of each file among the run's sources, as in the raw view; files unknown to the catalog come last."""
    import numpy as np

    known = {path: rank for rank, (path, adapter) in enumerate(run.sources) if adapter == ADAPTER}
    return np.array([known.get(path, len(run.sources) + place) for place, path in enumerate(files)], dtype=np.int64)
