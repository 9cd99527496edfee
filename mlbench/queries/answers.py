"""Answers: what the queries return and what the renderers draw. Plain and frozen; text is still as the logs have it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, TypeAlias

from mlbench.dataclass import dataclass

if TYPE_CHECKING:
    from mlbench.model import Float64Array, Int64Array
    from mlbench.queries.branches import Branches
    from mlbench.queries.code import CodeChange
    from mlbench.queries.costs import CostRow
    from mlbench.queries.data_changes import DataChange
    from mlbench.queries.lineage import LineageAnswer
    from mlbench.queries.notebooks import NotebookChange

Value: TypeAlias = "bool | int | float | str | datetime | tuple[str, ...] | None"
"""A cell's value. Datetimes are UTC and naive; a tuple is a list of tags."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table of runs."""

    spec: str
    """The column specification, as `--columns` takes it: `params.lr`, `min(metrics.val/loss)`."""
    title: str
    """The alias, else the specification without its leading `params.` or `metrics.`."""
    kind: str
    """field, param, metric or tag."""
    goal: str = ""
    """`min` or `max` for metrics whose goal is known or guessed."""
    alias: str = ""
    """The name given with `as`, '' without one."""

    @property
    def key(self) -> str:
        """What the column is called in JSON and other records: the alias, else the specification."""
        return self.alias or self.spec


@dataclass(frozen=True, slots=True)
class RunHead:
    """What every pane needs of a run."""

    run_id: str
    key: str
    fingerprint: str
    name: str
    path: str
    status: str
    is_baseline: bool = False
    is_archived: bool = False
    tags: tuple[str, ...] = ()
    """The user's tags, sorted."""
    has_note: bool = False
    status_how: str = ""
    """`recorded` by the source, or worked out from the `last point`; '' where nobody asked."""
    since: datetime | None = None
    """When it ended; of a run that is running or stalled its last sign of life. UTC, naive."""


@dataclass(frozen=True, slots=True)
class RunRow:
    head: RunHead
    values: tuple[Value, ...]
    """One for each column of the answer."""


@dataclass(frozen=True, slots=True)
class RunsAnswer:
    columns: tuple[Column, ...]
    rows: tuple[RunRow, ...]
    n_matched: int
    """Runs that match, before `limit`."""
    n_runs: int
    """Runs in the scope, before the filter."""
    remarks: tuple[str, ...] = ()
    """How bare names were understood: `lr is params.lr`."""


@dataclass(frozen=True, slots=True)
class GroupCell:
    """What the runs of a group have in one column."""

    value: Value
    """The mean of the finite numbers; of parameters and texts what all runs share, None where they differ."""
    half: float | None = None
    """Half of the 95 % interval of the mean; None for texts and for fewer than two numbers."""
    n: int = 0
    """Runs that have a value; of numbers a finite one."""
    n_values: int = 0
    """Different values."""
    is_number: bool = False


@dataclass(frozen=True, slots=True)
class GroupRow:
    keys: tuple[Value, ...]
    """One for each column that is grouped by."""
    run_ids: tuple[str, ...]
    cells: tuple[GroupCell, ...]
    """One for each other column."""
    n_ended_well: int = 0
    """Runs that did not die: a mean over survivors alone flatters a setting that often diverges."""


@dataclass(frozen=True, slots=True, eq=False)
class Listing:
    """Which runs, in which order; of 100,000 no more than their ids is held."""

    ids: Sequence[str] = ()
    """Run ids in order, a tuple or packed as one; of a grouped table group by group."""
    numbers: Sequence[int] = ()
    """Their rows in the wide pivot, in the same order."""
    n_runs: int = 0
    """Runs in the scope, before the filter."""
    remarks: tuple[str, ...] = ()
    groups: tuple[GroupRow, ...] = ()
    """Groups in order, each with its runs in order; () where nothing was grouped."""
    group_columns: tuple[Column, ...] = ()
    """What was grouped by."""

    @property
    def n_matched(self) -> int:
        return len(self.ids)

    def place_of(self, run_id: str) -> int | None:
        """Where a run stands; None if it is not among them. Of 100,000 ids the last is found in a millisecond."""
        try:
            return self.ids.index(run_id)
        except ValueError:
            return None


@dataclass(frozen=True, slots=True)
class ParamCell:
    """A parameter in one run. `raw` is None where the run has no such key (which is not the same as a null)."""

    raw: str | None
    value: Value = None
    layer: str = ""
    source: str = ""


@dataclass(frozen=True, slots=True)
class ParamRow:
    key: str
    cells: tuple[ParamCell, ...]
    """One for each run."""
    differs: bool


@dataclass(frozen=True, slots=True)
class MetricCell:
    """A metric in one run; `last` is None where the run has no such metric."""

    last: float | None
    last_step: int | None = None
    best: float | None = None
    best_step: int | None = None
    delta: float | None = None
    """best minus the baseline's best (last minus last where there is no goal)."""
    percent: float | None = None
    """100 * delta / |baseline|."""
    is_better: bool | None = None
    """None: equal, unknown goal, or the baseline itself."""
    n: int = 0
    n_nan: int = 0
    n_inf: int = 0
    best_after_s: float | None = None
    """Seconds from the start of the run (else from the metric's first point) to the best value."""
    at_best: float | None = None
    """The value at the step where another metric is best; None where nobody asked."""


@dataclass(frozen=True, slots=True)
class MetricRow:
    metric: str
    goal: str
    """min, max or ''."""
    goal_how: str
    """`set`, `guessed` or ''."""
    cells: tuple[MetricCell, ...]
    differs: bool = True
    at: str = ""
    """The metric whose best step `at_best` of the cells is about."""


