"""Commits, trees and blobs of repositories that strangers own."""

import os
import zlib
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from dulwich.objects import Blob, ShaFile, Tree
from dulwich.repo import Repo

from mlbench.wire import gitobjects
from mlbench.wire.gitobjects import (
    Change,
    Commit,
    Entry,
    Objects,
    compare_trees,
    entry_at,
    full_id,
    open_objects,
    parse_commit,
    read_blob,
    read_commit,
    read_tree,
)

from .git_builder import T0, add_commit, make_history, make_repository

TREE = "a1" * 20


@contextmanager
def opened(path: Path, *, object_format: str = "sha1") -> Iterator[Objects]:
    objects = open_objects(str(path / ".git/objects"), object_format=object_format)
    with closing(objects.store):
        yield objects


def store(repo: Repo, *things: ShaFile) -> list[str]:
    for thing in things:
        repo.object_store.add_object(thing)
    return [thing.id.decode() for thing in things]


@pytest.mark.parametrize("object_format", ["sha1", "sha256"])
def test_commits_and_files_are_read_in_both_formats(tmp_path: Path, object_format: str) -> None:
    ids = make_history(tmp_path, 2, object_format=object_format)

    with opened(tmp_path, object_format=object_format) as objects:
        commit = read_commit(objects, ids[1])
        content = read_blob(objects, entry_at(objects, commit.tree, b"train.py") if commit else None)

    assert commit is not None
    assert commit == Commit(ids[1], commit.tree, (ids[0],), T0 + 1000.0, T0 + 995.0, "step 1")
    assert content == b"step = 1\n"


def test_packed_objects_are_read(tmp_path: Path) -> None:
    ids = make_history(tmp_path, 3)
    with Repo(str(tmp_path)) as repo:
        repo.object_store.pack_loose_objects()

    with opened(tmp_path) as objects:
        commits = [read_commit(objects, oid) for oid in ids]

    assert not (tmp_path / ".git/objects" / ids[0][:2] / ids[0][2:]).exists()
    assert [commit.subject for commit in commits if commit] == ["step 0", "step 1", "step 2"]


def test_what_is_missing_or_something_else_is_none(tmp_path: Path) -> None:
    (oid,) = make_history(tmp_path, 1)

    with opened(tmp_path) as objects:
        commit = read_commit(objects, oid)
        assert commit is not None
        assert read_commit(objects, "a1" * 20) is None
        assert read_commit(objects, "a1" * 32) is None
        assert read_commit(objects, "../../HEAD") is None
        assert read_commit(objects, commit.tree) is None
        assert read_tree(objects, oid) is None
        assert read_blob(objects, None) is None
        assert read_blob(objects, Entry(0o040000, commit.tree)) is None
        assert entry_at(objects, commit.tree, b"train.py/x") is None
        assert entry_at(objects, "b2" * 20, b"train.py") is None


def test_ids_may_be_cut_to_seven_digits(tmp_path: Path) -> None:
    (oid,) = make_history(tmp_path, 1)

    with opened(tmp_path) as objects:
        assert full_id(objects, oid.upper() + "\n") == oid
        assert full_id(objects, oid[:7]) == oid
        assert full_id(objects, oid[:6]) is None
        assert full_id(objects, "0" * 12) is None
        assert full_id(objects, "main") is None
        assert full_id(objects, "z" * 40) is None
        objects.store.close()


@pytest.mark.parametrize(
    ("raw", "subject"),
    [
        (b"encoding ISO-8859-1\n\ngr\xf6\xdfer\n", "größer"),
        (b"\n\n\n\n  one\ntwo\n", "one"),
        (b"encoding nonsense\n\n\xc3\xb6\xff", "ö\ufffd"),
        (b"encoding zlib_codec\n\nplain", "plain"),
        (b"encoding idna\n\n\xff.", "\ufffd."),
        (b"gpgsig -----BEGIN\n abc\n -----END\n\nsigned", "signed"),
        (b"\n" + b"x" * 5000, "x" * 300),
        (b"", ""),
    ],
)
def test_the_subject_is_the_first_line_whatever_its_encoding(raw: bytes, subject: str) -> None:
    head = f"tree {TREE}\nauthor A <a@b> 5 +0000\ncommitter B <b@c> 7 -0330\n".encode()

    commit = parse_commit("id", head + raw)

    assert commit == Commit("id", TREE, (), 7.0, 5.0, subject)


def test_a_commit_without_author_takes_the_time_of_the_committer() -> None:
    commit = parse_commit("id", f"tree {TREE}\ncommitter B <b@c> -7\n\nold".encode())

    assert commit == Commit("id", TREE, (), -7.0, -7.0, "old")


