"""The corridor from disk to catalog: scan, plan, read, commit."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from functools import partial

from mlbench import journal, safe
from mlbench.adapters import load_adapters
from mlbench.catalog.connection import WORK_FILE, DamagedCatalogError
from mlbench.catalog.writer import Writer, open_writer
from mlbench.errors import HomeError, SourceError
from mlbench.ingest.identity import Unit
from mlbench.ingest.ingesting import Ingest
from mlbench.ingest.mapped import mapping_path
from mlbench.ingest.plan import is_inside
from mlbench.ingest.progress import Progress, Summary
from mlbench.ingest.scan import FolderScan, Scan, Walk, begin_walk, real_root
from mlbench.ingest.survey import Survey, Surveyor, begin_survey
from mlbench.ingest.thrift import share_one_arena
from mlbench.ingest.workers import MIN_FORK_BYTES, Workers, event_bytes, will_fork
from mlbench.paths import Home
from mlbench.wire.patience import WHAT, LeavingError, Patience, UnansweredError, is_folder, look_after


def ingest_paths(
    home: Home,
    paths: Sequence[str],
    *,
    progress: Callable[[Progress], None] = lambda _progress: None,
    is_cancelled: Callable[[], bool] = lambda: False,
    rebuild: bool = False,
    wait_s: float = 10.0,
    scanner: Scanner | None = None,
    is_shown: bool = False,
) -> Summary:
    """Read what is new below the paths into the catalog.

    Args:
        home: where catalog and journal are; created if missing.
        paths: directories; with `rebuild`, none means all that were ever named.
        progress: called often, in this thread.
        is_cancelled: asked between runs; what was read by then is kept.
        rebuild: forget the catalog first and read everything again.
        wait_s: how long to wait for another process that writes.
        scanner: what is known of the roots already; by default they are walked.
        is_shown: somebody waits to see the first runs, so that they are published soon.

    Of a directory that was ingested and is gone the runs are marked as missing, with their words; that it is gone is
    an error of the summary. What hangs is set aside and told as a problem (`wire/patience.py`).

    Raises:
        SourceError: no path can be read, and none was ever ingested.
        HomeError: the home cannot be written, or another process writes it for too long.
    """
    summary = Summary()
    share_one_arena()
    scanner = scanner or Scanner(progress, is_cancelled)
    look_after()
    try:
        given = _real_roots(paths, summary, scanner.patience)
        if not given and summary.errors and not rebuild and not _was_ingested(home, paths, scanner.patience):
            raise SourceError("\n".join(summary.errors))
        asked = (home, given, scanner)
        _ingest(*asked, summary, progress, is_cancelled, rebuild=rebuild, wait_s=wait_s, is_shown=is_shown)
    except DamagedCatalogError as damage:
        # Its file has been moved aside: all is read again into a new one, once.
        summary = Summary(talk=[str(damage).partition(". Try")[0]])
        _ingest(*asked, summary, progress, is_cancelled, rebuild=True, wait_s=wait_s, is_shown=is_shown)
    except LeavingError:
        summary.was_cancelled = True
    finally:
        scanner.patience.rest()
    return summary


def _ingest(
    home: Home, given: list[str], scanner: Scanner, summary: Summary, progress: Callable[[Progress], None],
    is_cancelled: Callable[[], bool], *, rebuild: bool, wait_s: float, is_shown: bool,
) -> None:  # fmt: skip
    known = journal.replay(home).roots
    workers = Workers()
    survey = surveyor = None
    try:
        if not os.path.exists(os.path.join(home.cache, WORK_FILE)):
            asked = _outermost(given, [*known, *given])
            n_bytes = _weigh(asked, scanner, MIN_FORK_BYTES)
            scanner.patience.rest()  # a process with threads does not fork
            if not rebuild and not scanner.keeps_folders and will_fork(n_bytes):
                surveyor = begin_survey(scanner.walk, asked, _all_roots(known, given))
            workers.start(n_bytes, may_fork=True)
            survey = scanner.wait_for(surveyor) if surveyor else None
            for root in asked if survey is None else ():
                scanner.scan(root)
        with open_writer(home, wait_s=wait_s) as writer:
            summary.talk += writer.talk
            if rebuild or writer.must_rebuild:
                given = _everything(writer, known, given, summary, scanner.patience)
                writer.clear()
            roots = _remember_roots(home, known, given)
            scanned = _outermost(given, roots)
            summary.roots = tuple(given)
            if survey and not (writer.is_blank and (survey.roots, survey.named_from) == (scanned, roots)):
                survey = None  # another process has made a catalog meanwhile
            scans = survey.scans if survey else [scanner.scan(root) for root in scanned]
            scanner.let_go()
            ingest = Ingest(
                home, writer, roots, summary, progress, is_cancelled, workers, scanner.patience, is_shown=is_shown,
                is_once=not scanner.keeps_folders,
            )  # fmt: skip
            scanner.units = ingest.run(scans, survey)
    finally:
        workers.close()
        if surveyor:
            surveyor.close()  # by now it has ended


def _weigh(roots: Sequence[str], scanner: Scanner, enough_bytes: int) -> int:
    """What the logs below the roots weigh, or enough; the walk is left there, so that little is known when forking."""
    n_bytes = 0
    for root in roots:
        if n_bytes < enough_bytes:
            n_bytes += scanner.weigh(root, enough_bytes - n_bytes)
    return n_bytes


def ingest_changed(home: Home, scanner: Scanner, units: Sequence[Unit], *, wait_s: float = 0.0) -> Summary:
    """Read what has come into the files of known runs; nothing else is looked at.

    Args:
        home: whose catalog holds the runs.
        scanner: with the roots that hold them.
        units: the runs.
        wait_s: how long to wait for another process that writes.

    Raises:
        HomeError: as `ingest_paths` does.
    """
    summary = Summary(roots=tuple(scanner.scans))
    roots = journal.replay(home).roots
    lost = f"{home.cache}: the catalog has to be read again as a whole"
    try:
        with open_writer(home, wait_s=wait_s) as writer:
            if writer.must_rebuild:
                raise CatalogLostError(lost)
            ingest = Ingest(
                home, writer, roots, summary, lambda _progress: None, scanner.is_cancelled, Workers(), scanner.patience
            )
            ingest.run_some(units)
    except DamagedCatalogError as damage:
        raise CatalogLostError(lost) from damage
    return summary


class CatalogLostError(HomeError):
    """The catalog is empty or half built: only a whole ingest helps."""


class Scanner:
    """Walks each root once in the life of an ingest."""

    keeps_folders = False
    """Somebody looks again, and then needs to know what was there."""

    def __init__(self, progress: Callable[[Progress], None], is_cancelled: Callable[[], bool] = lambda: False) -> None:
        self._progress = progress
        self.is_cancelled = is_cancelled
        self.patience = Patience(is_cancelled)
        self.mapping = mapping_path()
        """Path of the mapping that the settings name, '' for none."""
        self.scans: dict[str, Scan] = {}
        """By root."""
        self.units: list[Unit] = []
        """The runs of the last ingest; without their sources where folders are not kept."""
        self._begun: dict[str, Walk] = {}
        """Walks that were left, by root."""

    def scan(self, root: str) -> Scan:
        """What lies below a root."""
        if root not in self.scans:
            self.patience.until_read(partial(self._walk, root, lambda _folder: False))
        return self.scans[root]

    def weigh(self, root: str, enough_bytes: int) -> int:
        """What the event files and metric files below a root weigh, in bytes; it is walked no further than enough."""
        n_bytes = 0

        def is_enough(folder: FolderScan) -> bool:
            nonlocal n_bytes
            n_bytes += event_bytes(claimed.claim for claimed in folder.claims)
            return n_bytes >= enough_bytes

        def work() -> int:
            nonlocal n_bytes
            n_bytes = 0
            self._walk(root, is_enough)
            return n_bytes

        return self.patience.until_read(work)

    def walk(self, roots: Sequence[str], on_folders: Callable[[int], None]) -> list[Scan]:
        """Walk roots in the place of this scanner: in a process that is its twin."""
        self._progress = lambda progress: on_folders(progress.n_done)
        return [self.scan(root) for root in roots]

    def wait_for(self, surveyor: Surveyor) -> Survey | None:
        """What a process that walks has found; what was walked here before it was forked is let go of.

        Raises:
            LeavingError: it was cancelled.
        """
        self._begun.clear()
        return surveyor.wait(lambda n_folders: self._progress(Progress("scan", n_folders)), self.is_cancelled)

    def let_go(self) -> None:
        """Forget what was found, where folders are not kept: it is walked anew when it is asked for."""
        if not self.keeps_folders:
            self.scans.clear()

    def _walk(self, root: str, is_enough: Callable[[FolderScan], bool]) -> None:
        """Walk on, or anew: a walk that hangs stays with the thread that does."""
        walk = self._begun.pop(root, None)
        if walk is None:
            walk = begin_walk(
                root, load_adapters(), on_folder=self._tell, mappings=(self.mapping,) if self.mapping else (),
                keeps_folders=self.keeps_folders,
            )  # fmt: skip
        if walk.go_on(is_enough):
            self.scans[root] = walk.scan
        else:
            self._begun[root] = walk

    def _tell(self, n_folders: int, _n_claims: int) -> None:
        if n_folders % 64 == 1:
            self._progress(Progress("scan", n_folders))


def _everything(
    writer: Writer, known: Sequence[str], given: Sequence[str], summary: Summary, patience: Patience
) -> list[str]:
    """All roots that were ever named, by the journal or, where that has lost them, by the catalog itself.

    Raises:
        SourceError: there is none, and so nothing to build a catalog from.
    """
    stored = [safe.path_of_text(row[0]) for row in writer.rows("SELECT DISTINCT root FROM run ORDER BY root")]
    found = list(dict.fromkeys([*known, *stored, *given]))
    gone = [root for root in found if not is_folder(root, patience)]
    summary.talk += [f"{root}: no such directory any more; its runs are left out" for root in gone]
    if len(gone) == len(found):
        raise SourceError("no directory is known to build the catalog from. Try: mlbench ingest DIR")
    return [root for root in found if root not in gone]


def _was_ingested(home: Home, paths: Iterable[str], patience: Patience) -> bool:
    """Whether one of these directories is gone that was ingested before."""
    known = set(journal.replay(home).roots)
    places = [_place_of(path, patience) for path in paths]
    return any(place in known and not is_folder(place, patience) for place in places)


def _place_of(path: str, patience: Patience) -> str:
    expanded = os.path.expanduser(path)
    try:
        return patience.until_read(lambda: os.path.realpath(expanded))
    except UnansweredError:
        return expanded


def _real_roots(paths: Iterable[str], summary: Summary, patience: Patience) -> list[str]:
    found: list[str] = []
    for path in dict.fromkeys(paths):
        try:
            found.append(patience.until_read(partial(real_root, path)))
        except UnansweredError:
            summary.errors.append(f"{path}: {WHAT}. Try: ls {path}")
        except SourceError as error:
            summary.errors.append(str(error))
    return list(dict.fromkeys(found))


def _remember_roots(home: Home, known: Sequence[str], given: Sequence[str]) -> list[str]:
    """Names are told from the first mentioned root, so that they stay the same whatever is ingested later."""
    roots = _all_roots(known, given)
    new = roots[len(known) :]
    if new:
        with journal.open_journal(home) as words:
            for root in new:
                words.root(root)
    return roots


def _all_roots(known: Sequence[str], given: Sequence[str]) -> list[str]:
    return [*known, *(root for root in given if root not in known)]


def _outermost(given: Sequence[str], roots: Sequence[str]) -> list[str]:
    """A folder inside a known root is scanned with the whole of it: what a run is may depend on what lies around."""
    chosen = {max((r for r in roots if is_inside(root, r)), key=lambda r: -len(r), default=root) for root in given}
    return sorted(root for root in chosen if not any(root != other and is_inside(root, other) for other in chosen))
