"""The walk of a first ingest by a process of its own: it gives what a walk here gives, or nothing."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from mlbench.adapters import load_adapters
from mlbench.catalog.reader import open_reader
from mlbench.catalog.writer import open_writer
from mlbench.ingest import run as running
from mlbench.ingest import slicing, survey, workers
from mlbench.ingest.ingesting import Ingest
from mlbench.ingest.plan import source_key
from mlbench.ingest.progress import Progress
from mlbench.ingest.run import Scanner, ingest_paths
from mlbench.ingest.scan import Scan
from mlbench.ingest.slicing import NotOursError, Part, packed_part, pickled, unpickled
from mlbench.ingest.survey import Survey, begin_survey
from mlbench.model import Adapter, Claim, Cursor, Listing, Role
from mlbench.paths import Home
from mlbench.wire import patience
from tests.events import scalar_file
from tests.reliability.trees import LOG
from tests.unit.ingest.sources import unit_of
from tests.unit.ingest.test_workers import LOGS, answers, home_in, is_alive, wait_until

Walk = Callable[[Sequence[str], Callable[[int], None]], list[Scan]]


@pytest.fixture
def forks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Processes are worth it, whatever is to be read, and may be forked beside the threads of the tests."""
    monkeypatch.setattr(workers, "_useful", lambda _n_bytes, *, may_fork: 2 if may_fork else 0)
    monkeypatch.setattr(threading, "active_count", lambda: 1)


@pytest.fixture
def used(monkeypatch: pytest.MonkeyPatch) -> list[Survey | None]:
    """The survey of each ingest, None where it had none."""
    found: list[Survey | None] = []
    real = Ingest.run

    def run(self: Ingest, scans: Sequence[Scan], given: Survey | None = None) -> object:
        found.append(given)
        return real(self, scans, given)

    monkeypatch.setattr(Ingest, "run", run)
    return found


def tree(folder: Path, n_runs: int = 5) -> Path:
    """Runs below a folder with a dump that tells of all of them."""
    for number in range(n_runs):
        scalar_file(folder / f"run{number}" / LOG, {"loss": [(1, number / 8), (2, number / 4)]})
    (folder / "config.yaml").write_text("lr: 0.1\n")
    return folder


def surveyed(root: Path, walk: Walk | None = None, told: list[int] | None = None) -> Survey | None:
    surveyor = begin_survey(walk or Scanner(lambda _progress: None).walk, [str(root)], [str(root)])
    assert surveyor is not None
    return surveyor.wait((told if told is not None else []).append, lambda: False)


# ---------------------------------------------------------------- what it finds


def test_every_run_is_in_one_part_and_every_source_has_an_id(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(slicing, "TASK_RUNS", 2)

    found = surveyed(tree(tmp_path))

    assert found is not None
    parts = [part.opened() for part in found.take_parts()]
    assert [len(part.units) for part in parts] == [2, 2, 1]
    assert not found.parts
    units = [unit for part in parts for unit in part.units]
    assert [unit.run_id for unit in units] == list(found.outline.run_ids)
    assert [Path(unit.unit.folder).name for unit in units] == [f"run{number}" for number in range(5)]
    assert all(stamp.size_bytes > 0 for unit in units for stamp in unit.stamps.values())
    ids = {key: source_id for part in parts for key, source_id in part.source_ids.items()}
    assert sorted(ids.values()) == list(range(1, found.outline.n_sources + 1)) == [1, 2, 3, 4, 5, 6]
    for part in parts:
        assert part.source_ids.keys() == {source_key(member) for unit in part.units for member in unit.unit.members}


def test_a_dump_above_all_runs_has_one_id_and_is_shared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(slicing, "TASK_RUNS", 1)

    found = surveyed(tree(tmp_path, n_runs=3))

    assert found is not None
    ((key, runs),) = found.outline.runs_of_source.items()
    assert key[1] == str(tmp_path / "config.yaml")
    assert runs == set(found.outline.run_ids)
    parts = [part.opened() for part in found.parts]
    assert len({part.source_ids[key] for part in parts}) == 1
    assert all(part.shared == {key} for part in parts)


def test_folders_are_told_while_it_walks(tmp_path: Path) -> None:
    told: list[int] = []

    surveyed(tree(tmp_path, n_runs=130), told=told)

    assert told == [1, 65, 129]


def test_problems_of_the_walk_are_told_by_root(tmp_path: Path) -> None:
    tree(tmp_path)
    os.mkfifo(tmp_path / "run0" / "events.out.tfevents.2")

    found = surveyed(tmp_path)

    assert found is not None
    (scan,) = found.scans
    assert scan.root == str(tmp_path)
    assert [(os.path.basename(problem.path), "not a regular file" in problem.what) for problem in scan.problems] == [
        ("events.out.tfevents.2", True)
    ]


# ---------------------------------------------------------------- an ingest with it


@pytest.mark.usefixtures("forks")
def test_the_catalog_is_the_one_of_a_walk_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, used: list[Survey | None]
) -> None:
    monkeypatch.setattr(slicing, "TASK_RUNS", 3)
    with_it = answers(home_in(tmp_path / "with"), LOGS)
    monkeypatch.setattr(running, "begin_survey", lambda *_arguments: None)
    without = answers(home_in(tmp_path / "without"), LOGS)

    assert [found is not None for found in used] == [True, False]
    assert with_it == without


