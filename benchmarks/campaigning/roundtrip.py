"""Fuzzed texts through CSV, TSV, JSON, Markdown and HTML, and back by their parsers."""

from __future__ import annotations

import time
from collections.abc import Iterator

from campaigning import Figure, Plan
from tests.reliability.roundtrips import many

COUNT = 100_000


def campaign(plan: Plan) -> Iterator[Figure]:
    """Each text through every way."""
    trips = many(plan.count, plan.seed, time.monotonic() + 60 * plan.minutes)
    yield Figure("texts", f"{trips.n_texts:,}", f"{COUNT:,}", trips.n_texts > 0)
    n = sum(trips.by_way.values())
    what = f"ways through {len(trips.by_way)} kinds of place that gave another text, or an element of its own"
    yield Figure.none_of(what, len(trips.broken), n)
    for text in trips.broken[:20]:
        print(text)
