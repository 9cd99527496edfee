import io
import struct
from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from mlbench.wire import crc32c, tfrecord
from mlbench.wire.crc32c import masked_crc32c_of_length
from mlbench.wire.tfrecord import (
    BLOCK_BYTES,
    MAX_RECORD_BYTES,
    Allowance,
    BadLength,
    BadPayload,
    Item,
    Record,
    Truncated,
    Unfinished,
    read_records,
    write_record,
)

THREE = write_record(b"one") + write_record(b"") + write_record(b"three")
"""Records at 0, 19 and 35; 56 bytes."""


def read(content: bytes, offset: int = 0, *, searched: int = 0) -> list[Item]:
    return list(read_records(io.BytesIO(content), offset, searched=searched))


def flipped(content: bytes, place: int) -> bytes:
    return content[:place] + bytes([content[place] ^ 0xFF]) + content[place + 1 :]


def test_a_record_has_the_bytes_that_tensorboard_writes() -> None:
    pytest.importorskip("tensorboard")
    from tensorboard.summary.writer.record_writer import RecordWriter

    theirs = io.BytesIO()
    RecordWriter(theirs).write(b"payload")

    assert write_record(b"payload") == theirs.getvalue()


def test_records_come_in_order_with_their_places() -> None:
    items = read(THREE)

    assert items == [Record(0, b"one"), Record(19, b""), Record(35, b"three")]
    assert [(item.payload_offset, item.end) for item in items if isinstance(item, Record)] == [
        (12, 19),
        (31, 35),
        (47, 56),
    ]


def test_an_empty_file_has_no_records() -> None:
    assert read(b"") == []


@pytest.mark.parametrize(("n_bytes", "offset"), [(3, 0), (10, 0), (18, 0), (22, 19), (40, 35), (55, 35)])
def test_a_file_that_ends_within_a_record_is_read_on_from_its_start(n_bytes: int, offset: int) -> None:
    items = read(THREE[:n_bytes])

    assert items[-1] == Truncated(offset)
    assert items[:-1] + read(THREE, offset) == read(THREE)


def test_a_record_with_a_bad_payload_is_left_out() -> None:
    assert read(flipped(THREE, 13)) == [BadPayload(0, 19), Record(19, b""), Record(35, b"three")]


def test_behind_a_bad_length_the_next_record_is_found() -> None:
    assert read(flipped(THREE, 20)) == [Record(0, b"one"), BadLength(19, 35, 35), Record(35, b"three")]


def test_damage_without_a_later_record_reaches_to_the_end() -> None:
    assert read(flipped(THREE, 36)) == [Record(0, b"one"), Record(19, b""), BadLength(35, None, 45)]


def test_a_search_goes_on_where_it_ended_when_the_file_has_grown() -> None:
    damaged = flipped(THREE, 36)
    grown = damaged + write_record(b"four")

    assert read(grown, 35, searched=45) == [BadLength(35, 56, 56), Record(56, b"four")]


def test_damage_that_was_mended_meanwhile_is_read() -> None:
    assert read(THREE, 35, searched=45) == [Record(35, b"three")]


def test_a_search_may_end_within_the_last_bytes_and_go_on_there() -> None:
    grown = b"\x01" * 30 + write_record(b"x")

    assert read(grown[:36]) == [BadLength(0, None, 25)]
    assert read(grown, 0, searched=25) == [BadLength(0, 30, 30), Record(30, b"x")]


def test_a_search_that_was_ahead_of_the_file_finds_nothing() -> None:
    assert read(bytes(20), 0, searched=40) == [BadLength(0, None, 40)]


@pytest.mark.parametrize("length", [2**62, 2**32, MAX_RECORD_BYTES + 1])
def test_a_length_that_no_record_has_is_damage_and_takes_no_memory(length: int) -> None:
    lie = struct.pack("<QI", length, masked_crc32c_of_length(length))

    assert read(lie + THREE) == [
        BadLength(0, 12, 12),
        Record(12, b"one"),
        Record(31, b""),
        Record(47, b"three"),
    ]


