"""Which code a run came from, and what changed between two states of the code, without running git."""

from __future__ import annotations

import difflib
import os
from collections.abc import Iterator
from dataclasses import field, replace

from mlbench.dataclass import dataclass
from mlbench.model import GitState, Problem
from mlbench.redaction import redact_text
from mlbench.safe import text_of_path
from mlbench.wire.gitfolder import (
    GitFolder,
    Head,
    Move,
    branch_at,
    find_repository,
    is_repository,
    locate,
    read_config,
    read_head_ref,
    read_moves,
    remote_of,
)
from mlbench.wire.gitlfs import parse_pointer, uses_lfs
from mlbench.wire.gitnotebooks import BookDiff, is_only_outputs, notebook_diffs
from mlbench.wire.gitobjects import (
    Change,
    Commit,
    Entry,
    Objects,
    compare_trees,
    entry_at,
    full_id,
    open_objects,
    read_blob,
    read_commit,
    read_tree,
)
from mlbench.wire.notebookdiff import CellChange

__all__ = ["Repository", "attribute", "blob_at", "changed_files", "changed_notebooks", "commit_at", "files_at",
           "find_repository", "is_repository", "open_repository", "read_state", "subjects_between",
           "unified_diff"]  # fmt: skip

MAX_COMMITS = 20_000
"""First parents that are looked through for a time: 10 commits a day for five years."""
MAX_TRACKED_COMMITS = 2_000
"""First parents that are looked through for the one that added a folder: about two seconds, once per repository."""
MAX_FILES = 200_000
MAX_DIFF_FILE_BYTES = 512 << 10
MAX_DIFF_LINES = 10_000


@dataclass(frozen=True, slots=True)
class Repository:
    """An open repository. Close it; not shared between threads."""

    folder: GitFolder
    head: Head
    remote: str
    """Without credentials, '' if none."""
    moves: tuple[Move, ...]
    objects: Objects | None
    """None: only the plain files can be read."""
    problems: tuple[Problem, ...] = ()
    walked: list[Commit] = field(default_factory=list)
    """HEAD and its first parents, as far as anyone asked."""
    added: dict[bytes, Commit] = field(default_factory=dict)
    """Folders to the commit that added them; filled when the first tracked folder is met."""

    def close(self) -> None:
        """Close the packs."""
        if self.objects is not None:
            self.objects.store.close()


def open_repository(path: str) -> Repository | None:
    """Open the repository whose work tree (or, if bare, whose self) is `path`; None if there is none.

    Whatever is missing or damaged is told in `problems`, and the rest can be used.
    """
    folder = locate(path)
    if folder is None:
        return None
    settings = read_config(folder)
    head = read_head_ref(folder)
    remote = remote_of(settings, head.branch)
    moves = read_moves(folder)
    if settings.get(("extensions", "", "refstorage"), "files").lower() != "files":
        problem = Problem(path, "the repository keeps its branches in a reftable, which cannot be read yet",
                          hint="git refs migrate --ref-format=files")  # fmt: skip
        return Repository(folder, Head("", ""), remote, moves, None, (problem,))
    try:
        object_format = settings.get(("extensions", "", "objectformat"), "sha1").lower()
        objects = open_objects(os.path.join(folder.common, "objects"), object_format=object_format)
    except (OSError, ValueError) as error:
        return Repository(folder, head, remote, moves, None, (Problem(path, f"its objects cannot be read: {error}"),))
    problems: tuple[Problem, ...] = ()
    if head.commit and read_commit(objects, head.commit) is None:
        problems = (Problem(path, f"the commit {head.commit[:12]}, which HEAD names, is missing or damaged",
                            hint="git fsck"),)  # fmt: skip
    return Repository(folder, head, remote, moves, objects, problems)


def read_state(repository: Repository, commit_id: str) -> Commit | None:
    """A commit by its id, or by the first 7 or more digits of it."""
    objects = repository.objects
    oid = full_id(objects, commit_id) if objects is not None else None
    return read_commit(objects, oid) if objects is not None and oid is not None else None


# ---------------------------------------------------------------- which commit


def first_parents(repository: Repository, *, limit: int = MAX_COMMITS) -> Iterator[Commit]:
    """HEAD and its first parents, newest first, up to a limit or the first that cannot be read."""
    walked, objects = repository.walked, repository.objects
    for index in range(limit if objects is not None else 0):
        if index == len(walked):
            parents = walked[-1].parents[:1] if walked else (repository.head.commit,)
            commit = read_commit(objects, parents[0]) if objects is not None and parents else None
            if commit is None:
                return
            walked.append(commit)
        yield walked[index]


def commit_at(repository: Repository, time_s: float) -> tuple[str, str] | None:
    """The commit that was checked out at a time (Unix seconds), and how that is known.

    `reflog`: the log of HEAD says so, exact for this clone. `guess`: the newest first parent of HEAD that had been
    committed by then. None: neither reaches back so far.
    """
    index = _move_at(repository.moves, time_s)
    if index is not None:
        return repository.moves[index].commit, "reflog"
    guess = next((commit for commit in first_parents(repository) if commit.committed_s <= time_s), None)
    return (guess.id, "guess") if guess is not None else None


