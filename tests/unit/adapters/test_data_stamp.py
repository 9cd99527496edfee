"""Versions of data written beside a run."""

import json
import os
from pathlib import Path

import pytest

from mlbench.adapters.data_stamp import ADAPTER
from mlbench.model import Claim, Cursor, DataVersion, Fact, Listing, Problem, ReadStatus, Role, Source


def facts_of(folder: Path, text: str | bytes) -> list[Fact]:
    path = folder / "data_version.json"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return list(ADAPTER.read(Source(str(path), str(folder)), None))


def test_the_example_is_claimed_and_read_whole(tmp_path: Path) -> None:
    ADAPTER.example(str(tmp_path))
    path = tmp_path / "data_version.json"

    claims = list(ADAPTER.claims(Listing(str(tmp_path), tuple(os.listdir(tmp_path)), ())))

    assert claims == [Claim(str(path), Role.CONTEXT, str(tmp_path))]
    assert list(ADAPTER.read(Source(str(path), str(tmp_path)), None)) == [
        DataVersion(
            "hash",
            "digits",
            "sha256:1cfb3823767de3b3d708d0acca9d7cc196facf4d393be78b37001d99d60cd899",
            n_rows=1437,
            schema='{"label": "int64", "pixels": "float64[64]"}',
        ),
        Cursor({}, n_records=1),
    ]


def test_other_files_are_not_claimed(tmp_path: Path) -> None:
    assert list(ADAPTER.claims(Listing(str(tmp_path), ("data.json", "version.json"), ("data_version.json",)))) == []


def test_a_version_alone_is_enough(tmp_path: Path) -> None:
    assert facts_of(tmp_path, '{"version": 7}')[0] == DataVersion("hash", "data", "7")


def test_several_data_sets_are_told_one_by_one(tmp_path: Path) -> None:
    records = [
        {"system": "lakefs", "name": "train", "version": "main", "pinned": False},
        {"name": "val", "version": "3", "rows": 12, "schema": "a int"},
    ]

    facts = facts_of(tmp_path, json.dumps(records))

    assert facts == [
        DataVersion("lakefs", "train", "main", is_pinned=False),
        DataVersion("hash", "val", "3", n_rows=12, schema="a int"),
        Cursor({}, n_records=2),
    ]


@pytest.mark.parametrize("rows", [True, -1, 1.5, "12", 2**63])
def test_rows_that_are_no_count_are_left_out(tmp_path: Path, rows: object) -> None:
    (version, _) = facts_of(tmp_path, json.dumps({"version": "1", "rows": rows}))

    assert version == DataVersion("hash", "data", "1")


def test_a_name_gives_no_password_away_and_is_valid_text(tmp_path: Path) -> None:
    (version, _) = facts_of(tmp_path, '{"name": "https://ada:hunter2@host/x", "version": "\\ud800"}')

    assert isinstance(version, DataVersion)
    assert "hunter2" not in version.name
    assert version.version == "?"


@pytest.mark.parametrize(
    ("text", "what", "status"),
    [
        ("", "the file is empty", ReadStatus.EMPTY),
        ("[]", "the list is empty", ReadStatus.EMPTY),
        ("{", "the file is not whole or not JSON", ReadStatus.UNREADABLE),
        (b"\xff\xfe", "the file is not whole or not JSON", ReadStatus.UNREADABLE),
        ("[" * 100_000, "the file is not whole or not JSON", ReadStatus.UNREADABLE),
        ("7", "1 data version has no `version` and was left out", ReadStatus.DAMAGED),
        ('[{}, {"version": null}]', "2 data versions have no `version` and were left out", ReadStatus.DAMAGED),
        (" " * (1 << 20) + "{}", "the file cannot be read: larger than 1 MiB", ReadStatus.UNREADABLE),
        (
            "version https://git-lfs.github.com/spec/v1\n",
            "a Git LFS pointer stands in place of the file",
            ReadStatus.LFS_POINTER,
        ),
    ],
)
def test_what_is_no_version_is_told(tmp_path: Path, text: str | bytes, what: str, status: ReadStatus) -> None:
    problem, cursor = facts_of(tmp_path, text)

    assert isinstance(problem, Problem)
    assert (problem.path, problem.what) == (str(tmp_path / "data_version.json"), what)
    assert isinstance(cursor, Cursor)
    assert cursor.status == status


def test_a_good_version_beside_a_bad_one_is_kept(tmp_path: Path) -> None:
    version, problem, cursor = facts_of(tmp_path, '[{"version": "1"}, {"name": "lost"}]')

    assert version == DataVersion("hash", "data", "1")
    assert isinstance(problem, Problem)
    assert problem.hint == 'Write: {"system": "hash", "name": "digits", "version": "sha256:..."}'
    assert cursor == Cursor({}, status=ReadStatus.DAMAGED, n_records=1, n_bad=1)


@pytest.mark.parametrize("make", ["missing", "folder", "pipe"])
def test_what_is_no_file_is_told(tmp_path: Path, make: str) -> None:
    path = tmp_path / "data_version.json"
    if make == "folder":
        path.mkdir()
    if make == "pipe":
        os.mkfifo(path)

    problem, cursor = ADAPTER.read(Source(str(path), str(tmp_path)), None)

    assert isinstance(problem, Problem)
    assert problem.what.startswith("the file cannot be read: ")
    assert cursor == Cursor({}, status=ReadStatus.UNREADABLE)
