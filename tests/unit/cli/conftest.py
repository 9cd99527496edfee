"""One catalog of the sample runs for all commands; each test gets a copy of its home, since words are written there."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from mlbench.ingest.run import ingest_paths
from mlbench.main import run
from mlbench.paths import find_home
from tests.paths import ROOT

SAMPLES = ROOT / "sample_runs"


class Done(NamedTuple):
    code: int
    out: str
    err: str


@pytest.fixture(scope="session")
def sample_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder: Path = tmp_path_factory.mktemp("samples") / "home"
    ingest_paths(find_home(str(folder)), [str(SAMPLES)])
    return folder


@pytest.fixture
def home(sample_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    copied = tmp_path / "home"
    shutil.copytree(sample_home, copied, symlinks=True)
    monkeypatch.setenv("MLBENCH_HOME", str(copied))
    monkeypatch.setenv("MLBENCH_TRACEBACK", "1")
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.chdir(tmp_path)
    return copied


@pytest.fixture
def mlbench(home: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., Done]:
    """Run a command in this process: `mlbench("query", "lr > 0")`."""

    def call(*arguments: str) -> Done:
        capsys.readouterr()
        code = run(arguments)
        out, err = capsys.readouterr()
        return Done(code, out, err)

    return call
