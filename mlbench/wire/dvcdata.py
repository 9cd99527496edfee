"""What DVC's records say of data: the versions in a `.dvc` file, and what the stages of a pipeline read and made."""

from __future__ import annotations

import os
from collections.abc import Container, Iterator, Mapping

from mlbench.model import DataVersion, JsonValue, LineageEdge
from mlbench.wire.jsonlog import as_list, as_mapping, as_text

_DATA_FOLDERS = frozenset({"data", "dataset", "datasets"})
_DATA_ENDINGS = (
    ".csv", ".tsv", ".parquet", ".feather", ".arrow", ".jsonl", ".npy", ".npz", ".h5", ".hdf5", ".tfrecord", ".zip",
    ".tar", ".gz", ".xz", ".zst",
)  # fmt: skip
_DIGESTS = ("md5", "etag", "checksum", "version_id")


def versions_in(pointer: Mapping[str, JsonValue], folder: str) -> Iterator[DataVersion]:
    """The outputs of a `.dvc` file that lies in `folder` of the project, those with a hash."""
    for part in as_list(pointer.get("outs")):
        out = as_mapping(part)
        version, size = _version_of(out), out.get("size")
        is_size = isinstance(size, int) and not isinstance(size, bool) and 0 <= size < 1 << 63
        if (path := as_text(out.get("path"))) and version:
            size_bytes = size if isinstance(size, int) and is_size else None
            yield DataVersion("dvc", readable(os.path.join(folder, path)), version, size_bytes=size_bytes)


def edges_of(stages: Mapping[str, JsonValue]) -> Iterator[LineageEdge]:
    """What the stages read and made: `path@hash` where a lock tells it, so that runs of equal data find each other."""
    for name, stage in stages.items():
        told = as_mapping(stage)
        for direction, key in (("input", "deps"), ("output", "outs")):
            for entry in as_list(told.get(key)):
                path = as_text(as_mapping(entry).get("path")) or (entry if isinstance(entry, str) else "")
                version = _version_of(as_mapping(entry))
                if path:
                    yield LineageEdge(direction, str(name), readable(path) + (f"@{version}" if version else ""))


def locked_versions(stages: Mapping[str, JsonValue], known: Container[str]) -> Iterator[DataVersion]:
    """The data that `dvc.lock` alone tells: what one stage made for another, and what its name or folder says is data.

    Args:
        stages: of the lock.
        known: names that a `.dvc` file tells already.
    """
    sides: dict[str, dict[str, Mapping[str, JsonValue]]] = {"deps": {}, "outs": {}}
    for stage in stages.values():
        for side, found in sides.items():
            for part in as_list(as_mapping(stage).get(side)):
                entry = as_mapping(part)
                if (path := as_text(entry.get("path"))) and _version_of(entry):
                    found.setdefault(path, entry)
    for path, entry in {**sides["outs"], **sides["deps"]}.items():
        is_between = path in sides["outs"] and path in sides["deps"]
        if readable(path) not in known and (is_between or _is_data(path)):
            yield from versions_in({"outs": [dict(entry)]}, "")


def _is_data(path: str) -> bool:
    *folders, name = path.lower().rstrip("/").split("/")
    return name.endswith(_DATA_ENDINGS) or not _DATA_FOLDERS.isdisjoint([*folders, name])


def _version_of(entry: Mapping[str, JsonValue]) -> str:
    """The hash of an output or dependency; '' where none was recorded."""
    return next((text for key in _DIGESTS if (text := as_text(entry.get(key)))), "")


def readable(path: str) -> str:
    """A path as text that can be stored."""
    return os.fsencode(path).decode("utf-8", "replace")
