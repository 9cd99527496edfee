"""Runs that two loggers of one training left in sibling folders, joined where their records prove it.

Lightning with a CSV logger and a TensorBoard logger writes `logs/exp/version_0/metrics.csv` and
`tb/exp/version_0/events.out...`. They are one run where the paths differ in one folder alone, both have the same
`hparams.yaml`, and every metric that both have is the same number (as float32) at every step that both have. Anything
less stays two runs with a hint (`likeness`). See docs/decisions/0034.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from mlbench.dataclass import dataclass
from mlbench.ingest.draft import prefixed
from mlbench.ingest.identity import Member, Unit, run_id_of
from mlbench.ingest.plan import KnownSource, SourceKey, is_unchanged, source_key
from mlbench.ingest.read import read_source
from mlbench.ingest.stamp import stamp_of
from mlbench.model import Adapter, PointTable, Role

if TYPE_CHECKING:
    from mlbench.model import Float64Array, Int64Array

MIN_POINTS = 3
"""Equal points of metrics that are no schedule, where both folders have the same hyper-parameters."""
MIN_POINTS_ALONE = 10
"""The same where no hyper-parameters were written: the path and the curves are all there is."""
MAX_HPARAMS_BYTES = 1 << 20
_DEPTHS = (2, 3, 4)
"""Where the logger's folder may stand, counted from the end: `tb/version_0`, `tb/exp/version_0`, `tb/a/b/version_0`."""
_VERSION = re.compile(r"version_\d+")
_SCHEDULE = re.compile(r"(?:^|[^a-z])(?:epoch|step|lr|learning_rate|momentum|weight_decay|time)s?(?:$|[^a-z])")
"""Metrics that other trainings have just the same."""
_LOGGER_ADAPTERS = frozenset({"csv"})

Curves = Mapping[str, tuple["Int64Array", "Float64Array"]]
"""By metric the steps, rising, and the value last written at each; both of shape (n,)."""
Known = Mapping[SourceKey, KnownSource]


@dataclass(frozen=True, slots=True)
class Pair:
    """Two folders that may hold the records of one training."""

    drawn: Unit
    """Of event files; the run keeps its folder, for the events have the wall times."""
    logged: Unit
    """Of a metric table."""


def join_records(
    units: Sequence[Unit], adapters: Mapping[str, Adapter], find_known: Callable[[Iterable[str]], Known]
) -> list[Unit]:
    """The runs, those that are second records of others taken into them.

    Args:
        units: of all scans.
        adapters: by name.
        find_known: gives what the catalog has of the sources at some paths. Where nothing has changed since, its
            answer stands and no file is opened.
    """
    pairs = list(find_pairs(units))
    known = find_known({source_key(member)[1] for pair in pairs for member in _members(pair)}) if pairs else {}
    gone: set[str] = set()
    taken: set[str] = set()
    for pair in pairs:
        keys = {pair.drawn.key, pair.logged.key}
        if not keys & (gone | taken) and _are_one(pair, adapters, known):
            _take(pair)
            taken.add(pair.drawn.key)
            gone.add(pair.logged.key)
    return [unit for unit in units if unit.key not in gone]


def find_pairs(units: Sequence[Unit]) -> Iterator[Pair]:
    """One run of events and one of a table whose paths differ in one folder alone, and no third one beside them."""
    drawn: dict[tuple[str, str], list[Unit]] = {}
    logged: dict[tuple[str, str], list[Unit]] = {}
    tables = [unit for unit in units if _is_logged(unit)]
    events = [unit for unit in units if _is_drawn(unit)] if tables else []
    for found, some in ((logged, tables), (drawn, events)):
        for unit in some:
            for place in _places(unit.folder):
                found.setdefault(place, []).append(unit)
    for place in sorted(logged.keys() & drawn.keys(), key=lambda place: (place[1].count(os.sep), place)):
        if len(drawn[place]) == len(logged[place]) == 1:
            yield Pair(drawn[place][0], logged[place][0])


def _is_drawn(unit: Unit) -> bool:
    return _is_folder(unit) and Role.EVENTS in unit.roles and not unit.roles & {Role.METRICS, Role.TRACKER}


def _is_logged(unit: Unit) -> bool:
    if not _is_folder(unit) or Role.METRICS not in unit.roles or unit.roles & {Role.EVENTS, Role.TRACKER}:
        return False
    return {member.claimed.adapter for member in _of_role(unit, Role.METRICS)} <= _LOGGER_ADAPTERS


def _is_folder(unit: Unit) -> bool:
    return not unit.is_own_file and not unit.part


def _of_role(unit: Unit, role: Role) -> list[Member]:
    return [member for member in unit.members if member.claimed.claim.role is role and not member.is_inherited]