@dataclass(frozen=True, slots=True)
class SliceCell:
    """A group of slices in one run, by the best value of each slice."""

    worst: float | None = None
    name: str = ""
    """Of the worst slice: `class=3`."""
    spread: float | None = None
    """The best slice's distance from it."""
    n: int = 0


@dataclass(frozen=True, slots=True)
class SliceRow:
    """Metrics of one stem that are scores of slices of the data: `val/recall` of `val/recall/class=0` to `9`."""

    stem: str
    goal: str
    n_slices: int
    cells: tuple[SliceCell, ...]
    """One for each run."""
    metrics: tuple[str, ...] = ()
    """The names of all slices."""


@dataclass(frozen=True, slots=True)
class FactRow:
    """One line of the code, environment or data section: a text for each run, None where unknown."""

    key: str
    cells: tuple[str | None, ...]
    differs: bool


@dataclass(frozen=True, slots=True)
class DiffAnswer:
    """The selection side by side; the baseline stands first."""

    runs: tuple[RunHead, ...]
    params: tuple[ParamRow, ...]
    metrics: tuple[MetricRow, ...]
    code: tuple[FactRow, ...] = ()
    environment: tuple[FactRow, ...] = ()
    data: tuple[FactRow, ...] = ()
    n_equal_params: int = 0
    """Parameters that are equal in all runs and were left out."""
    n_equal_metrics: int = 0
    slices: tuple[SliceRow, ...] = ()
    data_changes: tuple[DataChange, ...] = ()
    """What the stores of the data say; empty until it is asked for (`data_changes.with_data_changes`)."""
    typed: tuple[FactRow, ...] = ()
    """Options and words of the commands that differ."""
    costs: tuple[CostRow, ...] = ()
    """How long the runs took, and the like; no difference that counts."""
    code_changes: tuple[CodeChange, ...] = ()
    """Of each run's code against the baseline's; empty until it is asked for (`code.with_code_changes`)."""
    notebooks: tuple[NotebookChange, ...] = ()
    """Of runs that are executed notebooks; empty until it is asked for (`notebooks.with_notebooks`)."""

    @property
    def differs(self) -> bool:
        sections = (self.params, self.metrics, self.code, self.environment, self.data)
        behind = bool(self.data_changes) or any(book.changes for book in self.notebooks)
        return behind or any(row.differs for rows in sections for row in rows)


@dataclass(frozen=True, slots=True, eq=False)
class SeriesAnswer:
    """The points of one metric in one run, in order."""

    head: RunHead
    metric: str
    steps: Int64Array
    wall_s: Float64Array
    """NaN where they were not asked for: see `has_times`."""
    values: Float64Array
    n_raw: int
    """Points before the view."""
    started_s: float | None = None
    goal: str = ""
    over: str = ""
    """The metric that the program wants it drawn over; '' for the step."""
    over_values: Float64Array | None = None
    """That metric at each step, NaN where it has none."""
    older: Branches | None = None
    has_times: bool = True
    """Whether the wall times were read, which only two axes need."""


@dataclass(frozen=True, slots=True)
class SeriesHead:
    """One metric of a run, summarised."""

    metric: str
    n: int
    n_raw: int
    first_step: int
    last_step: int
    last: float
    min: float | None
    min_step: int | None
    max: float | None
    max_step: int | None
    n_nan: int
    n_inf: int
    n_repeat: int
    n_back: int
    source_run: str
    source_metric: str
    goal: str = ""
    echo: str = ""
    """What it repeats, where another logger recorded the same values: `a second record, by csv, 1 step later`."""
    adapter: str = ""
    """Which read it."""
    source: str = ""
    """The file that holds it, '' where it is not known which."""


@dataclass(frozen=True, slots=True)
class LayeredParam:
    key: str
    raw: str
    value: Value
    layer: str
    source: str
    line: int | None
    is_effective: bool


@dataclass(frozen=True, slots=True)
class BlobHead:
    kind: str
    metric: str
    n: int
    first_step: int
    last_step: int
    encodings: str = ""
    """`png`, or several: `jpeg, png`; '' where not known."""
    size_bytes: int = 0
    """Of all together."""


@dataclass(frozen=True, slots=True)
class NoteText:
    body: str
    author: str
    at_s: float | None
    origin: str
    """mlbench or imported."""


@dataclass(frozen=True, slots=True)
class SourceLine:
    path: str
    adapter: str
    status: str
    n_records: int
    size_bytes: int


@dataclass(frozen=True, slots=True)
class ProblemLine:
    path: str
    place: str
    what: str
    hint: str
    run_id: str | None = None


@dataclass(frozen=True, slots=True)
class ShowAnswer:
    """All that is known of one run."""

    head: RunHead
    fields: tuple[tuple[str, Value], ...]
    """Name and value of the run's fields, in the order of the glossary; unknown ones left out."""
    params: tuple[LayeredParam, ...]
    metrics: tuple[SeriesHead, ...]
    blobs: tuple[BlobHead, ...] = ()
    code: tuple[tuple[str, Value], ...] = ()
    environment: tuple[tuple[str, str], ...] = ()
    data: tuple[tuple[str, str], ...] = ()
    imported_tags: tuple[tuple[str, str], ...] = ()
    notes: tuple[NoteText, ...] = ()
    sources: tuple[SourceLine, ...] = ()
    problems: tuple[ProblemLine, ...] = ()
    lineage: LineageAnswer | None = None
    origins: tuple[tuple[tuple[str, str], str], ...] = ()
    """Section and key of a fact, and the source that said it: see `origins.origins_of`."""
    tag_origins: tuple[tuple[str, str, float], ...] = ()
    """Of the user's tags: the tag, who added it last, and when (Unix seconds, UTC)."""
