"""What changed in the code between runs: commits, files, a unified diff, and whether only configuration did.

Repositories are read and never run (`wire/gitrepo`): the one that was recorded, the one around the run, or one that the
user names. What cannot be found out is said.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING, TypeAlias

from mlbench.queries.answers import DiffAnswer, FactRow
from mlbench.queries.fields import CODE_CERTAINTY
from mlbench.queries.reading import Reader
from mlbench.redaction import redact_text
from mlbench.safe import path_of_text

if TYPE_CHECKING:
    from mlbench.wire.notebookdiff import CellChange

_CODE = f"""SELECT c.run_id, c.commit_id, c.how, c.repository, c.is_dirty, r.path
FROM code c JOIN run r ON r.run_id = c.run_id
WHERE c.commit_id <> '' AND c.run_id IN (SELECT unnest(CAST(? AS VARCHAR[]))) ORDER BY {CODE_CERTAINTY}"""
CONFIG_ENDINGS = (
    ".yaml",
    ".yml",
    ".json",
    ".toml",
    ".ini",
    ".cfg",
    ".conf",
    ".gin",
    ".libsonnet",
    ".properties",
    ".env",
)
PLAIN_ENDINGS = (".md", ".rst", ".txt", ".gitignore", ".gitattributes", ".dvcignore", "LICENSE")
"""What changes no training."""
DATA_ENDINGS = (".dvc", "dvc.lock", ".lakefs_ref.yaml")
"""Pointers to versions of data."""
PATCHES = ("mlbench-run.patch", "diff.patch", "git_diff.patch", "files/diff.patch")
_NOTEBOOK = ".ipynb"
"""What compares notebooks is loaded where there are any."""
_FILE = re.compile(r"^diff --git ", re.MULTILINE)
_PATCHED = re.compile(r"^diff --git a/(.+) b/\1$", re.MULTILINE)
"""A file that was not renamed."""
MAX_PATCH_BYTES = 200 << 10
MOST_COMMITS = 1_000
MOST_TOLD = 6
"""Files that a line names."""


Book: TypeAlias = "tuple[str, tuple[CellChange, ...]]"
"""Path of a notebook, and the cells that differ."""


@dataclass(frozen=True, slots=True)
class CodeChange:
    """The code of a run against the code of the baseline."""

    run_id: str
    before: str
    """Commit of the baseline."""
    after: str
    how: tuple[str, str]
    """How each of them is known: recorded, tracked, reflog, guess."""
    repository: str = ""
    """'' where none was found that holds both commits."""
    ahead: tuple[str, ...] = ()
    """Subjects of the commits from before to after, newest first; () where after is no descendant by first parents."""
    files: tuple[tuple[str, str], ...] = ()
    """Path and `added`, `removed`, `changed`, `outputs` (a notebook of equal cells) or `data` (in Git LFS)."""
    diff: str = ""
    patches: tuple[str, str] = ("", "")
    """What had not been committed, where a patch was saved."""
    is_dirty: tuple[bool, bool] = (False, False)
    books: tuple[Book, ...] = ()
    """Notebooks that changed: path and cells."""

    @property
    def verdict(self) -> str:
        """`same`, `config` (nothing but configuration and texts changed), `data` (and pointers to data), `code`, or
        `unknown`.
        """
        patched = self._patched()
        if self.before == self.after:
            if self.patches[0] == self.patches[1]:
                return "same"
            return "unknown" if patched is None else _kind_of(patched)
        if not self.repository:
            return "unknown"
        return "code" if patched is None else _kind_of([*self.files, *patched])

    def _patched(self) -> list[tuple[str, str]] | None:
        """The files that had not been committed, None where no patch tells them."""
        found: list[tuple[str, str]] = []
        for patch, is_dirty in zip(self.patches, self.is_dirty, strict=True):
            names = _PATCHED.findall(patch)
            if (is_dirty or patch) and len(names) != len(_FILE.findall(patch) or ("",)):
                return None
            found += [(name, "changed") for name in names]
        return found


def _kind_of(files: Sequence[tuple[str, str]]) -> str:
    if not all(map(_is_beside_code, files)):
        return "code"
    return "data" if any(kind == "data" or path.endswith(DATA_ENDINGS) for path, kind in files) else "config"


def _is_beside_code(file: tuple[str, str]) -> bool:
    path, kind = file
    return kind in {"outputs", "data"} or path.endswith(CONFIG_ENDINGS + PLAIN_ENDINGS + DATA_ENDINGS)


def compare_code(reader: Reader, run_ids: Sequence[str], *, repository: str = "") -> tuple[CodeChange, ...]:
    """The code of each run against that of the first; runs whose commit is not known are left out.

    Args:
        reader: the catalog.
        run_ids: the first is the baseline.
        repository: a folder to look into first.
    """
    found: dict[str, tuple[str, str, str, bool, str]] = {}
    for run_id, commit, how, recorded, is_dirty, path in reader.rows(_CODE, [list(run_ids)]):
        found.setdefault(run_id, (commit, how or "", recorded or "", bool(is_dirty), path or ""))
    if not run_ids or run_ids[0] not in found:
        return ()
    base = found[run_ids[0]]
    patch = _patch_of(base[4], base[0], (repository, base[2]))
    places: dict[str, str | None] = {}
    return tuple(
        _change(run_id, base, patch, found[run_id], repository, places) for run_id in run_ids[1:] if run_id in found
    )


def _change(
    run_id: str, base: tuple[str, str, str, bool, str], base_patch: str, mine: tuple[str, str, str, bool, str],
    repository: str, places: dict[str, str | None],
) -> CodeChange:  # fmt: skip
    """One run's code against the baseline's; `places` are the repositories around folders that were looked at."""
    before, how_a, recorded_a, dirty_a, path_a = base
    after, how_b, recorded_b, dirty_b, path_b = mine
    patches = base_patch, _patch_of(path_b, after, (repository, recorded_b))
    change = CodeChange(run_id, before, after, (how_a, how_b), patches=patches, is_dirty=(dirty_a, dirty_b))
    if before == after:
        return change
    for folder in dict.fromkeys((repository, recorded_b, recorded_a, path_b, path_a, ".")):
        place = _place_of(folder, places) if folder else None
        known = _between(place, before, after) if place is not None else None
        if place is not None and known is not None:
            ahead, files, diff, books = known
            return replace(change, repository=place, ahead=ahead, files=files, diff=diff, books=books)
    return change


def _place_of(folder: str, places: dict[str, str | None]) -> str | None:
    """The repository around a folder; each folder is looked at once."""
    from mlbench.wire.gitfolder import find_repository, is_repository

    if folder not in places:
        # Runs lie beside each other: what is around their parent is around them, if they are no repositories.
        path = os.path.abspath(path_of_text(folder))
        above = os.path.dirname(path)
        if is_repository(path):
            places[folder] = path
        else:
            if above not in places:
                places[above] = find_repository(above)
            places[folder] = places[above]
    return places[folder]


@lru_cache(maxsize=256)
def _lacks(place: str, commit: str) -> bool:
    from mlbench.wire.githas import surely_lacks

    return surely_lacks(place, commit)


@lru_cache(maxsize=64)
def _between(
    place: str, before: str, after: str
) -> tuple[tuple[str, ...], tuple[tuple[str, str], ...], str, tuple[Book, ...]] | None:
    """Subjects, files, diff and notebooks between two commits of a repository; None if it has not both."""
    if _lacks(place, before) or _lacks(place, after):
        return None
    from mlbench.wire import gitrepo

    opened = gitrepo.open_repository(place)
    if opened is None:
        return None
    try:
        files = gitrepo.changed_files(opened, before, after)
        if files is None:
            return None
        subjects = gitrepo.subjects_between(opened, before, after, limit=MOST_COMMITS)
        books = gitrepo.changed_notebooks(opened, before, after)
        return subjects, tuple(files), gitrepo.unified_diff(opened, before, after) or "", books
    finally:
        opened.close()


def _patch_of(path: str, commit: str, folders: Sequence[str]) -> str:
    """The patch that was saved in a run's folder, redacted and cut, notebooks as cells; '' without one."""
    text = _saved_patch(path)
    return redact_text(_with_cells(text, path, commit, folders)) if text else ""


