"""The walk of a first ingest, in a process of its own that has ended when the logs are read.

What is found of a run weighs 2 KiB in Python's objects. The process that commits would hold that of all runs still to
be read, and what it lets go of lies among what stays: its memory would grow with the tree. So a process that is forked
for it walks the tree and gives the parts to be read as bytes, 150 of a run, which go on to those that read as they are.

Only where the catalog has nothing yet, so that nothing of it has to be known. Whatever goes wrong here, the process
that commits walks the tree itself, and meets the same in its own way.
"""

from __future__ import annotations

import gc
import os
import signal
from collections.abc import Callable, Iterator, Sequence, Set
from contextlib import ExitStack, suppress
from multiprocessing.connection import Connection, Pipe

from mlbench.adapters import load_adapters, third_party
from mlbench.dataclass import dataclass
from mlbench.ingest.identity import find_all
from mlbench.ingest.joining import join_records
from mlbench.ingest.plan import Plan, SourceKey, UnitPlan, looked_at, plan_first, source_key
from mlbench.ingest.scan import Scan
from mlbench.ingest.slicing import NotOursError, PackedPart, Part, Slicer, packed_part, pickled, unpickled
from mlbench.ingest.workers import ctrl_c_held
from mlbench.model import Problem
from mlbench.wire.patience import LeavingError, Patience, UnansweredError, is_any_aside

_POLL_S = 0.1
_FOLDERS, _PART, _OUTLINE = b"f", b"p", b"o"
"""What a message is, its first byte."""

Walk = Callable[[Sequence[str], Callable[[int], None]], list[Scan]]
"""Walks roots, and tells how many folders it has walked."""


@dataclass(frozen=True, slots=True)
class Outline:
    """What has to be known of all parts together."""

    problems: dict[str, list[Problem]]
    """Of the walk itself, by root."""
    run_ids: tuple[str, ...]
    runs_of_source: dict[SourceKey, Set[str]]
    """As in the plan."""
    n_sources: int
    """Their ids are 1 to this."""


@dataclass(slots=True)
class Survey:
    """What was found for a catalog that has nothing yet."""

    roots: list[str]
    """That were walked."""
    named_from: list[str]
    """Roots that the runs are named from."""
    outline: Outline
    parts: list[PackedPart]

    @property
    def scans(self) -> list[Scan]:
        """The walks, of which only the problems are known."""
        return [Scan(root, keeps_folders=False, unreadable=self.outline.problems[root]) for root in self.roots]

    def plan(self) -> Plan:
        """The plan without its runs: they are in the parts."""
        ids = frozenset(self.outline.run_ids)
        return Plan([], {}, self.outline.runs_of_source, surveyed=ids)

    def take_parts(self) -> Iterator[PackedPart]:
        """The parts in their order; each is let go of when it is taken."""
        self.parts.reverse()
        while self.parts:
            yield self.parts.pop()


@dataclass(slots=True)
class Surveyor:
    """The process at work."""

    roots: list[str]
    named_from: list[str]
    _pid: int
    _pipe: Connection

    def wait(self, on_folders: Callable[[int], None], is_cancelled: Callable[[], bool]) -> Survey | None:
        """What it has found; None where it failed.

        Args:
            on_folders: told how many folders it has walked, now and then.
            is_cancelled: asked again and again.

        Raises:
            LeavingError: it was cancelled.
        """
        parts: list[PackedPart] = []
        outline: Outline | None = None
        try:
            while outline is None:
                if is_cancelled():
                    raise LeavingError
                if not self._pipe.poll(_POLL_S):
                    continue
                message = self._pipe.recv_bytes()
                kind, content = message[:1], message[1:]
                if kind == _PART:
                    parts.append(packed_part(content))
                elif kind == _FOLDERS:
                    on_folders(int(content))
                else:
                    outline = unpickled(content, Outline)
        except (EOFError, OSError, NotOursError):
            return None
        finally:
            self.close()
        return Survey(self.roots, self.named_from, outline, parts)

    def close(self) -> None:
        """End it, and collect it where it has ended. Nobody waits for it: it may have a thread that hangs."""
        self._pipe.close()
        if not self._pid:
            return
        with suppress(OSError):
            os.kill(self._pid, signal.SIGKILL)
            if os.waitpid(self._pid, os.WNOHANG)[0]:
                self._pid = 0


