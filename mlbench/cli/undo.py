"""`mlbench undo`."""

from __future__ import annotations

import click

from mlbench.cli.common import home_option
from mlbench.cli.words import undo_last


@click.command("undo")
@home_option
def command(home: str | None) -> None:
    """Take back the last tag, note, name, baseline, goal or archive mark that you said."""
    undo_last(home)
