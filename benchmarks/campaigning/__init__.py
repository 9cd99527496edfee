"""The campaigns against what may go wrong: each module here is one, found by its name.

A module has a docstring, whose first line is its help, `COUNT` (how often, unless told otherwise; 0: it is measured by
`--minutes` alone) and `campaign(plan)`, which yields a Figure as soon as it is known.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Plan:
    """How much is asked for."""

    folder: Path
    """Scratch, empty at the start, removed at the end."""
    count: int
    """Kills, states, flips, inputs: whatever the campaign counts."""
    minutes: float
    """For those that go on for a time; others may stop early when it is over, and say how far they came."""
    seed: int
    tally: Path | None = None
    """Where a campaign that can be interrupted keeps what it has found so far, and goes on from."""


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of the table: what was counted, what came out and what is promised."""

    what: str
    measured: str
    goal: str
    is_met: bool

    @classmethod
    def none_of(cls, what: str, n_bad: int, n: int) -> Figure:
        """The most usual one: of so many, none may be bad."""
        return cls(what, f"{n_bad:,} of {n:,}", "0", n > 0 and n_bad == 0)
