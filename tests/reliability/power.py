"""Power cuts: what a process wrote is recorded, and replayed to disks on which only part of it arrived.

What a disk holds after a power cut is what was synced, and any part of the rest. Two models of that part:

`ext4`: names come into being in the order in which they were made, and a sync of anything brings all names before it;
bytes that make a file longer arrive from the front; bytes within the file arrive page by page, in any order.

`strict`: every name and every page of 4 KiB arrives or not, whatever was before it; only the sync of a folder brings its
names, and a rename into another folder may arrive in one of them alone. The length of a file is known without its bytes.

In both the last page that arrives may be torn at any sector of 512 bytes.
"""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

PAGE, SECTOR = 4096, 512
MARKS = "marks"
"""File in the recorded folder: what is written to it is no part of the disk but says what was acknowledged by then."""


@dataclass(frozen=True, slots=True)
class Op:
    kind: str
    inode: int
    offset: int
    path: str
    other: str
    content: bytes


def build(folder: Path, name: str = "recorder") -> Path | None:
    """One of the libraries to preload; None where there is no C compiler or no Linux."""
    compiler = shutil.which("cc")
    if compiler is None or not sys.platform.startswith("linux"):
        return None
    library, source = folder / f"{name}.so", Path(__file__).with_name(f"{name}.c")
    command = [compiler, "-shared", "-fPIC", "-O1", "-w", "-o", str(library), str(source), "-ldl"]
    subprocess.run(command, check=True, capture_output=True)
    return library


def recorded(library: Path, folder: Path, command: Sequence[str]) -> list[Op]:
    """What a command does to the files of a folder, in order.

    Raises:
        CalledProcessError: it failed.
    """
    trace = folder.parent / "trace"
    trace.unlink(missing_ok=True)
    environment = os.environ | {
        "LD_PRELOAD": str(library), "MLBENCH_RECORD_FOLDER": str(folder.resolve()),
        "MLBENCH_RECORD_TRACE": str(trace), "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
    }  # fmt: skip
    subprocess.run(command, env=environment, check=True, capture_output=True)
    return list(_read(trace.read_bytes()))


def _read(trace: bytes) -> Iterator[Op]:
    at = 0
    while at < len(trace):
        end = trace.index(b"\n", at)
        kind, *numbers = trace[at:end].split()
        inode, offset, length, n_path, n_other = map(int, numbers)
        parts = []
        for size in (n_path, n_other, length):
            parts.append(trace[end + 1 : end + 1 + size])
            end += size
        yield Op(kind.decode(), inode, offset, parts[0].decode(), parts[1].decode(), parts[2])
        at = end + 1


# ---------------------------------------------------------------- what the process saw, and what is sure


@dataclass(slots=True)
class File:
    """An inode: what is sure of it, and the changes that are not."""

    sure: bytearray = field(default_factory=bytearray)
    unsure: list[Op] = field(default_factory=list)
    """Writes and cuts since the last sync."""

    def sync(self) -> None:
        for op in self.unsure:
            _apply(self.sure, op)
        self.unsure = []


@dataclass(frozen=True, slots=True)
class Entry:
    """A change of a name: it leads to a file, a link or a folder from now on, or (None) to nothing."""

    path: str
    target: File | str | None
    """The text of a link, FOLDER for a folder."""
    step: int
    """Changes of one step are one operation where the model keeps it whole."""


FOLDER = "/"


