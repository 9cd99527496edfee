"""Trees as people really have them: links in circles, runs in runs, names that no program expects.

Each is ingested, asked with `query` and shown with `show` and `doctor`, through the command line.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlbench.ingest.scan import path_below
from mlbench.main import run
from tests.events import scalar_file

EVENTS = "events.out.tfevents.1700000000.host"
MEMBERS = 10_000
ODD_NAMES = [
    "lr=0.1,wd=1e-4", "two words", " blank at both ends ", "line\nbreak", "tab\there", "训练一号", "🚀 run",
    "\x1b[31mred\x1b[0m", "\x1b]0;title\x07", "rtl\u202eevil", "quote'\"`;--", "*?[a]", "-rf", "%s%n", "a" * 255, "ü",
    "u\u0308", "#1", "@baseline", "[bold]markup[/bold]", "|pipe|", "..hidden", "\udcff\udcfe",
]  # fmt: skip
"""The last is two bytes that are not UTF-8, as `os.fsdecode` gives them."""

Call = Callable[..., str]


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    folder = tmp_path / "logs"
    folder.mkdir()
    return folder


@pytest.fixture
def call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Call:
    """A command that must succeed, and what it printed."""
    monkeypatch.setenv("MLBENCH_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("MLBENCH_TRACEBACK", "1")
    monkeypatch.chdir(tmp_path)

    def called(*arguments: str, code: int = 0) -> str:
        capsys.readouterr()
        ended = run(arguments)
        out, err = capsys.readouterr()
        assert ended == code, err
        return out

    return called


def training(folder: Path, loss: float = 0.5, *, start_s: float = 1_700_000_000.0, name: str = EVENTS) -> None:
    scalar_file(folder / name, {"loss": [(1, 1.0), (2, loss)]}, start_s=start_s)


def rows(call: Call) -> list[dict[str, object]]:
    out = call("query", "--columns", "name,run_id,metrics.loss", "--format", "json")
    found: list[dict[str, object]] = json.loads(out)
    return found


def told(call: Call) -> list[dict[str, str]]:
    found: list[dict[str, str]] = json.loads(call("doctor", "--format", "json"))
    return found


def names(call: Call) -> list[str]:
    return sorted(str(row["name"]) for row in rows(call))


def test_links_in_circles_are_walked_once(call: Call, logs: Path) -> None:
    training(logs / "a")
    (logs / "a/up").symlink_to(logs)
    (logs / "a/self").symlink_to(logs / "a")
    (logs / "loop").symlink_to(logs / "loop")
    (logs / "x").symlink_to(logs / "y")
    (logs / "y").symlink_to(logs / "x")

    call("ingest", str(logs))

    assert names(call) == ["a"]
    assert told(call) == []


def test_a_link_to_a_run_outside_is_a_run(call: Call, logs: Path, tmp_path: Path) -> None:
    training(logs / "here")
    training(tmp_path / "elsewhere/there", 0.25)
    (logs / "linked").symlink_to(tmp_path / "elsewhere/there")

    call("ingest", str(logs))

    assert [row["metrics.loss"] for row in sorted(rows(call), key=lambda row: str(row["name"]))] == [0.5, 0.25]
    assert "there" in call("show", "there")


def test_runs_in_runs_are_runs_of_their_own(call: Call, logs: Path) -> None:
    training(logs / "outer", 0.5)
    training(logs / "outer/inner", 0.25)
    training(logs / "outer/inner/deep/innermost", 0.125)

    call("ingest", str(logs))

    assert names(call) == ["outer", "outer/inner", "outer/inner/deep/innermost"]
    assert sorted(str(row["metrics.loss"]) for row in rows(call)) == ["0.125", "0.25", "0.5"]


def test_ten_thousand_files_beside_a_log_change_nothing(call: Call, logs: Path) -> None:
    training(logs / "a")
    for number in range(MEMBERS):
        (logs / f"a/image_{number:05}.png").touch()

    call("ingest", str(logs))

    assert names(call) == ["a"]
    assert told(call) == []


@pytest.fixture(scope="module")
def odd_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with a run of each odd name, whose loss tells which it is; not to be changed."""
    folder = tmp_path_factory.mktemp("odd")
    for number, name in enumerate(ODD_NAMES):
        training(folder / "logs" / name, number / 32)
    assert run(["ingest", str(folder / "logs"), "--home", str(folder / "home")]) == 0
    return folder / "home"


