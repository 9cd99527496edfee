"""Small repositories for tests, made with dulwich; no git needed."""

from pathlib import Path

from dulwich.objects import ObjectID
from dulwich.repo import Repo

ANNA = b"Anna <anna@example.org>"
T0 = 1_700_000_000
"""The time of the first commit; the others follow by the thousand seconds."""


def make_repository(path: Path, *, object_format: str = "sha1") -> Repo:
    path.mkdir(parents=True, exist_ok=True)
    return Repo.init(str(path), object_format=object_format, default_branch=b"main")


def add_commit(
    repo: Repo, files: dict[str, bytes], *, time_s: int, message: bytes = b"a step", parents: list[bytes] | None = None
) -> str:
    """Write files, stage and commit them; the id of the commit."""
    for name, content in files.items():
        path = Path(repo.path) / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    worktree = repo.get_worktree()
    worktree.stage(list(files))
    oid = worktree.commit(
        message=message, committer=ANNA, author=ANNA, commit_timestamp=time_s, commit_timezone=0,
        author_timestamp=time_s - 5, author_timezone=0, no_verify=True, sign=False,
        merge_heads=[ObjectID(parent) for parent in parents or []],
    )  # fmt: skip
    return oid.decode()


def make_history(path: Path, n_commits: int = 3, *, object_format: str = "sha1") -> list[str]:
    """Commits `step 0`, `step 1`, ..., each changing `train.py`; their ids, oldest first."""
    with make_repository(path, object_format=object_format) as repo:
        return [
            add_commit(repo, {"train.py": b"step = %d\n" % index}, time_s=T0 + 1000 * index, message=b"step %d" % index)
            for index in range(n_commits)
        ]
