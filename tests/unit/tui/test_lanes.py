"""What DuckDB keeps of the catalog while nobody asks."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from mlbench.catalog.reader import Reader
from mlbench.paths import find_home
from mlbench.tui.lanes import KEPT, MEMORY, Lane, Rest
from mlbench.watch import Watcher
from tests.events import scalar_file


@pytest.fixture
def lanes(tmp_path: Path) -> Iterator[tuple[Lane, Lane]]:
    """Two lanes on a home with a run."""
    scalar_file(tmp_path / "logs" / "a" / "events.out.tfevents.1700000000.host", {"loss": [(0, 1.0)]})
    home = find_home(str(tmp_path / "home"))
    Watcher(home, [str(tmp_path / "logs")]).look()
    rest = Rest()
    both = Lane(home, rest), Lane(home, rest)
    yield both
    for lane in both:
        lane.close()


@pytest.fixture
def given(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    """What readers were told to keep, and their limit from then on."""
    told: list[tuple[str, str]] = []
    give_back = Reader.give_back

    def tell(reader: Reader, most: str, limit: str) -> None:
        told.append((most, limit))
        give_back(reader, most, limit)

    monkeypatch.setattr(Reader, "give_back", tell)
    return told


def limit_of(lane: Lane) -> str:
    with lane.reading() as reader:
        ((limit,),) = reader.rows("SELECT current_setting('memory_limit')")
    return str(limit)


def test_after_a_question_little_is_kept_and_the_next_one_has_its_limit(
    lanes: tuple[Lane, Lane], given: list[tuple[str, str]]
) -> None:
    lane, _other = lanes

    with lane.reading() as reader:
        reader.rows("SET memory_limit = '1GB'")  # as after a question that needed it
        assert given == []

    assert given == [(KEPT, MEMORY)]
    assert limit_of(lane) == "45.7 MiB"


def test_nothing_is_taken_from_a_question_of_the_other_lane(
    lanes: tuple[Lane, Lane], given: list[tuple[str, str]]
) -> None:
    lane, other = lanes
    asks, ends = threading.Event(), threading.Event()

    def ask_long() -> None:
        with other.reading() as reader:
            reader.rows("SELECT count(*) FROM run")
            asks.set()
            ends.wait(60)

    thread = threading.Thread(target=ask_long)
    thread.start()
    assert asks.wait(60)
    with lane.reading() as reader:
        reader.rows("SELECT count(*) FROM run")
    told_meanwhile = list(given)
    ends.set()
    thread.join(60)

    assert told_meanwhile == []
    assert given == [(KEPT, MEMORY)]


def test_after_a_question_that_failed_memory_is_given_back_by_the_next(
    lanes: tuple[Lane, Lane], given: list[tuple[str, str]]
) -> None:
    lane, other = lanes

    with pytest.raises(ZeroDivisionError), lane.reading():
        raise ZeroDivisionError

    assert given == []
    for each in (lane, other):
        assert limit_of(each) == "45.7 MiB"
    assert given == [(KEPT, MEMORY)] * 2
