"""What model files say of themselves without being loaded: safetensors' header, zip directories of torch and Keras.

Nothing is unpickled: the names that a pickle would import are listed with `pickletools`, which only reads opcodes.
Links: https://github.com/huggingface/safetensors#format, https://pytorch.org/docs/stable/notes/serialization.html
"""

from __future__ import annotations

import hashlib
import json
import math
import pickletools
import struct
import zipfile
from collections.abc import Iterator
from typing import Any, BinaryIO

from mlbench.dataclass import dataclass
from mlbench.wire.files import is_lfs_pointer, open_regular
from mlbench.wire.zipped import NOT_READABLE

MAX_HEADER_BYTES = 100 << 20
"""The limit that safetensors itself sets."""
MAX_HASHED_BYTES = 16 << 20
"""Of larger files no hash of the content is made: a checkpoint of gigabytes would be read whole."""
MAX_PICKLE_BYTES = 16 << 20
MAX_ENTRIES = 100_000
MAX_GLOBALS = 12
_STRING_OPS = frozenset({"SHORT_BINUNICODE", "BINUNICODE", "BINUNICODE8", "UNICODE"})


class ModelFileError(ValueError):
    """The file is not what its name says, or is damaged; the message is a sentence."""


@dataclass(frozen=True, slots=True)
class ModelFile:
    """A model file, described."""

    form: str
    """safetensors, torch, keras or savedmodel."""
    size_bytes: int
    digest: str
    """`sha256:...` of a small file; `zip:...` or `header:...`, of names and checksums within, of a large one."""
    n_tensors: int | None = None
    n_parameters: int | None = None
    kinds: tuple[str, ...] = ()
    """Of numbers: F32, BF16."""
    metadata: tuple[tuple[str, str], ...] = ()
    n_entries: int | None = None
    imports: tuple[str, ...] = ()
    """What unpickling it would import."""

    @property
    def text(self) -> str:
        """In one line, as `25 tensors, 3,122 parameters, F32`."""
        parts = [self.form]
        parts += [f"{self.n_tensors:,} tensors"] if self.n_tensors is not None else []
        parts += [f"{self.n_parameters:,} parameters"] if self.n_parameters is not None else []
        parts += list(self.kinds)
        parts += [f"{self.n_entries:,} entries"] if self.n_entries is not None else []
        parts += [f"{key} {value}" for key, value in self.metadata[:3]]
        if self.imports:
            more = f" and {len(self.imports) - MAX_GLOBALS} more" if len(self.imports) > MAX_GLOBALS else ""
            parts.append(f"unpickling would import {', '.join(self.imports[:MAX_GLOBALS])}{more}")
        return ", ".join(parts)


def describe_model(path: str) -> ModelFile:
    """Describe a model file by its ending: `.safetensors`, `.keras`, else a zip of torch.

    Raises:
        ModelFileError: it is something else or damaged.
        OSError: it cannot be read.
    """
    with open_regular(path) as file:
        head = file.read(64)
        if is_lfs_pointer(head):
            raise ModelFileError("this is a Git LFS pointer, the file itself is not here")
        size = file.seek(0, 2)
        file.seek(0)
        if path.endswith(".safetensors"):
            return _safetensors(file, size)
        return _zipped(file, size, is_keras=path.endswith(".keras"))


def content_digest(file: BinaryIO, size: int) -> str:
    """`sha256:...` of a small file, '' for a large one."""
    if size > MAX_HASHED_BYTES:
        return ""
    file.seek(0)
    return f"sha256:{hashlib.sha256(file.read()).hexdigest()}"


