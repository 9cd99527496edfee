"""A report of 100 runs against `mlbench query` of the same runs, both as processes, from one catalog.

Usage: python benchmarks/compare.py [SET] [--rounds N] [--data DIR] [--bench DIR] [--peer-python PYTHON]

The set is M (100 runs with 50 metrics of 1,000 points) unless another is named; it is ingested once. CPU seconds of the
whole process, in turn in every round. The report has its charts, as SVG files. Exits with 1 when the goal is missed.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from measuring import add_options, bench_of, machine, print_figures, ratio, run_measured

GOAL = 3.0
N_RUNS = 100


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print; the number of goals that were missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("set", nargs="?", default="M")
    add_options(parser)
    options = parser.parse_args(arguments)
    bench = bench_of(options)
    with tempfile.TemporaryDirectory() as folder:
        mlbench = [sys.executable, "-m", "mlbench", "--home", str(Path(folder) / "home")]
        run_measured([*mlbench, "ingest", str(bench.folder(options.set))])
        target = str(Path(folder) / "report.md")
        query = [*mlbench, "query", "--limit", str(N_RUNS)]
        report = [*mlbench, "report", "--limit", str(N_RUNS), "--force", "-o", target]
        pairs = [(run_measured(report).cpu_s, run_measured(query).cpu_s) for _round in range(bench.rounds + 1)][
            1:
        ]  # the first round warms up
        size_kb = Path(target).stat().st_size / 1000
    print(machine())
    print(f"the report has {size_kb:,.0f} kB of Markdown")
    return print_figures("report", [ratio(f"report of {N_RUNS} runs of {options.set}", pairs, goal=GOAL, unit="CPU s")])


if __name__ == "__main__":
    sys.exit(main())
