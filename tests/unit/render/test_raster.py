import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlbench.render import raster
from mlbench.render.raster import GLYPHS, cell_bits, clipped, lit_dots, owners

NAN = float("nan")


def _picture(x: list[float], y: list[float], width: int, height: int) -> list[str]:
    canvas = lit_dots([(np.array(x), np.array(y))], width, height)
    return ["".join("#" if dot else "." for dot in row) for row in canvas]


def test_points_are_joined_by_lines() -> None:
    assert _picture([0, 6], [0, 3], 7, 4) == ["#......", ".##....", "...##..", ".....##"]


def test_a_gap_is_not_joined() -> None:
    assert _picture([0, 1, 2, 3, 4], [1, 1, NAN, 1, 1], 5, 3) == [".....", "##.##", "....."]


def test_one_point_is_one_dot() -> None:
    assert _picture([1], [1], 3, 3) == ["...", ".#.", "..."]


def test_a_spike_of_one_point_among_many_is_drawn() -> None:
    x = np.linspace(0, 9, 100_001)
    y = np.full(100_001, 4.0)
    y[31_234] = 0.0

    canvas = lit_dots([(x, y)], 10, 5)

    assert canvas[:, 3].tolist() == [True] * 5


def test_what_lies_outside_is_clipped() -> None:
    assert _picture([-5, 10], [1, 1], 4, 3) == ["....", "####", "...."]
    assert _picture([1, 1], [-9, 9], 3, 3) == [".#.", ".#.", ".#."]
    assert _picture([-3, 6], [-3, 6], 4, 4) == ["#...", ".#..", "..#.", "...#"]
    assert _picture([-3, -2], [1, 1], 3, 3) == ["...", "...", "..."]
    assert _picture([0, 2], [9, 9], 3, 3) == ["...", "...", "..."]


def test_x_may_go_back() -> None:
    assert _picture([0, 3, 0], [0, 1, 2], 4, 3) == ["##..", "..##", "##.."]


def test_nothing_lights_nothing() -> None:
    assert not lit_dots([(np.array([]), np.array([]))], 4, 4).any()
    assert not lit_dots([(np.array([NAN]), np.array([1.0]))], 4, 4).any()


def _lit(canvas: np.ndarray) -> set[tuple[int, int]]:
    """Columns and rows of the dots that are lit."""
    return {(int(column), int(row)) for row, column in np.argwhere(canvas)}


def _naive(x: np.ndarray, y: np.ndarray) -> set[tuple[int, int]]:
    """Every dot that a finely sampled polyline comes through."""
    dots: set[tuple[int, int]] = set()
    for a, b in zip(range(len(x) - 1), range(1, len(x)), strict=True):
        for share in np.linspace(0, 1, 200):
            px, py = x[a] + share * (x[b] - x[a]), y[a] + share * (y[b] - y[a])
            dots.add((int(np.floor(px + 0.5)), int(np.floor(py + 0.5))))
    return dots


@given(st.lists(st.integers(0, 11), min_size=2, max_size=12))
def test_every_point_is_lit_and_nothing_far_from_the_line(heights: list[int]) -> None:
    x, y = np.linspace(0, 19, len(heights)), np.array(heights, dtype=float)

    dots = _lit(lit_dots([(x, y)], 20, 12))

    assert {(int(np.floor(a + 0.5)), int(b)) for a, b in zip(x, y, strict=True)} <= dots
    near = {(a + i, b + j) for a, b in _naive(x, y) for i in (-1, 0, 1) for j in (-1, 0, 1)}
    assert dots <= near


@given(st.lists(st.tuples(st.floats(), st.floats()), max_size=20))
def test_any_numbers_can_be_drawn(points: list[tuple[float, float]]) -> None:
    x, y = np.array([p[0] for p in points], dtype=float), np.array([p[1] for p in points], dtype=float)

    assert lit_dots([(x, y)], 8, 6).shape == (6, 8)


def _stroke(begin: tuple[float, float], end: tuple[float, float]) -> set[tuple[int, int]]:
    """The dots of one stroke, sample by sample; in a column the rows between two samples are lit, too."""
    (x0, y0), (x1, y1) = begin, end
    n = max(math.ceil(max(abs(x1 - x0), abs(y1 - y0))), 1)
    samples = [(x0 + k / n * (x1 - x0), y0 + k / n * (y1 - y0)) for k in range(n + 1)]
    dots = [(math.floor(x + 0.5), math.floor(y + 0.5)) for x, y in samples]
    lit = set(dots)
    for (column, row), (next_column, next_row) in pairwise(dots):
        if column == next_column:
            lit |= {(column, between) for between in range(min(row, next_row), max(row, next_row))}
    return lit