@pytest.mark.usefixtures("forks")
def test_sources_of_many_runs_get_one_row(
    tmp_path: Path, used: list[Survey | None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(slicing, "TASK_RUNS", 2)
    home, logs = home_in(tmp_path), tree(tmp_path / "logs")

    summary = ingest_paths(home, [str(logs)])

    assert used[0] is not None
    assert (summary.n_runs, summary.n_changed, summary.n_read) == (5, 5, 6)
    with open_reader(home) as reader:
        rows = reader.rows("SELECT source_id, length(run_ids) FROM source ORDER BY 1")
    assert [source_id for source_id, _n_runs in rows] == [1, 2, 3, 4, 5, 6]
    assert sorted(n_runs for _source_id, n_runs in rows) == [1, 1, 1, 1, 1, 5]


@pytest.mark.usefixtures("forks")
def test_the_next_ingest_knows_the_runs_and_numbers_sources_on(tmp_path: Path, used: list[Survey | None]) -> None:
    home, logs = home_in(tmp_path), tree(tmp_path / "logs")
    ingest_paths(home, [str(logs)])
    scalar_file(logs / "run9" / LOG, {"loss": [(1, 0.5)]})

    summary = ingest_paths(home, [str(logs)])

    assert [found is not None for found in used] == [True, False]
    assert (summary.n_runs, summary.n_changed, summary.n_missing) == (6, 1, 0)
    with open_reader(home) as reader:
        assert reader.rows("SELECT max(source_id), count(*) FROM source") == [(7, 7)]


@pytest.mark.usefixtures("forks")
def test_who_looks_again_walks_by_himself(tmp_path: Path, used: list[Survey | None]) -> None:
    scanner = Scanner(lambda _progress: None)
    scanner.keeps_folders = True

    ingest_paths(home_in(tmp_path), [str(tree(tmp_path / "logs"))], scanner=scanner)

    assert used == [None]
    assert len(scanner.units) == 5


@pytest.mark.usefixtures("forks")
def test_a_catalog_that_came_meanwhile_is_not_taken_for_an_empty_one(
    tmp_path: Path, used: list[Survey | None], monkeypatch: pytest.MonkeyPatch
) -> None:
    home, logs = home_in(tmp_path), tree(tmp_path / "logs")
    real = open_writer

    def later(home: Home, **options: float) -> object:
        monkeypatch.setattr(running, "open_writer", real)
        monkeypatch.setattr(running, "will_fork", lambda _n_bytes: False)
        ingest_paths(home, [str(logs)])
        return real(home, **options)

    monkeypatch.setattr(running, "open_writer", later)
    summary = ingest_paths(home, [str(logs)])

    assert used == [None, None]
    assert (summary.n_runs, summary.n_changed) == (5, 0)


# ---------------------------------------------------------------- where it fails


def dies(_roots: Sequence[str], _on_folders: Callable[[int], None]) -> list[Scan]:
    os.kill(os.getpid(), signal.SIGKILL)
    return []


def fails(_roots: Sequence[str], _on_folders: Callable[[int], None]) -> list[Scan]:
    raise RuntimeError("no")


def hangs(_roots: Sequence[str], on_folders: Callable[[int], None]) -> list[Scan]:
    on_folders(1)
    time.sleep(60)
    return []


@pytest.mark.parametrize("walk", [dies, fails])
def test_one_that_fails_finds_nothing(tmp_path: Path, walk: Walk) -> None:
    assert surveyed(tmp_path, walk) is None


@pytest.mark.usefixtures("forks")
def test_the_tree_is_walked_here_where_the_process_dies(
    tmp_path: Path, used: list[Survey | None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Scanner, "walk", lambda _self, roots, on_folders: dies(roots, on_folders))

    summary = ingest_paths(home_in(tmp_path), [str(tree(tmp_path / "logs"))])

    assert used == [None]
    assert (summary.n_runs, summary.n_problems) == (5, 0)


@pytest.mark.usefixtures("forks")
def test_the_tree_is_walked_here_where_no_process_can_be_forked(
    tmp_path: Path, used: list[Survey | None], monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_more() -> int:
        raise BlockingIOError

    monkeypatch.setattr(os, "fork", no_more)

    summary = ingest_paths(home_in(tmp_path), [str(tree(tmp_path / "logs"))])

    assert used == [None]
    assert summary.n_runs == 5


def test_what_hangs_there_is_left_to_those_who_can_tell_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tree(tmp_path)
    for name, value in {"STILL_S": 0.2, "POLL_S": 0.02}.items():
        monkeypatch.setattr(patience, name, value)
    real = os.scandir

    def scandir(path: str) -> Iterator[os.DirEntry[str]]:
        if path == str(tmp_path / "run3"):
            time.sleep(60)
        return real(path)

    monkeypatch.setattr(os, "scandir", scandir)

    assert surveyed(tmp_path) is None
    assert not patience.is_any_aside()  # here


def test_one_that_is_not_wanted_any_more_is_ended(tmp_path: Path) -> None:
    surveyor = begin_survey(hangs, [str(tmp_path)], [str(tmp_path)])
    assert surveyor is not None

    with pytest.raises(patience.LeavingError):
        surveyor.wait(lambda _n_folders: None, lambda: True)

    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        try:
            if os.waitpid(surveyor._pid, os.WNOHANG)[0]:
                break
        except ChildProcessError:
            break
        time.sleep(0.01)
    else:
        pytest.fail("it is still there")


@pytest.mark.usefixtures("forks")
def test_leaving_while_it_walks_ends_the_ingest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Scanner, "walk", lambda _self, roots, on_folders: hangs(roots, on_folders))
    stages: list[str] = []

    def tell(progress: Progress) -> None:
        stages.append(progress.stage)

    summary = ingest_paths(
        home_in(tmp_path), [str(tree(tmp_path / "logs"))], progress=tell, is_cancelled=lambda: bool(stages[1:])
    )

    assert summary.was_cancelled
    assert summary.n_runs == 0


PARENT = """
import os, sys, time
from mlbench.ingest.survey import begin_survey
def walk(roots, on_folders):
    while True:
        on_folders(1)
surveyor = begin_survey(walk, ["/"], ["/"])
print(surveyor._pid, flush=True)
time.sleep(60)
"""


def test_it_ends_when_its_parent_is_killed() -> None:
    parent = subprocess.Popen([sys.executable, "-c", PARENT], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    pid = int(parent.stdout.readline())
    assert is_alive(pid)

    parent.kill()
    parent.wait()
    parent.stdout.close()

    assert wait_until(lambda: not is_alive(pid))


@dataclass(frozen=True)
class OddText:
    """What a claim of another package's adapter may hold."""

    text: str


@pytest.mark.parametrize("has_others", [True, False])
def test_claims_of_other_packages_that_hold_objects_of_their_own_are_left_to_a_walk_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, has_others: bool
) -> None:
    def claims(listing: Listing) -> Iterator[Claim]:
        yield Claim(listing.path, Role.CONTEXT, listing.path, rule=OddText("odd") if has_others else "plain")  # type: ignore[arg-type]

    def none(_source: object, _cursor: object) -> Iterator[Cursor]:
        return iter(())

    odd = Adapter(name="odd", version=1, claims=claims, read=none, example=lambda _folder: None)
    monkeypatch.setattr(survey, "third_party", lambda: ((odd,), ()))
    monkeypatch.setattr(running, "load_adapters", lambda: (*load_adapters(), odd))

    assert (surveyed(tree(tmp_path)) is None) is has_others


# ---------------------------------------------------------------- what crosses


def test_a_part_is_the_same_on_the_other_side(tmp_path: Path) -> None:
    scalar_file(tmp_path / "run" / LOG, {"loss": [(1, 0.5)]})
    unit = unit_of(str(tmp_path / "run"), str(tmp_path / "run" / LOG), root=str(tmp_path))
    part = Part((unit,), dict.fromkeys(unit.stamps, 7), frozenset(unit.stamps))

    assert packed_part(pickled(part)).opened() == part
    assert part.opened() is part


@pytest.mark.parametrize("made", [os.system, ["a list"], subprocess.Popen])
def test_nothing_else_is_taken_for_a_part(made: object) -> None:
    with pytest.raises(NotOursError):
        packed_part(pickled(made)).opened()


class ByName:
    """Pickled as Python 3.11.2 does a member of an enumeration."""

    def __init__(self, kind: object, name: str) -> None:
        self._of = (kind, name)

    def __reduce__(self) -> tuple[object, ...]:
        return getattr, self._of


def test_members_of_enumerations_may_come_by_name_and_nothing_else() -> None:
    assert unpickled(pickled(ByName(Role, "EVENTS")), Role) is Role.EVENTS
    for kind, name in ((Survey, "plan"), (Role, "nothing"), (Part, "opened"), (Role, "__init__")):
        with pytest.raises(NotOursError):
            unpickled(pickled(ByName(kind, name)), object)


def test_an_outline_that_is_none_is_a_failure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(survey, "pickled", lambda made: pickled(made if isinstance(made, Part) else ["no outline"]))

    assert surveyed(tree(tmp_path)) is None


def test_it_is_collected_when_it_has_ended(tmp_path: Path) -> None:
    surveyor = begin_survey(Scanner(lambda _progress: None).walk, [str(tmp_path)], [str(tmp_path)])
    assert surveyor is not None
    pid = surveyor._pid
    surveyor.wait(lambda _n_folders: None, lambda: False)

    def is_gone() -> bool:
        surveyor.close()
        return not os.path.exists(f"/proc/{pid}")

    assert wait_until(is_gone)
    surveyor.close()  # and again
