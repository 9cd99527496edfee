"""Whether a repository surely lacks an object: asked of file names and pack indexes, before anything is loaded.

Logs mostly lie where another repository is, or none: that a commit is not in it costs a look at a few bytes, and what
reads repositories (dulwich) a tenth of a second to load.
Format: gitformat-pack(5), pack-*.idx files, version 2.
"""

from __future__ import annotations

import os
import re
from typing import IO

from mlbench.wire.files import open_regular
from mlbench.wire.gitfolder import locate

_HEADER, _FAN_OUT = b"\xfftOc\x00\x00\x00\x02", 1024
_FULL = re.compile(r"(?:[0-9a-f]{40}|[0-9a-f]{64})")
_BORROWED = (os.path.join("info", "alternates"), os.path.join("pack", "multi-pack-index"))
"""Objects may lie elsewhere, or in packs whose own indexes are gone."""


def surely_lacks(path: str, object_id: str) -> bool:
    """Whether the repository at `path` has no such object; False wherever that is not certain.

    Args:
        path: of a work tree or a bare repository.
        object_id: all of its digits; of fewer nothing is certain.
    """
    folder = locate(path)
    if folder is None or _FULL.fullmatch(object_id) is None:
        return False
    objects = os.path.join(folder.common, "objects")
    if any(os.path.lexists(os.path.join(objects, name)) for name in _BORROWED):
        return False
    if os.path.lexists(os.path.join(objects, object_id[:2], object_id[2:])):
        return False
    try:
        with os.scandir(os.path.join(objects, "pack")) as entries:
            indexes = [entry.path for entry in entries if entry.name.endswith(".idx")]
        return not any(_may_list(index, bytes.fromhex(object_id)) for index in indexes)
    except FileNotFoundError:
        return not os.path.isdir(os.path.join(objects, "pack")) and os.path.isdir(objects)
    except (OSError, ValueError):
        return False


def _may_list(index: str, object_id: bytes) -> bool:
    """Whether the index of a pack names an object; also where it is of another version, or cut short."""
    with open_regular(index) as file:
        head = file.read(len(_HEADER) + _FAN_OUT)
        if not head.startswith(_HEADER) or len(head) < len(_HEADER) + _FAN_OUT:
            return True
        low, high = _between(head[len(_HEADER) :], object_id[0])
        file.seek(len(head) + low * len(object_id))
        return _is_among(file, object_id, high - low)


def _between(fan_out: bytes, first: int) -> tuple[int, int]:
    """The places of the names that begin with a byte: from the one, before the other."""
    low = int.from_bytes(fan_out[4 * first - 4 : 4 * first], "big") if first else 0
    return low, int.from_bytes(fan_out[4 * first : 4 * first + 4], "big")


def _is_among(file: IO[bytes], object_id: bytes, n_names: int) -> bool:
    """Whether it is one of the next names, or there are fewer of them than there should be."""
    size = len(object_id)
    names = file.read(max(n_names, 0) * size)
    if len(names) < n_names * size:
        return True
    place = names.find(object_id)
    while place >= 0 and place % size:
        place = names.find(object_id, place + 1)
    return place >= 0
