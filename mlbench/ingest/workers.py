"""Reading runs in several processes: each takes whole runs and leaves their points in a segment.

A task is a pure function of paths and of what the committing process hands out (ids, salt): done twice it gives the
same segment. Workers are started before the catalog is opened, since a process that has DuckDB open must not fork.
"""

from __future__ import annotations

import gc
import importlib
import multiprocessing
import os
import pkgutil
import signal
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from functools import cache, partial

from mlbench.adapters import load_adapters
from mlbench.catalog.segments import Stored
from mlbench.catalog.tables import Packed, packed
from mlbench.dataclass import dataclass
from mlbench.ingest.draft import Draft, SourceReading
from mlbench.ingest.filing import FiledRun, Filer, ReadRun
from mlbench.ingest.fingerprint import fingerprint_of
from mlbench.ingest.laying import Laying
from mlbench.ingest.mixing import note_mixing
from mlbench.ingest.plan import SourceKey, UnitPlan, source_key
from mlbench.ingest.read import Reading, read_source
from mlbench.ingest.shelf import Shelf, Span
from mlbench.ingest.slicing import PackedPart, Part
from mlbench.ingest.thrift import import_arrow, import_numpy, keep_freed_memory
from mlbench.model import Adapter, Claim, Role
from mlbench.wire.patience import HangsError, LeavingError, Patience, check, note, widen

MIN_FORK_BYTES = 16 << 20
MIN_SPAWN_BYTES = 64 << 20
"""Less than this is read sooner than two processes are started, by forking or from nothing."""
MAX_WORKERS = 4
"""More do not help the one process that commits, and each costs some 100 MB while it reads."""
_PARENT_POLL_S = 1.0


@dataclass(frozen=True, slots=True)
class Task:
    """Runs to be read by one process, none of whose sources the catalog knows."""

    part: Part | PackedPart
    first_series_id: int
    points_folder: str
    salt: bytes


@dataclass(frozen=True, slots=True)
class TaskDone:
    runs: tuple[FiledRun, ...]
    tables: dict[str, Packed]
    """The rows of the runs and of their own sources by table."""
    stored: tuple[Stored, ...]


def do_task(
    task: Task, adapters: Mapping[str, Adapter] | None = None, filer: Filer | None = None,
    is_stopped: Callable[[], bool] = lambda: False,
) -> TaskDone:  # fmt: skip
    """Read the runs of a task, store their points and make their rows.

    Args:
        task: what to read.
        adapters: by name; in another process, those that it finds itself.
        filer: makes the rows; in another process, its own.
        is_stopped: asked before each run; those that were read are kept.

    A source that hangs is set aside, and the others are read again.

    Raises:
        HomeError: the points cannot be stored.
    """
    adapters = {adapter.name: adapter for adapter in load_adapters()} if adapters is None else adapters
    filer = filer or _own_filer()
    waiting, before, n_tries = Patience(is_stopped), filer.take(), 0
    try:
        while n_tries < 2:
            try:
                return waiting.call(partial(_read_task, task, adapters, filer, is_stopped))
            except HangsError as error:
                filer.begin_anew()
                if error.is_known:
                    n_tries += 1
                    _set_aside_all(task, error.path)
    except LeavingError:
        filer.begin_anew()
    finally:
        filer.rows = before
        waiting.rest()
    return TaskDone((), {}, ())


def _set_aside_all(task: Task, path: str) -> None:
    """All that a task would read, where nobody knows what of it hangs."""
    for unit in task.part.opened().units:
        widen(path, unit.unit.folder)
        for member in unit.unit.members:
            widen(path, member.claimed.claim.path)


def _read_task(task: Task, adapters: Mapping[str, Adapter], filer: Filer, is_stopped: Callable[[], bool]) -> TaskDone:
    shelf = Shelf(task.points_folder, task.first_series_id)
    shared: dict[SourceKey, Reading] = {}
    runs: list[FiledRun] = []
    part = task.part.opened()
    for unit in part.units:
        if is_stopped():
            break
        # By a function, so that nothing which was read of the last run is still named here when the points are stored.
        runs.append(_read_unit(unit, part, task.salt, adapters, filer, shelf, shared))
    check()
    tables = {table: packed(rows) for table, rows in filer.take().as_tables().items()}
    stored = tuple(replace(one, series=packed(one.series)) for one in shelf.store())
    return TaskDone(tuple(runs), tables, stored)


