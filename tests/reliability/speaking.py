"""Says words of every kind in a journal, merges and forgets, and marks what was acknowledged: `speaking.py HOME MARKS`.

A mark `+ID` stands behind the call that said the entry; `?RUN` before a run is forgotten: from then on its words may be
there or not.
"""

from __future__ import annotations

import os
import random
import sys
from pathlib import Path

from mlbench.journal import RunRef, compact, forget_runs, open_journal
from mlbench.paths import find_home

RUNS = tuple(RunRef(f"/r/{name}", f"f{name}") for name in "abcdefgh")
N_WORDS = 120


def main(folder: str, marks: str) -> None:
    home, dice = find_home(folder), random.Random(4)
    mark = os.open(marks, os.O_CREAT | os.O_WRONLY | os.O_APPEND)
    actors = [open_journal(home) for _actor in range(3)]
    for number in range(N_WORDS):
        if number % 30 == 29:
            compact(home.journal)
        if number % 50 == 49:
            run = RUNS[number // 50].key
            os.write(mark, f"?{run}\n".encode())
            forget_runs(home, [run])
        run_said = dice.choice(RUNS[2:] if number > 49 else RUNS)
        actor = dice.choice(actors)
        body = "looks odd " * dice.choice((1, 1, 30, 600))
        entry = actor.tag(run_said, add=[f"t{number}"]) if number % 3 else actor.note(run_said, body, replaces=())
        os.write(mark, f"+{entry.id}@{run_said.key}\n".encode())
        if number % 40 == 39:
            lines = [
                line for path in sorted(Path(home.journal).glob("*.jsonl")) for line in path.open(encoding="utf-8")
            ]
            actor.import_lines(lines[:2])


if __name__ == "__main__":
    main(*sys.argv[1:])
