"""Runs that are gone from the catalog, or cannot be read, and marked ones that were not seen yet: marks are kept from
one start to the next.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from mlbench.errors import MlbenchError, UsageError
from mlbench.tui.view import reading_text

if TYPE_CHECKING:
    from mlbench.queries.answers import RunHead
    from mlbench.tui.desk import Desk


def ask_marked(desk: Desk) -> None:
    """Ask what is known of marked runs that were not seen yet: what is said of the marked runs is said of them, too."""
    unknown = [run_id for run_id in desk.view.marks.run_ids if run_id not in desk.heads]
    if unknown:
        _ask(desk, unknown, None)


def no_diff(desk: Desk, error: MlbenchError) -> None:
    """Runs cannot be compared: that stands in the place of a comparison of others."""
    shown = {run.run_id for run in desk.answers.diff.runs} if desk.answers.diff is not None else set()
    if not shown or shown != set(desk.compared()):
        desk.answers.diff, desk.answers.no_diff = None, str(error)
        desk.panes.draw_compare(desk)
    _take_error(desk, error)


def tell_reading(desk: Desk, metrics: Sequence[str], n_runs: int) -> None:
    """Say what is being read for charts that are empty; others stay until their curves are there."""
    if not desk.answers.series:
        desk.answers.no_series = reading_text(metrics, n_runs)
        desk.panes.draw_chart(desk)


def no_series(desk: Desk, error: MlbenchError) -> None:
    """The points of runs cannot be read: that stands in the place of the curves of others."""
    shown = {one.head.run_id for one in desk.answers.series}
    if not shown or not shown <= set(desk.compared()):
        desk.answers.series, desk.answers.no_series = (), str(error)
        desk.panes.draw_chart(desk)
    _take_error(desk, error)


def _take_error(desk: Desk, error: MlbenchError) -> None:
    """Where some of the marked runs are gone the rest are asked about, else it is told."""
    if desk.view.marks and isinstance(error, UsageError):
        _ask(desk, desk.view.marks.run_ids, error)
    else:
        desk.complain(error)


def _ask(desk: Desk, run_ids: Sequence[str], error: MlbenchError | None) -> None:
    def take(heads: Sequence[RunHead]) -> None:
        desk.heads |= {head.run_id: head for head in heads}
        gone = set(run_ids) - {head.run_id for head in heads}
        if gone:
            for run_id in gone:
                desk.heads.pop(run_id, None)
            desk.with_view(marks=desk.view.marks.without(gone))
            what = "1 marked run is" if len(gone) == 1 else f"{len(gone):,} marked runs are"
            desk.say(f"{what} in the catalog no more, and no longer marked", "warning")
        elif error is not None:
            desk.complain(error)

    desk.asker.ask("marked", lambda: desk.session.heads(run_ids), take, lane="table")
