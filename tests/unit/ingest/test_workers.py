"""Reading in several processes: the same catalog as from one, and no process that outlives its parent."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from mlbench.adapters import load_adapters
from mlbench.catalog.reader import open_reader
from mlbench.catalog.segments import Segment, write_segment
from mlbench.catalog.tables import Packed
from mlbench.ingest import shelf, slicing
from mlbench.ingest import workers as module
from mlbench.ingest.filing import Filer, ReadRun
from mlbench.ingest.plan import UnitPlan, source_key
from mlbench.ingest.read import Reading, read_source
from mlbench.ingest.run import ingest_paths
from mlbench.ingest.slicing import Part, Slicer
from mlbench.ingest.workers import Task, TaskDone, Workers, do_task
from mlbench.model import Adapter
from mlbench.paths import Home
from tests.events import scalar_file
from tests.paths import ROOT
from tests.unit.ingest.sources import unit_of

LOGS = ROOT / "sample_runs" / "logs"
LOG = "events.out.tfevents.1700000000.host"


@pytest.fixture
def adapters() -> dict[str, Adapter]:
    return {adapter.name: adapter for adapter in load_adapters()}


@pytest.fixture
def pool(monkeypatch: pytest.MonkeyPatch) -> Iterator[Workers]:
    """Two forked workers, whatever the machine has."""
    monkeypatch.setattr(module, "_useful", lambda n_bytes, *, may_fork: 2 if may_fork else 0)
    monkeypatch.setattr("threading.active_count", lambda: 1)
    workers = Workers()
    yield workers
    workers.close()


def made_runs(folder: Path, n: int) -> list[UnitPlan]:
    for number in range(n):
        scalar_file(folder / f"run{number}" / LOG, {"loss": [(1, number / 8), (2, number / 4)]})
    return [
        unit_of(str(folder / f"run{number}"), str(folder / f"run{number}" / LOG), root=str(folder))
        for number in range(n)
    ]


def task(units: list[UnitPlan], folder: Path, first_series_id: int = 0) -> Task:
    ids = {source_key(member): number for number, unit in enumerate(units) for member in unit.unit.members}
    return Task(Part(tuple(units), ids), first_series_id, str(folder / "points"), b"salt")


def filer() -> Filer:
    return Filer({adapter.name: adapter.version for adapter in load_adapters()})


def names(done: TaskDone) -> list[str]:
    return [os.path.basename(path) for path in done.tables["run"].table()["path"].to_pylist()]


def worker_ids(workers: Workers) -> list[int]:
    pool = workers._pool
    assert pool is not None
    return sorted(pool._processes)


def wait_until(is_true: Callable[[], bool], seconds: float = 20) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if is_true():
            return True
        time.sleep(0.05)
    return False


def is_alive(pid: int) -> bool:
    """Whether a process runs; one that has ended and waits to be collected does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):  # the latter where it is collected between opening and reading
        return False


# ---------------------------------------------------------------- slices


def sized(n_bytes: int) -> UnitPlan:
    unit = unit_of(f"/logs/{n_bytes}", "/nowhere/events", root="/logs")
    ((key, stamp),) = unit.stamps.items()
    return replace(unit, stamps={key: replace(stamp, size_bytes=n_bytes)})


def sliced(*sizes: int, slicer: Slicer | None = None) -> list[list[int]]:
    slicer = slicer or Slicer(limit_bytes=100)
    return [[unit.size_bytes for unit in part] for part in slicer.slices([sized(size) for size in sizes])]


def test_runs_are_sliced_in_their_order_and_slices_grow() -> None:
    assert sliced(60, 50, 60, 60, 90, 1, 400, 2) == [[60, 50], [60, 60, 90], [1, 400], [2]]


def test_a_run_larger_than_a_slice_is_one() -> None:
    assert sliced(1000, 10, 10) == [[1000], [10, 10]]


def test_no_runs_are_no_slices() -> None:
    assert sliced() == []


def test_slices_stop_growing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(slicing, "TASK_BYTES", 150)

    assert sliced(100, 150, 150, 150) == [[100], [150], [150], [150]]


def test_many_small_runs_are_sliced_by_their_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(slicing, "TASK_RUNS", 2)

    assert sliced(1, 1, 1, 1, 1) == [[1, 1], [1, 1], [1]]


# ---------------------------------------------------------------- how many


def test_nothing_but_events_and_metric_files_counts_for_how_many_processes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []

    def useful(n_bytes: int, *, may_fork: bool) -> int:
        asked.append(n_bytes)
        return 0

    monkeypatch.setattr(module, "_useful", useful)
    scalar_file(tmp_path / "logs/a" / LOG, {"loss": [(1, 0.5)]})
    (tmp_path / "logs/a/progress.csv").write_text("step,loss\n" + "1,0.5\n" * 100)
    (tmp_path / "logs/a/args.json").write_text(json.dumps({"lr": 0.1, "name": "x" * 50_000}))
    (tmp_path / "logs/a/model.pt").write_bytes(bytes(100_000))

    ingest_paths(home_in(tmp_path), [str(tmp_path / "logs")])

    counted = [tmp_path / "logs/a" / name for name in (LOG, "progress.csv")]
    assert asked[0] == sum(path.stat().st_size for path in counted)


