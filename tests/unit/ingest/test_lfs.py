"""Promises of data in Git LFS: a run's versions are those of its commit, what it names first."""

import hashlib
import json
from contextlib import closing
from pathlib import Path

import pytest
from dulwich import porcelain

from mlbench.catalog.reader import open_reader
from mlbench.ingest.run import ingest_paths
from mlbench.paths import Home
from tests.unit.ingest.test_data import mlbench

ONE, TWO = ("sha256:" + digit * 64 for digit in "12")


def pointer(oid: str, size: int) -> str:
    return f"version https://git-lfs.github.com/spec/v1\noid {oid}\nsize {size}\n"


def commit(folder: Path, files: dict[str, str]) -> str:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    porcelain.add(str(folder), [str(folder / name) for name in files])
    return porcelain.commit(str(folder), message=b"x", author=b"a <a@b>", committer=b"a <a@b>").decode()


def run_with(folder: Path, name: str, config: dict[str, object]) -> None:
    (folder / "runs" / name).mkdir(parents=True)
    (folder / "runs" / name / "config.json").write_text(json.dumps(config))
    (folder / "runs" / name / "metrics.csv").write_text("step,loss\n0,1.0\n1,0.5\n")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    porcelain.init(str(tmp_path))
    return tmp_path


SQL = (
    "SELECT r.name AS run, d.system, d.name, d.version, d.size_bytes, d.is_pinned, d.role "
    "FROM data_versions d JOIN runs r ON r.id = d.run_id ORDER BY ALL"
)


def versions(folder: Path) -> list[tuple[object, ...]]:
    home = Home(str(folder / "home" / "journal"), str(folder / "home" / "cache"), "test")
    ingest_paths(home, [str(folder / "runs")])
    with closing(open_reader(home)) as reader:
        return [tuple(row) for row in reader.rows(SQL)]


def test_each_run_has_the_version_of_its_commit(project: Path) -> None:
    attributes = {".gitattributes": "*.csv filter=lfs\n"}
    first = commit(project, {**attributes, "data/t.csv": pointer(ONE, 10), "data/v.csv": pointer(ONE, 4)})
    second = commit(project, {"data/t.csv": pointer(TWO, 20)})
    run_with(project, "a", {"data": {"path": "data/t.csv"}, "git_commit": first})
    run_with(project, "b", {"data": {"path": "data/t.csv"}, "git_commit": second})

    mlbench(project, "ingest", str(project / "runs"))

    rows = [tuple(row.values()) for row in mlbench(project, "sql", SQL)]
    assert rows == [
        ("a", "git-lfs", "data/t.csv", "1" * 64, 10, True, ""),
        ("a", "git-lfs", "data/v.csv", "1" * 64, 4, True, "in its commit"),
        ("b", "git-lfs", "data/t.csv", "2" * 64, 20, True, ""),
        ("b", "git-lfs", "data/v.csv", "1" * 64, 4, True, "in its commit"),
    ]
    assert [row["run"] for row in mlbench(project, "query", f"data.data/t.csv = '{'2' * 64}'")] == ["b"]
    kin = mlbench(project, "sql", "SELECT artifact FROM lineage ORDER BY 1")
    assert [row["artifact"] for row in kin] == [f"data/t.csv@{digit * 64}" for digit in "12"]


def test_a_named_folder_is_one_version_of_all_its_files(project: Path) -> None:
    files = {f"data/{number}.csv": pointer(ONE, number) for number in range(2)}
    done = commit(project, {".gitattributes": "*.csv filter=lfs\n", **files})
    run_with(project, "a", {"data_dir": "data", "git_commit": done})

    (found,) = versions(project)

    listing = f"{'1' * 64} 0.csv\n{'1' * 64} 1.csv\n"
    assert found[2:] == ("data", hashlib.sha256(listing.encode()).hexdigest() + ".dir", 1, True, "")


def test_of_many_files_that_no_run_names_each_folder_is_one_version(project: Path) -> None:
    files = {f"data/{number}.csv": pointer(ONE, 1) for number in range(40)}
    done = commit(project, {".gitattributes": "*.csv filter=lfs\n", **files})
    run_with(project, "a", {"lr": 0.1, "git_commit": done})

    assert [row[2] for row in versions(project)] == ["data"]


def test_what_lies_among_the_runs_is_no_data(project: Path) -> None:
    run_with(project, "a", {"lr": 0.1})
    other = {"runs/b/out.csv": pointer(ONE, 1), "t.csv": pointer(TWO, 2)}
    done = commit(project, {".gitattributes": "*.csv filter=lfs\n", **other})
    (project / "runs" / "a" / "config.json").write_text(json.dumps({"git_commit": done}))

    assert [row[2] for row in versions(project)] == ["t.csv"]


def test_a_pointer_on_the_disk_without_a_commit_is_not_pinned(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text(pointer(ONE, 7))
    run_with(tmp_path, "a", {"train_path": "../../t.csv"})

    assert versions(tmp_path) == [("a", "git-lfs", "t.csv", "1" * 64, 7, False, "")]


def test_a_version_that_the_run_recorded_itself_stands_alone(project: Path) -> None:
    done = commit(project, {".gitattributes": "*.csv filter=lfs\n", "data/t.csv": pointer(ONE, 10)})
    run_with(project, "a", {"path": "data/t.csv", "git_commit": done})
    stamp = {"system": "hash", "name": "t.csv", "version": "sha256:changed", "bytes": 9}
    (project / "runs" / "a" / "data_version.json").write_text(json.dumps(stamp))

    assert versions(project) == [("a", "hash", "t.csv", "sha256:changed", 9, True, "")]
