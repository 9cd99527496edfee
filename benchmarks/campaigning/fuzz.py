"""Files changed at random for every reader: none raises, takes a second, dies, or needs 300 MB more."""

from __future__ import annotations

from collections.abc import Iterator

from campaigning import Figure, Plan
from tests.reliability.fuzzing import in_own_process

COUNT = 1_000_000
MOST_MB = 300


def campaign(plan: Plan) -> Iterator[Figure]:
    """Inputs of all kinds in turn, each made of the seed and its number alone."""
    found = in_own_process(plan.folder, plan.count, seed=plan.seed, minutes=plan.minutes, tally=plan.tally)
    readers = f"{len(found.by_target)} readers, {min(found.by_target.values(), default=0):,} or more each"
    yield Figure("inputs", f"{found.n:,} ({readers})", f"{COUNT:,}", found.n > 0)
    yield Figure.none_of("exceptions, and processes that died", len(found.crashes), found.n)
    yield Figure.none_of("inputs that took more than a second of a core", len(found.hangs), found.n)
    yield Figure("the slowest", f"{found.slowest_s:.2f} s of a core", "1 s", found.slowest_s <= 1)
    yield Figure("memory beyond that of the start", f"{found.most_mb} MB", f"{MOST_MB} MB", found.most_mb < MOST_MB)
    if found.mended:
        yield Figure("failures of an earlier commit, mended since", f"{len(found.mended)}", "", is_met=True)
    for text in (*found.crashes, *found.hangs):
        print(text)
