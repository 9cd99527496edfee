"""The files that Git LFS keeps for a run's commit: hashes and sizes from pointers, contents where they were fetched."""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, field

from mlbench.safe import text_of_path
from mlbench.wire.gitlfs import Pointer, pointers_below
from mlbench.wire.gitrepo import find_repository, open_repository, read_state
from mlbench.wire.listings import Entry


@dataclass(slots=True)
class LfsCommits:
    """The commits that were met in one comparison; each is read once."""

    _known: dict[tuple[str, str], tuple[dict[str, Pointer], str] | None] = field(default_factory=dict)

    def files(self, folders: Sequence[str], commits: Sequence[str], name: str) -> tuple[dict[str, Entry], str] | None:
        """A file, or the files of a folder by their paths below it, and the folder of the contents.

        None where no repository around the folders has one of the commits, or it has no such file.
        """
        for folder in folders:
            for commit in commits:
                found = self._pointers(folder, commit)
                mine = _below(found[0], name) if found is not None else {}
                if found is not None and mine:
                    return mine, found[1]
        return None

    def _pointers(self, folder: str, commit: str) -> tuple[dict[str, Pointer], str] | None:
        place = find_repository(folder) or ""
        if (place, commit) not in self._known:
            self._known[place, commit] = _read(place, commit) if place else None
        return self._known[place, commit]


def _read(place: str, commit: str) -> tuple[dict[str, Pointer], str] | None:
    repository = open_repository(place)
    if repository is None:
        return None
    with closing(repository):
        state = read_state(repository, commit)
        if state is None or repository.objects is None:
            return None
        pointers = pointers_below(repository.objects, state.tree)
    return pointers, os.path.join(repository.folder.common, "lfs", "objects")


def _below(pointers: dict[str, Pointer], name: str) -> dict[str, Entry]:
    found = {}
    for path, pointer in pointers.items():
        text = text_of_path(path)
        if text == name or text.startswith(f"{name}/"):
            found[text.removeprefix(f"{name}/")] = Entry(pointer.oid, pointer.size_bytes)
    return found


def content_of(folder: str, entry: Entry) -> str | None:
    """The path of a content, None where the clone has it not."""
    oid = entry.identity
    path = os.path.join(folder, oid[:2], oid[2:4], oid)
    return path if os.path.isfile(path) else None
