"""Git states written beside a run."""

import json
import os
from pathlib import Path

import pytest

from mlbench.adapters.git import ADAPTER
from mlbench.model import Claim, Cursor, Fact, GitState, Listing, Problem, ReadStatus, Role, Source

COMMIT = "5f0c5a1d0f9cbb0ed5d9c9f8ce8d9d64e5a7cf10"
LFS = "version https://git-lfs.github.com/spec/v1\noid sha256:" + "a1" * 32 + "\nsize 12\n"


def claims_of(folder: Path) -> list[Claim]:
    names = tuple(sorted(os.listdir(folder)))
    return list(ADAPTER.claims(Listing(str(folder), names, ())))


def facts_of(folder: Path) -> list[Fact]:
    return [
        fact
        for claim in claims_of(folder)
        for fact in ADAPTER.read(Source(claim.path, claim.run_folder, claim.follows), None)
    ]


def state_of(folder: Path) -> GitState:
    state, cursor = facts_of(folder)
    assert isinstance(state, GitState)
    assert cursor == Cursor({}, n_records=1)
    return state


def test_the_example_is_read_whole(tmp_path: Path) -> None:
    ADAPTER.example(str(tmp_path))

    assert claims_of(tmp_path) == [Claim(str(tmp_path / "git.json"), Role.CONTEXT, str(tmp_path))]
    assert state_of(tmp_path) == GitState(
        commit=COMMIT,
        how="recorded",
        branch="main",
        is_dirty=True,
        remote="https://github.com/example/digits.git",
        subject="Widen the hidden layer",
        committed_s=1772439300.0,
    )


@pytest.mark.parametrize("piece", [".", "\n", " ", "-", "a ", "a-1", "\n:", "x:"])
def test_a_commit_is_found_before_any_megabyte(tmp_path: Path, piece: str) -> None:
    text = piece * (1_000_000 // len(piece))
    (tmp_path / "git_commit.txt").write_text(f"{COMMIT}\n{text}\n")  # a careless pattern needs hours

    assert state_of(tmp_path).commit == COMMIT


@pytest.mark.parametrize("name", ["git_commit.txt", "commit.txt", "git_hash.txt", "git_sha.txt", "git.txt"])
def test_a_bare_id_is_a_commit(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text(COMMIT + "\n")

    assert state_of(tmp_path) == GitState(commit=COMMIT, how="recorded")


@pytest.mark.parametrize(
    ("text", "commit", "is_dirty"),
    [
        ("5f0c5a1", "5f0c5a1", None),
        ("5F0C5A1-dirty", "5f0c5a1", True),
        ("5f0c5a1+\n", "5f0c5a1", True),
        ("v1.2-14-g5f0c5a1\n", "5f0c5a1", None),
        ("v1.2-14-g5f0c5a1-dirty\n", "5f0c5a1", True),
        (f"commit {COMMIT} (HEAD -> main)\nAuthor: A <a@b>\n\n    fix 1234567\n", COMMIT, None),
        ("SHA: 5f0c5a1\nBranch: main\nDirty: false\n", "5f0c5a1", False),
        (f"git commit = {COMMIT}\nis dirty = yes\n", COMMIT, True),
        ("a1" * 32, "a1" * 32, None),
    ],
)
def test_texts_of_many_shapes_tell_the_commit(tmp_path: Path, text: str, commit: str, is_dirty: bool | None) -> None:
    (tmp_path / "git.txt").write_text(text)

    state = state_of(tmp_path)

    assert (state.commit, state.is_dirty) == (commit, is_dirty)


def test_lines_of_a_text_tell_branch_and_remote(tmp_path: Path) -> None:
    (tmp_path / "git.txt").write_text(f"On branch dev\nremote: https://me:pw@github.com/u/r.git\n{COMMIT}\n")

    state = state_of(tmp_path)

    assert (state.commit, state.branch, state.remote) == (COMMIT, "dev", "https://github.com/u/r.git")


@pytest.mark.parametrize(
    "text", ["", "no commit here", "defaced effaced", "2024123", "12345678", "seeded 12 deadbeat1"]
)
def test_a_text_without_a_commit_is_left_alone(tmp_path: Path, text: str) -> None:
    (tmp_path / "commit.txt").write_text(text)

    assert claims_of(tmp_path) == []


def test_json_may_nest_and_name_things_in_other_ways(tmp_path: Path) -> None:
    record = {"git": {"SHA": COMMIT, "active_branch": "dev", "diff": "", "origin": "git@github.com:u/r.git"}}
    (tmp_path / "git_info.json").write_text(json.dumps(record))

    state = state_of(tmp_path)

    assert (state.commit, state.branch, state.is_dirty, state.remote) == (COMMIT, "dev", False, "github.com:u/r.git")


@pytest.mark.parametrize(
    ("dirty", "is_dirty"),
    [
        (True, True),
        (False, False),
        ("True", True),
        ("no", False),
        (1, True),
        (None, None),
        ("perhaps", None),
        ([], None),
    ],
)
def test_what_json_says_of_changed_files_is_kept(tmp_path: Path, dirty: object, is_dirty: bool | None) -> None:
    (tmp_path / "git-info.json").write_text(json.dumps({"commit": COMMIT, "dirty": dirty}))

    assert state_of(tmp_path).is_dirty is is_dirty


@pytest.mark.parametrize(
    ("time", "seconds"),
    [
        (1772439300, 1772439300.0),
        (1772439300.5, 1772439300.5),
        ("2026-03-02T08:15:00Z", 1772439300.0),
        ("2026-03-02 09:15:00 +0100", 1772439300.0),
        ("2026-03-02 09:15:00+0100", 1772439300.0),
        ("Mon Mar 2 09:15:00 2026 +0100", 1772439300.0),
        ("2026-03-02 09:15:00", None),
        ("0001-01-01T00:00:00+14:00", -62135647200.0),
        ("yesterday", None),
        (True, None),
        (-1, None),
        ([], None),
    ],
)
def test_times_are_unix_seconds_or_nothing(tmp_path: Path, time: object, seconds: float | None) -> None:
    (tmp_path / "git.json").write_text(json.dumps({"commit": COMMIT, "date": time}))

    assert state_of(tmp_path).committed_s == seconds


def test_secrets_are_not_kept(tmp_path: Path) -> None:
    token = "ghp_" + "A1b2C3d4E5" * 3
    record = {"commit": COMMIT, "remote": f"https://{token}@github.com/u/r", "message": f"use {token}\nbody"}
    (tmp_path / "git.json").write_text(json.dumps(record))

    state = state_of(tmp_path)

    assert state.remote == "https://github.com/u/r"
    assert state.subject.startswith("use <redacted:")
    assert token not in str(state)


def test_what_is_no_character_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "git.json").write_text(json.dumps({"commit": COMMIT, "branch": "a\ud800b"}))

    assert state_of(tmp_path).branch == "a?b"


def test_a_patch_beside_the_record_tells_that_files_were_changed(tmp_path: Path) -> None:
    (tmp_path / "git.json").write_text(json.dumps({"commit": COMMIT}))
    (tmp_path / "diff.patch").write_text("diff --git a/x b/x\n")

    state = state_of(tmp_path)

    assert [claim.follows for claim in claims_of(tmp_path)] == [(str(tmp_path / "diff.patch"),)]
    assert (state.commit, state.is_dirty) == (COMMIT, True)


@pytest.mark.parametrize(("text", "is_dirty"), [("--- a/x\n+++ b/x\n", True), ("", False)])
def test_a_patch_alone_tells_that_files_were_changed(tmp_path: Path, text: str, is_dirty: bool) -> None:
    (tmp_path / "git_diff.patch").write_text(text)

    assert state_of(tmp_path) == GitState(commit="", how="recorded", is_dirty=is_dirty)


def test_a_patch_that_is_none_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "diff.patch").write_text("some notes")

    assert claims_of(tmp_path) == []


