"""The question whether the differences of a comparison are more than chance: asked only where it is shown."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mlbench.queries.settings_versus import SettingsVersus
    from mlbench.tui.desk import Desk

MOST_JUDGED = 24
"""Runs whose settings are judged: as many as stand side by side."""


def ask_verdict(desk: Desk) -> None:
    """Ask for the verdict on the runs at hand, where the comparison shows it and it is another one."""
    ids = desk.compared()[:MOST_JUDGED]
    if desk.view.compare_look != "verdict" or ids == desk.answers.judged:
        return

    def take(verdict: SettingsVersus) -> None:
        desk.answers.verdict = verdict
        desk.panes.draw_compare(desk)

    desk.answers.judged, desk.answers.verdict = ids, None
    desk.asker.ask("verdict", lambda: desk.session.details.verdict(ids), take, lane="detail")
