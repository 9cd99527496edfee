"""Promises of `mlbench run`: the command runs as it would, and how it ran is recorded, whatever goes wrong with that."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from dulwich import porcelain

from mlbench import capture
from mlbench.cli.left_behind import logs_of_others, take_up
from mlbench.cli.recording import settle
from mlbench.cli.running_notebook import _check_names, _with_parameters, as_script
from mlbench.paths import Home
from tests.paths import ROOT
from tests.unit.cli.conftest import Done

TRAINING = """
import argparse, os, sys, time
parser = argparse.ArgumentParser()
for name in ("--lr", "--logdir", "--config", "--data", "--api_key"):
    parser.add_argument(name)
parser.add_argument("--code", type=int, default=0)
parser.add_argument("--wait", type=float, default=0)
args = parser.parse_args()
if args.logdir:
    os.makedirs(args.logdir, exist_ok=True)
    with open(os.path.join(args.logdir, "metrics.csv"), "w") as file:
        file.write("step,loss\\n0,1.0\\n1,0.5\\n")
print("out", flush=True)
print("err", file=sys.stderr, flush=True)
time.sleep(args.wait)
sys.exit(args.code)
"""


def run(folder: Path, *words: str, options: tuple[str, ...] = (), **more: Any) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "mlbench", "run", "--home", str(folder / "home"), *options, "--", *words]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=120, check=False, **more
    )


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A repository with one commit, a file of data and a configuration."""
    (tmp_path / "train.py").write_text(TRAINING)
    (tmp_path / "c.yaml").write_text("epochs: 3\npassword: hunter2hunter2\n")
    (tmp_path / "d.csv").write_text("1,2\n")
    repository = porcelain.init(str(tmp_path))
    porcelain.add(repository, [str(tmp_path / name) for name in ("train.py", "c.yaml", "d.csv")])
    porcelain.commit(repository, message=b"one", author=b"a <a@b>", committer=b"a <a@b>")
    repository.close()
    return tmp_path


def record_in(folder: Path) -> dict[str, Any]:
    (path,) = folder.rglob("mlbench-run.json")
    found: dict[str, Any] = json.loads(path.read_text())
    return found


def test_a_run_is_recorded_beside_its_logs(project: Path) -> None:
    with open(project / "train.py", "a") as file:
        file.write("# changed\n")

    done = run(project, sys.executable, "train.py", "--lr", "0.5", "--logdir", "logs/a", "--config", "c.yaml", "--data", "d.csv",
               "--api_key", "sk-verysecretverysecret0123")  # fmt: skip

    assert (done.returncode, done.stdout) == (0, "out\n")
    assert done.stderr.startswith("err\n")
    record = record_in(project / "logs" / "a")
    assert record["exit_code"] == 0
    assert record["ended"] >= record["started"]
    assert record["git"]["dirty"] is True
    assert record["git"]["changed"] == ["train.py"]
    assert record["data"] == [{"system": "hash", "name": "d.csv", "version": record["data"][0]["version"]}]
    assert "+# changed" in (project / "logs" / "a" / "mlbench-run.patch").read_text()
    assert sorted((project / "logs" / "a" / "mlbench-run.log").read_text().split()) == ["err", "out"]
    assert not list((project / "home" / "captured").iterdir())
    everything = b"".join(path.read_bytes() for path in project.rglob("*") if path.is_file() and "logs" in path.parts)
    assert b"verysecret" not in everything
    assert b"hunter2" not in everything


def test_the_catalog_knows_the_run(project: Path) -> None:
    run(project, sys.executable, "train.py", "--lr", "0.5", "--logdir", "logs/a", "--config", "c.yaml")

    shown = subprocess.run(
        [sys.executable, "-m", "mlbench", "query", "lr = 0.5 and epochs = 3 and status = 'finished'", "--format", "json", "--home", str(project / "home")],
        env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=True,
    )  # fmt: skip

    assert len(json.loads(shown.stdout)) == 1


@pytest.mark.parametrize("code", [1, 3])
def test_the_exit_code_is_the_commands(project: Path, code: int) -> None:
    done = run(project, sys.executable, "train.py", "--code", str(code), options=("--no-ingest",))

    assert done.returncode == code
    assert record_in(project / "home" / "captured")["exit_code"] == code
    assert f"recorded in {project / 'home' / 'captured'}" in done.stderr


