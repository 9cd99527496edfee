"""`evaluations.npz` of Stable-Baselines3's EvalCallback (also as rl-zoo runs it), SB3 1 and 2.

Every evaluation is a step (`timesteps`) with the returns and lengths of some episodes; the metrics are
`evaluations/mean_reward`, `evaluations/std_reward`, `evaluations/mean_ep_length`, and `evaluations/success_rate` where
it is there. NaN stays NaN. There is no wall time. Arrays of objects are pickles and are refused.
Link: https://stable-baselines3.readthedocs.io/en/master/guide/callbacks.html#evalcallback
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from mlbench.model import Adapter, Claim, Cursor, Fact, JsonValue, Listing, Points, Problem, ReadStatus, Role, Source
from mlbench.wire.npy import load_array

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mlbench.model import Float64Array

_NAME = "evaluations.npz"
_METRICS = (
    ("results", "mean_reward"), ("results", "std_reward"), ("ep_lengths", "mean_ep_length"),
    ("successes", "success_rate"),
)  # fmt: skip


def claims(listing: Listing) -> Iterator[Claim]:
    if listing.has(_NAME):
        yield Claim(os.path.join(listing.path, _NAME), Role.METRICS, listing.path)


def read(source: Source, _cursor: Mapping[str, JsonValue] | None) -> Iterator[Fact]:
    steps, status, problem = load_array(source.path, "timesteps")
    if problem is not None:
        yield problem
    elif steps is None or steps.ndim != 1 or steps.dtype.kind not in "iuf":
        status = status if status is ReadStatus.EMPTY and not os.path.getsize(source.path) else ReadStatus.DAMAGED
        yield Problem(source.path, "it holds no 'timesteps', a row of numbers")
    if steps is None or status is not ReadStatus.EOF:
        yield Cursor({}, status)
        return
    for place, (array, metric) in enumerate(_METRICS):
        values, _status, problem = load_array(source.path, array)
        if problem is not None and metric != "std_reward":
            status = ReadStatus.DAMAGED
            yield problem
        if values is not None and len(steps):
            told = _summary(values, steps, metric)
            if told is None:
                status = ReadStatus.DAMAGED
                yield Problem(source.path, f"the array {array!r} has not a row for each of 'timesteps'")
            else:
                yield _points(f"evaluations/{metric}", steps, told, place)
    yield Cursor({}, status, len(steps))


def _summary(values: NDArray[Any], steps: NDArray[Any], metric: str) -> Float64Array | None:
    """One number an evaluation from those of its episodes. Stable-Baselines (2) kept each in an array of its own."""
    import numpy as np

    if values.ndim == 3 and values.shape[2] == 1:
        values = values[:, :, 0]
    if values.ndim != 2 or len(values) != len(steps) or values.dtype.kind not in "iufb" or not values.shape[1]:
        return None
    with np.errstate(all="ignore"):
        numbers = values.astype(np.float64)
        told = numbers.std(axis=1) if metric.startswith("std") else numbers.mean(axis=1)
    return np.asarray(told, dtype=np.float64)


def _points(metric: str, steps: NDArray[Any], values: Float64Array, place: int) -> Points:
    import numpy as np

    n = len(steps)
    with np.errstate(all="ignore"):
        whole = np.nan_to_num(steps).astype(np.int64)
    return Points(metric, whole, np.full(n, np.nan), values, np.arange(n, dtype=np.int64) * len(_METRICS) + place)


def example(folder: str) -> None:
    """Two evaluations of five episodes each."""
    import numpy as np

    with open(os.path.join(folder, _NAME), "wb") as file:
        np.savez(
            file,
            timesteps=np.array([300, 600]),
            results=np.array([[54.0, 60, 48, 51, 56], [47.0, 52, 40, 49, 50]]),
            ep_lengths=np.array([[54, 60, 48, 51, 56], [47, 52, 40, 49, 50]]),
        )


ADAPTER = Adapter(
    name="sb3-evaluations",
    claims=claims,
    read=read,
    example=example,
    formats="Stable-Baselines3's evaluations.npz",
    files=(_NAME,),
)
