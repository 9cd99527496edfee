"""Check both checksums of every record of every event file of whole trees. No catalog, nothing is written."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import field
from typing import TYPE_CHECKING, BinaryIO

from mlbench.adapters import tensorboard
from mlbench.dataclass import dataclass
from mlbench.errors import SourceError
from mlbench.ingest.scan import real_root, scan_root
from mlbench.wire.files import LFS_MAGIC, is_lfs_pointer, open_regular
from mlbench.wire.tfrecord import BadLength, BadPayload, Truncated, Unfinished, read_records

if TYPE_CHECKING:
    from mlbench.wire.tfrecord import Item

MAX_PLACES = 1000
"""Damaged places of one file that are listed; the rest is counted."""
_RECORDS_BETWEEN = 8192
"""Records between two words of progress: a few milliseconds."""


@dataclass(frozen=True, slots=True)
class Damage:
    """One place that does not check."""

    path: str
    kind: str
    """`length`, `payload`, `unfinished`, `truncated`, `unreadable`, or `more` for the places beyond `MAX_PLACES`."""
    offset: int | None
    """Where the record begins, in bytes; None where it is not a place in the file."""
    size_bytes: int | None
    """From there to the next record that checks, or to the end of the file."""
    what: str

    @property
    def is_normal(self) -> bool:
        """A file that ends within a record is being written, or its writer was killed: nothing before it is lost."""
        return self.kind == "truncated"


@dataclass(slots=True)
class Checked:
    """What was checked, and what was found."""

    n_total: int = 0
    """Files to be checked."""
    n_files: int = 0
    n_records: int = 0
    """Those that check, and those whose payload alone does not."""
    n_bytes: int = 0
    places: list[Damage] = field(default_factory=list)
    n_unlisted: int = 0
    """Damaged places beyond `MAX_PLACES` of a file."""

    @property
    def n_damaged(self) -> int:
        """Places that do not check, truncated ends left out."""
        return sum(not place.is_normal and place.kind != "more" for place in self.places) + self.n_unlisted

    @property
    def n_truncated(self) -> int:
        return sum(place.is_normal for place in self.places)


def check_paths(paths: Sequence[str], *, on_progress: Callable[[Checked], None] = lambda _checked: None) -> Checked:
    """Check event files, and all event files below directories, each once.

    Args:
        paths: of files, whatever their names, and of directories.
        on_progress: called often with what has been checked so far.

    Raises:
        SourceError: a path does not exist, or is a directory that may not be read.
    """
    checked = Checked()
    files = _files_of(paths, checked)
    checked.n_total = len(files)
    for path in files:
        _check_file(path, checked, on_progress)
        checked.n_files += 1
        on_progress(checked)
    return checked


def _files_of(paths: Sequence[str], checked: Checked) -> list[str]:
    found: dict[str, None] = {}
    for path in paths:
        real = os.path.realpath(os.path.expanduser(path))
        if not os.path.lexists(real):
            raise SourceError(f"{path}: no such file or directory. Try: mlbench doctor --crc DIR, with logs in DIR")
        if not os.path.isdir(real):
            found[real] = None
            continue
        scan = scan_root(real_root(path), [tensorboard.ADAPTER])
        checked.places += [Damage(problem.path, "unreadable", None, None, problem.what) for problem in scan.problems]
        found.update(dict.fromkeys(os.path.realpath(claimed.claim.path) for claimed in scan.claims))
    return list(found)


def _check_file(path: str, checked: Checked, on_progress: Callable[[Checked], None]) -> None:
    n_unlisted = 0
    first_unlisted = None
    for n_before, damage in enumerate(_damage_of(path, checked, on_progress)):
        if n_before < MAX_PLACES:
            checked.places.append(damage)
        else:
            n_unlisted += 1
            first_unlisted = first_unlisted or damage.offset
    if n_unlisted:
        checked.n_unlisted += n_unlisted
        what = f"from here on {n_unlisted:,} more damaged places are not listed"
        checked.places.append(Damage(path, "more", first_unlisted, None, what))


def _damage_of(path: str, checked: Checked, on_progress: Callable[[Checked], None]) -> Iterator[Damage]:
    try:
        with open_regular(path) as file:
            if is_lfs_pointer(file.read(len(LFS_MAGIC))):
                what = "a Git LFS pointer stands here in place of the file"
                yield Damage(path, "unreadable", None, None, what)
            else:
                yield from _damage_in(path, file, checked, on_progress)
    except OSError as error:
        what = f"the file cannot be read: {error.strerror or 'it is not a regular file'}"
        yield Damage(path, "unreadable", None, None, what)


def _damage_in(path: str, file: BinaryIO, checked: Checked, on_progress: Callable[[Checked], None]) -> Iterator[Damage]:
    bytes_before = checked.n_bytes
    broken_at: int | None = None
    for item in _items(file):
        if isinstance(item, BadLength):
            # Told again and again while the next record is looked for.
            broken_at = item.offset if item.resumed_at is None else None
            if item.resumed_at is not None:
                yield _bad_length(path, item.offset, item.resumed_at)
        elif isinstance(item, Truncated):
            what = "the file ends within this record: it is being written, or its writer was stopped"
            yield Damage(path, "truncated", item.offset, _size_of(file) - item.offset, what)
        elif isinstance(item, Unfinished):
            what = "this record was begun and not finished: another one begins within it"
            yield Damage(path, "unfinished", item.offset, item.end - item.offset, what)
        else:
            checked.n_records += 1
            if isinstance(item, BadPayload):
                what = "the payload does not match its checksum"
                yield Damage(path, "payload", item.offset, item.end - item.offset, what)
        if checked.n_records % _RECORDS_BETWEEN == 0 or isinstance(item, BadLength):
            checked.n_bytes = bytes_before + item.offset
            on_progress(checked)
    if broken_at is not None:
        yield _bad_length(path, broken_at, _size_of(file))
    checked.n_bytes = bytes_before + _size_of(file)


def _items(file: BinaryIO) -> Iterator[Item]:
    """The records of a file, from its start to its present end."""
    return read_records(file)


def _size_of(file: BinaryIO) -> int:
    return os.fstat(file.fileno()).st_size


def _bad_length(path: str, offset: int, resumed_at: int) -> Damage:
    what = "no record begins here: the length does not match its checksum"
    return Damage(path, "length", offset, resumed_at - offset, what)
