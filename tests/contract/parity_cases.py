"""Folders of event files made by hand, at least one for every rule in which TensorBoard's readers differ.

Here: odd numbers, damage of every kind, messages that no writer makes, odd folders. The other rules: parity_rules.py.
"""

from __future__ import annotations

import math
import os
import random
import struct
from collections.abc import Callable, Iterator
from pathlib import Path

from tensorboard.compat.proto.event_pb2 import Event, SessionLog
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.compat.proto.tensor_pb2 import TensorProto

from tests.contract.parity_log import (
    FIRST,
    FLOAT,
    SECOND,
    Files,
    Log,
    metadata,
    one,
    scalar_record,
    simple_value,
    spoilt,
    tensor,
)
from tests.contract.parity_rules import metadata_cases, mixed_kinds, restarts, several_files, tensor_cases, versions

# ---------------------------------------------------------------- numbers


def number_cases() -> Iterator[tuple[str, Files]]:
    edges = (-(2**63), -(2**53) - 1, -7, -1, 0, 1, 2**31, 2**53 + 1, 2**63 - 1)
    yield "huge-steps", one(Log().simple("a", *edges).tensors("b", *edges))
    yield "huge-steps-back", one(Log().simple("a", *reversed(edges)))
    yield "huge-steps-old", one(Log(None).simple("a", *edges, *edges))
    yield "negative-first-old", one(Log(None).simple("a", -5, -4, -1, -3))
    yield "huge-start", one(Log().start(0).simple("a", *edges).start(2**63 - 1).simple("a", 5).start(-(2**63)))
    odd = (math.nan, math.inf, -math.inf, -0.0, 1e-45, 3.4e38)
    yield "odd-values", one(_each(Log(), "a", odd))
    payloads = (0x7FC00001, 0xFFC00000, 0x7F800001, 0xFFBFFFFF, 0x80000000)
    log = Log()
    for step, pattern in enumerate(payloads):
        value = b"\x0a\x01a\x15" + struct.pack("<I", pattern)
        log.payload(b"\x09" + struct.pack("<d", 5000 + step) + bytes([0x10, step + 1, 0x2A, 2 + len(value), 0x0A, len(value)]) + value)  # fmt: skip
    yield "nan-payloads", one(log)
    for name, wall_s in (("nan", math.nan), ("inf", math.inf), ("minus-inf", -math.inf), ("negative", -5.0), ("zero", 0.0)):  # fmt: skip
        odd_point = Summary.Value(tag="a", simple_value=9.0)
        yield f"wall-{name}", one(Log().simple("a", 0, 1).values(2, odd_point, wall_time=wall_s).simple("a", 3))
        yield f"wall-{name}-first", one(Log(None).values(0, odd_point, wall_time=wall_s).simple("a", 1, 2))
    yield (
        "wall-nan-two-files",
        {
            FIRST: Log().simple("a", 0).event(wall_time=math.nan).simple("a", 1).content,
            SECOND: Log(start_s=2000.0).simple("a", 2).content,
        },
    )
    yield (
        "wall-inf-decides-nothing",
        one(
            Log()
            .values(0, tensor("a", TensorProto(dtype=FLOAT, float_val=[1]), plugin="text"), wall_time=math.inf)
            .tensors("a", 1)
        ),
    )
    yield "wall-back", one(Log().values(0, simple_value(1), wall_time=9.0).values(1, simple_value(2), wall_time=3.0))
    yield "wall-nan-payload", one(Log().payload(_with_wall(b"\1\0\0\0\0\0\xf8\xff")).simple("a", 5))


def _with_wall(wall: bytes) -> bytes:
    rest: bytes = Event(step=3, summary=Summary(value=[simple_value(1)])).SerializeToString()
    return b"\x09" + wall + rest


def _each(log: Log, tag: str, values: tuple[float, ...]) -> Log:
    for step, value in enumerate(values):
        log.values(step, Summary.Value(tag=tag, simple_value=value))
    return log


# ---------------------------------------------------------------- damage


def framing() -> Iterator[tuple[str, Files]]:
    yield "empty-records", one(Log().payload(b"").simple("a", 0).payload(b"").payload(b"").simple("a", 1))
    yield "empty-record-alone", one(Log(None).payload(b""))
    yield "empty-record-old", one(Log(None).simple("a", 4).payload(b"").simple("a", 2, 5))
    yield "no-records", one(Log(None))
    record = scalar_record(2)
    for name, place in (
        ("length", 0),
        ("length-checksum", 9),
        ("payload", 14),
        ("payload-value", -6),
        ("checksum", -1),
    ):
        damaged = spoilt(record, place % len(record))
        yield f"damaged-{name}", one(Log().simple("loss", 0, 1).record(damaged).simple("loss", 3, 4))
        yield f"damaged-{name}-first", one(Log(None).record(damaged).simple("loss", 3, 4))
    yield "zeros-behind", {FIRST: Log().simple("a", 0, 1).content + bytes(100)}
    yield "text-behind", {FIRST: Log().simple("a", 0, 1).content + b"Traceback (most recent call last)"}
    file = Log().simple("a", 0).tensors("b", -1).content
    for size in range(len(file)):
        yield f"cut-{size:03}", {FIRST: file[:size]}