def begin_survey(walk: Walk, roots: Sequence[str], named_from: Sequence[str]) -> Surveyor | None:
    """Fork a process that walks; None where that fails.

    Args:
        walk: called there.
        roots: real paths, none inside another.
        named_from: real paths of all directories ever named, as `make_plan` wants them.
    """
    with ExitStack() as opened:
        try:
            ours, its = map(opened.enter_context, Pipe(duplex=False))
            with ctrl_c_held():
                pid = os.fork()
                if not pid:
                    ours.close()  # so that it ends with its parent: nobody else reads
                    _work(its, walk, roots, named_from)
        except OSError:
            return None
        opened.pop_all()
        its.close()
        return Surveyor(list(roots), list(named_from), pid, ours)


def _work(pipe: Connection, walk: Walk, roots: Sequence[str], named_from: Sequence[str]) -> None:
    """All that the new process does; it returns from nothing that its parent was about to do."""
    code = 1
    try:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # ctrl+c is the parent's affair
        gc.freeze()
        gc.disable()  # as in the processes that read
        send(pipe, walk, roots, named_from)
        code = 0
    except BaseException:  # noqa: BLE001, S110 - the parent walks itself, and tells what there is to tell
        pass
    finally:
        os._exit(code)


def send(pipe: Connection, walk: Walk, roots: Sequence[str], named_from: Sequence[str]) -> None:
    """Walk, and send the parts and then their outline, as `Surveyor.wait` wants them.

    Raises:
        UnansweredError: something hangs, and was set aside: that is not known to others.
        OSError: nobody reads.
        NotOursError: an adapter of another package claims by objects of its own.
    """
    scans = walk(roots, lambda n_folders: pipe.send_bytes(_FOLDERS + b"%d" % n_folders))
    waiting = Patience()
    plan = waiting.until_read(lambda: _planned(scans, named_from))
    run_ids = tuple(unit.run_id for unit in plan.units)
    numbering = _Numbering(plan)
    is_sure = False
    for units in Slicer().slices(looked_at(plan.units, waiting)):
        content = pickled(numbering.part(units))
        if not is_sure:
            unpickled(content, Part)
            is_sure = not third_party()[0]  # whose claims may hold what no claim should
        pipe.send_bytes(_PART + content)
    if is_any_aside():
        raise UnansweredError(roots[0])
    problems = {scan.root: scan.problems for scan in scans}
    outline = Outline(problems, run_ids, plan.runs_of_source, numbering.n_sources)
    pipe.send_bytes(_OUTLINE + pickled(outline))


def _planned(scans: Sequence[Scan], named_from: Sequence[str]) -> Plan:
    adapters = {adapter.name: adapter for adapter in load_adapters()}
    return plan_first(join_records(find_all(scans), adapters, lambda _paths: {}), named_from)


class _Numbering:
    """Gives the sources their ids."""

    def __init__(self, plan: Plan) -> None:
        self.n_sources = 0
        self._plan = plan
        self._shared: dict[SourceKey, int] = {}

    def part(self, units: tuple[UnitPlan, ...]) -> Part:
        """Runs with the ids of their sources; those of a source that tells of several runs are one."""
        keys = dict.fromkeys(source_key(member) for unit in units for member in unit.unit.members)
        return Part(units, {key: self._id(key) for key in keys}, frozenset(filter(self._plan.is_shared, keys)))

    def _id(self, key: SourceKey) -> int:
        known = self._shared.get(key)
        if known is not None:
            return known
        self.n_sources += 1
        if self._plan.is_shared(key):
            self._shared[key] = self.n_sources
        return self.n_sources
