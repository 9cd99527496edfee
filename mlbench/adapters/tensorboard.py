"""TensorBoard event files: scalars as points, everything else by its place in the file.

Reads every file whose name contains `tfevents`, as all writers since TensorFlow 1 make them: TensorFlow, Keras,
PyTorch, tensorboardX, Lightning, Hugging Face, Stable-Baselines3, CleanRL, clu, flax, mmengine, Unity ML-Agents.
Nothing is thrown away: points that a restart repeats are kept in the order of the file, and views decide later.

The cursor's state: `offset` (of the next record), `seq` (of the next value), `plugins` (tag to plugin, for events
that do not name it; a reading may begin with `{"plugins": ...}` of an earlier file of the same folder),
`head_bytes` and `head_crc` (how the file begins, to notice another file of the same name), `tail_bytes` and `tail_crc`
(the same of what lies before `offset`, where a reading came to its end), `searched` (not 0: no
record begins at `offset`, and the next one was looked for up to here), `doubtful` (begin and end of records that were
taken for unfinished, and may be finished when the file reaches as far), `untold` (damage met and not yet told), and
`restarted`: true in every cursor of a reading that began anew, since what was read before is no longer in the file.

A file that describes a sweep yields `SweepDescription` whether or not it also holds a training: torch writes both.
"""

from __future__ import annotations

import hashlib
import math
import os
import re
from collections.abc import Generator, Iterator, Mapping
from typing import TYPE_CHECKING, BinaryIO

from mlbench.model import (
    Adapter,
    Blob,
    Claim,
    Fact,
    JsonValue,
    Listing,
    Problem,
    ReadStatus,
    Restart,
    Role,
    RunField,
    Source,
    SweepDescription,
)
from mlbench.wire.event_reading import EventReading
from mlbench.wire.files import is_lfs_pointer, open_regular

if TYPE_CHECKING:
    from mlbench.wire.blocks import Block, Turns
    from mlbench.wire.events import Event, Part, Value
    from mlbench.wire.scanning import Scanner
    from mlbench.wire.shapes import Shapes
    from mlbench.wire.tfrecord import BadLength, BadPayload, Record, Unfinished

_FLUSH_COST = 16_384
"""Records, values and 4 KiB blocks between two cursors: about 25 ms, or a quarter of a million points of blocks."""
_SLOW_COST = 4
"""Of a record that must be decoded the long way."""
_LEARNED = 16
_DECODED = 64
"""After so many records that taught a new shape, or were decoded and one did, the rest is looked at again. Where many
shapes are known a sixteenth more must come: looking is not for nothing either."""
_BYTES_PER_COST = 4096

_HEAD_BYTES = 64
_TAIL_BYTES = 64
_NAME = re.compile(r"tfevents\.(\d{9,11})(?:\.((?:\d{1,3}\.){3}\d{1,3}|.+?)(?:\.\d+\.\d+(?:[._].*)?)?(?:\.v2)?)?$")


def claims(listing: Listing) -> Iterator[Claim]:
    """Every event file of the folder; not the empty ones of the profiler, not macOS's `._` companions."""
    for name in sorted(name for name in listing.files if "tfevents" in name):
        if not name.endswith(".profile-empty") and not name.startswith("._"):
            yield Claim(os.path.join(listing.path, name), Role.EVENTS, listing.path)


def read(source: Source, cursor: Mapping[str, JsonValue] | None) -> Iterator[Fact]:
    """Yield what has come into the file since `cursor`; batches of points, then other facts, then a cursor.

    Joined, the batches of two readings are equal; where they end depends on what this process has read before.
    Problems of one kind are told once, at the end, and not again by the next reading.
    """
    reading = EventReading.resumed(cursor)
    try:
        with open_regular(source.path) as file:
            yield from _read_file(source, file, reading)
    except OSError as error:
        yield from reading.flush()
        yield from reading.told(source.path)
        reason = error.strerror or "it is not a regular file"
        yield Problem(source.path, f"The file could not be read: {reason}", hint="Check its permissions")
        yield reading.cursor(ReadStatus.UNREADABLE)


