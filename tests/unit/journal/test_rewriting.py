import errno
import fcntl
import os
import stat
from pathlib import Path

import pytest

from mlbench.errors import HomeError
from mlbench.journal import (
    Journal,
    Merged,
    RunRef,
    compact,
    compact_if_grown,
    export_lines,
    forget_runs,
    holding,
    open_journal,
    read_entries,
    replay,
    rewriting,
    stamp,
)
from mlbench.paths import Home, find_home

A, B = RunRef("/r/a", "fa"), RunRef("/r/b", "fb")


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return find_home(str(tmp_path / "home"))


def say_in_processes(home: Home, *tags: str, author: str = "ada@host") -> None:
    """Each tag in a file of its own, as by a process of its own."""
    for number, tag in enumerate(tags):
        with _as(home, author, 1_000_000 + number) as journal:
            journal.tag(A, add=[tag])


def names_in(folder: str) -> list[str]:
    return sorted(name for name in os.listdir(folder) if name.endswith(".jsonl"))


def test_merging_leaves_one_file_with_every_entry_and_archives_the_others(home: Home) -> None:
    say_in_processes(home, "one", "two", "three")
    before, words = set(read_entries(home.journal)[0]), replay(home)
    old = names_in(home.journal)

    merged = compact(home.journal)

    assert (merged.n_files, merged.n_entries, merged.n_left) == (3, 3, 0)
    assert names_in(home.journal) == [merged.name]
    assert names_in(os.path.join(home.journal, "archive")) == old
    assert set(read_entries(home.journal)[0]) == before
    assert replay(home) == words


def test_undo_and_redo_reach_over_a_merging(home: Home) -> None:
    say_in_processes(home, "one", "two")
    with open_journal(home, author="ada@host") as journal:
        journal.undo()
        compact(home.journal)

        assert replay(home).tags == {"/r/a": ("one",)}
        word = journal.redo()

    assert word is not None
    assert word.add == ("two",)
    assert replay(home).tags == {"/r/a": ("one", "two")}


def test_a_journal_that_is_open_goes_on_in_a_new_file_when_its_own_was_merged(home: Home) -> None:
    say_in_processes(home, "one")
    with open_journal(home) as journal:
        journal.tag(A, add=["before"])
        compact(home.journal)
        journal.tag(A, add=["after"])

    assert replay(home).tags == {"/r/a": ("after", "before", "one")}
    assert len(names_in(home.journal)) == 2


def test_one_file_or_none_is_not_merged(home: Home) -> None:
    assert compact(home.journal) == Merged()
    say_in_processes(home, "one")

    assert compact(home.journal) == Merged()
    assert not os.path.exists(os.path.join(home.journal, "archive"))


def test_a_file_with_a_damaged_line_stays_and_goes_on_being_told(home: Home) -> None:
    say_in_processes(home, "one", "two", "three")
    damaged = Path(home.journal, names_in(home.journal)[1])
    damaged.write_bytes(damaged.read_bytes().replace(b"/r/a", b"/r/x"))

    merged = compact(home.journal)

    assert (merged.n_files, merged.n_left) == (2, 1)
    assert damaged.name in names_in(home.journal)
    assert [problem.what for problem in replay(home).problems] == ["1 line had a bad checksum and was left out"]


def test_only_a_journal_that_has_grown_is_merged_by_itself(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rewriting, "GROWN_FILES", 3)
    say_in_processes(home, "one", "two", "three")
    assert compact_if_grown(home.journal) == Merged()
    say_in_processes(home, "four")

    assert compact_if_grown(home.journal).n_files == 4


