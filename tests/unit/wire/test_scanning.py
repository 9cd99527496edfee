"""The fast reader against the plain one: whatever is in a file, both say the same."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mlbench.adapters import tensorboard
from mlbench.model import Cursor, Fact, JsonValue, Source
from mlbench.wire import blocks, periods, scanning, window
from mlbench.wire.tfrecord import Record, Truncated, write_record
from tests.unit.wire.event_logs import (
    OTHERS,
    PICTURE,
    SIGNALLING,
    STEPS,
    Told,
    damaged,
    event,
    log,
    loop,
    payloads,
    plainly,
    simple,
    tensor_value,
    told_by,
)

PROPERTY = settings(
    deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)


@pytest.fixture(autouse=True)
def _nothing_learned(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each test begins like a process, and leaves nothing behind."""
    monkeypatch.setattr(scanning, "_newest", [scanning.Learned()])
    monkeypatch.setattr(window, "_free", [])


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """Periods are found in a few records, and a window holds few: their borders fall everywhere."""
    monkeypatch.setattr(periods, "MIN_SEEN", 4)
    monkeypatch.setattr(periods, "_ROW_BYTES", 150)
    monkeypatch.setattr(periods, "_BLOCK_BYTES", 400)
    monkeypatch.setattr(periods, "FIRST_REACH", 8)
    monkeypatch.setattr(scanning, "FIRST_REACH", 8)
    monkeypatch.setattr(scanning, "_PEEK", 2)
    monkeypatch.setattr(scanning, "_MOST_PEEKED", 8)
    monkeypatch.setattr(scanning, "_MANY_UNKNOWN", 3)
    monkeypatch.setattr(scanning, "MANY_TURNS", 3)
    monkeypatch.setattr(scanning, "_LONG_PRELUDE", 1)
    monkeypatch.setattr(scanning, "_newest", [scanning.Learned()])
    monkeypatch.setattr(window, "_MANY", 32)
    monkeypatch.setattr(tensorboard, "_LEARNED", 2)
    monkeypatch.setattr(tensorboard, "_FLUSH_COST", 40)
    return monkeypatch


def read(path: Path, cursor: Mapping[str, JsonValue] | None = None) -> list[Fact]:
    return list(tensorboard.ADAPTER.read(Source(str(path), str(path.parent)), cursor))


def told(folder: Path, content: bytes) -> Told:
    path = folder / "events.out.tfevents.1700000000.node.1.0"
    path.write_bytes(content)
    return told_by(read(path))


def state_of(facts: list[Fact]) -> dict[str, Any]:
    cursor = facts[-1]
    assert isinstance(cursor, Cursor)
    state: dict[str, Any] = json.loads(json.dumps(cursor.state))
    return state


# ---------------------------------------------------------------- both readers say the same


@PROPERTY
@given(payloads())
def test_a_file_says_what_the_plain_reader_says(tmp_path: Path, written: list[bytes]) -> None:
    content = log(*written)

    assert told(tmp_path, content) == plainly(content)


@PROPERTY
@given(payloads(), st.integers(200, 4000))
def test_a_window_may_end_anywhere(
    tmp_path: Path, small: pytest.MonkeyPatch, written: list[bytes], n_bytes: int
) -> None:
    small.setattr(window, "WINDOW_BYTES", n_bytes)
    small.setattr(window, "_free", [])
    content = log(*written)

    assert told(tmp_path, content) == plainly(content)


@PROPERTY
@given(st.data(), payloads(), st.integers(200, 4000))
def test_damage_is_told_as_the_plain_reader_tells_it(
    tmp_path: Path, small: pytest.MonkeyPatch, data: st.DataObject, written: list[bytes], n_bytes: int
) -> None:
    small.setattr(window, "WINDOW_BYTES", n_bytes)
    small.setattr(window, "_free", [])
    content = data.draw(damaged(log(*written)))

    assert told(tmp_path, content) == plainly(content)


