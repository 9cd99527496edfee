"""Axes: ranges that do not tremble while a run grows, and ticks at numbers that people would choose."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from mlbench.dataclass import dataclass
from mlbench.render import symlog
from mlbench.render.numbers import distinct, duration, moment_of, number, si

if TYPE_CHECKING:
    from mlbench.model import Float64Array

AXIS_KINDS = ("step", "relative", "wall", "value")
"""`relative` is seconds since the start, `wall` is Unix seconds UTC, `value` any number (another metric)."""

GREATEST = 1e300
"""Values beyond are drawn at this height: differences of greater doubles overflow."""
_LEAST_LOG, _GREATEST_LOG = 1e-299, 1e299
_LEAST_EXTENT = 1e-290
_QUANTA = 20
"""Automatic limits grow by twentieths: with free limits, every new point would move every dot of the chart."""

MINUTE, HOUR, DAY = 60, 3600, 86400
_TIME_STEPS = (
    1, 2, 5, 10, 15, 30, MINUTE, 2 * MINUTE, 5 * MINUTE, 10 * MINUTE, 15 * MINUTE, 30 * MINUTE,
    HOUR, 2 * HOUR, 3 * HOUR, 6 * HOUR, 12 * HOUR, DAY,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Axis:
    """A range of values, first to last; the first is less than the last, and positive where `is_log`."""

    low: float
    high: float
    is_log: bool = False
    kind: str = "value"
    linear: float = 0.0
    """Above 0 the axis is a symmetric logarithm, which is about linear from `-linear` to `linear`."""


@dataclass(frozen=True, slots=True)
class Tick:
    place: float
    """0 at the axis's low end to 1 at its high end."""
    label: str


def places(axis: Axis, values: Float64Array) -> Float64Array:
    """Where values lie on the axis: 0 at its low end, 1 at its high end. NaN where a value has no place."""
    low, high = _bent(axis.low, axis), _bent(axis.high, axis)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        if axis.is_log:
            bent = np.where(values > 0, np.log10(np.clip(values, _LEAST_LOG, _GREATEST_LOG)), np.nan)
        else:
            bent = symlog.bent(values, axis.linear) if axis.linear else values
            # NaN is neither: where there is one, and nothing greater, nothing is to be cut off.
            if (np.abs(bent) > GREATEST).any():
                bent = np.clip(bent, -GREATEST, GREATEST)
        spots: Float64Array = (bent - low) / (high - low)
        if bent is values:
            return spots
        is_infinite = np.isinf(values)
        return np.where(is_infinite, np.nan, spots) if is_infinite.any() else spots


def value_at(axis: Axis, place: float) -> float:
    """The value at a place; the inverse of `places`."""
    low, high = _bent(axis.low, axis), _bent(axis.high, axis)
    return _unbent(low + place * (high - low), axis)


def _bent(value: float, axis: Axis) -> float:
    if axis.linear:
        return symlog.bent(value, axis.linear)
    return math.log10(value) if axis.is_log else value


def _unbent(bent: float, axis: Axis) -> float:
    if axis.linear:
        return symlog.unbent(bent, axis.linear)
    return float(10 ** min(max(bent, -300.0), 300.0)) if axis.is_log else bent


def fitted_axis(
    arrays: Iterable[Float64Array],
    *,
    kind: str = "value",
    is_log: bool = False,
    linear: float = 0.0,
    limits: tuple[float | None, float | None] = (None, None),
) -> Axis:
    """The axis on which all finite values (all positive ones, where `is_log`) have a place.

    Automatic limits lie on a grid of about a twentieth of the range; given ones are kept as they are. Without
    values, or with limits that make no range, it goes from 0 to 1 (1 to 10). `linear` above 0 makes it a symmetric
    logarithm; wall time is always linear.
    """
    is_log = is_log and kind != "wall"
    scale = Axis(1.0, 10.0, is_log, kind, 0.0 if is_log or kind == "wall" else linear)
    low, high = _extent(arrays, is_log=is_log)
    given_low, given_high = (_usable(limit, is_log=is_log) for limit in limits)
    low, high = (low if given_low is None else given_low), (high if given_high is None else given_high)
    if not low < high:
        low, high = _widened(low, high, given_low, given_high)
    is_bent = is_log or scale.linear > 0
    low, high = _bent(low, scale), _bent(high, scale)
    if high - low < max(abs(low), abs(high)) * 1e-12 or high - low < (1e-12 if scale.linear else _LEAST_EXTENT):
        pad = max(abs(low) * 0.05, 0.1 if is_bent or low == 0 else _LEAST_EXTENT)
        low, high = low - pad, high + pad
    quantum = tick_step((high - low) / _QUANTA, "value" if is_bent else kind)
    low = low if given_low is not None else math.floor(low / quantum) * quantum
    high = high if given_high is not None else math.ceil(high / quantum) * quantum
    return Axis(_unbent(low, scale), _unbent(high, scale), is_log, kind, scale.linear)


