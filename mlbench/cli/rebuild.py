"""`mlbench rebuild`."""

from __future__ import annotations

import click

from mlbench.cli.common import format_option, home_of, home_option
from mlbench.cli.indexing import end_of, ingest_with_progress, tell_summary


@click.command("rebuild")
@home_option
@format_option
def command(home: str | None, form: str | None) -> int:
    """Build the catalog again from all directories that were ever ingested. Your words are not touched."""
    summary = ingest_with_progress(home_of(home), (), is_rebuild=True)
    tell_summary(summary, form)
    return end_of(summary, is_strict=False)
