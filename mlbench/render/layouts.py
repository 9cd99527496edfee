"""The charts that a run's log lays out, as a section of `mlbench show`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from mlbench.render.cells import Cell
from mlbench.render.records import Records
from mlbench.render.table import Section, Table, heading
from mlbench.safe import safe

if TYPE_CHECKING:
    from mlbench.queries.layouts import LaidChart

MOST_NAMED = 4


def layout_section(charts: Sequence[LaidChart]) -> Section:
    """A row for each chart: its category, its title, and the metrics of this run that it draws."""
    rows = tuple(
        (Cell(safe(chart.category)), Cell(safe(chart.title), "key"), Cell(safe(drawn_text(chart)), "muted"))
        for chart in charts
    )
    headings = (heading("category"), heading("chart"), heading("draws"))
    return Section("layouts", safe(f"layouts ({len(charts)}), drawn by mlbench plot --layout"), Table(headings, rows))


def with_layouts(records: Records, charts: Sequence[LaidChart]) -> Records:
    """The rows of `show` with one of the section `layouts` for each chart: its title, what it draws, its category."""
    rows = tuple(("layouts", chart.title, drawn_text(chart), chart.category or None, None) for chart in charts)
    return Records(records.keys, (*records.rows, *rows))


def drawn_text(chart: LaidChart) -> str:
    """`loss/train, loss/val` or `acc from acc/low to acc/high`; of many the first, and how many more."""
    named = [*chart.metrics, *(f"{one.value} from {one.lower} to {one.upper}" for one in chart.margins)]
    more = [f"{len(named) - MOST_NAMED} more"] if len(named) > MOST_NAMED else []
    return ", ".join([*named[:MOST_NAMED], *more]) or "nothing of this run"
