"""The kept answer is the one that would be given, or none."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest

from mlbench import journal
from mlbench.catalog.batch import Batch
from mlbench.catalog.connection import FIRST_ANSWER
from mlbench.catalog.forgetting import forget_runs
from mlbench.catalog.writer import open_writer
from mlbench.paths import Home
from mlbench.queries.answers import Column, Listing, RunHead, RunRow, RunsAnswer
from mlbench.tui import first_answer
from mlbench.tui.ahead import read_ahead
from mlbench.tui.catalog_session import CatalogSession
from mlbench.tui.first_answer import FirstAnswer, Known, stamp_of
from mlbench.tui.session import RunsFound, RunsQuestion

N_RUNS = 700


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = Home(str(tmp_path / "journal"), str(tmp_path / "cache"), "test")
    batch = Batch(run_ids={f"r{number:03}" for number in range(N_RUNS)})
    for name in sorted(batch.run_ids):
        batch.add("run", run_id=name, run_key=f"/{name}", name=name, path=f"/{name}", active_s=1.0, fingerprint="f",
                  status="finished", is_missing=False)  # fmt: skip
    with open_writer(home) as writer:
        writer.commit(batch)
        writer.publish()
    return home


def kept_file(home: Home) -> Path:
    (path,) = Path(home.cache).glob(f"{FIRST_ANSWER}*")
    return path


def left(home: Home, state: str = "{}", question: RunsQuestion | None = None) -> RunsFound:
    """A session that asked and was left; gives what it saw."""
    session = CatalogSession(home, ())
    found = session.find(question or RunsQuestion())
    session.save_state(state)
    session.close()
    return found


def test_the_next_session_gets_the_same_answer_without_a_reader(home: Home) -> None:
    before = left(home)

    known = read_ahead(home, ())

    assert isinstance(known, Known)
    session = CatalogSession(home, (), ahead=known)
    found = session.known(RunsQuestion())
    assert found is not None
    assert replace(found, listing=before.listing) == before
    assert found.listing.ids == before.listing.ids
    assert list(found.listing.numbers) == list(before.listing.numbers)
    assert session._table._reader is None
    assert session.known(RunsQuestion()) is None  # once: later questions are asked
    session.close()


def test_what_was_filtered_and_sorted_is_kept_with_its_question(home: Home) -> None:
    left(home, '{"query": "r00", "sort": ["name:desc"]}', RunsQuestion("r00", ("name:desc",)))

    known = CatalogSession(home, ()).first_answer()

    assert known is not None
    assert known.take(RunsQuestion("r00", ("name:desc",)), stamp_of(home)) is not None
    assert known.take(RunsQuestion("r01", ("name:desc",)), stamp_of(home)) is None


def test_a_word_of_the_user_makes_it_void(home: Home) -> None:
    left(home)
    words = journal.open_journal(home)

    words.tag([journal.RunRef("/r001", "f")], ["new"], [])

    assert CatalogSession(home, ()).first_answer() is None
    words.close()


def test_another_snapshot_makes_it_void(home: Home) -> None:
    left(home)

    with open_writer(home) as writer:
        writer.update("UPDATE run SET host = 'other' WHERE run_id = 'r001'", [])
        writer.publish()

    assert CatalogSession(home, ()).first_answer() is None


def test_a_word_said_while_it_was_asked_keeps_nothing(home: Home) -> None:
    session = CatalogSession(home, ())
    session.find(RunsQuestion())
    words = journal.open_journal(home)
    words.tag([journal.RunRef("/r001", "f")], ["new"], [])

    session.save_state("{}")

    assert list(Path(home.cache).glob(f"{FIRST_ANSWER}*")) == []
    words.close()
    session.close()


def test_the_rows_around_the_cursor_are_there_or_it_is_asked(home: Home) -> None:
    for cursor, is_kept in (("r001", True), ("r699", False), ("gone", True)):
        left(home, f'{{"cursor": "{cursor}"}}')

        assert (CatalogSession(home, ()).first_answer() is not None) == is_kept, cursor


def test_another_version_is_not_understood(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    left(home)

    monkeypatch.setattr(first_answer, "SCHEMA_VERSION", 99)

    assert CatalogSession(home, ()).first_answer() is None


def test_no_damage_is_shown(home: Home) -> None:
    left(home)
    path = kept_file(home)
    content = path.read_bytes()
    assert path.stat().st_mode & 0o777 == 0o600

    for place in range(0, len(content), max(len(content) // 150, 1)):
        path.write_bytes(content[:place] + bytes([content[place] ^ 0x11]) + content[place + 1 :])
        assert CatalogSession(home, ()).first_answer() is None, place
        path.write_bytes(content[:place])
        assert CatalogSession(home, ()).first_answer() is None, place


def test_what_the_clock_changes_is_not_kept(home: Home) -> None:
    batch = Batch(run_ids={"new"})
    batch.add("run", run_id="new", run_key="/new", name="new", path="/new", active_s=1.0, status="running",
              fingerprint="f", is_missing=False)  # fmt: skip
    with open_writer(home) as writer:
        writer.commit(batch)
        writer.publish()

    assert left(home).answer.rows[0].head.status == "stalled"

    assert list(Path(home.cache).glob(f"{FIRST_ANSWER}*")) == []


def test_every_kind_of_value_comes_back(home: Home) -> None:
    values = (None, True, 3, 0.1, float("inf"), "text\n\x1b", datetime(2026, 1, 2, 3, 4, 5, 6), ("a", "b"), ())  # noqa: DTZ001
    head = RunHead("r1", "/r1", "f", "\ud800 name", "/r1", "failed", True, False, ("t",), True, "recorded", values[6])
    columns = tuple(Column(f"params.p{place}", "p", "param") for place in range(len(values)))
    found = RunsFound(
        RunsQuestion(), RunsAnswer(columns, (RunRow(head, values),), 1, 1, ("remark",)), ("params.p0",),
        Listing(("r1",), [7], 1, ("remark",)), 0, (None, 1.5), "a/", "metrics.x", head, False,
    )  # fmt: skip
    kept = FirstAnswer(home, "digest")

    kept.save(found, stamp_of(home))

    known = kept.load(RunsQuestion())
    assert known is not None
    back = known.take(RunsQuestion(), stamp_of(home))
    assert back is not None
    assert replace(back, listing=found.listing) == found
    assert [type(value) for value in back.answer.rows[0].values] == [type(value) for value in values]


def test_forgetting_runs_forgets_it_too(home: Home) -> None:
    left(home)
    assert kept_file(home).exists()

    forget_runs(home, ["r001"])

    assert list(Path(home.cache).glob(f"{FIRST_ANSWER}*")) == []