def flips() -> Iterator[tuple[str, Files]]:
    """Every bit of a small file turned over: the checksums show it to Python, and to the server most do not."""
    file = Log().simple("a", 3).tensors("b", -1).content
    for bit in range(8 * len(file)):
        yield f"flip-{bit:04}", {FIRST: _flipped(file, bit) + Log(None, start_s=3000.0).simple("a", 4).content}


def mutations() -> Iterator[tuple[str, Files]]:
    """The same with the checksum put right again, so that each reader meets the payload."""
    value = tensor("b", TensorProto(dtype=FLOAT, float_val=[0.5], tensor_shape={"dim": []}))
    event = Event(wall_time=2000.0, step=-2, summary=Summary(value=[simple_value(3), value]))
    start = Event(wall_time=2001.0, step=300, session_log=SessionLog(status=SessionLog.START, msg="go"))
    for name, payload in (("event", event.SerializeToString()), ("start", start.SerializeToString())):
        for bit in range(8 * len(payload)):
            log = Log().start(0).simple("a", 1).tensors("b", 1).payload(_flipped(payload, bit)).simple("a", 400)
            yield f"mutated-{name}-{bit:04}", one(log)


def _flipped(content: bytes, bit: int) -> bytes:
    place = bit >> 3
    return content[:place] + bytes([content[place] ^ 1 << (bit & 7)]) + content[place + 1 :]


def wire_cases() -> Iterator[tuple[str, Files]]:
    """Messages that no writer makes and that one protobuf library takes and another does not."""
    point = Event(wall_time=2000.0, step=2, summary=Summary(value=[simple_value(3)])).SerializeToString()
    payloads = {
        "unknown-field": point + b"\xa2\x06\x03abc",
        "unknown-varint": point + b"\xa0\x06\x05",
        "unknown-fixed": point + b"\xa5\x06abcd" + b"\xa1\x06abcdefgh",
        "unknown-fixed-cut": point + b"\xa5\x06abc",
        "unknown-group": point + b"\xa3\x06\x08\x01\xa4\x06",
        "unknown-group-nested": point + b"\xa3\x06\x0b\x0c\xa4\x06",
        "unknown-group-open": point + b"\xa3\x06\x08\x01",
        "unknown-group-wrong-end": point + b"\xa3\x06\x08\x01\xac\x06",
        "group-end-alone": point + b"\xa4\x06",
        "field-0": point + b"\x00\x01",
        "wire-type-6": point + b"\xa6\x06\x01",
        "step-as-fixed": point + b"\x11abcdefgh",
        "wall-as-varint": point + b"\x08\x01",
        "summary-as-varint": point + b"\x28\x01",
        "summary-as-group": point + b"\x2b\x2c",
        "two-summaries": point + Event(summary=Summary(value=[Summary.Value(tag="c", simple_value=4)])).SerializeToString(),
        "summary-then-version": point + b"\x1a\x0dbrain.Event:1",
        "version-then-summary": b"\x1a\x0dbrain.Event:1" + point,
        "two-steps": point + b"\x10\x09",
        "explicit-zero-step": b"\x09" + struct.pack("<d", 2000.0) + b"\x10\x00" + point[11:],
        "long-varint": point[:9] + b"\x10\x82\x80\x80\x80\x80\x80\x80\x80\x80\x00" + point[11:],
        "varint-overflow": point[:9] + b"\x10\x82\x80\x80\x80\x80\x80\x80\x80\x80\x02" + point[11:],
        "varint-of-eleven": point[:9] + b"\x10\x82\x80\x80\x80\x80\x80\x80\x80\x80\x80\x00" + point[11:],
        "tag-no-utf8": point.replace(b"\x0a\x01a", b"\x0a\x01\xff"),
        "plugin-no-utf8": _value(b"\x0a\x01d\x15\0\0\x80\x3f\x4a\x05\x0a\x03\x0a\x01\xff"),
        "version-no-utf8": b"\x1a\x02\xc3\x28",
        "log-no-utf8": b"\x32\x04\x12\x02\xc3\x28",
        "empty-value": _value(b""),
        "value-twice": _value(b"\x0a\x01d\x15\0\0\x80\x3f\x15\0\0\0\x40"),
        "value-simple-then-tensor": _value(b"\x0a\x01d\x15\0\0\x80\x3f\x42\x07\x08\x01\x2d\0\0\0\x40"),
        "value-tensor-twice": _value(b"\x0a\x01d\x42\x02\x08\x01\x42\x05\x2d\0\0\0\x40\x4a\x0b\x0a\x09\x0a\x07scalars"),
        "value-metadata-twice": _value(b"\x0a\x01d\x15\0\0\x80\x3f\x4a\x02\x20\x02\x4a\x02\x20\x00"),
        "class-huge": _value(b"\x0a\x01d\x15\0\0\x80\x3f\x4a\x06\x20\x81\x80\x80\x80\x10"),
        "class-negative": _value(b"\x0a\x01d\x15\0\0\x80\x3f\x4a\x0b\x20\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"),
        "floats-half-packed": _value(b"\x0a\x01d\x42\x07\x08\x01\x2a\x03\0\0\0\x4a\x0b\x0a\x09\x0a\x07scalars"),
        "beyond-its-message": _value(b"\x0a\x09d\x15\0\0\x80\x3f"),
        "text": b"no event at all",
    }  # fmt: skip
    for name, payload in payloads.items():
        yield f"wire-{name}", one(Log().simple("a", 1).payload(payload).simple("a", 4))


