import json
import os
import zlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlbench.errors import HomeError
from mlbench.journal import Entry, RunRef, export_lines, read_entries, stamp
from mlbench.journal.entries import cleaned, line_of
from mlbench.model import Problem
from mlbench.paths import Home

GOOD = Entry(1_700_000_000_000_000, 0, "a1b2c3d4", 1, "ada@host", "tag", (RunRef("/r/1", "f1"),), ("good",))
NAME = "20231114-host-0-1-a1b2c3d4.jsonl"


def home_with(folder: Path, content: bytes) -> Home:
    (folder / NAME).write_bytes(content)
    return Home(str(folder), str(folder / "cache"), "test")


def checked(body: bytes) -> bytes:
    return b"%08x %b\n" % (zlib.crc32(body), body)


def test_a_line_is_a_checksum_and_readable_json() -> None:
    line = line_of(GOOD._replace(add=("gut für später",), key="k", text="two\nlines"))

    assert line == (
        b'22e3f3b0 {"hlc":[1700000000000000,0],"actor":"a1b2c3d4","n":1,"by":"ada@host","op":"tag",'
        b'"runs":[["/r/1","f1"]],"add":["gut f\xc3\xbcr sp\xc3\xa4ter"],"key":"k","text":"two\\nlines"}\n'
    )


def test_a_folder_that_is_not_there_holds_nothing(tmp_path: Path) -> None:
    home = Home(str(tmp_path / "none"), "", "test")

    assert read_entries(home.journal) == ((), ())
    assert list(export_lines(home)) == []


def test_a_file_in_place_of_the_folder_is_an_error_of_the_home(tmp_path: Path) -> None:
    (tmp_path / "journal").write_text("")

    with pytest.raises(HomeError, match="the journal cannot be read: Not a directory"):
        read_entries(str(tmp_path / "journal"))


def test_a_torn_last_line_is_left_out_and_told(tmp_path: Path) -> None:
    home_with(tmp_path, line_of(GOOD) + line_of(GOOD._replace(number=2))[:40])

    entries, problems = read_entries(str(tmp_path))

    assert entries == (GOOD,)
    assert problems == (
        Problem(
            str(tmp_path / NAME), "the last line was cut off while it was written and was left out", "line 2",
            "Nothing that was acknowledged is lost; say the last word again if it is missing",
        ),
    )  # fmt: skip


def test_every_cut_of_the_last_line_leaves_the_others(tmp_path: Path) -> None:
    first, second = line_of(GOOD), line_of(GOOD._replace(number=2))

    for cut in range(len(second)):
        home_with(tmp_path, first + second[:cut])
        entries, problems = read_entries(str(tmp_path))

        assert entries[0] == GOOD
        assert (len(entries), len(problems)) == ((1, 1) if 0 < cut < len(second) - 1 else (1 + (cut > 0), 0))


def test_a_damaged_line_in_the_middle_is_left_out_and_told(tmp_path: Path) -> None:
    lines = [line_of(GOOD._replace(number=n)) for n in (1, 2, 3, 4)]
    lines[1] = lines[1].replace(b"good", b"evil")
    lines[2] = b"\x00\xff\n"
    home_with(tmp_path, b"".join(lines) + b"\n\n")

    entries, problems = read_entries(str(tmp_path))

    assert [entry.number for entry in entries] == [1, 4]
    assert [(problem.what, problem.place) for problem in problems] == [
        ("2 lines had a bad checksum and were left out", "line 2")
    ]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"{}",
        b"not json",
        b"\xff\xfe{\x00}\x00",
        b"[" * 100_000,
        b'{"hlc":[1],"actor":"a","n":1,"by":"b","op":"tag"}',
        b'{"hlc":[-1,0],"actor":"a","n":1,"by":"b","op":"tag"}',
        b'{"hlc":[9007199254740992,0],"actor":"a","n":1,"by":"b","op":"tag"}',
        b'{"hlc":[1,-1],"actor":"a","n":1,"by":"b","op":"tag"}',
        b'{"hlc":[1,0],"actor":7,"n":1,"by":"b","op":"tag"}',
        b'{"hlc":[1,0],"actor":"a","n":"1","by":"b","op":"tag"}',
        b'{"hlc":[1,0],"actor":"a","n":1,"by":"b","op":"tag","key":1}',
        b'{"hlc":[1,0],"actor":"a","n":1,"by":"b","op":"tag","text":[]}',
        b'{"hlc":[1,0],"actor":"a","n":1,"by":"b","op":"tag","add":"good"}',
        b'{"hlc":[1,0],"actor":"a","n":1,"by":"b","op":"tag","add":["good",1]}',
        b'{"hlc":[1,0],"actor":"a","n":1,"by":"b","op":"tag","runs":[["/r/1"]]}',
        b'{"hlc":[1,0],"actor":"a","n":1,"by":"b","op":"tag","runs":[["/r/1","f",1]]}',
        b'{"hlc":[1,0],"actor":"a","n":1,"by":"b","op":"tag","runs":["/r/1"]}',
    ],
)
def test_what_is_no_entry_in_spite_of_its_checksum_is_left_out_and_told(tmp_path: Path, body: bytes) -> None:
    home_with(tmp_path, checked(body) + line_of(GOOD))

    entries, problems = read_entries(str(tmp_path))

    assert entries == (GOOD,)
    assert problems[0].what == "1 line made no sense to this version of mlbench and was left out"
    assert problems[0].place == "line 1"


