"""Hosts that share a home over a file system whose locks do nothing: words, merges and ingests at once."""

from __future__ import annotations

from collections.abc import Iterator

from campaigning import Figure, Plan
from tests.reliability.lockless import N_HOSTS, WRITERS_OF_A_HOST, in_own_process

COUNT = 100


def campaign(plan: Plan) -> Iterator[Figure]:
    """Homes one after another, each with writers on three hosts."""
    shared = in_own_process(plan.folder, plan.count, seed=plan.seed, minutes=plan.minutes)
    writers = f"{N_HOSTS} hosts with {WRITERS_OF_A_HOST} writers each, who merge too"
    yield Figure(f"homes, {writers}", f"{shared.n_homes:,}", f"{COUNT:,}", shared.n_homes > 0)
    words = shared.words
    yield Figure.none_of("acknowledged words that were lost", words.n_lost, words.n_acknowledged)
    yield Figure.none_of("words that stood twice after merging", words.n_doubled, words.n_acknowledged)
    yield Figure.none_of("words that came back changed, or damaged lines", words.n_corrupt, words.n_acknowledged)
    what = "catalogs that are not those of a fresh home after ingests at once"
    yield Figure.none_of(what, shared.n_differing, N_HOSTS * shared.n_homes)
    for text in shared.talk[:20]:
        print(text)