@pytest.mark.parametrize(
    "raw",
    [b"", b"tree x\ncommitter B <b@c> 7 +0000\n\n", f"tree {TREE}\n\nx".encode(), f"tree {TREE}\ncommitter B 7\n".encode(),
     f"tree {TREE}\ncommitter B <b> 99999999999999999999 +0000\n".encode()],
)  # fmt: skip
def test_a_commit_without_tree_or_time_is_none(raw: bytes) -> None:
    assert parse_commit("id", raw) is None


def test_trees_differ_by_added_removed_and_changed_paths(tmp_path: Path) -> None:
    with make_repository(tmp_path) as repo:
        old = add_commit(repo, {"a.py": b"1", "d/b.py": b"1", "d/c.py": b"1", "e/f/g.py": b"1", "x": b"1"}, time_s=T0)
        for name in ("d/c.py", "e/f/g.py", "x"):
            (tmp_path / name).unlink()
        repo.get_worktree().stage(["d/c.py", "e/f/g.py", "x"])
        new = add_commit(repo, {"a.py": b"2", "h/i/j.py": b"1", "x/y.py": b"1"}, time_s=T0 + 1)

    with opened(tmp_path) as objects:
        before, after = read_commit(objects, old), read_commit(objects, new)
        assert before is not None
        assert after is not None
        changes = {change.path: kind(change) for change in compare_trees(objects, before.tree, after.tree)}
        same = list(compare_trees(objects, after.tree, after.tree))
        whole = {change.path for change in compare_trees(objects, "", after.tree)}

    assert changes == {
        b"a.py": "file -> file", b"d/c.py": "file -> none", b"e": "folder -> none", b"e/f": "folder -> none",
        b"e/f/g.py": "file -> none", b"h": "none -> folder", b"h/i": "none -> folder", b"h/i/j.py": "none -> file",
        b"x": "file -> folder", b"x/y.py": "none -> file",
    }  # fmt: skip
    assert same == []
    assert whole == {b"a.py", b"d", b"d/b.py", b"h", b"h/i", b"h/i/j.py", b"x", b"x/y.py"}


def kind(change: Change) -> str:
    return " -> ".join(
        "none" if entry is None else "folder" if entry.is_tree else "file" for entry in (change.old, change.new)
    )


def test_the_number_of_changes_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with make_repository(tmp_path) as repo:
        oid = add_commit(repo, {f"{index % 3}/{index}": b"1" for index in range(30)}, time_s=T0)
    monkeypatch.setattr(gitobjects, "MAX_CHANGES", 10)

    with opened(tmp_path) as objects:
        commit = read_commit(objects, oid)
        assert commit is not None
        objects_seen = list(compare_trees(objects, "", commit.tree))

    assert 0 < len(objects_seen) <= 10


def test_a_tree_that_holds_itself_in_depth_ends(tmp_path: Path) -> None:
    with make_repository(tmp_path) as repo:
        blob = Blob.from_string(b"x")
        tree = Tree()
        tree.add(b"f", 0o100644, blob.id)
        store(repo, blob, tree)
        for _ in range(300):
            outer = Tree()
            outer.add(b"d", 0o040000, tree.id)
            (top,) = store(repo, outer)
            tree = outer

    with opened(tmp_path) as objects:
        paths = [change.path for change in compare_trees(objects, "", top)]

    assert len(paths) == 129


def test_damaged_trees_are_none(tmp_path: Path) -> None:
    with make_repository(tmp_path):
        pass
    folder = tmp_path / ".git/objects/aa"
    folder.mkdir()
    names = {"01": b"100644 a\0" + b"x" * 19, "02": b"100644 a/b\0" + b"x" * 20, "03": b"junk", "04": b""}
    for name, raw in names.items():
        (folder / (name * 19)).write_bytes(zlib.compress(b"tree %d\0" % len(raw) + raw))

    with opened(tmp_path) as objects:
        trees = [read_tree(objects, "aa" + name * 19) for name in names]
        changes = list(compare_trees(objects, "aa" + "01" * 19, "aa" + "04" * 19))

    assert trees == [None, None, None, []]
    assert changes == []


def test_a_bomb_is_taken_as_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with make_repository(tmp_path) as repo:
        small, large = store(repo, Blob.from_string(b"x"), Blob.from_string(b"\0" * 100_000))
    monkeypatch.setattr(gitobjects, "MAX_OBJECT_BYTES", 1000)

    with opened(tmp_path) as objects:
        assert read_blob(objects, Entry(0o100644, small)) == b"x"
        assert read_blob(objects, Entry(0o100644, large)) is None


