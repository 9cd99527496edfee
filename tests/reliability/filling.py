"""Every call that would write into a home fails once, and from there on: full disks, quotas, read-only mounts, bad disks.

Run as a process of its own (`python -m tests.reliability.filling run FOLDER COUNT SEED MINUTES`) with `failing.c`
preloaded, since it forks.
"""

from __future__ import annotations

import errno
import json
import os
import random
import shutil
import sys
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from mlbench.journal import replay
from mlbench.main import run
from mlbench.paths import Home, find_home
from tests.reliability.killing import forked, heard, ingested, run_module, told_of, warm
from tests.reliability.power import build
from tests.reliability.trees import Tree

ERRORS = {"full": errno.ENOSPC, "quota": errno.EDQUOT, "read-only": errno.EROFS, "broken": errno.EIO}
KEPT = "keep"
"""A tag that run 1 has before anything fails."""
DONE, UNREADABLE = 0, 3


@dataclass(slots=True)
class Failures:
    """Calls that failed, and what was wrong with what mlbench then did."""

    n_points: int = 0
    """Calls that could fail, of all commands together."""
    n_failed: int = 0
    by_error: dict[str, int] = field(default_factory=dict)
    n_untold: int = 0
    """A traceback, a wrong exit code, or no word of what failed."""
    n_lost: int = 0
    """Words that were acknowledged and are gone, or were refused and are there."""
    n_silent: int = 0
    """Catalogs that told something that never was."""
    n_differing: int = 0
    """Catalogs that were not whole after the next ingest with room on the disk."""
    talk: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Case:
    """A command, on a home that is prepared."""

    words: tuple[str, ...]
    home: str
    """Folder that is copied: `none`, `small` (before the tree grew) or `grown`."""


def fail_calls(folder: Path, count: int, dice: random.Random, until_s: float) -> Failures:
    """Let calls fail, a random one of a random command each time."""
    tree, failures = Tree(folder / "logs"), Failures()
    tree.make()
    warm(folder, tree)
    (folder / "none").mkdir()
    small, grown = find_home(str(folder / "small")), find_home(str(folder / "grown"))
    known = {told_of(find_home(str(folder / "none"))), ingested(small, tree)}
    tree.grow()
    expected = ingested(grown, tree)
    for home in ("small", "grown"):
        _run(folder / home, ("tag", "run1", f"+{KEPT}"), {})
    cases = _cases(tree, folder)
    points = {case: _count(folder, case) for case in cases}
    failures.n_points = sum(points.values())
    while failures.n_failed < count and time.monotonic() < until_s:
        case = dice.choices(cases, weights=[points[one] ** 0.5 for one in cases])[0]
        name = dice.choice(list(ERRORS))
        failing = {"MLBENCH_FAIL_AT": str(dice.randint(1, points[case])), "MLBENCH_FAIL_ERRNO": str(ERRORS[name])}
        if dice.random() < 0.5:
            failing["MLBENCH_FAIL_STAYS"] = "1"
        place = _prepared(folder, case)
        code, said = _run(place, case.words, failing)
        failures.n_failed += 1
        failures.by_error[name] = failures.by_error.get(name, 0) + 1
        trouble = f"{case.words[:2]} {name} {failing['MLBENCH_FAIL_AT']} {'stays' if len(failing) > 2 else 'once'}"
        _judge(failures, trouble, code, said)
        _judge_words(failures, trouble, find_home(str(place)), case, code)
        _judge_catalog(failures, trouble, find_home(str(place)), tree, known | {expected}, expected)
    return failures


def _cases(tree: Tree, folder: Path) -> list[Case]:
    logs, table = str(tree.folder), str(folder / "home" / "out.csv")
    return [
        Case(("ingest", logs), "none"),
        Case(("ingest", logs), "small"),
        Case(("rebuild",), "grown"),
        Case(("tag", "run1", "+new"), "grown"),
        Case(("note", "run1", "new"), "grown"),
        Case(("journal", "compact"), "grown"),
        Case(("export", "runs", "-o", table), "grown"),
        Case(("query", "metrics.loss < 1"), "grown"),
    ]


