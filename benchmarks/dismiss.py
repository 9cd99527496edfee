"""A tree of 100,000 files that no adapter claims by name, dismissed by a scan, against `find` that lists it.

Usage: python benchmarks/dismiss.py [--rounds N] [--files N]

CPU seconds of both sides, in turn: the scan of `mlbench ingest` in this process, with every adapter loaded, and a
`find` process. The tree is one of a data set: 100 folders of images, arrays, labels and binaries. A second figure has
all files in one folder. Exits with 1 when a goal is missed.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import time
from collections.abc import Iterator

from measuring import CORES, Figure, fresh_folder, machine, print_figures, ratio

GOAL = 3.0
ENDINGS = ("png", "jpg", "npy", "txt", "bin")


def make_tree(root: str, *, n_files: int, n_folders: int) -> str:
    """Empty files with the names of a data set."""
    for folder in range(n_folders):
        path = os.path.join(root, f"part{folder // 10}", f"shard{folder:03d}")
        os.makedirs(path)
        for number in range(n_files // n_folders):
            with open(os.path.join(path, f"img_{number:06d}.{ENDINGS[number % len(ENDINGS)]}"), "wb"):
                pass
    return root


def scan_s(root: str) -> float:
    """CPU seconds of one scan, which must claim nothing."""
    from mlbench.adapters import load_adapters
    from mlbench.ingest.scan import scan_root

    adapters = load_adapters()
    before = time.process_time()
    scan = scan_root(root, adapters)
    used_s = time.process_time() - before
    if scan.claims:
        sys.exit(f"{scan.claims[0].claim.path}: claimed by {scan.claims[0].adapter}, though it is a file of a data set")
    return used_s


def find_s(root: str) -> float:
    """CPU seconds of a `find` that lists the tree."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(["find", root, "-type", "f"], check=True, stdout=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=9, help="rounds A B A B (default 9)")
    parser.add_argument("--files", type=int, default=100_000, help="files of a tree (default 100,000)")
    options = parser.parse_args()
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:CORES])
    n_missed = print_figures(f"{options.files:,} files, {options.rounds} rounds", list(_figures(options)))
    print(f"\n{machine()}")
    sys.exit(n_missed > 0)


def _figures(options: argparse.Namespace) -> Iterator[Figure]:
    for title, n_folders in (("in 100 folders", 100), ("in one folder", 1)):
        with fresh_folder() as folder:
            root = os.path.realpath(make_tree(folder, n_files=options.files, n_folders=n_folders))
            scan_s(root)
            find_s(root)
            pairs = [(scan_s(root), find_s(root)) for _round in range(options.rounds)]
        yield ratio(f"a scan that claims nothing, {title}", pairs, goal=GOAL, unit="CPU s")


if __name__ == "__main__":
    main()
