"""The files of the artifacts that a W&B run logged, from the manifests in its `.wandb` log. Nothing is fetched.

Link: https://github.com/wandb/wandb/blob/main/wandb/proto/wandb_internal.proto (ArtifactRecord, ArtifactManifest)
"""

from __future__ import annotations

import os

from mlbench.wire.files import open_regular
from mlbench.wire.listings import Entry
from mlbench.wire.protobuf import LEN, VARINT, WireError, fields, key, signed, text_at
from mlbench.wire.wandbframes import Framing, read_records

MAX_LOG_BYTES = 1 << 30
_ARTIFACT, _MANIFEST, _CONTENT = key(8, LEN), key(12, LEN), key(4, LEN)


def read_manifests(path: str) -> dict[str, dict[str, Entry]]:
    """For each digest of an artifact its files by their paths; those of damaged records are left out.

    Args:
        path: a `.wandb` file, or the folder that holds one.

    Raises:
        OSError: it cannot be read.
        ValueError: it is too large.
    """
    if os.path.isdir(path):
        names = sorted(name for name in os.listdir(path) if name.endswith(".wandb") and not name.startswith("._"))
        if not names:
            raise FileNotFoundError(path)
        path = os.path.join(path, names[0])
    found: dict[str, dict[str, Entry]] = {}
    with open_regular(path) as file:
        if os.fstat(file.fileno()).st_size > MAX_LOG_BYTES:
            raise ValueError(f"larger than {MAX_LOG_BYTES >> 20} MiB")
        for record in read_records(file, Framing()):
            try:
                for field_key, start, end in fields(record, 0, len(record)):
                    if field_key == _ARTIFACT:
                        _add(found, record, start, end)
            except WireError:
                continue
    return found


def _add(found: dict[str, dict[str, Entry]], record: bytes, start: int, end: int) -> None:
    digest = ""
    files: dict[str, Entry] | None = None
    for field_key, begin, stop in fields(record, start, end):
        if field_key == key(6, LEN):
            digest = text_at(record, begin, stop)
        elif field_key == _MANIFEST:
            parts = [(b, e) for k, b, e in fields(record, begin, stop) if k == _CONTENT]
            files = dict(_file(record, b, e) for b, e in parts)
    if digest and files is not None:
        found[digest] = files


def _file(record: bytes, start: int, end: int) -> tuple[str, Entry]:
    path = digest = ""
    size: int | None = None
    for field_key, begin, stop in fields(record, start, end):
        if field_key == key(1, LEN):
            path = text_at(record, begin, stop)
        elif field_key == key(2, LEN):
            digest = text_at(record, begin, stop)
        elif field_key == key(4, VARINT):
            size = max(signed(begin), 0)
    return path, Entry(digest, size)