def _move_at(moves: tuple[Move, ...], time_s: float) -> int | None:
    return next((index for index in reversed(range(len(moves))) if moves[index].time_s <= time_s), None)


def attribute(repository: Repository, started_s: float | None, *, folder: str) -> GitState | None:
    """The code of a run that recorded none, by the strongest evidence there is.

    Args:
        repository: the one that the run's folder lies in.
        started_s: when the run started, Unix seconds, by its own clock (not by file times); None if unknown.
        folder: the run's folder.

    Returns:
        `tracked`: the commit that added the folder, unless it is older than the run. `reflog` and `guess`: as
        `commit_at`. None if nothing is known.
    """
    added = _adding_commit(repository, folder)
    if added is not None and (started_s is None or added.committed_s >= started_s):
        return _state(repository, added.id, "tracked", repository.head.branch)
    found = commit_at(repository, started_s) if started_s is not None else None
    if found is None or started_s is None:
        return None
    commit_id, how = found
    branch = repository.head.branch
    index = _move_at(repository.moves, started_s)
    if how == "reflog" and index is not None:
        branch = branch_at(repository.moves, index, branch)
    return _state(repository, commit_id, how, branch)


def _state(repository: Repository, commit_id: str, how: str, branch: str) -> GitState:
    commit = read_state(repository, commit_id)
    return GitState(
        commit=commit_id,
        how=how,
        branch=text_of_path(branch),
        remote=text_of_path(repository.remote),
        subject=redact_text(commit.subject) if commit is not None else "",
        committed_s=commit.committed_s if commit is not None else None,
        repository=text_of_path(repository.folder.path),
    )


def _adding_commit(repository: Repository, folder: str) -> Commit | None:
    objects = repository.objects
    root, place = os.path.realpath(repository.folder.path), os.path.realpath(folder)
    if objects is None or repository.folder.is_bare or not place.startswith(root.rstrip("/") + "/"):
        return None
    path = os.fsencode(os.path.relpath(place, root))
    head = next(first_parents(repository, limit=1), None)
    entry = entry_at(objects, head.tree, path) if head is not None else None
    if entry is None or not entry.is_tree:
        return None
    if not repository.added:
        repository.added.update(_added_folders(repository, objects))
    return repository.added.get(path)


def _added_folders(repository: Repository, objects: Objects) -> dict[bytes, Commit]:
    """Folders to the newest commit that added them, as far back as history is whole and not too long."""
    commits = list(first_parents(repository, limit=MAX_TRACKED_COMMITS + 1))
    added = {b"": commits[-1]}
    for commit, parent in zip(commits, [*commits[1:], None], strict=True):
        if parent is None and commit.parents:
            break  # a shallow clone, a missing object, or the limit: what came before is not known
        for change in compare_trees(objects, parent.tree if parent is not None else "", commit.tree):
            if change.new is not None and change.new.is_tree:
                added.setdefault(change.path, commit)
    return added


# ---------------------------------------------------------------- what changed


def blob_at(repository: Repository, commit_id: str, path: str) -> bytes | None:
    """A file (path from the work tree's root) as a commit has it, without filters; None if it is not there."""
    commit = read_state(repository, commit_id)
    if commit is None or repository.objects is None:
        return None
    return read_blob(repository.objects, entry_at(repository.objects, commit.tree, os.fsencode(path)))


def files_at(objects: Objects, tree: str, *, limit: int = MAX_FILES) -> dict[str, Entry]:
    """Every file of a tree by its path with slashes; bytes that are no UTF-8 are surrogates. At most `limit`."""
    found: dict[str, Entry] = {}
    todo = [(b"", tree)]
    while todo and len(found) < limit:
        folder, oid = todo.pop()
        for mode, name, raw in read_tree(objects, oid) or ():
            entry = Entry(int(mode, 8), raw.hex())
            if entry.is_tree:
                todo.append((folder + name + b"/", entry.id))
            elif entry.is_blob:
                found[os.fsdecode(folder + name)] = entry
    return found


def changed_files(
    repository: Repository, commit_a: str, commit_b: str, *, limit: int = 10_000
) -> list[tuple[str, str]] | None:
    """Files that differ between two commits by path: (path, `added`, `removed`, `changed`, `outputs` or `data`).

    `outputs` is a notebook whose cells are the same, `data` a file that Git LFS keeps. None if either commit cannot be
    read. Renames are told as both sides.
    """
    changes, objects = _file_changes(repository, commit_a, commit_b, limit), repository.objects
    if changes is None or objects is None:
        return None
    state = read_state(repository, commit_b)
    has_lfs = state is not None and uses_lfs(objects, repository.folder.common, state.tree)
    return [(text_of_path(os.fsdecode(one.path)), _told_kind(objects, one, has_lfs=has_lfs)) for one in changes]