def _count(folder: Path, case: Case) -> int:
    """How many calls of a command could fail."""
    count = folder / "count"
    count.write_bytes(b"")
    code, said = _run(_prepared(folder, case), case.words, {"MLBENCH_FAIL_AT": "0", "MLBENCH_FAIL_COUNT": str(count)})
    if code:
        raise RuntimeError(f"{case}: {said}")
    return max(1, count.stat().st_size)


def _prepared(folder: Path, case: Case) -> Path:
    place = folder / "home"
    shutil.rmtree(place, ignore_errors=True)
    shutil.copytree(folder / case.home, place, symlinks=True)
    return place


def _run(place: Path, words: Sequence[str], failing: dict[str, str]) -> tuple[int, str]:
    """Run a command in a child in which calls fail; its exit code and what it says."""

    def work(tell: int) -> None:
        for fd in (1, 2):
            os.dup2(tell, fd)
        os.environ.update({"MLBENCH_FAIL_FOLDER": str(place.resolve()), **failing})
        os.environ.pop("MLBENCH_TRACEBACK", None)
        code = run(["--home", str(place), *words])
        sys.stdout.flush()
        os.write(tell, b"\ncode %d" % code)

    said, _line, code = heard(forked(work), kill=False).decode("utf-8", "replace").rpartition("\ncode ")
    return int(code), said


def _judge(failures: Failures, trouble: str, code: int, said: str) -> None:
    is_told = code == DONE or "mlbench: " in said
    if code not in {DONE, UNREADABLE} or "Traceback" in said or "fault of mlbench" in said or not is_told:
        failures.n_untold += 1
        failures.talk.append(f"{trouble}: exit {code}: {said[-300:]}")


def _judge_words(failures: Failures, trouble: str, home: Home, case: Case, code: int) -> None:
    words = replay(home)
    tags = {tag for tags in words.tags.values() for tag in tags}
    n_wrong = int(case.home != "none" and KEPT not in tags)
    if case.words[0] == "tag":
        n_wrong += ("new" in tags) != (code == DONE)
    if case.words[0] == "note":
        n_wrong += ("new" in {note.body for notes in words.notes.values() for note in notes}) != (code == DONE)
    if n_wrong:
        failures.n_lost += n_wrong
        failures.talk.append(f"{trouble}: exit {code}, tags {tags}")


def _judge_catalog(failures: Failures, trouble: str, home: Home, tree: Tree, known: set[str], expected: str) -> None:
    told = told_of(home)
    if not told.startswith("refused") and told not in known:
        failures.n_silent += 1
        failures.talk.append(f"{trouble}: silently another catalog")
    try:
        found = ingested(home, tree)
    except RuntimeError as error:
        found = repr(error)
    if found != expected:
        failures.n_differing += 1
        failures.talk.append(f"{trouble}: after the next ingest {found}")


def in_own_process(folder: Path, count: int, *, seed: int, minutes: float) -> Failures | None:
    """The campaign, in a process that may fork; None where there is no C compiler or no Linux."""
    library = build(folder, "failing")
    if library is None:
        return None
    words = ("run", str(folder), str(count), str(seed), str(minutes))
    return Failures(**run_module("tests.reliability.filling", *words, preload=library))


def main(_kind: str, folder: str, count: str, seed: str, minutes: str) -> None:
    until_s = time.monotonic() + 60 * float(minutes)
    failures = fail_calls(Path(folder), int(count), random.Random(int(seed)), until_s)
    failures.talk = [f"{n} x {text}" for text, n in Counter(failures.talk).most_common(30)]
    print(json.dumps(asdict(failures)))


if __name__ == "__main__":
    main(*sys.argv[1:])
