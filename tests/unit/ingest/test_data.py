"""Promises of the data that a run only names: tables, addresses, databases, features."""

import contextlib
import io
import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from mlbench.main import run
from tests.paths import FORMATS, needs_formats


def said(folder: Path, *words: str) -> str:
    """What a command writes that is run in the folder, in this process: to start one takes a second of a processor."""
    out = io.TextIOWrapper(io.BytesIO(), encoding="utf-8")
    with contextlib.chdir(folder), contextlib.redirect_stdout(out):
        assert run([*words, "--home", str(folder / "home")]) == 0
    out.flush()
    return out.buffer.getvalue().decode()


def mlbench(folder: Path, *words: str) -> Any:
    return json.loads(said(folder, *words, "--format", "json"))


def run_with(folder: Path, name: str, config: str) -> None:
    (folder / "runs" / name).mkdir(parents=True)
    (folder / "runs" / name / "config.yaml").write_text(config)
    (folder / "runs" / name / "metrics.csv").write_text("step,loss\n0,1.0\n1,0.5\n")


SQL = "SELECT r.name AS run, d.system, d.name, d.version, d.n_rows, d.is_pinned FROM data_versions d JOIN runs r ON r.id = d.run_id ORDER BY ALL"


@needs_formats
def test_the_version_of_a_delta_table_is_named_or_names_the_run(tmp_path: Path) -> None:
    shutil.copytree(FORMATS / "delta" / "table", tmp_path / "table")
    run_with(tmp_path, "named", f"data:\n  path: {tmp_path}/table\n  version: 1\n")
    run_with(tmp_path, "exp-7", "table: ../../table\n")

    mlbench(tmp_path, "ingest", str(tmp_path / "runs"))

    rows = mlbench(tmp_path, "sql", SQL)
    assert [tuple(row.values()) for row in rows] == [
        ("exp-7", "delta", "train_set", "3", 20, True),
        ("named", "delta", "train_set", "1", 15, True),
    ]
    (found,) = mlbench(tmp_path, "query", "data.train_set = '3'")
    assert found["run"] == "exp-7"
    assert "train_set rows" in said(tmp_path, "diff", "exp-7", "named", "--format", "table")


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        (f"data: lakefs://digits/{'a' * 64}/train\n", ("lakefs", "digits/train", "a" * 64, None, True)),
        ("data: lakefs://digits/main/train\n", ("lakefs", "digits/train", "main", None, False)),
        (
            "data: /pfs/images/train\nenv:\n  PACH_JOB_ID: j1\n  images_COMMIT: c9\n",
            ("pachyderm", "images", "c9", None, True),
        ),
        ("feature_view: driver_stats\n", ("feast", "driver_stats", "", None, False)),
    ],
)
def test_addresses_and_names_are_versions(tmp_path: Path, config: str, expected: tuple[object, ...]) -> None:
    run_with(tmp_path, "a", config)

    mlbench(tmp_path, "ingest", str(tmp_path / "runs"))

    assert [tuple(row.values())[1:] for row in mlbench(tmp_path, "sql", SQL)] == [expected]


@needs_formats
def test_a_damaged_table_is_a_problem_and_its_version_is_still_told(tmp_path: Path) -> None:
    shutil.copytree(FORMATS / "delta" / "table", tmp_path / "table")
    (tmp_path / "table" / "_delta_log" / f"{0:020d}.json").write_text("{")
    run_with(tmp_path, "a", f"data:\n  path: {tmp_path}/table\n  version: 1\n")

    mlbench(tmp_path, "ingest", str(tmp_path / "runs"))

    assert [row["version"] for row in mlbench(tmp_path, "sql", SQL)] == ["1"]
    (problem,) = mlbench(tmp_path, "sql", "SELECT path, what FROM problems")
    assert problem["path"] == str(tmp_path / "table")
    assert "the log of version 0 is damaged" in problem["what"]


def test_what_lakectl_left_above_a_path_is_its_version(tmp_path: Path) -> None:
    (tmp_path / "local" / "train").mkdir(parents=True)
    head = "0123456789abcdef" * 4
    (tmp_path / "local" / ".lakefs_ref.yaml").write_text(f"src: lakefs://digits/main/sets\nat_head: {head}\n")
    run_with(tmp_path, "a", "data_dir: ../../local/train\n")

    mlbench(tmp_path, "ingest", str(tmp_path / "runs"))

    rows = [tuple(row.values())[1:] for row in mlbench(tmp_path, "sql", SQL)]
    assert rows == [("lakefs", "digits/sets/train", head, None, True)]
