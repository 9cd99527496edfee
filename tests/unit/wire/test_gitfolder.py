"""The plain files of repositories, read by hand."""

import os
from pathlib import Path

import pytest

from mlbench.wire.gitfolder import (
    GitFolder,
    Head,
    Move,
    branch_at,
    find_repository,
    locate,
    read_config,
    read_head_ref,
    read_moves,
    remote_of,
)

A, B = "a1" * 20, "b2" * 20


def make_control(path: Path, head: str = "ref: refs/heads/main\n") -> GitFolder:
    for name in ("objects", "refs/heads"):
        (path / name).mkdir(parents=True)
    (path / "HEAD").write_text(head)
    return GitFolder(str(path), str(path), str(path), is_bare=True)


def test_the_nearest_repository_above_is_found(tmp_path: Path) -> None:
    make_control(tmp_path / "outer/.git")
    make_control(tmp_path / "outer/inner/.git")
    (tmp_path / "outer/inner/runs/1").mkdir(parents=True)
    (tmp_path / "outer/runs").mkdir()

    assert find_repository(str(tmp_path / "outer/inner/runs/1")) == str(tmp_path / "outer/inner")
    assert find_repository(str(tmp_path / "outer/runs")) == str(tmp_path / "outer")
    assert find_repository(str(tmp_path / "outer/.git/refs")) == str(tmp_path / "outer")