def test_a_fifo_in_place_of_an_object_does_not_block(tmp_path: Path) -> None:
    (oid,) = make_history(tmp_path, 1)
    path = tmp_path / ".git/objects" / oid[:2] / oid[2:]
    path.unlink()
    os.mkfifo(path)

    with opened(tmp_path) as objects:
        assert read_commit(objects, oid) is None


@pytest.mark.parametrize("name", ["pack/pack-1.pack", "info/alternates", "pack/multi-pack-index"])
def test_a_fifo_in_place_of_a_pack_is_refused(tmp_path: Path, name: str) -> None:
    make_history(tmp_path, 1)
    path = tmp_path / ".git/objects" / name
    path.parent.mkdir(exist_ok=True)
    os.mkfifo(path)

    with pytest.raises(ValueError, match="is no regular file"):
        open_objects(str(tmp_path / ".git/objects"), object_format="sha1")


def test_a_link_that_leads_nowhere_is_no_reason_to_refuse(tmp_path: Path) -> None:
    (oid,) = make_history(tmp_path, 1)
    (tmp_path / ".git/objects/pack/gone.pack").symlink_to(tmp_path / "nowhere")
    (tmp_path / ".git/objects/info").rmdir()

    with opened(tmp_path) as objects:
        assert read_commit(objects, oid) is not None


def test_an_unknown_format_is_refused(tmp_path: Path) -> None:
    make_history(tmp_path, 1)

    with pytest.raises(ValueError, match="md5"):
        open_objects(str(tmp_path / ".git/objects"), object_format="md5")


@pytest.mark.parametrize("suffix", [".pack", ".idx"])
def test_no_flipped_byte_of_a_pack_is_an_exception(tmp_path: Path, suffix: str) -> None:
    ids = make_history(tmp_path, 4)
    with Repo(str(tmp_path)) as repo:
        repo.object_store.pack_loose_objects()
    (path,) = (tmp_path / ".git/objects/pack").glob(f"*{suffix}")
    path.chmod(0o644)
    whole = path.read_bytes()
    n_read = 0

    for place in range(0, len(whole), 5):
        damaged = bytearray(whole)
        damaged[place] ^= 1 << place % 8
        path.write_bytes(damaged)
        with opened(tmp_path) as objects:
            commits = [read_commit(objects, oid) for oid in ids]
            n_read += sum(commit is not None for commit in commits)
            for commit in commits:
                list(compare_trees(objects, "", commit.tree if commit else ""))
                full_id(objects, ids[0][:9])

    assert n_read > 0


@pytest.mark.parametrize("suffix", [".pack", ".idx"])
def test_no_cut_pack_is_an_exception(tmp_path: Path, suffix: str) -> None:
    ids = make_history(tmp_path, 4)
    with Repo(str(tmp_path)) as repo:
        repo.object_store.pack_loose_objects()
    (path,) = (tmp_path / ".git/objects/pack").glob(f"*{suffix}")
    path.chmod(0o644)
    whole = path.read_bytes()

    for n_bytes in range(0, len(whole), 11):
        path.write_bytes(whole[:n_bytes])
        with opened(tmp_path) as objects:
            for oid in ids:
                read_commit(objects, oid)
                full_id(objects, oid[:9])


def test_no_flipped_byte_of_a_loose_object_is_an_exception(tmp_path: Path) -> None:
    (oid,) = make_history(tmp_path, 1)
    path = tmp_path / ".git/objects" / oid[:2] / oid[2:]
    path.chmod(0o644)
    whole = path.read_bytes()
    n_lost = 0

    for place in range(len(whole)):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 0x10]) + whole[place + 1 :])
        with opened(tmp_path) as objects:
            n_lost += read_commit(objects, oid) is None

    assert n_lost > len(whole) // 2


def test_a_damaged_count_of_names_is_refused_and_not_walked(tmp_path: Path) -> None:
    ids = make_history(tmp_path)
    with closing(Repo(str(tmp_path))) as repo:
        repo.object_store.pack_loose_objects()
    (index,) = (tmp_path / ".git" / "objects" / "pack").glob("*.idx")
    content = bytearray(index.read_bytes())
    last = int(ids[-1][:2], 16)
    content[8 + 4 * last : 8 + 4 * 256] = b"\xff\xff\xff\xff" * (256 - last)
    index.chmod(0o600)
    index.write_bytes(content)

    with closing(open_objects(str(tmp_path / ".git" / "objects"), object_format="sha1").store) as store:
        objects = gitobjects.Objects(str(store.path), 20, store)
        assert gitobjects.full_id(objects, ids[-1][:9]) is None
