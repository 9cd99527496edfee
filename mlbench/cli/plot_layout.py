"""`mlbench plot --layout`: the charts that the runs' own logs lay out, lines by their expressions, margins as bands."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from mlbench.cli.common import colour_depth, print_lines, talk, talk_of_none
from mlbench.cli.plot import glyphs, tell_set_aside
from mlbench.queries.vocabulary import counted

if TYPE_CHECKING:
    from mlbench.catalog.reader import Reader
    from mlbench.cli.plot import PlotOptions
    from mlbench.queries.answers import RunsAnswer
    from mlbench.queries.layouts import LaidChart


def check_alone(options: PlotOptions, metrics: Sequence[str], form: str | None) -> None:
    """Raise UsageError where something was asked for that a layout decides, or that it cannot draw."""
    if metrics or options.kind != "line" or options.group_by or form not in (None, "table"):
        raise click.UsageError("--layout draws charts of its own. Try: without -m, --kind, --group-by, --format")
    if options.step is not None or options.band != "minmax":
        raise click.UsageError("--layout draws all steps, with bands of its own. Try: without --step, --band")


def draw_layouts(reader: Reader, answer: RunsAnswer, name: str, options: PlotOptions) -> bool:
    """Draw each chart; False where a layout could not be read.

    Raises:
        click.UsageError: the runs have layouts, and none of their charts has the name; or an SVG file for several.
    """
    from mlbench.queries.layouts import fetch_layouts
    from mlbench.render.problems import problem_text

    ids = [row.head.run_id for row in answer.rows]
    found = fetch_layouts(reader, ids, name)
    for problem in found.problems:
        talk(problem_text(problem))
    if not found.charts and not found.problems:
        _tell_none(reader, ids, name)
    if options.svg is not None and len(found.charts) > 1:
        n_charts = len(found.charts)
        raise click.UsageError(f"--svg draws one chart, and {n_charts} are meant. Try: --layout CATEGORY/TITLE")
    for chart in found.charts:
        _draw(reader, ids, chart, options)
    return not found.problems


def _tell_none(reader: Reader, ids: Sequence[str], name: str) -> None:
    from mlbench.queries.layouts import fetch_layouts
    from mlbench.queries.mistakes import shown

    others = fetch_layouts(reader, ids).charts
    if not others:
        talk_of_none("no run that matches has a layout of charts in its log")
        return
    named = ", ".join(shown(title_of(chart)) for chart in others[:5])
    raise click.UsageError(f"no chart of a layout is named {shown(name)}. There are: {named}")


def title_of(chart: LaidChart) -> str:
    return chart.name


def _draw(reader: Reader, ids: Sequence[str], chart: LaidChart, options: PlotOptions) -> None:
    from mlbench.queries.mistakes import shown
    from mlbench.queries.series import fetch_series
    from mlbench.render.chart import ChartOptions, draw_chart
    from mlbench.render.chart_margins import margin_bands
    from mlbench.render.chart_svg import chart_svg
    from mlbench.render.chart_text import AXES, CurveOptions, completed, series_curves
    from mlbench.render.export import write_file

    for remark in chart.remarks:
        talk(f"{shown(title_of(chart))}: {remark}")
    lines = dict.fromkeys((*chart.metrics, *(margin.value for margin in chart.margins)))
    ends = dict.fromkeys(end for margin in chart.margins for end in (margin.lower, margin.upper))
    over = [] if options.axis in AXES else [options.axis]
    series = fetch_series(reader, ids, [*lines, *ends, *over], has_times=options.axis in AXES[1:]) if lines else ()
    shown_series = [one for one in series if one.metric in lines]
    if not shown_series:
        return
    tell_set_aside(shown_series)
    is_plain = colour_depth() == "none" and options.svg is None
    chosen = CurveOptions(options.axis, options.smoothing, options.smoothing_kind, is_plain=is_plain)
    curves = series_curves(shown_series, chosen, x_series=series)
    frame = ChartOptions(
        options.width, options.height, glyphs=glyphs(), is_shaded=is_plain, is_trimmed=options.is_trimmed,
        title=title_of(chart),
    )  # fmt: skip
    frame = completed(frame.scaled(options.x_scale, options.y_scale), chosen, shown_series)
    slots = {run_id: slot for slot, run_id in enumerate(dict.fromkeys(one.head.run_id for one in shown_series))}
    bands = margin_bands(series, [(margin.lower, margin.upper) for margin in chart.margins], options.axis, slots)
    if options.svg is not None:
        write_file(options.svg, chart_svg(curves, frame, bands))
        talk(f"{options.svg}: {counted(len(curves), 'curve')}")
    else:
        print_lines((*draw_chart(curves, frame, bands).lines, ()))
