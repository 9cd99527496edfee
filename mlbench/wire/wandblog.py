"""What the records of a `.wandb` file say: protobuf messages of Weights & Biases, read by hand.

A record is a message `Record` of wandb_internal.proto; the client of 0.10 to 0.31 wrote the fields read here. How
records lie in the file: `wire/wandbframes.py`.
Link: https://github.com/wandb/wandb/blob/main/wandb/proto/wandb_internal.proto
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping
from dataclasses import field

from mlbench.dataclass import dataclass
from mlbench.model import JsonValue
from mlbench.wire.jsonlog import JsonError, load_json
from mlbench.wire.protobuf import I64, LEN, VARINT, fields, key, signed, text_at

_SHORT = 32
_NUMBER_STARTS = frozenset(bytes([octet]) for octet in b"-0123456789")


@dataclass(frozen=True, slots=True)
class Item:
    """A key and its value, of a history row, the configuration or the summary."""

    keys: tuple[str, ...]
    value: JsonValue


@dataclass(frozen=True, slots=True)
class History:
    items: tuple[Item, ...]
    step: int | None
    """The row's own count; older clients have it only as the item `_step`."""


@dataclass(frozen=True, slots=True)
class Config:
    items: tuple[Item, ...]
    removed: tuple[tuple[str, ...], ...] = ()


@dataclass(frozen=True, slots=True)
class Summary:
    items: tuple[Item, ...]
    removed: tuple[tuple[str, ...], ...] = ()


@dataclass(frozen=True, slots=True)
class Run:
    """The run itself. Texts are '' where nothing was recorded."""

    texts: Mapping[str, str]
    """run_id, entity, project, group, job_type, name, notes, host, sweep."""
    tags: tuple[str, ...] = ()
    config: Config = field(default_factory=lambda: Config(()))
    summary: Summary = field(default_factory=lambda: Summary(()))
    started_s: float | None = None
    remote: str = ""
    commit: str = ""


@dataclass(frozen=True, slots=True)
class Exit:
    code: int


@dataclass(frozen=True, slots=True)
class Machine:
    """The environment record of newer clients."""

    texts: Mapping[str, str]
    """os, python, program, code_path, host, user."""
    args: tuple[str, ...] = ()
    remote: str = ""
    commit: str = ""


@dataclass(frozen=True, slots=True)
class ArtifactRecord:
    """A version of an artifact that the run made, or one that it used."""

    kind: str
    name: str
    digest: str = ""
    aliases: tuple[str, ...] = ()
    n_files: int = 0
    size_bytes: int | None = None
    is_input: bool = False


@dataclass(frozen=True, slots=True)
class MetricRule:
    """What `define_metric` said: the metrics of this name (or pattern) are drawn over another one."""

    name: str
    step_metric: str
    """'' where nothing is said of it."""
    step_index: int = 0
    """In its place the 1-based number of a metric, in the order in which they were defined."""
    is_whole: bool = False
    """The rule replaces what was said before of this name; else it adds to that."""


@dataclass(frozen=True, slots=True)
class Sample:
    """What the client measured of the machine at one time: processor, memory, graphics cards."""

    items: tuple[Item, ...]
    wall_s: float | None


Message = ArtifactRecord | MetricRule | Sample | History | Config | Summary | Run | Exit | Machine

_RUN_TEXTS = {1: "run_id", 2: "entity", 3: "project", 6: "group", 7: "job_type", 8: "name", 9: "notes", 12: "sweep",
              13: "host"}  # fmt: skip
_MACHINE_TEXTS = {1: "os", 2: "python", 6: "program", 7: "code_path", 12: "host", 13: "user"}


def decode(record: bytes) -> Message | None:
    """The message of a record; None for those of no interest (console output, telemetry, ...).

    Raises:
        WireError: the bytes are no message.
    """
    found: Message | None = None
    for field_key, start, end in fields(record, 0, len(record)):
        reader = _READERS.get(field_key)
        if reader is not None:
            found = reader(record, start, end)
    return found