@pytest.mark.parametrize("number", range(len(ODD_NAMES)), ids=[ascii(name)[:24] for name in ODD_NAMES])
def test_an_odd_name_is_a_run_that_can_be_shown(
    call: Call, odd_home: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    monkeypatch.setenv("MLBENCH_HOME", str(odd_home))

    found = [row for row in rows(call) if row["metrics.loss"] == number / 32]
    shown = call("show", str(found[0]["run_id"]))

    assert len(found) == 1
    assert not [mark for mark in "\x1b\x07\u202e" if mark in shown]
    shown.encode("utf-8")


def test_odd_names_together_stay_apart(call: Call, odd_home: Path, tmp_path: Path) -> None:
    shutil.copytree(odd_home, tmp_path / "home", symlinks=True)
    assert len({row["run_id"] for row in rows(call)}) == len(ODD_NAMES)

    call("ingest", str(odd_home.parent / "logs"))
    shown = call("query") + call("doctor")

    assert len({row["run_id"] for row in rows(call)}) == len(ODD_NAMES)
    assert not [mark for mark in "\x1b\x07\u202e" if mark in shown]
    shown.encode("utf-8")
    assert told(call) == []


def test_odd_names_of_files_are_read(call: Call, logs: Path) -> None:
    for number, name in enumerate(
        (f"{EVENTS}.\udcff", f"{EVENTS}.line\nbreak", f"{EVENTS}.\x1b[31m", f"{EVENTS}.训练")
    ):
        training(logs / str(number), name=name)

    call("ingest", str(logs))

    assert len(names(call)) == 4
    assert told(call) == []
    assert "\x1b" not in call("show", "2")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read every folder")
def test_a_folder_that_may_not_be_read_is_told(call: Call, logs: Path) -> None:
    training(logs / "a")
    training(logs / "closed")
    (logs / "closed").chmod(0)
    try:
        call("ingest", str(logs))
    finally:
        (logs / "closed").chmod(0o755)

    assert names(call) == ["a"]
    assert [(os.path.basename(row["path"]), row["what"]) for row in told(call)] == [
        ("closed", "the folder cannot be read: Permission denied")
    ]


def test_what_is_no_file_is_told_and_never_opened(call: Call, logs: Path) -> None:
    training(logs / "a")
    (logs / "fifo").mkdir()
    os.mkfifo(logs / "fifo" / EVENTS)
    (logs / "device").mkdir()
    (logs / "device" / EVENTS).symlink_to("/dev/zero")
    (logs / "gone").mkdir()
    (logs / "gone" / EVENTS).symlink_to("nowhere")

    call("ingest", str(logs))

    assert names(call) == ["a"]
    assert sorted((Path(row["path"]).parent.name, row["what"]) for row in told(call)) == [
        ("device", "this is not a regular file, it was not opened"),
        ("fifo", "this is not a regular file, it was not opened"),
        ("gone", "the link leads nowhere"),
    ]


def test_trainings_in_one_folder_are_told_apart_or_said_to_be_mixed(call: Call, logs: Path) -> None:
    keras = "epoch,loss\n0,1.0\n1,0.5\n"
    (logs / "apart").mkdir()
    (logs / "apart/one.csv").write_text(keras)
    (logs / "apart/two.csv").write_text(keras)
    for number in (0, 1):
        start_s = 1_700_000_000.0 + number / 2
        points = [(step, 1 / (step + 1)) for step in range(20)]
        scalar_file(logs / f"mixed/{EVENTS}.{number}", {"loss": points}, start_s=start_s)

    call("ingest", str(logs))

    assert len(names(call)) == 3
    assert any("several trainings" in row["what"] for row in told(call))


def test_a_directory_that_is_gone_leaves_its_runs_missing_with_their_words(call: Call, logs: Path) -> None:
    def status() -> str:
        return call("query", "tag = keep", "--columns", "status", "--format", "tsv").splitlines()[-1]

    training(logs / "a")
    call("ingest", str(logs))
    call("tag", "a", "+keep")
    logs.rename(logs.with_name("away"))

    call("ingest", str(logs), code=3)

    assert status() == "a\tmissing"
    logs.with_name("away").rename(logs)
    call("ingest", str(logs))
    assert status() == "a\tfinished"


def test_a_directory_that_never_was_is_refused_and_changes_nothing(call: Call, logs: Path) -> None:
    training(logs / "a")
    call("ingest", str(logs))

    call("ingest", str(logs / "nowhere"), code=3)

    assert names(call) == ["a"]


@given(
    st.lists(st.sampled_from(["a", "b", ".", "..", ".git", "", "a.b"]), max_size=5),
    st.lists(st.sampled_from(["a", "b"]), max_size=3),
)
def test_the_path_below_a_folder_is_that_of_the_standard_library(path: list[str], folder: list[str]) -> None:
    whole, above = "/" + "/".join(path), "/" + "/".join(folder)

    assert path_below(whole, above) == os.path.relpath(whole, above)
