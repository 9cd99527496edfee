import random
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlbench.journal import Entry, Note, RunRef, Words, fold, replay
from mlbench.journal.entries import line_of
from mlbench.model import Problem
from mlbench.paths import Home

A, B = RunRef("/r/a", "fa"), RunRef("/r/b", "fb")


def said(at: int, op: str, *runs: RunRef, actor: str = "x", add: tuple[str, ...] = (), remove: tuple[str, ...] = (),
         key: str = "", text: str = "") -> Entry:  # fmt: skip
    return Entry(at * 1_000_000, 0, actor, at, f"{actor}@host", op, runs, add, remove, key, text)


def test_nothing_said_is_no_words() -> None:
    assert fold([]) == Words()


def test_tags_are_added_and_removed() -> None:
    words = fold([
        said(1, "tag", A, B, add=("good", "alpha")),
        said(2, "tag", A, remove=("good", "never there")),
        said(3, "tag", B, add=("late",), remove=("good",)),
    ])  # fmt: skip

    assert words.tags == {"/r/a": ("alpha",), "/r/b": ("alpha", "late")}


def test_a_tag_removed_and_added_in_one_word_is_there() -> None:
    assert fold([said(1, "tag", A, add=("x",), remove=("x",))]).tags == {"/r/a": ("x",)}


def test_the_later_word_wins_whatever_came_first() -> None:
    add, remove = said(1, "tag", A, add=("x",)), said(2, "tag", A, remove=("x",))

    assert fold([remove, add]).tags == {}


def test_a_note_is_kept_with_author_and_time() -> None:
    words = fold([said(7, "note", A, B, text="looks odd")])

    note = Note("looks odd", "x@host", 7.0, "x-7")
    assert words.notes == {"/r/a": (note,), "/r/b": (note,)}


def test_an_edit_replaces_the_note_it_names_on_its_run_only() -> None:
    words = fold([said(1, "note", A, B, text="old"), said(2, "note", A, remove=("x-1",), text="new")])

    assert [note.body for note in words.notes["/r/a"]] == ["new"]
    assert [note.body for note in words.notes["/r/b"]] == ["old"]


def test_edits_that_did_not_know_of_each_other_are_both_kept_oldest_first() -> None:
    words = fold([
        said(1, "note", A, text="old"),
        said(3, "note", A, actor="z", remove=("x-1",), text="hers"),
        said(2, "note", A, actor="y", remove=("x-1",), text="his"),
    ])  # fmt: skip

    assert [note.body for note in words.notes["/r/a"]] == ["his", "hers"]


def test_an_edit_holds_even_where_a_broken_clock_puts_it_before_its_note() -> None:
    edit, note = said(1, "note", A, actor="y", remove=("x-5",), text="new"), said(5, "note", A, text="old")

    assert [note.body for note in fold([edit, note]).notes["/r/a"]] == ["new"]


def test_an_empty_edit_takes_the_note_away() -> None:
    assert fold([said(1, "note", A, text="old"), said(2, "note", A, remove=("x-1",))]).notes == {}


def test_the_last_name_and_archive_mark_hold() -> None:
    words = fold([
        said(1, "name", A, text="first"), said(2, "name", A, text="second"),
        said(3, "name", B, text="gone"), said(4, "name", B),
        said(5, "archive", A, B), said(6, "unarchive", A),
    ])  # fmt: skip

    assert words.names == {"/r/a": "second"}
    assert words.archived == frozenset({"/r/b"})


def test_baseline_and_primary_metric_belong_to_their_scope() -> None:
    words = fold([
        said(1, "baseline", A), said(2, "baseline", B, key="project x"), said(3, "baseline", A, key="gone"),
        said(4, "baseline", key="gone"),
        said(5, "primary", text="val/loss"), said(6, "primary", key="project x", text="acc"),
    ])  # fmt: skip

    assert words.baselines == {"": "/r/a", "project x": "/r/b"}
    assert words.primary == {"": "val/loss", "project x": "acc"}


def test_goals_are_min_or_max_or_forgotten() -> None:
    words = fold([
        said(1, "goal", key="acc", text="max"), said(2, "goal", key="loss", text="min"),
        said(3, "goal", key="odd", text="max"), said(4, "goal", key="odd", text="sideways"),
    ])  # fmt: skip

    assert words.goals == {"acc": "max", "loss": "min"}


