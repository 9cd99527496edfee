"""Walk the directories that the user named and ask every adapter what it can read."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import field

from mlbench.dataclass import dataclass
from mlbench.errors import SourceError
from mlbench.ingest.claiming import claimer_of
from mlbench.model import Adapter, Claim, Listing, Problem
from mlbench.wire import patience
from mlbench.wire.mapping import MAPPING_NAME

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


@dataclass(frozen=True, slots=True)
class FolderScan:
    """What one folder holds."""

    listing: Listing
    claims: tuple[Claimed, ...]
    problems: tuple[Problem, ...]
    """Of entries that look like logs and are no files."""

    @property
    def closed(self) -> frozenset[str]:
        """Paths that an adapter reads whole."""
        return frozenset(claimed.claim.path for claimed in self.claims if claimed.claim.is_closed)


@dataclass(slots=True)
class Scan:
    """What one walk found."""

    root: str
    keeps_folders: bool = True
    """Else what is known of a folder goes once it was asked about: nobody will look for what has changed in it."""
    folders: dict[str, FolderScan] = field(default_factory=dict)
    """By real path, in the order of the walk; none where they are not kept."""
    unreadable: list[Problem] = field(default_factory=list)
    """Folders that could not be listed."""
    _claims: list[Claimed] = field(default_factory=list)
    _problems: list[Problem] = field(default_factory=list)
    """Of folders that are not kept."""

    def add(self, folder: FolderScan) -> None:
        """Take what was found in a folder."""
        if self.keeps_folders:
            self.folders[folder.listing.path] = folder
        else:
            self._claims += folder.claims
            self._problems += folder.problems

    @property
    def claims(self) -> list[Claimed]:
        """Of all folders."""
        return [*self._claims, *(claimed for folder in self.folders.values() for claimed in folder.claims)]

    @property
    def problems(self) -> list[Problem]:
        """Of the walk itself."""
        kept = (problem for folder in self.folders.values() for problem in folder.problems)
        return [*self.unreadable, *self._problems, *kept]

    def let_go(self) -> None:
        """Forget the claims, where folders are not kept: from now on the runs have them."""
        self._claims.clear()


def real_root(path: str) -> str:
    """The real path of a directory named on the command line.

    Raises:
        SourceError: it does not exist, is no directory or may not be read.
        UnansweredError: it hangs, and was set aside.
    """
    patience.enter(os.path.abspath(os.path.expanduser(path)))
    real = os.path.realpath(os.path.expanduser(path))
    if not os.path.exists(real):
        raise SourceError(f"{path}: no such directory. Try: mlbench ingest DIR, with a DIR that holds logs")
    if not os.path.isdir(real):
        raise SourceError(f"{path}: not a directory. Try: mlbench ingest {os.path.dirname(path) or '.'}")
    if not os.access(real, os.R_OK | os.X_OK):
        raise SourceError(f"{path}: permission denied. Try: ls -ld {path}, to see who may read it")
    return real


@dataclass(slots=True)
class Walk:
    """A walk that can be left and gone on with."""

    scan: Scan
    """What was found so far."""
    _folders: Iterator[FolderScan]
    _on_folder: Callable[[int, int], None]
    _n_folders: int = 0
    _n_claims: int = 0

    def go_on(self, is_enough: Callable[[FolderScan], bool]) -> bool:
        """Walk until a folder is the last one needed now; whether that was all of it."""
        for folder in self._folders:
            self.scan.add(folder)
            self._n_folders += 1
            self._n_claims += len(folder.claims)
            self._on_folder(self._n_folders, self._n_claims)
            if is_enough(folder):
                return False
        return True


def begin_walk(
    root: str, adapters: Sequence[Adapter], *, on_folder: Callable[[int, int], None] = lambda _folders, _claims: None,
    mappings: tuple[str, ...] = (), keeps_folders: bool = True,
) -> Walk:  # fmt: skip
    """Be about to walk `root` (a real path), each folder at most once whatever links say.

    Args:
        root: real path of a directory.
        adapters: asked about every folder, in this order.
        on_folder: called with the folders and claims so far, for progress.
        mappings: paths of the user's mappings that hold everywhere.
        keeps_folders: of the scan.
    """
    scan = Scan(root, keeps_folders)
    return Walk(scan, walk(root, adapters, scan.unreadable, mappings), on_folder)


def scan_root(root: str, adapters: Sequence[Adapter]) -> Scan:
    """Walk `root` (a real path) to the end, with the adapters asked about every folder in this order."""
    whole = begin_walk(root, adapters)
    whole.go_on(lambda _folder: False)
    return whole.scan


def walk(
    root: str, adapters: Sequence[Adapter], unreadable: list[Problem], mappings: tuple[str, ...] = ()
) -> Iterator[FolderScan]:
    """Folders top down; what cannot be listed is added to `unreadable`. `mappings` hold in `root` and below."""
    seen: set[tuple[int, int]] = set()
    stack: list[tuple[str, int, tuple[str, ...]]] = [(root, 0, mappings)]
    while stack:
        path, depth, above = stack.pop()
        try:
            patience.enter(path)
        except patience.UnansweredError:
            unreadable.append(Problem(path, patience.WHAT, hint=patience.HINT))
            continue
        if _is_seen(path, seen) or depth > MAX_DEPTH:
            continue
        folder = look_into(path, adapters, unreadable, above)
        if folder is None:
            continue
        yield folder
        hold = mappings_below(folder)
        stack.extend((below, depth + 1, hold) for below in reversed(folders_below(folder)))
        folder.listing.forget()  # what is kept of 10,000 folders weighs a third less


def mappings_below(folder: FolderScan) -> tuple[str, ...]:
    """The user's mappings that hold in the folders below this one, the nearest first."""
    listing = folder.listing
    own = (os.path.join(listing.path, MAPPING_NAME),) if listing.has(MAPPING_NAME) else ()
    return (*own, *listing.mappings_above)


