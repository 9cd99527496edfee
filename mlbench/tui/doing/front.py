"""The runs that no other run beats in two aims or more: found among those that are shown, and marked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from mlbench.tui.actions import RUNS
from mlbench.tui.completion import complete_metric, split_metrics
from mlbench.tui.desk import Desk
from mlbench.tui.doing.types import Handler
from mlbench.tui.prompts import Prompt
from mlbench.tui.view import Marks

if TYPE_CHECKING:
    from mlbench.queries.answers import RunsAnswer

USUAL_COST = "duration"
LEAST_AIMS = 2


def ask_front(desk: Desk, _n: int) -> None:
    """Name the aims; the first metric of the table (else the one that matters most) and the duration stand there."""
    first = (*desk.table_metrics(), *desk.answers.names.metrics)[:1]

    def tell(text: str) -> None:
        desk.typed_error, desk.error_column = _mistake(text), None

    desk.ask_user(
        Prompt(
            "front of",
            lambda text: mark_front(desk, text),
            complete=lambda text, cursor: complete_metric(text, cursor, desk.answers.names),
            text=", ".join((*first, USUAL_COST)),
            on_change=tell,
            on_cancel=lambda: tell(""),
            refuses=lambda text: bool(_mistake(text)),
            hint="two aims or more: val/acc, duration; :min or :max behind one says which way",
            history="front",
        )
    )


def _mistake(text: str) -> str:
    return "" if len(split_metrics(text)) >= LEAST_AIMS else "it takes two aims or more, with commas between"


def mark_front(desk: Desk, text: str) -> None:
    """Mark the runs that no other run of the table beats in all aims, and no others; without any the marks stay."""
    aims, details, query = split_metrics(text), desk.session.details, desk.view.query

    def take(found: RunsAnswer) -> None:
        if not found.rows:
            desk.say(f"none of the runs has a value of {' and '.join(aims)}; the marks stay", "warning")
            return
        desk.change(replace(desk.view, marks=Marks(), pane=RUNS, shown_run=""))
        desk.tabling.mark([row.head.run_id for row in found.rows])
        desk.say(f"{found.remarks[-1]}: marked")

    desk.asker.ask("front", lambda: details.front(query, aims), take, lane="detail")


HANDLERS: Mapping[str, Handler] = {"runs.front": ask_front}
