"""The group under the cursor as a page: what its runs came to, and which they are. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlbench.render.cells import Cell, Line, fit_middle, line_of
from mlbench.render.labels import short_labels
from mlbench.render.numbers import number
from mlbench.render.table import Table, heading, layout
from mlbench.safe import Safe, safe
from mlbench.tui.widgets.lines_view import Page
from mlbench.tui.widgets.rows import key_names

if TYPE_CHECKING:
    from mlbench.queries.answers import Value
    from mlbench.queries.members import Members, Spread

_ARROWS = {"min": "↓", "max": "↑"}
MOST_PARAMS = 3
"""Parameters that tell the members apart, beside their names."""


def group_name(keys: tuple[Value, ...]) -> Safe:
    """What the runs of a group have in common, as people read it."""
    return safe(" · ".join(key_names(keys)))


def group_page(members: Members, width: int, *, compare_key: str) -> Page:
    """Mean and spread of every metric, then the runs.

    Args:
        members: of the group.
        width: columns of the pane.
        compare_key: what to type to see the runs side by side.
    """
    lines: list[Line] = []
    starts: list[int] = []
    n_listed = len(members.runs)
    listed = f"   the first {n_listed} of {members.n_runs:,}" if members.n_runs > n_listed else ""
    for title, said, table in (("metrics", "", _metric_table(members)), ("runs", listed, _run_table(members))):
        if table.rows:
            lines += [()] if lines else []
            starts.append(len(lines))
            lines.append(line_of((f" {title}", "heading"), (said, "muted")))
            lines += [(Cell(safe("  ")), *line) for line in layout(table, max(width - 3, 8))]
    ended = "" if members.n_ended_well == members.n_runs else f", {members.n_ended_well:,} ended well"
    noun = "run" if members.n_runs == 1 else "runs"
    told = f"   {members.n_runs:,} {noun}{ended}: {compare_key} compares them"
    name = fit_middle(group_name(members.keys), max(width - len(told) - 10, 12))
    return Page(
        title=line_of((" group ", "title"), (name, "accent"), (told, "muted")),
        lines=tuple(lines) or (line_of(("  none of its runs has a metric", "muted")),),
        sections=tuple(starts),
    )


def _metric_table(members: Members) -> Table:
    names = ("mean", "± 95 %", "sd", "min", "max", "n")
    # Where every run has every metric the count in the title says it all.
    n_columns = len(names) - all(spread.n == members.n_runs for spread in members.spreads)
    titles = (heading("metric"), heading(""), *(heading(one, align="number") for one in names[:n_columns]))
    return Table(titles, tuple(_metric_row(spread)[: n_columns + 2] for spread in members.spreads))


def _metric_row(spread: Spread) -> tuple[Cell, ...]:
    texts = (
        number(spread.mean),
        "" if spread.half is None else number(spread.half, digits=2),
        "" if spread.deviation is None else number(spread.deviation, digits=2),
        number(spread.least),
        number(spread.most),
        str(spread.n),
    )
    name = Cell(safe(spread.metric))
    what = Cell(safe(f"{_ARROWS.get(spread.goal, ' ')} {spread.what}"), "muted")
    return (name, what, Cell(safe(texts[0]), "title"), *(Cell(safe(text)) for text in texts[1:]))


def _run_table(members: Members) -> Table:
    names = short_labels(members.runs)
    metric = members.spreads[0].metric if members.spreads else ""
    shown = dict(list(members.params.items())[:MOST_PARAMS])
    titles = (heading("run"), heading("status"), *([heading(metric, align="number")] if metric else []),
              *map(heading, shown))  # fmt: skip
    rows = [
        (
            Cell(name),
            Cell(safe(run.status), "muted" if run.status == "finished" else "warning"),
            *([Cell(safe("" if value is None else number(value)))] if metric else []),
            *(Cell(safe(texts[place])) for texts in shown.values()),
        )
        for place, (name, run, value) in enumerate(zip(names, members.runs, members.values, strict=True))
    ]
    return Table(titles, tuple(rows))
