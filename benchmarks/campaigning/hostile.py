"""Names, parameters, metrics, tags and notes that mean harm, printed everywhere and walked through in a terminal."""

from __future__ import annotations

from collections.abc import Iterator

from campaigning import Figure, Plan
from tests.reliability.hostile import PAYLOADS, in_own_process, in_terminal

COUNT = 1
"""Once: nothing in it is random."""


def campaign(plan: Plan) -> Iterator[Figure]:
    """Every command and format, then the workbench in a real pseudo-terminal."""
    shown = in_own_process(plan.folder)
    what = f"of {shown.n_sinks} commands and formats by {len(PAYLOADS)} payloads, those that act"
    yield Figure.none_of(what, len(shown.acting), shown.n_pairs)
    seen = in_terminal(plan.folder)
    yield Figure.none_of("the same of views of the workbench, in a pseudo-terminal", len(seen.acting), seen.n_pairs)
    for text in (*shown.acting, *seen.acting):
        print(text)
