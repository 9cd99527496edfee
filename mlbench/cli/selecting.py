"""`--selection VIEW`: what a saved view says, for the commands that list runs."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

import click

from mlbench.cli.completing import complete_views

if TYPE_CHECKING:
    from mlbench.catalog.reader import Reader
    from mlbench.queries.views import SavedView

Decorated = TypeVar("Decorated", bound=Callable[..., object])


def selection_option(command: Decorated) -> Decorated:
    """`--selection VIEW`."""
    return click.option(
        "--selection",
        metavar="VIEW",
        help="A saved view; FILTER narrows it, other options replace what it says.",
        shell_complete=complete_views,
    )(command)


def chosen_view(reader: Reader, name: str | None, asked: SavedView) -> SavedView:
    """What was asked for on the command line, laid over the saved view.

    Raises:
        UsageError: there is no such view.
    """
    from mlbench.queries.views import SavedView, both, find_view

    if name is None:
        return asked
    saved = find_view(reader, name)
    return SavedView(
        both((saved.selected, asked.filter)),
        asked.columns or saved.columns,
        asked.sort or saved.sort,
        saved.limit if asked.limit is None else asked.limit,
        asked.group_by or saved.group_by,
    )
