"""Static charts that plotext draws well: histograms, vertical bars and boxes.

The only module that knows plotext. Version 6.1 has one figure per process, ends the process on a line with a
NaN, raises on infinity, and draws horizontal bars of wrong lengths: so everything is finite and of a size that
it can handle before it gets there, one caller draws at a time, and bars stand upright. Curves are drawn by
`chart`, two hundred times faster.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from mlbench.render.apart import fit_apart
from mlbench.render.buckets import rebinned
from mlbench.render.cells import fit, padded, width_cells
from mlbench.render.numbers import number
from mlbench.safe import safe

if TYPE_CHECKING:
    from mlbench.model import Float64Array
    from mlbench.wire.histograms import Histogram

_LOCK = threading.Lock()
_GREATEST = 1e100
"""Values are cut off here: plotext's sums of greater ones overflow."""
LEAST_LABEL_CELLS = 8
"""A name that is cut to less says nothing."""
LEAST_WIDTH, LEAST_HEIGHT = 20, 6


def _finite(values: Iterable[float] | Float64Array) -> Float64Array:
    array = np.asarray(list(values) if not isinstance(values, np.ndarray) else values, dtype=np.float64)
    return np.clip(array[np.isfinite(array)], -_GREATEST, _GREATEST)


def _left_out(n: int) -> str:
    return f"{n} not finite, left out" if n else ""


def hist_lines(
    values: Iterable[float] | Float64Array, *, title: str = "", n_bins: int = 20, width: int = 80, height: int = 20
) -> tuple[str, ...]:
    """A histogram of the finite values; how many others there are stands in the title."""
    array = np.asarray(list(values) if not isinstance(values, np.ndarray) else values, dtype=np.float64)
    finite = _finite(array)
    if not finite.size:
        return _nothing(title, width)
    # Counted here: plotext takes 13 microseconds a point, and millions of weights are usual.
    counts, edges = _counted(finite, n_bins)
    centres = (edges[:-1] / 2 + edges[1:] / 2).tolist()
    heading_text = _joined(title, f"n = {finite.size}", _left_out(array.size - finite.size))
    return _drawn(
        lambda figure: figure.bar(centres, counts.astype(float).tolist(), width=1), heading_text, width, height
    )  # fmt: skip


def bucket_lines(
    histogram: Histogram, *, title: str = "", n_bins: int = 30, width: int = 80, height: int = 20
) -> tuple[str, ...]:
    """A logged histogram: its buckets, which differ in width, as bars of equal width.

    What lies in buckets without a finite edge is left out, and its count stands in the title, which is a line of its
    own and never cut: it says of which run and step the histogram is.
    """
    lefts, rights, counts = histogram.lefts, histogram.rights, np.minimum(histogram.counts, _GREATEST)
    has_ends = np.isfinite(lefts) & np.isfinite(rights)
    is_drawn, n, n_endless = has_ends & (counts > 0), float(counts.sum()), float(counts[~has_ends].sum())
    if not is_drawn.any():
        return (str(safe(_joined(title, f"n = {number(n)}", "nothing to draw"))),)
    left, right = (np.clip(side[is_drawn], -_GREATEST, _GREATEST) for side in (lefts, rights))
    edges, heights = rebinned(left, right, counts[is_drawn], max(min(n_bins, width - 10), 1))
    centres = (edges[:-1] / 2 + edges[1:] / 2).tolist()
    left_out = f"{number(n_endless)} in buckets without an end, left out" if n_endless else ""
    lines = _drawn(
        lambda figure: figure.bar(centres, _finite(heights).tolist(), width=1), "", width, height - 1
    )  # fmt: skip
    return (str(safe(_joined(title, f"n = {number(n)}", left_out))), *lines)


def _counted(finite: Float64Array, n_bins: int) -> tuple[Float64Array, Float64Array]:
    low, high = float(finite.min()), float(finite.max())
    if high - low <= max(abs(low), abs(high)) * 1e-9:
        # One value: a single bin around it that plotext can tell the edges of.
        reach = max(abs(low) * 0.01, 1e-6)
        return np.array([float(finite.size)]), np.array([low - reach, high + reach])
    counts, edges = np.histogram(finite, bins=max(n_bins, 1))
    return counts.astype(np.float64), edges


