import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlbench.render.sparkline import sparkline

NAN = math.nan


@pytest.mark.parametrize(
    ("sketch", "width", "drawn"),
    [
        ((0, 1, 2, 3, 4, 5, 6, 7), 8, "▁▂▃▄▅▆▇█"),
        ((0, 0, 7, 7), 2, "▁█"),
        ((0, 7), 4, "▁▁██"),
        ((1, NAN, 2), 3, "▁ █"),
        ((5, 5), 2, "▄▄"),
        ((NAN, math.inf), 2, "  "),
        ((), 3, "   "),
        ((1, 2), 0, ""),
        ((-1e308, 1e308), 2, "▁█"),
        ((0.0, 5e-324), 2, "▁▁"),
    ],
)
def test_curves_are_drawn_in_eight_heights(sketch: tuple[float, ...], width: int, drawn: str) -> None:
    assert sparkline(sketch, width) == drawn


@given(st.lists(st.floats(), max_size=70), st.integers(0, 40))
def test_a_sparkline_is_as_wide_as_asked_for(sketch: list[float], width: int) -> None:
    assert len(sparkline(sketch, width)) == width
