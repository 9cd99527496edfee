"""The folded journal in the cache: the same words as the journal's, and never those of another state."""

from __future__ import annotations

import os
from dataclasses import fields
from pathlib import Path

import pytest

from mlbench import journal
from mlbench.catalog import words_cache
from mlbench.journal import RunRef, Words, open_journal
from mlbench.paths import Home


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    """A home with every kind of word; the smallest journal is kept."""
    monkeypatch.setattr(words_cache, "FEW_BYTES", 1)
    home = Home(str(tmp_path / "journal"), str(tmp_path / "cache"), "test")
    os.makedirs(home.cache)
    with open_journal(home) as words:
        words.tag(RunRef("/a", "f-a"), add=("good", "zwei \u20ac"))
        words.note(RunRef("/a", "f-a"), "first\nline")
        words.name(RunRef("/b"), "B")
        words.archive(RunRef("/b"))
        words.baseline(RunRef("/a"))
        words.goal("loss", "min")
        words.primary("loss")
        words.view("mine", "tag = good")
        words.root("/runs/\udcff")  # a path that is no UTF-8
    return home


def kept(home: Home) -> list[str]:
    return [name for name in os.listdir(home.cache) if name.startswith("words-")]


def test_what_was_kept_is_what_the_journal_says(home: Home) -> None:
    first = words_cache.replay(home)

    again = words_cache.replay(home)

    assert first == again == journal.replay(home)
    assert len(kept(home)) == 1


def test_every_field_of_the_words_is_kept() -> None:
    assert {field.name for field in fields(Words)} == words_cache._DECODE.keys()


def test_a_new_word_is_in_the_next_answer(home: Home) -> None:
    words_cache.replay(home)

    with open_journal(home) as words:
        words.tag(RunRef("/a"), add=("new",))

    assert words_cache.replay(home).tags["/a"] == ("good", "new", "zwei \u20ac")


def test_problems_of_the_journal_are_told_each_time(home: Home) -> None:
    (name,) = os.listdir(home.journal)
    with open(os.path.join(home.journal, name), "ab") as file:
        file.write(b"00000000 torn")

    words_cache.replay(home)

    assert [problem.place for problem in words_cache.replay(home).problems] == ["line 10"]


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", '{"tags": 3}', "\x00"])
def test_a_damaged_file_is_folded_anew(home: Home, content: str) -> None:
    words_cache.replay(home)
    (name,) = kept(home)
    Path(home.cache, name).write_text(content)

    assert words_cache.replay(home) == journal.replay(home)


def test_words_of_runs_that_moved_are_kept_apart(home: Home) -> None:
    place = {"/a": "/moved/a"}
    words_cache.replay(home)
    words_cache.replay(home, place)

    assert words_cache.replay(home).tags.keys() == {"/a"}
    assert words_cache.replay(home, place).tags.keys() == {"/moved/a"}


def test_only_the_newest_states_are_kept(home: Home) -> None:
    for number in range(8):
        with open_journal(home) as words:
            words.tag(RunRef("/a"), add=(f"t{number}",))
        words_cache.replay(home)

    assert len(kept(home)) == words_cache.KEPT_FILES


def test_a_cache_that_cannot_be_written_does_no_harm(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_old: str, _new: str) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.rename", refuse)

    assert words_cache.replay(home).names == {"/b": "B"}
    assert kept(home) == []
