"""What several people said is folded to the same words in whatever order, and however often, it arrives."""

from __future__ import annotations

import random
from collections.abc import Iterator

from campaigning import Figure, Plan
from tests.reliability.histories import diverging, history

COUNT = 100_000


def campaign(plan: Plan) -> Iterator[Figure]:
    """Invent histories of 2 to 5 actors and fold each in other orders, with repetitions and by halves."""
    dice = random.Random(plan.seed)
    n_bad = n_entries = 0
    for _history in range(plan.count):
        entries = history(dice)
        n_entries += len(entries)
        n_bad += bool(diverging(entries, dice))
    yield Figure.none_of("histories that fold differently in another order", n_bad, plan.count)
    yield Figure("entries in them", f"{n_entries:,}", "", True)
