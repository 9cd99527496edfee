"""One member of a zip file that a stranger wrote: bounded, never unpacked to disk, never unpickled."""

from __future__ import annotations

import struct
import zipfile
import zlib

from mlbench.dataclass import dataclass
from mlbench.model import Problem, ReadStatus
from mlbench.wire.content import Content, lfs_problem, unreadable
from mlbench.wire.files import is_lfs_pointer, open_regular

MAGIC = b"PK\x03\x04"
MAX_MEMBER_BYTES = 64 << 20
NOT_READABLE = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    EOFError,
    NotImplementedError,
    RuntimeError,
    ValueError,
    LookupError,
    ArithmeticError,
    OSError,
)
"""What zipfile raises for damaged, encrypted and unusual files."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A member as the directory of the file tells it."""

    name: str
    size_bytes: int
    crc32: int


def first_member(head: bytes) -> str:
    """The name of the first member, from the first bytes of a file; '' if it is no zip file."""
    if not head.startswith(MAGIC) or len(head) < 30:
        return ""
    (length,) = struct.unpack_from("<H", head, 26)
    return head[30 : 30 + length].decode("utf-8", "replace")


def list_members(path: str) -> tuple[tuple[Entry, ...], Problem | None]:
    """Every member that the directory names, in its order; or why there are none."""
    try:
        with open_regular(path) as file, zipfile.ZipFile(file) as opened:
            return tuple(Entry(info.filename, info.file_size, info.CRC) for info in opened.infolist()), None
    except NOT_READABLE as error:
        return (), _problem(path, error)


def load_member(path: str, name: str, *, limit_bytes: int = MAX_MEMBER_BYTES) -> Content:
    """The bytes of one member, whatever the directory says of its size; a missing one is `empty`."""
    try:
        with open_regular(path) as file:
            head = file.read(64)
            if is_lfs_pointer(head):
                return Content(b"", ReadStatus.LFS_POINTER, lfs_problem(path))
            if not head:
                return Content(b"", ReadStatus.EMPTY)
            return _member(path, name, limit_bytes, zipfile.ZipFile(file))
    except NOT_READABLE as error:
        return Content(b"", ReadStatus.UNREADABLE, _problem(path, error))


def _member(path: str, name: str, limit_bytes: int, opened: zipfile.ZipFile) -> Content:
    if name not in opened.namelist():
        return Content(b"", ReadStatus.EMPTY)
    with opened.open(name) as member:
        data = member.read(limit_bytes + 1)
    if len(data) > limit_bytes:
        what = f"{name!r} in it is larger than {limit_bytes >> 20} MiB and was not read"
        return Content(b"", ReadStatus.UNREADABLE, Problem(path, what))
    return Content(data, ReadStatus.EOF if data else ReadStatus.EMPTY)


def _problem(path: str, error: Exception) -> Problem:
    if isinstance(error, OSError) and error.strerror:
        return unreadable(path, error)
    if isinstance(error, RuntimeError) and "encrypted" in str(error):
        return Problem(path, "the zip file is encrypted and was not read")
    return Problem(path, "the zip file is damaged or was not written to its end")
