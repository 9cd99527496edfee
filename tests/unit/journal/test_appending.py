import errno
import os
import stat
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from mlbench.errors import HomeError, UsageError
from mlbench.journal import Entry, Journal, RunRef, describe, export_lines, open_journal, read_entries, replay
from mlbench.paths import Home, find_home

A, B = RunRef("/r/a", "fa"), RunRef("/r/b", "fb")


class Clock:
    """A wall clock that stands still until it is set."""

    def __init__(self, us: int = 1_000_000) -> None:
        self.us = us

    def __call__(self) -> int:
        return self.us


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return find_home(str(tmp_path / "home"))


def journal_of(home: Home, author: str = "ada@host", us: int = 1_000_000) -> Journal:
    return open_journal(home, author=author, clock_us=Clock(us))


def files_of(home: Home) -> list[Path]:
    return sorted(Path(home.journal).iterdir())


def test_nothing_is_created_before_the_first_word(home: Home, tmp_path: Path) -> None:
    with open_journal(home):
        pass

    assert list(tmp_path.iterdir()) == []


def test_the_file_is_private_and_named_by_day_host_process_and_actor(home: Home) -> None:
    with open_journal(home) as journal:
        entry = journal.tag(A, add=["x"])

    (file,) = files_of(home)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    assert file.name[:8].isdigit()
    assert file.name.endswith(f"-{os.getpid()}-{entry.actor}.jsonl")


def test_every_word_is_there_when_the_call_returns(home: Home) -> None:
    with journal_of(home) as journal:
        journal.tag([A, B], add=["x", "y"], remove=["z"])
        journal.name(A, "champion")
        journal.archive(B)
        journal.baseline(A)
        journal.baseline(B, scope="s")
        journal.baseline(None, scope="s")
        journal.goal("acc", "max")
        journal.primary("val/loss")
        journal.primary("acc", scope="s")
        journal.view("best", "{}")
        journal.view("old", "{}")
        journal.remove_view("old")
        journal.root("/data")
        journal.root("/gone")
        journal.remove_root("/gone")
        journal.note(A, "odd")
        words = replay(home)

    assert words.tags == {"/r/a": ("x", "y"), "/r/b": ("x", "y")}
    assert words.names == {"/r/a": "champion"}
    assert words.archived == frozenset({"/r/b"})
    assert words.baselines == {"": "/r/a"}
    assert words.goals == {"acc": "max"}
    assert words.primary == {"": "val/loss", "s": "acc"}
    assert words.views == {"best": "{}"}
    assert words.roots == ("/data",)
    assert [(note.body, note.author) for note in words.notes["/r/a"]] == [("odd", "ada@host")]
    assert words.problems == ()


def test_a_word_for_many_runs_is_one_line(home: Home) -> None:
    many = [RunRef(f"/r/{i}", f"f{i}") for i in range(1000)]

    with journal_of(home) as journal:
        journal.tag(many, add=["x"])

    assert files_of(home)[0].read_bytes().count(b"\n") == 1
    assert len(replay(home).tags) == 1000


def test_archive_marks_are_taken_back(home: Home) -> None:
    with journal_of(home) as journal:
        journal.archive([A, B])
        journal.archive(A, is_archived=False)

    assert replay(home).archived == frozenset({"/r/b"})


def test_a_note_replaces_what_the_run_has_unless_told_otherwise(home: Home) -> None:
    with journal_of(home) as journal:
        first = journal.note(A, "one")
        journal.note(A, "beside", replaces=())
        both = [note.body for note in replay(home).notes["/r/a"]]
        journal.note(A, "edit of one", replaces=[first.id])
        edited = sorted(note.body for note in replay(home).notes["/r/a"])
        journal.note(A, "all in one")

    assert both == ["one", "beside"]
    assert edited == ["beside", "edit of one"]
    assert [note.body for note in replay(home).notes["/r/a"]] == ["all in one"]


def test_a_note_replaces_what_was_written_before_the_run_moved(home: Home) -> None:
    place = {"/r/a": "/new/a"}
    with journal_of(home) as journal:
        journal.note(A, "old")
        journal.note(RunRef("/new/a", "fa"), "new", place=place)

    assert [note.body for note in replay(home, place).notes["/new/a"]] == ["new"]


def test_an_empty_note_takes_the_notes_away(home: Home) -> None:
    with journal_of(home) as journal:
        journal.note([A, B], "odd")
        journal.note(A, "")

    assert set(replay(home).notes) == {"/r/b"}


