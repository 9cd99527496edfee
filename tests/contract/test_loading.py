"""What a command loads: a linter cannot see a deferred import, so each is looked at in a process of its own."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from mlbench.main import COMMANDS

HEAVY = {
    "numpy",
    "pyarrow",
    "duckdb",
    "textual",
    "rich",
    "plotext",
    "tensorboard",
    "yaml",
    "scipy",
    "dulwich",
    "google_crc32c",
    "google.protobuf",
}

PROBE = """
import json, sys
from mlbench.main import run
code = run(sys.argv[1:])
heavy = set({heavy!r})
print(json.dumps([code, sorted(heavy & set(sys.modules))]))
"""


def loaded(*arguments: str) -> tuple[int, list[str]]:
    probe = PROBE.format(heavy=sorted(HEAVY))
    done = subprocess.run([sys.executable, "-c", probe, *arguments], capture_output=True, text=True, check=True)
    code, modules = json.loads(done.stdout.splitlines()[-1])
    return code, modules


def test_help_and_version_load_nothing_heavy() -> None:
    assert loaded("--help") == (0, [])
    assert loaded("--version") == (0, [])


@pytest.mark.parametrize("command", COMMANDS)
def test_the_help_of_a_command_loads_nothing_heavy(command: str) -> None:
    assert loaded(command, "--help") == (0, [])


def test_a_mistake_loads_nothing_heavy() -> None:
    assert loaded("qurey") == (2, [])


def test_writing_words_never_loads_the_app(tmp_path: Path) -> None:
    code, modules = loaded("--home", str(tmp_path), "undo")

    assert (code, modules) == (0, [])
