"""Folders that are read as a whole, while they are followed: a file store of MLflow under a live writer."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from mlbench.adapters import mlflow_files
from mlbench.catalog.reader import open_reader
from mlbench.ingest import inside
from mlbench.paths import Home
from mlbench.watch import Watcher


@pytest.fixture
def run_folder(tmp_path: Path) -> Path:
    folder = tmp_path / "mlruns/1/run"
    folder.mkdir(parents=True)
    mlflow_files.example(str(folder))
    (meta,) = [path for path in folder.rglob("meta.yaml") if (path.parent / "metrics").is_dir()]
    return meta.parent


@pytest.fixture
def watcher(home: Home, run_folder: Path, tmp_path: Path) -> Watcher:
    made = Watcher(home, [str(tmp_path / "mlruns")])
    made.look()
    return made


def append(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a", encoding="utf-8") as file:
        file.write(text)


def last(home: Home, metric: str) -> list[tuple[object, ...]]:
    with open_reader(home, now_s=1_800_000_000.0) as reader:
        return reader.rows("SELECT last_step, last_value FROM series WHERE metric = ?", [metric])


def test_a_line_that_comes_into_a_metric_is_seen(home: Home, run_folder: Path, watcher: Watcher) -> None:
    (metric, *_others) = [path for path in (run_folder / "metrics").rglob("*") if path.is_file()]
    append(metric, "1795418509999 0.125 99\n")

    summary = watcher.look()
    idle = watcher.look()

    assert summary is not None
    assert last(home, metric.relative_to(run_folder / "metrics").as_posix()) == [(99, 0.125)]
    assert idle is None


def test_a_new_metric_and_one_in_a_new_folder_are_seen_and_grow(home: Home, run_folder: Path, watcher: Watcher) -> None:
    append(run_folder / "metrics/new", "1795418509999 0.5 1\n")
    append(run_folder / "metrics/deep/er", "1795418509999 0.25 1\n")
    watcher.look()
    append(run_folder / "metrics/deep/er", "1795418510000 0.125 2\n")

    watcher.look()

    assert last(home, "new") == [(1, 0.5)]
    assert last(home, "deep/er") == [(2, 0.125)]


def test_a_run_that_has_just_begun_is_seen_with_its_first_point(home: Home, run_folder: Path, watcher: Watcher) -> None:
    begun = run_folder.parent / "0123456789abcdef0123456789abcdef"
    for name in ("metrics", "params", "tags"):
        (begun / name).mkdir(parents=True)
    meta = (run_folder / "meta.yaml").read_text(encoding="utf-8").replace(run_folder.name, begun.name)
    (begun / "meta.yaml").write_text(meta, encoding="utf-8")
    watcher.look()
    append(begun / "metrics/first", "1795418509999 0.75 0\n")

    watcher.look()

    assert last(home, "first") == [(0, 0.75)]


def test_a_tag_that_was_written_anew_is_seen(home: Home, run_folder: Path, watcher: Watcher) -> None:
    (run_folder / "tags/mlflow.runName").write_text("renamed", encoding="utf-8")

    watcher.look()

    with open_reader(home, now_s=1_800_000_000.0) as reader:
        assert reader.rows("SELECT name FROM runs") == [("renamed",)]


def test_what_nobody_reads_changes_nothing(run_folder: Path, watcher: Watcher) -> None:
    append(run_folder / "artifacts/model.bin", "x")
    watcher.look()
    append(run_folder / "artifacts/model.bin", "y")

    assert watcher.look() is None


def test_old_runs_are_looked_at_in_turns_and_new_names_in_them_at_once(
    home: Home, run_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inside, "TURNS", 4)
    long_ago = time.time() - 2 * inside.COLD_S
    (metric, *_others) = [path for path in (run_folder / "metrics").rglob("*") if path.is_file()]
    for path in run_folder.rglob("*"):
        os.utime(path, (long_ago, long_ago))
    watcher = Watcher(home, [str(tmp_path / "mlruns")])
    watcher.look()
    append(metric, "1795418509999 0.125 99\n")
    name = metric.relative_to(run_folder / "metrics").as_posix()

    looks = [watcher.look() is not None for _look in range(4)]

    assert looks.count(True) == 1
    assert last(home, name) == [(99, 0.125)]
