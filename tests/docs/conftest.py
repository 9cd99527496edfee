import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from mlbench.journal import replay
from mlbench.main import run
from mlbench.paths import Home, find_home
from tests.docs.pages import DOCS, console_commands
from tests.paths import ROOT

LOGS = "sample_runs"


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    """A directory with the sample runs to stand in, and an empty home."""
    shutil.copytree(ROOT / LOGS, tmp_path / LOGS)
    return _sit_down(tmp_path, monkeypatch)


def _sit_down(place: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    monkeypatch.chdir(place)
    monkeypatch.setenv("MLBENCH_HOME", str(place / "home"))
    monkeypatch.delenv("MLBENCH_CONFIG", raising=False)
    return find_home()


@pytest.fixture(scope="session")
def followed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Such a directory in which the tutorial was followed, and a copy of all in it but the sample runs."""
    place, copy = tmp_path_factory.mktemp("followed"), tmp_path_factory.mktemp("copy")
    shutil.copytree(ROOT / LOGS, place / LOGS)
    with pytest.MonkeyPatch.context() as monkeypatch:
        _sit_down(place, monkeypatch)
        for command in console_commands((DOCS / "tutorial.md").read_text(encoding="utf-8")):
            assert run(command.arguments) == 0, command.line
    shutil.copytree(place, copy, symlinks=True, ignore=shutil.ignore_patterns(LOGS), dirs_exist_ok=True)
    return place, copy


@pytest.fixture
def after_tutorial(
    followed: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> Iterator[Home]:
    """The same directory once more as it was after the tutorial: what the test before left there is gone.

    The sample runs stay, whose times and inodes the catalog knows, and which no command changes.
    """
    place, copy = followed
    before = _state(place / LOGS)
    for entry in [*place.iterdir()]:
        if entry.name == LOGS:
            continue
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry)
        else:
            entry.unlink()
    shutil.copytree(copy, place, symlinks=True, dirs_exist_ok=True)
    home = _sit_down(place, monkeypatch)
    capfd.readouterr()
    assert replay(home).roots
    yield home
    assert _state(place / LOGS) == before, "a command has written into the logs"


def _state(folder: Path) -> dict[str, tuple[int, int]]:
    """Size and time of every file."""
    found = [os.path.join(at, name) for at, _folders, names in os.walk(folder) for name in names]
    return {path: (os.stat(path).st_size, os.stat(path).st_mtime_ns) for path in found}