def _safetensors(file: BinaryIO, size: int) -> ModelFile:
    start = file.read(8)
    n_header = struct.unpack("<Q", start)[0] if len(start) == 8 else 0
    if not 0 < n_header <= min(MAX_HEADER_BYTES, size - 8):
        raise ModelFileError("its header is not whole")
    header = file.read(n_header)
    try:
        told = json.loads(header)
    except (ValueError, RecursionError) as error:
        raise ModelFileError("its header is no JSON") from error
    if not isinstance(told, dict):
        raise ModelFileError("its header is no JSON object")
    metadata = told.pop("__metadata__", None)
    tensors = [part for part in told.values() if isinstance(part, dict)]
    mark = hashlib.blake2b(header, digest_size=16).hexdigest()
    return ModelFile(
        "safetensors", size, content_digest(file, size) or f"header:{mark}",
        len(tensors), sum(map(_n_elements, tensors)), tuple(sorted({_text(part.get("dtype")) for part in tensors})),
        tuple((_text(key), _text(value)) for key, value in metadata.items()) if isinstance(metadata, dict) else (),
    )  # fmt: skip


def _n_elements(tensor: dict[str, Any]) -> int:
    shape = tensor.get("shape")
    sizes = shape if isinstance(shape, list) else []
    return math.prod(size for size in sizes if isinstance(size, int) and 0 <= size < 1 << 48) if len(sizes) < 64 else 0


def _text(value: object) -> str:
    return str(value).encode("utf-8", "replace").decode()[:200]


def _zipped(file: BinaryIO, size: int, *, is_keras: bool) -> ModelFile:
    try:
        with zipfile.ZipFile(file) as archive:
            entries = archive.infolist()
            if len(entries) > MAX_ENTRIES:
                raise ModelFileError(f"it holds more than {MAX_ENTRIES:,} entries")
            metadata = _keras_version(archive) if is_keras else ()
            imports = () if is_keras else tuple(sorted(set(_imports(archive, entries))))
    except NOT_READABLE as error:
        if isinstance(error, ModelFileError):
            raise
        raise ModelFileError("this is no zip file, or it is damaged") from error
    # The first folder is the name it was saved under; two saves of one model differ in nothing else.
    listed = sorted(
        (entry.filename.partition("/")[2] or entry.filename, entry.CRC, entry.file_size) for entry in entries
    )
    mark = hashlib.blake2b(repr(listed).encode("utf-8", "replace"), digest_size=16).hexdigest()
    return ModelFile(
        "keras" if is_keras else "torch", size, content_digest(file, size) or f"zip:{mark}", metadata=metadata,
        n_entries=len(entries), imports=imports,
    )  # fmt: skip


def _keras_version(archive: zipfile.ZipFile) -> tuple[tuple[str, str], ...]:
    try:
        info = archive.getinfo("metadata.json")
        told = json.loads(archive.read(info)) if info.file_size < 1 << 20 else {}
    except NOT_READABLE:
        return ()
    version = told.get("keras_version") if isinstance(told, dict) else None
    return (("keras", _text(version)),) if version else ()


def _imports(archive: zipfile.ZipFile, entries: list[zipfile.ZipInfo]) -> Iterator[str]:
    """The classes and functions that the pickles within name."""
    for entry in entries:
        if entry.filename.endswith(".pkl") and entry.file_size <= MAX_PICKLE_BYTES:
            try:
                yield from _globals(archive.read(entry))
            except NOT_READABLE:
                continue


def _globals(data: bytes) -> Iterator[str]:
    texts: list[str] = []
    memo: dict[int, str] = {}
    for op, argument, _at in pickletools.genops(data):
        if op.name == "GLOBAL" and isinstance(argument, str):
            yield _text(argument.replace(" ", "."))
        elif op.name in _STRING_OPS:
            texts.append(_text(argument))
        elif op.name == "MEMOIZE":
            memo[len(memo)] = texts[-1] if texts else ""
        elif op.name in {"BINPUT", "LONG_BINPUT", "PUT"} and texts:
            memo[int(argument or 0)] = texts[-1]
        elif op.name in {"BINGET", "LONG_BINGET", "GET"}:
            texts.append(memo.get(int(argument or 0), ""))
        elif op.name == "STACK_GLOBAL" and len(texts) > 1:
            yield f"{texts[-2]}.{texts[-1]}"
