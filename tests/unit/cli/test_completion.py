"""What a shell is told behind a line that is half typed."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from mlbench.cli.shells import BashWords, FishWords
from mlbench.main import COMPLETE_VARIABLE, cli, run
from tests.unit.cli.conftest import Done

Mlbench = Callable[..., Done]
BREAKS = " \t\n\"'@><=;|&(:"
"""COMP_WORDBREAKS as bash has it."""


@pytest.fixture(scope="session")
def said_home(sample_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sample runs with words to complete; not to be changed."""
    folder: Path = tmp_path_factory.mktemp("said") / "home"
    shutil.copytree(sample_home, folder, symlinks=True)
    for said in (
        ("tag", "logs/long/w128-seed0", "+good", "+bad"),
        ("views", "save", "best-ones"),
        ("name", "logs/long/w128-seed1", "my $run, (1)"),
    ):
        assert run([*said, "--home", str(folder)]) == 0
    return folder


@pytest.fixture
def completed(said_home: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], list[str]]:
    """What bash is given for a line: what stands in place of the word's last part."""
    shutil.rmtree(home)
    shutil.copytree(said_home, home, symlinks=True)

    def complete(line: str) -> list[str]:
        monkeypatch.setenv("COMP_LINE", line)
        monkeypatch.setenv("COMP_BREAKS", BREAKS)
        told = BashWords(cli, {}, "mlbench", COMPLETE_VARIABLE).complete()
        return [item.removeprefix("plain,") for item in told.splitlines()]

    return complete


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("mlbench qu", ["query"]),
        ("mlbench views ", ["save", "rm"]),
        ("mlbench show logs/lon", ["logs/long/w128-seed0"]),
        ("mlbench show my", [r"my\ \$run,\ \(1\)"]),
        ("mlbench show 'my", ["my $run, (1)"]),
        ('mlbench show "my', [r"my \$run, (1)"]),
        ("mlbench show @b", ["best", "baseline"]),
        ("mlbench show '@best(val/l", ["@best(val/loss)"]),
        (r"mlbench show \#3", [r"\#3", r"\#30", r"\#31", r"\#32", r"\#33"]),
        ("mlbench tag logs/long/w128-seed0 +", ["+bad", "+good"]),
        ("mlbench tag logs/long/w128-seed0 -- -g", ["-good"]),
        ("mlbench query -c params.opt", ["params.optimizer"]),
        ("mlbench query -c metrics.val/l", ["metrics.val/loss"]),
        ("mlbench query -s lr:", ["desc", "asc"]),
        ("mlbench query -s lr:d", ["desc"]),
        ("mlbench query --selection b", ["best-ones"]),
        ("mlbench views rm b", ["best-ones"]),
        ("mlbench metric val/a", ["val/acc"]),
        ("mlbench plot -m val/l", ["val/loss"]),
        ("mlbench query 'opti", ["optimizer"]),
        ("mlbench query 'optimizer = ", ["optimizer = sgd", "optimizer = adam"]),
        ("mlbench export runs 'optimizer = a", ["optimizer = adam"]),
        ("mlbench query 'optimizer = \"a", ['optimizer = "adam"']),
        ("mlbench query \"optimizer = 'a", ["optimizer = 'adam'"]),
        ("mlbench query 'lr > 0 and (optimizer = s", ["lr > 0 and (optimizer = sgd"]),
        ("mlbench query 'params.width=6", ["params.width=64"]),
        ("mlbench query 'status = fa", ["status = failed"]),
        ("mlbench query 'tag = g", ["tag = good"]),
        ("mlbench query --where 'lr > 0 or opti", ["lr > 0 or optimizer"]),
        ("mlbench show nothing-like-it", []),
        ("mlbench completion f", ["fish"]),
        ("mlbench journal ex", ["export"]),
    ],
)
def test_a_line_is_completed_by_what_there_is(
    completed: Callable[[str], list[str]], line: str, words: list[str]
) -> None:
    assert completed(line) == words


def test_what_is_completed_can_be_run(completed: Callable[[str], list[str]], mlbench: Mlbench) -> None:
    (word,) = completed("mlbench query 'lr > 0 and optimizer = s")

    assert mlbench("query", word).code == 0


def test_a_home_that_is_named_on_the_line_is_the_one_that_is_asked(
    completed: Callable[[str], list[str]], home: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("MLBENCH_HOME", str(tmp_path / "empty"))

    assert completed("mlbench show logs/lon") == []
    assert completed(f"mlbench --home {home} show logs/lon") == ["logs/long/w128-seed0"]
    assert completed(f"mlbench show --home {home} logs/lon") == ["logs/long/w128-seed0"]


def test_a_damaged_home_completes_nothing_and_says_nothing(
    completed: Callable[[str], list[str]], home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()
    for snapshot in (home / "cache").glob("*/snap-*"):
        snapshot.write_bytes(b"garbage")

    assert completed("mlbench show logs/lon") == []
    assert capsys.readouterr() == ("", "")


def test_a_name_with_control_characters_is_not_offered(completed: Callable[[str], list[str]], mlbench: Mlbench) -> None:
    mlbench("name", "logs/long/w128-seed0", "logs/\x1b[2Jevil")

    assert completed("mlbench show logs/\x1b") == []


@pytest.mark.skipif(shutil.which("bash") is None, reason="bash is not installed here")
def test_bash_itself_is_given_the_words(home: Path, tmp_path: Path) -> None:
    folder = tmp_path / "bin"
    folder.mkdir()
    (folder / "mlbench").write_text(f'#!/bin/sh\nexec "{sys.executable}" -m mlbench "$@"\n')
    (folder / "mlbench").chmod(0o755)
    script = (
        'source <(mlbench completion bash); COMP_LINE="mlbench show logs/lon"; COMP_POINT=${#COMP_LINE}; '
        '_mlbench_completion mlbench; printf "%s\\n" "${COMPREPLY[@]}"'
    )

    done = subprocess.run(
        ["bash", "-c", script], capture_output=True, text=True, check=True,
        env={**os.environ, "PATH": f"{folder}:{os.environ['PATH']}"},
    )  # fmt: skip

    assert done.stdout.splitlines() == ["logs/long/w128-seed0", "logs/long/w128-seed1"]


def test_fish_takes_commas() -> None:
    assert 'string split --max 1 ","' in FishWords.source_template
