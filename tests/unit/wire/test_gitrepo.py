"""Which code a run came from, told without running git."""

import os
import shutil
import subprocess
import tarfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from dulwich.objects import ObjectID

from mlbench.model import GitState, Problem
from mlbench.wire import gitrepo
from mlbench.wire.gitfolder import Head
from mlbench.wire.gitrepo import (
    Repository,
    attribute,
    blob_at,
    changed_files,
    commit_at,
    first_parents,
    open_repository,
    read_state,
    unified_diff,
)
from tests.paths import FORMATS, needs_formats

from .git_builder import T0, add_commit, make_history, make_repository

needs_git = pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")


def git(folder: Path, *arguments: str, text: str | None = None) -> str:
    settings = {"GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_SYSTEM": "/dev/null", "PATH": os.environ["PATH"]}
    people = {f"GIT_{who}_{what}": "x" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    done = subprocess.run(
        ["git", "-C", str(folder), *arguments],
        env=settings | people,
        input=text,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


@pytest.fixture
def opened() -> Iterator["Opener"]:
    opener = Opener()
    yield opener
    for repository in opener.repositories:
        repository.close()


class Opener:
    """Opens repositories and closes them after the test."""

    def __init__(self) -> None:
        self.repositories: list[Repository] = []

    def __call__(self, path: Path) -> Repository:
        repository = open_repository(str(path))
        assert repository is not None
        self.repositories.append(repository)
        return repository


def without_log(path: Path) -> None:
    shutil.rmtree(path / ".git/logs")


def write_log(path: Path, *moves: tuple[int, str, str]) -> None:
    (path / ".git/logs").mkdir(exist_ok=True)
    lines = [f"{'0' * 40} {commit} A <a@b> {time_s} +0000\t{message}\n" for time_s, commit, message in moves]
    (path / ".git/logs/HEAD").write_text("".join(lines))


# ---------------------------------------------------------------- opening


def test_a_repository_tells_head_branch_and_remote(tmp_path: Path, opened: Opener) -> None:
    ids = make_history(tmp_path, 2)
    with (tmp_path / ".git/config").open("a") as config:
        config.write('[remote "origin"]\n\turl = https://me:ghp_secret@github.com/u/r.git?token=a1b2c3d4e5f6g7\n')

    repository = opened(tmp_path)

    assert repository.head == Head(ids[1], "main")
    assert repository.remote == "https://github.com/u/r.git"
    assert repository.problems == ()
    assert not repository.folder.is_bare


def test_where_there_is_none_nothing_is_opened(tmp_path: Path) -> None:
    assert open_repository(str(tmp_path)) is None


def test_a_branch_without_commits_is_unborn_and_says_nothing(tmp_path: Path, opened: Opener) -> None:
    make_repository(tmp_path).close()

    repository = opened(tmp_path)

    assert repository.head == Head("", "main")
    assert repository.problems == ()
    assert attribute(repository, T0, folder=str(tmp_path)) is None
    assert list(first_parents(repository)) == []


def test_a_missing_commit_is_told_and_the_rest_goes_on(tmp_path: Path, opened: Opener) -> None:
    ids = make_history(tmp_path, 1)
    (tmp_path / ".git/objects" / ids[0][:2] / ids[0][2:]).unlink()

    repository = opened(tmp_path)

    what = f"the commit {ids[0][:12]}, which HEAD names, is missing or damaged"
    assert repository.problems == (Problem(str(tmp_path), what, hint="git fsck"),)
    write_log(tmp_path, (T0, ids[0], "commit: x"))
    assert attribute(opened(tmp_path), T0 + 1, folder=str(tmp_path)) == GitState(
        commit=ids[0], how="reflog", branch="main", repository=str(tmp_path)
    )


def test_branches_in_a_reftable_are_told_and_left_whole(tmp_path: Path, opened: Opener) -> None:
    ids = make_history(tmp_path, 1)
    with (tmp_path / ".git/config").open("a") as config:
        config.write("[extensions]\n\trefStorage = reftable\n")

    repository = opened(tmp_path)

    assert [problem.what for problem in repository.problems] == [
        "the repository keeps its branches in a reftable, which cannot be read yet"
    ]
    assert blob_at(repository, ids[0], "train.py") is None
    assert changed_files(repository, ids[0], ids[0]) is None
    assert (tmp_path / ".git/refs/heads/main").read_text().strip() == ids[0]
    assert attribute(repository, T0 + 1, folder=str(tmp_path)) == GitState(
        commit=ids[0], how="reflog", branch="", repository=str(tmp_path)
    )


def test_an_unknown_format_is_told(tmp_path: Path, opened: Opener) -> None:
    make_history(tmp_path, 1)
    with (tmp_path / ".git/config").open("a") as config:
        config.write("[extensions]\n\tobjectFormat = sha3\n")

    repository = opened(tmp_path)

    assert repository.objects is None
    assert "its objects cannot be read" in repository.problems[0].what
    assert commit_at(repository, T0 - 1) is None


def test_repositories_of_the_longer_hash_are_read(tmp_path: Path, opened: Opener) -> None:
    ids = make_history(tmp_path, 2, object_format="sha256")

    state = attribute(opened(tmp_path), T0 + 500, folder=str(tmp_path))

    assert state is not None
    assert len(state.commit) == 64
    assert state.commit == ids[0]


# ---------------------------------------------------------------- which commit


def test_the_log_of_head_is_exact_for_this_clone(tmp_path: Path, opened: Opener) -> None:
    ids = make_history(tmp_path, 3)
    write_log(
        tmp_path,
        (T0 + 10_000, ids[2], "clone: from x"),
        (T0 + 20_000, ids[0], f"checkout: moving from main to {ids[0]}"),
        (T0 + 30_000, ids[2], f"checkout: moving from {ids[0]} to dev"),
    )
    repository = opened(tmp_path)

    assert commit_at(repository, T0 + 10_000) == (ids[2], "reflog")
    assert commit_at(repository, T0 + 29_999) == (ids[0], "reflog")
    assert attribute(repository, T0 + 15_000, folder=str(tmp_path / "runs/1")) == GitState(
        commit=ids[2], how="reflog", branch="main", subject="step 2", committed_s=T0 + 2000.0, repository=str(tmp_path)
    )
    detached = attribute(repository, T0 + 25_000, folder=str(tmp_path))
    assert detached is not None
    assert (detached.commit, detached.branch) == (ids[0], "")


def test_before_the_log_the_newest_first_parent_is_a_guess(tmp_path: Path, opened: Opener) -> None:
    ids = make_history(tmp_path, 3)
    write_log(tmp_path, (T0 + 10_000, ids[2], "clone: from x"))
    repository = opened(tmp_path)

    assert commit_at(repository, T0 + 1999.5) == (ids[1], "guess")
    assert commit_at(repository, T0 + 2000) == (ids[2], "guess")
    assert commit_at(repository, T0 - 1) is None
    state = attribute(repository, T0 + 1999, folder=str(tmp_path))
    assert state is not None
    assert (state.how, state.subject, state.branch) == ("guess", "step 1", "main")
    assert attribute(repository, T0 - 1, folder=str(tmp_path)) is None
    assert attribute(repository, None, folder=str(tmp_path)) is None


def test_only_first_parents_are_guessed(tmp_path: Path, opened: Opener) -> None:
    with make_repository(tmp_path) as repo:
        root = add_commit(repo, {"a": b"0"}, time_s=T0)
        side = add_commit(repo, {"a": b"side"}, time_s=T0 + 500)
        repo.refs[b"refs/heads/main"] = ObjectID(root.encode())  # type: ignore[index]  # dulwich types a plain key away
        merge = add_commit(repo, {"a": b"merged"}, time_s=T0 + 1000, parents=[side.encode()])
    without_log(tmp_path)
    repository = opened(tmp_path)

    assert [commit.id for commit in first_parents(repository)] == [merge, root]
    assert commit_at(repository, T0 + 700) == (root, "guess")


def test_the_walk_is_bounded_and_remembered(tmp_path: Path, opened: Opener, monkeypatch: pytest.MonkeyPatch) -> None:
    ids = make_history(tmp_path, 5)
    repository = opened(tmp_path)

    first = [commit.id for commit in first_parents(repository, limit=2)]
    monkeypatch.setattr(gitrepo, "read_commit", pytest.fail)
    second = [commit.id for commit in first_parents(repository, limit=2)]

    assert first == second == [ids[4], ids[3]]


def test_a_tracked_run_came_with_the_commit_that_added_it(tmp_path: Path, opened: Opener) -> None:
    with make_repository(tmp_path) as repo:
        add_commit(repo, {"train.py": b"0"}, time_s=T0)
        added = add_commit(repo, {"runs/a/config.yaml": b"lr: 1"}, time_s=T0 + 1000, message=b"first run")
        add_commit(repo, {"runs/b/config.yaml": b"lr: 2", "runs/a/more": b"x"}, time_s=T0 + 2000, message=b"second run")
    repository = opened(tmp_path)

    first = attribute(repository, T0 + 900, folder=str(tmp_path / "runs/a"))
    second = attribute(repository, None, folder=str(tmp_path / "runs/b"))

    assert first == GitState(
        commit=added,
        how="tracked",
        branch="main",
        subject="first run",
        committed_s=T0 + 1000.0,
        repository=str(tmp_path),
    )
    assert second is not None
    assert second.subject == "second run"


def test_a_run_of_the_very_first_commit_is_tracked(tmp_path: Path, opened: Opener) -> None:
    with make_repository(tmp_path) as repo:
        root = add_commit(repo, {"runs/a/config.yaml": b"lr: 1"}, time_s=T0)
        add_commit(repo, {"train.py": b"1"}, time_s=T0 + 1000)

    state = attribute(opened(tmp_path), T0 - 100, folder=str(tmp_path / "runs/a"))

    assert state is not None
    assert (state.commit, state.how) == (root, "tracked")


def test_a_folder_that_was_tracked_before_the_run_began_proves_nothing(tmp_path: Path, opened: Opener) -> None:
    with make_repository(tmp_path) as repo:
        add_commit(repo, {"runs/a/.gitkeep": b""}, time_s=T0)
        later = add_commit(repo, {"train.py": b"1"}, time_s=T0 + 1000)
    without_log(tmp_path)

    state = attribute(opened(tmp_path), T0 + 1500, folder=str(tmp_path / "runs/a"))

    assert state is not None
    assert (state.commit, state.how) == (later, "guess")


def test_a_folder_that_is_not_tracked_is_not_searched_for(
    tmp_path: Path, opened: Opener, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = make_history(tmp_path / "r", 2)
    without_log(tmp_path / "r")
    (tmp_path / "r/runs").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "r/runs")
    repository = opened(tmp_path / "r")
    monkeypatch.setattr(gitrepo, "compare_trees", pytest.fail)

    for folder in ("r/runs", "r", "link", "r/train.py", "elsewhere", "r-2"):
        state = attribute(repository, T0 + 500, folder=str(tmp_path / folder))

        assert state is not None
        assert (state.commit, state.how) == (ids[0], "guess")


def test_where_history_is_cut_the_adding_commit_is_not_known(tmp_path: Path, opened: Opener) -> None:
    with make_repository(tmp_path) as repo:
        gone = add_commit(repo, {"train.py": b"0"}, time_s=T0)
        add_commit(repo, {"runs/a/config.yaml": b"lr: 1"}, time_s=T0 + 1000)
        kept = add_commit(repo, {"runs/b/config.yaml": b"lr: 1"}, time_s=T0 + 2000)
    (tmp_path / ".git/objects" / gone[:2] / gone[2:]).unlink()
    repository = opened(tmp_path)

    assert attribute(repository, None, folder=str(tmp_path / "runs/a")) is None
    state = attribute(repository, None, folder=str(tmp_path / "runs/b"))
    assert state is not None
    assert state.commit == kept


def test_names_that_are_no_text_are_found(tmp_path: Path, opened: Opener) -> None:
    name = os.fsdecode(b"runs/\xff")
    with make_repository(tmp_path) as repo:
        oid = add_commit(repo, {f"{name}/x": b"1"}, time_s=T0)
    repository = opened(tmp_path)

    state = attribute(repository, T0, folder=str(tmp_path / name))

    assert state is not None
    assert (state.commit, state.how) == (oid, "tracked")
    assert blob_at(repository, oid, f"{name}/x") == b"1"


def test_secrets_in_subjects_are_not_kept(tmp_path: Path, opened: Opener) -> None:
    token = "hf_" + "A1b2C3d4E5" * 3
    with make_repository(tmp_path) as repo:
        add_commit(repo, {"a": b"1"}, time_s=T0, message=f"use {token}".encode())

    state = attribute(opened(tmp_path), T0 + 1, folder=str(tmp_path))

    assert state is not None
    assert state.subject.startswith("use <redacted:")


# ---------------------------------------------------------------- what changed


def test_changed_files_are_listed_by_path(tmp_path: Path, opened: Opener) -> None:
    with make_repository(tmp_path) as repo:
        old = add_commit(repo, {"b.py": b"1", "conf/lr.yaml": b"1", "gone/x": b"1"}, time_s=T0)
        (tmp_path / "gone/x").unlink()
        repo.get_worktree().stage(["gone/x"])
        new = add_commit(repo, {"b.py": b"2", "a/new.py": b"1"}, time_s=T0 + 1)
    repository = opened(tmp_path)

    assert changed_files(repository, old, new) == [("a/new.py", "added"), ("b.py", "changed"), ("gone/x", "removed")]
    assert changed_files(repository, old[:8], old) == []
    assert changed_files(repository, old, "0" * 40) is None
    assert len(changed_files(repository, old, new, limit=2) or []) == 2


def test_the_difference_is_shown_as_text(tmp_path: Path, opened: Opener) -> None:
    with make_repository(tmp_path) as repo:
        old = add_commit(repo, {"a.py": b"lr = 1\nn = 2\n", "w.bin": b"\0a", "gone": b"x"}, time_s=T0)
        (tmp_path / "gone").unlink()
        repo.get_worktree().stage(["gone"])
        new = add_commit(
            repo, {"a.py": b"lr = 2\nn = 2\n", "w.bin": b"\0b", "b.yaml": b"db.password: hunter2\n"}, time_s=T0 + 1
        )
    repository = opened(tmp_path)

    text = unified_diff(repository, old, new)

    assert text is not None
    assert text.replace(text[text.index("<redacted:") : text.index(">", text.index("<redacted:")) + 1], "<hidden>") == (
        "diff --git a/a.py b/a.py\n--- a/a.py\n+++ b/a.py\n@@ -1,2 +1,2 @@\n-lr = 1\n+lr = 2\n n = 2\n"
        "diff --git a/b.yaml b/b.yaml\n--- /dev/null\n+++ b/b.yaml\n@@ -0,0 +1 @@\n+db.password: <hidden>\n"
        "diff --git a/gone b/gone\n--- a/gone\n+++ /dev/null\n@@ -1 +0,0 @@\n-x\n"
        "diff --git a/w.bin b/w.bin\nBinary files differ\n"
    )
    assert unified_diff(repository, old, old) == ""
    assert unified_diff(repository, old, "1" * 40) is None


def test_a_long_difference_is_cut_after_a_line(tmp_path: Path, opened: Opener) -> None:
    with make_repository(tmp_path) as repo:
        old = add_commit(repo, {"a.py": b"1\n" * 100}, time_s=T0)
        new = add_commit(repo, {"a.py": b"2\n" * 100}, time_s=T0 + 1)

    text = unified_diff(opened(tmp_path), old, new, limit_bytes=100)

    assert text is not None
    assert text.startswith("diff --git a/a.py b/a.py\n")
    assert text.endswith("-1\n... (cut here)\n")
    assert len(text) < 120


def test_files_that_cannot_be_compared_are_named(tmp_path: Path, opened: Opener) -> None:
    with make_repository(tmp_path) as repo:
        old = add_commit(repo, {"long": b"1\n" * 20_000, "lost": b"a"}, time_s=T0)
        new = add_commit(repo, {"long": b"2\n" * 20_000, "lost": b"b"}, time_s=T0 + 1)
    repository = opened(tmp_path)
    assert blob_at(repository, new, "lost") == b"b"
    for path in (tmp_path / ".git/objects").glob("63/*"):  # the blob "b"
        path.unlink()

    text = unified_diff(repository, old, new)

    assert text == (
        "diff --git a/long b/long\nThe file is too large to be compared line by line\n"
        "diff --git a/lost b/lost\nThe file is missing or damaged, or is a submodule\n"
    )


def test_a_blob_is_read_as_a_commit_has_it(tmp_path: Path, opened: Opener) -> None:
    ids = make_history(tmp_path, 2)
    repository = opened(tmp_path)

    assert blob_at(repository, ids[0], "train.py") == b"step = 0\n"
    assert blob_at(repository, ids[0][:7], "train.py") == b"step = 0\n"
    assert blob_at(repository, ids[0], "no.py") is None
    assert blob_at(repository, "0" * 40, "train.py") is None
    assert read_state(repository, "main") is None


# ---------------------------------------------------------------- nothing is run, nothing is written


def plant_programs(path: Path, marker: Path) -> None:
    """Every way that a repository has to make git run something."""
    program = f"touch {marker}"
    with (path / ".git/config").open("a") as config:
        config.write(
            f'[core]\n\tfsmonitor = "{program}"\n\tpager = "{program}"\n\thooksPath = {path}/.git/hooks\n'
            f'\tsshCommand = "{program}"\n\tgitProxy = "{program}"\n\taskPass = "{program}"\n'
            f'[diff]\n\texternal = "{program}"\n[diff "x"]\n\ttextconv = "{program}"\n\tcommand = "{program}"\n'
            f'[filter "x"]\n\tclean = "{program}"\n\tsmudge = "{program}"\n\tprocess = "{program}"\n\trequired\n'
            f'[remote "origin"]\n\turl = ext::sh -c "{program}"\n\tpromisor = true\n'
            f'[credential]\n\thelper = "!{program}"\n[gpg]\n\tprogram = "{program}"\n[include]\n\tpath = {path}/fifo\n'
        )
    for name in ("post-checkout", "pre-commit", "post-index-change", "fsmonitor-watchman", "reference-transaction"):
        hook = path / ".git/hooks" / name
        hook.parent.mkdir(exist_ok=True)
        hook.write_text(f"#!/bin/sh\n{program}\n")
        hook.chmod(0o755)
    os.mkfifo(path / "fifo")


def snapshot(path: Path) -> dict[str, tuple[int, int]]:
    found = [entry for entry in path.rglob("*") if not entry.is_symlink()]
    return {str(entry): (entry.stat().st_mtime_ns, entry.stat().st_size) for entry in found}


def test_no_program_of_the_repository_runs_and_nothing_is_written(tmp_path: Path, opened: Opener) -> None:
    path, marker = tmp_path / "r", tmp_path / "ran"
    with make_repository(path) as repo:
        old = add_commit(repo, {".gitattributes": b"* filter=x diff=x\n", "runs/a/x.py": b"1\n"}, time_s=T0)
        new = add_commit(repo, {"runs/a/x.py": b"2\n"}, time_s=T0 + 1000)
    plant_programs(path, marker)
    (path / "runs/a/x.py").write_text("changed since")
    before = snapshot(path)

    repository = opened(path)
    state = attribute(repository, T0 - 10, folder=str(path / "runs/a"))
    text = unified_diff(repository, old, new)
    blob_at(repository, new, "runs/a/x.py")
    read_state(repository, "0" * 40)
    repository.close()

    assert state is not None
    assert state.how == "tracked"
    assert text is not None
    assert "+2" in text
    assert not marker.exists()
    assert snapshot(path) == before


@needs_git
def test_git_would_have_run_them(tmp_path: Path) -> None:
    path, marker = tmp_path / "r", tmp_path / "ran"
    with make_repository(path) as repo:
        add_commit(repo, {".gitattributes": b"* filter=x diff=x\n", "x.py": b"1\n"}, time_s=T0)
    plant_programs(path, marker)
    (path / "fifo").unlink()
    (path / "x.py").write_text("changed since")

    subprocess.run(["git", "-C", str(path), "status"], capture_output=True, check=False)

    assert marker.exists()


# ---------------------------------------------------------------- repositories that git made


@needs_git
def test_what_git_made_is_read_as_git_reads_it(tmp_path: Path, opened: Opener) -> None:
    origin = tmp_path / "origin"
    ids = make_history(origin, 6)
    (origin / "big.txt").write_text("line\n" * 5000)
    git(origin, "add", "big.txt")
    git(origin, "commit", "-qm", "größer")
    git(origin, "gc", "-q")
    git(tmp_path, "clone", "-q", "--depth=2", f"file://{origin}", "shallow")
    git(tmp_path, "clone", "-q", "--bare", str(origin), "bare.git")
    git(tmp_path, "clone", "-q", "--shared", str(origin), "borrowing")
    git(origin, "config", "uploadpack.allowFilter", "true")
    git(tmp_path, "clone", "-q", "--no-checkout", "--filter=blob:none", f"file://{origin}", "partial")
    git(origin, "worktree", "add", "-q", "-b", "side", "../linked", ids[3])
    git(origin, "checkout", "-q", "--detach", ids[1])

    heads = {
        name: opened(tmp_path / name).head
        for name in ("shallow", "bare.git", "borrowing", "partial", "linked", "origin")
    }

    tip = git(tmp_path / "bare.git", "rev-parse", "HEAD")
    assert heads == {
        "shallow": Head(tip, "main"), "bare.git": Head(tip, "main"), "borrowing": Head(tip, "main"),
        "partial": Head(tip, "main"), "linked": Head(ids[3], "side"), "origin": Head(ids[1], ""),
    }  # fmt: skip
    assert all(repository.problems == () for repository in opened.repositories)
    lengths = [len(list(first_parents(repository))) for repository in opened.repositories]
    assert lengths == [2, 7, 7, 7, 4, 2]
    partial, borrowing = opened.repositories[3], opened.repositories[2]
    assert blob_at(partial, tip, "train.py") is None
    assert blob_at(borrowing, tip, "big.txt") == b"line\n" * 5000
    assert changed_files(borrowing, ids[5], tip) == [("big.txt", "added")]
    assert changed_files(partial, ids[5], tip) == [("big.txt", "added")]
    shown = git(origin, "diff", ids[0], ids[1]).split("\n")
    expected = [line for line in shown if not line.startswith("index ")]
    assert unified_diff(borrowing, ids[0], ids[1]) == "\n".join([*expected, ""])
    state = attribute(opened.repositories[0], T0 + 5500.0, folder=str(tmp_path))
    assert state is not None
    assert (state.how, state.commit) == ("guess", ids[5])


@needs_git
def test_guesses_agree_with_git(tmp_path: Path, opened: Opener) -> None:
    make_history(tmp_path, 8)
    without_log(tmp_path)
    repository = opened(tmp_path)

    for time_s in range(T0, T0 + 9000, 700):
        expected = git(tmp_path, "rev-list", "-1", "--first-parent", f"--before={time_s}", "HEAD")

        assert commit_at(repository, time_s) == (expected, "guess")


@needs_formats
@pytest.mark.parametrize(
    ("archive", "path", "subjects", "changes"),
    [
        ("gitlfs/repo.tar.gz", "repo", ["v2", "v1"], [("w.bin", "data")]),
        ("gitlfs/clone.tar.gz", "clone", ["v2", "v1"], [("w.bin", "data")]),
        ("dvc/repo.tar.gz", "repo", ["lr .01", "baseline lr .1"], None),
    ],
)
def test_real_repositories_of_data_tools_are_read(
    tmp_path: Path, archive: str, path: str, subjects: list[str], changes: list[tuple[str, str]] | None
) -> None:
    with tarfile.open(FORMATS / archive) as members:
        members.extractall(tmp_path, filter="data")
    repository = open_repository(str(tmp_path / path))
    assert repository is not None

    with closing(repository):
        commits = list(first_parents(repository))
        found = changed_files(repository, commits[1].id, commits[0].id)
        log_ends_at = repository.moves[-1].commit

    assert [commit.subject for commit in commits][:2] == subjects
    assert repository.problems == ()
    assert repository.head == Head(commits[0].id, "main")
    assert log_ends_at == commits[0].id
    assert found == (changes or found)
    assert found is not None
    assert found != []
