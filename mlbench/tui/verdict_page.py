"""Whether the differences of a comparison are more than chance, as a page. Pure."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from mlbench.render.cells import line_of
from mlbench.render.settings_versus import least_offset, settings_versus_lines
from mlbench.tui.actions import usual_key
from mlbench.tui.widgets.lines_view import Page

if TYPE_CHECKING:
    from mlbench.queries.settings_versus import SettingsVersus


def verdict_page(
    answer: SettingsVersus | None, width: int, offset: int, *, title: str, key_of: Callable[[str], str] = usual_key
) -> Page:
    """Each setting against the baseline's; while it is worked out, that.

    Args:
        answer: None while it is worked out.
        width: columns of the pane.
        offset: columns of the tables that are moved out at the left.
        title: of the pane.
        key_of: id of an action to the key that is shown for it.
    """
    head = line_of((f" {title}: is it real?", "title"), (f"   {key_of('compare.verdict')} goes back", "muted"))
    if answer is None:
        return Page(title=head, lines=(line_of(("  dealing the runs out anew many times ...", "muted")),))
    most = least_offset(answer, width - 1)
    drawn = settings_versus_lines(answer, width - 1, offset=min(offset, most))
    lines = [((*line_of((" ", "")), *line) if line else line) for line in drawn]
    starts = tuple(place for place, line in enumerate(lines) if line and line[-1].role == "baseline")
    keys = f"{key_of('lists.left')} {key_of('lists.right')}"
    return Page(
        title=head,
        right=line_of((f"{keys} columns ", "muted")) if most else (),
        lines=tuple(lines),
        sections=starts,
        n_columns=most + 1 if most else 0,
    )
