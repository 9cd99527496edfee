"""Flipped bits in segments, snapshots, the writer's file, the journal and the folded words: told or without effect."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from campaigning import Figure, Plan
from tests.reliability.flipping import in_own_process

COUNT = 1_000


def campaign(plan: Plan) -> Iterator[Figure]:
    """A file of each kind in turn; everything is asked after each flip, and the bit is flipped back."""
    flips = in_own_process(plan.folder, plan.count, seed=plan.seed, minutes=plan.minutes)
    n = flips.n + flips.n_faults
    yield Figure("bits flipped", f"{n:,}", f"{plan.count:,}", n > 0)
    yield Figure("told", _by_kind(flips.n_told), "", True)
    yield Figure("without effect on any answer", _by_kind(flips.n_without_effect), "", True)
    yield Figure.none_of("silently another answer, or a segment taken as it is", sum(flips.n_silent.values()), n)
    yield Figure.none_of("commands that died, or a catalog that was not built again", flips.n_faults, n)
    for text in flips.talk:
        print(text)


def _by_kind(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{count} {kind}" for kind, count in sorted(counts.items()))
