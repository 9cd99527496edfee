"""Power cuts at any moment of saying words and of building a catalog, and what is found on the disk afterwards.

Run as a process of its own (`python -m tests.reliability.cutting words|catalog FOLDER COUNT SEED MINUTES`), since it
forks, and needs a C compiler.
"""

from __future__ import annotations

import json
import random
import shutil
import sys
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from mlbench.errors import HomeError
from mlbench.journal import RunRef, open_journal, read_entries
from mlbench.paths import Home, find_home
from tests.reliability.killing import ingested, run_module, told_of, warm
from tests.reliability.power import Op, build, disks, recorded
from tests.reliability.trees import Tree

MODELS = {"ext4": False, "strict": True}


@dataclass(slots=True)
class Cuts:
    """States of a disk after a power cut, and what was wrong in them."""

    n_states: dict[str, int] = field(default_factory=dict)
    """By model."""
    n_operations: int = 0
    n_acknowledged: int = 0
    """Words in all states together."""
    n_lost: int = 0
    n_unreadable: int = 0
    n_silent: int = 0
    """Catalogs that opened and told something that never was."""
    n_refused: int = 0
    """Catalogs that told that they cannot be read, until the next ingest."""
    n_differing: int = 0
    """Catalogs that were not whole after the next ingest."""
    talk: list[str] = field(default_factory=list)


def cut_words(folder: Path, count: int, dice: random.Random, until_s: float) -> Cuts:
    """Cut the power while several journals of one home say words, are merged and forget runs."""
    home, cuts = folder / "rec" / "home", Cuts()
    home.parent.mkdir()
    words = ["-m", "tests.reliability.speaking", str(home), str(home.parent / "marks")]
    ops = _recorded(folder, home.parent, [words])
    cuts.n_operations = len(ops)
    for model, is_strict in MODELS.items():
        places = sorted(dice.choices(range(len(ops) + 1), k=count // len(MODELS)))
        for _place, disk in disks(ops, places, is_strict=is_strict):
            state = _fresh(folder / "state")
            disk.write_to(state, str(home.parent), dice)
            cuts.n_states[model] = cuts.n_states.get(model, 0) + 1
            _judge_words(find_home(str(state / "home")), disk.marks, cuts)
            if time.monotonic() > until_s:
                return cuts
    return cuts


def _judge_words(home: Home, marks: Sequence[str], cuts: Cuts) -> None:
    forgotten = {mark.removeprefix("?") for mark in marks if mark.startswith("?")}
    said = dict(mark.removeprefix("+").split("@") for mark in marks if mark.startswith("+"))
    acknowledged = {name for name, run in said.items() if run not in forgotten}
    cuts.n_acknowledged += len(acknowledged)
    try:
        found = {entry.id for entry in read_entries(home.journal)[0]}
        one_more = open_journal(home).tag(RunRef("/r/later"), add=["later"]).id
        after = {entry.id for entry in read_entries(home.journal)[0]}
    except (HomeError, OSError, ValueError) as error:
        cuts.n_unreadable += 1
        cuts.talk.append(repr(error))
        return
    cuts.n_lost += len(acknowledged - found)
    cuts.n_unreadable += after != found | {one_more}


def cut_catalogs(folder: Path, count: int, dice: random.Random, until_s: float) -> Cuts:
    """Cut the power during a first ingest, one of a tree that grew, and a rebuild."""
    tree, home, cuts = Tree(folder / "logs"), folder / "rec" / "home", Cuts()
    home.mkdir(parents=True)
    tree.make()
    warm(folder, tree)
    work = ["-m", "mlbench", "--home", str(home)]
    known = {told_of(find_home(str(folder / "none"))), ingested(find_home(str(folder / "small")), tree)}
    ops = _recorded(folder, home.parent, [[*work, "ingest", str(tree.folder)]])
    tree.grow()
    expected = ingested(find_home(str(folder / "grown")), tree)
    ops += _recorded(folder, home.parent, [[*work, "ingest", str(tree.folder)], [*work, "rebuild"]])
    cuts.n_operations = len(ops)
    for n_left, (model, is_strict) in zip((2, 1), MODELS.items(), strict=True):
        places = sorted(dice.choices(range(len(ops) + 1), k=count // len(MODELS)))
        model_until_s = time.monotonic() + (until_s - time.monotonic()) / n_left
        for place, disk in disks(ops, places, is_strict=is_strict):
            state = _fresh(folder / "state")
            disk.write_to(state, str(home.parent), dice)
            cuts.n_states[model] = cuts.n_states.get(model, 0) + 1
            _judge_catalog(find_home(str(state / "home")), tree, known | {expected}, expected, cuts, f"{model} {place}")
            if time.monotonic() > model_until_s:
                break
    return cuts


def _judge_catalog(home: Home, tree: Tree, known: set[str], expected: str, cuts: Cuts, where: str) -> None:
    told = told_of(home)
    is_refused = told.startswith("refused")
    cuts.n_refused += is_refused
    if not is_refused and told not in known:
        cuts.n_silent += 1
        cuts.talk.append(f"{where}: silently another catalog: {told}")
    found = ingested(home, tree)
    if found != expected:
        cuts.n_differing += 1
        cuts.talk.append(f"{where}: after the next ingest {found}; before {told}")


def _recorded(folder: Path, watched: Path, commands: Sequence[Sequence[str]]) -> list[Op]:
    library = build(folder)
    if library is None:
        sys.exit("a C compiler and Linux are needed")
    return [op for command in commands for op in recorded(library, watched, [sys.executable, *command])]


def _fresh(folder: Path) -> Path:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    return folder


def in_own_process(kind: str, folder: Path, count: int, *, seed: int, minutes: float) -> Cuts:
    """One of the two campaigns, in a process that may fork."""
    return Cuts(**run_module("tests.reliability.cutting", kind, str(folder), str(count), str(seed), str(minutes)))


def main(kind: str, folder: str, count: str, seed: str, minutes: str) -> None:
    campaign = {"words": cut_words, "catalog": cut_catalogs}[kind]
    until_s = time.monotonic() + 60 * float(minutes)
    cuts = campaign(Path(folder), int(count), random.Random(int(seed)), until_s)
    cuts.talk = [f"{n} x {text}" for text, n in Counter(cuts.talk).most_common(20)]
    print(json.dumps(asdict(cuts)))


if __name__ == "__main__":
    main(*sys.argv[1:])