def test_a_goal_that_is_none_is_refused(home: Home) -> None:
    with journal_of(home) as journal, pytest.raises(UsageError, match="goal of 'acc': 'up' is no goal"):
        journal.goal("acc", "up")

    assert not os.path.exists(home.journal)


def test_a_known_root_is_not_said_again(home: Home) -> None:
    with journal_of(home) as journal:
        assert journal.root("/data/caf\udce9") is not None
        assert journal.root("/data/caf\udce9") is None

    assert replay(home).roots == ("/data/caf\udce9",)


def test_a_run_that_moved_keeps_its_words(home: Home) -> None:
    with journal_of(home) as journal:
        journal.tag(A, add=["x"])
        journal.adopt("/r/a", "/new/a", "fa")

    words = replay(home)
    assert words.tags == {"/new/a": ("x",)}
    assert words.fingerprints == {"fa": frozenset({"/r/a", "/new/a"})}


def test_undo_and_redo_walk_back_and_forth(home: Home) -> None:
    with journal_of(home) as journal:
        one = journal.tag(A, add=["one"])
        two = journal.tag(A, add=["two"])
        journal.root("/data")

        assert journal.undo() == two
        assert replay(home).tags == {"/r/a": ("one",)}
        assert journal.undo() == one
        assert journal.undo() is None
        assert replay(home).tags == {}
        assert journal.redo() == one
        assert replay(home).tags == {"/r/a": ("one",)}
        assert journal.redo() == two
        assert journal.redo() is None
        assert replay(home).tags == {"/r/a": ("one", "two")}
        assert journal.undo() == two
        assert journal.redo() == two

    assert replay(home).tags == {"/r/a": ("one", "two")}
    assert replay(home).roots == ("/data",)


def test_a_new_word_ends_what_can_be_said_again(home: Home) -> None:
    with journal_of(home) as journal:
        journal.tag(A, add=["one"])
        journal.undo()
        journal.tag(A, add=["new"])

        assert journal.redo() is None


def test_nothing_can_be_undone_in_an_empty_journal(home: Home) -> None:
    with journal_of(home) as journal:
        assert journal.undo() is None
        assert journal.redo() is None


def test_undo_takes_back_the_authors_own_words_of_other_processes_only(home: Home) -> None:
    with journal_of(home) as before, journal_of(home) as now, journal_of(home, author="bob@host") as other:
        mine = before.tag(A, add=["mine"])
        other.tag(A, add=["his"])

        assert now.undo() == mine
        assert now.undo() is None
        other.undo()
        assert now.redo() == mine

    assert replay(home).tags == {"/r/a": ("mine",)}


def test_a_word_undone_twice_at_once_comes_back_with_one_redo(home: Home, tmp_path: Path) -> None:
    elsewhere = find_home(str(tmp_path / "elsewhere"))
    with journal_of(home) as here, journal_of(elsewhere) as there:
        tag = here.tag(A, add=["x"])
        there.import_lines(export_lines(home))
        here.undo()
        there.undo()
        here.import_lines(export_lines(elsewhere))

        assert here.redo() == tag

    assert replay(home).tags == {"/r/a": ("x",)}


def test_a_word_said_after_another_was_heard_wins_over_a_fast_clock(home: Home) -> None:
    with journal_of(home, us=9_000_000) as fast, journal_of(home, us=1_000_000) as slow:
        slow.name(A, "0")
        fast.name(A, "1")
        slow.name(A, "2")
        fast.name(A, "3")
        entry = slow.name(A, "4")

    assert replay(home).names == {"/r/a": "4"}
    assert entry[:2] == (9_000_000, 3)


def test_the_clock_goes_with_the_wall_when_that_is_ahead(home: Home) -> None:
    clock = Clock(5)
    with open_journal(home, author="a@b", clock_us=clock) as journal:
        first = journal.tag(A, add=["x"])
        clock.us = 3
        back = journal.tag(A, add=["x"])
        clock.us = 8
        later = journal.tag(A, add=["x"])

    assert [entry[:2] for entry in (first, back, later)] == [(5, 0), (5, 1), (8, 0)]


def test_a_hostile_clock_does_not_make_lines_that_cannot_be_read(home: Home) -> None:
    end = Entry(2**53 - 1, 2**31, "evil", 1, "e@h", "name", (A,), text="evil")
    from mlbench.journal.entries import line_of

    with journal_of(home, us=2**60) as journal:
        journal.import_lines([line_of(end).decode()])
        journal.name(A, "mine")

    assert len(read_entries(home.journal)[0]) == 2
    assert replay(home).problems == ()


