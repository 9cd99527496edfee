"""Weights & Biases on disk: `wandb/run-<time>-<id>/` and `offline-run-...`, clients 0.10 to 0.31.

Everything is taken from the binary `*.wandb` first: history (step `_step`, wall time `_timestamp`), configuration,
names, tags, notes, git, exit code. What it does not say comes from `files/`: `config.yaml`, `wandb-metadata.json`
(commit, program, arguments, host, Python; never the e-mail address) and `wandb-summary.json`. Values of the summary
that are in no history row are metrics of one point at the last step. Histograms, images and tables in a row are no
metrics. A `.wandb` file that is cut or empty is the normal state of a run that goes on, or was killed.
Link: https://docs.wandb.ai/ref/python/
"""

from __future__ import annotations

import math
import os
import re
import shlex
import struct
import zlib
from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from mlbench.model import (
    Adapter,
    Claim,
    Cursor,
    Environment,
    Fact,
    GitState,
    ImportedTag,
    JsonValue,
    Layer,
    Listing,
    Problem,
    ReadStatus,
    Role,
    RunField,
    Source,
)
from mlbench.safe import redact_url
from mlbench.wire.content import files_below, lfs_problem, load_content, unreadable
from mlbench.wire.dump_tree import TreeError
from mlbench.wire.files import is_lfs_pointer, open_regular
from mlbench.wire.jsonlog import (
    as_list,
    as_mapping,
    as_number,
    as_text,
    load_json_file,
    params_in,
    utc_seconds,
)
from mlbench.wire.points import PointCollector, as_step
from mlbench.wire.protobuf import WireError
from mlbench.wire.wandblog import (
    Config,
    Exit,
    Framing,
    History,
    Item,
    Machine,
    Message,
    Run,
    Summary,
    decode,
    read_records,
)
from mlbench.wire.yamltext import load_yaml

_FOLDER = re.compile(r"(?:offline-)?run-\d{8}_\d{6}-[\w.-]+")
_INTERNAL = ("_step", "_runtime", "_timestamp", "_wandb")


def claims(listing: Listing) -> Iterator[Claim]:
    logs = [name for name in listing.ending("wandb") if not name.startswith("._")]
    if _FOLDER.fullmatch(os.path.basename(listing.path)) and (logs or "files" in listing.folders):
        follows = [os.path.join(listing.path, name) for name in logs]
        follows += [os.path.join(listing.path, "files", name) for name in _FILES]
        yield Claim(listing.path, Role.TRACKER, listing.path, is_closed=True, follows=tuple(follows))
        return
    for name in logs:
        yield Claim(os.path.join(listing.path, name), Role.TRACKER, listing.path, is_one_training=True)


_FILES = ("config.yaml", "wandb-metadata.json", "wandb-summary.json")


@dataclass(slots=True)
class _Told:
    """What the records have said of the run so far; later words replace earlier ones."""

    texts: dict[str, str] = field(default_factory=dict)
    """Names of `RUN_FIELDS`, and `os`, `python`, `sweep`."""
    tags: tuple[str, ...] = ()
    args: tuple[str, ...] = ()
    started_s: float | None = None
    remote: str = ""
    commit: str = ""
    exit_code: int | None = None
    config: dict[str, JsonValue] = field(default_factory=dict)
    summary: dict[str, JsonValue] = field(default_factory=dict)
    points: PointCollector = field(default_factory=PointCollector)
    n_rows: int = 0
    last_step: int = -1
    last_wall_s: float = math.nan


def read(source: Source, _cursor: Mapping[str, JsonValue] | None) -> Iterator[Fact]:
    told, found, framing = _Told(), list[Problem](), Framing()
    log, folder = _places(source.path)
    status = ReadStatus.EMPTY
    for path in log:
        status = yield from _read_log(path, told, found, framing)
    if folder:
        _add_files(folder, told, found)
    _add_summary(told)
    yield from told.points.flush()
    yield from params_in({key: value for key, value in told.config.items() if key != "_wandb"}, Layer.CONFIG)
    yield from _run_fields(told)
    yield from found
    if found and status in (ReadStatus.EOF, ReadStatus.TRUNCATED, ReadStatus.EMPTY):
        status = ReadStatus.DAMAGED
    yield Cursor({}, status, framing.n_records, framing.n_bad)


def _places(path: str) -> tuple[list[str], str]:
    """The binary log (as a list of none or one) and the folder `files`, '' where a log stands alone."""
    if not os.path.isdir(path):
        return [path], ""
    logs = [log for log, name in files_below(path, depth=0) if name.endswith(".wandb") and not name.startswith("._")]
    return logs[:1], os.path.join(path, "files")


# ---------------------------------------------------------------- the binary log


