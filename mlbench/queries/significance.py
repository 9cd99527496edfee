"""Is a difference between two samples more than chance: estimates, tests and corrections, by scipy where it has them.

Sources: Welch (1947) for the interval; Fisher (1935) and Pitman (1937) for the permutation test; Hedges (1981) for the
effect size; Mann & Whitney (1947) for the probability of improvement, as Agarwal et al. (2021) use it; Holm (1979) for
many tests at once. docs/statistics.md explains all of them.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from mlbench.dataclass import dataclass
from mlbench.queries.estimates import (
    LEVEL,
    N_RESAMPLES,
    SEED,
    Estimate,
    Interval,
    bootstrap_interval,
    estimate,
    student_interval,
)

if TYPE_CHECKING:
    from mlbench.model import Float64Array

ALPHA = 1 - LEVEL
MOST_EXACT = 50_000
"""Arrangements up to which a permutation test goes through all of them: 9 and 9 values have 48,620, 15 pairs 32,768."""


@dataclass(frozen=True, slots=True)
class Chance:
    """What a permutation test counted."""

    n_as_far: int
    """Arrangements in which the difference is as great, in the direction that was observed."""
    n_arrangements: int
    is_exact: bool
    """All arrangements there are; else as many drawn at random, the observed one among them."""
    p: float
    """Two-sided: twice the lesser of the two one-sided shares, at most 1."""

    @property
    def one_sided(self) -> float:
        return self.n_as_far / self.n_arrangements


@dataclass(frozen=True, slots=True)
class Contrast:
    """Sample b against sample a; every difference is b minus a."""

    a: Estimate
    b: Estimate
    is_paired: bool
    difference: float
    interval: Interval | None
    """95 %: Welch's, of pairs Student's; None where one side has one value, or neither varies."""
    bootstrap: Interval | None
    """95 %, BCa; None for fewer than three values (or pairs)."""
    effect: float | None
    """Hedges' g; of pairs the mean difference in its own standard deviations, corrected alike."""
    chance: Chance | None
    """None where one side has one value and no pairs: nothing can be dealt out that says anything."""
    exceeds: float
    """Probability that a run of b has a greater value than a run of a; ties count half."""

    @property
    def p(self) -> float | None:
        return None if self.chance is None else self.chance.p


def contrast(
    a: Sequence[float], b: Sequence[float], *, is_paired: bool = False, has_bootstrap: bool = True
) -> Contrast:
    """Compare two samples of finite values, one of each at least.

    Args:
        a: of the baseline.
        b: of what is compared with it; of pairs as many, in the same order.
        is_paired: the values belong together one by one.
        has_bootstrap: False saves the bootstraps, which load scipy.stats (half a CPU second).
    """
    import numpy as np

    x, y = np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64)
    of_a, of_b = (estimate(side, has_bootstrap=has_bootstrap) for side in (a, b))
    if of_a is None or of_b is None or (is_paired and len(x) != len(y)):
        raise ValueError("both samples must have values, of pairs as many")
    difference = of_b.mean - of_a.mean
    return Contrast(
        a=of_a,
        b=of_b,
        is_paired=is_paired,
        difference=difference,
        interval=_paired_interval(y - x) if is_paired else welch_interval(x, y),
        bootstrap=_bootstrap(x, y, is_paired=is_paired) if has_bootstrap else None,
        effect=_effect_of_pairs(y - x) if is_paired else hedges_g(x, y),
        chance=chance_of(x, y, is_paired=is_paired),
        exceeds=_share_exceeding(x, y),
    )


def _bootstrap(x: Float64Array, y: Float64Array, *, is_paired: bool) -> Interval | None:
    return bootstrap_interval([y - x], _mean) if is_paired else bootstrap_interval([x, y], _difference)


def _share_exceeding(x: Float64Array, y: Float64Array) -> float:
    """Mann & Whitney's U of y over all pairs: by order, since all pairs of 10,000 runs are many."""
    import numpy as np

    ordered = np.sort(x)
    below = np.searchsorted(ordered, y, side="left").sum()
    not_above = np.searchsorted(ordered, y, side="right").sum()
    return float(below + not_above) / 2 / (len(x) * len(y))


# ---------------------------------------------------------------- intervals and effects


def _paired_interval(differences: Float64Array) -> Interval | None:
    import numpy as np

    return student_interval(differences) if np.ptp(differences) else None


def welch_interval(x: Float64Array, y: Float64Array) -> Interval | None:
    """95 % interval of the difference of the means (y minus x) without equal variances; None where nothing varies.

    The same as scipy's `ttest_ind(equal_var=False)`, which warns where one of the samples does not vary.
    """
    import numpy as np

    if min(len(x), len(y)) < 2 or (np.ptp(x) == 0 and np.ptp(y) == 0):
        return None
    from scipy.special import stdtrit

    of_x, of_y = float(np.var(x, ddof=1)) / len(x), float(np.var(y, ddof=1)) / len(y)
    df = (of_x + of_y) ** 2 / (of_x**2 / (len(x) - 1) + of_y**2 / (len(y) - 1))
    half = float(stdtrit(df, (1 + LEVEL) / 2)) * math.sqrt(of_x + of_y)
    difference = float(y.mean() - x.mean())
    return Interval(difference - half, difference + half)