@cache
def _own_filer() -> Filer:
    """That of a process which does tasks for one ingest and then ends."""
    return Filer({adapter.name: adapter.version for adapter in load_adapters()})


def _read_unit(
    unit: UnitPlan, part: Part, salt: bytes, adapters: Mapping[str, Adapter], filer: Filer, shelf: Shelf,
    shared: dict[SourceKey, Reading],
) -> FiledRun:  # fmt: skip
    sources: list[SourceReading] = []
    with Laying(shelf.folder) as laying:
        for member in unit.unit.members:
            key = source_key(member)
            reading = shared.get(key)
            if reading is None:
                mine = None if member.is_inherited else laying
                reading = read_source(adapters[key[0]], member.claimed.claim, None, salt=salt, laying=mine)
            if member.is_inherited:
                shared[key] = reading
            sources.append(SourceReading(member, part.source_ids[key], reading))
        run = put_away(unit, sources, shelf)
    return filer.add(run, part.shared, filer.attribute(run))


def put_away(unit: UnitPlan, sources: list[SourceReading], shelf: Shelf) -> ReadRun:
    """Lay a run's points on the shelf and keep the rest."""
    note_mixing(sources)
    draft = Draft(unit.unit, unit.root, sources)
    fingerprint = fingerprint_of(unit.unit, draft.said_at_start)
    check()
    span = Span() if draft.is_sweep_only else shelf.add(draft)
    return ReadRun(unit, draft, span, fingerprint)


class Workers:
    """Processes that do tasks. Without any, or when one died, tasks are done here."""

    def __init__(self) -> None:
        self._pool: ProcessPoolExecutor | None = None
        self._ahead = 0
        self._ending: threading.Thread | None = None

    def start(self, n_bytes: int, *, may_fork: bool) -> None:
        """Start as many processes as are worth it for reading so much, unless they run already.

        Only a main thread does: in a thread of the workbench, which has put its own streams in the place of the
        terminal's, nothing can be started.

        Args:
            n_bytes: of the sources to be read.
            may_fork: this process has no catalog open.
        """
        if threading.current_thread() is not threading.main_thread():
            return
        may_fork = may_fork and can_fork()
        n_workers = _useful(n_bytes, may_fork=may_fork)
        if n_workers and self._pool is None:
            self._pool = _start(n_workers, may_fork=may_fork)
            self._ahead = 2 * n_workers

    def do(
        self, tasks: Iterator[Task], adapters: Mapping[str, Adapter], filer: Filer, is_stopped: Callable[[], bool],
        meanwhile: Callable[[], object] = lambda: None,
    ) -> Iterator[TaskDone]:  # fmt: skip
        """The tasks' results, in the order in which they become ready; no more of them once it is stopped.

        The processes end with the last one, while what was read is published; tasks that come later are done here.

        Args:
            tasks: what is to be read.
            adapters: as `do_task` wants them.
            filer: as `do_task` wants it.
            is_stopped: asked before each task.
            meanwhile: called each time when all processes have something to do.
        """

        def here(task: Task) -> TaskDone:
            return do_task(task, adapters, filer, is_stopped)

        pending: dict[Future[TaskDone], Task] = {}
        for task in tasks:
            if self._pool is not None and is_stopped():
                break
            future = self._submit(task)
            if future is None:
                yield here(task)
                continue
            pending[future] = task
            if len(pending) >= self._ahead:
                meanwhile()
                yield from self._ready(pending, here)
        while pending:
            yield from self._ready(pending, here)
        self._end()

    def _submit(self, task: Task) -> Future[TaskDone] | None:
        """Give a task to a process; None where there is none."""
        try:
            return self._pool.submit(do_task, task) if self._pool is not None else None
        except BrokenProcessPool:
            self._pool = None
            return None

    def _ready(self, pending: dict[Future[TaskDone], Task], here: Callable[[Task], TaskDone]) -> Iterator[TaskDone]:
        """What is done; tasks of a process that was killed, most likely for its memory, are done one at a time."""
        done, _others = wait(pending, return_when=FIRST_COMPLETED)
        for future in done:
            task = pending.pop(future)
            try:
                yield future.result()
            except BrokenProcessPool:
                self._pool = None
                yield here(task)

    def close(self) -> None:
        """Let the processes end when they have done what they are at, and wait for that.

        Nobody else does: at the end of Python the pool's thread and the interpreter close the same pipe, and one of
        them tells of a bad descriptor.
        """
        self._end()
        if self._ending is not None:
            self._ending.join()

    def _end(self) -> None:
        """Let the processes end beside what is done here: to give their memory back takes 30 ms."""
        if self._pool is not None:
            end = partial(self._pool.shutdown, wait=True, cancel_futures=True)
            self._pool, self._ending = None, threading.Thread(target=end)
            self._ending.start()


