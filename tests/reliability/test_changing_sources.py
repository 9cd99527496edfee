"""Logs that change under the reader: cut, replaced, rotated, deleted, locked away, lost with their mount, slow, misdated.

After each change a watcher's catalog equals one that reads the tree anew, other runs are read all the same, and the
user's words stay.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from mlbench.catalog.reader import open_reader
from mlbench.ingest.run import ingest_paths
from mlbench.journal import RunRef, open_journal, replay
from mlbench.paths import Home
from mlbench.watch import Watcher
from tests.events import scalar_file
from tests.paths import FORMATS, needs_formats
from tests.reliability.trees import LOG, dump

Change = Callable[[Path], object]


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(str(tmp_path / "home/journal"), str(tmp_path / "home/cache"), "test")


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    for name in "ab":
        scalar_file(tmp_path / "logs" / name / LOG, {"loss": [(step, 1 / (step + 1)) for step in range(6)]})
    return tmp_path / "logs"


def values(home: Home) -> dict[str, list[tuple[int, float]]]:
    """The points of each run that is there, by its name."""
    found = {}
    with open_reader(home) as reader:
        for name, series_id in reader.rows(
            "SELECT r.name, s.series_id FROM series s JOIN run r ON r.run_id = s.run_id WHERE NOT r.is_missing"
        ):
            table = reader.points([series_id])
            found[name] = list(zip(table["step"].to_pylist(), table["value"].to_pylist(), strict=True))
    return found


def problems(home: Home) -> list[str]:
    with open_reader(home) as reader:
        return [row[0] for row in reader.rows("SELECT what FROM problems ORDER BY 1")]


def anew(logs: Path, tmp_path: Path) -> dict[str, list[tuple[int, float]]]:
    home = Home(str(tmp_path / "anew/journal"), str(tmp_path / "anew/cache"), "test")
    ingest_paths(home, [str(logs)])
    return values(home)


def cut_at_a_record(log: Path) -> None:
    whole = log.read_bytes()
    scalar_file(log, {"loss": [(step, 1 / (step + 1)) for step in range(3)]})
    assert whole.startswith(log.read_bytes())


def cut_within_a_record(log: Path) -> None:
    os.truncate(log, log.stat().st_size - 5)


def replace_by_another(log: Path) -> None:
    scalar_file(log.with_name("new"), {"loss": [(step, 7.0) for step in range(9)]}, start_s=1.7e9 + 60)
    log.with_name("new").replace(log)


def rewrite_in_place(log: Path) -> None:
    scalar_file(log, {"loss": [(step, 8.0) for step in range(9)]})


def rotate(log: Path) -> None:
    log.rename(log.with_name("events.out.tfevents.1700000000.host.1"))
    scalar_file(log.with_name("events.out.tfevents.1700000100.host"), {"loss": [(6, 0.5), (7, 0.25)]})


def empty(log: Path) -> None:
    os.truncate(log, 0)


@pytest.mark.parametrize(
    "change", [cut_at_a_record, cut_within_a_record, replace_by_another, rewrite_in_place, rotate, empty]
)
def test_whatever_happens_to_a_log_the_catalog_is_that_of_the_tree_as_it_is_now(
    home: Home, logs: Path, tmp_path: Path, change: Change
) -> None:
    watcher = Watcher(home, [str(logs)])
    watcher.look()

    change(logs / "a" / LOG)
    scalar_file(logs / "b" / LOG, {"loss": [(6, 0.1)]}, append=True)
    watcher.look()

    assert values(home) == anew(logs, tmp_path)
    assert values(home)["b"][-1][0] == 6


def test_a_log_that_is_deleted_leaves_its_run_with_its_words(home: Home, logs: Path) -> None:
    watcher = Watcher(home, [str(logs)])
    watcher.look()
    with open_journal(home) as journal:
        journal.tag(RunRef(str(logs / "a")), add=["good"])

    shutil.rmtree(logs / "a")
    watcher.look()

    with open_reader(home) as reader:
        rows = reader.rows("SELECT r.name, r.status FROM runs r JOIN tags t ON t.run_id = r.id")
    assert rows == [("a", "missing")]


def test_a_mount_that_is_lost_and_comes_back_changes_nothing_for_good(home: Home, logs: Path, tmp_path: Path) -> None:
    watcher = Watcher(home, [str(logs)])
    watcher.look()
    before = values(home)
    with open_journal(home) as journal:
        journal.tag(RunRef(str(logs / "a")), add=["good"])

    logs.rename(tmp_path / "away")
    logs.mkdir()  # the empty folder that the mount hid
    watcher.look()
    lost = values(home)
    ingest_paths(home, [], rebuild=True)
    while_lost = replay(home).tags
    logs.rmdir()
    (tmp_path / "away").rename(logs)
    watcher.look()
    ingest_paths(home, [str(logs)])

    assert lost == {}
    assert while_lost == {str(logs / "a"): ("good",)}
    assert values(home) == before
    with open_reader(home) as reader:
        assert reader.rows("SELECT r.name FROM tags t JOIN runs r ON r.id = t.run_id") == [("a",)]


def test_a_log_that_may_not_be_read_any_more_is_told_and_the_others_are_read(
    home: Home, logs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ingest_paths(home, [str(logs)])
    scalar_file(logs / "a" / LOG, {"loss": [(6, 0.1)]}, append=True)
    scalar_file(logs / "b" / LOG, {"loss": [(6, 0.1)]}, append=True)
    real = os.open

    def refused(path: str, *rest: int, **more: int) -> int:
        if os.fspath(path) == str(logs / "a" / LOG):
            raise PermissionError(13, "Permission denied", path)
        return real(path, *rest, **more)

    monkeypatch.setattr(os, "open", refused)
    ingest_paths(home, [str(logs)])
    monkeypatch.setattr(os, "open", real)

    assert any("Permission denied" in what for what in problems(home))
    assert len(values(home)["b"]) == 7
    (logs / "a" / LOG).touch()
    ingest_paths(home, [str(logs)])
    assert len(values(home)["a"]) == 7
    assert problems(home) == []


@pytest.mark.parametrize("mtime_s", [0.0, 1.0, 4_102_444_800.0], ids=["1970", "1970 and a second", "2100"])
def test_files_from_1970_and_from_2100_are_read_and_read_on(
    home: Home, logs: Path, tmp_path: Path, mtime_s: float
) -> None:
    for name in "ab":
        os.utime(logs / name / LOG, (mtime_s, mtime_s))
    watcher = Watcher(home, [str(logs)])
    watcher.look()

    scalar_file(logs / "a" / LOG, {"loss": [(6, 0.1)]}, append=True)
    os.utime(logs / "a" / LOG, (mtime_s, mtime_s))
    watcher.look()

    assert values(home) == anew(logs, tmp_path)
    with open_reader(home) as reader:
        assert len(reader.rows("SELECT name, status, duration FROM runs")) == 2


def test_wall_times_of_a_clock_that_is_years_off_are_kept_as_they_are(home: Home, logs: Path) -> None:
    scalar_file(logs / "skewed" / LOG, {"loss": [(0, 1.0), (1, 0.5)]}, start_s=4_102_444_800.0)

    ingest_paths(home, [str(logs)])

    with open_reader(home) as reader:
        rows = reader.rows("SELECT s.last_wall_s FROM series s JOIN run r ON r.run_id = s.run_id WHERE name = 'skewed'")
    assert rows == [(4_102_444_801.0,)]


def rename_a_metric(store: Path) -> None:
    next(store.glob("*/*/metrics/m")).rename(next(store.glob("*/*/metrics/m")).with_name("z"))


def rename_the_experiment(store: Path) -> None:
    for meta in store.glob("*/meta.yaml"):
        meta.write_text(meta.read_text().replace("name: demo", "name: another"))


def describe_a_data_set(store: Path) -> None:
    for meta in store.glob("*/datasets/*/meta.yaml"):
        meta.write_text(meta.read_text().replace("name: train", "name: learn"))


@needs_formats
@pytest.mark.parametrize("change", [rename_a_metric, rename_the_experiment, describe_a_data_set])
@pytest.mark.parametrize("is_followed", [True, False], ids=["followed", "ingested"])
def test_what_lies_beside_a_run_of_mlflow_is_part_of_it(
    home: Home, tmp_path: Path, change: Change, is_followed: bool
) -> None:
    logs = tmp_path / "logs"
    shutil.copytree(FORMATS / "mlflow" / "mlruns", logs / "mlruns")
    look = Watcher(home, [str(logs)]).look if is_followed else lambda: ingest_paths(home, [str(logs)])
    look()
    before = dump(home)

    change(logs / "mlruns")
    for _look in range(
        33 if is_followed else 1
    ):  # folders in which nothing was written for an hour are looked at in turns
        look()
    fresh = Home(str(tmp_path / "fresh/journal"), str(tmp_path / "fresh/cache"), "test")
    ingest_paths(fresh, [str(logs)])

    assert dump(home) == dump(fresh) != before
