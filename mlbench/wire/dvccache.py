"""DVC's cache: the listing of a folder and the content of a file by their hashes. Read where it lies; never fetched.

`files/md5/xx/yyyy` (DVC 3) or `xx/yyyy` (before); a folder's object ends in `.dir` and is a JSON list of `relpath` and
`md5`. The cache is `.dvc/cache`, or where `dir` of the section `cache` in `.dvc/config.local` or `.dvc/config` says.
Link: https://dvc.org/doc/user-guide/project-structure/internal-files#structure-of-the-cache-directory
"""

from __future__ import annotations

import json
import os
import re

from mlbench.wire.files import read_head, read_whole
from mlbench.wire.listings import Entry

MAX_LISTING_BYTES = 256 << 20
FOLDER_ENDING = ".dir"
_HASH = re.compile(r"[0-9a-f]{32}(?:\.dir)?")
_SECTION = re.compile(r"^\s*+\[\s*+['\"]?([^\]'\"]++)['\"]?\s*+\]\s*$")
_DIR = re.compile(r"^\s*dir\s*=\s*(.*?)\s*$")


class DvcCacheError(ValueError):
    """The cache does not tell; the message is a sentence."""


def find_project(folder: str) -> str | None:
    """The nearest folder, this one or above, that holds `.dvc/`."""
    place = os.path.realpath(folder)
    while True:
        if os.path.isdir(os.path.join(place, ".dvc")):
            return place
        above = os.path.dirname(place)
        if above == place:
            return None
        place = above


def cache_folder(project: str) -> str:
    """Where the project keeps its cache; it need not be there."""
    inside = os.path.join(project, ".dvc")
    for name in ("config.local", "config"):
        if told := _cache_dir(read_head(os.path.join(inside, name), 64 << 10).decode("utf-8", "replace")):
            return os.path.join(inside, os.path.expanduser(told))
    return os.path.join(inside, "cache")


def _cache_dir(text: str) -> str:
    section = ""
    for line in text.splitlines():
        if match := _SECTION.match(line):
            section = match[1].strip()
        elif section == "cache" and (match := _DIR.match(line)):
            return match[1].strip("'\"")
    return ""


def object_path(cache: str, digest: str) -> str | None:
    """The file of a hash, None where it is not in the cache (or is no hash)."""
    if not _HASH.fullmatch(digest):
        return None
    for layout in (("files", "md5"), ()):
        path = os.path.join(cache, *layout, digest[:2], digest[2:])
        if os.path.isfile(path):
            return path
    return None


def read_listing(cache: str, digest: str) -> dict[str, Entry]:
    """The files of a folder by their paths below it, without their sizes.

    Args:
        cache: its folder.
        digest: with `.dir` at its end.

    Raises:
        DvcCacheError: the listing is not in the cache, or damaged.
    """
    path = object_path(cache, digest)
    if path is None:
        raise DvcCacheError(f"the listing of {digest[:10]} is not in the cache")
    try:
        rows = json.loads(read_whole(path, limit_bytes=MAX_LISTING_BYTES))
        if not isinstance(rows, list):
            raise TypeError("no list")
        digests = {_text(row["relpath"]): _text(row["md5"]) for row in rows}
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise DvcCacheError(f"the listing of {digest[:10]} in the cache is damaged") from error
    return {name: Entry(md5) for name, md5 in digests.items()}


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError("no text")
    return value.encode("utf-8", "replace").decode()


def size_of(cache: str, digest: str) -> int | None:
    """Bytes of a file, None where it is not in the cache."""
    path = object_path(cache, digest)
    try:
        return os.path.getsize(path) if path is not None else None
    except OSError:
        return None