def _with_cells(text: str, path: str, commit: str, folders: Sequence[str]) -> str:
    if _NOTEBOOK not in text:
        return text
    from mlbench.wire.patches import with_cells

    return with_cells(text, lambda name: _file_at((*folders, path, "."), commit, name))


def patch_of_run(reader: Reader, run_id: str, text: str) -> str:
    """A patch that was found beside a run, redacted, notebooks as cells where the run's commit is in reach."""
    if _NOTEBOOK not in text:
        return redact_text(text)
    known = reader.rows(_CODE, [[run_id]])[:1]  # the surest
    for _run_id, commit, _how, recorded, _is_dirty, path in known:
        text = _with_cells(text, path or "", commit, (recorded or "",))
    return redact_text(text)


def _file_at(folders: Sequence[str], commit: str, name: str) -> str | None:
    """A file of a commit, from the first repository around one of the folders that has it."""
    from mlbench.wire import gitrepo

    for folder in dict.fromkeys(filter(None, folders)):
        place = gitrepo.find_repository(path_of_text(folder))
        opened = gitrepo.open_repository(place) if place is not None else None
        if opened is not None:
            with closing(opened):
                content = gitrepo.blob_at(opened, commit, name)
            if content is not None:
                return content.decode("utf-8", "replace")
    return None


