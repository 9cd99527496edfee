"""Reads that do not return, as on a mount that is gone: set aside and told, and everything else goes on.

What hangs is a system call that waits for an event of the test; nothing but the end of the test lets it go on.
"""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from mlbench.catalog.reader import open_reader
from mlbench.errors import SourceError
from mlbench.ingest import slicing, workers
from mlbench.ingest.run import ingest_paths
from mlbench.journal import RunRef, open_journal
from mlbench.paths import Home
from mlbench.watch import Watcher
from mlbench.wire import patience
from tests.events import scalar_file
from tests.reliability.test_changing_sources import problems, values
from tests.reliability.trees import LOG

STEPS = 6


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"STILL_S": 0.6, "STILL_AGAIN_S": 0.3, "POLL_S": 0.03}.items():
        monkeypatch.setattr(patience, name, value)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(str(tmp_path / "home/journal"), str(tmp_path / "home/cache"), "test")


def add_run(logs: Path, name: str, steps: range = range(STEPS), *, append: bool = False) -> None:
    scalar_file(logs / name / LOG, {"loss": [(step, 1 / (step + 1)) for step in steps]}, append=append)


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    for name in "abc":
        add_run(tmp_path / "logs", name)
    return tmp_path / "logs"


class Mount:
    """Paths that do not answer until `answer`."""

    def __init__(self) -> None:
        self.dead: tuple[str, ...] = ()
        self.calls: tuple[str, ...] = ("open", "scandir", "stat", "lstat")
        self.goes_on = threading.Event()
        self.n_hanging = 0
        self.others = frozenset(threading.enumerate())
        """Threads of tests before this one, which need not end."""

    def hang(self, *paths: Path) -> None:
        self.dead = tuple(map(str, paths))

    def wait(self, name: str, path: object) -> None:
        text = os.fsdecode(path) if isinstance(path, str | bytes | os.PathLike) else ""
        if name in self.calls and any(text == dead or text.startswith(dead + os.sep) for dead in self.dead):
            assert threading.current_thread().name == "reading", "whoever waits here cannot be left behind"
            self.n_hanging += 1
            self.goes_on.wait(30)

    def answer(self) -> None:
        """All calls return, and their threads end."""
        self.dead = ()
        self.goes_on.set()
        until = time.monotonic() + 5
        while self.is_any_reading() and time.monotonic() < until:
            time.sleep(0.01)

    def is_any_reading(self) -> bool:
        return any(thread.name == "reading" for thread in {*threading.enumerate()} - self.others)


@pytest.fixture
def mount(monkeypatch: pytest.MonkeyPatch) -> Iterator[Mount]:
    made = Mount()

    def waiting(name: str, call: Callable[..., Any]) -> Callable[..., Any]:
        def called(path: object = ".", *rest: Any, **more: Any) -> Any:
            made.wait(name, path)
            return call(path, *rest, **more)

        return called

    for name in made.calls:
        monkeypatch.setattr(os, name, waiting(name, getattr(os, name)))
    yield made
    made.answer()
    patience.answered()


def test_a_new_run_that_hangs_is_told_and_the_others_are_read(home: Home, logs: Path, mount: Mount) -> None:
    mount.hang(logs / "a" / LOG)

    summary = ingest_paths(home, [str(logs)])

    assert sorted(values(home)) == ["b", "c"]
    assert any("does not answer" in what for what in problems(home))
    assert summary.n_problems > 0
    mount.answer()
    ingest_paths(home, [str(logs)])
    assert sorted(values(home)) == ["a", "b", "c"]
    assert problems(home) == []


def test_nobody_waits_for_it_a_second_time(home: Home, logs: Path, mount: Mount) -> None:
    mount.hang(logs / "a" / LOG)
    ingest_paths(home, [str(logs)])
    n_hanging = mount.n_hanging

    for _again in range(3):
        ingest_paths(home, [str(logs)])

    assert mount.n_hanging == n_hanging


def test_a_known_run_that_hangs_keeps_its_points_and_the_others_get_theirs(
    home: Home, logs: Path, mount: Mount
) -> None:
    ingest_paths(home, [str(logs)])
    for name in "abc":
        add_run(logs, name, range(STEPS, STEPS + 2), append=True)
    mount.hang(logs / "b" / LOG)

    for _twice in range(2):
        ingest_paths(home, [str(logs)])

    assert {name: len(points) for name, points in values(home).items()} == {"a": 8, "b": 6, "c": 8}
    assert [what for what in problems(home) if "does not answer" in what] == [patience.WHAT]
    mount.answer()
    ingest_paths(home, [str(logs)])
    assert {len(points) for points in values(home).values()} == {8}
    assert problems(home) == []


