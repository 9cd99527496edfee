import shutil
from pathlib import Path

import pytest

from mlbench.journal import replay
from mlbench.main import run
from mlbench.paths import Home, find_home
from tests.docs.pages import DOCS, console_commands
from tests.paths import ROOT


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    """A directory with the sample runs to stand in, and an empty home."""
    shutil.copytree(ROOT / "sample_runs", tmp_path / "sample_runs")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MLBENCH_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("MLBENCH_CONFIG", raising=False)
    return find_home()


@pytest.fixture
def after_tutorial(desk: Home, capfd: pytest.CaptureFixture[str]) -> Home:
    """The same after the tutorial was followed."""
    for command in console_commands((DOCS / "tutorial.md").read_text(encoding="utf-8")):
        assert run(command.arguments) == 0, capfd.readouterr().err
    capfd.readouterr()
    assert replay(desk).roots
    return desk