def test_views_are_kept_by_name_and_removed() -> None:
    words = fold([
        said(1, "view", key="best", text="{}"), said(2, "view", key="old", text="{}"), said(3, "view", key="old"),
    ])  # fmt: skip

    assert words.views == {"best": "{}"}


def test_roots_stand_in_order_of_first_mention() -> None:
    words = fold([
        said(1, "root", text="/b"), said(2, "root", text="/a"), said(3, "root", text="/b"),
        said(4, "root", text="/c"), said(5, "root_removed", text="/c"), said(6, "root_removed", text="/never"),
    ])  # fmt: skip

    assert words.roots == ("/b", "/a")


def test_what_was_said_before_and_after_a_move_is_one_history() -> None:
    new = RunRef("/new/a", "fa")
    words = fold([
        said(1, "tag", A, B, add=("bad", "kept")),
        said(2, "note", A, text="old note"),
        said(3, "name", A, text="old name"),
        said(4, "archive", A),
        said(5, "baseline", A),
        said(6, "tag", new, add=("good",), remove=("bad",)),
        said(7, "note", new, remove=("x-2",), text="new note"),
        said(8, "name", new),
        said(9, "unarchive", new),
    ], place={"/r/a": "/new/a"})  # fmt: skip

    assert words.tags == {"/new/a": ("good", "kept"), "/r/b": ("bad", "kept")}
    assert {key: [note.body for note in notes] for key, notes in words.notes.items()} == {"/new/a": ["new note"]}
    assert words.names == {}
    assert words.archived == frozenset()
    assert words.baselines == {"": "/new/a"}
    assert words.fingerprints == {"fa": frozenset({"/new/a"}), "fb": frozenset({"/r/b"})}


def test_an_adopted_run_that_moves_again_takes_everything_along() -> None:
    place = {"/r/a": "/newer/a", "/new/a": "/newer/a"}
    words = fold([
        said(1, "tag", A, add=("x", "y")),
        said(2, "adopt", RunRef("/new/a", "fa"), key="/r/a"),
        said(3, "tag", RunRef("/newer/a", "fa"), remove=("x",)),
    ], place)  # fmt: skip

    assert words.tags == {"/newer/a": ("y",)}


def test_only_the_keys_of_runs_are_places() -> None:
    words = fold([said(1, "goal", key="/r/a", text="min"), said(2, "baseline", B, key="/r/a")], {"/r/a": "/new/a"})

    assert words.goals == {"/r/a": "min"}
    assert words.baselines == {"/r/a": "/r/b"}


def test_fingerprints_lead_to_the_runs_that_were_said_with_them() -> None:
    words = fold([
        said(1, "tag", A, add=("x",)), said(2, "name", RunRef("/moved/a", "fa"), text="n"),
        said(3, "tag", RunRef("/r/none"), add=("x",)),
    ])  # fmt: skip

    assert words.fingerprints == {"fa": frozenset({"/r/a", "/moved/a"})}


def test_a_moved_run_takes_its_words_along() -> None:
    words = fold([
        said(1, "tag", A, add=("x",)), said(2, "note", A, text="old"), said(3, "name", A, text="champion"),
        said(4, "archive", A), said(5, "baseline", A), said(6, "baseline", B, key="other"),
        said(7, "adopt", RunRef("/new/a", "fa"), key="/r/a"),
    ])  # fmt: skip

    assert words.tags == {"/new/a": ("x",)}
    assert [note.body for note in words.notes["/new/a"]] == ["old"]
    assert words.names == {"/new/a": "champion"}
    assert words.archived == frozenset({"/new/a"})
    assert words.baselines == {"": "/new/a", "other": "/r/b"}
    assert words.fingerprints["fa"] == frozenset({"/r/a", "/new/a"})


def test_words_already_said_of_the_new_place_are_kept() -> None:
    words = fold([
        said(1, "tag", A, add=("x",)), said(2, "name", A, text="old name"), said(3, "note", A, text="old"),
        said(4, "tag", B, add=("y",)), said(5, "name", B, text="new name"), said(6, "note", B, remove=("x-3",)),
        said(7, "adopt", B, key="/r/a"),
    ])  # fmt: skip

    assert words.tags == {"/r/b": ("x", "y")}
    assert words.names == {"/r/b": "new name"}
    assert words.notes == {}


def test_another_run_at_the_old_place_starts_without_words() -> None:
    words = fold([
        said(1, "tag", A, add=("x",)), said(2, "adopt", B, key="/r/a"), said(3, "tag", A, add=("fresh",)),
    ])  # fmt: skip

    assert words.tags == {"/r/a": ("fresh",), "/r/b": ("x",)}


