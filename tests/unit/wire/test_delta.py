"""Promises of Delta Lake's log: each version as deltalake itself tells it, with and without the checkpoint."""

import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from mlbench.wire.delta import DeltaError, open_log, read_commit_info, read_state, version_at
from tests.paths import FORMATS, needs_formats


@pytest.fixture
def table(tmp_path: Path) -> Path:
    shutil.copytree(FORMATS / "delta" / "table", tmp_path / "table")
    return tmp_path / "table"


def expected() -> dict[str, Any]:
    found: dict[str, Any] = json.loads((FORMATS / "expected.json").read_text())["delta"]
    return found


@needs_formats
@pytest.mark.parametrize("has_checkpoint", [True, False])
def test_every_version_is_told_as_deltalake_tells_it(table: Path, has_checkpoint: bool) -> None:
    if not has_checkpoint:
        for path in (table / "_delta_log").glob("*checkpoint*"):
            path.unlink()
    told = expected()
    log = open_log(str(table))

    assert log.newest == told["latest_version"]
    assert list(log.checkpoints) == ([told["checkpoint_version"]] if has_checkpoint else [])
    for one in told["data_versions"]:
        state, commit = read_state(log, one["version"]), read_commit_info(log, one["version"])
        assert (state.n_rows, len(state.files)) == (one["rows"], one["files"])
        assert commit.operation == one["operation"]
        assert commit.mode == (one["mode"] or "")
        assert commit.user == (one["userName"] or "")
        assert commit.extra.get("run_id") == one["run_id"]
        assert commit.at_s == one["timestamp"] / 1000
        assert all((table / name).is_file() for name in state.files)
    assert (state.table_id, state.name, state.description) == (told["table_id"], told["name"], told["description"])
    assert [list(part) for part in state.schema] == told["schema"]
    assert list(state.partitions) == told["partition_columns"]


@needs_formats
def test_a_checkpoint_stands_for_commits_that_are_gone(table: Path) -> None:
    for version in range(6):
        (table / "_delta_log" / f"{version:020d}.json").unlink()
    log = open_log(str(table))

    assert read_state(log, 7).n_rows == 28
    with pytest.raises(DeltaError, match="the log of version 0 is gone"):
        read_state(log, 3)


@needs_formats
def test_the_version_of_a_time(table: Path) -> None:
    log = open_log(str(table))
    times = [one["timestamp"] / 1000 for one in expected()["data_versions"]]

    assert [version_at(log, time_s + 0.0004) for time_s in times] == list(range(8))
    assert version_at(log, times[0] - 1) is None


def write_log(folder: Path, version: int, *actions: object) -> None:
    (folder / "_delta_log").mkdir(exist_ok=True)
    text = "\n".join(json.dumps(action) for action in actions)
    (folder / "_delta_log" / f"{version:020d}.json").write_text(text)


def test_deletion_vectors_and_missing_statistics(tmp_path: Path) -> None:
    write_log(
        tmp_path,
        0,
        {
            "add": {
                "path": "a%20b.parquet",
                "size": 3,
                "stats": '{"numRecords": 10}',
                "deletionVector": {"cardinality": 4},
            }
        },
    )
    write_log(tmp_path, 1, {"add": {"path": "c.parquet", "size": 3}})
    log = open_log(str(tmp_path))

    assert read_state(log, 0).n_rows == 6
    assert list(read_state(log, 0).files) == ["a b.parquet"]
    assert read_state(log, 1).n_rows is None


@pytest.mark.parametrize(
    "text", ["{", "[]\n3\nnull", '{"add": 3}', '{"metaData": {"schemaString": "x"}}', "[" * 100_000]
)
def test_odd_logs_are_errors_or_empty(tmp_path: Path, text: str) -> None:
    (tmp_path / "_delta_log").mkdir()
    (tmp_path / "_delta_log" / f"{0:020d}.json").write_text(text)
    log = open_log(str(tmp_path))

    if text in {"{", "[" * 100_000}:
        with pytest.raises(DeltaError, match="damaged"):
            read_state(log, 0)
    else:
        assert read_state(log, 0).files == {}


def test_a_damaged_checkpoint_is_an_error(tmp_path: Path) -> None:
    write_log(tmp_path, 1, {"add": {"path": "a", "size": 1}})
    (tmp_path / "_delta_log" / f"{0:020d}.checkpoint.parquet").write_bytes(b"PAR1 no")

    with pytest.raises(DeltaError, match="the checkpoint of version 0"):
        read_state(open_log(str(tmp_path)), 1)


def test_no_log_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DeltaError):
        open_log(str(tmp_path))
    os.makedirs(tmp_path / "_delta_log")
    with pytest.raises(DeltaError, match="no version"):
        open_log(str(tmp_path))


def test_a_time_that_no_clock_shows_is_none(tmp_path: Path) -> None:
    write_log(tmp_path, 0, {"commitInfo": {"timestamp": 10**400, "operation": "WRITE"}})

    commit = read_commit_info(open_log(str(tmp_path)), 0)

    assert (commit.at_s, commit.operation) == (None, "WRITE")
