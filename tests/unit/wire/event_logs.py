"""Event files of every kind for the tests, and what the plain reader says of them: the oracle of the fast one."""

from __future__ import annotations

import hashlib
import io
import struct
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from hypothesis import strategies as st

from mlbench.model import Blob, Cursor, Fact, Points, Problem
from mlbench.wire.events import decode_event
from mlbench.wire.protobuf import WireError
from mlbench.wire.tfrecord import BadLength, BadPayload, Record, Truncated, Unfinished, read_records, write_record
from tests.facts import apart

STEPS = (0, 1, 5, 126, 127, 128, 16_382, 16_384, 2**21 - 1, 2**28, 2**35, 2**42, 2**49, 2**56 - 1, 2**56, 2**63 - 1,
         -1, -(2**63))  # fmt: skip
SIGNALLING, QUIET = 0x7FA12345, 0xFFC00001
WALLS = (struct.pack("<d", 1_700_000_000.25), struct.pack("<Q", 0x7FF0000000000001), struct.pack("<d", 0.0))


# ---------------------------------------------------------------- what is written


def varint(number: int) -> bytes:
    number &= 2**64 - 1
    octets = bytearray()
    while number >= 0x80:
        octets.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*octets, number])


def part(number: int, content: bytes) -> bytes:
    """A field of bytes."""
    return varint(number << 3 | 2) + varint(len(content)) + content


def simple(tag: str, bits: int) -> bytes:
    """A value as torch and tensorboardX write it."""
    return part(1, part(1, tag.encode()) + b"\x15" + struct.pack("<I", bits))


def metadata(plugin: str) -> bytes:
    return part(9, part(1, part(1, plugin.encode())))


def tensor_value(tag: str, bits: int, *, plugin: str = "", is_content: bool = False) -> bytes:
    """A value as TensorFlow 2 writes it, its number in either of two places."""
    number = part(4, struct.pack("<I", bits)) if is_content else part(5, struct.pack("<I", bits))
    body = part(8, b"\x08\x01" + part(2, b"") + number)
    return part(1, part(1, tag.encode()) + body + (metadata(plugin) if plugin else b""))


def double_value(tag: str, number: float) -> bytes:
    """A scalar that is no float32."""
    return part(1, part(1, tag.encode()) + part(8, b"\x08\x02" + part(2, b"") + part(6, struct.pack("<d", number))))


def event(*values: bytes, step: int | None = 0, wall: bytes = WALLS[0], step_octets: bytes = b"") -> bytes:
    front = b"\x09" + wall
    if step_octets or step is not None:
        front += b"\x10" + (step_octets or varint(step or 0))
    return front + part(5, b"".join(values))


def log(*payloads: bytes) -> bytes:
    return b"".join(map(write_record, payloads))


def loop(tags: Iterable[str], n_turns: int, *, first: int = 0, every: int = 1) -> list[bytes]:
    """A training: so many turns of the same metrics in the same order."""
    return [
        event(simple(tag, 0x3F000000 + turn * 7 + place), step=first + turn * every, wall=struct.pack("<d", turn + 0.5))
        for turn in range(n_turns)
        for place, tag in enumerate(tags)
    ]


PICTURE = part(1, part(1, b"img") + part(4, b"\x08\x02\x10\x03" + part(4, b"\x89PNG.....")))
HISTOGRAM = part(1, part(1, b"weights") + part(5, b"\x09" + bytes(8)))
TEXT = part(
    1, part(1, b"note") + part(8, b"\x08\x07" + part(2, part(2, b"\x08\x01")) + part(8, b"hello")) + metadata("text")
)
OTHERS = (
    event(PICTURE, step=3),
    event(HISTOGRAM),
    event(TEXT, step=2**40),
    event(TEXT, simple("a", 0x3F800000)),
    event(double_value("a", 0.1), step=9),
    event(),
    event(simple("a", 1), step=1) + event(simple("b", 2), step=2),  # two messages in one are one message
    event(simple("a", 1))[9:],  # no wall time
    event(simple("a", 1))[11:],  # and no step
    event(simple("a", 1), step_octets=b"\x85\x80\x00"),  # a longer number than is needed
    event(simple("a", 1), step_octets=b"\xff" * 9),  # and one that does not end
    b"\x09" + WALLS[0] + part(3, b"brain.Event:2"),
    b"\x09" + WALLS[0] + part(4, b"graph"),
    b"",
    b"\x00",
    b"\x09" + bytes(8),
    part(5, simple("lo\udcff".encode("utf-8", "surrogateescape").decode("latin-1"), 3)),
    event(part(1, part(1, b"lo\xff") + b"\x15" + bytes(4)), step=1),
    event(tensor_value("t", 4, plugin="mine")),  # from here on this tag is no scalar
    event(tensor_value("a", 4, plugin="mine"), simple("b", 3)),
    event(simple("big", 1), part(1, part(1, b"x" * 5000) + b"\x15" + bytes(4))),
)

BITS = st.sampled_from([0x3F800000, 0, 0x80000000, SIGNALLING, QUIET, 0x7F800000, 0xFF800000]) | st.integers(
    0, 2**32 - 1
)
TAGS = st.sampled_from(["a", "b", "t", "cc", "long/name/of/a/metric"])


@st.composite
def scalars(draw: st.DrawFn) -> bytes:
    """The payload of one event with a few values."""
    values = []
    for _value in range(draw(st.sampled_from([1, 1, 1, 2, 3]))):
        tag, bits, form = draw(TAGS), draw(BITS), draw(st.integers(0, 3))
        if form == 0:
            values.append(simple(tag, bits))
        else:
            values.append(tensor_value(tag, bits, plugin="scalars" if form == 1 else "", is_content=form == 2))
    step = draw(st.none() | st.sampled_from(STEPS) | st.integers(0, 300))
    return event(*values, step=step, wall=draw(st.sampled_from(WALLS)))


