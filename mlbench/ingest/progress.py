"""What an ingest tells while it runs, and when it is done."""

from __future__ import annotations

from dataclasses import field

from mlbench.dataclass import dataclass


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
