"""Bands of a layout's margins: between a lower and an upper metric of one run, around a third that is a line."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mlbench.queries.answers import SeriesAnswer
    from mlbench.render.chart_bands import Band


def margin_bands(
    series: Sequence[SeriesAnswer], margins: Iterable[tuple[str, str]], axis: str, slots: Mapping[str, int]
) -> tuple[Band, ...]:
    """For each run and margin the band between its ends, at the steps that both have.

    Args:
        series: with the ends among them.
        margins: names of the lower and the upper metric.
        axis: the x axis, as `chart_text.x_values` takes it.
        slots: colour by run id; runs without one have no band.
    """
    import numpy as np

    from mlbench.render.chart_bands import Band
    from mlbench.render.chart_text import x_values

    by_name = {(one.head.run_id, one.metric): one for one in series}
    pairs = tuple(margins)
    bands = []
    for run_id, slot in slots.items():
        for lower, upper in pairs:
            low, high = by_name.get((run_id, lower)), by_name.get((run_id, upper))
            if low is not None and high is not None:
                _steps, at_low, at_high = np.intersect1d(low.steps, high.steps, return_indices=True)
                x = x_values(low, axis, series)[at_low]
                bands.append(Band(x, low.values[at_low], high.values[at_high], slot))
    return tuple(bands)
