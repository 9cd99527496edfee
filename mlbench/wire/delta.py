"""Delta Lake's log: which files and rows a version of a table holds, told from `_delta_log/` alone.

Commits are JSON lines `%020d.json`, checkpoints Parquet (one file, several parts, or V2 with sidecars). Versions are
replayed from the newest checkpoint at or below them. Data files are never opened.
Link: https://github.com/delta-io/delta/blob/master/PROTOCOL.md
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import field
from typing import Any
from urllib.parse import unquote

from mlbench.dataclass import dataclass
from mlbench.wire.files import open_regular
from mlbench.wire.parquet_pages import check_pages

LOG_FOLDER = "_delta_log"
MAX_COMMIT_BYTES = 64 << 20
MAX_FILES = 1_000_000
_COMMIT = re.compile(r"(\d{20})\.json")
_CHECKPOINT = re.compile(r"(\d{20})\.checkpoint(?:\.[0-9a-f-]{36}|\.(\d{10})\.(\d{10}))?\.(parquet|json)")
_KNOWN = frozenset(
    {"timestamp", "inCommitTimestamp", "operation", "operationParameters", "operationMetrics", "userName", "userId",
     "engineInfo", "clientVersion", "isolationLevel", "isBlindAppend", "readVersion", "txnId", "notebook", "clusterId",
     "job", "tags", "userMetadata"}
)  # fmt: skip


class DeltaError(ValueError):
    """The table cannot be read; the message is a sentence without its path."""


@dataclass(frozen=True, slots=True)
class DeltaCommit:
    """What a commit says of itself."""

    version: int
    at_s: float | None = None
    operation: str = ""
    mode: str = ""
    user: str = ""
    extra: Mapping[str, str] = field(default_factory=dict)
    """Custom metadata: a `run_id` that was put here links the version to the run that wrote or read it."""
    told: Mapping[str, str] = field(default_factory=dict)
    """What the writer says the operation was given and did: `predicate`, `numDeletedRows`..."""


@dataclass(frozen=True, slots=True)
class DeltaFile:
    size_bytes: int
    n_rows: int | None
    """Without the rows that a deletion vector takes away; None where no statistics were kept."""


@dataclass(slots=True)
class DeltaState:
    """The table as it is at one version."""

    version: int
    files: dict[str, DeltaFile] = field(default_factory=dict)
    """By path below the table."""
    table_id: str = ""
    name: str = ""
    description: str = ""
    schema: tuple[tuple[str, str], ...] = ()
    """Names and types of the columns."""
    partitions: tuple[str, ...] = ()

    @property
    def n_rows(self) -> int | None:
        """None where a file has no statistics."""
        counts = [file.n_rows for file in self.files.values()]
        return None if None in counts else sum(count for count in counts if count is not None)

    @property
    def schema_text(self) -> str:
        return ", ".join(f"{name} {kind}" for name, kind in self.schema)


@dataclass(frozen=True, slots=True)
class DeltaLog:
    """The names in a table's log."""

    path: str
    """Of the table."""
    commits: tuple[int, ...]
    checkpoints: Mapping[int, tuple[str, ...]]
    """Complete ones: version to its files."""

    @property
    def newest(self) -> int:
        return max([*self.commits, *self.checkpoints])


def open_log(path: str) -> DeltaLog:
    """List a table's log.

    Raises:
        DeltaError: there is none, or it holds no version.
    """
    try:
        names = os.listdir(os.path.join(path, LOG_FOLDER))
    except OSError as error:
        raise DeltaError(f"its log cannot be listed: {error.strerror or error}") from error
    commits = sorted(int(match[1]) for name in names if (match := _COMMIT.fullmatch(name)))
    found: dict[int, list[str]] = {}
    parts: dict[int, int] = {}
    for name in sorted(names):
        if match := _CHECKPOINT.fullmatch(name):
            version = int(match[1])
            found.setdefault(version, []).append(name)
            parts[version] = int(match[3] or 1)
    whole = {version: tuple(files) for version, files in found.items() if len(files) >= parts[version]}
    if not commits and not whole:
        raise DeltaError("its log holds no version")
    return DeltaLog(path, tuple(commits), whole)


def read_commit_info(log: DeltaLog, version: int) -> DeltaCommit:
    """What a commit says of itself; only the number where it says nothing, or is gone.

    Raises:
        DeltaError: the file is there and cannot be read.
    """
    if version not in log.commits:
        return DeltaCommit(version)
    for action in _actions(log, version):
        if isinstance(info := action.get("commitInfo"), dict):
            at_ms = info.get("inCommitTimestamp", info.get("timestamp"))
            given, did = (_mapping(info.get(key)) for key in ("operationParameters", "operationMetrics"))
            mode = given.get("mode")
            return DeltaCommit(
                version, _seconds(at_ms), _text(info.get("operation")),
                _text(mode), _text(info.get("userName")),
                {str(key): _text(value) for key, value in info.items() if key not in _KNOWN},
                {str(key): _text(value) for key, value in {**given, **did}.items()},
            )  # fmt: skip
    return DeltaCommit(version)


def read_state(log: DeltaLog, version: int) -> DeltaState:
    """The table at a version, replayed from the newest checkpoint at or below it.

    Raises:
        DeltaError: a file of the log that it needs is gone or damaged.
    """
    start = max((number for number in log.checkpoints if number <= version), default=-1)
    state = DeltaState(version)
    if start >= 0:
        for action in _checkpoint_actions(log, start):
            _apply(state, action)
    for number in range(start + 1, version + 1):
        if number not in log.commits:
            raise DeltaError(f"version {version} cannot be told: the log of version {number} is gone")
        for action in _actions(log, number):
            _apply(state, action)
    return state


