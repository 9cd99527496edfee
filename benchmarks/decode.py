"""Decoding alone: points a CPU-second of our event reader against those of TensorBoard's data server.

Usage: python benchmarks/decode.py [SET...] [--data DIR] [--bench DIR] [--peer-python PYTHON]

Ours is one process that reads every event file with both checksums of every record and keeps nothing, as the workers of
an ingest do; its CPU is taken around the reading. The server keeps all samples and, as by default, checks no payload.
Exits with 1 when a goal is missed.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time

from measuring import (
    Bench,
    Figure,
    add_options,
    bench_of,
    files_below,
    fresh_folder,
    machine,
    print_figures,
    ratio,
    warm,
)

BIG = ("M", "L")
SPEED_GOAL = 2.5
"""Times the server's points a CPU-second, on the big sets."""
CPU_GOAL = 0.9
"""Of the server's CPU a point, on the sets of other shapes."""


def read_set(folder: str) -> int:
    """Read all event files below a folder with the adapter; returns the number of points."""
    from mlbench.adapters.tensorboard import ADAPTER
    from mlbench.model import Source

    n_points = 0
    for path in files_below(folder):
        if "tfevents" in os.path.basename(path):
            for fact in ADAPTER.read(Source(path, os.path.dirname(path)), None):
                n_points += getattr(fact, "n_points", 0)
    return n_points


def read_in_this_process(folder: str) -> None:
    """Print the CPU and the points of one reading, without what imports and first use cost."""
    from mlbench.adapters.tensorboard import ADAPTER
    from mlbench.ingest.thrift import keep_freed_memory

    keep_freed_memory()
    with fresh_folder() as example:
        ADAPTER.example(example)
        read_set(example)
    before = time.process_time()
    n_points = read_set(folder)
    print(json.dumps({"cpu_s": time.process_time() - before, "n_points": n_points}))


def ours(bench: Bench, name: str) -> float:
    """CPU of one reading of a set, in a process of its own."""
    command = [sys.executable, __file__, "--here", str(bench.folder(name))]
    told = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    if told["n_points"] != bench.n_points(name):
        sys.exit(f"{name}: {told['n_points']:,} points were read, {bench.n_points(name):,} were written")
    return float(told["cpu_s"])


def compare(bench: Bench, name: str) -> list[Figure]:
    """One set against the server."""
    warm(bench.folder(name))
    pairs = [
        (ours(bench, name), bench.server(name, is_checked=False)["server_cpu_s"]) for _round in range(bench.rounds)
    ]
    is_big = name in BIG
    cpu = ratio("CPU, all samples", pairs, goal=None if is_big else CPU_GOAL)
    n_points = bench.n_points(name)
    speeds = (n_points / (cpu.ours or 1), n_points / (cpu.theirs or 1))
    speed = Figure("points a CPU-second", 1 / cpu.value, "x", *speeds, SPEED_GOAL if is_big else None, is_floor=True)
    return [cpu, speed]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sets", nargs="*", default=["M", "L", "TF2", "TF2F", "MERGED", "RAGGED"], metavar="SET")
    parser.add_argument("--here", metavar="DIR", help="read DIR once in this process and print what it took")
    add_options(parser)
    options = parser.parse_args()
    if options.here:
        read_in_this_process(options.here)
        return
    bench = bench_of(options)
    n_missed = 0
    for name in options.sets:
        n_missed += print_figures(
            f"{name}: {bench.n_points(name):,} points, {bench.rounds} rounds", compare(bench, name)
        )
    print(f"\n{machine()}")
    sys.exit(n_missed > 0)


if __name__ == "__main__":
    main()