def _saved_patch(path: str) -> str:
    for name in PATCHES:
        place = os.path.join(path_of_text(path), name)
        if not os.path.isfile(place):
            continue
        try:
            with open(place, "rb") as file:
                return file.read(MAX_PATCH_BYTES).decode("utf-8", "replace")
        except OSError:
            return ""
    return ""


def with_code_changes(reader: Reader, answer: DiffAnswer) -> DiffAnswer:
    """The comparison with two more facts of the code: what kind of change it is, and which files changed."""
    ids = [head.run_id for head in answer.runs]
    found = compare_code(reader, ids)
    changes = {change.run_id: change for change in found if change.verdict != "same"}
    if not changes:
        return answer
    answer = with_changed_books(answer, found)
    mine = [changes.get(run_id) for run_id in ids]
    kinds = tuple(None if one is None else _SENTENCES.get(one.verdict, "not known what changed") for one in mine)
    files = tuple(None if one is None else _files_text(one) for one in mine)
    rows = [FactRow("what changed", kinds, differs=True)]
    rows += [FactRow("changed files", files, differs=True)] if any(files) else []
    return replace(answer, code=(*answer.code, *rows), code_changes=found)


def with_changed_books(answer: DiffAnswer, changes: Sequence[CodeChange]) -> DiffAnswer:
    """The comparison with the cells of the notebooks that changed between the runs' commits."""
    if not any(change.books for change in changes):
        return answer
    from mlbench.queries.notebooks import NotebookChange

    books = tuple(
        NotebookChange(change.run_id, change.before, change.after, changes=cells, name=path)
        for change in changes
        for path, cells in change.books
    )
    return replace(answer, notebooks=(*answer.notebooks, *books))


def _files_text(change: CodeChange) -> str | None:
    names = ", ".join(path for path, _kind in change.files[:MOST_TOLD])
    more = f" and {len(change.files) - MOST_TOLD} more" if len(change.files) > MOST_TOLD else ""
    return f"{names}{more}" or None


_SENTENCES = {
    "code": "the code changed",
    "config": "only configuration and texts changed",
    "data": "only versions of data, configuration and texts changed",
}


def told(changes: Sequence[CodeChange]) -> tuple[str, ...]:
    """A line for each pair of commits whose difference could be read: how far apart, which files, what kind."""
    lines: dict[str, None] = {}
    for change in changes:
        if not change.repository:
            continue
        n = len(change.ahead)
        ahead = f", {n} {'commit' if n == 1 else 'commits'}" if n else ""
        what = _SENTENCES.get(change.verdict, "the code changed")
        lines[f"{change.before[:10]}..{change.after[:10]}{ahead}: {what} ({_files_text(change) or ''})"] = None
    return tuple(lines)
