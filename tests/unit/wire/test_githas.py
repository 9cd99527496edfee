"""Whether a repository surely lacks an object, in repositories that git made."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from mlbench.wire.githas import surely_lacks

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")
NONE = "0123456789" * 4


def git(folder: Path, *words: str) -> str:
    command = ["git", "-c", "user.name=a", "-c", "user.email=a@b", *words]
    environment = {**os.environ, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}
    return subprocess.run(
        command, cwd=folder, check=True, capture_output=True, text=True, env=environment
    ).stdout.strip()


@pytest.fixture(params=["sha1", "sha256"])
def repository(tmp_path: Path, request: pytest.FixtureRequest) -> tuple[Path, list[str]]:
    """Twenty commits, and their ids."""
    git(tmp_path, "init", "-q", f"--object-format={request.param}")
    ids = []
    for n in range(20):
        git(tmp_path, "commit", "-q", "--allow-empty", "-m", f"c{n}")
        ids.append(git(tmp_path, "rev-parse", "HEAD"))
    return tmp_path, ids


def test_loose_and_packed_objects_are_never_lacking(repository: tuple[Path, list[str]]) -> None:
    path, ids = repository
    none = (NONE * 2)[: len(ids[0])]

    assert not any(surely_lacks(str(path), one) for one in ids)
    assert surely_lacks(str(path), none)

    git(path, "repack", "-adq")
    git(path, "prune-packed")
    assert not any(surely_lacks(str(path), one) for one in ids)
    assert surely_lacks(str(path), none)


def test_nothing_is_certain_of_a_short_id_of_borrowed_objects_and_of_odd_indexes(
    repository: tuple[Path, list[str]],
) -> None:
    path, ids = repository
    none = (NONE * 2)[: len(ids[0])]
    git(path, "repack", "-adq")
    (index,) = (path / ".git/objects/pack").glob("*.idx")
    content = index.read_bytes()
    index.chmod(0o644)

    assert not surely_lacks(str(path), none[:10])
    for odd in (b"", content[:500], content[: 1032 + 30], b"\0" * 2000):
        index.write_bytes(odd)
        assert not any(surely_lacks(str(path), one) for one in ids)
    index.unlink()
    os.mkfifo(index)
    assert not surely_lacks(str(path), none)
    index.unlink()
    assert surely_lacks(str(path), none)
    (path / ".git/objects/info").mkdir(exist_ok=True)
    (path / ".git/objects/info/alternates").write_text("/elsewhere\n")
    assert not surely_lacks(str(path), none)


def test_where_there_is_no_repository_nothing_is_said(tmp_path: Path) -> None:
    assert not surely_lacks(str(tmp_path), NONE)