def _read_log(path: str, told: _Told, found: list[Problem], framing: Framing) -> Generator[Fact, None, ReadStatus]:
    n_undecoded = 0
    try:
        with open_regular(path) as file:
            if is_lfs_pointer(file.read(64)):
                found.append(lfs_problem(path))
                return ReadStatus.LFS_POINTER
            file.seek(0)
            for record in read_records(file, framing):
                try:
                    _take(decode(record), told)
                except WireError:
                    n_undecoded += 1
                if told.points.is_full:
                    yield from told.points.flush()
            size_bytes = file.tell()
    except OSError as error:
        found.append(unreadable(path, error))
        return ReadStatus.UNREADABLE
    if framing.is_foreign:
        found.append(Problem(path, "this is no W&B log: it does not begin with ':W&B'"))
        return ReadStatus.UNREADABLE
    framing.n_bad += n_undecoded
    if framing.n_bad:
        what = "1 record was" if framing.n_bad == 1 else f"{framing.n_bad} records were"
        place = f"offset {framing.first_bad}" if framing.n_bad > n_undecoded else ""
        found.append(Problem(path, f"{what} damaged and left out", place))
    if not size_bytes:
        return ReadStatus.EMPTY
    return ReadStatus.TRUNCATED if framing.is_truncated else ReadStatus.EOF


def _take(message: Message | None, told: _Told) -> None:
    match message:
        case History():
            _add_row(message, told)
        case Config():
            _update(told.config, message)
        case Summary():
            _update(told.summary, message)
        case Run():
            _take_run(message, told)
        case Machine():
            told.texts.update({key: text for key, text in message.texts.items() if text})
            told.args = message.args or told.args
            told.remote, told.commit = message.remote or told.remote, message.commit or told.commit
        case Exit():
            told.exit_code = message.code


def _take_run(run: Run, told: _Told) -> None:
    told.texts.update({key: text for key, text in run.texts.items() if text})
    told.tags = run.tags or told.tags
    told.started_s = run.started_s if run.started_s else told.started_s
    told.remote, told.commit = run.remote or told.remote, run.commit or told.commit
    _update(told.config, run.config)
    _update(told.summary, run.summary)


def _update(tree: dict[str, JsonValue], change: Config | Summary) -> None:
    """Put values at their place in a nested mapping, and take others away."""
    for item in change.items:
        if branch := _branch(tree, item.keys):
            branch[0][branch[1]] = item.value
    for keys in change.removed:
        if branch := _branch(tree, keys):
            branch[0].pop(branch[1], None)


def _branch(tree: dict[str, JsonValue], keys: Sequence[str]) -> tuple[dict[str, JsonValue], str] | None:
    """The mapping that holds the last of the keys; None for keys that are none or nest absurdly."""
    if not keys or len(keys) > 32:
        return None
    for key in keys[:-1]:
        child = tree.get(key)
        if not isinstance(child, dict):
            child = {}
            tree[key] = child
        tree = child
    return tree, keys[-1]


def _add_row(row: History, told: _Told) -> None:
    named = {item.keys[0]: item.value for item in row.items if len(item.keys) == 1 and item.keys[0] in _INTERNAL}
    step = as_step(named.get("_step"))
    step = step if step is not None else row.step
    step = told.last_step + 1 if step is None else step
    wall_s = _wall_s(named.get("_timestamp"))
    for name, number in _numbers(row.items):
        told.points.add(name, step, number, wall_s)
    told.n_rows += 1
    told.last_step, told.last_wall_s = step, wall_s


def _wall_s(value: JsonValue) -> float:
    """Unix seconds, NaN where there is none."""
    number = as_number(value)
    return number if number is not None and math.isfinite(number) else math.nan


def _numbers(items: Sequence[Item]) -> Iterator[tuple[str, float]]:
    """The numbers of a row by dotted name; parts of histograms, images, tables and W&B's own values are none."""
    media = {item.keys[:-1] for item in items if item.keys[-1:] == ("_type",)}
    for item in items:
        if not item.keys or item.keys[0] in _INTERNAL:
            continue
        if media and any(item.keys[:length] in media for length in range(1, len(item.keys))):
            continue
        yield from _plain_numbers(".".join(item.keys), item.value)


def _plain_numbers(name: str, value: JsonValue) -> Iterator[tuple[str, float]]:
    if isinstance(value, Mapping):
        for key, part in value.items() if "_type" not in value else ():
            yield from _plain_numbers(f"{name}.{key}", part)
    elif (number := as_number(value)) is not None:
        yield name, number


def _add_summary(told: _Told) -> None:
    """Values that the program put into the summary itself: one point each, at the last step."""
    known = set(told.points.names)
    step = as_step(told.summary.get("_step"))
    step = step if step is not None else max(told.last_step, 0)
    wall_s = _wall_s(told.summary.get("_timestamp"))
    for key, value in told.summary.items():
        if key in _INTERNAL:
            continue
        for name, number in _plain_numbers(key, value):
            if name not in known:
                told.points.add(name, step, number, wall_s)


# ---------------------------------------------------------------- the files beside it


