"""Listing 500 DVC experiments of a repository, against `git for-each-ref` and one object read for each.

Usage: python benchmarks/experiments.py     (git has to be installed)

Both sides list the same references in one run; CPU milliseconds, medians of five. Reading an experiment whole
(parameters, metrics, lineage) is told beside; it has no goal.
"""

import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable

from mlbench.adapters.dvc_experiments import ADAPTER
from mlbench.model import Listing, Source

N_EXPERIMENTS = 500
ROUNDS = 5
GOAL = 3.0


def make_repository(folder: str) -> None:
    """The adapter's example, its one experiment under 500 names more."""
    ADAPTER.example(folder)
    top = os.path.join(folder, ".git", "refs", "exps")
    place = next(place for place, _folders, names in os.walk(top) if names)
    with open(os.path.join(place, os.listdir(place)[0]), encoding="ascii") as file:
        commit = file.read()
    for number in range(N_EXPERIMENTS):
        with open(os.path.join(place, f"e{number}"), "w", encoding="ascii") as file:
            file.write(commit)


def listing_of(folder: str) -> Listing:
    """As a scan would give it."""
    names = sorted(os.listdir(folder))
    is_folder = {name: os.path.isdir(os.path.join(folder, name)) for name in names}
    files = tuple(name for name in names if not is_folder[name])
    return Listing(folder, files, tuple(name for name in names if is_folder[name]))


def ours_ms(work: Callable[[], object]) -> float:
    """CPU milliseconds of this process."""
    before = time.process_time()
    work()
    return (time.process_time() - before) * 1000


def git_ms(folder: str) -> float:
    """CPU milliseconds of git's two processes."""
    base = ["git", "-c", "safe.directory=*", "-C", folder]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    refs = subprocess.run(
        [*base, "for-each-ref", "refs/exps", "--format=%(objectname)"], capture_output=True, check=True
    )
    subprocess.run([*base, "cat-file", "--batch"], input=refs.stdout, capture_output=True, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime) * 1000


def main() -> int:
    """Print both sides and the goal; 1 where it is missed."""
    with tempfile.TemporaryDirectory() as folder:
        make_repository(folder)
        listing = listing_of(folder)
        claims = list(ADAPTER.claims(listing))
        pairs = [(ours_ms(lambda: list(ADAPTER.claims(listing))), git_ms(folder)) for _round in range(ROUNDS)]
        mine, theirs = (statistics.median(side) for side in zip(*pairs, strict=True))
        ratio = statistics.median(a / b for a, b in pairs)
        print(f"{len(claims)} experiments listed: {mine:.1f} / {theirs:.1f} CPU ms = {ratio:.2f} x, at most {GOAL} x")
        sources = [Source(claim.path, claim.run_folder, part=claim.part) for claim in claims[:50]]
        whole = ours_ms(lambda: [list(ADAPTER.read(source, None)) for source in sources]) / len(sources)
        print(f"one experiment read whole: {whole:.1f} CPU ms")
    return int(ratio > GOAL)


if __name__ == "__main__":
    sys.exit(main())
