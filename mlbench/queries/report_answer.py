"""What a report is made of."""

from __future__ import annotations

from dataclasses import field
from datetime import datetime
from typing import TYPE_CHECKING

from mlbench.dataclass import dataclass

if TYPE_CHECKING:
    from mlbench.queries.answers import DiffAnswer, ProblemLine, RunsAnswer, SeriesAnswer
    from mlbench.queries.settings_versus import SettingsVersus


@dataclass(frozen=True, slots=True)
class ReportAnswer:
    """What a report is made of."""

    title: str
    query: str
    runs: RunsAnswer
    diff: DiffAnswer
    series: tuple[SeriesAnswer, ...]
    problems: tuple[ProblemLine, ...]
    commands: tuple[tuple[str, str], ...] = field(default=())
    """Run name and how to reproduce it."""
    made_at: datetime | None = None
    catalog_digest: str = ""
    options: tuple[tuple[str, tuple[str, ...] | int | float], ...] = ()
    """What else was asked for, so that the same report can be made again: sort, limit, metrics, within, asked."""
    code_changes: tuple[str, ...] = ()
    """A line for each pair of commits, as `code.told` has it."""
    real: SettingsVersus | None = None
    """Each setting against the baseline's; None where no two settings have two runs."""
    n_untested: int = 0
    """Settings that are not in it: there are too many, or they have one run."""
    sorted_by: str = ""
    """What the runs are sorted by, as `--sort` has it: `max(metrics.acc):desc`; '' for nothing."""