def test_a_program_that_does_not_exist_is_told(project: Path) -> None:
    done = run(project, "no-such-program", options=("--no-ingest",))

    assert done.returncode == 127
    assert "no such program" in done.stderr


def test_a_training_runs_where_nothing_can_be_recorded(project: Path) -> None:
    (project / "home").write_text("not a folder")

    done = run(project, sys.executable, "train.py", "--lr", "1")

    assert (done.returncode, done.stdout) == (0, "out\n")
    assert "the run is not recorded" in done.stderr


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="there is no /dev/full here")
def test_a_full_disk_costs_the_output_and_not_the_training(project: Path) -> None:
    record = project / "record"
    record.mkdir()
    (record / "mlbench-run.log").symlink_to("/dev/full")

    done = run(project, sys.executable, "train.py", options=("--no-ingest", "--record", str(record)))

    assert (done.returncode, done.stdout) == (0, "out\n")
    assert "the output was not kept" in str(json.loads((record / "mlbench-run.json").read_text())["problems"])


def test_a_killed_training_has_a_record(project: Path) -> None:
    command = [
        sys.executable,
        "-m",
        "mlbench",
        "run",
        "--no-ingest",
        "--home",
        str(project / "home"),
        "--",
        sys.executable,
        "train.py",
        "--wait",
        "60",
    ]
    child = subprocess.Popen(
        command, cwd=project, env={**os.environ, "PYTHONPATH": str(ROOT)}, stdout=subprocess.PIPE, text=True
    )
    assert child.stdout is not None
    assert child.stdout.readline() == "out\n"
    assert record_in(project / "home" / "captured")["exit_code"] is None  # killed -9 now, it would still be there

    child.send_signal(signal.SIGTERM)

    assert child.wait(30) == 128 + signal.SIGTERM
    child.stdout.close()
    assert record_in(project / "home" / "captured")["exit_code"] == 128 + signal.SIGTERM


def test_mlbench_killed_leaves_the_training_running_and_a_record(project: Path) -> None:
    with open(project / "train.py", "a") as file:
        file.write("# changed\n")
    command = [sys.executable, "-m", "mlbench", "run", "--no-ingest", "--home", str(project / "home"), "--", sys.executable, "train.py",
               "--wait", "1.5", "--logdir", "logs/x"]  # fmt: skip
    child = subprocess.Popen(
        command, cwd=project, env={**os.environ, "PYTHONPATH": str(ROOT)}, stdout=subprocess.PIPE, text=True
    )
    assert child.stdout is not None
    assert child.stdout.readline() == "out\n"

    child.kill()
    child.wait(30)
    child.stdout.close()

    left = record_in(project / "home" / "captured")
    assert left["is_watched"] is True

    done = run(project, sys.executable, "train.py", "--lr", "1", "--logdir", "logs/y")

    assert f"a run whose mlbench run was killed is recorded in {project / 'logs' / 'x'}" in done.stderr
    record = record_in(project / "logs" / "x")
    assert (record["argv"], record["started"], record["ended"]) == (left["argv"], left["started"], None)
    assert record["problems"] == ["mlbench run was killed: how and when the command ended was not recorded"]
    assert record["output"] == {"file": "mlbench-run.log"}
    assert "out\n" in (project / "logs" / "x" / "mlbench-run.log").read_text()
    assert record["git"]["patch"] == "mlbench-run.patch"
    assert "+# changed" in (project / "logs" / "x" / "mlbench-run.patch").read_text()
    assert done.returncode == 0
    assert not list((project / "home" / "captured").iterdir())


@pytest.mark.parametrize(
    "change",
    [
        {"pid": os.getpid()}, {"pid": None}, {"pid": -1}, {"host": "elsewhere"}, {"ended": 1.0}, {"is_watched": None}, {"format": "x"},
        {"argv": None}, {"argv": []}, {"argv": ["train.py", 1]}, {"cwd": None}, {"started": "now"}, {"started": True}, {"started": 10**400},
    ],
)  # fmt: skip
def test_a_record_that_somebody_may_still_finish_is_left_alone(tmp_path: Path, change: dict[str, object]) -> None:
    folder = tmp_path / "captured" / "a"
    folder.mkdir(parents=True)
    record = {**capture.begin(["train.py"]), "is_watched": True, "pid": dead_pid(), **change}
    (folder / "mlbench-run.json").write_text(json.dumps(record))
    (tmp_path / "captured" / "b").mkdir()
    (tmp_path / "captured" / "b" / "mlbench-run.json").write_text("[1")

    assert list(take_up(Home(str(tmp_path / "journal"), str(tmp_path / "cache"), "test"))) == []
    assert json.loads((folder / "mlbench-run.json").read_text()) == record


