"""Facts as the tests look at them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from mlbench.model import Fact, PointTable


def apart(facts: Iterable[Fact]) -> Iterator[Fact]:
    """The facts with every table of many metrics taken apart into the points of each."""
    for fact in facts:
        if isinstance(fact, PointTable):
            yield from fact.split()
        else:
            yield fact