def test_a_length_that_only_reaches_beyond_the_file_is_a_file_being_written() -> None:
    head = struct.pack("<QI", MAX_RECORD_BYTES, masked_crc32c_of_length(MAX_RECORD_BYTES))

    assert read(THREE + head + b"begun") == [*read(THREE), Truncated(56)]


def test_records_may_be_longer_than_a_block_and_cross_its_edge() -> None:
    payloads = [b"a" * 700_000, b"b" * (3 * BLOCK_BYTES), b"c" * 700_000]

    items = read(b"".join(map(write_record, payloads)))

    assert [item.payload for item in items if isinstance(item, Record)] == payloads


def test_a_long_search_reports_how_far_it_has_come() -> None:
    rubbish = b"\x00\x01\x00\x00\x00\x00\x00\x00" * (BLOCK_BYTES // 2)

    items = read(rubbish + THREE)

    *on_the_way, found, one, empty, three = items
    assert found == BadLength(0, len(rubbish), len(rubbish))
    assert all(isinstance(item, BadLength) and item.resumed_at is None for item in on_the_way)
    assert 2 <= len(on_the_way) <= 4
    assert [one, empty, three] == [
        Record(len(rubbish), b"one"),
        Record(len(rubbish) + 19, b""),
        Record(len(rubbish) + 35, b"three"),
    ]


def test_a_terabyte_of_nothing_is_jumped_over(tmp_path: Path) -> None:
    path = tmp_path / "sparse"
    hole_bytes = 1 << 40
    with path.open("wb") as file:
        file.truncate(hole_bytes)
        file.seek(hole_bytes)
        file.write(THREE)
    try:
        with path.open("rb") as file:
            items = list(read_records(file))
    finally:
        path.unlink()

    assert items[-3:] == [
        Record(hole_bytes, b"one"),
        Record(hole_bytes + 19, b""),
        Record(hole_bytes + 35, b"three"),
    ]
    assert len(items) < 10


def test_a_hole_up_to_the_end_is_jumped_over(tmp_path: Path) -> None:
    path = tmp_path / "sparse"
    with path.open("wb") as file:
        file.write(THREE)
        file.truncate(1 << 40)
    try:
        with path.open("rb") as file:
            items = list(read_records(file))
    finally:
        path.unlink()

    assert items[:3] == read(THREE)
    assert items[-1] == BadLength(56, None, (1 << 40) - 11)
    assert len(items) < 10


def test_damage_in_every_other_length_costs_no_more_than_a_few_looks_at_each_byte() -> None:
    pair = flipped(write_record(b"a" * 40), 9) + write_record(b"b" * 40)

    items = read(pair * 5_000)

    assert items[:3] == [BadLength(0, 56, 56), Record(56, b"b" * 40), BadLength(112, 168, 168)]
    assert len(items) == 10_000


@given(st.lists(st.binary(max_size=40), min_size=1, max_size=5), st.data())
def test_a_file_cut_anywhere_and_read_on_gives_the_same_records(payloads: list[bytes], data: st.DataObject) -> None:
    content = b"".join(map(write_record, payloads))
    n_bytes = data.draw(st.integers(0, len(content)))

    first = read(content[:n_bytes])
    records = [item for item in first if isinstance(item, Record)]
    following = records[-1].end if records else 0

    assert [*records, *read(content, following)] == read(content)


@given(st.binary(max_size=300))
def test_rubbish_is_read_to_its_end_and_never_raises(content: bytes) -> None:
    items = read(content)

    ends = [item for item in items if isinstance(item, Truncated | BadLength)]
    assert bool(ends) == bool(content) or any(isinstance(item, Record | BadPayload) for item in items)


def test_of_later_damage_nothing_was_searched_where_the_first_was_mended_meanwhile() -> None:
    mended, wrong, following = write_record(b"mended"), b"\xff" * 20, write_record(b"following")
    file = io.BytesIO(mended + wrong + following)

    found = list(read_records(file, 0, searched=len(mended + wrong) + 5))

    damage, resumed = len(mended), len(mended + wrong)
    assert found == [Record(0, b"mended"), BadLength(damage, resumed, resumed), Record(resumed, b"following")]


HALF = write_record(b"h" * 30)[:20]
"""The first 20 of 46 bytes: the writer was stopped."""


def test_a_record_that_begins_within_the_bytes_of_a_half_one_is_read() -> None:
    assert read(HALF + THREE) == [
        Unfinished(0, 20),
        Record(20, b"one"),
        Record(39, b""),
        Record(55, b"three"),
    ]


def test_it_is_read_before_the_file_reaches_as_far_as_the_half_one_claims() -> None:
    half = write_record(b"h" * 5_000)[:20]

    assert read(half + THREE) == [Unfinished(0, 20, may_end=5_016), *read(HALF + THREE)[1:]]


def test_it_is_read_where_the_half_one_ends_with_it() -> None:
    inner = write_record(b"i" * 10)

    assert read(HALF + inner + THREE)[:3] == [Unfinished(0, 20), Record(20, b"i" * 10), Record(46, b"one")]


def test_it_is_waited_for_until_it_is_there_as_a_whole() -> None:
    content = HALF + write_record(b"i" * 40)

    assert read(content[:-1]) == [Truncated(0)]
    assert read(content) == [Unfinished(0, 20), Record(20, b"i" * 40)]


def test_where_that_one_was_not_finished_either_what_follows_is_read() -> None:
    second = write_record(b"i" * 50_000)[:40]

    assert read(HALF + second + THREE)[0] == BadPayload(0, 46)
    assert read(HALF + second + THREE)[-3:] == [Record(60, b"one"), Record(79, b""), Record(95, b"three")]


def test_a_length_within_a_bad_payload_is_no_record_while_its_payload_does_not_match() -> None:
    inner = flipped(write_record(b"inner"), 14)

    assert read(flipped(write_record(inner), -1 % (len(inner) + 16)) + THREE)[:2] == [
        BadPayload(0, 37),
        Record(37, b"one"),
    ]


def test_damage_in_every_payload_is_not_looked_at_byte_by_byte(monkeypatch: pytest.MonkeyPatch) -> None:
    searches: list[int] = []
    search = tfrecord._headers_in

    def counted(content: bytes) -> list[tuple[int, int]]:
        searches.append(len(content))
        return search(content)

    monkeypatch.setattr(tfrecord, "_headers_in", counted)
    one = flipped(write_record(b"a" * 40), 20)

    assert read(one * 50_000) == [BadPayload(56 * n, 56 * n + 56) for n in range(50_000)]
    assert len(searches) < 10


def test_a_record_within_a_sound_one_is_its_payload() -> None:
    assert read(write_record(THREE)) == [Record(0, THREE)]


@pytest.mark.parametrize("between", [b"", write_record(b"")], ids=["lengths alone", "sound records between"])
@pytest.mark.parametrize("length", [200_000, 1 << 20])
def test_a_file_made_of_lengths_that_lie_costs_no_more_than_a_few_looks_at_each_byte(
    monkeypatch: pytest.MonkeyPatch, between: bytes, length: int
) -> None:
    looked_at: list[int] = []

    def summed(content: bytes) -> int:
        looked_at.append(len(content))
        return crc32c.masked_crc32c(content)

    def searched(content: bytes) -> list[tuple[int, int]]:
        looked_at.append(len(content))
        return search(content)

    search = tfrecord._headers_in
    monkeypatch.setattr(tfrecord, "MAX_RECORD_BYTES", 1 << 20)
    monkeypatch.setattr(tfrecord, "masked_crc32c", summed)
    monkeypatch.setattr(tfrecord, "_headers_in", searched)
    content = (struct.pack("<QI", length, masked_crc32c_of_length(length)) + between) * 30_000

    items = read(content)

    assert sum(looked_at) < 4 * len(content) + (6 << 20)
    assert isinstance(items[0], Unfinished if between else BadPayload | Truncated)


def test_behind_a_long_half_record_damage_costs_what_it_costs_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """All that the half record claims is in memory, and must not be moved for each place that is damaged."""
    moved: list[int] = []
    drop = tfrecord._Window.drop

    def counted(window: tfrecord._Window, n_bytes: int) -> None:
        before = window.buffer
        drop(window, n_bytes)
        if window.buffer is not before:
            moved.append(len(window.buffer))

    monkeypatch.setattr(tfrecord._Window, "drop", counted)
    rest = (flipped(write_record(b"a" * 40), 0) + write_record(b"b" * 40)) * 500 + write_record(b"c" * 4_000_000)
    half = write_record(bytes(len(rest) - 100))[:12]

    items = read(half + write_record(b"") + rest)

    assert isinstance(items[0], Unfinished)
    assert sum(isinstance(item, BadLength) for item in items) == 500
    assert sum(moved) < 2 * len(rest)


def test_no_more_is_looked_at_within_others_than_all_readings_of_a_file_are_allowed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(tfrecord, "MAX_RECORD_BYTES", 100_000)
    content = HALF + THREE + write_record(b"x" * 70_000)
    allowance = Allowance()
    for _reading in range(3):
        list(read_records(io.BytesIO(content), allowance=allowance))
    left = allowance.left_bytes
    assert 0 < left < 100_000
    while allowance.spend(1_000):
        pass
    found = list(read_records(io.BytesIO(content), allowance=allowance))
    assert found[0] == BadPayload(0, 46)


SMALL = st.lists(st.binary(max_size=40), min_size=1, max_size=4)


def is_finished(half: bytes, rest: bytes) -> bool:
    """Whether what follows makes a sound one of a half record, as a length of 8 and an empty record do."""
    return rest.startswith(write_record(rest[12:][: len(half)]))


@given(SMALL, st.binary(min_size=1, max_size=60), SMALL, st.data())
def test_only_the_record_that_a_writer_was_stopped_in_is_lost(
    before: list[bytes], half: bytes, after: list[bytes], data: st.DataObject
) -> None:
    cut = write_record(half)[: data.draw(st.integers(1, len(half) + 15))]
    begun, rest = b"".join(map(write_record, before)), cut + b"".join(map(write_record, after))
    assume(not is_finished(half, rest))
    content = begun + rest

    assert [item.payload for item in read(content) if isinstance(item, Record)] == before + after


@given(SMALL, st.binary(min_size=1, max_size=60), SMALL, st.data())
def test_a_half_record_is_told_the_same_however_the_file_grew(
    before: list[bytes], half: bytes, after: list[bytes], data: st.DataObject
) -> None:
    begun = b"".join(map(write_record, before))
    claimed = write_record(half)
    cut = claimed[: data.draw(st.integers(12, len(claimed) - 1))]
    rest = cut + b"".join(map(write_record, after))
    assume(not is_finished(half, rest))
    content = begun + rest
    n_bytes = data.draw(st.integers(0, len(content)))
    end = len(begun) + len(claimed)
    assume(not end <= n_bytes < len(begun) + len(cut) + 12)  # the length of the one within is not there yet

    *first, last = read(content[:n_bytes]) or [Truncated(0)]
    items = first if isinstance(last, Truncated) else [*first, last]
    following = items[-1].end if items and not isinstance(items[-1], BadLength | Truncated) else 0

    assert settled([*items, *read(content, following)]) == settled(read(content))


def settled(items: list[Item]) -> list[Item]:
    """The same, whether the file had come to the end that a half record claims or not."""
    return [item._replace(may_end=0) if isinstance(item, Unfinished) else item for item in items]
