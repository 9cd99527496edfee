"""Calls that write into the home fail: the disk is full, over quota, read-only or broken, once or from there on."""

from __future__ import annotations

from collections.abc import Iterator

from campaigning import Figure, Plan
from tests.reliability.filling import in_own_process

COUNT = 500


def campaign(plan: Plan) -> Iterator[Figure]:
    """A random call of a random command fails, then the home is looked at and ingested again with room on the disk."""
    failures = in_own_process(plan.folder, plan.count, seed=plan.seed, minutes=plan.minutes)
    if failures is None:
        return
    n = failures.n_failed
    kinds = ", ".join(f"{count} {name}" for name, count in sorted(failures.by_error.items()))
    yield Figure(
        "calls that failed, each in a command of its own", f"{n:,} ({kinds}) of {failures.n_points:,} places",
        f"{plan.count:,}", n > 0,
    )  # fmt: skip
    yield Figure.none_of("tracebacks, wrong exit codes or silence", failures.n_untold, n)
    yield Figure.none_of("words acknowledged and gone, or refused and there", failures.n_lost, n)
    yield Figure.none_of("catalogs that told what never was", failures.n_silent, n)
    yield Figure.none_of("catalogs not equal to a fresh one after the next ingest", failures.n_differing, n)
    for text in failures.talk:
        print(text)
