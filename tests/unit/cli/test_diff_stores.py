"""`mlbench diff` of genuine runs: of two versions of a Delta table, of two DVC experiments, of two notebooks."""

import json
import shutil
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mlbench.main import run
from tests.paths import FORMATS, needs_formats

Diff = Callable[..., str]


@pytest.fixture
def ingested(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Diff:
    """Catalogs a folder and runs `diff` with these arguments; what it prints."""
    monkeypatch.setenv("MLBENCH_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("MLBENCH_TRACEBACK", "1")

    def diff(folder: Path, *arguments: str) -> str:
        assert run(["ingest", str(folder)]) == 0
        capsys.readouterr()
        assert run(["diff", *arguments]) == 0
        return capsys.readouterr().out

    return diff


def rows_of(text: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = json.loads(text)
    return rows


def delta_runs(folder: Path, *versions: int) -> None:
    shutil.copytree(FORMATS / "delta" / "table", folder / "table")
    for version in versions:
        place = folder / f"v{version}"
        place.mkdir()
        (place / "config.yaml").write_text(f"data:\n  path: ../table\n  version: {version}\n", encoding="utf-8")
        (place / "metrics.csv").write_text("step,loss\n0,1\n1,0.5\n", encoding="utf-8")


@needs_formats
def test_two_versions_of_a_delta_table_through_the_runs_that_used_them(ingested: Diff, tmp_path: Path) -> None:
    delta_runs(tmp_path / "p", 0, 1)

    rows = rows_of(ingested(tmp_path / "p", "v0", "v1", "--format", "json"))
    table = ingested(tmp_path / "p", "v0", "v1", "--format", "table")

    told = {(row["section"], row["key"]): (row["v0"], row["v1"]) for row in rows}
    assert told["data", "train_set"] == ("0", "1")
    assert told["data_rows", "train_set"] == (10, 15)
    assert told["data_rows_added", "train_set"] == (None, 5)
    assert told["data_step", "train_set"] == (None, "v1 WRITE Append")
    assert sum(row["section"] == "data_file" for row in rows) == 2
    assert "4 files: +2" in table
    assert "15 rows: +5" in table


@needs_formats
def test_all_files_in_markdown(ingested: Diff, tmp_path: Path) -> None:
    delta_runs(tmp_path / "p", 0, 7)

    some = ingested(tmp_path / "p", "v0", "v7", "--format", "markdown")
    all_of_them = ingested(tmp_path / "p", "v0", "v7", "--format", "markdown", "--all")

    assert some.count("| data_file |") == 10
    assert "| data_files_not_listed | train_set |  | 2 |" in some
    assert all_of_them.count("| data_file |") == 12


@needs_formats
def test_a_dvc_experiment_against_the_work_tree_whose_data_changed(ingested: Diff, tmp_path: Path) -> None:
    with tarfile.open(FORMATS / "dvc" / "repo.tar.gz") as archive:
        archive.extractall(tmp_path / "p", filter="data")
    project = tmp_path / "p" / "repo"
    pointer = project / "imgs.dvc"
    other = "6481" + "06722a7b633ae3a6f68f288f7299.dir"  # what the stage `prepare` made: another folder in the cache
    pointer.write_text(pointer.read_text().replace("a6b6b743208966993fbda6bfd71627da.dir", other), encoding="utf-8")

    rows = rows_of(ingested(project, "leaves31", str(project), "--format", "json"))

    told = {(row["section"], row["key"]): list(row.values())[2:] for row in rows}
    assert told["data_files", "imgs"] == [3, 2]
    assert told["data_files_removed", "imgs"] == [None, 3]
    assert told["data_file", "imgs/0.txt"] == ["4 B", "removed"]
    assert told["data_file", "imgs/seed"] == [None, "added"]


@needs_formats
def test_two_notebooks_that_differ_in_a_parameter_and_one_that_differs_in_a_cell(
    ingested: Diff, tmp_path: Path
) -> None:
    folder = tmp_path / "p"
    folder.mkdir()
    for name in ("out_0.1.ipynb", "out_0.01.ipynb", "out_bad.ipynb"):
        shutil.copy(FORMATS / "notebooks" / name, folder / name)

    same = rows_of(ingested(folder, "out_0.1", "out_0.01", "--format", "json"))
    other = rows_of(ingested(folder, "out_0.1", "out_bad", "--format", "json"))
    lines = ingested(folder, "out_0.1", "out_bad", "--format", "table", "--code").splitlines()

    assert [(row["section"], row["key"]) for row in same if row["section"] in ("params", "cell")] == [
        ("params", "learning_rate")
    ]
    assert [row["key"] for row in other if row["section"] == "cell"] == ["code cell 3 changed"]
    assert "@@ code cell 3 changed @@" in lines
    assert '+raise ValueError("boom")' in lines