@pytest.mark.parametrize(
    ("n_bytes", "may_fork", "n_cores", "n"),
    [
        (module.MIN_FORK_BYTES - 1, True, 8, 0),
        (module.MIN_FORK_BYTES, True, 8, 4),
        (module.MIN_FORK_BYTES, True, 2, 2),
        (module.MIN_FORK_BYTES, True, 1, 0),
        (module.MIN_SPAWN_BYTES - 1, False, 8, 0),
        (module.MIN_SPAWN_BYTES, False, 3, 3),
    ],
)
def test_processes_are_started_where_they_are_worth_it(
    monkeypatch: pytest.MonkeyPatch, n_bytes: int, may_fork: bool, n_cores: int, n: int
) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _pid: set(range(n_cores)), raising=False)

    assert module._useful(n_bytes, may_fork=may_fork) == n


# ---------------------------------------------------------------- tasks


def test_a_task_done_twice_gives_the_same(tmp_path: Path) -> None:
    todo = task(made_runs(tmp_path, 2), tmp_path, first_series_id=40)

    first, second = do_task(todo), do_task(todo)

    (stored,) = first.stored
    assert isinstance(stored.series, Packed)
    assert first.stored == second.stored
    assert stored.series.table()["series_id"].to_pylist() == [40, 41]
    assert names(first) == ["run0", "run1"]
    assert [(run.n_sources, run.n_points, run.shared) for run in first.runs] == [(1, 2, ()), (1, 2, ())]
    assert first.tables["run"] == second.tables["run"]
    assert first.tables["source"].table()["run_ids"].to_pylist() == [[run.run_id] for run in first.runs]


def test_what_was_read_is_let_go_before_the_segment_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    held: list[weakref.ref[Any]] = []
    left: list[bool] = []

    def noting(*asked: Any, **named: Any) -> Reading:
        reading = read_source(*asked, **named)
        assert reading.points is not None
        held.append(weakref.ref(reading.points.wall_s))
        return reading

    def write(*asked: Any, **named: Any) -> Segment:
        left.extend(ref() is not None for ref in held)
        return write_segment(*asked, **named)

    monkeypatch.setattr(module, "read_source", noting)
    monkeypatch.setattr(shelf, "write_segment", write)
    done = do_task(task(made_runs(tmp_path, 3), tmp_path))

    assert len(done.runs) == 3
    assert left == [False, False, False]


def test_sources_that_tell_of_other_runs_are_left_to_the_committing_process(tmp_path: Path) -> None:
    todo = task(made_runs(tmp_path, 2), tmp_path)
    part = todo.part.opened()
    (key,) = part.units[1].stamps

    done = do_task(replace(todo, part=replace(part, shared=frozenset({key}))))

    assert done.tables["source"].table()["source_id"].to_pylist() == [0]
    assert [[source.source_id for source in run.shared] for run in done.runs] == [[], [1]]
    assert [source.reading.points for run in done.runs for source in run.shared] == [None]
    assert done.runs[0].unit is None
    assert done.runs[1].unit == replace(part.units[1], unit=replace(part.units[1].unit, members=[]))


def test_a_task_that_is_stopped_keeps_the_runs_it_has_read(tmp_path: Path, adapters: dict[str, Adapter]) -> None:
    answers = iter([False, False, True])

    done = do_task(task(made_runs(tmp_path, 4), tmp_path), adapters, filer(), lambda: next(answers))

    assert names(done) == ["run0", "run1"]
    assert [stored.segment.n_rows for stored in done.stored] == [4]


def test_without_processes_tasks_are_done_here_in_their_order(tmp_path: Path, adapters: dict[str, Adapter]) -> None:
    units = made_runs(tmp_path, 3)
    workers = Workers()
    workers.start(1, may_fork=True)

    found = list(workers.do((task([unit], tmp_path) for unit in units), adapters, filer(), lambda: False))
    workers.close()

    assert [names(done) for done in found] == [["run0"], ["run1"], ["run2"]]