def test_a_link_to_nowhere_does_not_hide_the_other_files(tmp_path: Path) -> None:
    home_with(tmp_path, line_of(GOOD))
    (tmp_path / "0.jsonl").symlink_to(tmp_path / "nowhere")

    entries, problems = read_entries(str(tmp_path))

    assert entries == (GOOD,)
    assert problems == (
        Problem(str(tmp_path / "0.jsonl"), "the journal file could not be read: No such file or directory"),
    )


def test_a_pipe_in_the_folder_blocks_nobody(tmp_path: Path) -> None:
    home_with(tmp_path, line_of(GOOD))
    os.mkfifo(tmp_path / "0.jsonl")

    entries, problems = read_entries(str(tmp_path))

    assert entries == (GOOD,)
    assert "not a regular file" in problems[0].what


def test_other_files_in_the_folder_are_nothing(tmp_path: Path) -> None:
    home_with(tmp_path, line_of(GOOD))
    (tmp_path / "README").write_text("hello")

    assert read_entries(str(tmp_path)) == ((GOOD,), ())


def test_the_stamp_changes_with_the_journal_and_only_with_it(tmp_path: Path) -> None:
    home = home_with(tmp_path, line_of(GOOD))
    before = stamp(home)
    (tmp_path / "README").write_text("hello")
    same = stamp(home)
    home_with(tmp_path, line_of(GOOD) * 2)

    assert before == same
    assert stamp(home) != before


def test_an_export_is_each_readable_line_once_as_it_was_written(tmp_path: Path) -> None:
    newer = checked(b'{"hlc":[1,0],"actor":"a","n":1,"by":"b","op":"later","unheard":"of"}')
    home = home_with(tmp_path, line_of(GOOD) + newer + line_of(GOOD) + b"torn")

    assert list(export_lines(home)) == [line_of(GOOD).decode(), newer.decode()]


def test_words_lose_their_surrogates_but_roots_keep_them(tmp_path: Path) -> None:
    tag = cleaned(GOOD._replace(runs=(RunRef("/r/\udcff", "\ud800"),), add=("a\udcff",), remove=("\udcff",)))
    root = cleaned(Entry(1, 0, "a", 2, "b", "root", text="/data/caf\udce9"))
    home_with(tmp_path, line_of(tag) + line_of(root))

    entries, _ = read_entries(str(tmp_path))

    assert (tag.runs, tag.add, tag.remove) == ((RunRef("/r/\ufffd", "\ufffd"),), ("a\ufffd",), ("\ufffd",))
    assert entries[1].text == "/data/caf\udce9"
    assert os.fsencode(entries[1].text) == b"/data/caf\xe9"
    assert rb"caf\udce9" in (tmp_path / NAME).read_bytes()


def test_surrogates_of_another_journal_do_not_come_in(tmp_path: Path) -> None:
    body = json.dumps({"hlc": [1, 0], "actor": "a", "n": 1, "by": "b", "op": "note", "text": "\ud800!"}).encode()
    home_with(tmp_path, checked(body))

    entries, _ = read_entries(str(tmp_path))

    assert entries[0].text == "\ufffd!"


texts = st.text(max_size=12)


@given(
    st.builds(
        Entry,
        st.integers(0, 2**53 - 1),
        st.integers(0, 2**31),
        texts,
        st.integers(1, 10**6),
        texts,
        texts,
        st.lists(st.builds(RunRef, texts, texts), max_size=3).map(tuple),
        st.lists(texts, max_size=3).map(tuple),
        st.lists(texts, max_size=3).map(tuple),
        texts,
        texts,
    )
)
def test_any_entry_comes_back_as_it_was_said(tmp_path_factory: pytest.TempPathFactory, entry: Entry) -> None:
    folder = tmp_path_factory.getbasetemp()
    home_with(folder, line_of(entry))

    assert read_entries(str(folder)) == ((entry,), ())


@given(st.binary(max_size=200))
def test_random_bytes_are_told_and_never_raise(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    folder = tmp_path_factory.getbasetemp()
    home_with(folder, content)

    entries, problems = read_entries(str(folder))

    assert entries == ()
    assert bool(problems) == bool(content.strip(b"\n"))