def _told_kind(objects: Objects, change: Change, *, has_lfs: bool) -> str:
    if is_only_outputs(objects, change):
        return "outputs"
    sides = [side for side in (change.old, change.new) if side is not None]
    is_data = has_lfs and all(side.is_blob and parse_pointer(read_blob(objects, side) or b"") for side in sides)
    return "data" if is_data else _kind(change)


def changed_notebooks(
    repository: Repository, commit_a: str, commit_b: str
) -> tuple[tuple[str, tuple[CellChange, ...]], ...]:
    """Path and cells, redacted, of each notebook whose cells differ between two commits."""
    changes = _file_changes(repository, commit_a, commit_b, 10_000)
    if changes is None or repository.objects is None:
        return ()
    books = notebook_diffs(repository.objects, changes)
    return tuple(
        (text_of_path(os.fsdecode(path)), tuple(_redacted(change) for change in book.changes))
        for path, book in books.items()
        if book.changes
    )


def _redacted(change: CellChange) -> CellChange:
    return replace(change, old=redact_text(change.old), new=redact_text(change.new))


def subjects_between(repository: Repository, commit_a: str, commit_b: str, *, limit: int) -> tuple[str, ...]:
    """Subjects of the first parents of b that are not a, newest first; () where a is not met within the limit."""
    goal, commit = read_state(repository, commit_a), read_state(repository, commit_b)
    subjects: list[str] = []
    while goal is not None and commit is not None and len(subjects) < limit:
        if commit.id == goal.id:
            return tuple(subjects)
        subjects.append(redact_text(commit.subject))
        commit = read_state(repository, commit.parents[0]) if commit.parents else None
    return ()


def _file_changes(repository: Repository, commit_a: str, commit_b: str, limit: int) -> list[Change] | None:
    a, b = read_state(repository, commit_a), read_state(repository, commit_b)
    if a is None or b is None or repository.objects is None:
        return None
    found: list[Change] = []
    for change in compare_trees(repository.objects, a.tree, b.tree):
        of_files = Change(change.path, _unless_tree(change.old), _unless_tree(change.new))
        if of_files.old is not None or of_files.new is not None:
            found.append(of_files)
        if len(found) == limit:
            break
    return sorted(found, key=lambda change: change.path)


def _unless_tree(entry: Entry | None) -> Entry | None:
    return None if entry is not None and entry.is_tree else entry


def _kind(change: Change) -> str:
    if change.old is None:
        return "added"
    return "changed" if change.new is not None else "removed"


def unified_diff(repository: Repository, commit_a: str, commit_b: str, *, limit_bytes: int = 200 << 10) -> str | None:
    """The difference of two commits as text, redacted, cut after a line at `limit_bytes`; None if one is missing."""
    changes = _file_changes(repository, commit_a, commit_b, 10_000)
    if changes is None or repository.objects is None:
        return None
    lines: list[str] = []
    n_left = limit_bytes
    books = notebook_diffs(repository.objects, changes)
    for change in changes:
        for line in _diff_of(repository.objects, change, books.get(change.path)):
            n_left -= len(line.encode("utf-8", "replace")) + 1
            if n_left < 0:
                return redact_text("\n".join([*lines, "... (cut here)", ""]))
            lines.append(line)
    return redact_text("\n".join([*lines, ""])) if lines else ""


def _diff_of(objects: Objects, change: Change, book: BookDiff | None) -> Iterator[str]:
    path = text_of_path(os.fsdecode(change.path))
    if book is not None:
        yield from _book_lines(change, book)
        return
    yield f"diff --git a/{path} b/{path}"
    old, new = _lines(objects, change.old), _lines(objects, change.new)
    if isinstance(old, str) or isinstance(new, str):
        yield old if isinstance(old, str) else str(new)
        return
    before = f"a/{path}" if change.old is not None else "/dev/null"
    after = f"b/{path}" if change.new is not None else "/dev/null"
    yield from difflib.unified_diff(old, new, before, after, lineterm="")


def _book_lines(change: Change, book: BookDiff) -> Iterator[str]:
    """A notebook: its cells in place of the JSON."""
    if not book.lines:
        return
    old, new = (text_of_path(os.fsdecode(path or change.path)) for path in (book.old_path, book.new_path))
    yield f"diff --git a/{old} b/{new}"
    if book.has_heads:
        is_added = change.old is None and book.old_path == change.path
        is_removed = change.new is None and book.new_path == change.path
        yield "--- /dev/null" if is_added else f"--- a/{old}"
        yield "+++ /dev/null" if is_removed else f"+++ b/{new}"
    yield from book.lines


def _lines(objects: Objects, entry: Entry | None) -> list[str] | str:
    """The lines of a file, or a sentence that says why they are not shown."""
    if entry is None:
        return []
    content = read_blob(objects, entry)
    if content is None:
        return "The file is missing or damaged, or is a submodule"
    if b"\0" in content[:8000]:
        return "Binary files differ"
    lines = content.decode("utf-8", "replace").split("\n")
    if len(content) > MAX_DIFF_FILE_BYTES or len(lines) > MAX_DIFF_LINES:
        return "The file is too large to be compared line by line"
    return lines[:-1] if lines[-1] == "" else lines
