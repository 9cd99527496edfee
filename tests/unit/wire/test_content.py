import os
from pathlib import Path

import pytest

from mlbench.model import Problem, ReadStatus
from mlbench.wire.content import Content, files_below, load_content, paths_in, sniff, unreadable

LFS = b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 9\n"


def test_a_file_is_read_whole_and_an_empty_one_is_empty(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"abc")
    (tmp_path / "b").write_bytes(b"")

    assert load_content(str(tmp_path / "a")) == Content(b"abc", ReadStatus.EOF)
    assert load_content(str(tmp_path / "b")) == Content(b"", ReadStatus.EMPTY)


def test_what_is_no_readable_file_is_an_answer(tmp_path: Path) -> None:
    (tmp_path / "lfs").write_bytes(LFS)
    (tmp_path / "large").write_bytes(b"x" * 2000)
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "folder").mkdir()

    contents = [
        load_content(str(tmp_path / name), limit_bytes=1000) for name in ("lfs", "large", "fifo", "folder", "no")
    ]

    assert [content.status for content in contents] == [ReadStatus.LFS_POINTER, *[ReadStatus.UNREADABLE] * 4]
    assert [content.problem.what for content in contents if content.problem] == [
        "this is a Git LFS pointer, the file itself is not here",
        "the file was not read: larger than 0 MiB",
        "this is not a regular file, it was not read",
        "this is not a regular file, it was not read",
        "the file could not be read: No such file or directory",
    ]


def test_a_forbidden_file_says_what_to_type() -> None:
    problem = unreadable("/x", PermissionError(13, "Permission denied"))

    expected = Problem("/x", "the file could not be read: permission denied", hint="ls -l /x, to see who may read it")
    assert problem == expected


@pytest.mark.parametrize(("name", "head"), [("a", b"ab"), ("fifo", None), ("no", None)])
def test_sniffing_tells_an_unreadable_file_from_an_empty_one(tmp_path: Path, name: str, head: bytes | None) -> None:
    (tmp_path / "a").write_bytes(b"abc")
    os.mkfifo(tmp_path / "fifo")

    assert sniff(str(tmp_path / name), 2) == head


def test_files_below_a_folder_come_sorted_and_bounded(tmp_path: Path) -> None:
    for name in ("b/c/x", "b/y", "a", "z/w"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"")
    (tmp_path / "loop").symlink_to(tmp_path)

    def names(**limits: int) -> list[str]:
        return [name for _, name in files_below(str(tmp_path), **limits)]

    assert names() == ["a", "loop", "b/y", "b/c/x", "z/w"]
    assert names(depth=1) == ["a", "loop", "b/y", "z/w"]
    assert names(depth=0) == ["a", "loop"]
    assert names(limit=3) == ["a", "loop", "b/y"]
    assert list(files_below(str(tmp_path / "gone"))) == []


def test_paths_are_joined_to_their_folder() -> None:
    assert paths_in("/a", ("b", "c")) == ("/a/b", "/a/c")
