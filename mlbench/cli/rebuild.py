"""`mlbench rebuild`."""

from __future__ import annotations

import click

from mlbench.cli.common import format_option, home_of, home_option, mapping_option
from mlbench.cli.indexing import end_of, ingest_with_progress, tell_summary


@click.command("rebuild")
@click.option("--strict", "is_strict", is_flag=True, help="Exit with 3 when any file had a problem.")
@mapping_option
@home_option
@format_option
def command(is_strict: bool, home: str | None, form: str | None) -> int:
    """Build the catalog again from all directories that were ever ingested. Your words are not touched."""
    place = home_of(home)
    summary = ingest_with_progress(place, (), is_rebuild=True)
    tell_summary(place, summary, form)
    return end_of(summary, is_strict=is_strict)
