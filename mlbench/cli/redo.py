"""`mlbench redo`."""

from __future__ import annotations

import click

from mlbench.cli.common import home_option
from mlbench.cli.words import redo_last


@click.command("redo")
@home_option
def command(home: str | None) -> None:
    """Say again what `undo` took back last, as long as you said nothing new since."""
    redo_last(home)
