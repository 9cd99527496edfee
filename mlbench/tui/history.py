"""The places that were visited: what was asked, and which pane was at work. Back and forward go through them."""

from __future__ import annotations

from dataclasses import replace

from mlbench.tui.actions import RUN, STAGE
from mlbench.tui.view import View

MOST_PLACES = 200


def place_of(view: View) -> tuple[object, ...]:
    """What makes two views two places; marks, the cursor and the look of charts do not."""
    pane = RUN if view.pane == STAGE else view.pane
    run = view.shown_run if pane == RUN else bool(view.shown_run)
    return view.query, view.sort, view.columns, view.by, pane, view.is_zoomed, run


class History:
    """Places behind and before the one that is looked at."""

    def __init__(self) -> None:
        self._behind: list[View] = []
        self._before: list[View] = []
        self._typed_from: View | None = None
        """Where a query began to be typed: what was shown meanwhile is no place."""

    def note(self, old: View, new: View, *, is_typed: bool) -> None:
        """Another view was taken."""
        if is_typed:
            self._typed_from = self._typed_from or old
            return
        begun, self._typed_from = self._typed_from or old, None
        if place_of(begun) != place_of(new):
            self._behind = [*self._behind, begun][-MOST_PLACES:]
            self._before.clear()

    def back(self, view: View) -> View | None:
        """The place before, with the marks of now; None at the first."""
        self.note(view, view, is_typed=False)
        return _moved(self._behind, self._before, view)

    def forward(self, view: View) -> View | None:
        """The place that was left by `back`; None at the last."""
        return _moved(self._before, self._behind, view)


def _moved(source: list[View], target: list[View], view: View) -> View | None:
    while source:
        found = source.pop()
        if place_of(found) != place_of(view):
            target.append(view)
            return replace(found, marks=view.marks)
    return None