def hedges_g(x: Float64Array, y: Float64Array) -> float | None:
    """The difference of the means (y minus x) in pooled standard deviations, without the bias of small samples.

    None where there are fewer than three values together, or neither sample varies.
    """
    import numpy as np

    df = len(x) + len(y) - 2
    if df < 1:
        return None
    squares = float(((x - x.mean()) ** 2).sum() + ((y - y.mean()) ** 2).sum())
    deviation = math.sqrt(squares / df)
    if deviation == 0 or (np.ptp(x) == 0 and np.ptp(y) == 0):
        return None
    return _unbiased(df) * float(y.mean() - x.mean()) / deviation


def _effect_of_pairs(differences: Float64Array) -> float | None:
    import numpy as np

    n = len(differences)
    if n < 2 or np.ptp(differences) == 0:
        return None
    return _unbiased(n - 1) * float(differences.mean()) / float(np.std(differences, ddof=1))


def _unbiased(df: int) -> float:
    """Hedges' factor c(df) by gamma functions; 0 for one degree of freedom, where nothing is left."""
    if df < 2:
        return 0.0
    return math.exp(math.lgamma(df / 2) - math.lgamma((df - 1) / 2)) / math.sqrt(df / 2)


# ---------------------------------------------------------------- permutation test


def chance_of(x: Float64Array, y: Float64Array, *, is_paired: bool) -> Chance | None:
    """How often the difference of the means would be as great if it did not matter which run is on which side.

    Two samples are dealt out anew; of pairs each difference changes its sign or not. Exact up to MOST_EXACT
    arrangements, else by N_RESAMPLES random ones. None where nothing can be said: one value on a side, or one pair.
    """
    if (is_paired and len(x) < 2) or (not is_paired and min(len(x), len(y)) < 2):
        return None
    import numpy as np
    from scipy.stats import permutation_test

    n_all = n_arrangements(len(x), len(y), is_paired=is_paired)
    is_exact = n_all <= MOST_EXACT
    found = permutation_test(
        (y - x,) if is_paired else (y, x),
        _mean if is_paired else _difference_of_first,
        permutation_type="samples" if is_paired else "independent",
        vectorized=True,
        n_resamples=n_all if is_exact else N_RESAMPLES,
        batch=max(1, 2_000_000 // (len(x) + len(y))),
        rng=np.random.default_rng(SEED),
    )
    null = np.asarray(found.null_distribution)
    observed = float(found.statistic)
    # scipy's tolerance is relative to the difference, which is too little where values are alike: 0.9001 and 0.9002.
    slack = 1e-12 * float(max(np.abs(x).max(), np.abs(y).max()))
    greater, less = int((null >= observed - slack).sum()), int((null <= observed + slack).sum())
    if not is_exact:  # the observed arrangement is one of those that there could be (Phipson & Smyth 2010)
        greater, less, n_all = greater + 1, less + 1, len(null) + 1
    else:
        n_all = len(null)
    return Chance(
        n_as_far=greater if observed > 0 else less if observed < 0 else min(greater, less),
        n_arrangements=n_all,
        is_exact=is_exact,
        p=min(1.0, 2 * min(greater, less) / n_all),
    )


def n_arrangements(n_a: int, n_b: int, *, is_paired: bool) -> int:
    """How many ways there are to deal out the values; of pairs to choose signs."""
    return 2**n_a if is_paired else math.comb(n_a + n_b, n_a)


def least_p(n_a: int, n_b: int, *, is_paired: bool) -> float:
    """The least two-sided p that so many values can give, however far they are apart."""
    return min(1.0, 2 / n_arrangements(n_a, n_b, is_paired=is_paired))


def n_needed(*, is_paired: bool, alpha: float = ALPHA) -> int:
    """Values on each side (or pairs) from which a difference can be shown at all: 4, of pairs 6, at 5 %."""
    n = 2
    while least_p(n, n, is_paired=is_paired) > alpha:
        n += 1
    return n


def _mean(x: Float64Array, axis: int = -1) -> Float64Array:
    result: Float64Array = x.mean(axis=axis)
    return result


def _difference(x: Float64Array, y: Float64Array, axis: int = -1) -> Float64Array:
    return _mean(y, axis) - _mean(x, axis)


def _difference_of_first(y: Float64Array, x: Float64Array, axis: int = -1) -> Float64Array:
    return _difference(x, y, axis)


# ---------------------------------------------------------------- many tests


def holm(ps: Sequence[float | None]) -> tuple[float | None, ...]:
    """Holm's step-down correction: p values of which any number may be judged at the same level; None stays None."""
    known = sorted((p, place) for place, p in enumerate(ps) if p is not None)
    corrected: list[float | None] = [None] * len(ps)
    reached = 0.0
    for rank, (p, place) in enumerate(known):
        reached = max(reached, min(1.0, (len(known) - rank) * p))
        corrected[place] = reached
    return tuple(corrected)
