"""Files of every kind that a watcher first sees empty or half written: they are read when there is something to read."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from mlbench.catalog.reader import open_reader
from mlbench.ingest.run import ingest_paths
from mlbench.paths import Home
from mlbench.watch import Watcher
from tests.events import scalar_file
from tests.paths import FORMATS, needs_formats
from tests.reliability.test_changing_sources import problems, values
from tests.reliability.trees import LOG, dump

KINDS = ("argparse", "hf", "hydra", "mlflow", "mmengine", "neptune", "notebooks", "rlzoo", "sb3", "tfevents", "trackio")


def a_home(folder: Path) -> Home:
    return Home(str(folder / "journal"), str(folder / "cache"), "test")


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return a_home(tmp_path / "home")


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    scalar_file(tmp_path / "logs" / "a" / LOG, {"loss": [(step, 1 / (step + 1)) for step in range(3)]})
    return tmp_path / "logs"


@needs_formats
@pytest.mark.parametrize("share", [0.0, 0.5], ids=["empty", "half"])
@pytest.mark.parametrize("kind", KINDS)
def test_a_format_that_comes_in_two_pieces_is_what_it_is_at_once(tmp_path: Path, kind: str, share: float) -> None:
    logs = tmp_path / "logs"
    shutil.copytree(FORMATS / kind, logs / kind)
    whole = {path: path.read_bytes() for path in logs.rglob("*") if path.is_file()}
    for path, content in whole.items():
        path.write_bytes(content[: int(len(content) * share)])
    watcher = Watcher(a_home(tmp_path / "followed"), [str(logs)])
    for _look in range(2):
        watcher.look()

    for path, content in whole.items():
        with path.open("ab") as file:
            file.write(content[path.stat().st_size :])
    for _look in range(2):
        watcher.look()
    ingest_paths(a_home(tmp_path / "fresh"), [str(logs)])

    assert dump(a_home(tmp_path / "followed")) == dump(a_home(tmp_path / "fresh"))


def test_a_table_whose_header_comes_with_its_first_row_is_followed(home: Home, logs: Path) -> None:
    table = logs / "b" / "progress.csv"
    table.parent.mkdir()
    table.touch()
    watcher = Watcher(home, [str(logs)])
    watcher.look()

    table.write_text("step,loss\n0,0.5\n")
    watcher.look()
    first = values(home)["b"]
    with table.open("a") as file:
        file.write("1,0.25\n")
    watcher.look()

    assert first == [(0, 0.5)]
    assert values(home)["b"] == [(0, 0.5), (1, 0.25)]
    assert watcher.look() is None


def test_a_file_that_is_no_log_and_grows_makes_no_work(home: Home, logs: Path) -> None:
    (logs / "a" / "notes.txt").write_text("begun\n")
    watcher = Watcher(home, [str(logs)])
    watcher.look()
    seen = []

    for _line in range(3):
        with (logs / "a" / "notes.txt").open("a") as file:
            file.write("one more line\n" * 100)
        seen.append(watcher.look())

    assert seen == [None, None, None]


def test_a_root_that_was_gone_is_followed_when_it_is_there_again(home: Home, logs: Path, tmp_path: Path) -> None:
    watcher = Watcher(home, [str(logs)])
    watcher.look()
    logs.rename(tmp_path / "away")
    watcher.look()
    assert [watcher.look(), values(home)] == [None, {}]

    (tmp_path / "away").rename(logs)
    scalar_file(logs / "a" / LOG, {"loss": [(3, 0.1)]}, append=True)
    scalar_file(logs / "b" / LOG, {"loss": [(0, 0.1)]})
    watcher.look()

    assert {name: len(points) for name, points in values(home).items()} == {"a": 4, "b": 1}
    assert watcher.look() is None


def test_a_folder_that_could_not_be_listed_for_a_while_is_followed_again(
    home: Home, logs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scalar_file(logs / "b" / LOG, {"loss": [(0, 0.1)]})
    real = os.scandir
    locked = {str(logs / "a")}

    def scan(path: str) -> object:
        if str(path) in locked:
            raise PermissionError(13, "Permission denied", path)
        return real(path)

    monkeypatch.setattr(os, "scandir", scan)
    watcher = Watcher(home, [str(logs)])
    watcher.look()
    told, seen = problems(home), sorted(values(home))
    locked.clear()
    watcher.look()
    locked.add(str(logs / "a"))
    scalar_file(logs / "a" / LOG, {"loss": [(3, 0.1)]}, append=True)
    watcher.look()
    kept = len(values(home)["a"])
    locked.clear()
    watcher.look()

    assert (told, seen) == (["the folder cannot be read: Permission denied"], ["b"])
    assert (kept, len(values(home)["a"])) == (3, 4)
    assert problems(home) == []


@needs_formats
def test_what_a_sweep_that_becomes_a_run_has_said_before_is_kept(home: Home, tmp_path: Path) -> None:
    whole = {path: path.read_bytes() for path in (FORMATS / "tfevents" / "torch_hparams").rglob("*") if path.is_file()}
    logs = tmp_path / "logs"
    for share in (0.5, 1.0):
        for path, content in whole.items():
            copy = logs / path.relative_to(FORMATS)
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_bytes(content[: int(len(content) * share)])
        ingest_paths(home, [str(logs)])

    with open_reader(home) as reader:
        kinds = reader.rows("SELECT DISTINCT kind FROM blob")
    assert kinds == [("hparams",)]
    assert problems(home) == []
