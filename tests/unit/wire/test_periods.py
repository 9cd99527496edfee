import io

import numpy as np
import pytest

from mlbench.wire import periods as module
from mlbench.wire.events import decode_event
from mlbench.wire.periods import Period, Periods, Turn, find_period
from mlbench.wire.shapes import Shapes
from mlbench.wire.window import Window
from tests.unit.wire.event_logs import event, log, loop, simple, tensor_value


def period_of(word: str, *, lengths: list[int] | None = None) -> int:
    """The period that a word ends with; `?` is a record of no known shape."""
    shapes = np.array([-1 if letter == "?" else ord(letter) for letter in word], dtype=np.int32)
    return find_period(shapes, np.array(lengths or [30] * len(word), dtype=np.int64))


@pytest.fixture
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """A period is believed as soon as it has come twice."""
    monkeypatch.setattr(module, "MIN_SEEN", 2)


@pytest.mark.usefixtures("soon")
@pytest.mark.parametrize(
    ("word", "k"),
    [
        ("", 0), ("a", 0), ("aa", 1), ("ab", 0), ("abab", 2), ("ababa", 2), ("xyzabcabc", 3), ("abcab", 0),
        ("aabaab", 3), ("abaabaab", 3), ("ab?ab?", 0), ("?b?b", 0), ("ab?", 0), ("abcdefghi", 0),
    ],
)  # fmt: skip
def test_a_period_has_come_twice(word: str, k: int) -> None:
    assert period_of(word) == k


def test_a_period_is_believed_only_after_many_records_or_when_it_is_all_there_is() -> None:
    assert period_of("b" + "a" * 127) == 0
    assert period_of("b" + "a" * 128) == 1
    assert period_of("ab" * 10) == 2
    assert period_of("b" * 60 + "a" * 60) == 0


@pytest.mark.usefixtures("soon")
def test_a_record_of_another_length_is_another_record() -> None:
    assert period_of("aaaa", lengths=[30, 31, 30, 31]) == 2
    assert period_of("aaaa", lengths=[30, 30, 30, 31]) == 0


def test_only_a_few_candidates_are_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    word = ("b" + "a" * 9) * 2

    assert period_of(word) == 0
    monkeypatch.setattr(module, "_CANDIDATES", 9)
    assert period_of(word) == 10


# ---------------------------------------------------------------- rows


def taught(*payloads: bytes) -> Shapes:
    shapes = Shapes()
    for payload in payloads:
        shapes.learn(payload, decode_event(payload, {}))
    return shapes


def loaded(*payloads: bytes) -> Window:
    window = Window()
    window.load(io.BytesIO(log(*payloads)), 0)
    return window


def period(window: Window, shapes: Shapes, n_records: int) -> Period:
    """The first so many records of a window as a period."""
    places = window.walk(0, 100)[:n_records]
    lengths = window.lengths(places)
    numbers, widths = shapes.classify(window, places, lengths)
    return Period(Turn.of(window, shapes, places, lengths, numbers, widths))


@pytest.fixture
def single(monkeypatch: pytest.MonkeyPatch) -> None:
    """One turn a row."""
    monkeypatch.setattr(module, "_ROW_BYTES", 1)


@pytest.mark.usefixtures("single")
def test_a_row_is_the_same_whatever_its_times_steps_values_and_checksums() -> None:
    turns = loop(["a", "bb"], 5)
    window = loaded(*turns)

    found = period(window, taught(*turns), 2)

    assert found.n_bytes == len(log(*turns[:2]))
    assert found.count(window, 0) == 5
    assert found.count(window, found.n_bytes) == 4
    places, lengths, numbers = found.records(0, 5)
    assert places.tolist() == window.walk(0, 100).tolist()
    assert lengths.tolist() == window.lengths(places).tolist()
    assert numbers.tolist() == [0, 1] * 5


@pytest.mark.usefixtures("single")
@pytest.mark.parametrize("is_block_short", [True, False])
def test_rows_end_where_a_step_has_grown_by_a_byte(monkeypatch: pytest.MonkeyPatch, is_block_short: bool) -> None:
    if is_block_short:
        monkeypatch.setattr(module, "_BLOCK_BYTES", 200)
    turns = loop(["a", "bb"], 20, first=120)
    window = loaded(*turns)

    assert period(window, taught(*turns), 2).count(window, 0) == 8


@pytest.mark.usefixtures("single")
@pytest.mark.parametrize("rows_in_tile", [1, 2, 3, 5, 100])
@pytest.mark.parametrize("n_turns", [1, 2, 5, 6, 17])
def test_rows_are_counted_one_by_one_however_many_are_compared_at_once(
    monkeypatch: pytest.MonkeyPatch, n_turns: int, rows_in_tile: int
) -> None:
    turns = loop(["a", "bb"], n_turns, first=200)
    n_bytes = len(log(*turns[:2]))
    monkeypatch.setattr(module, "_TILE_BYTES", rows_in_tile * n_bytes)
    window = loaded(*turns, *loop(["a", "c"], 1, first=300))

    assert period(window, taught(*turns), 2).count(window, 0) == n_turns


