import re
from dataclasses import replace
from xml.etree import ElementTree as ET

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from mlbench.render.chart import ChartOptions, Curve
from mlbench.render.chart_bands import Band
from mlbench.render.chart_svg import chart_svg, thinned
from mlbench.render.smoothing import ema
from tests.golden.check import check_golden

NAN, INF = float("nan"), float("inf")


def _noisy(slot: int, n: int = 10_000) -> Curve:
    rng = np.random.default_rng(slot)
    y = np.exp(-np.arange(n) / (2000 + 300 * slot)) + 0.1 + 0.05 * rng.standard_normal(n) ** 2
    return Curve(np.linspace(0.0, 10.0 * n, n), y, f"run {slot}", slot)


def test_the_file_looks_as_it_did() -> None:
    x = np.arange(12.0)
    curves = [
        Curve(x, np.array([10, 1, 0.1, NAN, 0.05, 0.0, -1, 0.02, INF, 0.01, -INF, 0.01]), "a <b>", 0),
        Curve(x, np.full(12, 0.5), "flat", 1, "dashed"),
        Curve(x, np.full(12, 0.6), is_faint=True, slot=1),
        Curve(np.array([3.0]), np.array([2.0]), "lone", 2, "dotted"),
        Curve(np.array([]), np.array([]), "empty", 3),
    ]
    band = Band(x, np.full(12, 0.4), np.full(12, 0.7), 1)

    svg = chart_svg(curves, ChartOptions(title="val/loss", log_y=True, remarks=("log y",)), [band])

    check_golden("chart.svg", svg)


def test_ten_long_curves_with_raw_ones_below_stay_under_60_kb() -> None:
    raw = [_noisy(slot) for slot in range(10)]
    curves = [Curve(c.x, c.y, slot=c.slot, is_faint=True) for c in raw]
    curves += [Curve(c.x, ema(c.y, 0.6), c.label, c.slot) for c in raw]

    svg = chart_svg(curves, ChartOptions(title="loss"))

    assert len(svg) < 60_000


def test_a_spike_of_one_point_is_in_the_file() -> None:
    y = np.zeros(100_000)
    y[54_321] = 1.0

    svg = chart_svg([Curve(np.arange(1e5), y, "a")], ChartOptions())

    path = re.search(r'class="l c0" d="(M[^"]*)"/></g>|class="l c0" d="(M[^"]*)"/>\n</g>', svg)
    assert path is not None
    assert "-596" in path[0]


def test_the_file_is_well_formed_and_tells_screen_readers_what_it_shows() -> None:
    svg = chart_svg([Curve(np.arange(2.0), np.array([1.0, NAN]), 'a"&<\x1b', 0)], ChartOptions(title="<script>&"))

    root = ET.fromstring(svg)  # noqa: S314 - our own file

    texts = ["".join(node.itertext()) for node in root.iter() if node.tag.endswith(("title", "desc"))]
    assert texts == ["<script>&", 'Line chart. a"&<␛: last NaN']
    assert root.attrib["role"] == "img"
    assert "prefers-color-scheme:dark" in svg


def test_muted_curves_are_one_path_below_the_coloured_ones_with_one_entry() -> None:
    x = np.arange(3.0)
    muted = [Curve(x, np.array([1.0, 2.0, n]), f"run {n}", n, role="muted") for n in range(2, 5)]

    svg = chart_svg([Curve(x, x, "best", 0), *muted], ChartOptions())

    assert re.findall(r'<path class="(l[^"]*)"', svg) == ["l u", "l c0", "l c0", "l u"]
    assert svg.count('class="l u" d="M') == 2
    texts = [node.text for node in ET.fromstring(svg).iter() if node.tag.endswith("text")]  # noqa: S314 - our own
    assert texts[-2:] == ["best 2", "3 others"]


def test_many_runs_look_as_they_did() -> None:
    x = np.arange(5.0)
    curves = [Curve(x, np.sqrt(x) * n, f"run {n}", n, role="" if n < 3 else "muted") for n in range(1, 24)]

    check_golden("chart_many.svg", chart_svg(curves, ChartOptions(title="val/acc")))


def test_a_hundred_long_curves_stay_under_100_kb() -> None:
    curves = [_noisy(slot) if slot < 8 else replace(_noisy(slot, 2_000), role="muted") for slot in range(100)]

    svg = chart_svg(curves, ChartOptions(title="loss"))

    assert len(svg) < 100_000


def test_nothing_makes_an_empty_chart() -> None:
    empty = Band(np.array([]), np.array([]), np.array([]))

    root = ET.fromstring(chart_svg([], ChartOptions(), [empty]))  # noqa: S314 - our own file

    assert "Line chart without points." in "".join(root.itertext())


def test_thinning_keeps_first_least_greatest_and_last_of_each_column() -> None:
    x, y = np.array([0.0, 0.1, 0.2, 0.3, 0.4, 1.0]), np.array([3.0, 5.0, 4.0, 1.0, 2.0, 9.0])

    assert thinned(x, y, np.zeros(6, np.int64), 2).tolist() == [0, 1, 3, 4, 5]


ANY = st.floats(width=64)
SCALES = st.sampled_from(["linear", "log", "symlog"])


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(ANY, ANY), max_size=15), SCALES, SCALES)
def test_no_numbers_break_a_file(points: list[tuple[float, float]], x_scale: str, y_scale: str) -> None:
    x, y = np.array([p[0] for p in points], dtype=float), np.array([p[1] for p in points], dtype=float)
    band = Band(np.sort(x[np.isfinite(x)]), y[np.isfinite(x)], y[np.isfinite(x)])

    options = ChartOptions(
        log_x=x_scale == "log", log_y=y_scale == "log", symlog_x=x_scale == "symlog", symlog_y=y_scale == "symlog"
    )

    svg = chart_svg([Curve(x, y, "a")], options, [band])

    ET.fromstring(svg)  # noqa: S314 - our own file
    assert "nan" not in svg.lower().replace("nan</text>", "").replace(" nan", "").replace(">nan", "")


def test_remarks_that_have_no_room_behind_the_title_stand_below_it() -> None:
    values = np.array([1.0, np.nan, np.inf, -1.0] * 9)
    curve = Curve(np.arange(36.0), values, "a run whose name is as long as names of runs are", 0)

    short = chart_svg([curve], ChartOptions(title="loss"))
    long = chart_svg([curve], ChartOptions(title="train/loss/of/a/metric/with/many/parts/in/its/name", log_y=True))

    assert "loss · exact · 9 NaN from 1 · 9 inf from 2</text>" in short
    head, remarks = re.findall(r'<text class="[hs]" x="64" y="\d+">([^<]*)</text>', long)
    assert head == "train/loss/of/a/metric/with/many/parts/in/its/name"
    assert remarks.startswith("exact · 9 NaN from 1 · 9 inf from 2 · ")
    assert all(len(entry) <= 27 for entry in re.findall(r'<text x="\d+" y="\d+">([^<]*)</text>', long))
