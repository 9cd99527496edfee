"""Which files of Git LFS a run read: the pointers in the commit it was made from, and those it names on the disk."""

from __future__ import annotations

import hashlib
import os
import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import field
from itertools import islice
from typing import TYPE_CHECKING

from mlbench import model, safe
from mlbench.dataclass import dataclass
from mlbench.ingest.draft import COMMIT_KEYS
from mlbench.wire import gitlfs, gitrepo
from mlbench.wire.gitlfs import Pointer
from mlbench.wire.patience import answers

if TYPE_CHECKING:
    from mlbench.ingest.code import Repositories
    from mlbench.ingest.draft import Draft

IN_COMMIT = "in its commit"
"""The role of a file that the run does not name: it was there."""
MAX_LISTED = 32
"""Files of one commit that a run lists one by one; of more each folder is one version."""
MAX_NAMED = 32
"""Of one run's texts that are looked for: what names data is among the first."""
_NAME = re.compile(r"[^\0:;*?<>|'\"=,(){}\[\]$\n]{1,1024}")
MAX_REALS = 100_000
_PATH = re.compile(r"[^\s\0:;*?<>|'\"=,(){}\[\]$]{1,1024}")
"""Addresses, which have a colon, lists and formulas are none."""
_PATH_KEY = re.compile(r"(?:path|file|dir|folder|root|data|dataset|csv|weights|checkpoint|ckpt)s?$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class CommitFiles:
    """The pointers of one commit."""

    pointers: Mapping[str, Pointer]
    """By path."""
    names: tuple[str, ...]
    """Their paths, sorted."""

    def below(self, name: str) -> dict[str, Pointer]:
        """The pointer at a path, or those in the folder; nothing for the top itself."""
        if name in self.pointers:
            return {name: self.pointers[name]}
        first, last = (bisect_left(self.names, name + end) for end in ("/", "0"))  # "0" comes next to "/"
        return {path: self.pointers[path] for path in self.names[first:last]} if name else {}


_NOTHING = CommitFiles({}, ())


@dataclass(slots=True)
class LfsStore:
    """The pointers met in one ingest; each commit is read once."""

    commits: dict[tuple[str, str], CommitFiles] = field(default_factory=dict)
    """By repository and commit."""
    rests: dict[tuple[object, ...], tuple[model.DataVersion, ...]] = field(default_factory=dict)
    """What the runs of one commit, that name the same, say of the files they do not name."""

    reals: dict[tuple[str, str], str] = field(default_factory=dict)
    """What is at a path that many runs name, tried from a folder that they share; '' for nothing."""

    def real(self, base: str, text: str) -> str:
        """The real path of what is there, '' where nothing is."""
        key = (base, text)
        if key not in self.reals:
            if len(self.reals) >= MAX_REALS:
                self.reals.clear()
            self.reals[key] = _real(base, text)
        return self.reals[key]

    def at(self, repository: gitrepo.Repository, commit_id: str) -> CommitFiles:
        """All pointers of a commit; none where the commit is not in this clone."""
        key = (repository.folder.path, commit_id)
        if key not in self.commits:
            commit, objects = gitrepo.read_state(repository, commit_id), repository.objects
            is_used = commit and objects and gitlfs.uses_lfs(objects, repository.folder.common, commit.tree)
            found = gitlfs.pointers_below(objects, commit.tree) if commit and objects and is_used else {}
            self.commits[key] = CommitFiles(found, tuple(sorted(found))) if found else _NOTHING
        return self.commits[key]


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a run stands in its repository."""

    top: str
    """Real path of the work tree; '' where there is no repository."""
    commit: str
    files: CommitFiles
    is_pinned: bool

    def inside(self, path: str) -> str:
        """A path below the top, with slashes; '' for what lies elsewhere, and for the top itself."""
        return path[len(self.top) + 1 :] if self.top and path.startswith(self.top + os.sep) else ""


def attribute_lfs(
    draft: Draft, repositories: Repositories, store: LfsStore, known: Iterable[str]
) -> tuple[model.DataVersion, ...]:
    """The versions of the files and folders in Git LFS that a run names, and of the others in its commit.

    Args:
        draft: the run, its code attributed.
        repositories: those met so far.
        store: the pointers met so far.
        known: the names of data whose version the run recorded itself.
    """
    place = _place_of(draft, repositories, store)
    taken = set(known)
    found: dict[str, model.DataVersion] = {}
    seen: set[str] = set()
    for path in _paths(draft, place, store):
        name = place.inside(path)
        below = place.files.below(name)
        seen.update(below)
        if below:
            found[name] = _version(name, below, is_pinned=place.is_pinned)
        elif pointer := gitlfs.pointer_in_file(path):
            # No commit says what it was when the run began: it may have been fetched anew since.
            name = name or os.path.basename(path)
            found.setdefault(name, _version(name, {name: pointer}, is_pinned=False))
    rest = _rest(draft, store, place, seen) if place.files.names else ()
    return tuple(one for one in (*found.values(), *rest) if taken.isdisjoint({one.name, os.path.basename(one.name)}))


def _place_of(draft: Draft, repositories: Repositories, store: LfsStore) -> _Place:
    """By the commit that the run recorded, else by the one attributed to it."""
    states = [fact for _member, _path, fact in draft.of_kind(model.GitState) if fact.commit]
    if not states:
        params = [fact for _m, _p, fact in draft.of_kind(model.Param) if fact.key in COMMIT_KEYS and fact.value]
        states = [model.GitState(str(fact.value), "recorded") for fact in params]
    state = next(iter(states), draft.code)
    folder = os.path.dirname(draft.unit.folder) if draft.unit.is_own_file else draft.unit.folder
    recorded = safe.path_of_text(state.repository) if state else ""
    is_there = recorded and answers(recorded) and os.path.isdir(recorded)
    repository = repositories.around(recorded if is_there else folder)
    top = os.path.realpath(repository.folder.path) if repository else ""
    files = store.at(repository, state.commit) if repository and state else _NOTHING
    return _Place(top, state.commit if state else "", files, is_pinned=state is not None and state.how != "guess")


# ---------------------------------------------------------------- what the run names


def _paths(draft: Draft, place: _Place, store: LfsStore) -> Iterator[str]:
    """Paths that are named, tried from where the run was started, its folder, the root and the repository.

    What is gone from the disk may still be in the commit.
    """
    started_in = [fact.value for _m, _p, fact in draft.of_kind(model.Environment) if fact.key == "cwd"]
    bases = [safe.path_of_text(base) for base in started_in if os.path.isabs(base)]
    bases = list(dict.fromkeys(filter(None, [*bases, draft.unit.folder, draft.root, place.top])))
    seen: set[str] = set()
    named = islice(_named(draft, with_words=bool(place.files.names)), MAX_NAMED)
    for text in dict.fromkeys(named):  # dumps and hparams say the same
        for base in bases:
            path = _real(base, text) if base == draft.unit.folder else store.real(base, text)
            if not path and place.files.names:
                path = os.path.normpath(os.path.join(base, os.path.expanduser(text)))
            if path and path not in seen:
                seen.add(path)
                yield path


def _real(base: str, text: str) -> str:
    """The real path of what is there, '' where nothing is."""
    joined = os.path.join(base, os.path.expanduser(text) if text[0] == "~" else text)
    return os.path.realpath(joined) if answers(joined) and os.path.lexists(joined) else ""


def _named(draft: Draft, *, with_words: bool) -> Iterator[str]:
    """Texts that may be paths: of parameters and lists of them, and of the command's words."""
    for key, value in draft.worded:
        if isinstance(value, str):
            if _is_path(value) or (with_words and _is_word(key, value)):
                yield value
        else:
            yield from (text for text in value[:MAX_NAMED] if isinstance(text, str) and _is_path(text))
    command = draft.recorded("command")
    for word in command.split()[:1000] if isinstance(command, str) else ():
        for part in (word, word.partition("=")[2]):
            if _is_path(bare := part.strip("'\"")):
                yield bare


def _is_path(text: str) -> bool:
    return ("/" in text or "." in text) and _PATH.fullmatch(text) is not None


def _is_word(key: str, text: str) -> bool:
    """A bare word may be one too, under a key that says so."""
    return _PATH_KEY.search(key) is not None and _NAME.fullmatch(text) is not None


# ---------------------------------------------------------------- versions


def _version(name: str, files: Mapping[str, Pointer], *, is_pinned: bool, role: str = "") -> model.DataVersion:
    """Of one file its own hash; of a folder the hash of the sorted list of its files."""
    size = sum(pointer.size_bytes for pointer in files.values())
    if set(files) == {name}:
        version = files[name].oid
    else:
        lines = "".join(f"{pointer.oid} {path.removeprefix(name + '/')}\n" for path, pointer in sorted(files.items()))
        version = hashlib.sha256(os.fsencode(lines)).hexdigest() + ".dir"
    return model.DataVersion(
        "git-lfs", safe.text_of_path(name), version, is_pinned=is_pinned, role=role, size_bytes=min(size, (1 << 63) - 1)
    )


def _rest(draft: Draft, store: LfsStore, place: _Place, named: set[str]) -> tuple[model.DataVersion, ...]:
    """What the run does not name; without what lies among the runs, which trainings made: logs and checkpoints.

    Files one by one where they are few, else one version for each folder at the top.
    """
    folders = {draft.root, os.path.dirname(draft.unit.folder), draft.unit.folder}
    made = tuple(sorted(f"{inside}/" for folder in folders if (inside := place.inside(os.path.realpath(folder)))))
    key = (place.top, place.commit, place.is_pinned, made, tuple(sorted(named)))
    if key not in store.rests:
        paths = [path for path in place.files.names if path not in named and not path.startswith(made)]
        groups: dict[str, dict[str, Pointer]] = {}
        for path in paths:
            name = path if len(paths) <= MAX_LISTED else path.partition("/")[0]
            groups.setdefault(name, {})[path] = place.files.pointers[path]
        chosen = list(groups.items())[:MAX_LISTED]
        store.rests[key] = tuple(_version(*one, is_pinned=place.is_pinned, role=IN_COMMIT) for one in chosen)
    return store.rests[key]