def trimmed_limits(
    arrays: Sequence[Float64Array], limits: tuple[float | None, float | None], *, is_log: bool, linear: float = 0.0
) -> tuple[float | None, float | None]:
    """Limits that leave out values far from the middle nine tenths of all: by more than 1.5 times their range.

    TensorBoard's "ignore outliers" cuts at those nine tenths themselves, and with them the beginning of every loss.
    Ends that are given, and ends without an outlier, stay as they are.
    """
    shown = [array[np.isfinite(array) & ((array > 0) | (not is_log))] for array in arrays]
    values = np.concatenate(shown) if shown else np.empty(0)
    if values.size < 10:
        return limits
    # A quarter: differences of doubles near 1e308 overflow.
    bent = symlog.bent(values, linear) if linear else np.log10(values) if is_log else values / 4
    low, high = (float(end) for end in np.quantile(bent, (0.05, 0.95)))
    reach = 1.5 * (high - low)
    if reach <= 0:
        return limits
    ends = []
    for limit, fence, is_out in (
        (limits[0], low - reach, bool((bent < low - reach).any())),
        (limits[1], high + reach, bool((bent > high + reach).any())),
    ):
        power = min(max(fence, -300.0), 300.0)
        end = symlog.unbent(fence, linear) if linear else 10**power if is_log else fence * 4
        ends.append(end if limit is None and is_out else limit)
    return ends[0], ends[1]


def _usable(limit: float | None, *, is_log: bool) -> float | None:
    is_usable = (
        limit is not None and math.isfinite(limit) and abs(limit) <= GREATEST and (limit > _LEAST_LOG or not is_log)
    )
    return limit if is_usable else None


def _extent(arrays: Iterable[Float64Array], *, is_log: bool) -> tuple[float, float]:
    low, high = math.inf, -math.inf
    for array in arrays:
        least, greatest = _ends(array, is_log=is_log)
        low, high = min(low, least), max(high, greatest)
    if low > high:
        return (1.0, 10.0) if is_log else (0.0, 1.0)
    least, greatest = (_LEAST_LOG, _GREATEST_LOG) if is_log else (-GREATEST, GREATEST)
    return min(max(low, least), greatest), min(max(high, least), greatest)


def _ends(array: Float64Array, *, is_log: bool) -> tuple[float, float]:
    """The least and the greatest finite value; infinity and minus infinity where there is none."""
    if array.size and not is_log:
        least, greatest = float(np.fmin.reduce(array)), float(np.fmax.reduce(array))  # they pass over NaN
        if math.isfinite(least) and math.isfinite(greatest):
            return least, greatest
    shown = array[np.isfinite(array) & ((array > 0) | (not is_log))]
    return float(shown.min(initial=math.inf)), float(shown.max(initial=-math.inf))


def _widened(low: float, high: float, given_low: float | None, given_high: float | None) -> tuple[float, float]:
    """A range for limits that leave none: around a single value, above a given low or below a given high end."""
    if given_low is not None and given_high is not None:
        low, high = min(low, high), max(low, high)
    elif given_low is not None:
        high = low
    elif given_high is not None:
        low = high
    return low, high


# ---------------------------------------------------------------- steps


def tick_step(least: float, kind: str) -> float:
    """The least step of the kind's ladder that is at least `least` (> 0)."""
    if kind in ("relative", "wall") and least > 0.5:
        for step in _TIME_STEPS:
            if step >= least:
                return float(step)
        return _whole(_nice(least / DAY)) * DAY
    return _nice(least)


def _nice(least: float) -> float:
    """1, 2, 2.5 or 5 times a power of ten."""
    power = 10.0 ** math.floor(math.log10(least))
    for factor in (1.0, 2.0, 2.5, 5.0):
        if factor * power >= least * (1 - 1e-9):
            return factor * power
    return 10.0 * power


def _whole(step: float) -> float:
    """2.5 days, or steps, are no step."""
    return 5.0 if step == 2.5 else step


# ---------------------------------------------------------------- ticks


def ticks(axis: Axis, n_most: int) -> tuple[Tick, ...]:
    """At most `n_most` (but one at least) ticks, rising; labels are as long as it takes to tell them apart."""
    values = (_symlog_values if axis.linear else _log_values if axis.is_log else _linear_values)(axis, n_most)
    labels = _labels(values, axis)
    spots = places(axis, np.array(values, dtype=np.float64))
    return tuple(Tick(min(max(float(p), 0.0), 1.0), label) for p, label in zip(spots, labels, strict=True))