def _read_file(source: Source, file: BinaryIO, reading: EventReading) -> Iterator[Fact]:
    head = file.read(_HEAD_BYTES)
    size_bytes = os.fstat(file.fileno()).st_size
    if is_lfs_pointer(head):
        what = "The file is a Git LFS pointer; the events themselves are not here"
        yield Problem(source.path, what, hint="git lfs pull")
        yield reading.cursor(ReadStatus.LFS_POINTER)
        return
    if size_bytes < reading.offset or not _is_the_same(file, head, reading):
        what = "The file is not the one that was read before: it is shorter, or has other bytes"
        yield Problem(source.path, what, hint="It was read again from its start")
        reading.restart()
    elif _was_finished(file, size_bytes, reading):
        reading.restart()
    reading.head = head
    if not size_bytes:
        yield reading.cursor(ReadStatus.EMPTY)
        return
    status = yield from _read_items(source, file, reading)
    yield from reading.flush()
    yield from reading.told(source.path)
    reading.tail = _tail(file, reading.offset)
    yield reading.cursor(status)


def _is_the_same(file: BinaryIO, head: bytes, reading: EventReading) -> bool:
    """Whether the file can be the one that was read before: by its first bytes, and the last ones that were read."""
    n_tail = reading.ends[0]
    tail = _tail(file, reading.offset) if n_tail else b""
    return reading.begins_as_before(head) and (not n_tail or reading.goes_on_as_before(tail))


def _was_finished(file: BinaryIO, size_bytes: int, reading: EventReading) -> bool:
    """Whether a record taken for unfinished was being written: then what was found within it is its payload."""
    reached = [place for place in reading.doubtful if place[1] <= size_bytes]
    if not reached:
        return False
    from mlbench.wire.tfrecord import Record, read_records

    reading.doubtful = [place for place in reading.doubtful if place not in reached]
    return any(isinstance(next(read_records(file, offset), None), Record) for offset, _end in reached)


def _tail(file: BinaryIO, offset: int) -> bytes:
    n_bytes = min(offset, _TAIL_BYTES)
    return os.pread(file.fileno(), n_bytes, offset - n_bytes)


def _read_items(source: Source, file: BinaryIO, reading: EventReading) -> Generator[Fact, None, ReadStatus]:
    from mlbench.wire.scanning import Scanner, learned

    known = learned()
    scanner = Scanner(file, reading.offset, known, reading.plugins, searched=reading.searched)
    reading.tags = known.shapes.tags
    try:
        return (yield from _read_found(source, scanner, reading, known.shapes))
    finally:
        scanner.close()


def _read_found(
    source: Source, scanner: Scanner, reading: EventReading, shapes: Shapes
) -> Generator[Fact, None, ReadStatus]:
    from mlbench.wire.blocks import Block, Turns
    from mlbench.wire.tfrecord import Record, Truncated

    status = ReadStatus.EOF
    while (found := scanner.find()) is not None:
        if isinstance(found, Turns):
            if reading.is_begun:
                _add_turns(found, reading)
                scanner.advance(found, len(found))
            else:
                scanner.advance(found, _add_block(source, found.block(), reading, scanner, shapes))
        elif isinstance(found, Block):
            scanner.advance(found, _add_block(source, found, reading, scanner, shapes))
        elif isinstance(found, Record):
            _add_event(source, found, reading, shapes)
            reading.count(1, found.end)
        elif isinstance(found, Truncated):
            status = ReadStatus.TRUNCATED
        else:
            _add_damage(found, reading)
        if reading.cost >= _FLUSH_COST:
            yield from reading.flush()
            yield reading.cursor(status)
    return status


def _add_turns(turns: Turns, reading: EventReading) -> None:
    reading.add_scalars(turns.lines(reading.seq))
    reading.seq += turns.n_values
    reading.count(len(turns), turns.end())