def test_where_there_is_no_repository_none_is_found(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()  # an empty folder of that name is none

    assert find_repository(str(tmp_path)) is None
    assert locate(str(tmp_path)) is None


def test_a_bare_repository_is_its_own_folder(tmp_path: Path) -> None:
    make_control(tmp_path / "r.git")

    assert find_repository(str(tmp_path / "r.git/objects")) == str(tmp_path / "r.git")
    path = str(tmp_path / "r.git")
    assert locate(path) == GitFolder(path, path, path, is_bare=True)


def test_a_linked_worktree_has_its_own_head_and_shares_the_rest(tmp_path: Path) -> None:
    control = make_control(tmp_path / "main/.git")
    own = tmp_path / "main/.git/worktrees/w"
    own.mkdir(parents=True)
    (own / "HEAD").write_text("ref: refs/heads/other\n")
    (own / "commondir").write_text("../..\n")
    (tmp_path / "w").mkdir()
    (tmp_path / "w/.git").write_text(f"gitdir: {own}\n")
    (tmp_path / "main/.git/refs/heads/other").write_text(B + "\n")

    folder = locate(str(tmp_path / "w"))

    assert folder == GitFolder(str(tmp_path / "w"), str(own), control.path, is_bare=False)
    assert find_repository(str(tmp_path / "w")) == str(tmp_path / "w")
    assert read_head_ref(folder) == Head(B, "other")


def test_a_submodule_points_to_its_folder_by_a_relative_path(tmp_path: Path) -> None:
    make_control(tmp_path / "main/.git/modules/sub")
    (tmp_path / "main/sub").mkdir()
    (tmp_path / "main/sub/.git").write_text("gitdir: ../.git/modules/sub\n")

    folder = locate(str(tmp_path / "main/sub"))

    assert folder is not None
    assert folder.common == str(tmp_path / "main/.git/modules/sub")


@pytest.mark.parametrize("pointer", [b"gitdir: /nowhere\n", b"notes", b"", b"gitdir: a\x00b", b"gitdir:"])
def test_a_pointer_that_leads_nowhere_is_no_repository(tmp_path: Path, pointer: bytes) -> None:
    (tmp_path / ".git").write_bytes(pointer)

    assert find_repository(str(tmp_path)) is None


def test_a_fifo_in_place_of_a_pointer_does_not_block(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / ".git")

    assert find_repository(str(tmp_path)) is None


def test_head_is_a_branch_a_commit_or_unborn(tmp_path: Path) -> None:
    folder = make_control(tmp_path)

    unborn = read_head_ref(folder)
    (tmp_path / "refs/heads/main").write_text(A + "\n")
    on_branch = read_head_ref(folder)
    (tmp_path / "HEAD").write_text(B + "\n")
    detached = read_head_ref(folder)

    assert unborn == Head("", "main")
    assert on_branch == Head(A, "main")
    assert detached == Head(B, "")


def test_packed_branches_are_found_and_loose_ones_win(tmp_path: Path) -> None:
    folder = make_control(tmp_path, "ref: refs/heads/feature/x\n")
    (tmp_path / "packed-refs").write_text(
        f"# pack-refs with: peeled\n{B} refs/heads/feature/x-2\n{A} refs/heads/feature/x\n^{B}\n"
    )

    packed = read_head_ref(folder)
    (tmp_path / "refs/heads/feature").mkdir()
    (tmp_path / "refs/heads/feature/x").write_text(B)
    loose = read_head_ref(folder)

    assert packed == Head(A, "feature/x")
    assert loose == Head(B, "feature/x")


@pytest.mark.parametrize(
    "head", ["ref: ../../../etc/passwd\n", "ref: refs/../../x\n", "ref: refs/heads/a\0b\n", "garbage\n", "", "\xff\n"]
)
def test_a_head_that_points_elsewhere_is_not_followed(tmp_path: Path, head: str) -> None:
    folder = make_control(tmp_path, head)

    assert read_head_ref(folder) == Head("", "")


def test_names_that_name_each_other_end(tmp_path: Path) -> None:
    folder = make_control(tmp_path)
    (tmp_path / "refs/heads/main").write_text("ref: refs/heads/main\n")

    assert read_head_ref(folder) == Head("", "main")


def test_a_branch_of_bytes_that_are_no_text_is_read(tmp_path: Path) -> None:
    folder = make_control(tmp_path)
    (tmp_path / "HEAD").write_bytes(b"ref: refs/heads/\xff\n")
    (tmp_path / "packed-refs").write_bytes(A.encode() + b" refs/heads/\xff\n")

    assert read_head_ref(folder) == Head(A, "\udcff")


CONFIG = r"""
[core]
	bare = false ; a comment
	fsmonitor = touch /x
[include]
	path = /dev/zero
[remote "origin"] url = https://me:pw@github.com/u/r.git # mine
[remote "up\"str\\eam"]
	url = "git@host:u/#1.git"
[branch "dev"]
	remote = up"str\eam
[Extensions]
	objectFormat = sha256
no setting
[broken
"""


def test_settings_are_read_by_section_and_includes_are_not_followed(tmp_path: Path) -> None:
    folder = make_control(tmp_path)
    (tmp_path / "config").write_text(CONFIG)

    settings = read_config(folder)

    assert settings["core", "", "bare"] == "false"
    assert settings["extensions", "", "objectformat"] == "sha256"
    assert settings["remote", 'up"str\\eam', "url"] == "git@host:u/#1.git"
    assert settings["include", "", "path"] == "/dev/zero"


def test_without_config_there_are_no_settings(tmp_path: Path) -> None:
    assert read_config(make_control(tmp_path)) == {}


def test_the_remote_of_the_branch_is_told_without_credentials(tmp_path: Path) -> None:
    folder = make_control(tmp_path)
    (tmp_path / "config").write_text(CONFIG)
    settings = read_config(folder)

    assert remote_of(settings, "dev") == "host:u/#1.git"
    assert remote_of(settings, "main") == "https://github.com/u/r.git"
    assert remote_of({("remote", "other", "url"): "/srv/r.git"}, "main") == "/srv/r.git"
    assert remote_of({}, "main") == ""


def log_line(commit: str, time_s: int, message: str, old: str = "0" * 40) -> str:
    return f"{old} {commit} Anna > B <anna@example.org> {time_s} +0100\t{message}\n"


def test_the_log_of_head_tells_where_it_has_been(tmp_path: Path) -> None:
    folder = make_control(tmp_path)
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs/HEAD").write_text(
        log_line(A, 100, "commit (initial): a")
        + "damaged line\n"
        + log_line("0" * 40, 150, "commit: gone")
        + f"{A} {B} Anna <a@b> 200 +0100\n"
        + f"{A} {B} Anna <a@b> 300 +"
    )

    assert read_moves(folder) == (Move(100, A, "commit (initial): a"), Move(200, B, ""))


def test_without_a_log_there_are_no_moves(tmp_path: Path) -> None:
    assert read_moves(make_control(tmp_path)) == ()


def test_switches_tell_the_branch_at_a_time() -> None:
    moves = (
        Move(1, A, "clone: from x"),
        Move(2, B, "checkout: moving from main to dev"),
        Move(3, B, "commit: x"),
        Move(4, A, f"checkout: moving from dev to {A}"),
    )

    assert branch_at((moves[0], Move(1, B, "commit: y"), *moves[1:]), 0, "now") == "main"
    assert branch_at(moves, 2, "now") == "dev"
    assert branch_at(moves, 3, "now") == ""
    assert branch_at(moves[:1], 0, "now") == "now"