@pytest.mark.usefixtures("single")
def test_no_byte_of_a_row_but_those_of_numbers_and_checksums_may_differ() -> None:
    one = event(tensor_value("a", 1, plugin="scalars"), simple("b", 2), step=300)
    shapes = taught(one)
    content = log(one, one)
    n_bytes = len(content) // 2
    window = loaded(one, one)
    found = period(window, shapes, 1)
    number_a, number_b = (value.number_at + 12 for value in decode_event(one, {}).values)
    free = {
        *range(13, 21),
        *range(number_a, number_a + 4),
        *range(number_b, number_b + 4),
        *range(n_bytes - 4, n_bytes),
    }

    for place in range(8 * n_bytes):
        wrong = bytearray(content)
        wrong[n_bytes + place // 8] ^= 1 << place % 8
        window.load(io.BytesIO(bytes(wrong)), 0)
        is_step = place // 8 in {22, 23} and place % 8 < 7
        assert found.count(window, 0) == (2 if place // 8 in free or is_step else 1), place


def test_a_record_without_a_step_may_be_in_a_period() -> None:
    one, two = event(simple("a", 1), step=None), event(simple("b", 1), step=5)
    window = loaded(*[one, two] * 200)

    assert period(window, taught(one, two), 2).count(window, 0) > 0


def test_short_periods_are_taken_several_at_a_time() -> None:
    turns = loop(["a"], 200, first=300)
    window = loaded(*turns)

    found = period(window, taught(*turns), 1)

    n_turns = found.n_bytes // len(log(turns[0]))
    assert n_turns == 2048 // len(log(turns[0]))
    assert found.count(window, 0) == 200 // n_turns
    assert found.records(0, 1)[0].tolist() == window.walk(0, n_turns).tolist()


def test_a_row_begins_only_where_all_of_it_is_there() -> None:
    turns = loop(["a", "bb"], 200, first=300)
    window = loaded(*turns)
    found = period(window, taught(*turns), 2)

    assert found.begins_at(window, 0)
    assert not found.begins_at(window, len(log(turns[0])))
    assert not found.begins_at(window, window.n_bytes - found.n_bytes + 1)
    assert found.count(window, window.n_bytes) == 0


# ---------------------------------------------------------------- periods that are remembered


def test_a_period_may_begin_with_any_of_its_records() -> None:
    turns = loop(["a", "bb", "ccc"], 60, first=300)
    window = loaded(*turns)
    periods = Periods()
    assert not periods
    periods.add(period(window, taught(*turns), 3))
    places = window.walk(0, 100)

    for number in range(3):
        turned = periods.beginning_with((number, window.length(int(places[number]))))
        assert turned is not None
        assert turned.begins_at(window, int(places[number]))
        n_records = 3 * (2048 // len(log(*turns[:3])))
        assert (
            turned.records(int(places[number]), 1)[0].tolist() == window.walk(int(places[number]), n_records).tolist()
        )
        assert turned.records(0, 1)[2].tolist()[:3] == [number, (number + 1) % 3, (number + 2) % 3]
    assert periods
    assert periods.longest == 3
    assert periods.beginning_with((7, 30)) is None


def test_a_newer_period_takes_the_place_of_an_older_one_for_the_records_it_has() -> None:
    short, long = loop(["a", "b"], 2, first=300), loop(["a", "b", "cc"], 2, first=300)
    shapes = taught(*short, *long)
    periods = Periods()
    length = len(short[0])
    periods.add(period(loaded(*short), shapes, 2))
    assert periods.beginning_with((0, length)) is not None

    periods.add(period(loaded(*long), shapes, 3))

    newest = periods.beginning_with((0, length))
    assert newest is not None
    assert newest.begins_at(loaded(*loop(["a", "b", "cc"], 60, first=300)), 0)


def test_periods_do_not_fill_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    turns = loop(["a", "bb"], 60, first=300)
    window, shapes = loaded(*turns), taught(*turns)
    one, other = period(window, shapes, 2), period(loaded(*turns[1:]), shapes, 1)
    monkeypatch.setattr(module, "MAX_BYTES", one.size_bytes + 1)
    periods = Periods()
    kind = (1, len(turns[1]))

    periods.add(one)
    turned = periods.beginning_with(kind)
    periods.add(other)

    assert turned is not None
    assert turned.begins_at(window, int(window.walk(0, 2)[1]))
    assert periods.beginning_with((0, len(turns[0]))) is None
    assert len(periods._newest) <= 1
