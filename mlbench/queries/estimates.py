"""What a few repetitions say of a setting: mean, median and interquartile mean, each with how sure it is.

scipy is loaded when the first estimate is asked for: a table without groups never pays for it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from mlbench.dataclass import dataclass

if TYPE_CHECKING:
    from mlbench.model import Float64Array

LEVEL = 0.95
"""Of every interval."""
N_RESAMPLES = 9_999
"""Of a bootstrap, and of a permutation test that cannot be exact: p is known to 0.005 at 5 %."""
LEAST_RESAMPLED = 3
"""Values from which a bootstrap says anything."""
SEED = 20_261_128
"""The same numbers give the same interval, today and tomorrow."""


@dataclass(frozen=True, slots=True)
class Interval:
    low: float
    high: float

    @property
    def half(self) -> float:
        return (self.high - self.low) / 2

    def holds(self, value: float) -> bool:
        """Whether the value lies in it; its ends do."""
        return self.low <= value <= self.high


@dataclass(frozen=True, slots=True)
class Estimate:
    """Of one metric over the runs of a group that have a finite value."""

    n: int
    mean: float
    median: float
    iqm: float
    """Interquartile mean: of the middle half of the values, as Agarwal et al. (2021) ask for."""
    deviation: float | None
    """Sample standard deviation; None for one value."""
    least: float
    greatest: float
    student: Interval | None
    """95 % interval of the mean (Student's t); None for one value."""
    bootstrap: Interval | None
    """95 % interval of the mean, BCa bootstrap; None for fewer than three values."""


def estimate(values: Sequence[float], *, has_bootstrap: bool = True) -> Estimate | None:
    """The estimate from finite values; None where there are none.

    Args:
        values: finite ones.
        has_bootstrap: False saves the bootstrap, which loads scipy.stats (half a CPU second).
    """
    import numpy as np

    if not values:
        return None
    x = np.asarray(values, dtype=np.float64)
    return Estimate(
        n=len(x),
        mean=math.fsum(x) / len(x),
        median=float(np.median(x)),
        iqm=interquartile_mean(x),
        deviation=float(np.std(x, ddof=1)) if len(x) > 1 else None,
        least=float(x.min()),
        greatest=float(x.max()),
        student=student_interval(x),
        bootstrap=bootstrap_interval([x], _mean) if has_bootstrap else None,
    )


def estimates(groups: Sequence[Sequence[float]]) -> tuple[Estimate | None, ...]:
    """`estimate` of each group; the bootstraps of groups of one size are one, since they draw the same resamples."""
    import numpy as np

    found = [estimate(values, has_bootstrap=False) for values in groups]
    by_size: dict[int, list[int]] = {}
    for place, values in enumerate(groups):
        by_size.setdefault(len(values), []).append(place)
    intervals: dict[int, Interval | None] = {}
    for places in by_size.values():
        stacked = np.array([groups[place] for place in places], dtype=np.float64)
        intervals |= dict(zip(places, mean_intervals(stacked), strict=True))
    return tuple(one and replace(one, bootstrap=intervals[place]) for place, one in enumerate(found))


def interquartile_mean(x: Float64Array) -> float:
    """Mean of what is left without the least and the greatest quarter (rounded down), as `scipy.stats.trim_mean`.

    Args:
        x: shape (n,), n >= 1, finite.
    """
    import numpy as np

    n_cut = len(x) // 4
    middle = np.sort(x)[n_cut : len(x) - n_cut]
    return math.fsum(middle) / len(middle)


def student_interval(x: Sequence[float] | Float64Array) -> Interval | None:
    """95 % interval of the mean (Student's t); None for fewer than two values.

    Args:
        x: shape (n,), finite.
    """
    half = student_half(x)
    mean = math.fsum(x) / len(x) if len(x) else 0.0
    return None if half is None else Interval(mean - half, mean + half)


def student_half(values: Sequence[float] | Float64Array) -> float | None:
    """Half of the 95 % interval of the mean (Student's t); None for fewer than two values."""
    n = len(values)
    if n < 2:
        return None
    mean = math.fsum(values) / n
    return half_of(math.sqrt(math.fsum((value - mean) ** 2 for value in values) / (n - 1)), n)


def half_of(deviation: float, n: int) -> float:
    """Half of the 95 % interval of a mean of `n` values, two at least, with that sample standard deviation."""
    from scipy.special import stdtrit

    return float(stdtrit(n - 1, (1 + LEVEL) / 2)) * deviation / math.sqrt(n)


def mean_intervals(samples: Float64Array) -> list[Interval | None]:
    """`bootstrap_interval` of the mean of each row, all at once.

    Args:
        samples: shape (groups, n), finite.
    """
    import numpy as np

    varies = np.ptp(samples, axis=1) > 0 if samples.shape[1] >= LEAST_RESAMPLED else np.zeros(len(samples), bool)
    found = iter(_bootstrapped([samples[varies]], _mean) if varies.any() else ())
    return [next(found) if has_varied else None for has_varied in varies.tolist()]


def bootstrap_interval(samples: Sequence[Float64Array], statistic: Any) -> Interval | None:  # noqa: ANN401 - scipy's vectorised function
    """95 % interval of a statistic by the bias-corrected and accelerated bootstrap (Efron 1987), by scipy.

    None where it would say nothing: for fewer than three values in a sample, and where all resamples are equal.

    Args:
        samples: each shape (n,), resampled by itself.
        statistic: of as many arrays, along `axis`.
    """
    import numpy as np

    if min(map(len, samples)) < LEAST_RESAMPLED or all(np.ptp(x) == 0 for x in samples):
        return None
    return _bootstrapped(samples, statistic)[0]


def _bootstrapped(samples: Sequence[Float64Array], statistic: Any) -> list[Interval | None]:  # noqa: ANN401 - see above
    """The interval of each row; of samples without rows, one."""
    import numpy as np
    from scipy.stats import bootstrap

    found = bootstrap(
        tuple(samples), statistic, n_resamples=N_RESAMPLES, confidence_level=LEVEL, method="BCa",
        vectorized=True, axis=-1, rng=np.random.default_rng(SEED), batch=1_000,
    ).confidence_interval  # fmt: skip
    ends = zip(np.atleast_1d(found.low).tolist(), np.atleast_1d(found.high).tolist(), strict=True)
    return [Interval(low, high) if math.isfinite(low) and math.isfinite(high) else None for low, high in ends]


def _mean(x: Float64Array, axis: int = -1) -> Float64Array:
    result: Float64Array = x.mean(axis=axis)
    return result
