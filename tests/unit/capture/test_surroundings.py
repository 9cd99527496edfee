"""Promises of what is recorded of the interpreter: the one that runs, also behind a shim or a launcher."""

import subprocess
import sys
from pathlib import Path

import pytest

from mlbench.capture.surroundings import environment_of
from tests.paths import ROOT


@pytest.fixture
def pyenv(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two interpreters of pyenv with a package each; the global one is 3.10.1."""
    for version, package in (("3.10.1", "numpy-1.0"), ("3.11.7", "torch-2.0"), ("3.11.10", "torch-2.1")):
        prefix = tmp_path / "pyenv" / "versions" / version
        library = prefix / "lib" / ("python" + version.rpartition(".")[0]) / "site-packages"
        (library / f"{package}.dist-info").mkdir(parents=True)
        (prefix / "bin").mkdir()
        (prefix / "bin" / "python").touch()
    (tmp_path / "pyenv" / "shims").mkdir()
    (tmp_path / "pyenv" / "shims" / "python").touch(mode=0o755)
    (tmp_path / "pyenv" / "version").write_text("3.10.1\n")
    (tmp_path / "project" / "deep").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "project" / "deep")
    monkeypatch.delenv("PYENV_VERSION", raising=False)
    return tmp_path


def packages(program: Path) -> dict[str, str]:
    return {key: value for key, value in environment_of(str(program)).items() if key.startswith("package:")}


@pytest.mark.parametrize(
    ("local", "variable", "expected"),
    [
        ("", "", {"package:numpy": "1.0"}),
        ("# mine\n3.11.7\n3.10.1\n", "", {"package:torch": "2.0"}),
        ("3.11.7\n", "3.10.1:3.11.7", {"package:numpy": "1.0"}),
        ("3.10\n", "", {"package:numpy": "1.0"}),
        ("../../../etc\n", "", {}),
        ("9.9\n", "", {}),
    ],
)
def test_behind_a_shim_of_pyenv_is_the_version_it_would_start(
    pyenv: Path, monkeypatch: pytest.MonkeyPatch, local: str, variable: str, expected: dict[str, str]
) -> None:
    if local:
        (pyenv / "project" / ".python-version").write_text(local)
    if variable:
        monkeypatch.setenv("PYENV_VERSION", variable)

    assert packages(pyenv / "pyenv" / "shims" / "python") == expected


@pytest.mark.parametrize(("mark", "expected"), [("pyvenv.cfg", {"package:torch": "2.0"}), ("", {})])
def test_a_launcher_in_an_environment_has_its_packages(tmp_path: Path, mark: str, expected: dict[str, str]) -> None:
    (tmp_path / "lib" / "python3.11" / "site-packages" / "torch-2.0.dist-info").mkdir(parents=True)
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "torchrun").touch(mode=0o755)
    if mark:
        (tmp_path / mark).write_text("version = 3.11.7\n")

    assert packages(tmp_path / "bin" / "torchrun") == expected


_WATCHED = """
import sys
started = []
sys.addaudithook(lambda event, _arguments: started.append(event) if event in ("subprocess.Popen", "os.system") else None)
from mlbench.capture.surroundings import hardware
told = hardware()["system"]
n_started = len(started)
import platform
print(n_started, told == platform.platform())
"""


def test_the_system_is_told_as_pythons_platform_has_it_and_no_program_is_started() -> None:
    """In a process of its own: `platform` remembers what it asked once."""
    done = subprocess.run([sys.executable, "-c", _WATCHED], capture_output=True, text=True, check=True, cwd=ROOT)

    assert done.stdout == "0 True\n"