@st.composite
def loops(draw: st.DrawFn) -> list[bytes]:
    tags = draw(st.lists(TAGS, min_size=1, max_size=5))
    return loop(
        tags, draw(st.integers(1, 30)), first=draw(st.sampled_from([0, 100, 16_370])), every=draw(st.integers(0, 3))
    )


def payloads() -> st.SearchStrategy[list[bytes]]:
    """The payloads of a file: loops, single scalars and everything else between."""
    one = (scalars() | st.sampled_from(OTHERS)).map(lambda payload: [payload])
    return st.lists(loops() | one | one, max_size=14).map(lambda parts: [payload for some in parts for payload in some])


@st.composite
def damaged(draw: st.DrawFn, content: bytes) -> bytes:
    """The same file with bytes changed, taken out and put in, or cut."""
    octets = bytearray(content)
    for _damage in range(draw(st.integers(1, 3))):
        place = draw(st.integers(0, max(0, len(octets) - 1)))
        match draw(st.sampled_from(["flip", "flip", "remove", "insert", "cut", "zero"])):
            case "flip" if octets:
                octets[place] ^= 1 << draw(st.integers(0, 7))
            case "remove":
                del octets[place : place + draw(st.integers(1, 60))]
            case "insert":
                octets[place:place] = draw(st.binary(min_size=1, max_size=30))
            case "zero":
                octets[place : place + 20] = bytes(len(octets[place : place + 20]))
            case _:
                del octets[place:]
    return bytes(octets)


# ---------------------------------------------------------------- what is read


Point = tuple[int, int, int, int]
"""Step, bits of wall time and of value, sequence number."""


@dataclass
class Told:
    """What a reader says of a file."""

    points: dict[str, list[Point]] = field(default_factory=dict)
    blobs: list[tuple[Any, ...]] = field(default_factory=list)
    damage: dict[str, tuple[int, int]] = field(default_factory=dict)
    """Kind of damage: how often, and the first offset."""
    n_records: int = 0
    n_bad: int = 0
    offset: int = 0
    seq: int = 0
    plugins: dict[str, str] = field(default_factory=dict)


def bits(number: float) -> int:
    return int(np.array([number], dtype=np.float64).view(np.int64)[0])


def plainly(content: bytes, plugins: dict[str, str] | None = None) -> Told:
    """What record by record and event by event is in a file."""
    told = Told(plugins=dict(plugins or {}))
    for item in read_records(io.BytesIO(content)):
        match item:
            case Record():
                _add_plainly(told, item)
                told.offset = item.end
                told.n_records += 1
            case BadPayload(offset, end):
                _count(told, "payload", offset)
                told.offset = end
            case Unfinished(offset, end):
                _count(told, "unfinished", offset)
                told.offset = end
            case BadLength(offset, resumed_at, _searched):
                _count(told, "length", offset)
                told.offset = offset if resumed_at is None else resumed_at
            case Truncated():
                pass
    told.n_bad = sum(n for kind, (n, _first) in told.damage.items() if kind != "tag")
    return told


def _count(told: Told, kind: str, offset: int) -> None:
    n, first = told.damage.get(kind, (0, offset))
    told.damage[kind] = (n + 1, first)


def _add_plainly(told: Told, record: Record) -> None:
    try:
        found = decode_event(record.payload, told.plugins)
    except WireError:
        _count(told, "event", record.offset)
        return
    for name, place in found.graphs:
        _add_blob(told, record, ("graph", name, found.step), place)
        told.seq += 1
    for value in found.values:
        if value.is_tag_damaged:
            _count(told, "tag", record.offset)
        if value.kind == "scalar":
            point = (found.step, bits(found.wall_s), bits(value.number), told.seq)
            told.points.setdefault(value.tag, []).append(point)
        for place in value.parts:
            _add_blob(told, record, (value.kind, value.tag, found.step), place)
        told.seq += 1


def _add_blob(told: Told, record: Record, head: tuple[str, str, int], place: Any) -> None:
    digest = hashlib.blake2b(record.payload[place.start : place.end], digest_size=8).hexdigest()
    told.blobs.append((*head, told.seq, record.offset + 12 + place.start, place.end - place.start, digest))


KINDS = {
    "bad checksum": "payload",
    "not finished": "unfinished",
    "framing is broken": "length",
    "no valid event": "event",
    "not valid UTF-8": "tag",
}


def told_by(facts: Iterable[Fact]) -> Told:
    """The same of what the adapter has given."""
    told = Told()
    for fact in apart(facts):
        match fact:
            case Points():
                columns = (fact.steps, fact.wall_s.view(np.int64), fact.values.view(np.int64), fact.seq)
                rows = zip(*(column.tolist() for column in columns), strict=True)
                told.points.setdefault(fact.metric, []).extend(rows)
            case Blob():
                told.blobs.append((fact.kind, fact.metric, fact.step, fact.seq, fact.offset, fact.length, fact.digest))
            case Problem():
                (kind,) = (kind for words, kind in KINDS.items() if words in fact.what)
                n = next((int(word) for word in fact.what.split() if word.isdigit()), 1)
                told.damage[kind] = (n, int(fact.place.removeprefix("offset ")))
            case Cursor():
                state: Any = fact.state
                told.n_records, told.n_bad = fact.n_records, fact.n_bad
                told.offset, told.seq, told.plugins = state["offset"], state["seq"], dict(state["plugins"])
            case _:
                pass
    return told
