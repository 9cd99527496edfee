"""Whether the differences of a comparison are more than chance, as a page. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlbench.render.cells import line_of
from mlbench.render.settings_versus import settings_versus_lines
from mlbench.tui.widgets.lines_view import Page

if TYPE_CHECKING:
    from mlbench.queries.settings_versus import SettingsVersus


def verdict_page(answer: SettingsVersus | None, width: int, *, title: str, back_key: str) -> Page:
    """Each setting against the baseline's; while it is worked out, that.

    Args:
        answer: None while it is worked out.
        width: columns of the pane.
        title: of the pane.
        back_key: that brings the tables back, as people read it.
    """
    head = line_of((f" {title}: is it real?", "title"), (f"   {back_key} goes back", "muted"))
    if answer is None:
        return Page(title=head, lines=(line_of(("  dealing the runs out anew many times ...", "muted")),))
    lines = [((*line_of((" ", "")), *line) if line else line) for line in settings_versus_lines(answer, width - 1)]
    starts = tuple(place for place, line in enumerate(lines) if line and line[-1].role == "baseline")
    return Page(title=head, lines=tuple(lines), sections=starts)