def _places(folder: str) -> Iterator[tuple[str, str]]:
    """The folder's path without one name: what stands before it, and what behind."""
    names = folder.split(os.sep)
    for depth in _DEPTHS:
        if len(names) > depth:
            yield os.sep.join(names[:-depth]), os.sep.join(names[1 - depth :])


def _members(pair: Pair) -> list[Member]:
    return [*pair.drawn.members, *pair.logged.members]


def _take(pair: Pair) -> None:
    own = {source_key(member) for member in pair.drawn.members}
    pair.drawn.members.extend(member for member in pair.logged.members if source_key(member) not in own)


# ---------------------------------------------------------------- the proof


def _are_one(pair: Pair, adapters: Mapping[str, Adapter], known: Known) -> bool:
    before = _answer_before(pair, adapters, known)
    if before is not None:
        return before
    hparams = [_hparams(unit.folder) for unit in (pair.drawn, pair.logged)]
    if hparams[0] != hparams[1]:
        return False
    if not hparams[0] and not _VERSION.fullmatch(os.path.basename(pair.drawn.folder)):
        return False
    least = MIN_POINTS if hparams[0] else MIN_POINTS_ALONE
    logged = _curves(_of_role(pair.logged, Role.METRICS), adapters)
    return bool(logged) and n_proofs(_curves(_of_role(pair.drawn, Role.EVENTS), adapters), logged) >= least


def _answer_before(pair: Pair, adapters: Mapping[str, Adapter], known: Known) -> bool | None:
    """What was found when the same files were read; None where one of them is new or has changed."""
    versions = {name: adapter.version for name, adapter in adapters.items()}
    for member in _members(pair):
        if not is_unchanged(source_key(member), stamp_of(member.claimed.claim), known, versions):
            return None
    runs = {run_id for member in _of_role(pair.logged, Role.METRICS) for run_id in known[source_key(member)].run_ids}
    return run_id_of(pair.drawn.key) in runs


def _hparams(folder: str) -> bytes:
    """The text of `hparams.yaml`; nothing where there is none, or where it names no parameter."""
    try:
        with open(os.path.join(folder, "hparams.yaml"), "rb") as file:
            text = file.read(MAX_HPARAMS_BYTES).replace(b"\r\n", b"\n").strip()
    except OSError:
        return b""
    return b"" if text in (b"{}", b"null") else text


def _curves(members: Iterable[Member], adapters: Mapping[str, Adapter]) -> Curves:
    import numpy as np

    parts: dict[str, list[tuple[Int64Array, Float64Array]]] = {}
    for member in sorted(members, key=lambda member: member.claimed.claim.path):
        table: PointTable | None = read_source(adapters[member.claimed.adapter], member.claimed.claim, None).points
        for points in table.split() if table is not None else ():
            parts.setdefault(prefixed(member, points.metric), []).append((points.steps, points.values))
    curves = {}
    for metric, pieces in parts.items():
        steps, values = (np.concatenate(arrays)[::-1] for arrays in zip(*pieces, strict=True))
        rising, last = np.unique(steps, return_index=True)  # the first of the turned order: the last one written
        curves[metric] = rising, values[last]
    return curves


def n_proofs(one: Curves, other: Curves) -> int:
    """At how many steps metrics that are no schedule are the same in both; 0 where a shared metric differs at one.

    The steps of one record may be off by a number that is the same for all metrics (a table that counts epochs from
    1): then the curves must be of one length.
    """
    shared = sorted(one.keys() & other.keys())
    offsets = {int(one[metric][0][0] - other[metric][0][0]) for metric in shared}
    for offset in dict.fromkeys([0, *(offsets if len(offsets) == 1 else ())]):
        if offset and any(len(one[metric][0]) != len(other[metric][0]) for metric in shared):
            continue
        counts = [_n_same(one[metric], other[metric], offset) for metric in shared]
        n_varied = sum(count for metric, count in zip(shared, counts, strict=True) if _tells(metric, other[metric][1]))
        if min(counts, default=-1) >= 0 and n_varied:
            return n_varied
    return 0


def _n_same(one: tuple[Any, Any], other: tuple[Any, Any], offset: int) -> int:
    """How many steps both curves have; -1 where their values differ at one."""
    import numpy as np

    _steps, mine, theirs = np.intersect1d(one[0], other[0] + offset, assume_unique=True, return_indices=True)
    with np.errstate(over="ignore"):
        a, b = one[1][mine].astype(np.float32), other[1][theirs].astype(np.float32)
    return len(a) if np.array_equal(a, b, equal_nan=True) else -1


def _tells(metric: str, values: Float64Array) -> bool:
    """Whether the metric tells trainings apart: it is no schedule, and it changes."""
    import numpy as np

    finite = values[np.isfinite(values)]
    return _SCHEDULE.search(metric.lower()) is None and finite.size > 0 and finite.min() < finite.max()