def test_processes_do_all_tasks_and_leave_the_points_in_segments(
    tmp_path: Path, adapters: dict[str, Adapter], pool: Workers
) -> None:
    units = made_runs(tmp_path, 9)
    pool.start(1, may_fork=True)
    assert len(worker_ids(pool)) == 2

    found = list(
        pool.do((task([unit], tmp_path, 10 * n) for n, unit in enumerate(units)), adapters, filer(), lambda: False)
    )

    assert sorted(name for done in found for name in names(done)) == [f"run{number}" for number in range(9)]
    alone = do_task(task([units[3]], tmp_path, 30))
    assert alone.stored in [done.stored for done in found] or alone.stored is not None
    written = {stored.segment.file for done in found for stored in done.stored}
    assert written == set(os.listdir(tmp_path / "points"))


def test_other_work_is_done_while_all_processes_have_something_to_do(
    tmp_path: Path, pool: Workers, adapters: dict[str, Adapter]
) -> None:
    units = made_runs(tmp_path, 6)
    pool.start(1, may_fork=True)
    given: list[int] = []
    given_then: list[int] = []

    def tasks() -> Iterator[Task]:
        for n, unit in enumerate(units):
            given.append(n)
            yield task([unit], tmp_path, 10 * n)

    def other_work() -> None:
        given_then.append(len(given))

    found = list(pool.do(tasks(), adapters, filer(), lambda: False, other_work))

    assert len(found) == len(given) == 6
    assert given_then[0] == 4


def test_no_task_is_begun_after_a_stop_and_those_begun_are_kept(
    tmp_path: Path, adapters: dict[str, Adapter], pool: Workers
) -> None:
    units = made_runs(tmp_path, 8)
    pool.start(1, may_fork=True)
    answers = iter([False, False, True])

    found = list(pool.do((task([unit], tmp_path) for unit in units), adapters, filer(), lambda: next(answers)))

    assert sorted(name for done in found for name in names(done)) == ["run0", "run1"]


def test_a_process_that_is_killed_at_its_task_is_survived(
    tmp_path: Path, adapters: dict[str, Adapter], pool: Workers, monkeypatch: pytest.MonkeyPatch
) -> None:
    units = made_runs(tmp_path, 9)
    parent = os.getpid()
    put_away = module.put_away

    def die_at_run3(unit: UnitPlan, *rest: Any) -> ReadRun:
        if os.getpid() != parent and unit is not None and unit.unit.folder.endswith("run3"):
            os.kill(os.getpid(), signal.SIGKILL)
        return put_away(unit, *rest)

    monkeypatch.setattr(module, "put_away", die_at_run3)
    pool.start(1, may_fork=True)
    pool._ahead = 9  # all are handed out before one is taken back

    found = list(pool.do((task([unit], tmp_path) for unit in units), adapters, filer(), lambda: False))

    assert sorted(name for done in found for name in names(done)) == [f"run{number}" for number in range(9)]
    assert pool._pool is None


def test_a_process_that_is_killed_between_two_tasks_is_survived(
    tmp_path: Path, adapters: dict[str, Adapter], pool: Workers
) -> None:
    units = made_runs(tmp_path, 5)
    pool.start(1, may_fork=True)
    broken = worker_ids(pool)

    def tasks() -> Iterator[Task]:
        for number, unit in enumerate(units):
            if number == 2:
                os.kill(broken[0], signal.SIGKILL)
                assert wait_until(lambda: not any(map(is_alive, broken)))  # the pool ends the other one
            yield task([unit], tmp_path)

    found: list[TaskDone] = list(pool.do(tasks(), adapters, filer(), lambda: False))

    assert sorted(name for done in found for name in names(done)) == [f"run{number}" for number in range(5)]


def test_processes_end_with_their_work(pool: Workers) -> None:
    pool.start(1, may_fork=True)
    ids = worker_ids(pool)

    pool.close()

    assert wait_until(lambda: not any(map(is_alive, ids)))


def test_where_processes_cannot_be_started_there_are_none(monkeypatch: pytest.MonkeyPatch, pool: Workers) -> None:
    def refuse(*_args: object, **_more: object) -> Any:
        raise OSError(11, "Resource temporarily unavailable")

    monkeypatch.setattr(module, "ProcessPoolExecutor", refuse)

    pool.start(1, may_fork=True)

    assert pool._pool is None


def test_a_process_with_threads_does_not_fork(monkeypatch: pytest.MonkeyPatch, pool: Workers) -> None:
    monkeypatch.setattr("threading.active_count", lambda: 2)

    pool.start(1, may_fork=True)

    assert pool._pool is None


# ---------------------------------------------------------------- the whole way

PARENT = """
import os, sys, time
from mlbench.ingest import workers as module
module._useful = lambda n_bytes, *, may_fork: 2
workers = module.Workers()
workers.start(1, may_fork=True)
print(*workers._pool._processes, flush=True)
time.sleep(60)
"""