def bar_lines(
    labels: Sequence[str], values: Sequence[float | None], *, title: str = "", width: int = 80, height: int = 20
) -> tuple[str, ...]:
    """Upright bars; labels whose value is not finite are left out and named in a line below."""
    known = [(label, value) for label, value in zip(labels, values, strict=True) if _is_finite(value)]
    missing = [safe(label) for label, value in zip(labels, values, strict=True) if not _is_finite(value)]
    if not known:
        return _nothing(title, width)
    places = list(range(1, len(known) + 1))
    heights = _finite([value for _, value in known if value is not None]).tolist()
    names, named = _bar_labels([label for label, _ in known], width)
    lines = (*_drawn(lambda figure: figure.bar(places, heights), title, width, height, names=names), *named)
    return (*lines, str(fit(safe("no finite value: " + ", ".join(missing)), width))) if missing else lines


def box_lines(
    labels: Sequence[str], groups: Sequence[Iterable[float]], *, title: str = "", width: int = 80, height: int = 20
) -> tuple[str, ...]:
    """Upright boxes (quartiles, median, least and greatest) of the finite values of each group."""
    finite = [_finite(group) for group in groups]
    known = [(label, group) for label, group in zip(labels, finite, strict=True) if group.size]
    missing = [safe(label) for label, group in zip(labels, finite, strict=True) if not group.size]
    if not known:
        return _nothing(title, width)
    places = list(range(1, len(known) + 1))
    # Five numbers have the same box as all values, whatever their count.
    summaries = [np.quantile(group, (0, 0.25, 0.5, 0.75, 1)).tolist() for _, group in known]
    names, named = _bar_labels([label for label, _ in known], width)
    lines = (*_drawn(lambda figure: figure.box(places, summaries), title, width, height, names=names), *named)
    return (*lines, str(fit(safe("no finite value: " + ", ".join(missing)), width))) if missing else lines


def _is_finite(value: float | None) -> bool:
    return value is not None and math.isfinite(value)


def _bar_labels(labels: Sequence[str], width: int) -> tuple[list[str], list[str]]:
    """What stands below each bar, and lines that say what it means.

    Names that are cut to stumps, or look alike, are numbers: `2` below the bar, and `2 adam lr=0.1` below the picture.
    """
    room = max((width - 8) // len(labels) - 1, 1)
    whole = tuple(map(safe, labels))
    cut = fit_apart(whole, room)
    if cut == whole or (room >= LEAST_LABEL_CELLS and len(set(cut)) == len(set(whole))):
        return [str(label) for label in cut], []
    numbers = [str(place) for place in range(1, len(labels) + 1)]
    entries = [f"{place} {label}" for place, label in zip(numbers, whole, strict=True)]
    cells = min(max(map(width_cells, entries)), width)
    n_beside = max((width + 3) // (cells + 3), 1)
    rows = [entries[start : start + n_beside] for start in range(0, len(entries), n_beside)]
    return numbers, ["   ".join(padded(fit(safe(entry), cells), cells) for entry in row).rstrip() for row in rows]


def _joined(*parts: str) -> str:
    return "   ".join(part for part in parts if part)


def _nothing(title: str, width: int) -> tuple[str, ...]:
    return (str(fit(safe(_joined(title, "no finite values")), width)),)


def _drawn(
    draw: Callable[..., object], title: str, width: int, height: int, *, names: Sequence[str] = ()
) -> tuple[str, ...]:
    """Draw one signal on the process's figure, alone, in the size asked for (not cut to the terminal's)."""
    import plotext

    with _LOCK:
        plotext.terminal.limit(False, False)
        figure = plotext.figure
        figure.clear()
        figure.plot_size(max(width, LEAST_WIDTH), max(height, LEAST_HEIGHT))
        figure.draw(draw(figure))
        if names:
            figure.ruler("x", "lower").ticks(list(range(1, len(names) + 1)), list(names))
        if title:
            figure.title(str(fit(safe(title), max(width, LEAST_WIDTH) - 4)))
        text: str = figure.build().string(colorless=True)
        figure.clear()
    return tuple(str(safe(line)).rstrip() for line in text.rstrip("\n").split("\n"))
