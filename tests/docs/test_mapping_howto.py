"""The page on mappings, followed literally: its shell blocks are run, and what it shows comes out."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests.docs.pages import DOCS, blocks
from tests.paths import ROOT

PAGE = (DOCS / "how-to" / "read-other-files.md").read_text(encoding="utf-8")
SCRIPTS = blocks(PAGE, "sh")
SHOWN = blocks(PAGE, "text")


@pytest.fixture(scope="module")
def outputs(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[str, str]]:
    """Of each shell block what it printed on stdout and stderr, run one after the other in one folder."""
    folder = tmp_path_factory.mktemp("mapping").resolve()
    (folder / "bin").mkdir()
    command = folder / "bin" / "mlbench"
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m mlbench "$@"\n', encoding="utf-8")
    command.chmod(0o755)
    variables = {
        **os.environ, "PATH": f"{folder / 'bin'}{os.pathsep}{os.environ['PATH']}", "PYTHONPATH": str(ROOT),
        "MLBENCH_HOME": str(folder / "home"),
    }  # fmt: skip
    variables.pop("MLBENCH_CONFIG", None)
    found = []
    for script in SCRIPTS:
        done = subprocess.run(
            ["bash", "-e"], input=script, cwd=folder, env=variables, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        found.append(tuple(text.replace(f"{folder}{os.sep}", "") for text in (done.stdout, done.stderr)))
    return found  # type: ignore[return-value]


def test_the_runs_are_those_that_the_page_shows(outputs: list[tuple[str, str]]) -> None:
    out, err = outputs[4]

    assert SHOWN[0] in out
    assert "problem" not in err


def test_doctor_tells_of_each_rule(outputs: list[tuple[str, str]]) -> None:
    _out, err = outputs[5]

    told = [line.removeprefix("mlbench: ") for line in err.splitlines() if "mapping.yaml:" in line]
    assert told == SHOWN[1].splitlines()
    assert "no problems" in err


def test_mistakes_are_told_as_the_page_shows(outputs: list[tuple[str, str]]) -> None:
    out, _err = outputs[6]

    rows = ["\t".join(line.split("\t")[:4]) for line in out.splitlines()]
    for shown in SHOWN[2].splitlines():
        assert shown in rows
