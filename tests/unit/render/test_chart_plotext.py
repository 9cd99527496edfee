"""Every number that makes plotext 6.1 fail (or end the process) is drawn through it here, without harm."""

import subprocess
import sys
from threading import Thread

import numpy as np
import pytest

from mlbench.render.chart_plotext import bar_lines, box_lines, bucket_lines, hist_lines
from mlbench.wire.histograms import Histogram
from tests.golden.check import check_golden

NAN, INF = float("nan"), float("inf")


def test_static_charts_look_as_they_did() -> None:
    values = np.concatenate([np.repeat(np.arange(8.0), [1, 2, 5, 9, 9, 5, 2, 1]), [NAN, INF]])
    drawn = [
        hist_lines(values, title="weights", n_bins=8, width=60, height=12),
        bar_lines(["alpha", "a rather long name", "gamma"], [0.62, NAN, 0.3], title="acc", width=60, height=12),
        box_lines(["a", "b", "none"], [[1, 2, 3, 4, 9], [2, 3, INF], [NAN]], width=60, height=12),
    ]

    check_golden("plotext.txt", "\n\n".join("\n".join(lines) for lines in drawn) + "\n")


@pytest.mark.parametrize("values", [[], [NAN], [INF, -INF]])
def test_nothing_finite_is_said(values: list[float]) -> None:
    assert hist_lines(values, title="w") == ("w   no finite values",)
    assert bar_lines(["a"] * len(values), values) == ("no finite values",)
    assert box_lines(["a"], [values]) == ("no finite values",)


@pytest.mark.parametrize(
    "values", [[0.0], [5.0, 5.0], [1e308, -1e308], [1e-320, 0.0], [-1.0, 1e300], list(range(1000)), [1.0, 1.0 + 1e-15]]
)
def test_all_finite_numbers_are_drawn(values: list[float]) -> None:
    assert len(hist_lines(values, width=40, height=8)) == 8
    assert len(bar_lines([str(v) for v in values[:5]], [float(v) for v in values[:5]], width=40, height=8)) == 8
    assert len(box_lines(["a"], [values], width=40, height=8)) == 8


def test_charts_are_as_large_as_asked_for_not_as_the_terminal() -> None:
    assert len(hist_lines([1.0, 2.0], width=150, height=60)) == 60
    assert len(bar_lines(["a"], [1.0], width=1, height=1)) == 6


def test_all_bars_finite_have_no_line_of_missing_ones() -> None:
    assert len(bar_lines(["a", "b"], [1.0, 2.0], width=40, height=8)) == 8
    assert len(box_lines(["a"], [[1.0, 2.0]], width=40, height=8)) == 8


def test_bars_are_as_long_as_their_values() -> None:
    lines = bar_lines(["a", "b", "c", "d"], [0.62, 0.11, 0.3, 0.2], width=60, height=24)

    heights = [sum(line[column : column + 1] == "█" for line in lines) for column in (10, 24, 38, 52)]
    assert heights[1] < heights[3] < heights[2] < heights[0]


def test_threads_do_not_disturb_each_other() -> None:
    drawn: list[tuple[str, ...]] = []
    threads = [Thread(target=lambda: drawn.append(hist_lines([1.0, 2.0, 2.0], width=40, height=8))) for _ in range(4)]

    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(set(drawn)) == 1


def test_labels_of_strangers_are_made_safe() -> None:
    text = "\n".join(bar_lines(["\x1b]0;x", "b"], [1.0, NAN], title="\x1b[2J", width=60, height=8))

    assert "\x1b" not in text


def test_plotext_still_fails_where_we_say_it_does() -> None:
    """When this fails, plotext has been mended and the work-around can go."""
    code = "import plotext as p; f = p.figure; f.draw(f.signal([1.0, float('inf')])); f.build()"

    run = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False)

    assert run.returncode != 0


def buckets(*rows: tuple[float, float, float]) -> Histogram:
    return Histogram(*np.array(rows, dtype=np.float64).reshape(-1, 3).T)


def test_buckets_without_an_end_are_left_out_and_counted() -> None:
    lines = bucket_lines(buckets((-INF, 0, 3), (0, 1, 4), (1, INF, 2.5)), title="w", width=40, height=9)

    assert lines[0] == "w   n = 9.5   5.5 in buckets without an end, left out"
    assert len(lines) == 9


@pytest.mark.parametrize("rows", [[], [(0, 1, 0)], [(-INF, INF, 3)]])
def test_a_histogram_without_anything_to_draw_is_said(rows: list[tuple[float, float, float]]) -> None:
    n = sum(count for _left, _right, count in rows)

    assert bucket_lines(buckets(*rows), title="w") == (f"w   n = {n}   nothing to draw",)


@pytest.mark.parametrize(
    "rows",
    [
        [(-1e308, 1e308, 1)],
        [(5, 5, 1)],
        [(0, 1e-320, 1e300)],
        [(0, 1, 1e308), (1, 2, 1.7e308)],
        [(1, 1 + 1e-15, 2), (0, 0, 1)],
    ],
)
def test_all_finite_buckets_are_drawn(rows: list[tuple[float, float, float]]) -> None:
    assert len(bucket_lines(buckets(*rows), width=40, height=8)) == 8
    assert len(bucket_lines(buckets(*rows), width=20, height=6)) == 7


def test_names_that_would_be_stumps_are_numbers_below_the_bars_and_told_in_full() -> None:
    names = [f"adam lr=0.{place} width=64" for place in range(1, 9)]

    low = bar_lines(names, [1.0] * 8, width=60, height=8)
    wide = bar_lines(names[:2], [1.0] * 2, width=60, height=8)

    assert low[7].split() == [str(place) for place in range(1, 9)]
    assert low[8] == "1 adam lr=0.1 width=64   2 adam lr=0.2 width=64"
    assert len(low) == 12
    assert names[0] in wide[7]
    assert len(wide) == 8
