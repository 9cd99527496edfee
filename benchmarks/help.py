"""`mlbench --help` against a one-command click program, in one run: at most 1.3 times.

Usage: python benchmarks/help.py [ROUNDS]
"""

import statistics
import subprocess
import sys
import time

ONE_COMMAND = """
import click

@click.command()
@click.option("--name", help="A name.")
def hello(name):
    "Say hello."

hello()
"""
OURS = "from mlbench.main import main; main()"
GOAL = 1.3


def seconds(code: str) -> float:
    before = time.perf_counter()
    subprocess.run([sys.executable, "-c", code, "--help"], stdout=subprocess.DEVNULL, check=True)
    return time.perf_counter() - before


def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 21
    pairs = [(seconds(OURS), seconds(ONE_COMMAND)) for _round in range(rounds + 1)][1:]
    ratio = statistics.median(ours / theirs for ours, theirs in pairs)
    print(f"mlbench --help          {statistics.median(ours for ours, _theirs in pairs) * 1000:6.1f} ms")
    print(f"one-command click       {statistics.median(theirs for _ours, theirs in pairs) * 1000:6.1f} ms")
    print(f"ratio (median of pairs) {ratio:6.2f}   goal at most {GOAL}")
    sys.exit(ratio > GOAL)


if __name__ == "__main__":
    main()