@PROPERTY
@given(st.data(), payloads(), st.integers(200, 4000))
def test_a_file_that_was_cut_anywhere_is_read_on(
    tmp_path: Path, small: pytest.MonkeyPatch, data: st.DataObject, written: list[bytes], n_bytes: int
) -> None:
    small.setattr(window, "WINDOW_BYTES", n_bytes)
    small.setattr(window, "_free", [])
    content = log(*written)
    path = tmp_path / "events.out.tfevents.1"
    path.write_bytes(content[: data.draw(st.integers(0, len(content)))])
    first = read(path)
    path.write_bytes(content)

    second = read(path, state_of(first))

    found, whole = told_by([*first, *second]), plainly(content)
    assert (found.points, found.blobs) == (whole.points, whole.blobs)
    assert (found.n_records, found.offset, found.seq) == (whole.n_records, whole.offset, whole.seq)
    assert found.plugins == whole.plugins


@PROPERTY
@given(st.lists(payloads(), min_size=2, max_size=3), st.integers(200, 4000))
def test_what_one_file_taught_never_falsifies_the_next(
    tmp_path: Path, small: pytest.MonkeyPatch, files: list[list[bytes]], n_bytes: int
) -> None:
    small.setattr(window, "WINDOW_BYTES", n_bytes)
    small.setattr(window, "_free", [])

    for written in [*files, files[0]]:
        content = log(*written)
        assert told(tmp_path, content) == plainly(content)


@pytest.mark.parametrize("n_bytes", [300, 1000, 3000, 1 << 19])
def test_every_kind_of_event_stands_between_the_turns_of_a_loop(
    tmp_path: Path, small: pytest.MonkeyPatch, n_bytes: int
) -> None:
    small.setattr(window, "WINDOW_BYTES", n_bytes)
    content = log(*(one for other in OTHERS for one in (*loop("ab", 20), other)), *loop("ab", 20))

    assert told(tmp_path, content) == plainly(content)


@pytest.mark.parametrize("step", STEPS)
def test_a_step_of_any_width_is_read(tmp_path: Path, step: int) -> None:
    content = log(*[event(simple("a", SIGNALLING), step=step)] * 3)

    found = told(tmp_path, content).points["a"]

    assert [point[0] for point in found] == [step] * 3
    assert {point[2] for point in found} == {0x7FF42468A0000000}


def test_of_later_damage_nothing_was_searched_where_the_first_was_mended_meanwhile(tmp_path: Path) -> None:
    turns = loop("a", 20)
    path = tmp_path / "events.out.tfevents.1"
    path.write_bytes(log(*turns[:5]) + bytes(700))  # a hole, which the file system fills later
    first = read(path)
    mended = log(*turns[:10]) + b"\xff" * 20 + log(*turns[10:])
    path.write_bytes(mended)

    second = read(path, state_of(first))

    assert len(told_by([*first, *second]).points["a"]) == 20
    assert told_by(second).damage["length"] == (1, len(log(*turns[:10])))


# ---------------------------------------------------------------- files one after another


def test_tags_of_one_length_are_told_apart_though_another_file_taught_the_period(
    tmp_path: Path, small: pytest.MonkeyPatch
) -> None:
    first, second = log(*loop(["aa", "bb"], 30)), log(*loop(["aa", "bc"], 30))

    assert told(tmp_path, first) == plainly(first)
    assert told(tmp_path, second) == plainly(second)
    assert told(tmp_path, first) == plainly(first)


def test_a_period_may_be_a_part_of_another_files(tmp_path: Path, small: pytest.MonkeyPatch) -> None:
    short, long = log(*loop(["a", "b"], 40)), log(*loop(["a", "b", "a", "b", "cc"], 40))

    for content in (short, long, short, long):
        assert told(tmp_path, content) == plainly(content)


def test_a_tag_that_a_plugin_claims_in_one_file_is_a_scalar_in_the_next(tmp_path: Path) -> None:
    number = event(tensor_value("a", 7))
    free, claimed = (
        log(*[number] * 300),
        log(number, number, event(tensor_value("a", 7, plugin="mine")), *[number] * 300),
    )

    assert len(told(tmp_path, free).points["a"]) == 300
    assert len(told(tmp_path, claimed).points["a"]) == 2
    assert told(tmp_path, claimed) == plainly(claimed)
    assert len(told(tmp_path, free).points["a"]) == 300