def look_into(
    path: str, adapters: Sequence[Adapter], unreadable: list[Problem], mappings: tuple[str, ...] = ()
) -> FolderScan | None:
    """List one folder and ask every adapter about it; None where it cannot be listed, or a file in it hangs.

    What the user's mappings name, only their adapter gets.
    """
    patience.refused()
    try:
        files, folders, special = _list_folder(path)
    except OSError as error:
        unreadable.append(Problem(path, f"the folder cannot be read: {error.strerror}", hint="check its permissions"))
        return None
    listing = Listing(path, files, folders, mappings)
    found = [Claimed(adapter.name, claim) for adapter, claim in claimer_of(adapters).claims(listing)]
    if hanging := patience.refused():
        patience.widen(hanging[0], path)
        unreadable.append(Problem(path, patience.WHAT, os.path.basename(hanging[0]), patience.HINT))
        return None
    mapped = {claimed.claim.path for claimed in found if claimed.claim.is_mapped}
    if mapped:
        found = [one for one in found if one.claim.is_mapped or one.claim.problem or one.claim.path not in mapped]
    claims = tuple(claimed for claimed in found if claimed.claim.problem is None)
    problems = [claimed.claim.problem for claimed in found if claimed.claim.problem is not None]
    return FolderScan(listing, claims, (*problems, *(_special_problems(path, special, adapters) if special else ())))


def folders_below(folder: FolderScan) -> list[str]:
    """Real paths of the folders to be walked next."""
    path, closed = folder.listing.path, folder.closed
    if path in closed:
        return []
    below = (os.path.join(path, name) for name in folder.listing.folders if name not in SKIPPED_FOLDERS)
    # The folder's own path is real: only a link can lead elsewhere.
    return [_real(path) for path in below if path not in closed]


def _real(path: str) -> str:
    """The real path; of what does not answer the path as it is."""
    return os.path.realpath(path) if patience.answers(path) and os.path.islink(path) else path


def path_below(path: str, folder: str) -> str:
    """`os.path.relpath` of real paths, at a tenth of its cost where one lies below the other."""
    if path == folder:
        return os.curdir
    inside = path.removeprefix(folder.rstrip(os.sep) + os.sep)
    framed = f"{os.sep}{inside}{os.sep}"
    is_plain = inside != path and f"{os.sep}." not in framed and os.sep * 2 not in framed
    return inside if is_plain else os.path.relpath(path, folder)


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
    """Names of regular files (in no order), of folders, and of what is neither (FIFOs, devices, broken links)."""
    files: list[str] = []
    folders: list[str] = []
    special: list[str] = []
    with os.scandir(folder) as entries:
        # Files first, and nothing called that need not be: a folder of images may have a million entries.
        for entry in entries:
            try:
                kind = files if entry.is_file() else folders if entry.is_dir() else special
            except OSError:
                kind = special
            kind.append(entry.name)
    return tuple(files), tuple(sorted(folders)), tuple(sorted(special))


def _special_problems(folder: str, special: tuple[str, ...], adapters: Sequence[Adapter]) -> Iterator[Problem]:
    """A FIFO or a dangling link with the name of a log is told; others are none of our business."""
    listing = Listing(folder, special, ())
    for path in sorted({claim.path for adapter in adapters for claim in adapter.claims(listing)}):
        is_there = os.path.exists(path)
        what = "this is not a regular file, it was not opened" if is_there else "the link leads nowhere"
        yield Problem(path, what)