def test_a_crash_before_the_archive_loses_and_doubles_nothing(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    say_in_processes(home, "one", "two")
    words = replay(home)
    rename = os.rename

    def fails_for_the_archive(old: str, new: str) -> None:
        if "archive" in new:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        rename(old, new)

    with monkeypatch.context() as patch:
        patch.setattr("os.rename", fails_for_the_archive)
        with pytest.raises(HomeError, match=r"the journal was not merged: Input/output error\. Nothing is lost"):
            compact(home.journal)
    assert len(names_in(home.journal)) == 3
    assert replay(home) == words

    assert compact(home.journal).n_entries == 2
    assert replay(home) == words


def test_an_archive_that_another_makes_at_the_same_moment_is_used(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    say_in_processes(home, "one", "two")
    mkdir = os.mkdir

    def made_by_both(path: str, mode: int) -> None:
        mkdir(path, mode)
        mkdir(path, mode)

    monkeypatch.setattr("os.mkdir", made_by_both)

    assert compact(home.journal).n_files == 2
    assert len(names_in(os.path.join(home.journal, "archive"))) == 2


def test_a_full_disk_leaves_every_file_as_it_was(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    say_in_processes(home, "one", "two")
    before = {name: Path(home.journal, name).read_bytes() for name in os.listdir(home.journal)}

    def full(_fd: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(HomeError, match="No space left on device"):
        compact(home.journal)

    assert {name: Path(home.journal, name).read_bytes() for name in os.listdir(home.journal)} == before


def test_a_reader_that_lists_files_before_they_are_merged_reads_again(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    say_in_processes(home, "one", "two")
    from mlbench.journal import entries

    names_of, calls = entries.journal_names, []

    def merged_after_the_first_listing(folder: str) -> list[str]:
        names = names_of(folder)
        calls.append(names)
        if len(calls) == 1:
            compact(folder)
        return names

    monkeypatch.setattr(entries, "journal_names", merged_after_the_first_listing)
    found, problems = read_entries(home.journal)

    assert {entry.add for entry in found} == {("one",), ("two",)}
    assert problems == ()
    assert len(calls) == 4


def test_a_group_reads_what_lies_in_a_folder_that_it_may_read(home: Home) -> None:
    os.makedirs(home.journal)
    os.chmod(home.journal, 0o770)  # noqa: S103 - a group of three
    before = os.umask(0o077)
    try:
        say_in_processes(home, "one", "two")
        merged = compact(home.journal)
    finally:
        os.umask(before)

    archive = Path(home.journal, "archive")
    assert stat.S_IMODE(Path(home.journal, merged.name).stat().st_mode) == 0o640
    assert stat.S_IMODE(archive.stat().st_mode) == 0o770
    assert [stat.S_IMODE(path.stat().st_mode) for path in archive.iterdir()] == [0o640, 0o640]


def test_a_journal_that_changes_under_every_reading_is_read_only_so_often(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    from mlbench.journal import entries

    say_in_processes(home, "one")
    names_of, calls = entries.journal_names, []

    def one_more_each_time(folder: str) -> list[str]:
        calls.append(folder)
        say_in_processes(home, f"more{len(calls)}")
        return names_of(folder)

    monkeypatch.setattr(entries, "journal_names", one_more_each_time)
    monkeypatch.setattr(entries, "READINGS", 3)
    found, _problems = read_entries(home.journal)

    assert len(found) == 6
    assert len(calls) == 5


# ---------------------------------------------------------------- who has a file


def test_a_file_that_others_took_away_meanwhile_is_left_to_them(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    say_in_processes(home, "one", "two", "three")
    first, second, _third = (Path(home.journal, name) for name in names_in(home.journal))
    taken: list[bytes] = []

    def taken_while_waiting(fd: int) -> None:
        if not taken:
            taken.append(first.read_bytes())
            first.unlink()  # while we wait for it: it is not the file of this name any more
            second.unlink()  # before we open it
        holding.hold_alone(fd)

    monkeypatch.setattr(rewriting, "hold_alone", taken_while_waiting)

    assert compact(home.journal) == Merged()
    assert len(names_in(home.journal)) == 1


def test_a_file_that_is_gone_is_not_rewritten(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    say_in_processes(home, "one", "two")
    monkeypatch.setattr(rewriting, "_held", lambda _path: None)

    assert forget_runs(home, {"/r/a"}).is_empty


def test_a_file_that_only_its_owner_may_write_is_merged_all_the_same(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    say_in_processes(home, "one", "two")
    opened = os.open

    def as_another_member(path: str, flags: int, mode: int = 0o777) -> int:
        if path.endswith(".jsonl") and flags & os.O_RDWR:
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
        return opened(path, flags, mode)

    monkeypatch.setattr("os.open", as_another_member)

    assert compact(home.journal).n_files == 2


def test_without_locks_words_are_written_and_merged_all_the_same(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_locks(_fd: int, _how: int) -> None:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr("fcntl.flock", no_locks)
    say_in_processes(home, "one", "two")

    assert compact(home.journal).n_files == 2
    assert replay(home).tags == {"/r/a": ("one", "two")}


def test_a_lock_that_fails_otherwise_means_that_nothing_is_said_or_merged(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    say_in_processes(home, "one", "two")
    n_open = len(os.listdir("/proc/self/fd"))

    def broken(_fd: int, how: int) -> None:
        if how != fcntl.LOCK_UN:
            raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr("fcntl.flock", broken)
    with pytest.raises(HomeError, match="the journal was not merged: Input/output error"):
        compact(home.journal)
    with pytest.raises(HomeError, match="the tag was not saved: Input/output error"):
        say_in_processes(home, "three")

    assert len(os.listdir("/proc/self/fd")) == n_open
    assert replay(home).tags == {"/r/a": ("one", "two")}


def test_a_link_to_nowhere_counts_as_an_empty_file(home: Home) -> None:
    say_in_processes(home, "one")
    before = stamp(home)
    Path(home.journal, "link.jsonl").symlink_to("nowhere")

    assert stamp(home) != before
    assert [problem.what for problem in replay(home).problems] == [
        "the journal file could not be read: No such file or directory"
    ]


# ---------------------------------------------------------------- two journals


def exported(home: Home) -> list[str]:
    return list(export_lines(home))


def test_two_journals_merge_to_the_same_words_in_either_order_and_however_often(tmp_path: Path) -> None:
    ada, bob = (find_home(str(tmp_path / name)) for name in ("ada", "bob"))
    with _as(ada, "ada@x", 1_000_000) as mine:
        mine.tag(A, add=["good"])
        mine.note(A, "by ada")
        mine.goal("acc", "max")
    with _as(bob, "bob@y", 1_000_500) as his:
        his.tag([A, B], add=["bad"], remove=["good"])
        his.note(A, "by bob")
        his.view("best", "{}")
    from_ada, from_bob = exported(ada), exported(bob)

    for home, lines in ((ada, from_bob), (bob, from_ada), (ada, from_bob), (bob, [*from_bob, *from_ada])):
        with _as(home, "importer", 2_000_000) as journal:
            journal.import_lines(lines)

    assert replay(ada) == replay(bob)
    assert sorted(exported(ada)) == sorted(exported(bob))
    assert len(exported(ada)) == 6
    assert replay(ada).tags == {"/r/a": ("bad",), "/r/b": ("bad",)}


def test_a_note_edited_in_two_places_keeps_both(tmp_path: Path) -> None:
    ada, bob = (find_home(str(tmp_path / name)) for name in ("ada", "bob"))
    with _as(ada, "ada@x", 1_000_000) as mine:
        mine.note(A, "before")
    with _as(bob, "bob@y", 1_000_100) as his:
        his.import_lines(exported(ada))
        his.note(A, "bob's edit")
    with _as(ada, "ada@x", 1_000_200) as mine:
        mine.note(A, "ada's edit")
        mine.import_lines(exported(bob))

        assert [(note.body, note.author) for note in replay(ada).notes["/r/a"]] == [
            ("bob's edit", "bob@y"),
            ("ada's edit", "ada@x"),
        ]
        mine.note(A, "settled")

    assert [note.body for note in replay(ada).notes["/r/a"]] == ["settled"]


def _as(home: Home, author: str, us: int) -> Journal:
    return open_journal(home, author=author, clock_us=lambda: us)
