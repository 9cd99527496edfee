"""Whether a source has changed since it was read: names, size, mtime and inode of its files, without opening any."""

from __future__ import annotations

import hashlib
import os

from mlbench.dataclass import dataclass
from mlbench.model import Claim
from mlbench.wire import patience


@dataclass(frozen=True, slots=True)
class Stamp:
    text: str
    """Equal texts mean that nothing has changed."""
    size_bytes: int
    mtime_ns: int
    inode: int


def stamp_of(claim: Claim) -> Stamp:
    """The stamp of a claimed file or folder, of the files it follows and of the user's rule for it.

    A missing file counts as one of its own.

    A part of a file has the mark that its adapter gave it, and no size.
    """
    if claim.part:
        return Stamp(claim.mark, 0, -1, -1)
    size, mtime, inode = _stat(claim.path)
    text = f"{size},{mtime},{inode}"
    if claim.follows:  # a file that was renamed is as it was, and may be another metric
        stats = [_stat(path) for path in claim.follows]
        mtime = max(mtime, *(m for _s, m, _i in stats))
        names = chr(0).join(path.removeprefix(claim.path) for path in claim.follows)
        text = ";".join((text, *(f"{s},{m},{i}" for s, m, i in stats), _digest(names)))
    if claim.rule:
        text += f";{_digest(claim.rule)}"
    return Stamp(text, size, mtime, inode)


def _digest(text: str) -> str:
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()


def _stat(path: str) -> tuple[int, int, int]:
    try:
        patience.note(path)
        status = os.stat(path)
    except OSError:
        return (-1, -1, -1)
    return (status.st_size, status.st_mtime_ns, status.st_ino)