def _add_block(source: Source, block: Block, reading: EventReading, scanner: Scanner, shapes: Shapes) -> int:
    """Decode the records of a block that are not scalars of a known shape, and take all others at once.

    Returns:
        How many records were taken: when new shapes were learned the rest is better looked at again.
    """
    import numpy as np

    if not reading.is_begun:
        block.numbers[0] = -1  # the first event tells when the run began, whatever else it is
    if (block.numbers < 0).all():
        return _add_records(source, block, reading, shapes)
    counts = block.counts()
    n_records = len(block)
    seq = reading.seq + np.cumsum(counts) - counts
    later = np.zeros(n_records + 1, dtype=np.int64)
    n_learned = n_values = 0
    enough = _enough(shapes)
    for n_decoded, index in enumerate(np.flatnonzero(block.numbers < 0).tolist(), start=1):
        n_plugins = len(reading.plugins)
        reading.seq = first = int(seq[index]) + n_values
        n_learned += _add_event(source, block.record(index), reading, shapes)
        later[index + 1] += reading.seq - first
        n_values += reading.seq - first
        is_claimed = len(reading.plugins) != n_plugins and scanner.is_blocked(block.numbers[index + 1 :]).any()
        is_enough = n_learned >= enough or (n_learned and n_decoded >= _DECODED)
        if is_enough or is_claimed or not reading.is_begun:
            n_records = index + 1
            break
    if n_values:
        seq = seq + np.cumsum(later)[:-1]
    scalars = block.scalars(n_records, seq)
    if scalars is not None:
        reading.add_scalars(scalars)
    reading.seq = int(seq[n_records - 1] + counts[n_records - 1] + later[n_records])
    reading.count(n_records, block.end(n_records))
    return n_records


def _add_records(source: Source, block: Block, reading: EventReading, shapes: Shapes) -> int:
    """The same where all records of the block have to be decoded."""
    n_records, n_learned, enough = len(block), 0, _enough(shapes)
    for n_decoded in range(1, n_records + 1):
        n_learned += _add_event(source, block.record(n_decoded - 1), reading, shapes)
        if n_learned >= enough or (n_learned and n_decoded >= _DECODED) or not reading.is_begun:
            n_records = n_decoded
            break
    reading.count(n_records, block.end(n_records))
    return n_records


