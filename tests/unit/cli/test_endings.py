"""How commands end: interrupted, with a directory gone, with words that look like options, with a file in the way."""

import os
import shutil
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from mlbench.cli import indexing
from mlbench.ingest.progress import Progress, Summary
from mlbench.main import run
from mlbench.paths import find_home
from tests.events import scalar_file
from tests.unit.cli.conftest import SAMPLES, Done

Mlbench = Callable[..., Done]
SEED = "sweep/adam-lr0.01-w64-seed0"
KEPT = "mlbench: interrupted: what was read so far is kept\n"


def log_of(folder: Path, name: str = "accuracy") -> None:
    scalar_file(folder / "events.out.tfevents.1700000000.host", {name: [(1, 0.5)]})


# ---------------------------------------------------------------- interrupted


@pytest.fixture
def _interrupted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl+C comes as soon as the first folder is seen."""

    def press_once(progress: Progress) -> None:
        if progress.stage == "scan" and progress.n_done == 1:
            os.kill(os.getpid(), signal.SIGINT)

    monkeypatch.setattr(indexing, "_drawer", lambda: press_once)


@pytest.mark.usefixtures("_interrupted")
@pytest.mark.parametrize("words", [("ingest", "--rebuild"), ("rebuild",)])
def test_an_interrupted_ingest_says_what_is_kept_and_ends_with_130(mlbench: Mlbench, words: tuple[str, ...]) -> None:
    done = mlbench(*words)

    assert done.code == 130
    assert done.err.endswith(KEPT)


@pytest.mark.usefixtures("_interrupted")
def test_an_interrupted_comparison_says_what_is_kept_and_prints_no_table(mlbench: Mlbench, tmp_path: Path) -> None:
    log_of(tmp_path / "new/a")

    done = mlbench("new")

    assert done == (130, "", KEPT)


def test_the_second_interrupt_ends_at_once(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    reached = []

    def waits_for_ever(*_arguments: object, **_options: object) -> Summary:
        os.kill(os.getpid(), signal.SIGINT)
        reached.append("after the first")
        os.kill(os.getpid(), signal.SIGINT)
        reached.append("after the second")
        return Summary()

    monkeypatch.setattr("mlbench.ingest.run.ingest_paths", waits_for_ever)
    before = signal.getsignal(signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        indexing.ingest_with_progress(find_home(str(home)), [str(SAMPLES)])

    assert reached == ["after the first"]
    assert signal.getsignal(signal.SIGINT) == before


# ---------------------------------------------------------------- directories that are gone


@pytest.fixture
def two_roots(home: Path, mlbench: Mlbench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, Path]:
    """A home of its own that knows the directories `kept` and `gone`."""
    monkeypatch.setenv("MLBENCH_HOME", str(tmp_path / "other-home"))
    kept, gone = tmp_path / "kept", tmp_path / "gone"
    log_of(kept / "a")
    log_of(gone / "b")
    assert mlbench("ingest", str(kept), str(gone)).code == 0
    return kept, gone


def test_without_a_path_a_directory_that_is_gone_is_left_out_and_told(
    two_roots: tuple[Path, Path], mlbench: Mlbench
) -> None:
    shutil.rmtree(two_roots[1])

    done = mlbench()

    assert done.code == 0
    assert done.err.splitlines()[0] == f"mlbench: {two_roots[1]}: no such directory any more; its runs are left out"
    assert [line.split()[0] for line in done.out.splitlines()[1:]] == ["a"]


def test_without_a_path_and_with_no_directory_left_it_ends_with_three(
    two_roots: tuple[Path, Path], mlbench: Mlbench
) -> None:
    for root in two_roots:
        shutil.rmtree(root)

    done = mlbench()

    assert done.code == 3
    assert done.err.splitlines()[-1] == ("mlbench: no directory that was ingested is there any more. Try: mlbench DIR")


def test_without_a_command_the_exit_code_is_that_of_open(mlbench: Mlbench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mlbench.cli.open.print_comparison", lambda _place, _roots: 3)

    assert (mlbench().code, mlbench("open").code) == (3, 3)


# ---------------------------------------------------------------- words that look like options


def test_a_tag_that_begins_like_help_is_removed(mlbench: Mlbench) -> None:
    mlbench("tag", SEED, "+bench", "+h", "+good")

    done = mlbench("tag", SEED, "-bench", "-h", "--format", "json")

    assert '"tags": ["good"]' in done.out
    assert done.code == 0


def test_an_option_that_tag_does_not_have_is_no_tag(mlbench: Mlbench) -> None:
    done = mlbench("tag", SEED, "+a", "--dry-run")

    assert done == (2, "", "mlbench: no such option: --dry-run. Try: mlbench tag --help\n")
    assert mlbench("query", "tag:a", "--format", "json").out == "[]\n"


@pytest.mark.parametrize("words", [("--goal", "min"), ("--primary",)])
def test_a_goal_without_a_metric_is_a_mistake(mlbench: Mlbench, words: tuple[str, ...]) -> None:
    done = mlbench("metric", *words)

    assert done == (
        2,
        "",
        "mlbench: --goal and --primary are said of one metric. Give its NAME. Try: mlbench metric --help\n",
    )


@pytest.mark.parametrize(
    ("words", "filter_word"),
    [
        (("query", "-tag:a"), "-tag:a"),
        (("plot", "-m", "val/loss", "-tag:a"), "-tag:a"),
        (("report", "--limit", "3", "-tag:a"), "-tag:a"),
        (("export", "runs", "-tag:a", "-o", "runs.csv"), "-tag:a"),
        (("query", "-hot"), "-hot"),
        (("query", "-note:debug"), "-note:debug"),
        (("query", "-(lr > 1)"), "-(lr > 1)"),
    ],
)
def test_a_filter_that_begins_with_a_dash_is_told_where_it_goes(
    mlbench: Mlbench, words: tuple[str, ...], filter_word: str
) -> None:
    done = mlbench(*words)

    assert done.code == 2
    assert done.err.endswith(f". A filter that begins with a dash goes into --where='{filter_word}'\n")


@pytest.mark.parametrize("words", [("query", "--tga"), ("query", "-n", "many"), ("query", "-n5x"), ("show", "-tag:a")])
def test_other_mistakes_say_nothing_of_filters(mlbench: Mlbench, words: tuple[str, ...]) -> None:
    done = mlbench(*words)

    assert done.code == 2
    assert "filter that begins" not in done.err


# ---------------------------------------------------------------- a file in the way


@pytest.mark.parametrize("taken", ["long.md", "chart"])
def test_a_report_onto_an_existing_file_writes_nothing_and_names_force(
    mlbench: Mlbench, tmp_path: Path, taken: str
) -> None:
    words = ("report", "logs/long", "-m", "val/loss", "-o", "long.md")
    mlbench(*words)
    charts = [name for name in os.listdir(tmp_path) if name.endswith(".svg")]
    for name in {"long.md", *charts} - {taken if taken == "long.md" else charts[0]}:
        (tmp_path / name).unlink()
    before = sorted(os.listdir(tmp_path))

    done = mlbench(*words)

    assert done.code == 3
    assert done.err.endswith("is there already. Try: --force, or another -o FILE\n")
    assert sorted(os.listdir(tmp_path)) == before
    assert mlbench(*words, "--force").code == 0


def test_an_interrupt_is_told_in_one_word(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def interrupt(_chosen: str | None) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("mlbench.cli.rebuild.home_of", interrupt)

    assert run(["rebuild"]) == 130
    assert capsys.readouterr().err.strip() == "mlbench: interrupted"