def version_at(log: DeltaLog, time_s: float, *, limit: int = 1000) -> int | None:
    """The newest version that was committed by then, among the newest `limit`; None if there is none.

    Raises:
        DeltaError: a commit cannot be read.
    """
    for version in sorted(log.commits, reverse=True)[:limit]:
        at_s = read_commit_info(log, version).at_s
        if at_s is not None and at_s <= time_s:
            return version
    return None


def _apply(state: DeltaState, action: Mapping[str, Any]) -> None:
    add, remove, metadata = action.get("add"), action.get("remove"), action.get("metaData")
    if isinstance(add, dict) and isinstance(add.get("path"), str):
        if len(state.files) >= MAX_FILES:
            raise DeltaError(f"it holds more than {MAX_FILES:,} files")
        state.files[_path(add["path"])] = DeltaFile(_integer(add.get("size")) or 0, _rows(add))
    elif isinstance(remove, dict) and isinstance(remove.get("path"), str):
        state.files.pop(_path(remove["path"]), None)
    elif isinstance(metadata, dict):
        state.table_id, state.name = _text(metadata.get("id")), _text(metadata.get("name"))
        state.description = _text(metadata.get("description"))
        state.schema = _schema(metadata.get("schemaString"))
        state.partitions = tuple(_text(part) for part in metadata.get("partitionColumns") or ())


def _path(path: str) -> str:
    """Paths are written as parts of URLs."""
    return unquote(path).encode("utf-8", "replace").decode()


def _rows(add: Mapping[str, Any]) -> int | None:
    stats = add.get("stats")
    try:
        told = json.loads(stats) if isinstance(stats, str) else stats
    except (ValueError, RecursionError):
        return None
    n_rows = _integer(told.get("numRecords")) if isinstance(told, dict) else None
    vector = add.get("deletionVector")
    gone = _integer(vector.get("cardinality")) if isinstance(vector, dict) else 0
    return None if n_rows is None or gone is None else n_rows - gone


def _schema(text: object) -> tuple[tuple[str, str], ...]:
    try:
        fields = json.loads(text)["fields"] if isinstance(text, str) else []
        return tuple((_text(part["name"]), _kind(part["type"])) for part in fields)
    except (ValueError, KeyError, TypeError, RecursionError):
        return ()


def _kind(kind: object) -> str:
    return kind if isinstance(kind, str) else json.dumps(kind, sort_keys=True)


def _seconds(milliseconds: object) -> float | None:
    """None for what is no time, or one that no clock shows."""
    if not isinstance(milliseconds, int | float) or not abs(milliseconds) < 1e18:
        return None
    return milliseconds / 1000


def _mapping(value: object) -> Mapping[str, object]:
    return value if isinstance(value, dict) else {}


def _text(value: object) -> str:
    if value is None:
        return ""
    text = value if isinstance(value, str) else json.dumps(value, sort_keys=True, default=str)
    return text.encode("utf-8", "replace").decode()


def _integer(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _actions(log: DeltaLog, version: int) -> Iterator[dict[str, Any]]:
    yield from _json_lines(os.path.join(log.path, LOG_FOLDER, f"{version:020d}.json"), f"the log of version {version}")


def _json_lines(path: str, what: str) -> Iterator[dict[str, Any]]:
    try:
        with open_regular(path) as file:
            data = file.read(MAX_COMMIT_BYTES + 1)
    except OSError as error:
        raise DeltaError(f"{what} cannot be read: {error.strerror or error}") from error
    if len(data) > MAX_COMMIT_BYTES:
        raise DeltaError(f"{what} is larger than {MAX_COMMIT_BYTES >> 20} MiB")
    for number, line in enumerate(data.splitlines(), start=1):
        try:
            action = json.loads(line) if line.strip() else None
        except (ValueError, RecursionError) as error:
            raise DeltaError(f"{what} is damaged in line {number}") from error
        if isinstance(action, dict):
            yield action


def _checkpoint_actions(log: DeltaLog, version: int) -> Iterator[dict[str, Any]]:
    for name in log.checkpoints[version]:
        path = os.path.join(log.path, LOG_FOLDER, name)
        what = f"the checkpoint of version {version}"
        actions = _json_lines(path, what) if name.endswith(".json") else _parquet_actions(path, what)
        for action in actions:
            sidecar = action.get("sidecar")
            if isinstance(sidecar, dict) and isinstance(sidecar.get("path"), str):
                inner = os.path.basename(sidecar["path"])
                yield from _parquet_actions(os.path.join(log.path, LOG_FOLDER, "_sidecars", inner), what)
            else:
                yield action


_COLUMNS = ("add", "remove", "metaData", "sidecar")


def _parquet_actions(path: str, what: str) -> Iterator[dict[str, Any]]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with open_regular(path) as source, pq.ParquetFile(source) as file:
            columns = [name for name in _COLUMNS if name in file.schema_arrow.names]
            check_pages(source, columns)
            for batch in file.iter_batches(batch_size=4096, columns=columns, use_threads=False):
                for row in batch.to_pylist():
                    yield from ({key: value} for key, value in row.items() if value is not None)
    except (OSError, pa.ArrowException, ValueError) as error:
        raise DeltaError(f"{what} is damaged or gone") from error
