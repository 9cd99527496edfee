"""What is looked at, and how: frozen, so that old and new can be compared and only what differs is asked again."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import field, replace
from typing import TYPE_CHECKING

from mlbench.dataclass import dataclass
from mlbench.tui.actions import COMPARE, RUNS
from mlbench.tui.session import RunsQuestion

if TYPE_CHECKING:
    from mlbench.queries.answers import SeriesAnswer

AXES = ("metric", "step", "relative", "wall")
"""x axes; `metric` is the one that the runs define for themselves (W&B's step metric), else the step."""

SCALES = ("linear", "log", "symlog")
"""Of an axis, in the order of its key."""

MOST_COMPARED, MOST_CHARTED = 24, 1000
"""Runs side by side, and runs in a chart: of more marks the first ones are shown, and the title says so."""


def reading_text(metrics: Sequence[str], n_runs: int) -> str:
    """What is being read for charts, while they are empty."""
    what = ", ".join(metrics) or "curves"
    runs = "1 run" if n_runs == 1 else f"{min(n_runs, MOST_CHARTED):,} runs"
    return f"reading {what} of {runs} …" if n_runs else f"reading {what} …"


def left_out_text(n_runs: int) -> str:
    """That a chart draws only the first runs, '' where it draws all."""
    return f"first {MOST_CHARTED:,} of {n_runs:,} runs" if n_runs > MOST_CHARTED else ""


@dataclass(frozen=True, slots=True)
class Marks:
    """The marked runs in the order of marking, each with a colour slot that stays its own while it is marked."""

    slots: tuple[tuple[str, int], ...] = ()
    """Run id and slot."""

    _by_run: Mapping[str, int] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_by_run", dict(self.slots))

    def __contains__(self, run_id: str) -> bool:
        return run_id in self._by_run

    def __len__(self) -> int:
        return len(self.slots)

    @property
    def run_ids(self) -> tuple[str, ...]:
        return tuple(run_id for run_id, _slot in self.slots)

    def slot_of(self, run_id: str) -> int | None:
        return self._by_run.get(run_id)

    def toggled(self, run_id: str) -> Marks:
        """With the run if it was not marked, without it if it was."""
        if run_id in self:
            return Marks(tuple(pair for pair in self.slots if pair[0] != run_id))
        return Marks((*self.slots, (run_id, self.free_slot())))

    def with_all(self, run_ids: Iterable[str]) -> Marks:
        """With these runs too, in this order."""
        marks = self
        taken = {slot for _run, slot in self.slots}
        known = set(self._by_run)
        slot = 0
        added = []
        for run_id in run_ids:
            if run_id in known:
                continue
            while slot in taken:
                slot += 1
            taken.add(slot)
            known.add(run_id)
            added.append((run_id, slot))
        return Marks((*marks.slots, *added))

    def without(self, run_ids: Iterable[str]) -> Marks:
        gone = set(run_ids)
        return Marks(tuple(pair for pair in self.slots if pair[0] not in gone))

    def free_slot(self) -> int:
        """The lowest slot that no run has."""
        taken = {slot for _run, slot in self.slots}
        return next(slot for slot in range(len(taken) + 1) if slot not in taken)


@dataclass(frozen=True, slots=True)
class ChartLook:
    """What the chart shows of the runs under comparison."""

    metrics: tuple[str, ...] = ()
    """() is the first metric of the table, or what matters most in runs that do not have it."""
    laid: tuple[tuple[str, tuple[str, ...]], ...] = ()
    """Charts of several of these metrics, as a log lays them out: titles and lines; () is a chart of each metric."""
    margins: tuple[tuple[str, str, str], ...] = ()
    """Bands of these charts: a title, and the metrics of the lower and the upper end."""
    smoothing: float = 0.6
    log_y: bool = False
    log_x: bool = False
    axis: str = "metric"
    """One of AXES, or the name of a metric."""
    has_raw: bool = True
    """The raw curve stands faint below the smoothed one."""
    limits: tuple[float, float] | None = None
    """Range of x that is shown; None is all of it."""
    crosshair: float | None = None
    """Its x value."""
    front: str = ""
    """Run id of the curve drawn over the others, '' for none."""
    is_isolated: bool = False
    """Only the run in front is drawn."""
    is_trimmed: bool = False
    """Outliers are left out of the y axis."""
    is_grouped: bool = False
    """Runs that repeat each other are one curve, their mean, with a band."""
    colour_by: str = "run"
    """`run`, or `setting`: one colour for all runs that repeat each other."""
    n_columns: int = 0
    """Charts beside each other; 0 is as few as leave each enough lines."""
    past_limits: tuple[tuple[float, float] | None, ...] = ()
    """Ranges of x that were shown before, the last one last: what undoing a zoom goes back to."""
    symlog_y: bool = False
    """Logarithmic on both sides of 0; never where `log_y` is."""
    symlog_x: bool = False
    smoothing_kind: str = "ema"
    """One of `smoothing.KINDS`."""
    has_names: bool = False
    """The legend has the names of the runs also where parameters tell them apart."""

    def asks_more_than(self, old: ChartLook) -> bool:
        """Whether other points are needed than another look had."""
        return (self.metrics, self.over) != (old.metrics, old.over) or (self.has_times and not old.has_times)

    @property
    def has_times(self) -> bool:
        """Whether the x axis is one of times: only then are they read."""
        return self.axis in ("relative", "wall")

    @property
    def over(self) -> str:
        """The metric on the x axis, where one was chosen."""
        return "" if self.axis in AXES else self.axis

    @property
    def y_scale(self) -> str:
        """One of SCALES."""
        return "log" if self.log_y else "symlog" if self.symlog_y else "linear"

    @property
    def x_scale(self) -> str:
        """One of SCALES."""
        return "log" if self.log_x else "symlog" if self.symlog_x else "linear"


@dataclass(frozen=True, slots=True)
class View:
    """Which runs, in which order, with which columns, marks and charts, and which pane is at work."""

    query: str = ""
    sort: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()
    """() is the usual ones: the metrics that matter and the parameters that differ."""
    by: tuple[str, ...] = ()
    """Columns that the runs are grouped by; () for no groups."""
    opened: frozenset[tuple[object, ...]] = frozenset()
    """Keys of the groups whose runs are shown."""
    marks: Marks = field(default_factory=Marks)
    cursor: str = ""
    """Run id of the run under the cursor."""
    group: tuple[object, ...] | None = None
    """Keys of the group under the cursor, None on a run."""
    range_start: str = ""
    """Run id where a range was begun with `v`."""
    chart: ChartLook = field(default_factory=ChartLook)
    has_all: bool = False
    """Compare shows also what is equal."""
    as_deltas: bool = False
    is_transposed: bool = False
    """Compare has a run on each line."""
    compare_look: str = ""
    """What compare shows in the place of the tables: `code`, `verdict`, `images`, `matrices` or `histograms`."""
    folds: frozenset[str] = frozenset()
    """Parents and groups of slices that are not as they are at first: see `render.diff.diff_sections`."""
    at_metric: str = ""
    """Compare tells the other metrics where this one is best, too."""
    bell: tuple[str, ...] | None = None
    """What the bell is rung for; None leaves it to the settings."""
    pane: str = RUNS
    is_zoomed: bool = False
    """The pane has the whole screen."""
    shown_run: str = ""
    """Run id of the run pane."""

    @property
    def question(self) -> RunsQuestion:
        """Which runs it asks for."""
        return RunsQuestion(self.query, self.sort, self.columns, self.by)

    @property
    def is_all_compare(self) -> bool:
        """Whether the comparison has the whole screen: a group then shows its runs side by side."""
        return self.pane == COMPARE and self.is_zoomed

    @property
    def compared_as(self) -> tuple[object, ...]:
        """How the comparison is drawn: with another one of these it is drawn again."""
        return self.as_deltas, self.is_transposed, self.compare_look, self.folds, self.is_all_compare

    def scaled(self, axis: str, scale: str) -> View:
        """With another of SCALES on the axis `x` or `y`."""
        return self.charted(**{f"log_{axis}": scale == "log", f"symlog_{axis}": scale == "symlog"})

    def charted(self, **changes: object) -> View:
        """With changes to the look of the chart."""
        return replace(self, chart=replace(self.chart, **changes))  # type: ignore[arg-type]


def axis_of(look: ChartLook, series: Sequence[SeriesAnswer]) -> str:
    """The axis as the charts draw it: `step`, `relative`, `wall` or the name of a metric.

    For `metric` it is the one that the runs define; where none of them has the metric, it is the step.
    """
    if look.over:
        return look.over if any(one.over == look.over for one in series) else "step"
    if look.axis != "metric" or not series:
        return "step" if look.axis == "metric" else look.axis
    from mlbench.queries.step_metrics import common_axis

    return common_axis(series) or "step"


def next_of(choices: tuple[float, ...] | tuple[str, ...], current: float | str) -> float | str:
    """The choice after the current one, round about; the first where the current one is none of them."""
    index = choices.index(current) if current in choices else -1
    return choices[(index + 1) % len(choices)]
