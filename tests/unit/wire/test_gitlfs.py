"""Promises of Git LFS: pointers are known, and those of a commit are found by its `.gitattributes`, nothing is run."""

import json
import tarfile
import time
from pathlib import Path

import pytest

from mlbench.wire.gitlfs import Pointer, is_lfs_path, parse_pointer, pointer_at, pointers_below, rules_in, uses_lfs
from mlbench.wire.gitrepo import open_repository, read_state
from tests.paths import FORMATS, needs_formats

OID = "fdb77a5a960ce5593a107a37aa1b9c613161e8766c7564e6b058d8dfca291e6d"
POINTER = f"version https://git-lfs.github.com/spec/v1\noid sha256:{OID}\nsize 5005\n"


def test_a_pointer_is_its_hash_and_size() -> None:
    assert parse_pointer(POINTER.encode()) == Pointer(OID, 5005)
    assert parse_pointer(
        POINTER.replace("oid", f"ext-0-foo sha256:{'a' * 64}\noid").encode()
    ) == Pointer(OID, 5005)  # fmt: skip


@pytest.mark.parametrize(
    "text",
    [
        "",
        POINTER[:60],
        POINTER.replace("size 5005", "size -1"),
        POINTER.replace("size 5005", "size 99999999999999999999999"),
        POINTER.replace(OID, OID[:-1]),
        POINTER.replace(OID, OID.upper()),
        POINTER + "\x00\n",
        POINTER + "x" * 1024,
        POINTER + f"oid sha256:{'a' * 64}\n",
        "oid sha256:" + OID + "\nsize 3\n",
    ],
)
def test_what_is_no_whole_pointer_is_none(text: str) -> None:
    assert parse_pointer(text.encode()) is None


@pytest.mark.parametrize(
    ("attributes", "path", "expected"),
    [
        ("*.bin filter=lfs diff=lfs merge=lfs -text", "a/b/w.bin", True),
        ("*.bin filter=lfs", "w.bins", False),
        ("/w.bin filter=lfs", "a/w.bin", False),
        ("data/** filter=lfs", "data/a/b.csv", True),
        ("data/** filter=lfs", "data", False),
        ("data/* filter=lfs", "data/a/b.csv", False),
        ("**/raw/*.csv filter=lfs", "raw/t.csv", True),
        ("a/**/b filter=lfs", "a/b", True),
        ("a/**/b filter=lfs", "a/x/y/b", True),
        ("a[[:space:]]b.bin filter=lfs", "a b.bin", True),
        ('"a b.bin" filter=lfs', "a b.bin", True),
        ("*.bin filter=lfs\nsmall.bin -filter", "small.bin", False),
        ("*.bin filter=lfs\nsmall.bin !filter", "small.bin", False),
        ("*.bin filter=other", "w.bin", False),
        ("[attr]large filter=lfs -text\n*.pt large", "w.pt", True),
        ("# *.bin filter=lfs", "w.bin", False),
        ("[ab].bin filter=lfs", "c.bin", False),
        ("\\*.bin filter=lfs", "w.bin", False),
    ],
)
def test_patterns_mean_what_they_mean_to_git(attributes: str, path: str, expected: bool) -> None:
    assert is_lfs_path(path, rules_in(attributes)) is expected


def test_attributes_of_a_folder_speak_of_what_lies_below_and_hold_over_those_above() -> None:
    rules = rules_in("*.bin filter=lfs") + rules_in("*.bin -filter", "small/")

    assert is_lfs_path("w.bin", rules)
    assert not is_lfs_path("small/w.bin", rules)


def test_no_pattern_takes_long() -> None:
    rules = rules_in("**/" * 200 + "*a" * 300 + "b filter=lfs")

    before = time.process_time()
    assert not is_lfs_path("a/" * 500 + "a" * 4000, rules)
    assert time.process_time() - before < 2


@needs_formats
@pytest.mark.parametrize("archive", ["repo", "clone"])
def test_the_pointers_of_each_commit_are_those_of_git_lfs(tmp_path: Path, archive: str) -> None:
    with tarfile.open(FORMATS / "gitlfs" / f"{archive}.tar.gz") as packed:
        packed.extractall(tmp_path, filter="data")
    told = json.loads((FORMATS / "expected.json").read_text())["gitlfs"]
    repository = open_repository(str(tmp_path / archive))
    assert repository is not None
    assert repository.objects is not None

    found = {}
    for one in told["commits"]:
        commit = read_state(repository, one["commit"])
        assert commit is not None
        assert uses_lfs(repository.objects, repository.folder.common, commit.tree)
        found[commit.id] = pointers_below(repository.objects, commit.tree)
        assert pointer_at(repository.objects, commit.tree, "data/t.csv") == found[commit.id]["data/t.csv"]
        assert pointer_at(repository.objects, commit.tree, "empty.bin") is None
    repository.close()

    assert found == {
        one["commit"]: {path: Pointer(file["oid"], file["size"]) for path, file in one["files"].items()}
        for one in told["commits"]
    }


def test_a_pattern_longer_than_any_path_says_nothing() -> None:
    before = time.process_time()

    assert rules_in("[" * 20_000 + " filter=lfs\n*.bin filter=lfs") == rules_in("*.bin filter=lfs")
    assert time.process_time() - before < 1