@dataclass(slots=True)
class Disk:
    """The recorded operations up to some place, applied."""

    is_strict: bool
    seen: dict[str, File | str] = field(default_factory=dict)
    """Names as the process sees them."""
    sure: dict[str, File | str] = field(default_factory=dict)
    unsure: list[Entry] = field(default_factory=list)
    marks: list[str] = field(default_factory=list)
    _inodes: dict[int, File] = field(default_factory=dict)
    _step: int = 0

    def apply(self, op: Op) -> None:
        if os.path.basename(op.path) == MARKS:
            self.marks += op.content.decode().split()
            return
        self._step += 1
        getattr(self, f"_{op.kind}")(op)

    def _opened(self, op: Op) -> None:
        if op.path not in self.seen:
            self._inodes[op.inode] = File()
            self._name(op.path, self._inodes[op.inode])

    def _truncated(self, op: Op) -> None:
        self._opened(op)
        self._inodes[op.inode].unsure.append(Op("cut", op.inode, 0, op.path, "", b""))

    def _write(self, op: Op) -> None:
        self._inodes[op.inode].unsure.append(op)

    _cut = _write

    def _sync(self, op: Op) -> None:
        if self.seen.get(op.path) == FOLDER or op.inode not in self._inodes:
            self._keep([entry for entry in self.unsure if not self.is_strict or os.path.dirname(entry.path) == op.path])
            return
        self._inodes[op.inode].sync()
        if not self.is_strict:
            self._keep(list(self.unsure))

    def _keep(self, entries: list[Entry]) -> None:
        kept = set(map(id, entries))
        self.unsure = [entry for entry in self.unsure if id(entry) not in kept]
        for entry in entries:
            _point(self.sure, entry)

    def _rename(self, op: Op) -> None:
        target = self.seen[op.path]
        self._name(op.other, target)
        if self.is_strict and os.path.dirname(op.path) != os.path.dirname(op.other):
            self._step += 1
        self._name(op.path, None)

    def _symlink(self, op: Op) -> None:
        self._name(op.path, op.other)

    def _mkdir(self, op: Op) -> None:
        self._name(op.path, FOLDER)

    def _unlink(self, op: Op) -> None:
        self._name(op.path, None)

    def _name(self, path: str, target: File | str | None) -> None:
        entry = Entry(path, target, self._step)
        _point(self.seen, entry)
        self.unsure.append(entry)

    # ------------------------------------------------------------ after the cut

    def write_to(self, folder: Path, root: str, dice: random.Random) -> None:
        """One of the states that the disk may be in after a power cut now, with `folder` in place of `root`."""
        names = dict(self.sure)
        steps = sorted({entry.step for entry in self.unsure})
        if self.is_strict:
            arrived = {step for step in steps if dice.random() < 0.5}
        else:
            arrived = set(steps[: dice.randint(0, len(steps))])
        for entry in self.unsure:
            if entry.step in arrived:
                _point(names, entry)
        contents: dict[int, bytes] = {}
        for path in sorted(names, key=lambda name: name.count("/")):
            place, target = folder / os.path.relpath(path, root), names[path]
            if not place.parent.is_dir():
                continue
            if target == FOLDER:
                place.mkdir(mode=0o700, exist_ok=True)
            elif isinstance(target, str):
                place.symlink_to(target)
            else:
                content = contents.setdefault(id(target), _arrived(target, self.is_strict, dice))
                place.write_bytes(content)


def _point(names: dict[str, File | str], entry: Entry) -> None:
    if entry.target is None:
        names.pop(entry.path, None)
    else:
        names[entry.path] = entry.target


def _apply(content: bytearray, op: Op) -> None:
    if op.kind == "cut":
        del content[op.offset :]
        content.extend(bytes(op.offset - len(content)))
        return
    if len(content) < op.offset:
        content.extend(bytes(op.offset - len(content)))
    content[op.offset : op.offset + len(op.content)] = op.content


def _arrived(file: File, is_strict: bool, dice: random.Random) -> bytes:
    """What is on the disk of a file: all that is sure, and some of the rest."""
    content, is_growing = bytearray(file.sure), True
    for op in file.unsure:
        if op.kind == "cut":
            if dice.random() < 0.5:
                _apply(content, op)
            continue
        for piece in _pages(op):
            if is_strict:
                _arrive_in_any_order(content, piece, dice)
            elif piece.offset + len(piece.content) <= len(content):
                if dice.random() < 0.5:
                    _apply(content, _torn(piece, dice))
            elif is_growing:
                is_growing = dice.random() < 0.8
                if is_growing or dice.random() < 0.5:
                    _apply(content, piece if is_growing else _torn(piece, dice))
    return bytes(content)


def _arrive_in_any_order(content: bytearray, piece: Op, dice: random.Random) -> None:
    """The bytes or not, and where they make the file longer, perhaps the length alone."""
    longer = piece.offset + len(piece.content) - len(content)
    if longer > 0 and dice.random() < 0.3:
        content.extend(bytes(longer))
    if dice.random() < 0.5:
        _apply(content, _torn(piece, dice))


def _pages(op: Op) -> Iterator[Op]:
    """A write as one for each page of the file that it touches."""
    at, end = op.offset, op.offset + len(op.content)
    while at < end:
        upto = min(end, (at // PAGE + 1) * PAGE)
        yield Op(op.kind, op.inode, at, op.path, "", op.content[at - op.offset : upto - op.offset])
        at = upto


def _torn(piece: Op, dice: random.Random) -> Op:
    """The same, in a quarter of the cases only up to the border of a sector."""
    borders = range((piece.offset // SECTOR + 1) * SECTOR, piece.offset + len(piece.content), SECTOR)
    if not borders or dice.random() < 0.75:
        return piece
    return Op(
        piece.kind, piece.inode, piece.offset, piece.path, "", piece.content[: dice.choice(borders) - piece.offset]
    )


def disks(ops: Sequence[Op], places: Sequence[int], *, is_strict: bool) -> Iterator[tuple[int, Disk]]:
    """The disk as it is when so many operations are done, for each of `places` (sorted)."""
    disk, done = Disk(is_strict), 0
    for place in places:
        for op in ops[done:place]:
            disk.apply(op)
        done = place
        yield place, disk
