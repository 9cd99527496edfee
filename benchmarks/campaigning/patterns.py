"""Regular expressions get texts that they nearly match: twice the text may take about twice as long, and no more."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator

from campaigning import Figure, Plan
from tests.reliability.patterns import Steep, modules, patterns_of, steepest

COUNT = 8
"""Beginnings made for each pattern; each is tried with up to seven pieces, two ends and every method called."""


def campaign(plan: Plan) -> Iterator[Figure]:
    """All patterns of mlbench; those that are not reached in time are said."""
    dice, until_s = random.Random(plan.seed), time.monotonic() + 60 * plan.minutes
    asked, steep, n_asked = patterns_of(modules()), list[Steep](), 0
    for one in asked:
        if time.monotonic() > until_s:
            break
        n_asked += 1
        found = steepest(one, plan.count, dice)
        if found is not None:
            print(
                f"{found.name}.{found.use}: {found.took_s:.2f} s for {found.begin!r} and many {found.piece!r}",
                flush=True,
            )
            steep.append(found)
    yield Figure(
        "patterns, each with texts of 8,000 characters", f"{n_asked} of {len(asked)}", "all", n_asked == len(asked)
    )
    yield Figure.none_of(
        "those that take more than 20 ms, and more than 2.8 times as long as for half", len(steep), n_asked
    )