def a_home(folder: Path) -> Home:
    return Home(str(folder / "journal"), str(folder / "cache"), "test")


def leave(folder: Path, name: str, *words: str, started: float = 1000.0, **more: object) -> Path:
    """A record in the home, of a `mlbench run` that was killed."""
    place = folder / "captured" / name
    place.mkdir(parents=True)
    record = {**capture.begin(["train.py", *words]), "started": started, "is_watched": True, "pid": dead_pid(), **more}
    (place / "mlbench-run.json").write_text(json.dumps({**record, "cwd": str(folder)}))
    return place


def log(folder: Path, *, changed: float) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "metrics.csv").write_text("step,loss\n0,1\n")
    os.utime(folder / "metrics.csv", (changed, changed))
    return folder


def test_a_record_without_a_folder_of_its_own_stays_in_the_home(tmp_path: Path) -> None:
    folder = leave(tmp_path, "a", "--logdir=logs")
    (folder / "mlbench-run.log").write_text("out\n")
    for name in ("x", "y"):  # which of them it was nobody can say
        log(tmp_path / "logs" / name, changed=2000.0)

    assert list(take_up(a_home(tmp_path))) == [str(folder)]
    assert record_in(folder)["is_watched"] is False
    assert record_in(folder)["output"] == {"file": "mlbench-run.log"}
    assert list(take_up(a_home(tmp_path))) == []


@pytest.mark.parametrize(
    ("other", "is_beside"),
    [
        ({"started": 1900.0, "ended": 2100.0}, True),  # mlbench run, that began later
        ({"started": 1900.0, "ended": None}, True),  # log_args
        ({"started": 500.0, "ended": 2100.0}, True),  # began earlier, and was still at work
        ({"started": 1900.0, "is_watched": True, "pid": os.getpid(), "argv": ["train.py", "logs"]}, False),
        ({"started": 1900.0, "ended": 2100.0, "argv": ["train.py", "--logdir=logs/x"]}, False),
    ],
)
def test_logs_of_another_run_are_not_taken_for_those_of_a_killed_one(
    tmp_path: Path, other: dict[str, object], is_beside: bool
) -> None:
    mine = leave(tmp_path, "a", "--logdir", "logs/x")
    place = log(tmp_path / "logs" / "x", changed=2000.0)
    folder = place if is_beside else tmp_path / "captured" / "b"
    folder.mkdir(exist_ok=True)
    written = {**capture.begin(["train.py"]), "cwd": str(tmp_path), **other}
    (folder / "mlbench-run.json").write_text(json.dumps(written))

    assert list(take_up(a_home(tmp_path))) == [str(mine)]
    assert json.loads((folder / "mlbench-run.json").read_text()) == written


def test_a_killed_run_that_was_begun_again_keeps_the_logs_from_before(tmp_path: Path) -> None:
    leave(tmp_path, "a", "--logdir", "logs/x")
    leave(tmp_path, "b", "--logdir", "logs/x", started=3000.0)
    place = log(tmp_path / "logs" / "x", changed=4000.0)
    (place / "events.out.tfevents.1").write_bytes(b"")
    os.utime(place / "events.out.tfevents.1", (2000.0, 2000.0))

    assert list(take_up(a_home(tmp_path))) == [str(place), str(place)]
    starts = [json.loads((place / name).read_text())["started"] for name in ("mlbench-run.json", "mlbench-run-2.json")]
    assert starts == [1000.0, 3000.0]


def test_a_record_that_is_taken_up_is_told_also_without_an_ingest(project: Path) -> None:
    folder = leave(project / "home", "a")

    done = run(project, sys.executable, "train.py", options=("--no-ingest",))

    assert f"a run whose mlbench run was killed is recorded in {folder}" in done.stderr


def test_a_killed_run_that_had_logged_nothing_leaves_the_folder_to_the_next(tmp_path: Path) -> None:
    first = leave(tmp_path, "a", "--logdir", "logs/x")
    leave(tmp_path, "b", "--logdir", "logs/x", started=3000.0)
    place = log(tmp_path / "logs" / "x", changed=4000.0)

    assert list(take_up(a_home(tmp_path))) == [str(first), str(place)]
    assert record_in(place)["started"] == 3000.0


