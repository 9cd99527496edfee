"""Notes that are being written: each on the disk as it is typed, until it was said or thrown away."""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Sequence
from typing import TYPE_CHECKING

from mlbench.paths import Home, make_folder

if TYPE_CHECKING:
    from mlbench.queries.answers import RunHead

FOLDER = "drafts"


class Drafts:
    """One file for each set of runs that a note is written on, beside the journal. Called in threads.

    A draft is no word: it is not merged, not undone and seen by nobody else; but a killed terminal leaves it.
    """

    def __init__(self, home: Home) -> None:
        self._folder = os.path.join(os.path.dirname(home.journal), FOLDER)

    def path(self, runs: Sequence[RunHead]) -> str:
        """The file of the draft, whether or not it is there. An editor may write it."""
        keys = "\n".join(sorted(run.key for run in runs))
        return os.path.join(self._folder, hashlib.blake2b(os.fsencode(keys), digest_size=8).hexdigest() + ".md")

    def read(self, runs: Sequence[RunHead]) -> str:
        """The draft, '' without one."""
        from mlbench.wire.files import open_regular

        try:
            with open_regular(self.path(runs)) as file:
                return str(file.read().decode("utf-8", "replace"))
        except (OSError, ValueError):
            return ""

    def save(self, runs: Sequence[RunHead], text: str) -> None:
        """Put the text on the disk before this returns: the old draft or the new one is there, never half of it.

        Raises:
            HomeError, SourceError: the home cannot be written.
        """
        from mlbench.render.export import write_file

        make_folder(self._folder)
        write_file(self.path(runs), text)

    def remove(self, runs: Sequence[RunHead]) -> None:
        """It was said, or is not wanted."""
        with contextlib.suppress(OSError):
            os.unlink(self.path(runs))