def _history(record: bytes, start: int, end: int) -> History:
    items: list[Item] = []
    step: int | None = None
    for field_key, begin, stop in fields(record, start, end):
        if field_key == key(1, LEN):
            items.append(_item(record, begin, stop))
        elif field_key == key(2, LEN):
            step = next((signed(value) for k, value, _ in fields(record, begin, stop) if k == key(1, VARINT)), 0)
    return History(tuple(items), step)


def _updates(record: bytes, start: int, end: int) -> tuple[tuple[Item, ...], tuple[tuple[str, ...], ...]]:
    items: list[Item] = []
    removed: list[tuple[str, ...]] = []
    for field_key, begin, stop in fields(record, start, end):
        if field_key == key(1, LEN):
            items.append(_item(record, begin, stop))
        elif field_key == key(2, LEN):
            removed.append(_item(record, begin, stop).keys)
    return tuple(items), tuple(removed)


def _config(record: bytes, start: int, end: int) -> Config:
    return Config(*_updates(record, start, end))


def _summary(record: bytes, start: int, end: int) -> Summary:
    return Summary(*_updates(record, start, end))


def _item(record: bytes, start: int, end: int) -> Item:
    """`key` 1 or `nested_key` 2, and the value: JSON 16 or 8, none 3, bool 4, sint64 5, double 6, text 7."""
    keys: list[str] = []
    value: JsonValue = None
    for field_key, begin, stop in fields(record, start, end):
        if field_key in (key(1, LEN), key(2, LEN)):
            if begin != stop or field_key == key(2, LEN):
                keys.append(text_at(record, begin, stop))
        elif field_key in (key(16, LEN), key(8, LEN)):
            value = _json(record[begin:stop])
        elif field_key == key(4, VARINT):
            value = bool(begin)
        elif field_key == key(5, VARINT):
            value = (begin >> 1) ^ -(begin & 1)
        elif field_key == key(6, I64):
            value = float(struct.unpack_from("<d", record, begin)[0])
        elif field_key == key(7, LEN):
            value = text_at(record, begin, stop)
    return Item(tuple(keys), value)


def _json(text: bytes) -> JsonValue:
    """The value; a text that is no JSON stays text."""
    if len(text) < _SHORT and text[:1] in _NUMBER_STARTS:
        # Nearly all values are short numbers: without the parser a history is read in 55 % of the time.
        try:
            return int(text) if text.lstrip(b"-").isdigit() else float(text)
        except ValueError:
            pass
    try:
        return load_json(text)
    except JsonError:
        return text.decode("utf-8", "replace")


def _run(record: bytes, start: int, end: int) -> Run:
    texts: dict[str, str] = {}
    tags: list[str] = []
    config, summary = Config(()), Summary(())
    started_s: float | None = None
    remote = commit = ""
    for field_key, begin, stop in fields(record, start, end):
        number = field_key >> 3
        if field_key & 7 != LEN:
            continue
        if number in _RUN_TEXTS:
            texts[_RUN_TEXTS[number]] = text_at(record, begin, stop)
        elif number == 10:
            tags.append(text_at(record, begin, stop))
        elif number == 4:
            config = _config(record, begin, stop)
        elif number == 5:
            summary = _summary(record, begin, stop)
        elif number == 17:
            started_s = _timestamp(record, begin, stop)
        elif number == 21:
            remote, commit = _git(record, begin, stop)
    return Run(texts, tuple(tags), config, summary, started_s, remote, commit)


def _timestamp(record: bytes, start: int, end: int) -> float:
    """`google.protobuf.Timestamp` as Unix seconds."""
    seconds = nanos = 0
    for field_key, value, _ in fields(record, start, end):
        if field_key == key(1, VARINT):
            seconds = signed(value)
        elif field_key == key(2, VARINT):
            nanos = signed(value)
    return seconds + nanos / 1e9


def _git(record: bytes, start: int, end: int) -> tuple[str, str]:
    remote = commit = ""
    for field_key, begin, stop in fields(record, start, end):
        if field_key == key(1, LEN):
            remote = text_at(record, begin, stop)
        elif field_key == key(2, LEN):
            commit = text_at(record, begin, stop)
    return remote, commit


