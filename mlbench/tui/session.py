"""What the workbench asks, and what it says: the one door between the screen and the rest."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import field
from typing import TYPE_CHECKING, Protocol, TypeAlias

from mlbench.dataclass import dataclass

if TYPE_CHECKING:
    from mlbench.queries.answers import (
        DiffAnswer,
        GroupRow,
        Listing,
        ProblemLine,
        RunHead,
        RunRow,
        RunsAnswer,
        SeriesAnswer,
        ShowAnswer,
    )
    from mlbench.queries.blobs import BlobPlace
    from mlbench.queries.layouts import LayoutsAnswer
    from mlbench.queries.members import Members
    from mlbench.queries.settings_versus import SettingsVersus
    from mlbench.queries.standing import Standings
    from mlbench.queries.views import SavedView
    from mlbench.safe import Safe
    from mlbench.tui.logged import LoggedFound

Sketches: TypeAlias = "Mapping[str, tuple[float, ...]]"
"""Run id to at most 64 values that draw the curve."""
PIECE_ROWS = 128
"""Rows of a long table that are fetched at once: about three pages of a tall screen, and two milliseconds of Python."""


@dataclass(frozen=True, slots=True)
class RunsQuestion:
    """Which runs, and what of them."""

    query: str = ""
    sort: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()
    """() for the usual ones."""
    by: tuple[str, ...] = ()
    """Columns to group by."""
    near: str = field(default="", compare=False)
    """Run id: the rows around it are fetched with the answer."""


@dataclass(frozen=True, slots=True)
class RunsFound:
    """The answer to a RunsQuestion."""

    question: RunsQuestion
    answer: RunsAnswer
    """With the rows from `first` on; of a short table with all of them."""
    columns: tuple[str, ...]
    """Specifications of the columns, the usual ones spelt out."""
    listing: Listing
    """All runs, in order."""
    first: int = 0
    """Place of the first row of the answer."""
    best: tuple[float | None, ...] = ()
    """For each column the best number of all runs, None where none is best; () where the rows tell."""
    folders: str = ""
    """The folders that all names begin with, with a slash at the end."""
    curve: str = ""
    """Column specification of the metric whose curve is drawn, '' for none."""
    baseline: RunHead | None = None
    """The run that the user made the baseline, whether or not it is shown."""
    is_fresh: bool = True
    """False before anything was ever ingested."""


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """Names that can be typed."""

    params: tuple[str, ...] = ()
    metrics: tuple[str, ...] = ()
    """Those that matter most first."""
    tags: tuple[str, ...] = ()
    """The user's own first."""
    statuses: tuple[str, ...] = ()
    fields: tuple[str, ...] = ()
    values: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Values by parameter, or by another name as a filter has it (`tags.team`, `git.branch`, `user`), the most frequent
    first; a few of each."""


@dataclass(frozen=True, slots=True)
class Facet:
    """The values of one column, those that most runs have first."""

    spec: str
    groups: tuple[GroupRow, ...]
    """For each value its runs, and one cell: the metric that matters most."""
    metric: str = ""
    n_values: int = 0
    """Of which the first ones are told."""


SavedViews: TypeAlias = "Mapping[str, SavedView]"
"""By name."""


@dataclass(frozen=True, slots=True)
class IndexProgress:
    """How far the reading of the logs is."""

    stage: str
    """scan, read or done."""
    n_done: int = 0
    n_total: int = 0
    is_published: bool = False
    """New runs can be asked for."""


@dataclass(frozen=True, slots=True)
class IndexDone:
    """What the reading of the logs came to."""

    n_runs: int
    n_read: int
    n_problems: int
    errors: tuple[str, ...] = ()
    talk: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Followed:
    """What a look for news came to."""

    has_changed: bool
    """There are new points, or other runs."""
    wait_s: float
    """Until the next look."""


@dataclass(frozen=True, slots=True)
class ReportQuestion:
    """A report to be written."""

    path: str
    run_ids: tuple[str, ...]
    """In order, the baseline first."""
    metrics: tuple[str, ...]
    query: str = ""
    columns: tuple[str, ...] = ()
    smoothing: float = 0.0
    smoothing_kind: str = "ema"
    y_scale: str = "linear"
    """Of the charts: `linear`, `log` or `symlog`."""
    may_replace: bool = False


@dataclass(frozen=True, slots=True)
class ChartLabels:
    """What the runs of a chart may be called, by run id."""

    settings: Mapping[str, Safe] = field(default_factory=dict)
    """The parameters that tell its setting from the others: runs that repeat each other have the same text."""
    runs: Mapping[str, Safe] = field(default_factory=dict)
    """The parameters that tell each run from each other one; {} where parameters do not."""

    def telling(self, series: Sequence[SeriesAnswer]) -> Mapping[str, Safe]:
        """`runs`, where these are the runs of the series: what tells others apart says nothing here."""
        return self.runs if self.runs.keys() == {one.head.run_id for one in series} else {}


class Details(Protocol):
    """Answers about what stands behind the facts of one run."""

    def curve(self, run_id: str, metric: str) -> SeriesAnswer | None:
        """The points of one metric."""

    def places(self, run_id: str, kind: str, metric: str) -> tuple[BlobPlace, ...]:
        """Where each step of something that was logged lies, in the order of steps."""

    def pictures(self, run_ids: Sequence[str]) -> tuple[BlobPlace, ...]:
        """Where the images of some runs lie: run by run, by name, in the order of the log."""

    def logged(self, run_ids: Sequence[str], kind: str, metric: str) -> LoggedFound:
        """What some runs logged of a kind (confusion or histogram) under a name, or that which most of them have."""

    def content(self, place: BlobPlace) -> object:
        """What lies at a place: pixels, a histogram, a PR curve, rows of text; a ProblemLine if it is not read."""

    def rerun(self, run_id: str) -> str:
        """Shell lines that repeat a run as far as it was recorded: the checkout, then the command."""

    def patch(self, run_id: str) -> tuple[str, str] | None:
        """Path and text of the changes that were not committed."""

    def standings(self, metric: str, watched: Sequence[str]) -> Standings:
        """How the running runs stand, and those that are watched; see `queries.standing`."""

    def front(self, query: str, aims: Sequence[str]) -> RunsAnswer:
        """The runs that match and that no other of them beats in all aims; its last remark says how many."""

    def verdict(self, run_ids: Sequence[str]) -> SettingsVersus:
        """The settings of the runs against that of the first, with the runs that repeat them."""

    def members(self, group: GroupRow) -> Members:
        """What the runs of a group came to, also where they came to the same."""

    def layouts(self, run_ids: Sequence[str], name: str) -> LayoutsAnswer:
        """The charts of this name (a title, a category or both; globs) that the logs of the runs lay out."""

    def write(self, place: BlobPlace, path: str, *, may_replace: bool) -> str:
        """Write the bytes of a place to a file, and give its path."""


class Drafts(Protocol):
    """Keeps notes that are being written."""

    def path(self, runs: Sequence[RunHead]) -> str:
        """The file of the draft on these runs; an editor may write it."""

    def read(self, runs: Sequence[RunHead]) -> str:
        """The draft, '' without one."""

    def save(self, runs: Sequence[RunHead], text: str) -> None:
        """Put the text on the disk."""

    def remove(self, runs: Sequence[RunHead]) -> None:
        """It was said, or is not wanted."""


class Session(Protocol):
    """Answers questions. Every method may be called in any thread, and raises MlbenchError for what cannot be done.

    Questions of the table and questions of details may come at the same time; two of one kind never do.
    """

    @property
    def scope(self) -> str:
        """What is looked at, in a word or two, for the header."""

    @property
    def is_ahead(self) -> bool:
        """Whether the first question needs nothing heavy in this process, and may be asked before the first paint."""

    def known(self, question: RunsQuestion) -> RunsFound | None:
        """The answer to the first question, if it is at hand and costs nothing; perhaps as the clock has it no more."""

    @property
    def drafts(self) -> Drafts:
        """Notes that are being written."""

    @property
    def details(self) -> Details:
        """Asks what stands behind the facts of one run."""

    def index(self, tell: Callable[[IndexProgress], None], is_cancelled: Callable[[], bool]) -> IndexDone:
        """Read what is new in the logs."""

    def follow(self, is_cancelled: Callable[[], bool]) -> Followed | None:
        """Look once for what has come since the logs were read; None where there is nothing to follow."""

    def find(self, question: RunsQuestion) -> RunsFound:
        """The runs that match. Raises FilterError with the place of the mistake."""

    def rows(self, found: RunsFound, first: int, n_rows: int) -> tuple[RunRow | None, ...]:
        """More rows of an answer; None for a run that has gone meanwhile."""

    def sketches(self, found: RunsFound, first: int, n_rows: int) -> Sketches:
        """The curves of these rows, of the metric `found.curve`."""

    def facet(self, question: RunsQuestion, spec: str) -> Facet:
        """The values of a column among the runs of a question."""

    def views(self) -> SavedViews:
        """The saved views."""

    def save_view(self, name: str, view: SavedView) -> None:
        """Save a view under a name."""

    def load_state(self) -> str:
        """What `save_state` kept for these roots, '' at the first time."""

    def save_state(self, text: str) -> None:
        """Keep a text until the next start; that it cannot be kept is no error."""

    def heads(self, run_ids: Sequence[str]) -> tuple[RunHead, ...]:
        """What is known of runs that were not seen yet, those left out that have gone."""

    def vocabulary(self) -> Vocabulary:
        """Names for completion."""

    def compare(self, run_ids: Sequence[str], *, everything: bool, at: str = "") -> DiffAnswer:
        """Runs side by side, the first as the baseline; each metric also where `at` is best, if that is known."""

    def series(
        self, run_ids: Sequence[str], metrics: Sequence[str], usual: Sequence[str], *, over: str = "",
        has_times: bool = True,
    ) -> tuple[SeriesAnswer, ...]:  # fmt: skip
        """The points of the metrics in the runs; without metrics those of the first usual one that a run has, else of
        the metric that matters most in these runs. `over` is the metric on the x axis, where one was chosen;
        without `has_times` they have no wall times.
        """

    def labels_of(self, run_ids: Sequence[str]) -> ChartLabels:
        """What the runs of a chart may be called in place of their names."""

    def show(self, run_id: str) -> ShowAnswer:
        """All that is known of a run."""

    def problems(self) -> tuple[ProblemLine, ...]:
        """What could not be read."""

    def tag(self, runs: Sequence[RunHead], add: Sequence[str], remove: Sequence[str]) -> None:
        """Add and remove tags."""

    def note(self, runs: Sequence[RunHead], body: str) -> None:
        """Write a note in place of the runs' own; '' takes it away."""

    def note_of(self, run: RunHead) -> str:
        """The user's note on a run, '' without one."""

    def set_baseline(self, run: RunHead | None) -> None:
        """Make a run the baseline; None: no run."""

    def archive(self, runs: Sequence[RunHead], *, is_archived: bool) -> None:
        """Archive runs, or take them back."""

    def set_primary(self, metric: str) -> None:
        """Make a metric the primary one."""

    def undo(self) -> str | None:
        """Take back the last word; says which, None if there is none."""

    def redo(self) -> str | None:
        """Say again what was taken back last."""

    def write_report(self, question: ReportQuestion) -> str:
        """Write a report and say which files were written."""

    def command(self, question: RunsQuestion) -> str:
        """The `mlbench query` command that gives what a question gives."""

    def markdown(self, run_ids: Sequence[str], columns: Sequence[str]) -> str:
        """The runs as a Markdown table."""
