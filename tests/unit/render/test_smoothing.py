import math
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlbench.errors import UsageError
from mlbench.render.smoothing import check_amount, ema, gaussian, running_mean, smoothed, twema
from tests.paths import CORPORA

ODD = st.sampled_from([math.nan, math.inf, -math.inf])
VALUES = st.lists(st.floats(-1e6, 1e6) | ODD, max_size=60)


def _classic_smoothing(values: Sequence[float], weight: float) -> list[float]:
    """TensorBoard's loop, line by line."""
    if all(value == values[0] for value in values):
        return list(values)
    last, n_accumulated, smooth = 0.0, 0, []
    for value in values:
        if not math.isfinite(value):
            smooth.append(value)
            continue
        last = last * weight + (1 - weight) * value
        n_accumulated += 1
        smooth.append(last / (1 - weight**n_accumulated))
    return smooth


def _twema(x: Sequence[float], values: Sequence[float], weight: float) -> list[float]:
    """W&B's loop, line by line, with gaps passed through."""
    weight = min(math.sqrt(weight), 0.999)
    extent = max(x, default=0) - min(x, default=0)
    last, debias, smooth, before = 0.0, 0.0, [], None
    for place, value in zip(x, values, strict=True):
        if not math.isfinite(value):
            smooth.append(value)
            continue
        step = 0.0 if before is None or not extent else max(place - before, 0) / extent * 1000
        before = place
        last, debias = last * weight**step + value, debias * weight**step + 1
        smooth.append(last / debias)
    return smooth


@given(VALUES, st.floats(0, 0.999))
def test_ema_is_tensorboards(values: list[float], weight: float) -> None:
    smooth = ema(np.array(values), weight)

    np.testing.assert_allclose(smooth, _classic_smoothing(values, weight), rtol=1e-9, atol=1e-6)


@given(st.lists(st.tuples(st.integers(0, 1000), st.floats(-1e6, 1e6) | ODD), max_size=60), st.floats(0.001, 1))
def test_twema_is_wandbs(points: list[tuple[int, float]], weight: float) -> None:
    x, values = [float(place) for place, _ in points], [value for _, value in points]

    smooth = twema(np.array(x), np.array(values), weight)

    np.testing.assert_allclose(smooth, _twema(x, values, weight), rtol=1e-9, atol=1e-6)


def test_one_nan_does_not_blank_the_rest() -> None:
    smooth = ema(np.array([1.0, math.nan, 1.0, 2.0]), 0.6)

    assert math.isnan(smooth[1])
    assert smooth[2] == pytest.approx(1.0)


def test_the_first_value_stays() -> None:
    smooth = ema(np.array([5.0, 1.0]), 0.9)

    assert smooth[0] == pytest.approx(5.0)
    assert smooth[1] == pytest.approx(2.8947368421)


def test_smoothing_returns_a_new_array() -> None:
    values = np.array([1.0, 2.0])

    assert ema(values, 0.0) is not values
    assert twema(np.arange(2.0), values, 0.0) is not values


def test_a_long_series_is_as_exact_as_the_loop() -> None:
    values = np.random.default_rng(0).standard_normal(20_000)

    assert np.max(np.abs(ema(values, 0.99) - _classic_smoothing(values.tolist(), 0.99))) < 2e-13


def test_great_values_do_not_overflow() -> None:
    values = np.array([1.7e308, -1.7e308, 1.7e308])

    assert np.isfinite(ema(values, 0.9)).all()
    assert np.isfinite(twema(np.arange(3.0), values, 0.9)).all()


def test_an_x_axis_without_extent_makes_a_running_mean() -> None:
    assert twema(np.array([1.0, 1.0]), np.array([1.0, 3.0]), 0.5).tolist() == [1.0, 2.0]
    assert twema(np.array([math.nan, math.nan]), np.array([1.0, 3.0]), 0.5).tolist() == [1.0, 2.0]


@pytest.mark.parametrize("weight", [-0.1, 1.0, math.nan])
def test_a_weight_outside_of_the_slider_is_refused(weight: float) -> None:
    with pytest.raises(UsageError, match="is not from 0 up to, not including, 1"):
        ema(np.array([1.0]), weight)