def _exit(record: bytes, start: int, end: int) -> Exit:
    codes = [signed(value) for field_key, value, _ in fields(record, start, end) if field_key == key(1, VARINT)]
    return Exit(codes[-1] if codes else 0)


def _machine(record: bytes, start: int, end: int) -> Machine:
    texts: dict[str, str] = {}
    args: list[str] = []
    remote = commit = ""
    for field_key, begin, stop in fields(record, start, end):
        number = field_key >> 3
        if field_key & 7 != LEN:
            continue
        if number in _MACHINE_TEXTS:
            texts[_MACHINE_TEXTS[number]] = text_at(record, begin, stop)
        elif number == 5:
            args.append(text_at(record, begin, stop))
        elif number == 9:
            remote, commit = _git(record, begin, stop)
    return Machine(texts, tuple(args), remote, commit)


def _artifact(record: bytes, start: int, end: int) -> ArtifactRecord:
    texts: dict[int, str] = {}
    aliases: list[str] = []
    sizes: list[int] = []
    for field_key, begin, stop in fields(record, start, end):
        number = field_key >> 3
        if field_key & 7 != LEN:
            continue
        if number in (4, 5, 6):
            texts[number] = text_at(record, begin, stop)
        elif number == 11:
            aliases.append(text_at(record, begin, stop))
        elif number == 12:
            sizes = _manifest_sizes(record, begin, stop)
    total = sum(sizes) if sizes else None
    return ArtifactRecord(
        texts.get(4, ""), texts.get(5, ""), texts.get(6, ""), tuple(aliases), len(sizes), total
    )  # fmt: skip


def _manifest_sizes(record: bytes, start: int, end: int) -> list[int]:
    """Bytes of each file that a manifest names; nothing else of it is of use here."""
    sizes: list[int] = []
    for entry_key, begin, stop in fields(record, start, end):
        if entry_key == key(4, LEN):
            size = [signed(value) for k, value, _ in fields(record, begin, stop) if k == key(4, VARINT)]
            sizes.append(max(size[-1], 0) if size else 0)
    return sizes


def _used(record: bytes, start: int, end: int) -> ArtifactRecord:
    texts = {k >> 3: text_at(record, begin, stop) for k, begin, stop in fields(record, start, end) if k & 7 == LEN}
    return ArtifactRecord(texts.get(2, ""), texts.get(3, ""), is_input=True)


def _metric(record: bytes, start: int, end: int) -> MetricRule:
    """`name` 1 or `glob_name` 2, `step_metric` 4 or `step_metric_index` 5, `_control` 9 with `overwrite` 1."""
    texts: dict[int, str] = {}
    index, is_whole = 0, False
    for field_key, begin, stop in fields(record, start, end):
        if field_key == key(5, VARINT):
            index = begin
        elif field_key == key(9, LEN):
            is_whole = any(k == key(1, VARINT) and value for k, value, _ in fields(record, begin, stop))
        elif field_key in (key(1, LEN), key(2, LEN), key(4, LEN)):
            texts[field_key >> 3] = text_at(record, begin, stop)
    return MetricRule(texts.get(1) or texts.get(2, ""), texts.get(4, ""), index, is_whole)


def _sample(record: bytes, start: int, end: int) -> Sample:
    items: list[Item] = []
    wall_s: float | None = None
    for field_key, begin, stop in fields(record, start, end):
        if field_key == key(2, LEN):
            wall_s = _timestamp(record, begin, stop)
        elif field_key == key(3, LEN):
            items.append(_item(record, begin, stop))
    return Sample(tuple(items), wall_s)


_READERS: Mapping[int, Callable[[bytes, int, int], Message]] = {
    key(2, LEN): _history,
    key(3, LEN): _summary,
    key(5, LEN): _config,
    key(7, LEN): _sample,
    key(8, LEN): _artifact,
    key(12, LEN): _metric,
    key(25, LEN): _used,
    key(17, LEN): _run,
    key(18, LEN): _exit,
    key(26, LEN): _machine,
}
