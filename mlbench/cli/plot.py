"""`mlbench plot -m METRIC... [FILTER]`."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import click

from mlbench.cli.chart_options import check_smoothing, smoothing_options
from mlbench.cli.common import (
    colour_depth,
    format_option,
    home_of,
    home_option,
    one_of,
    print_lines,
    reading,
    real_paths,
    talk,
    talk_of_none,
    where_option,
    within_option,
)
from mlbench.cli.completing import complete_filter, complete_metrics, complete_specs
from mlbench.cli.selecting import chosen_view, selection_option
from mlbench.dataclass import dataclass
from mlbench.queries.vocabulary import counted

if TYPE_CHECKING:
    from mlbench.catalog.reader import Reader
    from mlbench.queries.answers import RunsAnswer, SeriesAnswer
    from mlbench.queries.logged import Chosen
    from mlbench.queries.views import SavedView
    from mlbench.render.chart import Curve
    from mlbench.render.chart_bands import Band
    from mlbench.render.chart_text import CurveOptions
    from mlbench.safe import Safe

KINDS = ("line", "hist", "bar", "box", "matrix")
MOST_RUNS = 50
"""More curves than this say nothing in one chart."""
MOST_TOLD = 3
"""Metrics of which it is said how many runs have none."""


@dataclass(frozen=True, slots=True)
class PlotOptions:
    """What the command line asks for."""

    kind: str
    axis: str
    smoothing: float
    y_scale: str
    """`linear`, `log` or `symlog`."""
    x_scale: str
    group_by: tuple[str, ...]
    """Columns whose values make the groups; () for none."""
    band: str
    width: int
    height: int
    svg: str | None
    step: int | None = None
    """Of histograms and PR curves; None: the last one."""
    smoothing_kind: str = "ema"
    is_trimmed: bool = False
    has_all_steps: bool = False
    """Of histograms: how they changed, in place of one step."""


@click.command("plot")
@click.argument("filter_word", metavar="[FILTER]", required=False, shell_complete=complete_filter)
@click.option(
    "-m",
    "--metric",
    "metrics",
    multiple=True,
    metavar="METRIC",
    help="A metric (repeatable); of matrices the name of one. [default for those: all]",
    shell_complete=complete_metrics,
)
@click.option(
    "--x",
    "axis",
    metavar="step|relative|wall|METRIC",
    help="The x axis. [default: the metric that the program defined (W&B's step_metric), else step]",
)
@smoothing_options
@click.option("--trim", is_flag=True, help="Leave outliers out of the y axis; the chart says how many points.")
@click.option("--log-x", "x_scale", flag_value="log", help="Logarithmic x axis.")
@click.option("--symlog-x", "x_scale", flag_value="symlog", help="A logarithmic x axis that has a place for step 0.")
@click.option(
    "--group-by",
    metavar="SPEC",
    help="One curve for all runs with one value of SPEC: their mean, with a band; of --kind box a box. `setting` "
    "stands for all but seeds, names and places. [default: those of the view]",
    shell_complete=complete_specs,
)
@click.option(
    "--ignore", multiple=True, metavar="PARAM", help="With `--group-by setting`: makes no other setting (repeatable)."
)
@click.option(
    "--names", "has_names", is_flag=True, help="Runs by name in the legend, also where parameters tell them apart."
)
@click.option(
    "--band",
    type=click.Choice(["minmax", "sd", "ci", "none"]),
    default="minmax",
    show_default=True,
    help="What the band of a group shows.",
)
@click.option(
    "--kind",
    type=click.Choice(KINDS),
    default="line",
    show_default=True,
    help="hist, bar and box are over the runs' last values; matrix draws their confusion matrices. Of what was logged "
    "as histograms, hist draws those; of PR curves, line draws precision over recall. What is for curves (smoothing, "
    "scales, --trim, --band, --x, --svg) is refused with all but line, --group-by with all but line and box.",
)
@click.option(
    "--layout",
    is_flag=False,
    flag_value="*",
    metavar="[NAME]",
    help="Draw the charts that the runs' logs lay out (TensorBoard's custom scalars): all, or those whose title, "
    "category or CATEGORY/TITLE is NAME. In place of -m.",
)
@click.option("--step", type=int, metavar="N", help="The step of logged histograms and PR curves. [default: the last]")
@click.option("--all-steps", is_flag=True, help="Logged histograms over their steps, as a heat map.")
@click.option("--width", type=click.IntRange(20, 1000), metavar="N", help="Columns. [default: the terminal's]")
@click.option("--height", type=click.IntRange(6, 500), metavar="N", help="Lines. [default: 24 or less]")
@click.option("--svg", metavar="FILE", type=click.Path(dir_okay=False), help="Write an SVG file of the curves instead.")
@click.option(
    "-n",
    "--limit",
    type=click.IntRange(min=1),
    metavar="N",
    help=f"At most N runs. [default: that of the view, else {MOST_RUNS}]",
)
@selection_option
@where_option
@within_option
@home_option
@format_option
def command(
    filter_word: str | None, metrics: tuple[str, ...], axis: str | None, smoothing: float, smoothing_kind: str,
    y_scale: str | None, trim: bool, x_scale: str | None, group_by: str | None, ignore: tuple[str, ...],
    has_names: bool, band: str, kind: str, step: int | None,
    layout: str | None, all_steps: bool, width: int | None, height: int | None,
    svg: str | None, limit: int | None, selection: str | None, where: str | None, within: tuple[str, ...],
    home: str | None, form: str | None,
) -> int:  # fmt: skip
    """Draw metrics of the runs that match FILTER: every point is drawn, no spike is lost.

    \b
    mlbench plot -m val/loss --smooth 0.9 --log-y 'optimizer = adam'
    mlbench plot -m val/loss --group-by params.lr --band ci
    mlbench plot -m val/loss --group-by setting
    mlbench plot -m val/acc --kind box --group-by params.optimizer
    mlbench plot -m layer1/weights --kind hist --step 500 'name ~ exp7'
    mlbench plot --layout losses --where 'name ~ exp7'
    """
    from mlbench.cli.plot_checks import check_chosen, check_options
    from mlbench.cli.plot_groups import group_columns, group_specs, groups_of
    from mlbench.queries.views import SavedView

    check_smoothing(amount=smoothing, kind=smoothing_kind)
    size = shutil.get_terminal_size((80, 24))
    options = PlotOptions(
        kind, axis or "step", smoothing, y_scale or "linear", x_scale or "linear", (), band,
        width or size.columns, height or min(size.lines - 1, 24), svg, step, smoothing_kind, trim, all_steps,
    )  # fmt: skip
    check_options(options, group_by, form)
    with reading(home_of(home)) as reader:
        asked = SavedView(one_of(filter_word, where), limit=limit, group_by=(group_by,) if group_by else ())
        saved = chosen_view(reader, selection, asked)
        options = replace(options, group_by=group_specs(saved, ignore, kind, form))
        found, limit = _runs(reader, saved, group_columns(options.group_by), within), saved.limit or MOST_RUNS
        if kind == "matrix" or layout is not None:
            return _draw_whole(reader, found, limit, layout, options, metrics, form)
        if not metrics:
            raise click.UsageError("no metric was named. Give -m METRIC")
        chosen = _chosen(reader, found, metrics, options)
        check_chosen(options, group_by, chosen)
        is_read = True
        if chosen.logged:
            from mlbench.cli.plot_logged import draw_logged

            is_read = draw_logged(reader, _limited(found, limit, chosen.logged_runs), chosen.logged, options, form)
        if not chosen.scalars:
            return 0 if is_read else 3
        answer = _limited(found, limit, chosen.scalar_runs)
        if axis is None and kind == "line":
            options = replace(options, axis=_default_axis(reader, answer, chosen.scalars))
        series = _series(reader, answer, chosen.scalars, options, form)
        n_cut = max(len(chosen.scalar_runs) - limit, 0)  # that is said, and these have it
        _tell_lacking(series, chosen.scalars, len(found.rows) - n_cut)
        is_told = form in (None, "table") and kind == "line" and not (has_names or options.group_by)
        told = _told(reader, series) if is_told else {}
        groups = groups_of(reader, answer, options.group_by, ignore)
    _give(series, groups, options, told, form)
    return 0 if is_read else 3


def _draw_whole(
    reader: Reader, found: RunsAnswer, limit: int, layout: str | None, options: PlotOptions, metrics: Sequence[str],
    form: str | None,
) -> int:  # fmt: skip
    """What can be asked for without naming a metric: confusion matrices, or the charts of a layout."""
    if layout is None:
        from mlbench.cli.plot_logged import draw_matrices_of

        chosen = _chosen(reader, found, metrics, options) if metrics else None
        answer = _limited(found, limit, chosen.logged_runs if chosen else None)
        return 0 if draw_matrices_of(reader, answer, options, chosen.logged if chosen else ()) else 3
    from mlbench.cli.plot_layout import check_alone, draw_layouts

    check_alone(options, metrics, form)
    return 0 if draw_layouts(reader, _limited(found, limit), layout, options) else 3


def _give(
    series: Sequence[SeriesAnswer], groups: Mapping[str, str], options: PlotOptions, told: Mapping[str, Safe],
    form: str | None,
) -> None:  # fmt: skip
    from mlbench.cli.plot_values import draw_values, print_points

    if form not in (None, "table"):
        print_points(series, str(form))
    elif not series and options.svg is None:
        return  # it was said that nothing matches; axes without a curve would only look like an answer
    elif options.kind == "line":
        _draw(series, groups, options, told)
    else:
        draw_values(series, groups, options)


def _runs(reader: Reader, view: SavedView, specs: Sequence[str], within: Sequence[str]) -> RunsAnswer:
    from mlbench.queries.runs import find_runs

    answer = find_runs(reader, where=view.filter, columns=specs or None, sort=view.sort, within=real_paths(within))
    for remark in answer.remarks:
        talk(remark)
    return answer


def _chosen(reader: Reader, answer: RunsAnswer, metrics: Sequence[str], options: PlotOptions) -> Chosen:
    """Which of the metrics are numbers, and which histograms, PR curves or confusion matrices."""
    from mlbench.queries.logged import Chosen, choose_metrics

    ids = [row.head.run_id for row in answer.rows]
    chosen = choose_metrics(reader, metrics, ids, options.kind) if ids else Chosen(tuple(metrics))
    if options.step is not None and chosen.scalars:
        raise click.UsageError(f"--step is for histograms and PR curves, and '{chosen.scalars[0]}' is neither")
    if options.has_all_steps and chosen.scalars:
        raise click.UsageError(f"--all-steps is for histograms, and '{chosen.scalars[0]}' is none")
    return chosen


def _limited(answer: RunsAnswer, limit: int, having: Collection[str] | None = None) -> RunsAnswer:
    """The runs to draw: those of `having`, `limit` at most."""
    rows = tuple(row for row in answer.rows if having is None or row.head.run_id in having)
    if len(rows) > limit:
        talk(f"{limit} of {len(rows)} runs are drawn. Try: --limit, or a narrower filter")
    return replace(answer, rows=rows[:limit])


def _default_axis(reader: Reader, answer: RunsAnswer, metrics: Sequence[str]) -> str:
    """The metric that the runs themselves want for the x axis, which is told; else the step."""
    from mlbench.queries.step_metrics import default_axis

    over = default_axis(reader, [row.head.run_id for row in answer.rows], metrics)
    if over:
        talk(f"drawn over {over}, as the runs define it. Try: --x step")
    return over or "step"


def _series(
    reader: Reader, answer: RunsAnswer, metrics: Sequence[str], options: PlotOptions, form: str | None
) -> tuple[SeriesAnswer, ...]:
    from mlbench.queries.series import fetch_series
    from mlbench.render.chart_text import AXES

    ids = [row.head.run_id for row in answer.rows]
    wanted = list(metrics) + ([] if options.axis in AXES else [options.axis])
    has_times = options.axis in ("relative", "wall") or form not in (None, "table")
    series = fetch_series(reader, ids, wanted, has_times=has_times) if ids else ()
    if not series:
        talk_of_none("no run with these metrics matches")
    is_chart = form in (None, "table") and options.kind == "line" and not options.group_by and options.axis in AXES
    is_drawn = is_chart and (options.svg is not None or colour_depth() != "none")
    tell_set_aside(series, fate="drawn faint" if is_drawn else "left out")
    return series


def _tell_lacking(series: Sequence[SeriesAnswer], metrics: Sequence[str], n_runs: int) -> None:
    """How many runs are not drawn since they have no such metric; of many metrics only that it is so."""
    n_having = {metric: len({one.head.run_id for one in series if one.metric == metric}) for metric in metrics}
    lacking = {metric: n_runs - n for metric, n in n_having.items() if 0 < n < n_runs}
    if len(lacking) > MOST_TOLD:
        talk(f"{len(lacking):,} of these metrics are not in all of the {n_runs:,} runs")
        return
    for metric, n in lacking.items():
        talk(f"{n:,} of {n_runs:,} runs {'has' if n == 1 else 'have'} no {metric}")


def _told(reader: Reader, series: Sequence[SeriesAnswer]) -> Mapping[str, Safe]:
    """The parameters that tell the runs of a chart apart, where they do."""
    from mlbench.queries.folding import fold_runs
    from mlbench.queries.telling import tell_runs
    from mlbench.render.labels import told_labels

    ids = list(dict.fromkeys(one.head.run_id for one in series))
    return told_labels(tell_runs(reader, fold_runs(reader, ids))) if len(ids) > 1 else {}


def tell_set_aside(series: Sequence[SeriesAnswer], *, fate: str = "left out") -> None:
    """Repeated steps and points that a restart replaced are never hidden without a word."""
    from mlbench.render.show import set_aside_text

    n_points = sum(one.n_raw for one in series)
    n_repeats = sum(int((one.steps[1:] == one.steps[:-1]).sum()) for one in series)
    remark = set_aside_text(n_points, n_points - sum(len(one.steps) for one in series), n_repeats, fate=fate)
    if remark:
        talk(remark)


def _draw(
    series: Sequence[SeriesAnswer], groups: Mapping[str, str], options: PlotOptions, labels: Mapping[str, Safe]
) -> None:
    from mlbench.render.chart import ChartOptions, draw_chart
    from mlbench.render.chart_svg import chart_svg
    from mlbench.render.chart_text import CurveOptions, completed
    from mlbench.render.export import write_file

    is_plain = colour_depth() == "none" and options.svg is None
    chosen = CurveOptions(options.axis, options.smoothing, options.smoothing_kind, is_plain=is_plain)
    shown = [one for one in series if one.metric != options.axis]
    curves, bands = _curves(series, shown, groups, options, chosen, labels)
    chart = completed(
        ChartOptions(
            options.width, options.height, glyphs=glyphs(), is_shaded=is_plain, is_trimmed=options.is_trimmed,
        ).scaled(options.x_scale, options.y_scale),
        chosen, shown,
    )  # fmt: skip
    if options.svg is not None:
        write_file(options.svg, chart_svg(curves, chart, bands))
        talk(f"{options.svg}: {counted(len(curves), 'curve')}")
    else:
        print_lines(draw_chart(curves, chart, bands).lines)


def _curves(
    series: Sequence[SeriesAnswer], shown: Sequence[SeriesAnswer], groups: Mapping[str, str], options: PlotOptions,
    chosen: CurveOptions, labels: Mapping[str, Safe],
) -> tuple[tuple[Curve, ...], tuple[Band, ...]]:  # fmt: skip
    from mlbench.render.chart_text import group_curves, series_curves

    if not options.group_by:
        return series_curves(shown, chosen, x_series=series, labels=labels), ()
    return group_curves(shown, groups, chosen, band=options.band, x_series=series)


def glyphs() -> str:
    """What the terminal can show: braille, blocks on the Linux console, ASCII where the locale is not UTF-8."""
    locale = (os.environ.get("LC_ALL") or os.environ.get("LC_CTYPE") or os.environ.get("LANG") or "").lower()
    if "utf" not in (sys.stdout.encoding or "").lower() and "utf" not in locale:
        return "ascii"
    return "blocks" if os.environ.get("TERM") == "linux" else "braille"
