"""Marked runs that were not seen yet, or are gone from the catalog: marks are kept from one start to the next."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from mlbench.errors import MlbenchError, UsageError

if TYPE_CHECKING:
    from mlbench.queries.answers import RunHead
    from mlbench.tui.desk import Desk


def ask_marked(desk: Desk) -> None:
    """Ask what is known of marked runs that were not seen yet: what is said of the marked runs is said of them, too."""
    unknown = [run_id for run_id in desk.view.marks.run_ids if run_id not in desk.heads]
    if unknown:
        _ask(desk, unknown, None)


def take_error(desk: Desk, error: MlbenchError) -> None:
    """Of a question about the marked runs: where some of them are gone the rest are asked about, else it is told."""
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
