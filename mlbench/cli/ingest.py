"""`mlbench ingest PATH...`."""

from __future__ import annotations

import sys

import click

from mlbench.cli.common import MAPPING_OPTION, format_option, home_of, home_option, mapping_option, talk
from mlbench.cli.indexing import end_of, ingest_with_progress, tell_summary


@click.command("ingest")
@click.argument("paths", nargs=-1, metavar="PATH...", type=click.Path())
@click.option("--rebuild", "is_rebuild", is_flag=True, help="Forget the catalog first and read everything again.")
@click.option("--watch", "is_watch", is_flag=True, help="Then look again and again, until ctrl+c.")
@click.option("--strict", "is_strict", is_flag=True, help="Exit with 3 when any file had a problem.")
@mapping_option
@home_option
@format_option
def command(
    paths: tuple[str, ...], is_rebuild: bool, is_watch: bool, is_strict: bool, home: str | None, form: str | None
) -> int:
    """Read what is new below PATH... into the catalog. What is unchanged is not read again.

    Nothing is ever written into the directories. Your tags and notes are kept apart from the catalog and are never
    touched. With --watch it goes on until ctrl+c: four times a second while logs grow, and less and less often, down
    to every 5 s, while nothing changes.
    """
    if not paths and not is_rebuild:
        raise click.UsageError("no directory was named. Try: mlbench ingest DIR")
    place = home_of(home)
    summary = ingest_with_progress(place, paths, is_rebuild=is_rebuild)
    tell_summary(place, summary, form)
    _tell_mapping()
    code = end_of(summary, is_strict=is_strict)
    if not is_watch or summary.was_cancelled:
        return code
    from mlbench.cli.watching import watch_paths

    sys.stdout.flush()
    return watch_paths(place, summary.roots)


def _tell_mapping() -> None:
    """That a mapping given by the option holds for this command alone."""
    from mlbench.settings import read_settings

    path = click.get_current_context().meta.get(MAPPING_OPTION)
    if path and read_settings().mapping == path:
        talk(f'--mapping holds for this command. For those that follow: mapping = "{path}" in settings.toml')
