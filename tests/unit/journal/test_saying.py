"""Who said a tag, and when."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlbench import journal
from mlbench.journal import RunRef, tags_said
from mlbench.paths import Home, find_home

A, B = RunRef("/r/a", "fa"), RunRef("/r/b", "fb")


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return find_home(str(tmp_path / "home"))


def test_the_last_who_added_a_tag_is_told(home: Home) -> None:
    words = journal.open_journal(home)
    words.tag([A, B], ["good"], [])
    words.tag([A], ["late"], [])
    words.tag([A], [], ["good"])
    words.close()

    assert list(tags_said(home, A.key)) == ["late"]
    assert list(tags_said(home, B.key)) == ["good"]
    assert "@" in tags_said(home, B.key)["good"].author
    assert tags_said(home, B.key)["good"].at_s > 1.6e9


def test_what_was_taken_back_was_not_said(home: Home) -> None:
    words = journal.open_journal(home)
    words.tag([A], ["good"], [])
    words.undo()
    words.close()

    assert tags_said(home, A.key) == {}


def test_a_run_that_moved_keeps_who_said_it(home: Home) -> None:
    words = journal.open_journal(home)
    words.tag([A], ["good"], [])
    words.close()

    assert list(tags_said(home, "/new/a", {A.key: "/new/a"})) == ["good"]
