"""DVC's experiments, kept as git references: each is a run, told from its commit without DVC and without a work tree.

References `refs/exps/<baseline>/<name>`; those of DVC's own (`exec`, `apply`, `celery`, `stash`, ...) are none.
Parameters, metrics, series, data versions and lineage are those of the experiment's commit, by the rules of the work
tree.
Link: https://dvc.org/doc/user-guide/experiment-management
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import field

from mlbench.dataclass import dataclass
from mlbench.model import (
    Adapter,
    Claim,
    Cursor,
    Fact,
    GitState,
    JsonValue,
    Listing,
    Problem,
    ReadStatus,
    Role,
    RunField,
    Source,
)
from mlbench.wire.content import Content
from mlbench.wire.dvc import facts_of, open_project
from mlbench.wire.dvcdata import readable
from mlbench.wire.files import LFS_MAGIC
from mlbench.wire.gitfolder import GitFolder, experiment_commit, experiment_refs, locate
from mlbench.wire.gitobjects import Entry, Objects, read_blob
from mlbench.wire.gitrepo import Repository, files_at, open_repository, read_state

_MAX_BYTES = 4 << 20


def claims(listing: Listing) -> Iterator[Claim]:
    if ".dvc" not in listing.folders or not (".git" in listing.folders or listing.has(".git")):
        return
    folder = locate(listing.path)
    for name, commit in experiment_refs(folder) if folder is not None else ():
        yield Claim(listing.path, Role.TRACKER, listing.path, part=readable(name), mark=commit)


@dataclass(slots=True)
class _CommitFiles:
    """The files of a commit."""

    top: str
    objects: Objects
    entries: Mapping[str, Entry]
    names: list[str] = field(default_factory=list)

    def content(self, name: str) -> Content | None:
        entry = self.entries.get(name)
        if entry is None:
            return None
        data = read_blob(self.objects, entry)
        if data is None or len(data) > _MAX_BYTES or data.startswith(LFS_MAGIC):
            why = "the object is missing or damaged" if data is None else "it is too large, or a Git LFS pointer"
            return Content(b"", ReadStatus.UNREADABLE, Problem(self.path(name), f"the file could not be read: {why}"))
        return Content(data, ReadStatus.EOF if data else ReadStatus.EMPTY)

    def has(self, name: str) -> bool:
        return name in self.entries

    def below(self, folder: str) -> Iterator[str]:
        start = f"{folder}/"
        return (name.removeprefix(start) for name in sorted(self.entries) if name.startswith(start))

    def pointers(self) -> list[str]:
        return sorted(name for name in self.entries if name.endswith(".dvc") and not name.startswith("."))

    def path(self, name: str) -> str:
        return os.path.join(self.top, *name.split("/"))


def read(source: Source, _cursor: Mapping[str, JsonValue] | None) -> Iterator[Fact]:
    folder = locate(source.path)
    commit = _commit_of(folder, source.part) if folder is not None else ""
    repository = open_repository(source.path)
    if repository is None or repository.objects is None or not commit:
        yield Problem(source.path, f"the experiment {source.part!r} is no longer in the repository")
        yield Cursor({}, ReadStatus.UNREADABLE)
    else:
        yield from _read(source, repository, repository.objects, commit)
    if repository is not None:
        repository.close()


def _commit_of(folder: GitFolder, part: str) -> str:
    """The experiment's commit; only a name that is no UTF-8 has to be looked for among all."""
    if commit := experiment_commit(folder, part):
        return commit
    return next((commit for name, commit in experiment_refs(folder) if readable(name) == part), "")


def _read(source: Source, repository: Repository, objects: Objects, commit_id: str) -> Iterator[Fact]:
    commit = read_state(repository, commit_id)
    baseline, _, name = source.part.partition("/")
    yield RunField("name", name)
    yield RunField("group", f"from {baseline[:7]}")
    if commit is None:
        yield Problem(source.path, f"the commit {commit_id[:12]} of the experiment {name!r} is missing or damaged")
        yield Cursor({}, ReadStatus.UNREADABLE)
        return
    yield RunField("started", commit.committed_s)
    yield RunField("status", "finished")
    yield GitState(
        commit_id, "recorded", remote=repository.remote, subject=commit.subject, committed_s=commit.committed_s,
        repository=repository.folder.path,
    )  # fmt: skip
    project = open_project(_CommitFiles(source.path, objects, files_at(objects, commit.tree)))
    yield from facts_of(project)
    status = ReadStatus.DAMAGED if project.found else ReadStatus.EOF
    yield Cursor({}, status, project.points.n_points, len(project.found))


def example(folder: str) -> None:
    """A repository with one commit and one experiment on it."""
    from dulwich import porcelain
    from dulwich.refs import Ref
    from dulwich.repo import Repo

    os.makedirs(os.path.join(folder, ".dvc"))
    names = ("dvc.yaml", "params.yaml", "metrics.json")
    heads: list[str] = []
    with Repo.init(folder) as repository:
        for lr in ("0.1", "0.2"):
            _write(folder, "dvc.yaml", "stages:\n  train:\n    cmd: python train.py\n    metrics: [metrics.json]\n")
            _write(folder, "params.yaml", f"lr: {lr}\n")
            _write(folder, "metrics.json", '{"auc": 0.7}')
            porcelain.add(repository, [os.path.join(folder, name) for name in names])
            porcelain.commit(
                repository, message=b"x", author=b"a <a@b>", committer=b"a <a@b>", author_timestamp=1795418431,
                commit_timestamp=1795418431, author_timezone=0, commit_timezone=0,
            )  # fmt: skip
            heads.append(repository.head().decode())
        repository.refs[Ref(f"refs/exps/{heads[0][:2]}/{heads[0][2:]}/lr2".encode())] = heads[1].encode()  # type: ignore[assignment]
    for name in names:
        os.unlink(os.path.join(folder, name))


def _write(folder: str, name: str, text: str) -> None:
    with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
        file.write(text)


ADAPTER = Adapter(
    name="dvc_experiments",
    claims=claims,
    read=read,
    example=example,
    version=3,
    formats="DVC's experiments (`dvc exp run`), from git references: each a run",
    files=(".git/refs/exps/",),
)
