"""The user's words over a snapshot: they hold for the run, wherever it has moved, and a lost snapshot is told."""

import os
from pathlib import Path

import pytest

from mlbench import journal
from mlbench.catalog.batch import Batch
from mlbench.catalog.connection import CURRENT
from mlbench.catalog.reader import N_PARSED, moved_keys, open_reader
from mlbench.catalog.writer import open_writer
from mlbench.errors import HomeError
from mlbench.paths import Home

OLD, NEW = journal.RunRef("/old", "f"), journal.RunRef("/new", "f")
SHOWN = "SELECT name, note, archived FROM runs WHERE id = 'new'"
TAGS = "SELECT run_id, tag FROM tags ORDER BY tag"


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(str(tmp_path / "journal"), str(tmp_path / "cache"), "test")


def run(run_id: str, *, is_missing: bool = False) -> Batch:
    batch = Batch(run_ids={run_id})
    batch.add(
        "run", run_id=run_id, run_key=f"/{run_id}", name=run_id, path=f"/{run_id}", active_s=1.0, fingerprint="f",
        is_missing=is_missing,
    )  # fmt: skip
    return batch


def publish(home: Home, *batches: Batch) -> None:
    with open_writer(home) as writer:
        for batch in batches:
            writer.commit(batch)
        writer.publish()


@pytest.fixture
def moved(home: Home) -> Home:
    """A run of which everything was said before it moved."""
    with journal.open_journal(home) as words:
        words.tag(OLD, add=["bad", "kept"])
        words.note(OLD, "old note")
        words.name(OLD, "old name")
        words.archive(OLD)
        words.baseline(OLD)
    publish(home, run("new"))
    return home


def test_words_follow_a_run_that_moved(moved: Home) -> None:
    with open_reader(moved) as reader:
        assert reader.rows(SHOWN) == [("old name", "old note", True)]
        assert reader.rows(TAGS) == [("new", "bad"), ("new", "kept")]
        assert reader.words.tags == {"/new": ("bad", "kept")}
        assert reader.words.baselines == {"": "/new"}
    assert moved_keys(moved) == {"/old": "/new"}


def test_new_words_about_a_run_that_moved_take_back_the_old(moved: Home) -> None:
    with journal.open_journal(moved) as words:
        words.tag(NEW, add=["good"], remove=["bad"])
        words.note(NEW, "new note", place=moved_keys(moved))
        words.name(NEW, "")
        words.archive(NEW, is_archived=False)
        words.baseline(None)

    with open_reader(moved) as reader:
        assert reader.rows(SHOWN) == [("new", "new note", False)]
        assert reader.rows(TAGS) == [("new", "good"), ("new", "kept")]
        assert [note.body for note in reader.words.notes["/new"]] == ["new note"]
        assert reader.words.baselines == {}


def test_words_stay_with_a_run_that_has_only_been_copied(home: Home) -> None:
    with journal.open_journal(home) as words:
        words.tag(OLD, add=["mine"])
    publish(home, run("old"), run("new"))

    with open_reader(home) as reader:
        assert reader.words.tags == {"/old": ("mine",)}
        assert reader.moved == {}


def test_words_stay_with_a_run_that_is_missing_beside_its_copy(home: Home) -> None:
    with journal.open_journal(home) as words:
        words.tag(OLD, add=["mine"])
    publish(home, run("old", is_missing=True), run("new"))

    with open_reader(home) as reader:
        assert reader.words.tags == {"/old": ("mine",)}


def test_a_snapshot_that_is_gone_is_told_and_not_taken_for_an_empty_catalog(home: Home) -> None:
    publish(home, run("new"))
    snapshot = os.path.join(home.cache, os.readlink(os.path.join(home.cache, CURRENT)))
    os.remove(snapshot)

    with pytest.raises(HomeError) as error:
        open_reader(home)

    expected = f"{snapshot}: the catalog's snapshot is missing. Try: mlbench ingest DIR, or mlbench rebuild"
    assert str(error.value) == expected


def test_a_link_that_cannot_be_followed_is_told(home: Home) -> None:
    link = Path(home.cache, CURRENT)
    link.parent.mkdir()
    link.write_text("no link")

    with pytest.raises(HomeError) as error:
        open_reader(home)

    assert str(error.value) == f"{link}: the catalog cannot be opened (Invalid argument). Try: mlbench rebuild"


def test_a_statement_is_answered_anew_each_time_though_its_parsing_is_kept(home: Home) -> None:
    publish(home, run("a"), run("b"))
    by_id = "SELECT name FROM run WHERE run_id = ?"

    with open_reader(home) as reader:
        assert [reader.rows(by_id, [run_id]) for run_id in ("a", "b", "a")] == [[("a",)], [("b",)], [("a",)]]
        for number in range(N_PARSED + 5):  # more than are kept
            assert reader.rows(f"SELECT {number}") == [(number,)]
        assert list(reader.stream(by_id, ["b"])) == [("b",)]


def test_views_and_words_are_made_for_the_statement_that_names_them(home: Home) -> None:
    publish(home, run("a"))

    with open_reader(home) as reader:
        tables = "SELECT count(*) FROM duckdb_tables() WHERE table_name LIKE 'word%'"
        assert reader.rows("SELECT n_runs FROM wide_key") == []
        assert reader.rows(tables) == [(0,)]
        assert reader.rows("SELECT now_s FROM clock") == [(reader.now_s,)]
        assert reader.rows("SELECT key FROM runs") == [("/a",)]
        assert reader.rows(tables)[0][0] > 0
