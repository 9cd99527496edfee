"""Which commit a run came from, when no source says so: from the git repository around it, read and never run."""

from __future__ import annotations

import os
from dataclasses import field

from mlbench import model
from mlbench.dataclass import dataclass
from mlbench.ingest.draft import COMMIT_KEYS, Draft
from mlbench.wire import gitrepo
from mlbench.wire.patience import answers

MOST_FOLDERS = 1024
"""That are remembered: a run's own is asked about when the run is read, and then no more."""


@dataclass(slots=True)
class Repositories:
    """The repositories met in one ingest; each is found and opened once."""

    by_folder: dict[str, str | None] = field(default_factory=dict)
    opened: dict[str, gitrepo.Repository | None] = field(default_factory=dict)

    def around(self, folder: str) -> gitrepo.Repository | None:
        """The repository that holds the folder, None if there is none or it cannot be opened."""
        path = self._find(os.path.abspath(folder))
        if path is None:
            return None
        if path not in self.opened:
            self.opened[path] = gitrepo.open_repository(path)
        return self.opened[path]

    def _find(self, folder: str) -> str | None:
        """As `gitrepo.find_repository`, each folder looked into once: runs lie in few folders, far below the top."""
        if folder not in self.by_folder:
            above = os.path.dirname(folder)
            is_here = answers(folder) and gitrepo.is_repository(folder)
            found = folder if is_here else None if above == folder else self._find(above)
            if len(self.by_folder) >= MOST_FOLDERS:
                self.by_folder.clear()  # they are looked into anew
            self.by_folder[folder] = found
        return self.by_folder[folder]

    def close(self) -> None:
        """Let go of all of them."""
        for repository in self.opened.values():
            if repository is not None:
                repository.close()


def attribute_code(draft: Draft, repositories: Repositories, first_wall_s: float | None) -> model.GitState | None:
    """The repository around the run as it was when the run started; None where a source recorded one, or none is.

    Args:
        draft: the run.
        repositories: those met so far.
        first_wall_s: when it started, where no source recorded that.
    """
    if any(fact.commit for _member, _path, fact in draft.of_kind(model.GitState)):
        return None
    if any(fact.key in COMMIT_KEYS and fact.value for _member, _path, fact in draft.of_kind(model.Param)):
        return None
    folder = os.path.dirname(draft.unit.folder) if draft.unit.is_own_file else draft.unit.folder
    repository = repositories.around(folder)
    return gitrepo.attribute(repository, _started(draft, first_wall_s), folder=folder) if repository else None


def _started(draft: Draft, first_wall_s: float | None) -> float | None:
    recorded = draft.recorded("started")
    if isinstance(recorded, int | float):
        return float(recorded)
    return first_wall_s if first_wall_s is not None and first_wall_s > 0 else None
