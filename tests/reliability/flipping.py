"""One bit of one file of a home is flipped, and everything is asked: is it told, is it without effect, or is it silent?

Run as a process of its own (`python -m tests.reliability.flipping run FOLDER COUNT SEED MINUTES`), since it forks.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import sys
import time
from collections import Counter
from dataclasses import asdict, dataclass, field
from pathlib import Path

from mlbench.catalog import words_cache
from mlbench.errors import HomeError
from mlbench.ingest.run import ingest_paths
from mlbench.journal import RunRef, open_journal, replay
from mlbench.main import run
from mlbench.paths import Home, find_home
from tests.reliability.killing import forked, heard, ingested, run_module, warm
from tests.reliability.trees import Tree, dump

KINDS = ("segment", "snapshot", "work", "journal", "words")


@dataclass(slots=True)
class Flips:
    """Bits that were flipped, by the kind of file, and what came of them."""

    n_told: dict[str, int] = field(default_factory=dict)
    n_without_effect: dict[str, int] = field(default_factory=dict)
    n_silent: dict[str, int] = field(default_factory=dict)
    n_faults: int = 0
    """Commands that called the damage a fault of mlbench, or died of it."""
    talk: list[str] = field(default_factory=list)

    @property
    def n(self) -> int:
        return sum(sum(found.values()) for found in (self.n_told, self.n_without_effect, self.n_silent))


def flip_bits(folder: Path, count: int, dice: random.Random, until_s: float) -> Flips:
    """Flip a bit of a file of each kind in turn; each time the home is whole before."""
    tree, home, flips = Tree(folder / "logs"), find_home(str(folder / "home")), Flips()
    tree.make()
    warm(folder, tree)
    ingested(home, tree)
    _speak(home)
    right = _asked(home, "words")
    while flips.n + flips.n_faults < count and time.monotonic() < until_s:
        kind = KINDS[(flips.n + flips.n_faults) % len(KINDS)]
        path = dice.choice(_files(home, kind))
        content = path.read_bytes()
        at, bit = dice.randrange(len(content)), dice.randrange(8)
        _write(path, content, at, 1 << bit)
        try:
            if kind == "work":
                _judge_work(folder, home, tree, flips, f"work {at} {bit}")
            else:
                _judge(home, kind, right, flips, f"{path.name} {at} {bit}")
        finally:
            _write(path, content, at, 0)
    return flips


def _write(path: Path, content: bytes, at: int, mask: int) -> None:
    """In place, with the times as they were: a disk that loses a bit changes neither."""
    status = path.stat()
    with path.open("r+b") as file:
        file.seek(at)
        file.write(bytes([content[at] ^ mask]))
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


def _speak(home: Home) -> None:
    """So many words that they are kept in the cache too."""
    with open_journal(home) as journal:
        for number in range(300):
            journal.tag(RunRef(f"/r/{number}"), add=[f"t{number}" * 30])
        journal.note(RunRef("/r/1"), "looks odd")
    _asked(home, "words")


def _files(home: Home, kind: str) -> list[Path]:
    cache = Path(home.cache)
    found = {
        "segment": lambda: list(Path(home.points).iterdir()),
        "snapshot": lambda: [cache / os.readlink(cache / "CURRENT")],
        "work": lambda: [cache / "work.duckdb"],
        "journal": lambda: list(Path(home.journal).glob("*.jsonl")),
        "words": lambda: list(cache.glob("words-*.json")),
    }[kind]()
    return sorted(found)


def _asked(home: Home, kind: str) -> str:
    """All that the home says, or how it says that it is damaged."""

    def work(tell: int) -> None:
        try:
            words = (replay if kind == "journal" else words_cache.replay)(home)
            told = f"told: {words.problems}" if words.problems else f"{dump(home)} {words!r}"
        except HomeError as error:
            told = f"told: {error}"
        os.write(tell, told.encode()[:2000] + b" %d" % (hash(told) if told.startswith("told") else _sum(told)))

    return heard(forked(work), kill=False).decode()


def _sum(text: str) -> int:
    import zlib

    return zlib.crc32(text.encode())


def _judge(home: Home, kind: str, right: str, flips: Flips, where: str) -> None:
    try:
        found = _asked(home, kind)
    except RuntimeError:
        flips.n_faults += 1
        flips.talk.append(f"{where}: died")
        return
    if found.startswith("told"):
        _count(flips.n_told, kind)
        code, said = _checked(home)
        if code != 3 or "fault of mlbench" in said:
            flips.n_faults += 1
            flips.talk.append(f"{where}: doctor ended with {code}: {said[-200:]}")
    elif found == right:
        _count(flips.n_without_effect, kind)
        if kind == "segment":
            flips.talk.append(f"{where}: a segment was taken as it is")
            _count(flips.n_silent, kind)
    else:
        _count(flips.n_silent, kind)
        flips.talk.append(f"{where}: silent")


def _judge_work(folder: Path, home: Home, tree: Tree, flips: Flips, where: str) -> None:
    """The writer's file is asked by an ingest that has something to publish."""
    place = folder / "other"
    shutil.rmtree(place, ignore_errors=True)
    shutil.copytree(Path(home.journal).parent, place, symlinks=True)
    other = find_home(str(place))
    tree.grow()
    try:
        fresh = find_home(str(folder / "fresh"))
        expected = ingested(fresh, tree)
        told, found = _ingested_and_told(other, tree)
    except RuntimeError:
        flips.n_faults += 1
        flips.talk.append(f"{where}: died")
        return
    finally:
        tree.reset()
    if told and found != expected:
        flips.n_faults += 1
        flips.talk.append(f"{where}: not built again: {told}")
    elif told:
        _count(flips.n_told, "work")
    elif found == expected:
        _count(flips.n_without_effect, "work")
    else:
        _count(flips.n_silent, "work")
        flips.talk.append(f"{where}: silent")


def _ingested_and_told(home: Home, tree: Tree) -> tuple[str, str]:
    def work(tell: int) -> None:
        try:
            talk = "; ".join(ingest_paths(home, [str(tree.folder)]).talk)
            found = dump(home)
        except HomeError as error:
            talk, found = str(error), ""
        os.write(tell, json.dumps([talk, found]).encode())

    talk, found = json.loads(heard(forked(work), kill=False))
    return talk, found


def _checked(home: Home) -> tuple[int, str]:
    """`mlbench doctor --fsck`."""

    def work(tell: int) -> None:
        for fd in (1, 2):
            os.dup2(tell, fd)
        code = run(["--home", str(Path(home.journal).parent), "doctor", "--fsck"])
        sys.stdout.flush()
        os.write(tell, b"\ncode %d" % code)

    said, _line, code = heard(forked(work), kill=False).decode().rpartition("\ncode ")
    return int(code), said


def _count(counts: dict[str, int], kind: str) -> None:
    counts[kind] = counts.get(kind, 0) + 1


def in_own_process(folder: Path, count: int, *, seed: int, minutes: float) -> Flips:
    """The campaign, in a process that may fork."""
    return Flips(**run_module("tests.reliability.flipping", "run", str(folder), str(count), str(seed), str(minutes)))


def main(_kind: str, folder: str, count: str, seed: str, minutes: str) -> None:
    flips = flip_bits(Path(folder), int(count), random.Random(int(seed)), time.monotonic() + 60 * float(minutes))
    flips.talk = [f"{n} x {text}" for text, n in Counter(flips.talk).most_common(30)]
    print(json.dumps(asdict(flips)))


if __name__ == "__main__":
    main(*sys.argv[1:])
