"""Power cuts at any moment, on a disk like ext4 and on one without any order: a replay of recorded writes."""

from __future__ import annotations

from collections.abc import Iterator

from campaigning import Figure, Plan
from tests.reliability.cutting import in_own_process

COUNT = 5_000
CATALOG_SHARE = 10
"""One state of a catalog for so many of a journal: each is ingested again and compared."""


def campaign(plan: Plan) -> Iterator[Figure]:
    """First the journal, then the catalog; each may take half of the time."""
    folders = [plan.folder / name for name in ("words", "catalog")]
    for folder in folders:
        folder.mkdir()
    words = in_own_process("words", folders[0], plan.count, seed=plan.seed, minutes=plan.minutes / 2)
    n_states = sum(words.n_states.values())
    yield Figure("states of a journal's disk", _states(words.n_states), f"{plan.count:,}", n_states > 0)
    yield Figure.none_of("acknowledged words that were lost", words.n_lost, words.n_acknowledged)
    yield Figure.none_of("journals that could not be read or written on", words.n_unreadable, n_states)
    wanted = plan.count // CATALOG_SHARE
    catalog = in_own_process("catalog", folders[1], wanted, seed=plan.seed, minutes=plan.minutes / 2)
    n_states = sum(catalog.n_states.values())
    yield Figure("states of a catalog's disk", _states(catalog.n_states), f"{wanted:,}", n_states > 0)
    yield Figure.none_of("catalogs that opened and told what never was", catalog.n_silent, n_states)
    yield Figure.none_of("catalogs not equal to a fresh one after the next ingest", catalog.n_differing, n_states)


def _states(by_model: dict[str, int]) -> str:
    return f"{sum(by_model.values()):,} ({', '.join(f'{n:,} {model}' for model, n in by_model.items())})"
