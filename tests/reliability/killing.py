"""Processes that are killed while they write, thousands of them, and what they leave behind.

Run as a process of its own (`python -m tests.reliability.killing words|ingest FOLDER COUNT SEED MINUTES`), since it
forks: everything is imported before, so that a kill costs milliseconds and not a start of Python.
"""

from __future__ import annotations

import importlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
import traceback
import zlib
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from mlbench.errors import HomeError
from mlbench.ingest.run import ingest_paths
from mlbench.journal import Entry, Journal, RunRef, compact, fold, open_journal, read_entries
from mlbench.journal.entries import line_of
from mlbench.paths import Home, find_home
from tests.reliability.trees import Tree, dump

N_WRITERS = 4
KILLS_PER_HOME = 250
MOST_WORDS = 24
"""A writer that is killed has told up to so many words before, however slow the machine is."""
LONGEST_WAIT_S = 0.03
"""After them, so that the kill comes at any moment of the next word."""
RUNS = tuple(RunRef(f"/r/{name}", f"f{name}") for name in "abcd")


@dataclass(slots=True)
class Outcome:
    """What was killed, and what was wrong afterwards."""

    n_kills: int = 0
    n_acknowledged: int = 0
    n_lost: int = 0
    n_doubled: int = 0
    n_corrupt: int = 0
    n_torn: int = 0
    """Last lines that were cut off: never acknowledged, left out and told."""
    n_differing: int = 0
    """Catalogs that were not as if nothing had happened, after the next start or after a rebuild."""
    kinds: dict[str, int] = field(default_factory=dict)
    """Of ingests: how many of which kind were killed."""
    talk: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Child:
    pid: int
    said: int
    """Read end of what it tells; ends with the child."""


def forked(work: Callable[[int], None]) -> Child:
    """A child that does `work`, which is given a descriptor to tell on."""
    said, tell = os.pipe()
    pid = os.fork()
    if pid:
        os.close(tell)
        return Child(pid, said)
    os.close(said)
    try:
        work(tell)
    except BaseException:  # noqa: BLE001 - a fork must never go on as its parent would
        traceback.print_exc()
        os._exit(1)
    os._exit(0)


def words_of(child: Child, n_words: int) -> bytes:
    """What a child tells until it has told so many lines; less if it ends before."""
    told = b""
    while told.count(b"\n") < n_words and (piece := os.read(child.said, 1 << 16)):
        told += piece
    return told


def heard(child: Child, *, kill: bool) -> bytes:
    """All else that a child told until it was killed, or until it was done."""
    if kill:
        os.kill(child.pid, signal.SIGKILL)
    told = b""
    while piece := os.read(child.said, 1 << 16):
        told += piece
    os.close(child.said)
    _pid, status = os.waitpid(child.pid, 0)
    if os.waitstatus_to_exitcode(status) not in {0, -signal.SIGKILL}:
        raise RuntimeError("a child failed by itself: see above")
    return told


# ---------------------------------------------------------------- words


def kill_writers(folder: Path, count: int, dice: random.Random, until_s: float) -> Outcome:
    """Kill one of four writers again and again; each tells a word only when its call has returned."""
    outcome = Outcome()
    while outcome.n_kills < count and time.monotonic() < until_s:
        home = find_home(str(folder / f"home{outcome.n_kills}"))
        _kill_in(home, min(KILLS_PER_HOME, count - outcome.n_kills), dice, outcome)
        shutil.rmtree(Path(home.journal).parent)
    return outcome


def _kill_in(home: Home, n_kills: int, dice: random.Random, outcome: Outcome) -> None:
    def start() -> Child:
        seed = dice.random()
        return forked(lambda tell: _speak(home, random.Random(seed), tell))

    writers = [start() for _writer in range(N_WRITERS)]
    told = b""
    for _kill in range(n_kills):
        victim = writers.pop(dice.randrange(N_WRITERS))
        told += words_of(victim, dice.randrange(MOST_WORDS))
        time.sleep(dice.uniform(0, LONGEST_WAIT_S))
        told += heard(victim, kill=True)
        writers.append(start())
    for writer in writers:
        told += heard(writer, kill=True)
    outcome.n_kills += n_kills
    _judge(home, dict(line.split(b" ") for line in told.splitlines()), outcome)


def _speak(home: Home, dice: random.Random, tell: int) -> None:
    journal = open_journal(home)
    for number in range(1_000_000):
        if dice.random() < 0.005:
            compact(home.journal)
        entry = _say(journal, number, dice)
        os.write(tell, b"%s %08x\n" % (entry.id.encode(), zlib.crc32(line_of(entry))))


def _say(journal: Journal, number: int, dice: random.Random) -> Entry:
    run = dice.choice(RUNS)
    match number % 4:
        case 0:
            return journal.note(run, "looks odd " * dice.randint(1, 40), replaces=())
        case 1:
            return journal.name(run, f"best {number}")
        case _:
            return journal.tag(RUNS, add=[f"t{number}"], remove=["never"])


