import numpy as np

from mlbench.render.cells import line_cells, plain
from mlbench.render.histories import history_lines
from mlbench.wire.histograms import Histogram


def spread(centre: float, reach: float) -> Histogram:
    edges = np.linspace(centre - reach, centre + reach, 9)
    return Histogram(edges[:-1], edges[1:], np.array([1.0, 2, 4, 8, 8, 4, 2, 1]))


def test_a_distribution_that_rises_is_seen_to_rise() -> None:
    steps = [0, 100, 200, 300]

    lines = history_lines(steps, [spread(step / 100, 0.5) for step in steps], title="w", width=60, height=19)

    rows = str(plain(lines)).split("\n")
    assert rows[0] == "w   4 steps"
    assert len(rows) == 19
    first, last = (
        next(y for y, row in enumerate(rows) if {"█", "▓", "▒"} & set(row[part]))
        for part in (slice(4, 12), slice(48, 60))
    )
    assert first > last + 6
    assert max(line_cells(line) for line in lines) <= 60


def test_odd_histograms_are_drawn_or_said() -> None:
    none = Histogram(np.empty(0), np.empty(0), np.empty(0))
    endless = Histogram(np.array([-np.inf, 0.0]), np.array([0.0, np.inf]), np.array([1.0, 1.0]))
    huge = Histogram(np.array([-1e308]), np.array([1e308]), np.array([1e308]))
    point = Histogram(np.array([2.0]), np.array([2.0]), np.array([5.0]))

    assert "nothing to draw" in plain(history_lines([1, 2], [none, endless]))
    assert "█" in plain(history_lines([1, 2, 3], [none, huge, point]))
    assert "▒" in plain(history_lines([7], [point]))
    assert "nothing to draw" in plain(history_lines([7], [point], width=10, height=4))


def test_on_a_light_ground_what_is_full_is_dark_and_the_rest_is_the_ground() -> None:
    steps, grown = [0, 100], [spread(0.0, 0.5), spread(0.0, 0.5)]

    light = history_lines(steps, grown, width=40, height=12, depth="truecolor", is_light=True)

    backs = {cell.back for line in light for cell in line if cell.back.startswith("#")}
    assert min(int(back[1:3], 16) + int(back[3:5], 16) for back in backs) < 90
    assert min(int(back[5:7], 16) for back in backs) > 0xA0
