"""Marks of files and folders: equal ones mean that nothing was written in between."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from typing import TypeAlias

from mlbench.wire.patience import enter, note

Mark: TypeAlias = "tuple[int, int, int] | None"
"""Size, mtime in nanoseconds and inode of a file; None for a folder, or what cannot be looked at."""
Marks: TypeAlias = "dict[str, Mark]"
"""By name, of the entries of one folder."""


def mark_of(path: str) -> Mark:
    """The mark of a file or folder, None where none is named or it cannot be looked at."""
    try:
        note(path)
        status = os.stat(path) if path else None
    except OSError:
        return None
    return (status.st_size, status.st_mtime_ns, status.st_ino) if status else None


def mark_folder(path: str) -> Marks | None:
    """The mark of each entry; None where the folder cannot be listed."""
    marks: Marks = {}
    try:
        enter(path)
        with os.scandir(path) as entries:
            # Nothing is called here that need not be: this is the loop that is run again and again over every file.
            for entry in entries:
                if entry.is_dir():
                    marks[entry.name] = None
                    continue
                try:
                    status = entry.stat()
                except OSError:
                    marks[entry.name] = None
                    continue
                marks[entry.name] = (status.st_size, status.st_mtime_ns, status.st_ino)
    except OSError:
        return None
    return marks


def kinds(marks: Mapping[str, Mark]) -> set[str]:
    """The names of folders."""
    return {name for name, mark in marks.items() if mark is None}


def changed(before: Mapping[str, Mark], after: Mapping[str, Mark]) -> Iterator[str]:
    """Names that came or went, or whose mark is another."""
    for name in before.keys() | after.keys():
        if before.get(name) != after.get(name):
            yield name
