"""The question whether the differences of a comparison are more than chance: asked only where it is shown."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mlbench.errors import MlbenchError
    from mlbench.queries.settings_versus import SettingsVersus
    from mlbench.tui.desk import Desk

LOOK = "verdict"
"""The look of the comparison in which the verdict is shown."""
MOST_JUDGED = 24
"""Runs whose settings are judged: as many as stand side by side."""


class Judge:
    """Asks for the verdict on the compared runs, once for the points that they have."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self.verdict: SettingsVersus | None = None
        """None while it is worked out for the first time."""
        self._run_ids: tuple[str, ...] = ()
        """Those that it is about, or will be."""
        self._is_stale = False
        self._is_asked = False

    def forget(self) -> None:
        """There may be other points by now: it is asked anew where it is shown; until then the old verdict stays."""
        self._is_stale = True

    def follow(self) -> None:
        """Ask for the verdict on the runs at hand, where the comparison shows it and the one that is known is old.

        While it is worked out for these runs it is not asked again: new points that come faster would void each answer.
        """
        desk = self._desk
        ids = desk.compared()[:MOST_JUDGED]
        is_same = ids == self._run_ids
        if not ids or desk.view.compare_look != LOOK or (is_same and (self._is_asked or not self._is_stale)):
            return
        if not is_same:
            self.verdict = None
        self._run_ids, self._is_stale, self._is_asked = ids, False, True
        details = desk.session.details
        desk.asker.ask("verdict", lambda: details.verdict(ids), self._take, lane="detail", otherwise=self._fail)

    def _take(self, verdict: SettingsVersus) -> None:
        self.verdict, self._is_asked = verdict, False
        self._desk.panes.draw_compare(self._desk)
        self.follow()

    def _fail(self, error: MlbenchError) -> None:
        """Why there is no verdict stands in its place."""
        from mlbench.queries.settings_versus import SettingsVersus

        self.verdict, self._is_asked = SettingsVersus((), len(self._run_ids), 0, str(error)), False
        self._desk.panes.draw_compare(self._desk)