def test_of_several_records_the_fullest_is_read(tmp_path: Path) -> None:
    (tmp_path / "git.json").write_text(json.dumps({"commit": COMMIT}))
    (tmp_path / "commit.txt").write_text("1234abc")

    assert [os.path.basename(claim.path) for claim in claims_of(tmp_path)] == ["git.json"]


@pytest.mark.parametrize("name", ["git.json", "commit.txt", "diff.patch"])
def test_a_git_lfs_pointer_is_told(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text(LFS)

    problem, cursor = facts_of(tmp_path)

    assert isinstance(problem, Problem)
    assert problem.what == "a Git LFS pointer stands in place of the file"
    assert isinstance(cursor, Cursor)
    assert cursor.status == ReadStatus.LFS_POINTER


@pytest.mark.parametrize(
    ("name", "content", "what", "status"),
    [
        ("git.json", b"", "the file is empty", ReadStatus.EMPTY),
        ("git.json", b'{"commit": "5f0', "the file is not whole or not JSON", ReadStatus.UNREADABLE),
        ("git.json", b"[" * 100_000, "the file is not whole or not JSON", ReadStatus.UNREADABLE),
        ("git.json", b"[1, 2]", "the file holds no commit id", ReadStatus.UNREADABLE),
        ("git.json", b'{"commit": 12, "git": []}', "the file holds no commit id", ReadStatus.UNREADABLE),
        ("git.json", b" " * (2 << 20), "the file cannot be read: larger than 1 MiB", ReadStatus.UNREADABLE),
        ("git.txt", b"\xff\xfe\x00", "the file holds no commit id", ReadStatus.UNREADABLE),
        ("diff.patch", b"notes", "the file is no patch, or cannot be read", ReadStatus.UNREADABLE),
    ],
    ids=lambda value: repr(value)[:30],
)
def test_bad_content_is_told(tmp_path: Path, name: str, content: bytes, what: str, status: ReadStatus) -> None:
    (tmp_path / name).write_bytes(content)

    facts = list(ADAPTER.read(Source(str(tmp_path / name), str(tmp_path)), None))

    assert facts == [Problem(str(tmp_path / name), what), Cursor({}, status=status, n_bad=1)]


@pytest.mark.parametrize("name", ["git.json", "diff.patch"])
def test_a_file_that_went_away_is_told(tmp_path: Path, name: str) -> None:
    facts = list(ADAPTER.read(Source(str(tmp_path / name), str(tmp_path)), None))

    assert isinstance(facts[0], Problem)
    assert isinstance(facts[-1], Cursor)
    assert facts[-1].status == ReadStatus.UNREADABLE


def test_a_patch_that_went_away_says_nothing(tmp_path: Path) -> None:
    (tmp_path / "commit.txt").write_text(COMMIT)
    source = Source(str(tmp_path / "commit.txt"), str(tmp_path), (str(tmp_path / "diff.patch"),))

    assert next(ADAPTER.read(source, None)) == GitState(commit=COMMIT, how="recorded")


@pytest.mark.parametrize("n_bytes", range(0, 260, 7))
def test_a_cut_record_gives_a_state_or_a_problem(tmp_path: Path, n_bytes: int) -> None:
    ADAPTER.example(str(tmp_path))
    path = tmp_path / "git.json"
    path.write_bytes(path.read_bytes()[:n_bytes])

    fact, cursor = ADAPTER.read(Source(str(path), str(tmp_path)), None)

    assert isinstance(fact, GitState | Problem)
    assert isinstance(cursor, Cursor)
