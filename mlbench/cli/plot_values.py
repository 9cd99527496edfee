"""`mlbench plot` of last values (`--kind hist`, `bar`, `box`), and of points as data."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from mlbench.cli.common import emit, print_records

if TYPE_CHECKING:
    from mlbench.cli.plot import PlotOptions
    from mlbench.queries.answers import SeriesAnswer


def draw_values(series: Sequence[SeriesAnswer], groups: Mapping[str, str], options: PlotOptions) -> None:
    from mlbench.render.chart_plotext import bar_lines, box_lines, hist_lines
    from mlbench.render.labels import label_map

    kind = options.kind
    for metric in dict.fromkeys(one.metric for one in series):
        mine = [one for one in series if one.metric == metric and len(one.values)]
        last = {one.head.run_id: float(one.values[-1]) for one in mine}
        size = {"title": f"{metric} (last)", "width": options.width, "height": options.height}
        if kind == "hist":
            lines = hist_lines(last.values(), **size)  # type: ignore[arg-type]
        elif kind == "bar":
            labels = label_map(one.head for one in mine)
            lines = bar_lines(list(labels.values()), list(last.values()), **size)  # type: ignore[arg-type]
        else:
            groups = groups if options.group_by else dict.fromkeys(last, "all runs")
            names = list(dict.fromkeys(groups[run_id] for run_id in last if run_id in groups))
            members = [[value for run_id, value in last.items() if groups.get(run_id) == name] for name in names]
            lines = box_lines(names, members, **size)  # type: ignore[arg-type]
        emit("".join(f"{line}\n" for line in lines))


def print_points(series: Sequence[SeriesAnswer], form: str) -> None:
    from mlbench.render.records import Records

    rows = tuple(
        (one.head.name, one.metric, int(step), _time(float(wall)), float(value))
        for one in series
        for step, wall, value in zip(one.steps, one.wall_s, one.values, strict=True)
    )
    print_records(Records(("run", "metric", "step", "wall_time", "value"), rows), form)


def _time(wall_s: float) -> float | None:
    return wall_s if math.isfinite(wall_s) else None