def test_after_too_much_was_learned_the_next_file_begins_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mlbench.wire.shapes.MAX_SHAPES", 4)
    content = log(*loop(["a", "b", "cc", "d", "e", "f"], 30))
    before = scanning.learned()

    assert told(tmp_path, content) == plainly(content)
    assert before.shapes.n_shapes == 4
    assert scanning.learned() is not before
    assert told(tmp_path, content) == plainly(content)


# ---------------------------------------------------------------- the scanner itself


def scanner(content: bytes, plugins: Mapping[str, str] | None = None) -> scanning.Scanner:
    return scanning.Scanner(io.BytesIO(content), 0, scanning.learned(), plugins or {})


def taught(*written: bytes) -> None:
    from mlbench.wire.events import decode_event

    for payload in written:
        scanning.learned().shapes.learn(payload, decode_event(payload, {}))


def found(made: scanning.Scanner) -> Iterator[Any]:
    while (item := made.find()) is not None:
        yield item
        if isinstance(item, blocks.Block | blocks.Turns):
            made.advance(item, len(item))


def test_whole_records_come_in_blocks_and_the_torn_one_by_itself() -> None:
    first, second = event(simple("a", 1), step=1), event(PICTURE, step=2)
    taught(first)
    content = log(first, second)

    block, end = found(scanner(content + log(first)[:-1]))

    assert (len(block), block.numbers.tolist(), block.counts().tolist()) == (2, [0, -1], [1, 0])
    assert (block.end(1), block.end(2)) == (len(log(first)), len(content))
    assert block.record(1) == Record(len(log(first)), second)
    assert end == Truncated(len(content))


def test_a_block_gives_the_numbers_of_each_value_of_each_record() -> None:
    pair, one = (
        event(simple("a", 0x3F800000), simple("b", SIGNALLING), step=5),
        event(simple("b", 0x40000000), step=300),
    )
    taught(pair, one)

    (block,) = found(scanner(log(pair, one, pair)))
    scalars = block.scalars(2, np.array([10, 12, 13]))

    assert scalars is not None
    assert scalars.tags.tolist() == [0, 1, 1]
    assert scalars.steps.tolist() == [5, 5, 300]
    assert scalars.wall_s.tolist() == [1_700_000_000.25] * 3
    assert scalars.values.view(np.uint32).tolist() == [0x3F800000, SIGNALLING, 0x40000000]
    assert scalars.seq.tolist() == [10, 11, 12]


def test_a_block_without_scalars_has_none() -> None:
    (block,) = found(scanner(log(event(PICTURE))))

    assert block.counts().tolist() == [0]
    assert block.scalars(1, np.array([0])) is None


def test_the_rest_of_a_block_that_was_not_taken_comes_again() -> None:
    written = loop("ab", 4)
    made = scanner(log(*written))
    block = made.find()
    assert isinstance(block, blocks.Block)

    made.advance(block, 3)
    rest = made.find()

    assert isinstance(rest, blocks.Block)
    assert [rest.record(index).payload for index in range(len(rest))] == written[3:]


def test_only_tensors_of_a_tag_that_a_plugin_has_claimed_are_blocked() -> None:
    taught(event(tensor_value("a", 1)), event(simple("a", 1)), event(tensor_value("b", 1)))
    numbers = np.array([0, 1, 2, -1], dtype=np.int32)

    assert scanner(b"", {"a": "mine"}).is_blocked(numbers).tolist() == [True, False, False, False]
    assert scanner(b"").is_blocked(numbers).tolist() == [False] * 4