def test_a_line_that_is_still_being_written_is_heard_when_it_is_whole(home: Home) -> None:
    with journal_of(home, us=9_000_000) as fast, journal_of(home) as slow:
        slow.tag(B, add=["x"])
        fast.name(A, "fast")
        file = next(file for file in files_of(home) if b"fast" in file.read_bytes())
        whole = file.read_bytes()
        file.write_bytes(whole[:30])
        slow.tag(B, add=["y"])
        file.write_bytes(whole)
        slow.name(A, "slow")

    assert replay(home).names == {"/r/a": "slow"}


def test_text_that_is_no_utf8_does_not_reach_the_file(home: Home) -> None:
    with journal_of(home) as journal:
        entry = journal.note(A, "bad \udcff byte")

    assert entry.text == "bad \ufffd byte"
    assert replay(home).notes["/r/a"][0].body == "bad \ufffd byte"


# ---------------------------------------------------------------- merging


def test_importing_a_journal_twice_is_importing_it_once(home: Home, tmp_path: Path) -> None:
    elsewhere = find_home(str(tmp_path / "elsewhere"))
    with journal_of(elsewhere, author="bob@host") as theirs, journal_of(home) as mine:
        theirs.tag(A, add=["his"])
        theirs.note(A, "his")
        mine.tag(A, add=["mine"])
        first = mine.import_lines(export_lines(elsewhere))
        second = mine.import_lines(export_lines(elsewhere))

    assert (first, second) == ((2, ()), (0, ()))
    assert replay(home).tags == {"/r/a": ("his", "mine")}
    assert replay(home).notes["/r/a"][0].author == "bob@host"


def test_an_import_that_brings_nothing_creates_nothing(home: Home) -> None:
    with journal_of(home) as journal:
        assert journal.import_lines([]) == (0, ())

    assert not os.path.exists(home.journal)


def test_what_cannot_be_imported_is_told_with_its_place(home: Home, tmp_path: Path) -> None:
    elsewhere = find_home(str(tmp_path / "elsewhere"))
    with journal_of(elsewhere) as theirs, journal_of(home) as mine:
        theirs.tag(A, add=["x"])
        n, problems = mine.import_lines([*export_lines(elsewhere), "torn \udcff"], path="theirs.jsonl")

    assert n == 1
    assert [(p.path, p.what, p.place) for p in problems] == [
        ("theirs.jsonl", "1 line had a bad checksum and was left out", "line 2")
    ]


# ---------------------------------------------------------------- when the disk fails


def failing(call: Callable[..., int | None], at: int, code: int) -> Callable[..., int | None]:
    """`call`, but its `at`-th use from now raises an OSError."""
    n = 0

    def fake(*arguments: object) -> int | None:
        nonlocal n
        n += 1
        if n == at:
            raise OSError(code, os.strerror(code))
        return call(*arguments)

    return fake


