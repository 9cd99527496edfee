"""Promises of the one line in a training: it records, and never stops the training."""

import argparse
import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from mlbench import capture
from mlbench.capture import log_args
from mlbench.capture.surroundings import environment_of
from tests.paths import ROOT


def test_arguments_go_where_the_training_logs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(capture.FOLDER_VARIABLE, raising=False)
    args = argparse.Namespace(
        lr=0.1, layers=[1, (2, 3)], logdir=str(tmp_path / "logs"), path=Path("/x"), fn=len, _hidden=1
    )

    path = log_args(args)

    assert path == str(tmp_path / "logs" / "mlbench-run.json")
    record = json.loads(Path(path).read_text())
    assert record["args"] == {"lr": 0.1, "layers": [1, [2, 3]], "logdir": args.logdir, "path": "/x", "fn": repr(len)}
    assert record["format"] == capture.FORMAT
    assert record["exit_code"] is None
    assert os.stat(path).st_mode & 0o777 == 0o600


def test_a_second_training_in_the_folder_has_a_record_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(capture.FOLDER_VARIABLE, raising=False)

    paths = [log_args({"lr": lr}, str(tmp_path)) for lr in (0.1, 0.2)]

    assert [os.path.basename(path or "") for path in paths] == ["mlbench-run.json", "mlbench-run-2.json"]


def test_dataclasses_and_mappings_are_arguments(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    @dataclass
    class Config:
        lr: float = 0.5

    monkeypatch.setenv(capture.FOLDER_VARIABLE, str(tmp_path))

    path = log_args(Config())

    assert path is not None
    assert json.loads(Path(path).read_text())["args"] == {"lr": 0.5}


def test_what_cannot_be_recorded_is_told_and_does_no_harm(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(capture.FOLDER_VARIABLE, raising=False)
    (tmp_path / "file").write_text("")

    assert log_args({"lr": 1}, str(tmp_path / "file" / "below")) is None
    assert log_args(3) is None  # no namespace

    assert capfd.readouterr().err.count("mlbench: the arguments were not recorded") == 2


def test_only_the_standard_library_is_loaded() -> None:
    code = (
        "import sys; before = set(sys.modules); import mlbench; mlbench.log_args; "
        "print(*sorted({name.split('.')[0] for name in set(sys.modules) - before}))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True)

    assert set(done.stdout.split()) - set(sys.stdlib_module_names) == {"mlbench"}
    loaded = subprocess.run(
        [
            sys.executable,
            "-c",
            "import sys, mlbench; mlbench.log_args; print(*(m for m in sys.modules if m.startswith('mlbench')))",
        ],
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=True,
    )
    assert set(loaded.stdout.split()) == {"mlbench", "mlbench.capture", "mlbench.capture.surroundings"}


def test_variables_are_taken_by_name_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_TOKEN", "abc")
    monkeypatch.setenv("WORLD_SIZE", "4")
    monkeypatch.setenv("images_COMMIT", "c1")
    monkeypatch.delenv("PACH_JOB_ID", raising=False)

    found = environment_of(sys.executable)

    assert found["env:WORLD_SIZE"] == "4"
    assert "abc" not in found.values()
    assert "env:images_COMMIT" not in found
    assert found["package:pytest"]
    monkeypatch.setenv("PACH_JOB_ID", "j1")
    assert environment_of("sh")["env:images_COMMIT"] == "c1"
