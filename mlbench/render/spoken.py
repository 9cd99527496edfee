"""Curves, histograms and pictures in words and numbers, for screen readers: no dot and no colour says anything."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from mlbench.render.cells import Line, line_of
from mlbench.render.labels import label_map
from mlbench.render.numbers import number

if TYPE_CHECKING:
    from mlbench.queries.answers import SeriesAnswer
    from mlbench.wire.histograms import Histogram
    from mlbench.wire.pictures import Pixels

SAMPLES = 8
"""Points of a curve that are read out, evenly over its steps, the last among them."""
MOST_BUCKETS = 16


def spoken_series(series: Sequence[SeriesAnswer], width: int) -> tuple[Line, ...]:
    """Each curve as a paragraph: its name, how long it is, first, last, least and greatest value, and some in between.

    Args:
        series: NaN and infinity are counted and left out of the rest.
        width: columns.
    """
    labels = label_map(one.head for one in series)
    lines: list[Line] = []
    for metric in dict.fromkeys(one.metric for one in series):
        lines += [(), line_of((f" {metric}", "heading"))]
        for one in series:
            if one.metric == metric:
                lines += [line_of((f"  {labels[one.head.run_id]}", "title")), *_wrapped(_sentences(one), width)]
    return tuple(lines)


def _wrapped(sentences: Sequence[str], width: int) -> list[Line]:
    parts = (part for text in sentences for part in textwrap.wrap(text, max(width - 6, 20), subsequent_indent="  "))
    return [line_of((f"    {part}", "")) for part in parts]


def _sentences(one: SeriesAnswer) -> list[str]:
    is_finite = np.isfinite(one.values)
    steps, values = one.steps[is_finite], one.values[is_finite]
    n_odd = len(one.values) - len(values)
    odd = f"{n_odd:,} not finite" if n_odd else "all finite"
    count = f"{len(one.values):,} point{'' if len(one.values) == 1 else 's'}, {odd}"
    if not len(values):
        return [count]
    low, high = int(values.argmin()), int(values.argmax())
    ends = f"first {number(float(values[0]))}, last {number(float(values[-1]))}"
    least = f"least {number(float(values[low]))} at step {int(steps[low]):,}"
    most = f"greatest {number(float(values[high]))} at step {int(steps[high]):,}"
    places = np.unique(np.linspace(0, len(values) - 1, min(SAMPLES, len(values))).round().astype(int))
    sampled = ", ".join(f"{int(steps[place]):,}: {number(float(values[place]))}" for place in places)
    return [
        f"{count}, steps {int(one.steps[0]):,} to {int(one.steps[-1]):,}",
        f"{ends}, {least}, {most}",
        f"at steps {sampled}",
    ]


def spoken_histogram(histogram: Histogram) -> tuple[Line, ...]:
    """The buckets that hold something, the fullest ones where there are many, in order of their values."""
    counts = np.asarray(histogram.counts, dtype=np.float64)
    filled = np.flatnonzero(counts > 0)
    fullest = np.sort(filled[np.argsort(-counts[filled], kind="stable")][:MOST_BUCKETS])
    lines = [
        line_of((f"  {left} to {right}: {count}", ""))
        for left, right, count in (
            (number(float(side[place])) for side in (histogram.lefts, histogram.rights, counts)) for place in fullest
        )
    ]
    n_more = len(filled) - len(fullest)
    more = [line_of((f"  and {n_more:,} buckets with less", "muted"))] if n_more else []
    return (line_of((f"  {number(float(counts.sum()))} values", "")), *lines, *more)


def spoken_picture(pixels: Pixels) -> tuple[Line, ...]:
    """What can be said of a picture without looking at it.

    Args:
        pixels: shape (height, width, channels), of which the first three count.
    """
    height, width = pixels.shape[:2]
    mean = float(pixels[..., :3].mean()) / 255
    return (line_of((f"  a picture, {width} pixels wide and {height} high, mean brightness {mean:.0%}", "")),)
