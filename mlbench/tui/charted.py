"""What the charts are drawn from: the points of runs, and what their curves are called. Loaded in a thread."""

from __future__ import annotations

from collections.abc import Sequence

import mlbench.render.chart_text  # noqa: F401 - numpy is loaded here, and not while drawing
from mlbench.queries.answers import SeriesAnswer
from mlbench.queries.folding import fold_runs
from mlbench.queries.names import metric_names
from mlbench.queries.reading import Reader
from mlbench.queries.series import fetch_series
from mlbench.queries.step_metrics import with_axis, with_step_metrics
from mlbench.queries.telling import tell_runs
from mlbench.render.labels import setting_labels, told_labels
from mlbench.tui.session import ChartLabels


def charted_series(
    reader: Reader, run_ids: Sequence[str], metrics: Sequence[str], usual: Sequence[str], over: str, *,
    has_times: bool,
) -> tuple[SeriesAnswer, ...]:  # fmt: skip
    """The points of the metrics that one of the runs has; the arguments are those of `Session.series`."""
    known = metric_names(reader, run_ids)
    chosen = [metric for metric in metrics or usual if metric in known]
    chosen = chosen if metrics else (chosen or list(known))[:1]
    series = fetch_series(reader, run_ids, chosen, has_times=has_times) if chosen else ()
    return with_axis(reader, series, over) if over else with_step_metrics(reader, series)


def labels_of(reader: Reader, run_ids: Sequence[str]) -> ChartLabels:
    """By the rules of `queries.folding` and `queries.telling`."""
    folds = fold_runs(reader, run_ids)
    return ChartLabels(setting_labels(folds), told_labels(tell_runs(reader, folds)))
