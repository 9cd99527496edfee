import gc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlbench.render import pyramid as module
from mlbench.render.axes import Axis, places
from mlbench.render.chart import ChartOptions, Curve, draw_chart
from mlbench.render.pyramid import kept, pyramid_of, thinned_to_columns, visible_extremes
from mlbench.render.raster import lit_dots

ODD = st.sampled_from([np.nan, np.inf, -np.inf, 0.0, 1e300, -1e300])


@pytest.fixture(autouse=True, scope="module")
def every_curve_is_long() -> object:
    before, module.LEAST_POINTS = module.LEAST_POINTS, 1
    yield
    module.LEAST_POINTS = before


@st.composite
def curves(draw: st.DrawFn) -> Curve:
    rng = np.random.default_rng(draw(st.integers(0, 10_000)))
    n = draw(st.integers(1, 2_000))
    x = np.sort(rng.integers(0, draw(st.sampled_from([3, 50, 100_000])), n)).astype(np.float64)
    y = rng.normal(0, draw(st.sampled_from([0.0, 1.0, 1e6, 1e300])), n).cumsum()
    for place in draw(st.lists(st.integers(0, n - 1), max_size=3)):
        y[place] = draw(ODD | st.floats(-1e6, 1e6))
    return Curve(x, y, "a")


LIMITS = st.none() | st.tuples(st.floats(-10, 1000), st.floats(-10, 100_000)).map(sorted).map(tuple)


SCALES = st.sampled_from(["linear", "log", "symlog"])


@given(curves(), LIMITS, SCALES, SCALES, st.booleans(), st.sampled_from(["braille", "blocks", "ascii"]))
def test_no_dot_differs_from_the_picture_of_all_points(
    curve: Curve, limits: tuple[float, float] | None, x_scale: str, y_scale: str, is_trimmed: bool, glyphs: str
) -> None:
    options = ChartOptions(
        70, 18, log_x=x_scale == "log", log_y=y_scale == "log", symlog_x=x_scale == "symlog",
        symlog_y=y_scale == "symlog", is_trimmed=is_trimmed, x_limits=limits or (None, None), glyphs=glyphs,
    )  # fmt: skip

    thinned = draw_chart([curve], options)
    module.LEAST_POINTS = 10**9
    whole = draw_chart([curve], options)
    module.LEAST_POINTS = 1

    assert thinned.lines == whole.lines
    assert thinned.tally == whole.tally


@given(curves(), st.floats(0, 50_000), st.floats(1, 50_000))
def test_columns_have_the_extremes_of_their_points(curve: Curve, low: float, extent: float) -> None:
    curve.y[~np.isfinite(curve.y) | (np.abs(curve.y) > 1e12)] = 0.0
    axis, y_axis = Axis(low, low + extent), Axis(-2e12, 2e12)
    pyramid = pyramid_of(curve.x, curve.y)
    assert pyramid is not None

    x, y = thinned_to_columns(pyramid, axis, 60)

    dots = [
        lit_dots([(places(axis, a) * 59, (1 - places(y_axis, b)) * 39)], 60, 40)
        for a, b in ((x, y), (curve.x, curve.y))
    ]
    np.testing.assert_array_equal(dots[0], dots[1])
    place = places(axis, curve.x)
    inside = curve.y[(place >= -1e-9) & (place <= 1 + 1e-9)]
    expected = [inside.min(), inside.max()] if inside.size else []
    assert visible_extremes(pyramid, axis).tolist() == expected


def test_curves_that_go_back_or_have_gaps_have_no_summary() -> None:
    up = np.arange(5.0)

    assert pyramid_of(up, up) is not None
    assert pyramid_of(up[::-1].copy(), up) is None
    assert pyramid_of(up, np.array([1, 2, np.nan, 4, 5])) is None


def test_what_is_kept_is_made_once_and_goes_with_its_array() -> None:
    gc.collect()
    n_before, array = len(module._KEPT), np.arange(3.0)
    made: list[int] = []

    def length() -> int:
        made.append(1)
        return 3

    found = [kept((array,), "length", length) for _ in range(3)]

    assert (found, len(made)) == ([3, 3, 3], 1)
    assert len(module._KEPT) == n_before + 1

    del array
    gc.collect()
    assert len(module._KEPT) == n_before