def _value(value: bytes) -> bytes:
    summary = b"\x0a" + bytes([len(value)]) + value
    return b"\x09" + struct.pack("<d", 2000.0) + b"\x10\x03\x2a" + bytes([len(summary)]) + summary


# ---------------------------------------------------------------- at random


def random_logs() -> Iterator[tuple[str, Files]]:
    """Two files of any events in any order; the same at every call."""
    for seed in range(150):
        dice = random.Random(seed)
        yield (
            f"random-{seed:03}",
            {
                FIRST: _random_log(dice, start_s=1000.0),
                SECOND: _random_log(dice, start_s=2000.0),
            },
        )


def _random_log(dice: random.Random, *, start_s: float) -> bytes:
    log = Log(dice.choice([None, "brain.Event:1", "brain.Event:2", "brain.Event:2"]), start_s=start_s)
    for _event in range(dice.randrange(30)):
        tag, step = dice.choice("ab"), dice.randint(-2, 12)
        kind = dice.randrange(12)
        if kind < 5:
            log.simple(tag, step)
        elif kind < 8:
            log.tensors(
                tag,
                step,
                plugin=dice.choice(["scalars", "scalars", None, "text"]),
                data_class=dice.choice([0, 0, 1, 2]),
            )
        elif kind == 8:
            log.start(step)
        elif kind == 9:
            log.event(step=step, tagged_run_metadata={"tag": tag})
        elif kind == 10:
            log.values(step, Summary.Value(tag=tag, metadata=metadata("scalars")), simple_value(step))
        else:
            log.event(step=step, wall_time=dice.choice([math.inf, math.nan, 5.0]), graph_def=b"")
    return log.content


def write_odd_folders(root: Path) -> list[str]:
    """Folders that are odd not by what stands in their files; returns their names."""
    good = Log().simple("a", 0, 1).content
    later = Log(start_s=2000.0).simple("a", 2, 3).content
    names = [
        "named-like-tfevents",
        "holds-such-a-folder",
        "link-to-a-file",
        "dangling-link",
        "name-no-utf8",
        "plain/below",
    ]
    for name in names:
        (root / name).mkdir(parents=True)
        (root / name / FIRST).write_bytes(good)
    (root / "holds-such-a-folder" / SECOND).mkdir()
    (root / "holds-such-a-folder" / SECOND / FIRST).write_bytes(later)
    (root / "link-to-a-file" / SECOND).symlink_to(root / "plain" / "below" / FIRST)
    (root / "dangling-link" / "events.out.tfevents.0").write_bytes(good)
    (root / "dangling-link" / FIRST).unlink()
    (root / "dangling-link" / FIRST).symlink_to("nowhere")
    (root / "dangling-link" / SECOND).write_bytes(later)
    (root / "name-no-utf8" / os.fsdecode(b"tfevents.\xff")).write_bytes(later)
    return [*names, f"holds-such-a-folder/{SECOND}"]


GROUPS: dict[str, Callable[[], Iterator[tuple[str, Files]]]] = {
    "restarts": restarts, "versions": versions, "several_files": several_files, "metadata": metadata_cases,
    "mixed_kinds": mixed_kinds, "tensors": tensor_cases, "numbers": number_cases, "framing": framing,
    "flips": flips, "mutations": mutations, "wire": wire_cases, "random": random_logs,
}  # fmt: skip
