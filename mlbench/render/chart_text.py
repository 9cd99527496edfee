"""Series as charts: what `mlbench plot` prints, the workbench paints and reports hold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from mlbench.dataclass import dataclass
from mlbench.errors import UsageError
from mlbench.queries.step_metrics import places_on
from mlbench.render.cells import RUN_SLOTS, plain
from mlbench.render.chart import Chart, ChartOptions, Curve, draw_chart
from mlbench.render.chart_bands import Band
from mlbench.render.chart_branches import branch_points, restarts_text
from mlbench.render.labels import label_map
from mlbench.render.palette import PATTERNS
from mlbench.render.pyramid import kept
from mlbench.render.smoothing import smoothed
from mlbench.safe import Safe

if TYPE_CHECKING:
    from mlbench.model import Float64Array
    from mlbench.queries.answers import SeriesAnswer

AXES = ("step", "relative", "wall")
"""x axes; any other word is the name of a metric."""
BANDS = ("minmax", "sd", "ci", "none")
MOST_COLOURED = 20
"""With more runs than this colours say nothing: all curves are muted."""


@dataclass(frozen=True, slots=True)
class CurveOptions:
    """How series become curves."""

    axis: str = "step"
    """One of `AXES`, or the name of the metric on the x axis."""
    smoothing: float = 0.0
    """0 is raw. A weight up to, not including, 1 for `ema` and `twema`, a number of points for the others."""
    smoothing_kind: str = "ema"
    """One of `smoothing.KINDS`: `ema` is TensorBoard's mean."""
    has_raw: bool = True
    """Keep the raw curve, faint, below a smoothed one."""
    is_plain: bool = False
    """There are no colours: patterns tell the runs apart, and raw curves are left out below smoothed ones."""
    has_older: bool = True
    """Draw what a restart replaced, faint and dotted."""


def axis_kind(axis: str) -> str:
    """The kind of ticks (`axes.AXIS_KINDS`) for a word of `AXES` or a metric's name."""
    return axis if axis in AXES else "value"


def x_values(series: SeriesAnswer, axis: str, x_series: Sequence[SeriesAnswer] = ()) -> Float64Array:
    """Shape (n,): where the points of a series stand on an axis; NaN where they have no place.

    Args:
        series: the points.
        axis: one of `AXES`, or the name of a metric, see `step_metrics.places_on`.
        x_series: the series of that metric, for this run among others; not needed where the series has it (`over`).
    """
    if axis == "step":
        steps: Float64Array = kept((series.steps,), "float", lambda: series.steps.astype(np.float64))
        return steps
    if axis == "wall":
        return series.wall_s
    if axis == "relative":
        return series.wall_s - _started_s(series)
    if axis == series.over and series.over_values is not None:
        return series.over_values
    found = (one for one in x_series if one.head.run_id == series.head.run_id and one.metric == axis)
    return places_on(series, next(found, None))


def _started_s(series: SeriesAnswer) -> float:
    if series.started_s is not None:
        return series.started_s
    known = series.wall_s[np.isfinite(series.wall_s)]
    return float(known[0]) if known.size else np.nan


def series_curves(
    series: Sequence[SeriesAnswer],
    options: CurveOptions,
    *,
    slots: Mapping[str, int] | None = None,
    x_series: Sequence[SeriesAnswer] = (),
    labels: Mapping[str, Safe] | None = None,
) -> tuple[Curve, ...]:
    """A curve for each series: colour says the run, pattern the metric; raw ones faint below smoothed ones, and so are
    the branches that a restart replaced.

    Args:
        series: any runs and metrics.
        options: axis and smoothing.
        slots: colour slot by run id; without it, runs get slots in their order.
        x_series: series of the metric on the x axis.
        labels: what the legend calls each run, by run id; without it, its name.
    """
    labels = chart_labels(series, labels)
    slots = {run_id: slot for slot, run_id in enumerate(labels)} if slots is None else slots
    metrics = list(dict.fromkeys(one.metric for one in series))
    is_muted = len(labels) > MOST_COLOURED
    places = {metric: place for place, metric in enumerate(metrics)}
    raw: list[Curve] = []
    shown: list[Curve] = []
    for one in series:
        slot = slots.get(one.head.run_id, 0)
        label = labels[one.head.run_id]
        curve = Curve(
            x_values(one, options.axis, x_series),
            one.values,
            label if len(metrics) == 1 else f"{label} {one.metric}",
            slot,
            _pattern(0 if is_muted else slot, places[one.metric], len(metrics), is_plain=options.is_plain),
            role="muted" if is_muted else "",
            owner=one.head.run_id,
        )
        if options.has_older and not options.is_plain:
            raw += _older(one, curve, options)
        if options.smoothing:
            if options.has_raw and not options.is_plain:
                raw.append(replace(curve, is_faint=True, label="", role=""))
            curve = replace(curve, y=_smooth(options, curve.x, one.values))
        shown.append(curve)
    return (*raw, *shown)


