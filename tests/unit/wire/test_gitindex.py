"""Promises of what differs from HEAD: as `git status` tells it, without running git."""

import os
import struct
from pathlib import Path

import pytest
from dulwich import porcelain
from dulwich.repo import Repo

from mlbench.wire.gitindex import GitIndexError, WorkChange, read_index, work_changes, work_patch
from mlbench.wire.gitrepo import open_repository


def commit(folder: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    repository = Repo.init(str(folder)) if not (folder / ".git").exists() else Repo(str(folder))
    porcelain.add(repository, [str(folder / name) for name in files])
    porcelain.commit(repository, message=b"x", author=b"a <a@b>", committer=b"a <a@b>")
    repository.close()


def changes_of(folder: Path) -> tuple[list[WorkChange], str]:
    repository = open_repository(str(folder))
    assert repository is not None
    try:
        changes = work_changes(repository)
        return changes, work_patch(repository, changes)
    finally:
        repository.close()


def test_a_clean_tree_has_no_changes(tmp_path: Path) -> None:
    commit(tmp_path, {"a.py": "1\n", "b/c.py": "2\n"})
    os.utime(tmp_path / "a.py", (5, 5))  # touched, not changed

    assert changes_of(tmp_path) == ([], "")


def test_changed_deleted_and_staged_files_are_told(tmp_path: Path) -> None:
    commit(tmp_path, {"a.py": "1\n2\n", "b/c.py": "2\n", "d.bin": "x"})
    (tmp_path / "a.py").write_text("1\n3\n")
    (tmp_path / "b" / "c.py").unlink()
    (tmp_path / "new.py").write_text("n\n")
    repository = Repo(str(tmp_path))
    porcelain.add(repository, [str(tmp_path / "new.py")])
    repository.close()
    (tmp_path / "d.bin").write_bytes(b"\0\1")
    (tmp_path / "untracked.py").write_text("u\n")

    changes, patch = changes_of(tmp_path)

    assert {(change.path, change.kind) for change in changes} == {
        (b"a.py", "changed"), (b"b/c.py", "deleted"), (b"d.bin", "changed"), (b"new.py", "added"),
    }  # fmt: skip
    assert "--- a/a.py\n+++ b/a.py\n@@ -1,2 +1,2 @@\n 1\n-2\n+3\n" in patch
    assert "+++ /dev/null" in patch
    assert "Binary files a/d.bin and b/d.bin differ" in patch
    assert "untracked" not in patch


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"DIRC",
        b"DIRC" + struct.pack(">2I", 9, 0),
        b"DIRC" + struct.pack(">2I", 2, 3),
        b"DIRC" + struct.pack(">2I", 2, 1 << 30),
    ],
)
def test_a_damaged_index_is_told(data: bytes) -> None:
    with pytest.raises(GitIndexError):
        read_index(data)


def test_names_of_version_4_are_built_on_the_one_before() -> None:
    def entry(oid: bytes, name: bytes) -> bytes:
        return struct.pack(">10I", 0, 0, 1, 2, 0, 0, 0o100644, 0, 0, 3) + oid * 20 + struct.pack(">H", 1) + name

    data = b"DIRC" + struct.pack(">2I", 4, 2) + entry(b"\1", b"\0src/a.py\0") + entry(b"\2", b"\4b.py\0")

    assert [one.path for one in read_index(data)] == [b"src/a.py", b"src/b.py"]
