"""Walk the directories that the user named and ask every adapter what it can read."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from mlbench.errors import SourceError
from mlbench.model import Adapter, Claim, Listing, Problem

SKIPPED_FOLDERS = frozenset(
    {".git", ".mlbench", ".venv", "venv", "node_modules", "__pycache__", "site-packages", ".ipynb_checkpoints",
     ".mypy_cache", ".pytest_cache", ".tox", ".trash"}
)  # fmt: skip
MAX_DEPTH = 48
"""Guild has been seen to copy itself 30 levels deep; deeper trees are loops that no inode betrays."""


@dataclass(frozen=True, slots=True)
class Claimed:
    """A claim with the name of the adapter that made it."""

    adapter: str
    claim: Claim


@dataclass(slots=True)
class Scan:
    """What one walk found."""

    root: str
    claims: list[Claimed] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    n_folders: int = 0


def real_root(path: str) -> str:
    """The real path of a directory named on the command line.

    Raises:
        SourceError: it does not exist, is no directory or may not be read.
    """
    real = os.path.realpath(os.path.expanduser(path))
    if not os.path.exists(real):
        raise SourceError(f"{path}: no such directory. Try: mlbench ingest DIR, with a DIR that holds logs")
    if not os.path.isdir(real):
        raise SourceError(f"{path}: not a directory. Try: mlbench ingest {os.path.dirname(path) or '.'}")
    if not os.access(real, os.R_OK | os.X_OK):
        raise SourceError(f"{path}: permission denied. Try: ls -ld {path}, to see who may read it")
    return real


def scan_root(
    root: str, adapters: Sequence[Adapter], *, on_folder: Callable[[int, int], None] = lambda _folders, _claims: None
) -> Scan:
    """Walk `root` (a real path) once, each folder at most once whatever links say.

    Args:
        root: real path of a directory.
        adapters: asked about every folder, in this order.
        on_folder: called with the folders and claims so far, for progress.
    """
    scan = Scan(root)
    for listing, special in _walk(root, scan):
        scan.n_folders += 1
        claimed = [Claimed(adapter.name, claim) for adapter in adapters for claim in adapter.claims(listing)]
        scan.claims.extend(claimed)
        if special:
            scan.problems.extend(_special_problems(listing.path, special, adapters))
        on_folder(scan.n_folders, len(scan.claims))
    return scan


def _walk(root: str, scan: Scan) -> Iterator[tuple[Listing, tuple[str, ...]]]:
    """Folders top down; after each, the caller's claims are in `scan` and say what not to enter."""
    seen: set[tuple[int, int]] = set()
    stack: list[tuple[str, int]] = [(root, 0)]
    while stack:
        folder, depth = stack.pop()
        if _is_seen(folder, seen) or depth > MAX_DEPTH:
            continue
        try:
            files, folders, special = _list_folder(folder)
        except OSError as error:
            scan.problems.append(
                Problem(folder, f"the folder cannot be read: {error.strerror}", hint="check its permissions")
            )
            continue
        n_before = len(scan.claims)
        yield Listing(folder, files, folders), special
        closed = {claimed.claim.path for claimed in scan.claims[n_before:] if claimed.claim.is_closed}
        if folder in closed:
            continue
        below = (os.path.join(folder, name) for name in reversed(folders) if name not in SKIPPED_FOLDERS)
        stack.extend((os.path.realpath(path), depth + 1) for path in below if path not in closed)


def _is_seen(folder: str, seen: set[tuple[int, int]]) -> bool:
    try:
        status = os.stat(folder)
    except OSError:
        return False
    mark = (status.st_dev, status.st_ino)
    if mark in seen:
        return True
    seen.add(mark)
    return False


def _list_folder(folder: str) -> tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]:
    """Names of regular files, of folders, and of what is neither (FIFOs, devices, broken links)."""
    files: list[str] = []
    folders: list[str] = []
    special: list[str] = []
    with os.scandir(folder) as entries:
        for entry in entries:
            _sort_entry(entry, files, folders, special)
    return tuple(sorted(files)), tuple(sorted(folders)), tuple(sorted(special))


def _sort_entry(entry: os.DirEntry[str], files: list[str], folders: list[str], special: list[str]) -> None:
    try:
        is_folder, is_file = entry.is_dir(), entry.is_file()
    except OSError:
        is_folder, is_file = False, False
    (folders if is_folder else files if is_file else special).append(entry.name)


def _special_problems(folder: str, special: tuple[str, ...], adapters: Sequence[Adapter]) -> Iterator[Problem]:
    """A FIFO or a dangling link with the name of a log is told; others are none of our business."""
    listing = Listing(folder, special, ())
    for path in sorted({claim.path for adapter in adapters for claim in adapter.claims(listing)}):
        what = "the link leads nowhere" if os.path.islink(path) else "this is not a regular file, it was not opened"
        yield Problem(path, what)