def can_fork() -> bool:
    """Whether this process may be forked as it is: only one that has a single thread."""
    return threading.active_count() == 1 and "fork" in multiprocessing.get_all_start_methods()


def will_fork(n_bytes: int) -> bool:
    """Whether processes will be forked to read so much."""
    is_main = threading.current_thread() is threading.main_thread()
    return is_main and can_fork() and _useful(n_bytes, may_fork=True) > 0


def _useful(n_bytes: int, *, may_fork: bool) -> int:
    """How many processes are worth starting: none for little, or on one processor."""
    if n_bytes < (MIN_FORK_BYTES if may_fork else MIN_SPAWN_BYTES):
        return 0
    n_cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(n_cores, MAX_WORKERS) if n_cores > 1 else 0


def event_bytes(claims: Iterable[Claim]) -> int:
    """The size of the event files and metric files among these; those that are gone count nothing."""
    total = 0
    for claim in claims:
        if claim.role in {Role.EVENTS, Role.METRICS}:
            try:
                note(claim.path)
                total += os.stat(claim.path).st_size
            except OSError:
                continue
    return total


def _start(n_workers: int, *, may_fork: bool) -> ProcessPoolExecutor | None:
    """Start the processes: forked with all modules loaded once, else each from nothing; None where that fails."""
    if may_fork:
        _load()
    context = multiprocessing.get_context("fork" if may_fork else "spawn")
    try:
        with ctrl_c_held() if may_fork else nullcontext():
            pool = ProcessPoolExecutor(n_workers, mp_context=context, initializer=_begin, initargs=(os.getpid(),))
            begun = pool.submit(_load)
        if not may_fork:  # a forked process has all it needs, and the walk goes on while it begins
            begun.result()
    except (OSError, ValueError, BrokenProcessPool):  # ValueError: streams that no process can inherit
        return None
    return pool


@contextmanager
def ctrl_c_held() -> Iterator[None]:
    """Keep ctrl+c until processes are forked: they begin without it, and would tell of it before they ignore it."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _load() -> None:
    """Import what reading needs, so that forked processes share it."""
    import_numpy()
    import_arrow()
    import pyarrow as pa
    import pyarrow._parquet  # what writes segments

    import mlbench.wire

    pa.array([""])  # the first list makes Arrow import more

    for module in pkgutil.iter_modules(mlbench.wire.__path__, "mlbench.wire."):
        if not module.ispkg:
            importlib.import_module(module.name)
    load_adapters()


def _begin(parent: int) -> None:
    """In a new process: ctrl+c is the parent's affair, and without the parent there is nothing to do."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # Facts hold no cycles: looking for them costs a tenth of the reading, and copies the pages shared with the parent.
    gc.freeze()
    gc.disable()
    keep_freed_memory()
    threading.Thread(target=_end_with, args=(parent,), daemon=True).start()


def _end_with(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(_PARENT_POLL_S)
    os._exit(1)
