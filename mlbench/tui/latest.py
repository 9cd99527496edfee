"""What came back last of each question; the panes are drawn from it."""

from __future__ import annotations

from dataclasses import field
from typing import TYPE_CHECKING

from mlbench.dataclass import dataclass
from mlbench.tui.session import ChartLabels, IndexDone, IndexProgress, RunsFound, Vocabulary

if TYPE_CHECKING:
    from mlbench.queries.answers import DiffAnswer, ProblemLine, SeriesAnswer, ShowAnswer
    from mlbench.queries.members import Members


@dataclass(slots=True)
class Answers:
    """What came back last; each is replaced as a whole."""

    found: RunsFound | None = None
    diff: DiffAnswer | None = None
    no_diff: str = ""
    """Why there is no comparison of the runs at hand."""
    members: Members | None = None
    """Of the group under the cursor; None on a run."""
    series: tuple[SeriesAnswer, ...] = ()
    n_charted: int = 0
    """Runs whose series these are, with those that have none of the metrics."""
    no_series: str = ""
    """Why there are no curves of the runs at hand."""
    labels: ChartLabels = field(default_factory=ChartLabels)
    """Of the runs in the charts, once they were asked for."""
    shown: ShowAnswer | None = None
    problems: tuple[ProblemLine, ...] = ()
    names: Vocabulary = field(default_factory=Vocabulary)
    progress: IndexProgress | None = None
    done: IndexDone | None = None
