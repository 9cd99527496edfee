"""No bit of an event file can change unnoticed, and damage costs no more than the record that it lies in.

A length is trusted only where its own checksum holds, and a CRC-32C finds every change that spans at most 32 bits. So a
flipped bit in a length can never pass for a file that is still being written: it is damage, told with its offset, and
reading goes on at the next record whose length checks.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from itertools import accumulate, pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from mlbench.adapters.tensorboard import ADAPTER
from mlbench.model import Cursor, Fact, JsonValue, Points, Problem, ReadStatus, Source
from mlbench.wire.files import is_lfs_pointer
from mlbench.wire.tfrecord import write_record
from tests.unit.wire.event_messages import WALL_S, event, tensor, value

NAME = "events.out.tfevents.1700000000.node1.4242.0"
N_STEPS = 12
N_MANY = 300
TAGS = ("train/loss", "val/loss")
OFTEN = settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
LAYOUTS = ("torch", "tf2", "tf2 with metadata once", "merged")

Point = tuple[str, int, bytes, bytes]
"""Metric, step, and the bits of wall time and value."""


@dataclass(frozen=True)
class Log:
    """A small event file, and what each of its records says."""

    records: tuple[bytes, ...]
    points: tuple[tuple[Point, ...], ...]
    """Of each record."""

    @property
    def content(self) -> bytes:
        return b"".join(self.records)

    @property
    def starts(self) -> tuple[int, ...]:
        """Offset of each record, and the end of the file."""
        return tuple(accumulate(map(len, self.records), initial=0))

    def without(self, *lost: int) -> dict[str, list[Point]]:
        """The points of all other records, by metric."""
        return by_metric(point for at, points in enumerate(self.points) if at not in lost for point in points)


def by_metric(points: Iterator[Point]) -> dict[str, list[Point]]:
    found: dict[str, list[Point]] = {}
    for point in points:
        found.setdefault(point[0], []).append(point)
    return found


@cache
def log(layout: str, *, n_steps: int = N_STEPS) -> Log:
    payloads = [event(file_version="brain.Event:2", wall_s=WALL_S)]
    points: list[tuple[Point, ...]] = [()]
    for step in range(n_steps):
        # Steps of one and of two bytes, wall times and values of all bits.
        place, wall_s = step * 25, WALL_S + step / 3
        numbers = [(1 + at) / (3 + step) for at in range(len(TAGS))]
        bodies = [_body(layout, tag, step, number) for tag, number in zip(TAGS, numbers, strict=True)]
        said = [_point(tag, place, wall_s, number) for tag, number in zip(TAGS, numbers, strict=True)]
        for first in range(0, len(TAGS), len(TAGS) if layout == "merged" else 1):
            last = len(TAGS) if layout == "merged" else first + 1
            payloads.append(event(*bodies[first:last], step=place, wall_s=wall_s))
            points.append(tuple(said[first:last]))
    return Log(tuple(map(write_record, payloads)), tuple(points))


def _body(layout: str, tag: str, step: int, number: float) -> object:
    if layout in ("torch", "merged"):
        return value(tag, simple_value=number)
    plugin = "" if layout == "tf2 with metadata once" and step else "scalars"
    return value(tag, plugin=plugin, tensor=tensor("FLOAT", tensor_content=struct.pack("<f", number)))


def _point(tag: str, step: int, wall_s: float, number: float) -> Point:
    (single,) = struct.unpack("<f", struct.pack("<f", number))
    return tag, step, struct.pack("<d", wall_s), struct.pack("<d", single)


def read(path: Path, cursor: Mapping[str, JsonValue] | None = None) -> list[Fact]:
    return list(ADAPTER.read(Source(str(path), str(path.parent)), cursor))


def batches(facts: list[Fact]) -> Iterator[Points]:
    """Every batch of points, those that hold many metrics taken apart."""
    for fact in facts:
        if isinstance(fact, Points):
            yield fact
        elif hasattr(fact, "split"):
            yield from fact.split()


def read_points(facts: list[Fact]) -> dict[str, list[Point]]:
    """The points by metric; their places in the file must rise."""
    found: dict[str, list[Point]] = {}
    for batch in batches(facts):
        columns = (batch.steps.tolist(), batch.wall_s, batch.values)
        found.setdefault(batch.metric, []).extend(
            (batch.metric, step, wall_s.tobytes(), number.tobytes())
            for step, wall_s, number in zip(*columns, strict=True)
        )
        assert all(before < after for before, after in pairwise(batch.seq.tolist()))
    return found


def problems(facts: list[Fact]) -> list[tuple[str, str]]:
    return [(fact.path, fact.place) for fact in facts if isinstance(fact, Problem)]


def last_cursor(facts: list[Fact]) -> Cursor:
    assert isinstance(facts[-1], Cursor)
    return facts[-1]


def is_noticed_and_costs_one_record(path: Path, whole: Log, lost: int) -> bool:
    """Whether the file, damaged within one record, is read as that record's loss and no other's."""
    facts = read(path)
    cursor = last_cursor(facts)
    return (
        read_points(facts) == whole.without(lost)
        and problems(facts) == [(str(path), f"offset {whole.starts[lost]}")]
        and (cursor.status, cursor.n_bad) == (ReadStatus.DAMAGED, 1)
    )


def unnoticed(path: Path, whole: Log, changes: Iterator[tuple[int, int]]) -> list[tuple[int, int]]:
    """Of (offset, xor) changes, each made alone, those that are not told or cost more than their record."""
    path.write_bytes(whole.content)
    owner = [at for at, (start, end) in enumerate(pairwise(whole.starts)) for _byte in range(start, end)]
    wrong = []
    with path.open("r+b", buffering=0) as file:
        for offset, mask in changes:
            byte = whole.content[offset]
            file.seek(offset)
            file.write(bytes([byte ^ mask]))
            if not is_noticed_and_costs_one_record(path, whole, owner[offset]):
                wrong.append((offset, mask))
            file.seek(offset)
            file.write(bytes([byte]))
    return wrong


@pytest.mark.parametrize("layout", LAYOUTS)
def test_the_undamaged_file_is_read_whole(tmp_path: Path, layout: str) -> None:
    path = tmp_path / NAME
    path.write_bytes(log(layout).content)

    facts = read(path)

    assert read_points(facts) == log(layout).without()
    assert {metric: len(points) for metric, points in read_points(facts).items()} == dict.fromkeys(TAGS, N_STEPS)
    assert (problems(facts), last_cursor(facts).status) == ([], ReadStatus.EOF)


@pytest.mark.slow
@pytest.mark.parametrize("layout", ["torch", "tf2"])
def test_no_flipped_bit_goes_unnoticed_or_costs_more_than_its_record(tmp_path: Path, layout: str) -> None:
    whole = log(layout)
    every_bit = ((offset, 1 << bit) for offset in range(len(whole.content)) for bit in range(8))

    assert unnoticed(tmp_path / NAME, whole, every_bit) == []


@pytest.mark.parametrize("layout", LAYOUTS)
def test_no_corrupted_byte_goes_unnoticed_or_costs_more_than_its_record(tmp_path: Path, layout: str) -> None:
    whole = log(layout)
    masks = np.random.default_rng(3).integers(1, 256, len(whole.content))
    every_byte = enumerate(masks.tolist())

    assert unnoticed(tmp_path / NAME, whole, every_byte) == []


@pytest.mark.parametrize("layout", LAYOUTS)
def test_nor_does_it_in_a_file_of_many_records(tmp_path: Path, layout: str) -> None:
    whole = log(layout, n_steps=N_MANY)
    chance = np.random.default_rng(5)
    offsets, bits = chance.integers(0, len(whole.content), 100), chance.integers(0, 8, 100)

    assert unnoticed(tmp_path / NAME, whole, zip(offsets.tolist(), (1 << bits).tolist(), strict=True)) == []


@pytest.mark.parametrize("layout", LAYOUTS)
@OFTEN
@given(data=st.data())
def test_of_several_damaged_records_each_is_lost_alone(tmp_path: Path, layout: str, data: st.DataObject) -> None:
    whole, path = log(layout, n_steps=N_MANY), tmp_path / NAME
    lost = data.draw(st.sets(st.integers(0, len(whole.records) - 1), min_size=1, max_size=6))
    content = bytearray(whole.content)
    for record in lost:
        start, end = whole.starts[record : record + 2]
        content[data.draw(st.integers(start, end - 1))] ^= 1
    path.write_bytes(content)

    facts = read(path)

    assert read_points(facts) == whole.without(*lost)
    assert (str(path), f"offset {whole.starts[min(lost)]}") in problems(facts)


@pytest.mark.parametrize("layout", LAYOUTS)
@OFTEN
@given(data=st.data())
def test_garbage_between_records_costs_none(tmp_path: Path, layout: str, data: st.DataObject) -> None:
    whole, path = log(layout), tmp_path / NAME
    garbage = data.draw(st.binary(min_size=1, max_size=300))
    place = data.draw(st.integers(1, len(whole.records) - 1))
    start = whole.starts[place]
    path.write_bytes(whole.content[:start] + garbage + whole.content[start:])

    facts = read(path)

    assert read_points(facts) == whole.without()
    assert problems(facts) == [(str(path), f"offset {start}")]


@pytest.mark.parametrize("layout", LAYOUTS)
@OFTEN
@given(data=st.data())
def test_garbage_spliced_into_a_record_costs_no_other(tmp_path: Path, layout: str, data: st.DataObject) -> None:
    whole, path = log(layout), tmp_path / NAME
    garbage = data.draw(st.binary(min_size=1, max_size=300))
    lost = data.draw(st.integers(0, len(whole.records) - 2))
    start, end = whole.starts[lost : lost + 2]
    inside = data.draw(st.integers(start + 1, end - 1))
    content = whole.content[:inside] + garbage + whole.content[inside:]
    path.write_bytes(content)

    facts = read(path)

    # Bytes that repeat how the record begins or ends lie before or behind it, and leave it whole.
    is_whole = whole.records[lost] in content[start : end + len(garbage)]
    place = end if content[start:end] == whole.records[lost] else start
    assert read_points(facts) == whole.without(*(() if is_whole else (lost,)))
    assert problems(facts)[0] == (str(path), f"offset {place}")
    assert last_cursor(facts).status is ReadStatus.DAMAGED


@pytest.mark.parametrize("layout", LAYOUTS)
@OFTEN
@given(data=st.data())
def test_of_an_overwritten_stretch_all_records_outside_are_read(
    tmp_path: Path, layout: str, data: st.DataObject
) -> None:
    whole, path = log(layout), tmp_path / NAME
    first = data.draw(st.integers(0, len(whole.content) - 1))
    garbage = data.draw(st.binary(min_size=1, max_size=300))[: len(whole.content) - first]
    content = whole.content[:first] + garbage + whole.content[first + len(garbage) :]
    assume(not is_lfs_pointer(content))
    path.write_bytes(content)

    facts = read(path)

    spans = list(pairwise(whole.starts))
    kept = [at for at, (start, end) in enumerate(spans) if content[start:end] == whole.content[start:end]]
    assert read_points(facts) == by_metric(point for at in kept for point in whole.points[at])
    assert bool(problems(facts)) == (len(kept) < len(spans))


@pytest.mark.parametrize("layout", LAYOUTS)
@OFTEN
@given(data=st.data())
def test_a_damaged_file_that_grows_is_read_as_if_whole(tmp_path: Path, layout: str, data: st.DataObject) -> None:
    whole, path = log(layout), tmp_path / NAME
    lost = data.draw(st.integers(0, len(whole.records) - 1))
    start, end = whole.starts[lost : lost + 2]
    offset = data.draw(st.integers(start, end - 1))
    cut = data.draw(st.integers(1, len(whole.content)))
    content = bytearray(whole.content)
    content[offset] ^= data.draw(st.integers(1, 255))

    path.write_bytes(content[:cut])
    before = read(path)
    path.write_bytes(content)
    after = read(path, last_cursor(before).state)

    assert by_metric(
        point for facts in (before, after) for points in read_points(facts).values() for point in points
    ) == whole.without(lost)
    assert problems([*before, *after]) == [(str(path), f"offset {start}")]
    assert (last_cursor(after).status, last_cursor(after).n_bad) == (ReadStatus.DAMAGED, 1)