def _brute(x: np.ndarray, y: np.ndarray, width: int, height: int) -> set[tuple[int, int]]:
    """The dots of a curve inside the picture, point by point."""
    lit: set[tuple[int, int]] = set()
    before: tuple[float, float] | None = None
    for here in zip(x.tolist(), y.tolist(), strict=True):
        if not (math.isfinite(here[0]) and math.isfinite(here[1])):
            before = None
            continue
        lit |= _stroke(before or here, here)
        before = here
    return {(min(column, width - 1), min(row, height - 1)) for column, row in lit}


_PLACES = st.one_of(
    st.floats(0, 1), st.integers(0, 64).map(lambda n: n / 64), st.sampled_from([NAN, math.inf, -math.inf, 0.0, 1.0])
)


@given(
    st.lists(st.tuples(_PLACES, _PLACES), max_size=40),
    st.integers(2, 50),
    st.integers(2, 30),
    st.booleans(),
    st.sampled_from([1, 2, 3, 7, 16_384]),
)
def test_the_dots_are_those_of_a_drawing_point_by_point(
    points: list[tuple[float, float]], width: int, height: int, is_sorted: bool, window: int
) -> None:
    x = np.array([a for a, _ in points]) * (width - 1)
    y = np.array([b for _, b in points]) * (height - 1)
    x = np.sort(x) if is_sorted else x

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(raster, "WINDOW_POINTS", window)
        canvas = lit_dots([(x, y)], width, height)

    assert _lit(canvas) == _brute(x, y, width, height)


def test_strokes_that_miss_the_picture_are_left_out() -> None:
    x0, y0, x1, y1 = clipped(
        np.array([-9.0, 0.0]), np.array([0.0, 0.0]), np.array([0.0, 1.0]), np.array([90.0, 1.0]), 4, 4
    )

    assert (x0.tolist(), y0.tolist(), x1.tolist(), y1.tolist()) == ([0.0], [0.0], [1.0], [1.0])


def _canvas(dots: np.ndarray, n_columns: int, n_rows: int) -> np.ndarray:
    canvas = np.zeros(n_columns * n_rows, dtype=bool)
    canvas[dots] = True
    return canvas.reshape(n_rows, n_columns)


@pytest.mark.parametrize(("name", "glyph"), [("braille", "⡇"), ("blocks", "▌"), ("ascii", ":")])
def test_dots_become_glyphs(name: str, glyph: str) -> None:
    glyphs = GLYPHS[name]
    left = _canvas(np.arange(glyphs.rows) * glyphs.columns, glyphs.columns, glyphs.rows)

    bits = cell_bits(left, glyphs, "solid")

    assert chr(int(glyphs.characters[bits[0, 0]])) == glyph


def test_patterns_leave_gaps_in_every_direction() -> None:
    n = 32
    lines = {
        "level": np.arange(n) + 8 * n,
        "upright": np.arange(n) * n + 8,
        "down": np.arange(n) * (n + 1),
        "up": np.arange(n)[::-1] * n + np.arange(n),
    }
    for pattern in ("dashed", "dotted"):
        for dots in lines.values():
            bits = cell_bits(_canvas(dots, n, n), GLYPHS["braille"], pattern)
            lit = int(np.unpackbits(bits).sum())
            assert n // 4 <= lit <= 3 * n // 4


@pytest.mark.parametrize("pattern", ["dashed", "dotted"])
def test_a_lone_point_is_never_lost_between_dashes(pattern: str) -> None:
    line = np.arange(40)

    for column in range(40):
        lone = 7 * 40 + column
        bits = cell_bits(_canvas(np.append(line, lone), 40, 8), GLYPHS["braille"], pattern)
        assert bits[1].sum() > 0


def test_curves_that_meet_take_turns() -> None:
    present = np.ones((2, 2, 3), dtype=bool)
    present[1, 0, 0] = False
    present[:, 1, 2] = False

    assert owners(present).tolist() == [[0, 1, 0], [1, 0, -1]]
