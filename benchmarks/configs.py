"""Parsing the YAML configurations of many runs: our loader, with all its limits, against PyYAML's CSafeLoader.

Usage: python benchmarks/configs.py [SET] [--rounds N] [--data DIR] [--bench DIR] [--peer-python PYTHON]

The set is WIDE (10,000 runs with 50 keys each) unless another is named. `loader` is text to plain values on both sides;
`adapter` is everything from opening the file to parameters with their texts and lines, against opening, reading and
CSafeLoader. Both sides in one process, in turn. Exits with 1 when a goal is missed.
"""

from __future__ import annotations

import argparse
import gc
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import yaml
from measuring import Figure, add_options, bench_of, files_below, machine, print_figures, ratio, warm

from mlbench.adapters.config_file import ADAPTER
from mlbench.model import Param, Source
from mlbench.wire.dump_facts import read_dump_text
from mlbench.wire.yamltext import load_yaml

GOAL = 2.0
EXPECTED_KEYS = 20
"""A set has no fewer keys a run."""


def load_ours(texts: Sequence[str]) -> None:
    for text in texts:
        load_yaml(text)


def load_theirs(texts: Sequence[str]) -> None:
    for text in texts:
        yaml.load(text, Loader=yaml.CSafeLoader)


def read_ours(paths: Sequence[str]) -> None:
    for path in paths:
        n_params = sum(isinstance(fact, Param) for fact in ADAPTER.read(Source(path, ""), None))
        if n_params < EXPECTED_KEYS:
            sys.exit(f"{path}: only {n_params} parameters were read")


def read_theirs(paths: Sequence[str]) -> None:
    for path in paths:
        with open(path, "rb") as file:
            yaml.load(file.read(), Loader=yaml.CSafeLoader)


def cpu_s(read: Callable[[Sequence[str]], None], what: Sequence[str]) -> float:
    """CPU of one pass; the garbage of the pass before is not counted in."""
    gc.collect()
    before = time.process_time()
    read(what)
    return time.process_time() - before


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("set", nargs="?", default="WIDE")
    add_options(parser)
    options = parser.parse_args()
    bench = bench_of(options)
    folder: Path = bench.folder(options.set)
    warm(folder)
    paths = [path for path in files_below(folder) if path.endswith("/config.yaml")]
    texts = [read_dump_text(path).text or "" for path in paths]
    read_ours(paths[:1])
    loader, adapter = [], []
    for _round in range(bench.rounds):
        loader.append((cpu_s(load_ours, texts), cpu_s(load_theirs, texts)))
        adapter.append((cpu_s(read_ours, paths), cpu_s(read_theirs, paths)))
    figures: list[Figure] = [
        ratio("CPU, loader: text to values", loader, goal=GOAL),
        ratio("CPU, adapter: file to parameters", adapter, goal=GOAL),
    ]
    n_missed = print_figures(f"{options.set}: {len(paths):,} configurations, {bench.rounds} rounds", figures)
    print(f"\n{machine()}")
    sys.exit(n_missed > 0)


if __name__ == "__main__":
    main()
