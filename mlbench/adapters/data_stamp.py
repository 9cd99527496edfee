"""The version of the data that a run read, written down beside it as `data_version.json`.

One object, or a list of them for several data sets: `{"system": "hash", "name": "digits", "version": "sha256:...",
"rows": 1437, "bytes": 730112, "schema": "...", "pinned": true}`. Only `version` is needed; `system` says what the
version is one of (dvc, delta, lakefs, ..., `hash` for a hash of the content), `pinned` is false for a branch or another
name that moves.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping

from mlbench.model import (
    Adapter,
    Claim,
    Cursor,
    DataVersion,
    Fact,
    JsonValue,
    Listing,
    Problem,
    ReadStatus,
    Role,
    Source,
)
from mlbench.redaction import redact_url
from mlbench.wire.files import is_lfs_pointer, read_whole

_NAME = "data_version.json"
_MAX_BYTES = 1 << 20
_MAX_ROWS = 1 << 63
_HINT = 'Write: {"system": "hash", "name": "digits", "version": "sha256:..."}'


def claims(listing: Listing) -> Iterator[Claim]:
    if listing.has(_NAME):
        yield Claim(os.path.join(listing.path, _NAME), Role.CONTEXT, listing.path)


def read(source: Source, cursor: Mapping[str, JsonValue] | None) -> Iterator[Fact]:
    """Yield a DataVersion for each object with a version, and one Problem for the others."""
    del cursor  # The file is small and is read whole.
    records, problem, status = _read_records(source.path)
    versions = [version for record in records if (version := _version_of(record)) is not None]
    n_bad = len(records) - len(versions)
    if n_bad:
        what = "1 data version has no `version` and was left out" if n_bad == 1 else (
            f"{n_bad} data versions have no `version` and were left out"
        )  # fmt: skip
        problem, status = Problem(source.path, what, hint=_HINT), ReadStatus.DAMAGED
    yield from versions
    if problem is not None:
        yield problem
    yield Cursor({}, status=status, n_records=len(versions), n_bad=n_bad)


def _read_records(path: str) -> tuple[list[object], Problem | None, ReadStatus]:
    try:
        content = read_whole(path, limit_bytes=_MAX_BYTES)
    except OSError as error:
        reason = error.strerror or "it is not a regular file"
        return [], Problem(path, f"the file cannot be read: {reason}"), ReadStatus.UNREADABLE
    except ValueError as error:
        return [], Problem(path, f"the file cannot be read: {error}"), ReadStatus.UNREADABLE
    if is_lfs_pointer(content):
        what = "a Git LFS pointer stands in place of the file"
        return [], Problem(path, what, hint="git lfs pull"), ReadStatus.LFS_POINTER
    if not content.strip():
        return [], Problem(path, "the file is empty"), ReadStatus.EMPTY
    try:
        value: object = json.loads(content.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        return [], Problem(path, "the file is not whole or not JSON", hint=_HINT), ReadStatus.UNREADABLE
    records = value if isinstance(value, list) else [value]
    return (records, None, ReadStatus.EOF) if records else ([], Problem(path, "the list is empty"), ReadStatus.EMPTY)


def _version_of(record: object) -> DataVersion | None:
    if not isinstance(record, dict) or not (version := _text(record.get("version"))):
        return None
    schema = record.get("schema")
    return DataVersion(
        system=_text(record.get("system")) or "hash",
        name=redact_url(_text(record.get("name"))) or "data",
        version=version,
        n_rows=_count(record.get("rows")),
        schema=_text(schema) if isinstance(schema, str) else json.dumps(schema, sort_keys=True) if schema else "",
        is_pinned=record.get("pinned") is not False,
        size_bytes=_count(record.get("bytes")),
    )


def _count(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < _MAX_ROWS else None


def _text(value: object) -> str:
    """Valid UTF-8; '' for what is no text. A whole number is a text too: versions are often counted."""
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) < _MAX_ROWS:
        return str(value)
    return value.encode("utf-8", "replace").decode() if isinstance(value, str) else ""


def example(folder: str) -> None:
    """Write a stamp with everything that is read."""
    stamp = {
        "system": "hash",
        "name": "digits",
        "version": "sha256:1cfb3823767de3b3d708d0acca9d7cc196facf4d393be78b37001d99d60cd899",
        "rows": 1437,
        "schema": {"pixels": "float64[64]", "label": "int64"},
        "pinned": True,
    }
    with open(os.path.join(folder, _NAME), "w", encoding="utf-8") as file:
        json.dump(stamp, file, indent=2)


ADAPTER = Adapter(
    name="data_stamp",
    claims=claims,
    read=read,
    example=example,
    formats="The version of a data set written beside a run: system, name, version, rows, schema",
    files=(_NAME,),
)