def test_of_a_run_that_has_not_changed_meanwhile_nothing_is_told_any_more(home: Home, logs: Path, mount: Mount) -> None:
    ingest_paths(home, [str(logs)])
    mount.hang(logs / "b" / LOG)
    add_run(logs, "c", range(STEPS, STEPS + 1), append=True)
    for _twice in range(2):
        ingest_paths(home, [str(logs)])
    while_hanging = problems(home)

    mount.answer()
    ingest_paths(home, [str(logs)])

    assert while_hanging == [patience.WHAT]
    assert problems(home) == []
    assert {name: len(points) for name, points in values(home).items()} == {"a": 6, "b": 6, "c": 7}


@pytest.mark.parametrize("is_known", [True, False])
def test_a_folder_that_hangs_hides_its_runs_and_no_others(home: Home, logs: Path, mount: Mount, is_known: bool) -> None:
    if is_known:
        ingest_paths(home, [str(logs)])
    add_run(logs, "d")
    mount.hang(logs / "b")

    ingest_paths(home, [str(logs)])

    with open_reader(home) as reader:
        rows = dict(reader.rows("SELECT name, is_missing FROM run"))
    assert rows == dict.fromkeys("abcd" if is_known else "acd", False)
    assert problems(home) == [patience.WHAT]
    mount.answer()
    ingest_paths(home, [str(logs)])
    assert sorted(values(home)) == ["a", "b", "c", "d"]
    assert problems(home) == []


def test_a_file_that_hangs_when_it_is_looked_into_hides_its_folder(home: Home, logs: Path, mount: Mount) -> None:
    (logs / "table").mkdir()
    (logs / "table" / "metrics.csv").write_text("step,loss\n0,1.0\n1,0.5\n")
    ingest_paths(home, [str(logs)])
    before = values(home)
    add_run(logs, "d")
    mount.hang(logs / "table" / "metrics.csv")

    ingest_paths(home, [str(logs)], rebuild=False)

    assert values(home) == {**before, "d": before["a"]}
    mount.answer()
    ingest_paths(home, [str(logs)])
    assert problems(home) == []


def test_of_a_mount_that_is_gone_a_few_places_are_tried_and_not_all(
    home: Home, tmp_path: Path, mount: Mount, monkeypatch: pytest.MonkeyPatch
) -> None:
    near, far = tmp_path / "logs" / "near", tmp_path / "logs" / "far"
    for number in range(30):
        add_run(far, f"f{number}")
    add_run(near, "n")
    monkeypatch.setattr(patience, "mount_of", lambda path: str(far) if path.startswith(str(far)) else "/")
    mount.hang(*(far / f"f{number}" / LOG for number in range(30)))

    ingest_paths(home, [str(tmp_path / "logs")])

    assert sorted(values(home)) == ["near/n"]
    assert mount.n_hanging == patience.MOST_OF_A_MOUNT
    mount.answer()
    ingest_paths(home, [str(tmp_path / "logs")])
    assert len(values(home)) == 31