def test_what_a_killed_run_told_with_log_args_is_kept(tmp_path: Path) -> None:
    folder = leave(tmp_path, "a")
    (tmp_path / "elsewhere").mkdir()
    told = {"args": {"lr": 0.1, "api_key": "sk-verysecretverysecret0123"}, "folder": str(tmp_path / "elsewhere")}
    (folder / "args.json").write_text(json.dumps(told))

    assert list(take_up(a_home(tmp_path))) == [str(tmp_path / "elsewhere")]
    record = record_in(tmp_path / "elsewhere")
    assert record["args"]["lr"] == 0.1
    assert "verysecret" not in json.dumps(record)


def test_a_hundred_records_are_taken_up_at_once_however_many_lie_before_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mlbench.cli.left_behind.MOST", 2)
    for name in "abc":
        leave(tmp_path, name, ended=1500.0)
    left = [str(leave(tmp_path, name)) for name in "xyz"]

    assert list(take_up(a_home(tmp_path))) == left[:2]
    assert list(take_up(a_home(tmp_path))) == left[2:]


def test_a_damaged_record_is_moved_all_the_same(tmp_path: Path) -> None:
    folder = leave(tmp_path, "a", "logs", git="?", output=[], problems=None)
    (folder / "mlbench-run.patch").write_text("diff")
    place = log(tmp_path / "logs" / "x", changed=2000.0)

    assert list(take_up(a_home(tmp_path))) == [str(place)]
    assert record_in(place)["git"] == {"patch": "mlbench-run.patch"}


def test_two_live_runs_that_name_one_parent_keep_their_records_apart(project: Path) -> None:
    (project / "runs").mkdir()
    training = """
import os, sys, time
place = os.path.join(sys.argv[1], sys.argv[2])
os.makedirs(place)
open(os.path.join(place, "metrics.csv"), "w").write("step,loss\\n0,1.0\\n")
while not os.path.exists(sys.argv[3]):
    time.sleep(0.02)
"""
    (project / "sweep.py").write_text(training)
    began = [mlbench_run(project, sys.executable, "sweep.py", "runs", name, f"end-{name}") for name in ("a", "b")]
    for name in ("a", "b"):
        until(lambda name=name: (project / "runs" / name / "metrics.csv").exists())  # type: ignore[misc]
    for name, one in zip(("a", "b"), began, strict=True):
        (project / f"end-{name}").touch()
        assert one.wait(120) == 0

    assert list((project / "runs").glob("mlbench-run*")) == []
    assert len(list((project / "home" / "captured").glob("*/mlbench-run.json"))) == 2


def test_a_live_run_takes_what_is_left_when_the_other_has_its_record(tmp_path: Path) -> None:
    (tmp_path / "captured" / "a").mkdir(parents=True)
    for name in ("x", "y"):
        log(tmp_path / "logs" / name, changed=2000.0)
    watched = {"is_watched": True, "cwd": str(tmp_path)}
    mine = {**capture.begin(["train.py", str(tmp_path / "logs")]), **watched, "started": 1000.0, "ended": 2500.0}
    other = {**capture.begin(["train.py", str(tmp_path / "logs")]), **watched, "started": 1500.0, "ended": 2200.0}
    (tmp_path / "logs" / "y" / "mlbench-run.json").write_text(json.dumps(other))

    is_anothers = logs_of_others(a_home(tmp_path), mine, str(tmp_path / "captured" / "a"))
    path = settle(mine, str(tmp_path / "captured" / "a"), is_chosen=False, is_anothers=is_anothers)

    assert path == str(tmp_path / "logs" / "x" / "mlbench-run.json")