def _add_files(folder: str, told: _Told, found: list[Problem]) -> None:
    """What the binary log did not say."""
    config, about, summary = (os.path.join(folder, name) for name in _FILES)
    if not told.config.keys() - {"_wandb"} and os.path.lexists(config):
        told.config.update(_load_config(config, found))
    if os.path.lexists(about):
        _add_metadata(as_mapping(_load(about, found)), told)
    if not told.summary.keys() - set(_INTERNAL) and os.path.lexists(summary):
        told.summary.update(as_mapping(_load(summary, found)))


def _load(path: str, found: list[Problem]) -> JsonValue:
    file = load_json_file(path)
    if file.problem:
        found.append(file.problem)
    return file.value


def _load_config(path: str, found: list[Problem]) -> dict[str, JsonValue]:
    """`config.yaml`: a mapping of `desc` and `value` for each key."""
    content = load_content(path)
    if content.problem:
        found.append(content.problem)
    try:
        entries = as_mapping(load_yaml(content.data.decode("utf-8", "replace")).value)
    except TreeError as error:
        found.append(Problem(path, f"it {error.what}", f"line {error.line}" if error.line else ""))
        return {}
    return {key: entry["value"] for key, entry in entries.items() if isinstance(entry, Mapping) and "value" in entry}


def _add_metadata(about: Mapping[str, JsonValue], told: _Told) -> None:
    """Only what is named here is taken: the file also holds an e-mail address and paths of the user."""
    named = {"os": "os", "python": "python", "host": "host", "user": "username", "program": "program",
             "gpu": "gpu", "cuda": "cuda"}  # fmt: skip
    for name, key in named.items():
        if text := as_text(about.get(key)):
            told.texts.setdefault(name, text)
    told.args = told.args or tuple(as_text(word) for word in as_list(about.get("args")))
    git = as_mapping(about.get("git"))
    told.remote = told.remote or as_text(git.get("remote"))
    told.commit = told.commit or as_text(git.get("commit"))
    if told.started_s is None:
        told.started_s = utc_seconds(about.get("startedAt"))


def _run_fields(told: _Told) -> Iterator[Fact]:
    texts = told.texts
    program = texts.get("program", "")
    named = {
        "name": texts.get("name"),
        "project": texts.get("project"),
        "group": texts.get("group") or texts.get("sweep"),
        "job_type": texts.get("job_type"),
        "note": texts.get("notes"),
        "host": texts.get("host"),
        "user": texts.get("user"),
        "entry_point": texts.get("code_path") or program,
        "command": " ".join(part for part in (program, shlex.join(told.args)) if part),
    }
    for field_name, text in named.items():
        if text:
            yield RunField(field_name, text)
    if told.started_s is not None:
        yield RunField("started", told.started_s)
    if told.exit_code is not None:
        yield RunField("exit_code", told.exit_code)
        yield RunField("status", "finished" if told.exit_code == 0 else "failed")
        if math.isfinite(told.last_wall_s):
            yield RunField("ended", told.last_wall_s)
    for tag in told.tags:
        yield ImportedTag(tag)
    if told.commit:
        yield GitState(told.commit, "recorded", remote=redact_url(told.remote))
    for key in ("os", "python", "gpu", "cuda"):
        if text := texts.get(key):
            yield Environment(key, text.removeprefix("CPython "))


# ---------------------------------------------------------------- example


def example(folder: str) -> None:
    """An offline run of three history rows that ended well."""
    inner = os.path.join(folder, "offline-run-20261123_072029-zkzh591j")
    os.makedirs(inner)
    run = _field(1, b"zkzh591j") + _field(3, b"demo") + _field(8, b"lr0.1") + _field(10, b"baseline")
    run += _field(4, _field(1, _field(1, b"learning_rate") + _field(16, b"0.1")))
    records = [_field(17, run)]
    for step, loss in enumerate((b"1.0", b"0.5", b"NaN")):
        values = {b"_step": str(step).encode(), b"_timestamp": b"1795418430.5", b"train/loss": loss}
        items = (_field(1, _field(1, key) + _field(16, value)) for key, value in values.items())
        records.append(_field(2, b"".join(items)))
    records.append(_field(18, b""))
    with open(os.path.join(inner, "run-zkzh591j.wandb"), "wb") as file:
        file.write(b":W&B" + struct.pack("<HB", 0xBEE1, 0))
        for record in records:
            checksum = zlib.crc32(record, zlib.crc32(b"\1"))
            file.write(struct.pack("<IHB", checksum, len(record), 1) + record)


def _field(number: int, content: bytes) -> bytes:
    """A protobuf field of bytes."""
    return _varint(number << 3 | 2) + _varint(len(content)) + content


def _varint(value: int) -> bytes:
    encoded = bytearray()
    while value >= 0x80:
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*encoded, value])


ADAPTER = Adapter(
    name="wandb",
    claims=claims,
    read=read,
    example=example,
    formats="Weights & Biases run folders and .wandb files, clients 0.10 to 0.31, offline or online",
    files=("run-*/*.wandb", "offline-run-*/*.wandb", "run-*/files/config.yaml"),
)
