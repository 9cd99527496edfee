"""The package of the how-to built and installed as it says: another process finds its entry point and reads with it."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs.pages import DOCS, blocks
from tests.paths import ROOT

PAGE = (DOCS / "how-to" / "write-an-adapter.md").read_text(encoding="utf-8")
LOG = "s:0 tel:11.0150\ns:1 trl:11.0088 lr:0.000001 norm:15.40\ns:250 tel:6.4623\n"

needs_backend = pytest.mark.skipif(
    importlib.util.find_spec("hatchling") is None, reason="the build backend of the page is not installed: hatchling"
)


def run(command: list[str], folder: Path, **environment: str) -> str:
    words = [sys.executable, *command]
    variables = {**os.environ, **environment}
    done = subprocess.run(words, cwd=folder, capture_output=True, text=True, check=False, env=variables)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which pip has put the built wheel."""
    folder = tmp_path_factory.mktemp("package")
    (module,) = blocks(PAGE, "python")
    (project,) = blocks(PAGE, "toml")
    (folder / "pyproject.toml").write_text(project, encoding="utf-8")
    (folder / "mlbench_llmc.py").write_text(module, encoding="utf-8")
    run(["-m", "hatchling", "build", "-t", "wheel", "-d", "dist"], folder)
    (wheel,) = (folder / "dist").glob("*.whl")
    target = folder / "site"
    run(["-m", "pip", "install", "--no-index", "--no-deps", "--quiet", "--target", str(target), str(wheel)], folder)
    return target


@needs_backend
def test_an_installed_package_is_found_and_reads(site: Path, tmp_path: Path) -> None:
    (tmp_path / "logs" / "gpt2").mkdir(parents=True)
    (tmp_path / "logs" / "gpt2" / "main.log").write_text(LOG, encoding="ascii")
    path = os.pathsep.join([str(site), str(ROOT), os.environ.get("PYTHONPATH", "")])
    home = ["--home", str(tmp_path / "home")]

    run(["-m", "mlbench", *home, "ingest", "logs"], tmp_path, PYTHONPATH=path)
    columns = "metrics.val/loss,count(train/loss)"
    asked = run(["-m", "mlbench", *home, "query", "-c", columns, "--format", "json"], tmp_path, PYTHONPATH=path)

    assert json.loads(asked) == [{"run": "gpt2", "metrics.val/loss": 6.4623, "count(train/loss)": 1}]


@needs_backend
def test_a_package_that_cannot_be_loaded_is_told_and_stops_nothing(site: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken"
    for file in site.rglob("*"):
        if file.is_file():
            target = broken / file.relative_to(site)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(file.read_bytes())
    (broken / "mlbench_llmc.py").write_text("import there_is_no_such_module\n", encoding="utf-8")
    (tmp_path / "logs").mkdir()
    path = os.pathsep.join([str(broken), str(ROOT), os.environ.get("PYTHONPATH", "")])
    home = ["--home", str(tmp_path / "home")]

    run(["-m", "mlbench", *home, "ingest", "logs"], tmp_path, PYTHONPATH=path)
    told = run(["-m", "mlbench", *home, "doctor"], tmp_path, PYTHONPATH=path)

    assert "the adapter 'llmc' could not be loaded: No module named 'there_is_no_such_module'" in told