def test_processes_end_when_their_parent_is_killed() -> None:
    parent = subprocess.Popen([sys.executable, "-c", PARENT], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    ids = [int(pid) for pid in parent.stdout.readline().split()]
    assert len(ids) == 2
    assert all(map(is_alive, ids))

    parent.kill()
    parent.wait()
    parent.stdout.close()

    assert wait_until(lambda: not any(map(is_alive, ids)))


def test_ctrl_c_is_the_parents_affair() -> None:
    parent = subprocess.Popen([sys.executable, "-c", PARENT], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    ids = [int(pid) for pid in parent.stdout.readline().split()]

    for pid in ids:
        os.kill(pid, signal.SIGINT)
    time.sleep(0.3)
    were_alive = all(map(is_alive, ids))
    parent.kill()
    parent.wait()
    parent.stdout.close()

    assert were_alive
    assert wait_until(lambda: not any(map(is_alive, ids)))


def test_ctrl_c_in_the_moment_of_a_fork_is_the_parents_affair_too() -> None:
    early = "import signal\nos.register_at_fork(after_in_child=lambda: os.kill(os.getpid(), signal.SIGINT))\n"
    script = PARENT.replace("from mlbench", early + "from mlbench", 1).replace("time.sleep(60)", "workers.close()")

    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=True)

    assert len(ended.stdout.split()) == 2
    assert ended.stderr == ""


def test_after_ctrl_c_everything_ends_and_only_the_parent_has_something_to_say() -> None:
    script = PARENT.replace("time.sleep(60)", "try:\n    time.sleep(60)\nfinally:\n    workers.close()")
    parent = subprocess.Popen(
        [sys.executable, "-c", script],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
    )  # fmt: skip
    assert parent.stdout is not None
    ids = [int(pid) for pid in parent.stdout.readline().split()]

    os.killpg(parent.pid, signal.SIGINT)
    _output, errors = parent.communicate(timeout=20)

    assert errors.count("Traceback") == 1
    assert errors.rstrip().endswith("KeyboardInterrupt")
    assert wait_until(lambda: not any(map(is_alive, ids)))


QUESTIONS = {
    # Its row in the wide pivot is that of the order of commits.
    "runs": "SELECT COLUMNS(lambda name: name <> 'run_no') FROM run ORDER BY path",
    "series": "SELECT r.path, s.* EXCLUDE (run_id, series_id) FROM series s JOIN run r USING (run_id) ORDER BY ALL",
    "params": "SELECT r.path, p.* EXCLUDE (run_id) FROM param p JOIN run r USING (run_id) ORDER BY ALL",
    "blobs": "SELECT r.path AS of_run, b.* EXCLUDE (run_id) FROM blob b JOIN run r USING (run_id) ORDER BY ALL",
    "sources": "SELECT * EXCLUDE (source_id, read_s) FROM source ORDER BY adapter, path",
}


def answers(home: Home, logs: Path) -> dict[str, str]:
    ingest_paths(home, [str(logs)])
    with open_reader(home, now_s=2e9) as reader:
        found = {name: json.dumps(reader.rows(sql), default=str) for name, sql in QUESTIONS.items()}
        ids = reader.rows(
            "SELECT series_id FROM series s JOIN run r USING (run_id) ORDER BY r.path, s.metric, s.source_run"
        )
        points = [reader.points([series_id]).drop_columns(["series_id", "source_id"]) for (series_id,) in ids]
    return {**found, "points": str([table.to_pylist() for table in points])}


def home_in(folder: Path) -> Home:
    return Home(str(folder / "journal"), str(folder / "cache"), "test")


def test_two_processes_make_the_same_catalog_as_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    alone = answers(home_in(tmp_path / "alone"), LOGS)
    started: list[int] = []
    start = module._start

    def counted(n_workers: int, *, may_fork: bool) -> Any:
        pool = start(n_workers, may_fork=may_fork)
        started.append(n_workers)
        assert pool is not None
        return pool

    monkeypatch.setattr(module, "_useful", lambda n_bytes, *, may_fork: 2 if may_fork else 0)
    monkeypatch.setattr("threading.active_count", lambda: 1)
    monkeypatch.setattr(module, "_start", counted)
    monkeypatch.setattr(slicing, "TASK_RUNS", 3)
    together = answers(home_in(tmp_path / "together"), LOGS)

    assert started == [2]
    for name, rows in alone.items():
        assert rows != "[]", name
        assert together[name] == rows, name


def test_a_thread_of_the_workbench_starts_no_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_useful", lambda n_bytes, *, may_fork: 2)
    workers = Workers()

    thread = threading.Thread(target=workers.start, args=(1 << 40,), kwargs={"may_fork": True})
    thread.start()
    thread.join()

    assert workers._pool is None


def test_streams_that_no_process_can_inherit_leave_the_reading_here(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*args: object, **options: object) -> None:
        raise ValueError("bad value(s) in fds_to_keep")

    monkeypatch.setattr(module, "ProcessPoolExecutor", refused)

    assert module._start(2, may_fork=False) is None