def mlbench_run(folder: Path, *words: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "mlbench", "run", "--home", str(folder / "home"), "--no-ingest", "--", *words]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.Popen(command, cwd=folder, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def until(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def dead_pid() -> int:
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    return child.pid


def test_options_of_notebooks_are_refused_for_commands(project: Path) -> None:
    done = run(project, sys.executable, "train.py", options=("-p", "lr=1"))

    assert done.returncode == 2
    assert "are for notebooks" in done.stderr


NOTEBOOK = {
    "nbformat": 4, "nbformat_minor": 5, "metadata": {"kernelspec": {"name": "python3"}},
    "cells": [
        {"cell_type": "markdown", "id": "a", "metadata": {}, "source": "# Train"},
        {"cell_type": "code", "id": "b", "metadata": {"tags": ["parameters"]}, "source": "lr = 0.5\nfail = False", "outputs": [], "execution_count": None},
        {"cell_type": "code", "id": "c", "metadata": {}, "source": "%matplotlib inline\nassert not fail\nprint('lr is', lr)", "outputs": [], "execution_count": None},
    ],
}  # fmt: skip


def test_a_notebook_becomes_a_script() -> None:
    assert as_script(NOTEBOOK) == (
        "# %% [markdown]\n# # Train\n\n"
        '# %% tags=["parameters"]\nlr = 0.5\nfail = False\n\n'
        "# %%\n# %matplotlib inline\nassert not fail\nprint('lr is', lr)\n"
    )


def test_parameters_are_written_as_python() -> None:
    book = _with_parameters(
        NOTEBOOK, {"lr": float("nan"), "dims": [1, float("inf")], "name": "it's", "more": {"a": None}}
    )

    cell = book["cells"][2]
    assert cell["source"] == (
        '# Parameters\nlr = float("nan")\ndims = [1, float("inf")]\nname = "it\'s"\nmore = {\'a\': None}\n'
    )


@pytest.mark.parametrize(
    ("source", "name", "said"),
    [
        (["lr = 0.5\n", "fail = bool(0)"], "lrr", "n.ipynb: 'lrr' is none of its parameters (lr, fail); it is set all the same"),
        ("lr: float = 0.5", "lr", ""),
        ("fail = bool(0)", "fail", ""),
        ("%matplotlib inline\nlr = 1", "lrr", ""),
        ("", "lrr", ""),
    ],
)  # fmt: skip
def test_a_parameter_that_the_notebook_does_not_have_is_told(
    capsys: pytest.CaptureFixture[str], source: str | list[str], name: str, said: str
) -> None:
    book = {"cells": [{"cell_type": "code", "metadata": {"tags": ["parameters"]}, "source": source}]}

    _check_names("n.ipynb", book, {name: 1})

    assert capsys.readouterr().err == (f"mlbench: {said}\n" if said else "")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"cells": 5}, "it has no list of cells"),
        ({"cells": {}}, "it has no list of cells"),
        ({"cells": [None]}, "cell 1 is none"),
        ({"cells": [{"cell_type": "raw", "metadata": {}, "source": []}, {"cell_type": 7}]}, "cell 2 is none"),
        ({"cells": [{"cell_type": "code", "metadata": {}, "source": 5}]}, "cell 1 is none"),
        ({"cells": [{"cell_type": "code", "source": ""}]}, "cell 1 is none"),
        ({"cells": [{"cell_type": "code", "metadata": {}, "source": "", "outputs": 5}]}, "cell 1 is none"),
        ({"metadata": []}, "its metadata name no kernel"),
        ({"metadata": {"kernelspec": 5}}, "its metadata name no kernel"),
        ({"metadata": {"kernelspec": {"name": ["x"]}}}, "its metadata name no kernel"),
        ({"nbformat_minor": "x"}, "its nbformat_minor is no number"),
    ],
)
def test_a_damaged_notebook_is_told(
    mlbench: Callable[..., Done], tmp_path: Path, change: dict[str, object], said: str
) -> None:
    (tmp_path / "n.ipynb").write_text(json.dumps({**NOTEBOOK, **change}))

    done = mlbench("run", str(tmp_path / "n.ipynb"), "-p", "lr=1", "--script", str(tmp_path / "n.py"))

    assert (done.code, done.err) == (
        3,
        f"mlbench: {tmp_path}/n.ipynb: the notebook is damaged: {said}. Try: open it in Jupyter and save it\n",
    )
    assert not (tmp_path / "n.py").exists()


@pytest.mark.parametrize(("minor", "ids"), [(4, [None, None]), (5, ["mlbench-1", "mlbench-2"])])
def test_cells_have_ids_where_the_format_wants_them(minor: int, ids: list[str | None]) -> None:
    cell = {"cell_type": "code", "metadata": {}, "source": ""}

    book = _with_parameters({"nbformat": 4, "nbformat_minor": minor, "cells": [cell]}, {"lr": 1})

    assert [one.get("id") for one in book["cells"]] == ids


