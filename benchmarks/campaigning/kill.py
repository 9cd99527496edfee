"""kill -9 of one of four processes that tag and annotate, and of ingests at any moment of their lives."""

from __future__ import annotations

from collections.abc import Iterator

from campaigning import Figure, Plan
from tests.reliability.killing import in_own_process

COUNT = 2_000
INGEST_SHARE = 4
"""One ingest is killed for so many writers of words."""


def campaign(plan: Plan) -> Iterator[Figure]:
    """First the writers, then the ingests; each may take half of the time."""
    words = in_own_process("words", plan.folder, plan.count, seed=plan.seed, minutes=plan.minutes / 2)
    yield Figure("writers of words killed, four at once", f"{words.n_kills:,}", f"{plan.count:,}", words.n_kills > 0)
    yield Figure.none_of("acknowledged words that were lost", words.n_lost, words.n_acknowledged)
    yield Figure.none_of("words that stood twice after merging", words.n_doubled, words.n_acknowledged)
    yield Figure.none_of("words that came back changed, or damaged lines", words.n_corrupt, words.n_acknowledged)
    wanted = plan.count // INGEST_SHARE
    ingests = in_own_process("ingest", plan.folder, wanted, seed=plan.seed, minutes=plan.minutes / 2)
    kinds = ", ".join(f"{n} {kind}" for kind, n in sorted(ingests.kinds.items()))
    yield Figure("ingests killed on their way", f"{ingests.n_kills:,} ({kinds})", f"{wanted:,}", ingests.n_kills > 0)
    what = "catalogs not equal to a fresh one, after the next start and after `mlbench rebuild`"
    yield Figure.none_of(what, ingests.n_differing, 2 * ingests.n_kills)
