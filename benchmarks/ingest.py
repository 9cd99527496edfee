"""A cold `mlbench ingest` against TensorBoard's data server, which checks and loads the same logs and stores nothing.

Usage: python benchmarks/ingest.py [SET...] [--memory] [--data DIR] [--bench DIR] [--peer-python PYTHON]

Sets: S M L XL TF2 TF2F MERGED RAGGED RICH ONE WIDE (default M L). CPU is that of the whole process tree, user and
system. Memory and size are taken in a round of their own. `--memory` takes only memory: at most 400 MiB, and the
largest set needs no more than a quarter over the smallest. Exits with 1 when a goal is missed.
"""

from __future__ import annotations

import argparse
import glob
import json
import sys
from itertools import pairwise

from measuring import (
    MIB,
    Bench,
    Figure,
    Measured,
    add_options,
    bench_of,
    fresh_folder,
    machine,
    print_figures,
    ratio,
    run_measured,
    size_bytes,
    warm,
    warm_modules,
)

CPU_GOAL = 0.60
WALL_GOAL = 0.75
ACCUMULATOR_GOAL = 1 / 50
STORED_GOAL_BYTES = 6.5
MEMORY_GOAL_MIB = 400
GROWTH_GOAL = 1.25
"""Of the memory from any set to a larger one: it must not grow with the points."""
BIG = ("M", "L", "XL")
"""The sets whose CPU and wall have a goal; the others are loaded in less time than a process needs to start."""


def ingest(bench: Bench, name: str, *, is_sampled: bool = False) -> tuple[Measured, float]:
    """Ingest a set into a fresh home; what it took, and the bytes stored a point."""
    with fresh_folder() as home:
        folder = str(bench.folder(name))
        command = [sys.executable, "-m", "mlbench", "ingest", folder, "--home", home, "--format", "json"]
        measured = run_measured(command, is_sampled=is_sampled)
        (told,) = json.loads(measured.printed)
        if told["points_read"] != bench.n_points(name) or told["problems"]:
            sys.exit(f"{name}: {told} is not what the generator wrote, {bench.n_points(name)} points")
        stored = sum(size_bytes(points) for points in glob.glob(f"{home}/cache/*/points"))
    return measured, stored / told["points_read"]


def compare(bench: Bench, name: str, *, with_accumulator: bool) -> list[Figure]:
    """One set against the peers."""
    n_points = bench.n_points(name)
    warm(bench.folder(name))
    rounds = [(ingest(bench, name)[0], bench.server(name, is_checked=True)) for _round in range(bench.rounds)]
    is_big = name in BIG
    cpu = ratio(
        "CPU, against the server with --checksum",
        [(ours.cpu_s, server["server_cpu_s"]) for ours, server in rounds],
        goal=CPU_GOAL if is_big else None,
    )
    wall = ratio(
        "wall, against the server's load",
        [(ours.wall_s, server["load_s"]) for ours, server in rounds],
        goal=WALL_GOAL if is_big else None,
    )
    ours_s, theirs_s = cpu.ours or 0, cpu.theirs or 0
    speed = Figure("points a CPU-second", n_points / ours_s, "", n_points / ours_s, n_points / theirs_s)
    figures = [cpu, wall, speed]
    if with_accumulator:
        figures.append(against_accumulator(bench, name, ours_s))
    sampled, stored_bytes = ingest(bench, name, is_sampled=True)
    figures.append(Figure("bytes stored a point", stored_bytes, "B", goal=STORED_GOAL_BYTES))
    figures.append(memory_figure(sampled))
    return figures


def against_accumulator(bench: Bench, name: str, ours_s: float) -> Figure:
    """EventAccumulator once, since it needs minutes; against the median of ours."""
    command = [bench.peer_python, bench.script("tb_python.py"), str(bench.folder(name)), "acc"]
    theirs_s = run_measured(command).cpu_s
    return Figure("CPU, against EventAccumulator, s", ours_s / theirs_s, "x", ours_s, theirs_s, ACCUMULATOR_GOAL)


def memory_figure(sampled: Measured, *, name: str = "peak memory (PSS of all processes)") -> Figure:
    return Figure(name, sampled.peak_pss_bytes / MIB, "MiB", goal=MEMORY_GOAL_MIB)


def compare_memory(bench: Bench, names: list[str]) -> list[Figure]:
    """The memory at every set, and its growth from each to the next larger one and from the first to the last."""
    names = sorted(names, key=bench.n_points)
    figures = [memory_figure(ingest(bench, name, is_sampled=True)[0], name=f"peak memory at {name}") for name in names]
    needed = dict(zip(names, (figure.value for figure in figures), strict=True))
    pairs = list(pairwise(names))
    for one, other in [*pairs, *([(names[0], names[-1])] if len(pairs) > 1 else [])]:
        growth = needed[other] / needed[one]
        figures.append(Figure(f"growth from {one} to {other}", growth, "x", needed[other], needed[one], GROWTH_GOAL))
    return figures


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sets", nargs="*", default=["M", "L"], metavar="SET")
    parser.add_argument("--memory", action="store_true", help="take only the memory")
    parser.add_argument("--accumulator", nargs="*", default=["M"], metavar="SET", help="sets for EventAccumulator")
    add_options(parser)
    options = parser.parse_args()
    bench = bench_of(options)
    warm_modules(bench)
    if options.memory:
        n_missed = print_figures("memory of a cold ingest", compare_memory(bench, options.sets))
    else:
        n_missed = 0
        for name in options.sets:
            figures = compare(bench, name, with_accumulator=name in options.accumulator)
            title = f"{name}: {bench.n_points(name):,} points, {bench.rounds} rounds"
            n_missed += print_figures(title, figures)
    print(f"\n{machine()}")
    sys.exit(n_missed > 0)


if __name__ == "__main__":
    main()
