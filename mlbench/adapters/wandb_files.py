"""Weights & Biases on disk: `wandb/run-<time>-<id>/` and `offline-run-...`, clients 0.10 to 0.31.

Everything is taken from the binary `*.wandb` first: history (step `_step`, wall time `_timestamp`), configuration,
names, tags, notes, git, exit code. What it does not say comes from `files/`: `config.yaml`, `wandb-metadata.json`
(commit, program, arguments, host, Python; never the e-mail address) and `wandb-summary.json`. Values of the summary
that are in no history row are metrics of one point at the last step. What the client measured of the machine is
`system/...`, where the step counts the samples: draw it over `wall` or `relative`. Histograms, images and tables in a
row are no metrics. A `.wandb` file that is cut or empty is the normal state of a run that goes on, or was killed.
Link: https://docs.wandb.ai/ref/python/
"""

from __future__ import annotations

import math
import os
import re
import shlex
import struct
import zlib
from collections.abc import Generator, Iterator, Mapping
from itertools import islice

from mlbench.model import (
    Adapter,
    Artifact,
    Claim,
    Cursor,
    DataVersion,
    Environment,
    Fact,
    GitState,
    ImportedTag,
    JsonValue,
    Layer,
    LineageEdge,
    Listing,
    Problem,
    ReadStatus,
    Role,
    RunField,
    Source,
)
from mlbench.redaction import redact_url
from mlbench.wire.content import files_below, lfs_problem, load_content, unreadable
from mlbench.wire.dump_tree import TreeError
from mlbench.wire.files import is_lfs_pointer, open_regular
from mlbench.wire.jsonlog import (
    as_list,
    as_mapping,
    as_text,
    load_json_file,
    params_in,
    utc_seconds,
)
from mlbench.wire.packages import MAX_PACKAGES, packages_in_text
from mlbench.wire.protobuf import WireError
from mlbench.wire.wandbframes import Framing, read_records
from mlbench.wire.wandblog import decode
from mlbench.wire.wandbrun import INTERNAL, Told, add_summary, take
from mlbench.wire.yamltext import load_yaml

_VERSION = re.compile(r"v\d+")
"""Of an artifact, as W&B's server gives it; other names (`latest`) move."""
_FOLDER = re.compile(r"(?:offline-)?run-\d{8}_\d{6}-[\w.-]+")


def claims(listing: Listing) -> Iterator[Claim]:
    logs = [name for name in listing.ending("wandb") if not name.startswith("._")]
    if (logs or "files" in listing.folders) and _FOLDER.fullmatch(os.path.basename(listing.path)):
        follows = [os.path.join(listing.path, name) for name in logs]
        follows += [os.path.join(listing.path, "files", name) for name in (*_FILES, _PACKAGES)]
        yield Claim(listing.path, Role.TRACKER, listing.path, is_closed=True, follows=tuple(follows))
        return
    for name in logs:
        yield Claim(os.path.join(listing.path, name), Role.TRACKER, listing.path, is_one_training=True)


_FILES = ("config.yaml", "wandb-metadata.json", "wandb-summary.json")
_PACKAGES = "requirements.txt"


def read(source: Source, _cursor: Mapping[str, JsonValue] | None) -> Iterator[Fact]:
    told, found, framing = Told(), list[Problem](), Framing()
    log, folder = _places(source.path)
    told.folder = folder or os.path.join(source.run_folder, "files")
    status = ReadStatus.EMPTY
    for path in log:
        status = yield from _read_log(path, told, found, framing)
    if folder:
        _add_files(folder, told, found)
    add_summary(told)
    yield from told.points.flush()
    yield from told.blobs
    yield from params_in({key: value for key, value in told.config.items() if key != "_wandb"}, Layer.CONFIG)
    yield from _run_fields(told)
    if folder:
        yield from _packages(os.path.join(folder, _PACKAGES), found)
    yield from _artifacts(told)
    yield from found
    if found and status in (ReadStatus.EOF, ReadStatus.TRUNCATED, ReadStatus.EMPTY):
        status = ReadStatus.DAMAGED
    yield Cursor({"rows": told.n_rows}, status, framing.n_records, framing.n_bad)


def _places(path: str) -> tuple[list[str], str]:
    """The binary log (as a list of none or one) and the folder `files`, '' where a log stands alone."""
    if not os.path.isdir(path):
        return [path], ""
    logs = [log for log, name in files_below(path, depth=0) if name.endswith(".wandb") and not name.startswith("._")]
    return logs[:1], os.path.join(path, "files")


# ---------------------------------------------------------------- the binary log


def _read_log(path: str, told: Told, found: list[Problem], framing: Framing) -> Generator[Fact, None, ReadStatus]:
    n_undecoded = 0
    try:
        with open_regular(path) as file:
            if is_lfs_pointer(file.read(64)):
                found.append(lfs_problem(path))
                return ReadStatus.LFS_POINTER
            file.seek(0)
            for record in read_records(file, framing):
                try:
                    take(decode(record), told)
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


def _artifacts(told: Told) -> Iterator[Fact]:
    """What was made and used; the version of a name that was logged last, since an offline run gets no numbers."""
    for (role, name), record in told.artifacts.items():
        files = f"{record.n_files} file{'s' * (record.n_files != 1)}" if record.n_files else ""
        detail = ", ".join(part for part in (files, *record.aliases) if part)
        digest = f"wandb:{record.digest}" if record.digest else ""
        yield Artifact(record.kind, name, digest=digest, size_bytes=record.size_bytes, role=role, detail=detail)
        yield LineageEdge(role, "", name)
        if role == "input" and "data" in record.kind.lower():
            collection, _, version = name.rpartition(":")
            is_pinned = _VERSION.fullmatch(version) is not None
            yield DataVersion("wandb", collection or name, version if collection else "", is_pinned=is_pinned)
    for name, over in told.rules():
        yield ImportedTag("wandb.step_metric", f"{name}={over}")


# ---------------------------------------------------------------- the files beside it


def _add_files(folder: str, told: Told, found: list[Problem]) -> None:
    """What the binary log did not say."""
    config, about, summary = (os.path.join(folder, name) for name in _FILES)
    if not told.config.keys() - {"_wandb"} and os.path.lexists(config):
        told.config.update(_load_config(config, found))
    if os.path.lexists(about):
        _add_metadata(as_mapping(_load(about, found)), told)
    if not told.summary.keys() - set(INTERNAL) and os.path.lexists(summary):
        told.summary.update(as_mapping(_load(summary, found)))


def _packages(path: str, found: list[Problem]) -> Iterator[Environment]:
    """What the client wrote of `pip freeze` when the run began."""
    if os.path.lexists(path):
        content = load_content(path)
        found.extend(filter(None, [content.problem]))
        versions = dict(islice(packages_in_text(content.data.decode("utf-8", "replace")), MAX_PACKAGES))
        yield from (Environment(f"package:{name}", version) for name, version in versions.items())


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


def _add_metadata(about: Mapping[str, JsonValue], told: Told) -> None:
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


def _run_fields(told: Told) -> Iterator[Fact]:
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
    version=5,
    formats="Weights & Biases run folders and .wandb files, clients 0.10 to 0.31, offline or online",
    files=("run-*/*.wandb", "offline-run-*/*.wandb", "run-*/files/config.yaml"),
)