def test_data_that_a_parameter_names_may_hang(home: Home, logs: Path, mount: Mount, tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    (logs / "a" / "config.json").write_text(json.dumps({"data_dir": f"{gone}/set", "lr": 0.1}))
    mount.hang(gone)

    ingest_paths(home, [str(logs)])

    assert sorted(values(home)) == ["a", "b", "c"]
    with open_reader(home) as reader:
        assert reader.rows("SELECT raw FROM param WHERE key = 'lr'") == [("0.1",)]
    assert patience.WHAT in problems(home)


def test_a_root_that_hangs_is_an_error_and_the_other_is_read(
    home: Home, logs: Path, mount: Mount, tmp_path: Path
) -> None:
    add_run(tmp_path / "other", "o")
    mount.hang(logs)

    summary = ingest_paths(home, [str(logs), str(tmp_path / "other")])

    assert [error for error in summary.errors if "does not answer" in error] != []
    assert list(values(home)) == ["o"]
    with pytest.raises(SourceError, match="does not answer"):
        ingest_paths(Home(str(tmp_path / "j"), str(tmp_path / "c"), "test"), [str(logs)])


def test_whoever_leaves_does_not_wait(home: Home, logs: Path, mount: Mount, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patience, "STILL_S", 600.0)
    mount.calls = ("open",)
    ingest_paths(home, [str(logs)])
    for name in "abc":
        add_run(logs, name, range(STEPS, STEPS + 2), append=True)
    mount.hang(logs / "b" / LOG)
    began = time.monotonic()

    summary = ingest_paths(home, [str(logs)], is_cancelled=lambda: mount.n_hanging > 0)

    assert summary.was_cancelled
    assert time.monotonic() - began < 60
    assert {name: len(points) for name, points in values(home).items()} == {"a": 8, "b": 6, "c": 6}


def test_whoever_follows_goes_on_and_catches_up(home: Home, logs: Path, mount: Mount) -> None:
    watcher = Watcher(home, [str(logs)])
    watcher.look()
    for name in "ab":
        add_run(logs, name, range(STEPS, STEPS + 2), append=True)
    mount.hang(logs / "a" / LOG)
    watcher.look()
    add_run(logs, "b", range(STEPS + 2, STEPS + 4), append=True)
    watcher.look()
    add_run(logs, "d")
    watcher.look()

    hanging = {name: len(points) for name, points in values(home).items()}
    mount.answer()
    watcher.look()

    assert hanging == {"a": 6, "b": 10, "c": 6, "d": 6}
    assert {name: len(points) for name, points in values(home).items()} == {"a": 8, "b": 10, "c": 6, "d": 6}
    assert problems(home) == []


def test_whoever_follows_goes_on_where_a_folder_hangs(home: Home, logs: Path, mount: Mount) -> None:
    watcher = Watcher(home, [str(logs)])
    watcher.look()
    mount.hang(logs / "a")
    for _look in range(2):
        add_run(logs, "b", range(STEPS, STEPS + 1), append=True)
        watcher.look()

    hanging = {name: len(points) for name, points in values(home).items()}
    mount.answer()
    add_run(logs, "a", range(STEPS, STEPS + 2), append=True)
    watcher.look()

    assert hanging == {"a": 6, "b": 8, "c": 6}
    assert len(values(home)["a"]) == 8


def test_a_read_that_hangs_keeps_nobody_from_asking_and_tagging(home: Home, logs: Path, mount: Mount) -> None:
    ingest_paths(home, [str(logs)])
    add_run(logs, "a", range(STEPS, STEPS + 1), append=True)
    mount.hang(logs / "a" / LOG)
    reading = threading.Thread(target=lambda: ingest_paths(home, [str(logs)]))
    reading.start()
    while not mount.n_hanging:
        time.sleep(0.01)

    with open_journal(home) as journal:
        journal.tag(RunRef(str(logs / "b")), add=["said meanwhile"])
    with open_reader(home) as reader:
        seen = reader.rows("SELECT r.name, t.tag FROM runs r JOIN tags t ON t.run_id = r.id")
    reading.join(60)

    assert seen == [("b", "said meanwhile")]
    assert not reading.is_alive()


def test_a_process_that_reads_sets_aside_what_hangs_and_reads_the_rest(
    home: Home, logs: Path, mount: Mount, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workers, "_useful", lambda _n_bytes, *, may_fork: 2 if may_fork else 0)
    monkeypatch.setattr(slicing, "TASK_RUNS", 2)
    monkeypatch.setattr(threading, "active_count", lambda: 1)
    mount.calls = ("open",)
    mount.hang(logs / "a" / LOG)

    ingest_paths(home, [str(logs)])

    assert sorted(values(home)) == ["b", "c"]
    assert mount.n_hanging == 0  # here: it was another process that hung
    assert any("does not answer" in what for what in problems(home))


def test_what_only_takes_long_is_waited_for(home: Home, logs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.open

    def slow(path: str, *rest: int, **more: int) -> int:
        until = time.process_time() + 1.5
        while str(path).endswith(f"a/{LOG}") and time.process_time() < until:
            pass
        return real(path, *rest, **more)

    monkeypatch.setattr(os, "open", slow)

    ingest_paths(home, [str(logs)])

    assert sorted(values(home)) == ["a", "b", "c"]
    assert problems(home) == []


@pytest.mark.parametrize("is_known", [False, True])
def test_where_the_home_is_slow_no_log_is_to_blame(
    home: Home, logs: Path, monkeypatch: pytest.MonkeyPatch, is_known: bool
) -> None:
    if is_known:
        ingest_paths(home, [str(logs)])
        for name in "abc":  # rewritten: what the catalog has of them is put together with what is new
            add_run(logs, name, range(STEPS - 2, STEPS + 2), append=True)
    real = os.fsync
    slow: list[str] = []

    def sync(fd: int) -> None:
        path = os.readlink(f"/proc/self/fd/{fd}")
        if path.startswith(home.points) and not slow:
            slow.append(path)
            time.sleep(3 * patience.STILL_S)
        real(fd)

    monkeypatch.setattr(os, "fsync", sync)

    ingest_paths(home, [str(logs)])

    assert len(slow) == 1
    assert problems(home) == []
    assert {len(points) for points in values(home).values()} == {STEPS + 4 if is_known else STEPS}


def test_the_mount_of_a_path_is_told_without_looking_at_it() -> None:
    assert patience.mount_of("/proc/self/status") == "/proc"
    assert patience.mount_of("relative") == "/"