def test_a_period_is_learned_and_the_rest_of_its_window_is_left_to_the_next(
    small: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    small.setattr(window, "WINDOW_BYTES", 1500)
    content = log(*loop("ab", 200, first=300))
    taught(*loop("ab", 1))

    items = list(found(scanner(content)))

    assert [type(item) for item in items[:3]] == [blocks.Block, blocks.Turns, blocks.Turns]
    assert sum(map(len, items)) == 400
    assert items[2].end() - items[1].end() < 1500


def test_turns_say_what_their_records_say_but_metric_by_metric(small: pytest.MonkeyPatch) -> None:
    loops = [event(*pair, step=turn // 2 * 20) for turn in range(300) for pair in
             ((simple("a", SIGNALLING), tensor_value("b", turn)), (simple("c", turn),))]  # fmt: skip
    loops = [
        one for n, one in enumerate(loops) for one in ((one, event(simple("d", n), step=None)) if n % 2 else (one,))
    ]
    taught(*loops[:3])

    turns = [item for item in found(scanner(log(*loops))) if isinstance(item, blocks.Turns)]

    assert sum(map(len, turns)) > 600
    for one in turns:
        block = one.block()
        mine, theirs = one.lines(7).scalars(), block.scalars(len(block), 7 + np.cumsum(block.counts()) - block.counts())
        assert theirs is not None
        order = np.lexsort((theirs.seq, theirs.tags))
        for name in ("tags", "steps", "wall_s", "values", "seq"):
            assert getattr(mine, name).tobytes() == getattr(theirs, name)[order].tobytes(), name
        assert one.end() == block.end(len(block))


def test_turns_at_the_start_of_a_file_are_taken_as_records_to_tell_when_it_began(tmp_path: Path) -> None:
    content = log(*loop("ab", 200, first=300))
    told(tmp_path, content)

    assert told(tmp_path, content) == plainly(content)


@pytest.mark.parametrize(("steps", "n"), [([5], 0), ([5, 5], 0), ([4, 5, 5], 2), ([5, 5, 6], 1), ([4, 5, 6, 6], 2)])
def test_a_turn_is_cut_where_its_step_changes(steps: list[int], n: int) -> None:
    assert scanning._since_new_step(np.array(steps)) == n


def test_a_log_without_a_period_is_walked_further_each_time(small: pytest.MonkeyPatch) -> None:
    written = [event(simple(f"metric {number}", 1), step=1) for number in range(200)]
    taught(*written)
    made = scanner(log(*written))

    assert sum(len(block) for block in found(made)) == len(written)
    made.close()

    assert scanning.learned().periods.reach == 1 << 16


def test_a_record_of_more_than_a_window_is_read(small: pytest.MonkeyPatch, tmp_path: Path) -> None:
    small.setattr(window, "WINDOW_BYTES", 500)
    huge = event(PICTURE + bytes([0x32, 0xD0, 0x0F]) + bytes(2000))
    content = log(*loop("ab", 5), huge, *loop("ab", 5))

    assert told(tmp_path, content) == plainly(content)


def test_every_changed_bit_of_a_periodic_file_is_told(small: pytest.MonkeyPatch, tmp_path: Path) -> None:
    content = log(*loop("ab", 12))
    whole = told(tmp_path, content)
    assert whole.damage == {}

    for place in range(len(write_record(loop("ab", 1)[0])) * 9, len(write_record(loop("ab", 1)[0])) * 11):
        for bit in range(8):
            wrong = bytearray(content)
            wrong[place] ^= 1 << bit
            facts = told(tmp_path, bytes(wrong))
            assert facts.n_bad == 1, (place, bit)
            assert facts == plainly(bytes(wrong)), (place, bit)


def stretches(content: bytes) -> list[tuple[int, int]]:
    """Of each stretch of turns how many records a turn has, and how many turns there are."""
    turns = [item for item in found(scanner(content)) if isinstance(item, blocks.Turns)]
    return [(len(item) // item.n_turns, item.n_turns) for item in turns]


def test_a_period_that_follows_another_is_taken_up_where_it_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Steps of one byte, then of two: the next file of the sweep looks for the first period only, then goes on."""
    same = log(event(PICTURE), *loop([f"{tag}/loss" for tag in "abcdefghijklmnopqrstuvwxyz"], 300))
    for _file in range(3):
        told(tmp_path, same)
    learned = stretches(same)
    peeked: list[int] = []
    peek = scanning.Scanner._peek

    def noted(self: scanning.Scanner, position: int) -> Any:
        peeked.append(position)
        return peek(self, position)

    monkeypatch.setattr(scanning.Scanner, "_peek", noted)

    assert stretches(same) == learned == [(26, 128), (26, 172)]
    assert peeked == [0]


def test_what_follows_is_looked_at_in_each_file(tmp_path: Path) -> None:
    first = log(*loop("abcd", 300))
    other = log(*loop("abcd", 100), *loop("dcba", 100))
    short = log(*loop("abcd", 128))
    for content in (first, first, first, other, short, other, first):
        assert told(tmp_path, content) == plainly(content)
