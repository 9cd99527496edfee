"""One look for news at 10,000 runs that have none, in a process that has read them, against a bare walk of their tree.

Usage: python benchmarks/refresh.py [SET] [--rounds N] [--data DIR] [--bench DIR] [--peer-python PYTHON]

The set is WIDE unless another is named. The walk is `os.scandir` of every folder and one `stat` of every file. Both
sides in one process, in turn, by the clock. Exits with 1 when the goal is missed.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable

from measuring import add_options, bench_of, fresh_folder, machine, print_figures, ratio, warm

GOAL = 3.0


def walk(root: str) -> int:
    """Look at every folder and every file once; returns the number of files."""
    n_files = 0
    stack = [root]
    while stack:
        with os.scandir(stack.pop()) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    stack.append(entry.path)
                else:
                    entry.stat(follow_symlinks=False)
                    n_files += 1
    return n_files


def seconds(look: Callable[[], object]) -> float:
    before = time.perf_counter()
    look()
    return time.perf_counter() - before


def refresher(home: str, root: str) -> Callable[[], object]:
    """Read everything below `root`, and return what looks for news once more in the same process."""
    from mlbench.paths import find_home
    from mlbench.watch import Watcher

    watcher = Watcher(find_home(home), [root])
    watcher.look()

    def refresh() -> None:
        if watcher.look() is not None:
            sys.exit(f"{root}: something was read again, though nothing is new")

    return refresh


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("set", nargs="?", default="WIDE")
    add_options(parser)
    options = parser.parse_args()
    bench = bench_of(options)
    root = str(bench.folder(options.set))
    warm(bench.folder(options.set))
    n_files = walk(root)
    with fresh_folder() as home:
        refresh = refresher(home, root)
        pairs = [(seconds(refresh), seconds(lambda: walk(root))) for _round in range(bench.rounds)]
    figure = ratio("a refresh with nothing new, against a walk", pairs, goal=GOAL)
    n_missed = print_figures(f"{options.set}: {n_files:,} files, {bench.rounds} rounds", [figure])
    print(f"\n{machine()}")
    sys.exit(n_missed > 0)


if __name__ == "__main__":
    main()