def half(fd: int, content: bytes, *, write: Callable[[int, bytes], int] = os.write) -> int:
    return write(fd, content[: len(content) // 2])


def test_half_a_write_is_taken_back_and_told(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    with journal_of(home) as journal:
        journal.tag(A, add=["first"])
        size = files_of(home)[0].stat().st_size
        with monkeypatch.context() as patch:
            patch.setattr("os.write", half)
            with pytest.raises(
                HomeError, match=r"the tag was not saved: No space left on device\. Make room or choose"
            ):
                journal.tag(A, add=["second"])
        assert files_of(home)[0].stat().st_size == size
        journal.tag(A, add=["third"])

    words = replay(home)
    assert words.tags == {"/r/a": ("first", "third")}
    assert words.problems == ()


def test_where_half_a_line_stays_the_next_one_stands_on_its_own(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    with journal_of(home) as journal:
        journal.tag(A, add=["first"])
        for _ in range(2):
            with monkeypatch.context() as patch:
                patch.setattr("os.write", half)
                patch.setattr("os.ftruncate", failing(os.ftruncate, 1, errno.EIO))
                with pytest.raises(HomeError):
                    journal.tag(A, add=["second"])
        with monkeypatch.context() as patch:
            patch.setattr("os.write", half)
            with pytest.raises(HomeError):
                journal.tag(A, add=["second"])
        journal.tag(A, add=["third"])
        journal.tag(A, add=["fourth"])

    words = replay(home)
    assert words.tags == {"/r/a": ("first", "fourth", "third")}
    assert [problem.what for problem in words.problems] == ["2 lines had a bad checksum and were left out"]


def test_what_is_not_on_the_disk_was_not_said(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    with journal_of(home) as journal:
        journal.tag(A, add=["first"])
        with monkeypatch.context() as patch:
            patch.setattr("os.fdatasync", failing(os.fdatasync, 1, errno.EIO))
            with pytest.raises(HomeError, match="the tag was not saved: Input/output error"):
                journal.tag(A, add=["second"])
        third = journal.tag(A, add=["third"])

    assert replay(home).tags == {"/r/a": ("first", "third")}
    assert third.number == 3


def test_an_import_is_whole_or_not_at_all(home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    elsewhere = find_home(str(tmp_path / "elsewhere"))
    with journal_of(elsewhere) as theirs, journal_of(home) as mine:
        for tag in "abcdef":
            theirs.tag(A, add=[tag])
        lines = list(export_lines(elsewhere))
        monkeypatch.setattr("os.write", half)
        with pytest.raises(HomeError, match="the imported words were not saved"):
            mine.import_lines(lines)

    assert replay(home).tags == {}


def test_the_first_word_waits_for_the_folders_too(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[str] = []
    fsync = os.fsync

    def spy(fd: int) -> None:
        synced.append(os.readlink(f"/proc/self/fd/{fd}"))
        fsync(fd)

    monkeypatch.setattr("os.fsync", spy)
    with journal_of(home) as journal:
        journal.tag(A, add=["x"])
        journal.tag(A, add=["y"])

    folder = os.path.dirname(home.journal)
    assert synced == [home.journal, folder, os.path.dirname(folder)]


def test_a_folder_that_cannot_be_synced_means_not_said_and_is_tried_again(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    with journal_of(home) as journal:
        with monkeypatch.context() as patch:
            patch.setattr("os.fsync", failing(os.fsync, 1, errno.EIO))
            with pytest.raises(HomeError, match="the tag was not saved"):
                journal.tag(A, add=["lost"])
        journal.tag(A, add=["kept"])

    assert replay(home).tags == {"/r/a": ("kept",)}


def test_a_home_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with journal_of(find_home(str(tmp_path / "file"))) as journal, pytest.raises(HomeError, match="cannot be"):
        journal.tag(A, add=["x"])


def test_words_never_go_to_a_file_that_was_moved_away(home: Home, tmp_path: Path) -> None:
    with journal_of(home) as journal:
        first = journal.tag(A, add=["first"])
        files_of(home)[0].rename(tmp_path / "archived.jsonl")
        second = journal.tag(A, add=["second"])
        os.unlink(files_of(home)[0])
        os.rmdir(home.journal)
        journal.tag(A, add=["third"])

    assert replay(home).tags == {"/r/a": ("third",)}
    assert (first.number, second.number) == (1, 1)
    assert first.actor != second.actor


def test_a_forked_child_writes_a_file_of_its_own(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    with journal_of(home) as journal:
        parent = journal.tag(A, add=["parent"])
        with monkeypatch.context() as patch:
            patch.setattr("os.getpid", lambda: 99999999)
            child = journal.tag(A, add=["child"])

    assert parent.actor != child.actor
    assert len(files_of(home)) == 2
    assert replay(home).tags == {"/r/a": ("child", "parent")}


def test_threads_share_a_journal(home: Home) -> None:
    with journal_of(home) as journal:
        threads = [threading.Thread(target=journal.tag, args=(A,), kwargs={"add": [f"t{i}"]}) for i in range(16)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    entries, problems = read_entries(home.journal)
    assert sorted(entry.number for entry in entries) == list(range(1, 17))
    assert problems == ()


def test_the_author_is_the_user_at_the_host(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOGNAME", "grace")
    monkeypatch.setattr("socket.gethostname", lambda: "lab")

    assert open_journal(home).author == "grace@lab"


def test_a_user_without_a_name_is_a_number(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    def nameless() -> str:
        raise KeyError("getpwuid(): uid not found: 12345")

    monkeypatch.setattr("getpass.getuser", nameless)
    monkeypatch.setattr("os.getuid", lambda: 12345)
    monkeypatch.setattr("socket.gethostname", lambda: "lab")

    assert open_journal(home).author == "12345@lab"


@pytest.mark.parametrize(
    ("entry", "text"),
    [
        (Entry(1, 0, "a", 1, "b", "tag", (A, B), ("good",), ("bad",)), "tag +good -bad on 2 runs"),
        (Entry(1, 0, "a", 1, "b", "note", (A,), (), ("a-0",), "", "first line\nsecond"), "note first line on 1 run"),
        (Entry(1, 0, "a", 1, "b", "root_removed", text="/data"), "root removed /data"),
        (Entry(1, 0, "a", 1, "b", "goal", key="val/loss", text="min"), "goal val/loss min"),
    ],
)
def test_an_entry_is_told_in_a_few_words(entry: Entry, text: str) -> None:
    assert describe(entry) == text