def _judge(home: Home, told: dict[bytes, bytes], outcome: Outcome) -> None:
    before, problems = read_entries(home.journal)
    torn = [problem for problem in problems if "cut off" in problem.what]
    compact(home.journal)
    after, _problems = read_entries(home.journal)
    lines = Counter(entry.id for entry in after)
    sums = {entry.id: b"%08x" % zlib.crc32(line_of(entry)) for entry in after}
    acknowledged = {name.decode(): crc for name, crc in told.items()}
    outcome.n_acknowledged += len(acknowledged)
    outcome.n_lost += sum(name not in lines for name in acknowledged)
    outcome.n_doubled += sum(n > 1 for n in lines.values())
    outcome.n_corrupt += sum(sums.get(name, crc) != crc for name, crc in acknowledged.items())
    outcome.n_corrupt += len(problems) - len(torn) + (fold(before) != fold(after))
    outcome.n_torn += len(torn)


# ---------------------------------------------------------------- ingest


def kill_ingests(folder: Path, count: int, dice: random.Random, until_s: float) -> Outcome:
    """Kill an ingest of an empty home, one of a tree that grew, and a rebuild, each at any moment of its life."""
    outcome = Outcome()
    tree = Tree(folder / "logs")
    tree.make()
    warm(folder, tree)
    small, grown = find_home(str(folder / "small")), find_home(str(folder / "grown"))
    ingested(small, tree)
    tree.grow()
    expected = ingested(grown, tree)
    lives = {kind: _life(folder, kind, tree) for kind in ("cold", "grown", "rebuild")}
    while outcome.n_kills < count and time.monotonic() < until_s:
        kind = dice.choice(list(lives))
        home = _prepared(folder, kind)
        child = _started(home, tree, kind)
        time.sleep(dice.uniform(0, lives[kind]))
        if heard(child, kill=True).endswith(b"done"):
            continue
        outcome.n_kills += 1
        outcome.kinds[kind] = outcome.kinds.get(kind, 0) + 1
        for is_rebuild in (False, True):
            found = ingested(home, tree, is_rebuild=is_rebuild)
            if found != expected:
                outcome.n_differing += 1
                outcome.talk.append(f"{kind} {'rebuild' if is_rebuild else 'next start'}: {found}")
    return outcome


def warm(folder: Path, tree: Tree) -> None:
    """Import all that an ingest imports; only a child may do one, since who has had DuckDB open must not fork."""

    def work(tell: int) -> None:
        home = find_home(str(folder / "warm"))
        ingest_paths(home, [str(tree.folder)])
        dump(home)
        os.write(tell, "\n".join(sys.modules).encode())

    for name in heard(forked(work), kill=False).decode().split("\n"):
        if name.partition(".")[0] in {"mlbench", "duckdb", "pyarrow", "numpy", "tensorboard"}:
            importlib.import_module(name)


def _prepared(folder: Path, kind: str) -> Home:
    """A home of its own before the work that will be killed: empty, of the tree before it grew, or up to date."""
    place = folder / "home"
    shutil.rmtree(place, ignore_errors=True)
    if kind != "cold":
        shutil.copytree(folder / ("small" if kind == "grown" else "grown"), place, symlinks=True)
    return find_home(str(place))


def _started(home: Home, tree: Tree, kind: str) -> Child:
    def work(tell: int) -> None:
        ingest_paths(home, [str(tree.folder)], rebuild=kind == "rebuild")
        os.write(tell, b"done")

    return forked(work)


def _life(folder: Path, kind: str, tree: Tree) -> float:
    """How long this work takes when nobody kills it."""
    home = _prepared(folder, kind)
    started_s = time.monotonic()
    heard(_started(home, tree, kind), kill=False)
    return time.monotonic() - started_s


def ingested(home: Home, tree: Tree, *, is_rebuild: bool = False) -> str:
    """Ingest to the end as the next start does, and tell the catalog."""

    def work(tell: int) -> None:
        ingest_paths(home, [str(tree.folder)], rebuild=is_rebuild)
        os.write(tell, dump(home).encode())

    return heard(forked(work), kill=False).decode()


def told_of(home: Home) -> str:
    """The dump of a catalog, or how it refuses to be read."""

    def work(tell: int) -> None:
        try:
            told = dump(home)
        except HomeError as error:
            told = f"refused: {error}"
        os.write(tell, told.encode())

    return heard(forked(work), kill=False).decode()


def in_own_process(kind: str, folder: Path, count: int, *, seed: int, minutes: float) -> Outcome:
    """One of the two campaigns, in a process that may fork."""
    return Outcome(**run_module("tests.reliability.killing", kind, str(folder), str(count), str(seed), str(minutes)))


def run_module(*words: str, preload: Path | None = None) -> dict[str, Any]:
    """What a module of Python's path prints as JSON, perhaps with a library that stands before the system's.

    Raises:
        RuntimeError: it failed.
    """
    # Threads of numpy's own would be lost by forking; nothing here needs them.
    environment = os.environ | {"OPENBLAS_NUM_THREADS": "1", "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    if preload:
        environment["LD_PRELOAD"] = str(preload)
    done = subprocess.run([sys.executable, "-m", *words], capture_output=True, text=True, env=environment, check=False)
    if done.returncode:
        raise RuntimeError(done.stderr)
    told: dict[str, Any] = json.loads(done.stdout)
    return told


def main(kind: str, folder: str, count: str, seed: str, minutes: str) -> None:
    campaign = {"words": kill_writers, "ingest": kill_ingests}[kind]
    until_s = time.monotonic() + 60 * float(minutes)
    print(json.dumps(asdict(campaign(Path(folder), int(count), random.Random(int(seed)), until_s))))


if __name__ == "__main__":
    main(*sys.argv[1:])
