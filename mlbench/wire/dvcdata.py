"""What DVC's records say of data: the versions in a `.dvc` file, and what the stages of a pipeline read and made."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping

from mlbench.model import DataVersion, JsonValue, LineageEdge
from mlbench.wire.jsonlog import as_list, as_mapping, as_text

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


def _version_of(entry: Mapping[str, JsonValue]) -> str:
    """The hash of an output or dependency; '' where none was recorded."""
    return next((text for key in _DIGESTS if (text := as_text(entry.get(key)))), "")


def readable(path: str) -> str:
    """A path as text that can be stored."""
    return os.fsencode(path).decode("utf-8", "replace")