def _linear_values(axis: Axis, n_most: int) -> list[float]:
    """Multiples of the least step of which there are not too many."""
    step = (axis.high - axis.low) / (n_most + 1)
    while True:
        step = tick_step(step, axis.kind)
        if axis.kind == "step":
            step = _whole(max(step, 1.0))
        first, last = math.ceil(axis.low / step - 1e-9), math.floor(axis.high / step + 1e-9)
        if last - first < max(n_most, 1):
            return [index * step for index in range(first, last + 1)] or [axis.low]
        step *= 1.01


def _log_values(axis: Axis, n_most: int) -> list[float]:
    """Decades, then decades with 2 and 5, then finer; plain steps where the range is a small part of a decade."""
    low, high = math.log10(axis.low), math.log10(axis.high)
    exponents = range(math.floor(low + 1e-9), math.ceil(high - 1e-9) + 1)
    for mantissas in ((1, 1.5, 2, 3, 4, 5, 6, 8), (1, 2, 5), (1,)):
        values = [m * 10.0**e for e in exponents for m in mantissas if _is_within(m * 10.0**e, axis)]
        if 2 <= len(values) <= n_most:
            return values
        if len(values) < 2:
            break
    decades = [10.0**e for e in exponents if _is_within(10.0**e, axis)]
    if len(decades) > max(n_most, 1):
        return decades[:: -(-len(decades) // max(n_most, 1))]
    return [value for value in _linear_values(axis, n_most) if value > 0] or [axis.low]


def _symlog_values(axis: Axis, n_most: int) -> list[float]:
    found = symlog.tick_values(axis.low, axis.high, axis.linear, max(n_most, 1))
    return found if len(found) > 2 or (n_most < 3 and found) else _linear_values(axis, n_most)


def _is_within(value: float, axis: Axis) -> bool:
    return axis.low * (1 - 1e-9) <= value <= axis.high * (1 + 1e-9)


# ---------------------------------------------------------------- labels


def _labels(values: Sequence[float], axis: Axis) -> tuple[str, ...]:
    if axis.kind == "relative":
        return tuple(duration(value).replace(" ", "") for value in values)
    if axis.kind == "wall":
        return _wall_labels(values)
    if axis.is_log or axis.linear:
        texts = tuple(si(value) if abs(value) >= 1e4 else number(value, digits=3) for value in values)
        return texts if len(set(texts)) == len(values) else distinct(values)
    return _linear_labels(values)


def _linear_labels(values: Sequence[float]) -> tuple[str, ...]:
    """Equal numbers of decimals; from ten thousand on with suffixes, where four digits say the ticks exactly."""
    step = values[1] - values[0] if len(values) > 1 else abs(values[0]) or 1.0
    greatest = max(map(abs, values))
    rounded = [0.0 if abs(value) < step * 1e-6 else value for value in values]
    if 1e4 <= greatest < 1e15:
        texts = tuple(si(value, digits=4) for value in rounded)
        if all(abs(_of_si(text) - value) < step * 1e-3 for text, value in zip(texts, rounded, strict=True)):
            return texts
    n_decimals = _decimals(step)
    if greatest >= 1e15 or (0 < greatest < 1e-3) or n_decimals > 6:
        return distinct(rounded)
    return tuple(f"{value:.{n_decimals}f}" if value else "0" for value in rounded)


def _of_si(text: str) -> float:
    """The number that a text of `si` says."""
    factor = {"k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12}.get(text[-1])
    return float(text) if factor is None else float(text[:-1]) * factor


def _decimals(step: float) -> int:
    """Decimals that a step of 1, 2, 2.5 or 5 times a power of ten needs."""
    for n_decimals in range(16):
        scaled = step * 10**n_decimals
        if abs(scaled - round(scaled)) < 1e-6 * scaled:
            return n_decimals
    return 16


def _wall_labels(values: Sequence[float]) -> tuple[str, ...]:
    """Times of the day in UTC, with the date where a day begins; dates alone for steps of days."""
    step = values[1] - values[0] if len(values) > 1 else DAY
    labels: list[str] = []
    for index, value in enumerate(values):
        moment = moment_of(value)
        if moment is None:
            labels.append(number(value))
        elif step >= DAY:
            labels.append(moment.strftime("%Y-%m-%d"))
        elif index == 0 or value % DAY == 0:
            labels.append(moment.strftime("%m-%d %H:%M"))
        else:
            labels.append(moment.strftime("%H:%M" if step >= MINUTE else "%H:%M:%S"))
    return tuple(labels)