def _older(series: SeriesAnswer, curve: Curve, options: CurveOptions) -> list[Curve]:
    """The branches that a restart replaced, where they have a place on the axis: no metric was kept for them."""
    older = series.older
    if older is None or options.axis not in AXES:
        return []
    branch = replace(series, steps=older.steps, wall_s=older.wall_s, values=older.values, older=None,
                     started_s=_started_s(series))  # fmt: skip
    branch_x = x_values(branch, options.axis)
    x, y = branch_points(series.values, curve.x, older, branch_x, kind=options.smoothing_kind, amount=options.smoothing)
    return [replace(curve, x=x, y=y, label=f"{curve.label} (replaced)", pattern="dotted", is_faint=True, role="")]


def chart_labels(series: Sequence[SeriesAnswer], told: Mapping[str, Safe] | None = None) -> Mapping[str, Safe]:
    """What the runs of a chart are called: by what tells them apart, where all of them are told, else by name."""
    names = label_map(one.head for one in series)
    return {run_id: told[run_id] for run_id in names} if told and names.keys() <= told.keys() else names


def _smooth(options: CurveOptions, x: Float64Array, values: Float64Array) -> Float64Array:
    """Smoothed values, kept while the series is: zooming and moving the crosshair does not smooth again."""
    kind, amount = options.smoothing_kind, options.smoothing
    smooth: Float64Array = kept((x, values), (kind, amount), lambda: smoothed(kind, amount, x, values))
    return smooth


