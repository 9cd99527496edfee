"""Hosts that share a home but no locks, as over some NFS mounts: every lock that is asked for is granted.

Run as a process of its own (`python -m tests.reliability.lockless FOLDER COUNT SEED MINUTES`), since it forks.
"""

from __future__ import annotations

import fcntl
import json
import os
import random
import socket
import sys
import time
import zlib
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path

from mlbench.catalog.lock import WriterBusyError
from mlbench.errors import HomeError
from mlbench.ingest.run import ingest_paths
from mlbench.journal import compact, open_journal
from mlbench.journal.entries import line_of
from mlbench.paths import find_home, host_name
from tests.reliability.killing import Child, Outcome, _judge, _say, forked, heard, ingested, run_module, warm
from tests.reliability.trees import Tree

N_HOSTS = 3
WRITERS_OF_A_HOST = 2
WORDS_OF_A_WRITER = 150
MERGES = 0.04
"""Of the words a writer says, so many are followed by a merge of all files: without locks the others write on meanwhile."""


@dataclass(slots=True)
class Shared:
    """What came of it."""

    n_homes: int = 0
    words: Outcome = field(default_factory=Outcome)
    n_ingests: int = 0
    n_differing: int = 0
    """Catalogs that were not those of a fresh home."""
    talk: list[str] = field(default_factory=list)


def share(folder: Path, count: int, dice: random.Random, until_s: float) -> Shared:
    """Homes with writers on three hosts each, one after another."""
    shared = Shared()
    tree = Tree(folder / "logs")
    tree.make()
    warm(folder, tree)
    expected = ingested(find_home(str(folder / "fresh")), tree)
    while shared.n_homes < count and time.monotonic() < until_s:
        _share_one(folder / f"home{shared.n_homes}", tree, dice, shared, expected)
        shared.n_homes += 1
    return shared


def _share_one(place: Path, tree: Tree, dice: random.Random, shared: Shared, expected: str) -> None:
    writers: list[Child] = []
    ingests: list[Child] = []
    for host in range(N_HOSTS):
        for _writer in range(WRITERS_OF_A_HOST):
            writers.append(forked(partial(_speak, place, host, random.Random(dice.random()))))
            # Two at a time on each host: of one catalog the second one is to wait, or to be refused by DuckDB's own lock.
            ingests.append(forked(partial(_ingest, place, host, tree)))
    told = b"".join(heard(writer, kill=False) for writer in writers)
    shared.n_ingests += len(ingests)
    shared.talk += [text for text in (heard(one, kill=False).decode() for one in ingests) if text]
    _judge(find_home(str(place)), dict(line.split(b" ") for line in told.splitlines()), shared.words)
    for host in range(N_HOSTS):
        found = heard(forked(partial(_tell, place, host, tree)), kill=False).decode()
        if found != expected:
            shared.n_differing += 1
            shared.talk.append(found[:300])


def _be(host: int) -> None:
    """In a child: a host of this name, whose locks are granted to everybody."""
    socket.gethostname = lambda: f"host{host}"
    host_name.cache_clear()
    fcntl.flock = lambda _fd, _how: None
    fcntl.lockf = lambda *_what: None


def _speak(place: Path, host: int, dice: random.Random, tell: int) -> None:
    _be(host)
    home = find_home(str(place))
    journal = open_journal(home)
    for number in range(WORDS_OF_A_WRITER):
        if dice.random() < MERGES:
            compact(home.journal)
        entry = _say(journal, number, dice)
        os.write(tell, b"%s %08x\n" % (entry.id.encode(), zlib.crc32(line_of(entry))))


def _ingest(place: Path, host: int, tree: Tree, tell: int) -> None:
    _be(host)
    try:
        ingest_paths(find_home(str(place)), [str(tree.folder)])
    except WriterBusyError:
        return
    except HomeError as error:
        if "lock" not in str(error).lower():
            os.write(tell, str(error).encode())


def _tell(place: Path, host: int, tree: Tree, tell: int) -> None:
    from tests.reliability.trees import dump

    socket.gethostname = lambda: f"host{host}"
    host_name.cache_clear()
    home = find_home(str(place))
    ingest_paths(home, [str(tree.folder)])
    os.write(tell, dump(home).encode())


def in_own_process(folder: Path, count: int, *, seed: int, minutes: float) -> Shared:
    """The same in a process that may fork."""
    told = run_module("tests.reliability.lockless", str(folder), str(count), str(seed), str(minutes))
    return Shared(**{**told, "words": Outcome(**told["words"])})


if __name__ == "__main__":
    end_s = time.monotonic() + 60 * float(sys.argv[4])
    print(json.dumps(asdict(share(Path(sys.argv[1]), int(sys.argv[2]), random.Random(int(sys.argv[3])), end_s))))
