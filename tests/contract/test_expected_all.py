"""No value of expected.json is left over: each is taken or compared by a test, or stands here with the reason."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

from tests.paths import FORMATS, ROOT, needs_formats

LOOKING = {
    "tests/contract": ("test_expected_frameworks.py", "test_expected_rest.py"),
    "tests/unit/adapters": (
        "test_dvc_experiments.py", "test_dvc_project.py", "test_hydra.py", "test_kfp.py", "test_mlflow_files.py",
        "test_mlflow_sqlite.py", "test_mlmd.py", "test_model_files.py", "test_neptune.py", "test_notebook.py",
        "test_wandb_files.py",
    ),
    "tests/unit/wire": ("test_delta.py", "test_gitlfs.py"),
}  # fmt: skip
"""The files with tests that look into expected.json; in them only the tests on genuine files are run."""
LEFT = {
    r"dvc\|commits\|\d\|(params|metrics).*": "DVC's answer for commits that are no experiments; those are no runs",
    r"dvc\|(author|dirty_files.*)": "no author is read, and no status of a work tree is asked (decision 0006)",
    r"dvc\|confusion_pairs.*": "pairs of labels; the test of the adapter `confusion` reads the same file",
    r"dvc\|experiments\|0\|metrics\|.*": "compared by the series of the experiment",
    r"models\|files\|(m.keras\|parameters|savedmodel\|files.*)": "weights lie in HDF5, which is not opened",
}
"""Values that mlbench does not read, and why."""


@needs_formats
def test_every_value_of_every_system_is_looked_at(tmp_path: Path) -> None:
    left = tmp_path / "left.json"
    files = [f"{folder}/{name}" for folder, names in LOOKING.items() for name in names]
    wanted = "expected or agrees or genuine or key or sample or itself or known or tells or told or registry or rows or each or stages or blessings or kubeflow or lfs or every or experiments or test_expected"
    command = [
        sys.executable, "-m", "pytest", "-q", "-p", "no:xdist", "-o", "addopts=", "-p", "no:cacheprovider",
        "-p", "tests.contract.watching", "--watched", str(left), "-k", wanted, *files,
    ]  # fmt: skip

    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, check=False, env={**os.environ, "PYTHONPATH": str(ROOT)}
    )

    assert done.returncode == 0, done.stdout[-3000:]
    unseen = json.loads(left.read_text(encoding="utf-8"))
    assert [path for path in unseen if not any(re.fullmatch(known, path) for known in LEFT)] == []


@needs_formats
def test_every_exception_is_needed() -> None:
    systems = json.loads((FORMATS / "expected.json").read_text(encoding="utf-8"))

    assert {pattern.partition("\\")[0] for pattern in LEFT} <= systems.keys()
    assert len(systems) == 24
