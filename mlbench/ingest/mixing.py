"""Several trainings that wrote into one folder at the same time: their points cannot be told apart, which is told.

One after another is no mixing: a restart goes on in a second file, and the effective view knows what to do with it.
"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Sequence

from mlbench.ingest.draft import SourceReading
from mlbench.ingest.laying import parts_of
from mlbench.model import PointTable, Problem, Role

HINT = "give each training a folder of its own"
MIN_TOGETHER_S = 1.0
"""The last event of a writer that is being closed may come after the first of the next."""


def note_mixing(sources: Sequence[SourceReading]) -> None:
    """Put a Problem beside the facts of the second of two event files of one folder that were written together.

    What was told when the sources were read before is told anew: the other file may be gone.
    """
    for source in sources:
        if Problem in map(type, source.reading.small) and any(map(_is_mixing, source.reading.small)):
            source.reading.small = [fact for fact in source.reading.small if not _is_mixing(fact)]
    by_folder: dict[str, list[SourceReading]] = defaultdict(list)
    for source in sources:
        claim = source.member.claimed.claim
        if claim.role is Role.EVENTS and source.reading.points is not None:
            by_folder[os.path.dirname(claim.path)].append(source)
    for found in by_folder.values():
        if len(found) > 1:
            _note_in_folder(found)


def _is_mixing(fact: object) -> bool:
    return isinstance(fact, Problem) and fact.hint == HINT


def _note_in_folder(found: Sequence[SourceReading]) -> None:
    spans = [_span(source.reading.points) for source in found if source.reading.points is not None]
    for place, (source, (first_s, _last_s, names)) in enumerate(zip(found, spans, strict=True)):
        for number, (other_first_s, other_last_s, other_names) in enumerate(spans):
            is_inside = other_first_s <= first_s < other_last_s - MIN_TOGETHER_S
            if number != place and is_inside and names & other_names:
                _note(source, found[number])
                break


def _span(points: PointTable) -> tuple[float, float, frozenset[str]]:
    """When the points were written (NaN compares false), and their metrics."""
    import numpy as np

    firsts: list[float] = []
    lasts: list[float] = []
    names: set[str] = set()
    for part in parts_of(points):
        wall_s = part.wall_s
        known = wall_s[np.isfinite(wall_s)]
        names.update(part.metrics)
        if known.size:
            firsts.append(float(known.min()))
            lasts.append(float(known.max()))
    if not firsts:
        return float("nan"), float("nan"), frozenset()
    return min(firsts), max(lasts), frozenset(names)


def _note(source: SourceReading, other: SourceReading) -> None:
    path = source.member.claimed.claim.path
    name = os.path.basename(other.member.claimed.claim.path)
    what = (
        f"it was written at the same time as {name}, with the same metrics: several trainings are mixed in this folder"
    )
    problem = Problem(path, what, hint=HINT)
    if problem not in source.reading.small:
        source.reading.small.append(problem)