def _enough(shapes: Shapes) -> int:
    """New shapes after which what follows is looked at again."""
    return max(_LEARNED, shapes.n_shapes // _LEARNED)


def _add_damage(item: BadPayload | Unfinished | BadLength, reading: EventReading) -> None:
    """Note what was left out; the search for the next record may go on where an earlier reading ended."""
    from mlbench.wire.tfrecord import BadLength, BadPayload, Unfinished

    if not isinstance(item, BadLength):
        reading.leave_out("payload" if isinstance(item, BadPayload) else "unfinished", item.offset)
        reading.offset = item.end
        if isinstance(item, Unfinished) and item.may_end:
            reading.doubt(item.offset, item.may_end)
        return
    if item.offset != reading.damage:
        reading.leave_out("length", item.offset)
    if item.resumed_at is None:
        reading.offset = reading.damage = item.offset
        reading.searched = item.searched
        reading.cost = _FLUSH_COST
    else:
        reading.offset = item.resumed_at


def _add_event(source: Source, record: Record, reading: EventReading, shapes: Shapes) -> bool:
    """Decode a record the long way; whether the next ones like it will be recognised."""
    from mlbench.wire.events import decode_event
    from mlbench.wire.protobuf import WireError

    reading.cost += _SLOW_COST + len(record.payload) // _BYTES_PER_COST
    try:
        event = decode_event(record.payload, reading.plugins)
    except WireError:
        reading.leave_out("event", record.offset)
        return False
    if not reading.is_begun:
        reading.is_begun = True
        reading.facts.extend(_start(os.path.basename(source.path), event))
    if event.file_version is not None:
        reading.facts.append(Restart("file_version", reading.seq, event.step, event.file_version))
    if event.is_session_start:
        reading.facts.append(Restart("session_start", reading.seq, event.step))
    for name, part in event.graphs:
        _add_blob(reading, record, event, part, kind="graph", metric=name)
        reading.seq += 1
    for value in event.values:
        _add_value(record, event, value, reading)
    return shapes.learn(record.payload, event)


def _start(name: str, event: Event) -> Iterator[RunField]:
    """Host and start, as the first event and the name of the file tell them."""
    named = _NAME.search(os.fsencode(name).decode("utf-8", "replace"))
    if named and named[2]:
        yield RunField("host", named[2])
    if math.isfinite(event.wall_s) and event.wall_s > 0:
        yield RunField("started", event.wall_s)
    elif named:
        yield RunField("started", float(named[1]))


def _add_value(record: Record, event: Event, value: Value, reading: EventReading) -> None:
    if value.is_tag_damaged:
        reading.note("tag", record.offset)
    if value.kind == "scalar":
        reading.add_points((value.tag,), event.step, event.wall_s, (value.number,))
        return
    for part in value.parts:
        _add_blob(reading, record, event, part, kind=value.kind, metric=value.tag)
        if value.kind == "text":
            _add_params(record, value.tag, part, reading)
    if value.session is not None:
        _add_session(record, value.session, reading)
    reading.seq += 1


def _add_blob(reading: EventReading, record: Record, event: Event, part: Part, *, kind: str, metric: str) -> None:
    place = (record.payload_offset + part.start, part.end - part.start, part.encoding, part.width, part.height)
    reading.cost += 1
    digest = hashlib.blake2b(memoryview(record.payload)[part.start : part.end], digest_size=8).hexdigest()
    reading.facts.append(Blob(kind, metric, event.step, event.wall_s, reading.seq, *place, digest))


def _add_params(record: Record, tag: str, part: Part, reading: EventReading) -> None:
    from mlbench.wire.text_params import MAX_TEXT_BYTES, PREFIXES, params_in_text

    if tag in PREFIXES and part.end - part.start <= MAX_TEXT_BYTES:
        text = record.payload[part.start : part.end].decode("utf-8", "replace")
        reading.facts.extend(params_in_text(tag, text))


def _add_session(record: Record, content: bytes, reading: EventReading) -> None:
    from mlbench.wire.hparams import read_session
    from mlbench.wire.protobuf import WireError

    try:
        session = read_session(content)
    except WireError:
        reading.note("hparams", record.offset)
        return
    if session.is_experiment and not reading.is_sweep:
        reading.is_sweep = True
        reading.facts.append(SweepDescription())
    reading.facts.extend(session.params)
    if session.status:
        reading.facts.append(RunField("status", session.status))
    if session.ended_s is not None:
        reading.facts.append(RunField("ended", session.ended_s))


def _write_example(folder: str) -> None:
    """Ten steps of two metrics, a histogram, a picture and a text, in tensorboard's own messages."""
    from tensorboard.compat.proto import event_pb2, summary_pb2, tensor_pb2, types_pb2

    from mlbench.wire.tfrecord import write_record

    wall_s = 1_700_000_000.0
    events = [event_pb2.Event(wall_time=wall_s, file_version="brain.Event:2")]

    def log(step: int, tag: str, *, plugin: str = "", **body: object) -> None:
        metadata = summary_pb2.SummaryMetadata(plugin_data=summary_pb2.SummaryMetadata.PluginData(plugin_name=plugin))
        value = summary_pb2.Summary.Value(tag=tag, metadata=metadata if plugin else None, **body)
        event = event_pb2.Event(wall_time=wall_s + step, step=step, summary=summary_pb2.Summary(value=[value]))
        events.append(event)

    for step in range(10):
        log(step, "train/loss", simple_value=1 / (1 + step))
        loss = tensor_pb2.TensorProto(dtype=types_pb2.DT_FLOAT, float_val=[1.5 / (1 + step)])
        log(step, "val/loss", plugin="scalars", tensor=loss)
    histogram = summary_pb2.HistogramProto(min=-1, max=1, num=3, sum=0, bucket_limit=[0, 1], bucket=[1, 2])
    log(9, "weights", histo=histogram)
    log(9, "sample", image=summary_pb2.Summary.Image(height=1, width=1, encoded_image_string=_PIXEL))
    text = tensor_pb2.TensorProto(dtype=types_pb2.DT_STRING, string_val=[b"|param|value|\n|-|-|\n|lr|0.1|"])
    log(9, "hyperparameters/text_summary", plugin="text", tensor=text)
    with open(os.path.join(folder, "events.out.tfevents.1700000000.node1.4242.0"), "wb") as file:
        file.writelines(write_record(event.SerializeToString()) for event in events)


_PIXEL = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de"
    "0000000c49444154789c63f8cfc0000003010100c9fe92ef0000000049454e44ae426082"
)
"""A red PNG of one pixel."""

ADAPTER = Adapter(
    name="tensorboard",
    version=2,
    claims=claims,
    read=read,
    example=_write_example,
    appends=True,
    formats="TensorBoard event files of every writer since TensorFlow 1",
    files=("*tfevents*",),
)