@pytest.mark.slow
@pytest.mark.parametrize(("given", "code", "status"), [("lr=0.1", 0, "finished"), ("fail=True", 1, "failed")])
def test_a_notebook_is_run_as_a_smoke_test(tmp_path: Path, given: str, code: int, status: str) -> None:
    pytest.importorskip("nbclient", reason="notebooks are run by nbclient (the extra `notebooks`)")
    book = json.loads(json.dumps(NOTEBOOK))
    book["cells"][2]["source"] = ["assert not fail\n", "print('lr is', lr)"]  # as notebooks are on the disk
    (tmp_path / "n.ipynb").write_text(json.dumps(book))
    base = [sys.executable, "-m", "mlbench"]
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "IPYTHONDIR": str(tmp_path / "ipython"),
        "MLBENCH_HOME": str(tmp_path / "home"),
    }

    done = subprocess.run([*base, "run", "n.ipynb", "-p", given, "-o", "out.ipynb", "--script", "n.py"], cwd=tmp_path, env=environment,
                          capture_output=True, text=True, check=False, timeout=120)  # fmt: skip

    assert done.returncode == code, done.stderr
    assert (tmp_path / "n.py").read_text().startswith("# %%")
    shown = subprocess.run([*base, "query", "--format", "json", "--columns", "status", "--columns", "params.lr"], cwd=tmp_path, env=environment,
                           capture_output=True, text=True, check=True)  # fmt: skip
    (row,) = json.loads(shown.stdout)
    assert row["status"] == status
    assert row["params.lr"] == (0.1 if code == 0 else 0.5)


@pytest.mark.slow
def test_two_executions_begun_together_are_two_runs_that_are_compared(tmp_path: Path) -> None:
    pytest.importorskip("nbclient", reason="notebooks are run by nbclient (the extra `notebooks`)")
    book = json.loads(json.dumps(NOTEBOOK))
    book["cells"][2]["source"] = ["print('lr is', lr)"]
    (tmp_path / "n.ipynb").write_text(json.dumps(book))
    base = [sys.executable, "-m", "mlbench"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "IPYTHONDIR": str(tmp_path / "ipython"),
                   "MLBENCH_HOME": str(tmp_path / "home")}  # fmt: skip

    both = [subprocess.Popen([*base, "run", "n.ipynb", "-p", f"lr={lr}"], cwd=tmp_path, env=environment,
                             stderr=subprocess.PIPE, text=True) for lr in (0.1, 0.2)]  # fmt: skip
    said = [process.communicate(timeout=120)[1] for process in both]

    assert [process.returncode for process in both] == [0, 0], said
    assert not any("WARNING" in text for text in said)
    written = sorted(path.name for path in tmp_path.glob("n-*.ipynb"))
    assert len(written) == 2
    shown = subprocess.run([*base, "diff", *written, "--format", "json"], cwd=tmp_path, env=environment,
                           capture_output=True, text=True, check=True)  # fmt: skip
    (row,) = (row for row in json.loads(shown.stdout) if row["section"] != "cost")  # each took its own time
    assert (row["section"], row["key"]) == ("params", "lr")
    assert {row[name.removesuffix(".ipynb")] for name in written} == {0.1, 0.2}


def test_a_file_of_git_lfs_is_told_by_its_pointer_unless_it_was_changed(project: Path) -> None:
    oid = "52186c933993da4082b3cdc7c40bb4bf735b391ff54a2ef78c037dda6c38a680"  # of 1,2 and a line's end
    pointer = f"version https://git-lfs.github.com/spec/v1\noid sha256:{oid}\nsize 4\n"
    (project / ".gitattributes").write_text("*.csv filter=lfs\n")
    (project / "d.csv").write_text(pointer)
    porcelain.add(str(project), [str(project / ".gitattributes"), str(project / "d.csv")])
    porcelain.commit(str(project), message=b"two", author=b"a <a@b>", committer=b"a <a@b>")
    words = (sys.executable, "train.py", "--data", "d.csv", "--logdir")

    run(project, *words, "never_fetched")
    (project / "d.csv").write_text("1,2\n")
    run(project, *words, "fetched")
    (project / "d.csv").write_text("1,3\n")
    run(project, *words, "changed")

    told = {"system": "git-lfs", "name": "d.csv", "version": oid, "bytes": 4}
    assert record_in(project / "never_fetched")["data"] == [told]
    assert record_in(project / "fetched")["data"] == [told]
    assert [one["system"] for one in record_in(project / "changed")["data"]] == ["hash"]
