"""How often two groups that do not differ are called better or worse: at most as often as stated.

Usage: python benchmarks/false_better.py [--pairs N] [--seed S]

Simulates N pairs of groups (1,000 unless another is asked for) in which the setting makes no difference, for several
sizes and kinds of noise, and judges them as `mlbench compare` does. The stated level is 5 % for both directions
together. A rate is let be 5 % and three standard errors of it, since N is finite; what lies above is a failure, and the
command exits with 1. Ten metrics at once are judged together, with Holm's correction: the rate is that of pairs in
which any of the ten is called better or worse.
"""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # the package of this tree

import numpy as np

from mlbench.queries.significance import ALPHA, chance_of, holm

Draw = Callable[[np.random.Generator, int], np.ndarray]
NOISES: dict[str, Draw] = {
    "normal": lambda rng, n: rng.normal(0.9, 0.01, n),
    "skewed (log-normal)": lambda rng, n: rng.lognormal(0.0, 1.0, n),
    "heavy tails (t, 2 df)": lambda rng, n: rng.standard_t(2, n),
    "ties (accuracy of 50 images)": lambda rng, n: rng.binomial(50, 0.9, n) / 50,
}
SIZES = (3, 4, 5, 6, 20)
N_METRICS = 10


def is_called(x: np.ndarray, y: np.ndarray, *, is_paired: bool = False) -> bool:
    """Whether one metric alone is called better or worse."""
    chance = chance_of(x, y, is_paired=is_paired)
    return chance is not None and chance.p <= ALPHA


def rate_of(draw: Draw, n_runs: int, n_pairs: int, seed: int) -> float:
    """Share of the pairs of groups that are called better or worse."""
    rng = np.random.default_rng(seed)
    return sum(is_called(draw(rng, n_runs), draw(rng, n_runs)) for _ in range(n_pairs)) / n_pairs


def paired_rate(n_runs: int, n_pairs: int, seed: int) -> float:
    """The same for runs that share their seeds: what a seed does to both is most of the noise."""
    rng = np.random.default_rng(seed)
    called = 0
    for _ in range(n_pairs):
        shared = rng.normal(0.9, 0.02, n_runs)
        x, y = (shared + rng.normal(0, 0.005, n_runs) for _ in range(2))
        called += is_called(x, y, is_paired=True)
    return called / n_pairs


def rate_of_many(n_runs: int, n_pairs: int, seed: int) -> float:
    """Ten metrics at once, corrected: share of the pairs in which any is called better or worse."""
    rng = np.random.default_rng(seed)
    called = 0
    for _ in range(n_pairs):
        chances = [chance_of(rng.normal(size=n_runs), rng.normal(size=n_runs), is_paired=False)
                   for _ in range(N_METRICS)]  # fmt: skip
        called += any(p is not None and p <= ALPHA for p in holm([chance.p if chance else None for chance in chances]))
    return called / n_pairs


def main(arguments: Sequence[str] | None = None) -> int:
    """Print every rate beside the level; 1 where one is above it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=int, default=1_000)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(arguments)
    limit = ALPHA + 3 * math.sqrt(ALPHA * (1 - ALPHA) / options.pairs)
    print(f"{options.pairs:,} pairs without a difference each; stated level {ALPHA:.1%}, tolerated {limit:.1%}")
    questions: dict[str, Callable[[], float]] = {
        f"{noise}, {n} and {n} runs": partial(rate_of, draw, n, options.pairs, options.seed)
        for noise, draw in NOISES.items()
        for n in SIZES
    }
    questions |= {f"pairs of equal seeds, {n} pairs": partial(paired_rate, n, options.pairs, options.seed)
                  for n in (5, 6, 8)}  # fmt: skip
    questions[f"{N_METRICS} metrics at once (Holm), 6 and 6 runs"] = partial(
        rate_of_many, 6, options.pairs, options.seed
    )
    n_above = 0
    for name, ask in questions.items():
        rate = ask()
        n_above += rate > limit
        print(f"  {name:45} {rate:6.1%}{'   ABOVE' if rate > limit else ''}", flush=True)
    return int(n_above > 0)


if __name__ == "__main__":
    sys.exit(main())
