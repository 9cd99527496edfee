"""Following directories: what has come is read, and nothing is opened where nothing has."""

import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from mlbench.catalog.reader import open_reader
from mlbench.paths import Home
from mlbench.watch import LIVELY_S, LONGEST_WAIT_S, Pace, Watcher
from mlbench.wire.tfrecord import write_record
from tests.unit.wire.event_messages import WALL_S, event, value

NAME = "events.out.tfevents.1700000000.node1.4242.0"


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(str(tmp_path / "home/journal"), str(tmp_path / "home/cache"), "test")


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    (tmp_path / "logs").mkdir()
    return tmp_path / "logs"


def points(first: int, last: int) -> bytes:
    return b"".join(
        write_record(event(value("loss", simple_value=step), step=step, wall_s=WALL_S + step))
        for step in range(first, last)
    )


def append(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("ab") as file:
        file.write(content)


def steps(home: Home) -> list[int]:
    with open_reader(home) as reader:
        ids = [row[0] for row in reader.rows("SELECT series_id FROM series")]
        return [int(step) for step in reader.points(ids).column("step").to_pylist()]


def runs(home: Home) -> list[tuple[str, str]]:
    with open_reader(home) as reader:
        return reader.rows("SELECT name, status FROM runs ORDER BY 1")


def test_a_file_that_grows_is_read_on(home: Home, logs: Path) -> None:
    watcher = Watcher(home, [str(logs)])
    append(logs / "a" / NAME, points(0, 3))
    watcher.look()

    append(logs / "a" / NAME, points(3, 5))
    summary = watcher.look()

    assert summary is not None
    assert (summary.n_changed, summary.n_points) == (1, 2)
    assert steps(home) == [0, 1, 2, 3, 4]


def test_nothing_is_opened_where_nothing_is_new(home: Home, logs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    watcher = Watcher(home, [str(logs)])
    append(logs / "a" / NAME, points(0, 3))
    watcher.look()
    opened: list[object] = []
    real = os.open

    def noted(path: str, *args: Any, **options: Any) -> int:
        opened.append(path)
        return real(path, *args, **options)

    monkeypatch.setattr(os, "open", noted)

    assert [watcher.look() for _time in range(3)] == [None, None, None]
    assert opened == []


def test_a_writer_killed_within_a_record_and_started_again_loses_nothing(home: Home, logs: Path) -> None:
    watcher = Watcher(home, [str(logs)])
    content = points(0, 10)
    append(logs / "a" / NAME, content[: len(content) // 2 + 7])
    watcher.look()
    before = steps(home)

    append(logs / "a" / NAME.replace("1700000000", "1700000100"), points(4, 8))
    watcher.look()
    append(logs / "a" / NAME.replace("1700000000", "1700000100"), points(8, 12))
    watcher.look()

    assert before == [0, 1, 2, 3, 4]
    assert steps(home) == [*before, 4, 5, 6, 7, 8, 9, 10, 11]
    with open_reader(home) as reader:
        assert reader.rows("SELECT n, n_raw, n_repeat, n_back FROM series") == [(13, 13, 1, 0)]


@pytest.mark.parametrize("n_left", [5, 12, 30, -1])
def test_a_writer_that_goes_on_in_the_same_file_behind_half_a_record_loses_nothing_else(
    home: Home, logs: Path, n_left: int
) -> None:
    watcher = Watcher(home, [str(logs)])
    append(logs / "a" / NAME, points(0, 3) + points(3, 4)[:n_left])
    watcher.look()
    for step in range(4, 13):
        append(logs / "a" / NAME, points(step, step + 1))
        watcher.look()

    assert steps(home) == [0, 1, 2, *range(4, 13)]
    with open_reader(home) as reader:
        ((what, where),) = reader.rows("SELECT what, place FROM problem")
    assert ("not finished" in what) == (n_left != 5)
    assert where == f"offset {len(points(0, 3))}"


def test_the_rest_of_a_record_that_came_late_is_read(home: Home, logs: Path) -> None:
    watcher = Watcher(home, [str(logs)])
    content = points(0, 4)
    append(logs / "a" / NAME, content[:-3])
    watcher.look()
    first = steps(home)

    append(logs / "a" / NAME, content[-3:])
    watcher.look()

    assert (first, steps(home)) == ([0, 1, 2], [0, 1, 2, 3])


def test_runs_that_come_and_go_are_noticed(home: Home, logs: Path) -> None:
    watcher = Watcher(home, [str(logs)])
    append(logs / "a" / NAME, points(0, 3))
    watcher.look()

    append(logs / "deep" / "er" / "b" / NAME, points(0, 3))
    watcher.look()
    with_b = [name for name, _status in runs(home)]
    shutil.rmtree(logs / "deep")
    summary = watcher.look()

    assert with_b == ["a", "deep/er/b"]
    assert summary is not None
    assert runs(home) == [("a", "finished"), ("deep/er/b", "missing")]
    assert watcher.look() is None


def test_a_dump_that_changes_changes_all_runs_that_it_belongs_to(home: Home, logs: Path) -> None:
    watcher = Watcher(home, [str(logs)])
    for name in "ab":
        append(logs / "sweep" / name / NAME, points(0, 3))
    (logs / "sweep" / "args.json").write_text('{"lr": 0.1}')
    watcher.look()

    (logs / "sweep" / "args.json").write_text('{"lr": 0.25}')
    summary = watcher.look()

    assert summary is not None
    assert summary.n_changed == 2
    with open_reader(home) as reader:
        assert reader.rows("SELECT num FROM param WHERE key = 'lr'") == [(0.25,), (0.25,)]
        assert reader.rows("SELECT len(run_ids) FROM source WHERE adapter = 'argparse'") == [(2,)]


def test_a_copy_that_grows_is_still_said_to_be_one(home: Home, logs: Path) -> None:
    watcher = Watcher(home, [str(logs)])
    for name in "ab":
        append(logs / name / NAME, points(0, 3))
    watcher.look()

    append(logs / "b" / NAME, points(3, 4))
    watcher.look()

    with open_reader(home) as reader:
        assert reader.rows("SELECT name, hint FROM run ORDER BY 1") == [("a", None), ("b", "a copy of a")]


def test_what_could_not_be_committed_is_read_by_the_next_look(home: Home, logs: Path) -> None:
    from mlbench.catalog.lock import WriterBusyError
    from mlbench.catalog.writer import open_writer

    watcher = Watcher(home, [str(logs)])
    append(logs / "a" / NAME, points(0, 3))
    watcher.look()
    append(logs / "a" / NAME, points(3, 4))
    with open_writer(home), pytest.raises(WriterBusyError):
        watcher.look()

    watcher.look()

    assert steps(home) == [0, 1, 2, 3]


def test_looks_are_frequent_while_something_changes_and_rare_else() -> None:
    pace = Pace()

    pace._changed_at -= LIVELY_S
    waits = [pace.wait_s(has_changed=False, looking_s=0.001) for _look in range(40)]

    assert waits == sorted(waits)
    assert waits[-1] == LONGEST_WAIT_S
    assert pace.wait_s(has_changed=True, looking_s=0.001) == 0.25
    assert pace.wait_s(has_changed=False, looking_s=10.0) == pytest.approx(90.0)
