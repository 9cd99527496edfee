"""`mlbench plot` of histograms (`--kind hist`), PR curves (`--kind line`) and confusion matrices (`--kind matrix`)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from mlbench.cli.common import colour_depth, emit, is_light, print_lines, print_records, talk, talk_of_none
from mlbench.cli.plot import glyphs
from mlbench.queries.vocabulary import counted

if TYPE_CHECKING:
    from mlbench.catalog.reader import Reader
    from mlbench.cli.plot import PlotOptions
    from mlbench.queries.answers import ProblemLine, RunsAnswer
    from mlbench.queries.blobs import BlobPlace
    from mlbench.wire.histograms import Histogram
    from mlbench.wire.pr_curves import PrCurve


def draw_logged(
    reader: Reader, answer: RunsAnswer, metrics: Sequence[str], options: PlotOptions, form: str | None
) -> bool:
    """Draw them, or print their numbers; False where there was something to read and none of it could be."""
    from mlbench.queries.blobs import fetch_histograms, fetch_pr_curves

    ids = [row.head.run_id for row in answer.rows]
    is_data = form not in (None, "table")
    if options.kind == "line":
        curves = fetch_pr_curves(reader, ids, metrics, step=options.step)
        _tell(curves.problems)
        if is_data:
            _print_curves(curves.items, str(form))
        elif curves.items:
            _draw_curves(curves.items, options)
        return bool(curves.items)
    if options.has_all_steps and not is_data:
        return _draw_histories(reader, ids, metrics, options)
    histograms = fetch_histograms(reader, ids, metrics, step=options.step)
    _tell(histograms.problems)
    if is_data:
        _print_histograms(histograms.items, str(form))
    else:
        _draw_histograms(histograms.items, options)
    return bool(histograms.items)


def _tell(problems: Sequence[ProblemLine]) -> None:
    from mlbench.render.problems import problem_text

    for problem in problems:
        talk(problem_text(problem))


def _draw_histograms(items: Sequence[tuple[BlobPlace, Histogram]], options: PlotOptions) -> None:
    from mlbench.render.buckets import wasserstein
    from mlbench.render.chart_plotext import bucket_lines
    from mlbench.render.labels import label_map
    from mlbench.render.numbers import number

    labels = label_map(place.head for place, _ in items)
    first: dict[str, tuple[BlobPlace, Histogram]] = {}
    for place, histogram in sorted(items, key=lambda item: item[0].metric):
        title = f"{place.metric}   {labels[place.head.run_id]}   step {place.step}"
        base, other = first.setdefault(place.metric, (place, histogram))
        if base is not place:
            distance = number(wasserstein(other, histogram))
            title += f"   Wasserstein distance to {labels[base.head.run_id]} {distance}"
        lines = bucket_lines(histogram, title=title, width=options.width, height=options.height)
        emit("".join(f"{line}\n" for line in lines))


def _draw_histories(reader: Reader, ids: Sequence[str], metrics: Sequence[str], options: PlotOptions) -> bool:
    from mlbench.queries.blobs import fetch_histogram_history
    from mlbench.render.cells import line_of
    from mlbench.render.histories_beside import HistoryLook, histories_beside, told_histories
    from mlbench.render.labels import label_map, with_mark

    answer = fetch_histogram_history(reader, ids, metrics)
    _tell(answer.problems)
    items = sorted(answer.items, key=lambda item: (item[0].metric, not item[0].head.is_baseline))
    heads = {place.head.run_id: place.head for place, _histogram in items}
    names = {run_id: with_mark(label, heads[run_id]) for run_id, label in label_map(heads.values()).items()}
    look = HistoryLook(options.width, options.height, colour_depth(), glyphs(), is_light())
    told = told_histories(items)
    for metric in dict.fromkeys(history.metric for history in told):
        mine = [history for history in told if history.metric == metric]
        print_lines((line_of((metric, "heading")), *histories_beside(mine, names, {}, look), ()))
    return bool(items)


def draw_matrices_of(reader: Reader, answer: RunsAnswer, options: PlotOptions, metrics: Sequence[str] = ()) -> bool:
    """Draw the confusion matrices of runs, all or those of these names; False where none of them could be read."""
    from mlbench.queries.matrix import fetch_matrices
    from mlbench.render.cells import line_of
    from mlbench.render.labels import label_map, with_mark
    from mlbench.render.matrices import MatrixOptions, draw_matrices

    found = fetch_matrices(reader, [row.head.run_id for row in answer.rows], metrics)
    _tell(found.problems)
    labels = label_map(matrix.head for matrix in found.items)
    drawn = MatrixOptions(options.width, colour_depth(), glyphs(), is_light=is_light())
    for metric in dict.fromkeys(matrix.metric for matrix in found.items):
        mine = sorted((one for one in found.items if one.metric == metric), key=lambda one: not one.head.is_baseline)
        names = [with_mark(labels[one.head.run_id], one.head) for one in mine]
        title = line_of((f"{metric}   rows: actual, columns: predicted", "heading"))
        print_lines((title, (), *draw_matrices(mine, names, drawn), ()))
    if not found.items and not found.problems:
        talk_of_none("no run that matches has a confusion matrix as numbers")
    return bool(found.items) or not found.problems


def _draw_curves(items: Sequence[tuple[BlobPlace, PrCurve]], options: PlotOptions) -> None:
    from mlbench.render.chart import ChartOptions, draw_chart
    from mlbench.render.chart_logged import pr_curves, pr_title
    from mlbench.render.chart_svg import chart_svg
    from mlbench.render.export import write_file

    is_plain = colour_depth() == "none" and options.svg is None
    curves = pr_curves(items, is_plain=is_plain)
    chart = ChartOptions(options.width, options.height, title=pr_title(items), x_kind="value", glyphs=glyphs()).scaled(
        options.x_scale, options.y_scale
    )
    if options.svg is not None:
        write_file(options.svg, chart_svg(curves, chart, ()))
        talk(f"{options.svg}: {counted(len(curves), 'curve')}")
    else:
        print_lines(draw_chart(curves, chart).lines)


def _print_histograms(items: Sequence[tuple[BlobPlace, Histogram]], form: str) -> None:
    from mlbench.render.records import Records

    rows = tuple(
        (place.head.name, place.metric, place.step, *bucket)
        for place, histogram in items
        for bucket in zip(
            histogram.lefts.tolist(), histogram.rights.tolist(), histogram.counts.tolist(), strict=True
        )
    )  # fmt: skip
    print_records(Records(("run", "metric", "step", "left", "right", "count"), rows), form)


_COLUMNS = {
    "threshold": "thresholds", "tp": "true_positives", "fp": "false_positives", "tn": "true_negatives",
    "fn": "false_negatives", "precision": "precision", "recall": "recall",
}  # fmt: skip


def _print_curves(items: Sequence[tuple[BlobPlace, PrCurve]], form: str) -> None:
    from mlbench.render.records import Records

    rows = tuple(
        (place.head.name, place.metric, place.step, *point)
        for place, curve in items
        for point in zip(*(getattr(curve, name).tolist() for name in _COLUMNS.values()), strict=True)
    )
    print_records(Records(("run", "metric", "step", *_COLUMNS), rows), form)