def test_wandbs_slider_goes_up_to_one() -> None:
    assert twema(np.arange(2.0), np.array([1.0, 1.0]), 1.0).tolist() == [1.0, 1.0]
    with pytest.raises(UsageError, match=r"smoothing 1.5 is not from 0 to 1"):
        twema(np.arange(2.0), np.array([1.0, 1.0]), 1.5)


@given(VALUES, st.integers(1, 70))
def test_a_running_mean_is_the_mean_of_the_window(values: list[float], width: int) -> None:
    smooth = running_mean(np.array(values), width)

    finite = [value for value in values if math.isfinite(value)]
    reach = min(width, 2 * len(finite))
    means = [float(np.mean(finite[max(i - (reach - 1) // 2, 0) : i + reach // 2 + 1])) for i in range(len(finite))]
    np.testing.assert_allclose(smooth[np.isfinite(values)], means, rtol=1e-9, atol=1e-6)


@given(VALUES, st.floats(0.1, 30))
def test_a_gaussian_mean_has_weights_of_a_normal_curve(values: list[float], sigma: float) -> None:
    smooth = gaussian(np.array(values), sigma)

    finite = np.array([value for value in values if math.isfinite(value)])
    reach = max(min(math.ceil(3 * sigma), finite.size), 1)
    distances = np.abs(np.arange(finite.size)[:, None] - np.arange(finite.size)[None, :])
    weights = np.where(distances <= reach, np.exp(-0.5 * (distances / sigma) ** 2), 0)
    expected = (weights * finite).sum(axis=1) / weights.sum(axis=1) if finite.size else finite
    np.testing.assert_allclose(smooth[np.isfinite(values)], expected, rtol=1e-9, atol=1e-6)


@pytest.mark.parametrize("kind", ["ema", "twema", "mean", "gaussian"])
def test_what_is_not_finite_stays_where_it_is(kind: str) -> None:
    values = np.array([1.0, math.nan, 3.0, math.inf, -math.inf, 1e308, 1e308])

    smooth = smoothed(kind, 0.6 if "ema" in kind else 3, np.arange(7.0), values)

    assert np.isnan(smooth[1])
    assert smooth[3:5].tolist() == [math.inf, -math.inf]
    assert np.isfinite(smooth[[0, 2, 5, 6]]).all()


def test_a_spike_takes_no_digits_from_what_is_far_from_it() -> None:
    values = np.concatenate((np.full(50, 1e16), np.full(50, 1.0)))

    assert running_mean(values, 5)[-1] == 1.0


@pytest.mark.parametrize(
    ("kind", "amount"), [("ema", 1.0), ("twema", -0.1), ("mean", -1), ("gaussian", math.nan), ("x", 0)]
)
def test_an_amount_that_means_nothing_is_an_error(kind: str, amount: float) -> None:
    with pytest.raises(UsageError):
        check_amount(kind, amount)


@pytest.mark.skipif(not (CORPORA / "expected_scalars.parquet").exists(), reason="the corpora are not here")
def test_every_series_of_the_corpora_is_smoothed_as_tensorboard_does() -> None:
    import pyarrow.parquet as pq

    table = pq.read_table(CORPORA / "expected_scalars.parquet")
    names = [name for name in table.column_names if name not in ("step", "wall_time", "value", "seq", "index")]
    groups = table.group_by(names, use_threads=False).aggregate([("value", "list")])
    worst = 0.0
    for values in groups.column("value_list").to_pylist():
        for weight in (0.6, 0.9, 0.999):
            ours, theirs = ema(np.array(values), weight), np.array(_classic_smoothing(values, weight))
            np.testing.assert_array_equal(np.isfinite(ours), np.isfinite(theirs))
            is_finite = np.isfinite(ours)
            scale = np.maximum(
                np.abs(np.where(is_finite, theirs, 0)),
                np.abs(values, where=is_finite, out=np.zeros(len(values))).max(initial=0),
            )
            worst = max(
                worst, float((np.abs(ours - theirs)[is_finite] / np.maximum(scale[is_finite], 1e-300)).max(initial=0))
            )

    assert groups.num_rows > 100
    assert worst <= 1e-12
