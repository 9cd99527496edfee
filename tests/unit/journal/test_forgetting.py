import os
from pathlib import Path

import pytest

from mlbench.errors import UsageError
from mlbench.journal import (
    Journal,
    Person,
    RunRef,
    compact,
    export_lines,
    forget_person,
    forget_runs,
    open_journal,
    places_of,
    read_entries,
    replay,
)
from mlbench.paths import Home, find_home

A, B = RunRef("/r/a", "fa"), RunRef("/r/b", "fb")


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return find_home(str(tmp_path / "home"))


def journal_of(home: Home, author: str = "ada@host") -> Journal:
    return open_journal(home, author=author)


def bytes_below(folder: str) -> bytes:
    """Everything in the journal's files, their names too, those in the archive too."""
    found = b""
    for place, _folders, names in os.walk(folder):
        for name in names:
            found += os.fsencode(name) + Path(place, name).read_bytes()
    return found


# ---------------------------------------------------------------- runs


def test_a_forgotten_run_leaves_no_word_and_the_others_keep_theirs(home: Home) -> None:
    with journal_of(home) as journal:
        journal.tag([A, B], add=["both"])
        journal.note(A, "gone")
        journal.name(B, "stays")
        journal.archive(A)

    done = forget_runs(home, {"/r/a"})

    assert (done.n_removed, done.n_changed, done.n_files, done.n_archived) == (2, 1, 1, 0)
    assert b"/r/a" not in bytes_below(home.journal)
    words = replay(home)
    assert (words.tags, words.names, words.notes, words.archived) == (
        {"/r/b": ("both",)}, {"/r/b": "stays"}, {}, frozenset(),
    )  # fmt: skip
    assert words.problems == ()


def test_archived_copies_are_rewritten_too(home: Home) -> None:
    for tag in ("one", "two"):
        with journal_of(home) as journal:
            journal.tag(A, add=[tag])
    compact(home.journal)

    done = forget_runs(home, {"/r/a"})

    assert (done.n_files, done.n_archived) == (1, 2)
    assert b"/r/a" not in bytes_below(home.journal)


def test_a_dry_run_changes_nothing_and_counts_the_same(home: Home) -> None:
    with journal_of(home) as journal:
        journal.tag(A, add=["x"])
    before = bytes_below(home.journal)

    counted = forget_runs(home, {"/r/a"}, is_dry=True)

    assert bytes_below(home.journal) == before
    assert counted == forget_runs(home, {"/r/a"})
    assert forget_runs(home, {"/r/a"}).is_empty


def test_a_forgotten_baseline_does_not_bring_back_the_one_before(home: Home) -> None:
    with journal_of(home) as journal:
        journal.baseline(B)
        journal.baseline(A)

    forget_runs(home, {"/r/a"})

    assert replay(home).baselines == {}


def test_what_was_undone_of_a_forgotten_run_cannot_be_redone(home: Home) -> None:
    with journal_of(home) as journal:
        journal.tag(A, add=["x"])
        journal.undo()

        forget_runs(home, {"/r/a"})

        assert read_entries(home.journal)[0] == ()
        assert journal.redo() is None


def test_a_move_of_a_forgotten_run_is_forgotten_with_it(home: Home) -> None:
    with journal_of(home) as journal:
        journal.tag(A, add=["x"])
        journal.adopt("/r/a", "/new/a", "fa")

    forget_runs(home, {"/r/a", "/new/a"})

    assert read_entries(home.journal)[0] == ()


def test_a_damaged_line_about_a_forgotten_run_goes_and_others_stay(home: Home) -> None:
    with journal_of(home) as journal:
        journal.tag(A, add=["x"])
        journal.tag(B, add=["x"])
    (path,) = Path(home.journal).iterdir()
    path.write_bytes(path.read_bytes().replace(b'"x"', b'"y"'))

    done = forget_runs(home, {"/r/a"})

    assert done.n_damaged == 1
    assert b"/r/a" not in path.read_bytes()
    assert b"/r/b" in path.read_bytes()


def test_an_open_journal_goes_on_after_its_file_was_rewritten(home: Home) -> None:
    with journal_of(home) as journal:
        journal.tag(A, add=["x"])
        forget_runs(home, {"/r/a"})
        journal.tag(B, add=["y"])

    assert replay(home).tags == {"/r/b": ("y",)}


# ---------------------------------------------------------------- persons


def test_a_forgotten_person_is_in_no_line_and_no_file_name_and_the_words_stay(home: Home) -> None:
    with journal_of(home, "ada@lab") as journal:
        journal.tag(A, add=["ada-likes-it"])
        journal.note(A, "ask Ada (ada@lab.org), not adam")
        journal.view("ada's", "user = ada")
        journal.baseline(A, scope="ada")

    done = forget_person(home, Person("ada"))

    assert done.n_changed == 4
    words = replay(home)
    assert words.tags == {"/r/a": ("forgotten-likes-it",)}
    assert [(note.body, note.author) for note in words.notes["/r/a"]] == [
        ("ask forgotten (forgotten@lab.org), not adam", "forgotten@lab")
    ]
    assert words.views == {"forgotten's": "user = forgotten"}
    assert words.baselines == {"forgotten": "/r/a"}


def test_a_host_goes_from_the_names_of_the_files(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mlbench.journal.appending.host_name", lambda: "ada-laptop-1000")
    with journal_of(home, "ada@ada-laptop") as journal:
        journal.tag(A, add=["x"])

    done = forget_person(home, Person("ada-laptop"))

    assert done.n_files == 1
    assert b"ada-laptop" not in bytes_below(home.journal)
    assert [entry.author for entry in read_entries(home.journal)[0]] == ["ada@forgotten"]


def test_an_older_export_does_not_bring_the_person_back(home: Home) -> None:
    with journal_of(home, "grace@lab") as journal:
        journal.tag(A, add=["x"])
    older = list(export_lines(home))

    forget_person(home, Person("grace"))
    with journal_of(home, "bob@lab") as journal:
        n, _problems = journal.import_lines(older)

    assert n == 0
    assert b"grace" not in bytes_below(home.journal)


def test_paths_stay_and_are_told(home: Home) -> None:
    place = RunRef("/home/ada/logs/a", "fa")
    with journal_of(home, "bob@lab") as journal:
        journal.root("/home/ada/logs")
        journal.tag(place, add=["x"])
        journal.adopt("/home/ada/old", "/home/bob/new")
        journal.tag(B, add=["y"])

    assert forget_person(home, Person("ada")).is_empty
    assert places_of(home, Person("ada")) == ("/home/ada/logs", "/home/ada/logs/a", "/home/ada/old")


def test_a_damaged_line_with_the_person_goes(home: Home) -> None:
    with journal_of(home, "ada@lab") as journal:
        journal.tag(A, add=["x"])
    (path,) = Path(home.journal).iterdir()
    path.write_bytes(path.read_bytes()[:-20])

    assert forget_person(home, Person("ada")).n_damaged == 1
    assert path.read_bytes() == b""


@pytest.mark.parametrize("text", ["", "a", " @ ", "-x-"])
def test_a_text_that_would_be_found_everywhere_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="too short to tell a person by"):
        Person(text)
