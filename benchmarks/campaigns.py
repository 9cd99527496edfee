"""Campaigns against what may go wrong, with their figures in docs/reliability.md.

Usage: python benchmarks/campaigns.py NAME [--count N] [--minutes M] [--seed N] [--tally FILE] [--dry]

Prints each figure beside its promise, writes the table with the commit between the markers `<!-- campaign NAME -->` and
`<!-- end of NAME -->` (not with --dry), and exits with 1 when a promise is broken.
"""

from __future__ import annotations

import argparse
import importlib
import pkgutil
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path

import campaigning
from campaigning import Figure, Plan

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "reliability.md"
sys.path.insert(0, str(ROOT))


def main() -> int:
    """Run one campaign; returns the exit code."""
    options = _options()
    module = importlib.import_module(f"campaigning.{options.name.replace('-', '_')}")
    folder = Path(tempfile.mkdtemp(prefix=f"mlbench-{options.name}-", dir=options.folder))
    count = module.COUNT if options.count is None else options.count
    started_s, cpu_s = time.monotonic(), time.process_time()
    figures = []
    try:
        for figure in module.campaign(Plan(folder, count, options.minutes, options.seed, options.tally)):
            figures.append(figure)
            verdict = "" if figure.is_met else "  <-- BROKEN"
            print(f"{figure.what}: {figure.measured} (promised: {figure.goal}){verdict}", flush=True)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    minutes = (time.monotonic() - started_s) / 60
    print(f"{minutes:.1f} minutes, {time.process_time() - cpu_s:.0f} s of a core in this process")
    if not options.dry:
        PAGE.write_text(written(PAGE.read_text("utf-8"), options.name, figures, f"{_commit()}, {minutes:.1f} minutes"))
    return int(not all(figure.is_met for figure in figures))


def names() -> list[str]:
    """All campaigns."""
    return sorted(module.name.replace("_", "-") for module in pkgutil.iter_modules(campaigning.__path__))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("name", choices=names())
    parser.add_argument("--count", type=int, help="kills, states, flips or inputs (default: the campaign's own)")
    parser.add_argument("--minutes", type=float, default=60.0, help="how long at most (default 60)")
    parser.add_argument("--seed", type=int, default=20261128)
    parser.add_argument("--folder", help="where scratch folders are made")
    parser.add_argument("--tally", type=Path, help="fuzz: a file to keep the count in and to go on from")
    parser.add_argument("--dry", action="store_true", help="print only, write no page")
    return parser.parse_args()


def _commit() -> str:
    """The commit that was measured, marked where the tree differs from it."""
    command = ["git", "-C", str(ROOT), "describe", "--always", "--abbrev=7", "--exclude=*", "--dirty=+"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def written(page: str, name: str, figures: Iterable[Figure], measured_at: str) -> str:
    """The page with the table of a campaign between its markers; sys.exit where it has none."""
    rows = [f"| {figure.what} | {figure.measured} | {figure.goal} |" for figure in figures]
    table = ["| counted | measured | promised |", "| --- | --- | --- |", *rows]
    start, end = f"<!-- campaign {name} -->", f"<!-- end of {name} -->"
    pattern = re.compile(f"{re.escape(start)}.*?{re.escape(end)}", re.DOTALL)
    if not pattern.search(page):
        sys.exit(f"{PAGE}: no markers for '{name}'. Write the two lines: {start} {end}")
    block = "\n".join([start, f"`campaigns.py {name}` at commit {measured_at}:", "", *table, end])
    return pattern.sub(lambda _found: block, page)


if __name__ == "__main__":
    sys.exit(main())
