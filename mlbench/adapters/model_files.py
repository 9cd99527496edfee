"""Model files beside a run: safetensors, zips of torch (`.pt`, `.pth`, `.ckpt`, `.bin`), `.keras`, SavedModel folders.

Format, size, fingerprint (of a Git LFS pointer the hash that it names), number of tensors and parameters; of pickles
what loading them would import. Never loaded.
"""

from __future__ import annotations

import hashlib
import json
import os
import struct
from collections.abc import Iterator, Mapping

from mlbench.model import (
    Adapter,
    Artifact,
    Claim,
    Cursor,
    Fact,
    JsonValue,
    Listing,
    Problem,
    ReadStatus,
    Role,
    Source,
)
from mlbench.wire.content import lfs_problem, sniff, unreadable
from mlbench.wire.files import LFS_MAGIC, is_lfs_pointer, open_regular
from mlbench.wire.gitlfs import pointer_in_file
from mlbench.wire.modelfile import MAX_HASHED_BYTES, ModelFileError, describe_model

_OWN = ("safetensors", "keras")
_ZIPPED = ("pt", "pth", "ckpt")
_MODEL_WORDS = ("model", "adapter", "optimizer", "weight", "checkpoint", "ckpt", "scheduler", "state")
"""Where a folder has many `.bin`, which are mostly data, a model's says so."""
_ZIP_MAGIC = b"PK\x03\x04"
_SAVED = "saved_model.pb"
MAX_CLAIMED = 50
"""Of one folder and kind: many checkpoints are told by their last names, and a scan opens no more files than that."""


def claims(listing: Listing) -> Iterator[Claim]:
    binaries = listing.ending("bin")
    binaries = binaries if len(binaries) <= MAX_CLAIMED else listing.naming(_MODEL_WORDS, "bin")
    perhaps = sorted([*listing.ending(*_ZIPPED), *binaries])[-MAX_CLAIMED:]
    names = listing.ending(*_OWN)[-MAX_CLAIMED:]
    names += [name for name in perhaps if _is_ours(sniff(os.path.join(listing.path, name), len(LFS_MAGIC)))]
    for name in names:
        yield Claim(os.path.join(listing.path, name), Role.CONTEXT, listing.path)
    if listing.has(_SAVED):
        yield Claim(os.path.join(listing.path, _SAVED), Role.CONTEXT, listing.path)


def _is_ours(head: bytes | None) -> bool:
    return head is not None and (head.startswith(_ZIP_MAGIC) or is_lfs_pointer(head))


def read(source: Source, _cursor: Mapping[str, JsonValue] | None) -> Iterator[Fact]:
    name = _readable(os.path.basename(source.path))
    try:
        if pointer := pointer_in_file(source.path):
            yield Artifact(_kind(name), name, _readable(source.path), f"sha256:{pointer.oid}", pointer.size_bytes,
                           detail="a Git LFS pointer, its content was never fetched")  # fmt: skip
            yield lfs_problem(source.path)
            yield Cursor({}, ReadStatus.LFS_POINTER, n_records=1)
            return
        if name == _SAVED:
            yield _saved_model(source.path)
        else:
            found = describe_model(source.path)
            kind = "checkpoint" if found.form == "torch" else "model"
            yield Artifact(kind, name, _readable(source.path), found.digest, found.size_bytes, "", found.text)
    except ModelFileError as error:
        yield Problem(source.path, f"the model file was not described: {error}")
        yield Cursor({}, ReadStatus.DAMAGED, n_bad=1)
        return
    except (OSError, ValueError) as error:
        yield unreadable(source.path, error)
        yield Cursor({}, ReadStatus.UNREADABLE, n_bad=1)
        return
    yield Cursor({}, n_records=1)


def _kind(name: str) -> str:
    return "model" if name.endswith((*_OWN, _SAVED)) else "checkpoint"


def _saved_model(path: str) -> Artifact:
    """TensorFlow's folder: the graph's size and hash, and whether a fingerprint lies beside it."""
    with open_regular(path) as file:
        size = file.seek(0, 2)
        file.seek(0)
        digest = f"sha256:{hashlib.sha256(file.read()).hexdigest()}" if size <= MAX_HASHED_BYTES else ""
    folder = os.path.dirname(path)
    has_mark = os.path.isfile(os.path.join(folder, "fingerprint.pb"))
    detail = "SavedModel" + (", with a fingerprint" if has_mark else "")
    return Artifact("model", _readable(os.path.basename(folder)), _readable(folder), digest, size, "", detail)


def _readable(path: str) -> str:
    return os.fsencode(path).decode("utf-8", "replace")


def example(folder: str) -> None:
    """Two tensors in a safetensors file."""
    header = json.dumps({
        "__metadata__": {"format": "pt"},
        "w": {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]},
        "b": {"dtype": "F32", "shape": [2], "data_offsets": [24, 32]},
    }).encode()  # fmt: skip
    with open(os.path.join(folder, "model.safetensors"), "wb") as file:
        file.write(struct.pack("<Q", len(header)) + header + bytes(32))


ADAPTER = Adapter(
    name="model_files",
    claims=claims,
    read=read,
    example=example,
    version=2,
    formats="Model files, described and never loaded: safetensors, torch zips, Keras, SavedModel",
    files=("*.safetensors", "*.keras", "*.pt", "*.pth", "*.ckpt", "*.bin", "saved_model.pb"),
)