@pytest.mark.parametrize("old", ["/r/a", "/r/never"])
def test_a_run_that_did_not_move_or_was_never_said_keeps_what_it_has(old: str) -> None:
    assert fold([said(1, "tag", A, add=("x",)), said(2, "adopt", A, key=old)]).tags == {"/r/a": ("x",)}


def test_an_undone_word_does_not_hold_and_comes_back_when_the_undo_is_undone() -> None:
    tag, undo = said(1, "tag", A, add=("x",)), said(2, "undo", remove=("x-1",))
    redo = said(3, "undo", remove=("x-2",))

    assert fold([tag, undo]).tags == {}
    assert fold([tag, undo]).fingerprints == {}
    assert fold([tag, undo, redo]).tags == {"/r/a": ("x",)}


def test_undoing_an_edit_brings_the_note_before_it_back() -> None:
    words = fold([
        said(1, "note", A, text="old"), said(2, "note", A, remove=("x-1",), text="new"), said(3, "undo", remove=("x-2",)),
    ])  # fmt: skip

    assert [note.body for note in words.notes["/r/a"]] == ["old"]


def test_undos_that_name_each_other_or_themselves_end() -> None:
    words = fold([
        said(1, "tag", A, add=("x",)), said(2, "undo", remove=("x-3", "x-2")), said(3, "undo", remove=("x-2", "x-3")),
    ])  # fmt: skip

    assert words.tags == {"/r/a": ("x",)}


def test_what_a_newer_version_said_waits_and_is_told() -> None:
    words = fold([said(1, "tag", A, add=("x",)), said(2, "paint", A), said(3, "paint", B)])

    assert words.tags == {"/r/a": ("x",)}
    assert words.problems == (
        Problem(
            "", "the journal holds 2 entries 'paint', which this version does not know; they wait untouched",
            hint="A newer mlbench wrote them: update this one",
        ),
    )  # fmt: skip


def test_of_two_entries_with_one_number_every_reader_takes_the_same() -> None:
    one, other = said(1, "tag", A, add=("x",)), said(1, "tag", A, add=("y",))

    assert fold([one, other]).tags == fold([other, one]).tags == {"/r/a": ("x",)}


def test_replay_tells_what_could_not_be_read_and_what_is_not_known(tmp_path: Path) -> None:
    lines = line_of(said(1, "tag", A, add=("x",))) + line_of(said(2, "paint")) + b"torn"
    (tmp_path / "1.jsonl").write_bytes(lines)

    words = replay(Home(str(tmp_path), "", "test"))

    assert words.tags == {"/r/a": ("x",)}
    assert [problem.what.split(" ")[1] for problem in words.problems] == ["last", "journal"]


tags = st.sampled_from("xyz")
runs = st.lists(st.sampled_from([A, B, RunRef("/r/c", "fc")]), min_size=1, max_size=2, unique=True).map(tuple)
ids = st.builds("{}-{}".format, st.sampled_from("pqrs"), st.integers(1, 6))
entries = st.builds(
    Entry, st.integers(0, 5), st.integers(0, 1), st.sampled_from("pqrs"), st.integers(1, 6), st.just("ada@host"),
    st.sampled_from(["tag", "note", "name", "archive", "unarchive", "adopt", "baseline", "goal", "primary", "view",
                     "root", "root_removed", "undo", "later"]),
    runs, st.lists(tags, max_size=2).map(tuple), st.lists(ids, max_size=2).map(tuple),
    st.sampled_from(["", "/r/a", "/r/b"]), st.sampled_from(["", "one", "two", "min"]),
)  # fmt: skip
histories = st.lists(entries, max_size=24, unique_by=lambda entry: (entry.actor, entry.number))


@settings(max_examples=300)
@given(histories, st.randoms(use_true_random=False))
def test_folding_is_the_same_in_any_order_and_with_repetitions(history: list[Entry], dice: random.Random) -> None:
    mixed = history + [dice.choice(history) for _ in range(len(history) // 2)]
    dice.shuffle(mixed)

    assert fold(mixed) == fold(history)
    assert list(fold(mixed).notes) == list(fold(history).notes)


@given(histories)
def test_folded_words_hold_no_empty_rests(history: list[Entry]) -> None:
    words = fold(history)

    for mapping in (words.tags, words.notes, words.names, words.baselines, words.goals, words.primary, words.views):
        assert all(mapping.values())