def _pattern(slot: int, metric: int, n_metrics: int, *, is_plain: bool) -> str:
    """Patterns say the metric; with one metric, the round of the colours, or the run where there are none."""
    if n_metrics > 1:
        return PATTERNS[metric % len(PATTERNS)]
    return PATTERNS[(slot if is_plain else slot // RUN_SLOTS) % len(PATTERNS)]


def series_chart(
    series: Sequence[SeriesAnswer],
    chart: ChartOptions,
    curves: CurveOptions,
    *,
    slots: Mapping[str, int] | None = None,
    x_series: Sequence[SeriesAnswer] = (),
) -> Chart:
    """Draw series. The options of the chart are completed: title, kind of x axis, and remarks on what was done."""
    drawn = series_curves(series, curves, slots=slots, x_series=x_series)
    return draw_chart(drawn, completed(chart, curves, series))


def completed(chart: ChartOptions, curves: CurveOptions, series: Sequence[SeriesAnswer]) -> ChartOptions:
    """The chart's options with title, kind of x axis and remarks, where they are not given."""
    metrics = list(dict.fromkeys(one.metric for one in series))
    remarks = [
        _smoothing_text(curves),
        restarts_text(series) if curves.has_older else "",
        _scale_text("y", is_log=chart.log_y, is_symlog=chart.symlog_y),
        "" if curves.axis == "wall" else _scale_text("x", is_log=chart.log_x, is_symlog=chart.symlog_x),
        {"step": "", "relative": "x: time since start", "wall": "x: wall time (UTC)"}.get(
            curves.axis, f"x: {curves.axis}"
        ),
    ]
    return replace(
        chart,
        title=chart.title or ", ".join(metrics),
        x_kind=axis_kind(curves.axis),
        remarks=chart.remarks or tuple(remark for remark in remarks if remark),
    )


def _scale_text(axis: str, *, is_log: bool, is_symlog: bool) -> str:
    return f"log {axis}" if is_log else f"symlog {axis}" if is_symlog else ""


def _smoothing_text(curves: CurveOptions) -> str:
    """`smoothing 0.9`, `mean of 20 points`; '' for raw curves."""
    if not curves.smoothing:
        return ""
    words = {
        "twema": "time-weighted smoothing {:g}",
        "mean": "mean of {:.0f} points",
        "gaussian": "gaussian, {:g} points",
    }
    return words.get(curves.smoothing_kind, "smoothing {:g}").format(curves.smoothing)


def chart_text(chart: Chart) -> Safe:
    """The chart as plain text, lines ended by newlines but the last."""
    return plain(chart.lines)


# ---------------------------------------------------------------- groups


def group_curves(
    series: Sequence[SeriesAnswer],
    groups: Mapping[str, str],
    options: CurveOptions,
    *,
    band: str = "minmax",
    x_series: Sequence[SeriesAnswer] = (),
) -> tuple[tuple[Curve, ...], tuple[Band, ...]]:
    """The mean of each group of runs, with a band: all runs (`minmax`), one standard deviation, or the 95 % interval.

    Runs are interpolated to the union of their x values, each within its own range; values that are not finite
    are left out. The label says how many runs a group has.

    Args:
        series: any runs and metrics.
        groups: label of the group by run id; runs without one are left out.
        options: axis and smoothing (of each run, before the mean).
        band: one of `BANDS`.
        x_series: series of the metric on the x axis.

    Raises:
        UsageError: there is no such band.
    """
    if band not in BANDS:
        raise UsageError(f"no band '{band}'. Try one of: {', '.join(BANDS)}")
    metrics = list(dict.fromkeys(one.metric for one in series))
    curves: list[Curve] = []
    bands: list[Band] = []
    for slot, name in enumerate(dict.fromkeys(groups.values())):
        for place, metric in enumerate(metrics):
            members = [one for one in series if one.metric == metric and groups.get(one.head.run_id) == name]
            if not members:
                continue
            x, table = _on_one_grid(members, options, x_series)
            mean, low, high = _mean_and_band(table, band)
            label = f"{name} (n={len(members)})" if len(metrics) == 1 else f"{name} {metric} (n={len(members)})"
            curves.append(Curve(x, mean, label, slot, _pattern(slot, place, len(metrics), is_plain=options.is_plain)))
            if band != "none" and len(members) > 1:
                bands.append(Band(x, low, high, slot))
    return tuple(curves), tuple(bands)


def _on_one_grid(
    members: Sequence[SeriesAnswer], options: CurveOptions, x_series: Sequence[SeriesAnswer]
) -> tuple[Float64Array, Float64Array]:
    """The union of the x values, shape (n,), and the values there, shape (runs, n), NaN outside of a run."""
    pairs: list[tuple[Float64Array, Float64Array]] = []
    for one in members:
        x = x_values(one, options.axis, x_series)
        y = smoothed(options.smoothing_kind, options.smoothing, x, one.values)
        kept = np.isfinite(x) & np.isfinite(y)
        order = np.argsort(x[kept], kind="stable")
        pairs.append((x[kept][order], y[kept][order]))
    grid = np.unique(np.concatenate([x for x, _ in pairs]))
    rows = [
        np.interp(grid, x, y, left=np.nan, right=np.nan) if x.size else np.full(grid.shape, np.nan) for x, y in pairs
    ]
    return grid, np.stack(rows)


def _mean_and_band(table: Float64Array, band: str) -> tuple[Float64Array, Float64Array, Float64Array]:
    """Mean, low and high of the runs that have a value, each shape (n,). One run alone has a band of no height."""
    counts = np.isfinite(table).sum(axis=0)
    mean = np.nansum(table, axis=0) / counts
    if band in ("minmax", "none"):
        return mean, np.nanmin(table, axis=0), np.nanmax(table, axis=0)
    squares = np.nansum((table - mean) ** 2, axis=0)
    reach = np.sqrt(squares / np.maximum(counts - 1, 1))
    if band == "ci":
        from scipy.special import stdtrit

        # 0.975: the upper end of a two-sided interval of 95 %.
        reach = reach / np.sqrt(counts) * np.where(counts > 1, stdtrit(np.maximum(counts - 1, 1), 0.975), 0.0)
    return mean, mean - reach, mean + reach
