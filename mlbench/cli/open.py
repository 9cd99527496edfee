"""`mlbench [PATH...]`: the workbench, or the comparison as text where no terminal is."""

from __future__ import annotations

import os
import shutil
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from mlbench.cli.common import home_of, home_option, mapping_option, print_lines, reading, talk, warn, width_cells
from mlbench.cli.indexing import INTERRUPTED
from mlbench.errors import SourceError
from mlbench.ingest.mapped import mapping_path
from mlbench.settings import CHOICES

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from mlbench.paths import Home

COMPARED = 3
"""Runs that the text comparison sets side by side: more do not fit on 80 columns."""


@click.command("open")
@click.argument("paths", nargs=-1, metavar="[PATH...]", type=click.Path())
@click.option("--plain", is_flag=True, help="Text for screen readers; the setting `plain` for this once.")
@click.option("--images", type=click.Choice(CHOICES["images"]), help="The setting `images` for this once.")
@mapping_option
@home_option
@click.pass_context
def command(ctx: click.Context, paths: tuple[str, ...], plain: bool, images: str | None, home: str | None) -> int:
    """Open the workbench on directories of logs; without PATH on everything that was ingested.

    Where no terminal is attached, the runs and a comparison of the best are printed instead.
    """
    given = {"MLBENCH_PLAIN": "true" if plain else "", "MLBENCH_IMAGES": images or ""}
    with _surroundings({name: value for name, value in given.items() if value}):
        return _open(ctx, paths, home)


@contextmanager
def _surroundings(given: Mapping[str, str]) -> Iterator[None]:
    """Settings for this once, also for the processes that are started, and then as they were."""
    before = {name: os.environ.get(name) for name in given}
    os.environ.update(given)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def _open(ctx: click.Context, paths: tuple[str, ...], home: str | None) -> int:
    place = home_of(home)
    for path in paths:
        if not os.path.isdir(os.path.expanduser(path)):
            raise SourceError(f"{path}: no such directory. Try: mlbench DIR, with a DIR that holds logs")
    mapping_path()
    roots = paths or _default_roots(place)
    size = shutil.get_terminal_size((80, 24))
    reason = ctx.find_root().obj["why_not_open"](
        (size.columns, size.lines), is_terminal=sys.stdin.isatty() and sys.stdout.isatty()
    )
    if reason is None:
        return int(ctx.find_root().obj["open_workbench"](place, roots))
    code = print_comparison(place, roots)
    if code != INTERRUPTED:
        talk(reason)
    return code


def _default_roots(place: Home) -> tuple[str, ...]:
    """The current directory where nothing was ever ingested, else all that was and is still there.

    Raises:
        SourceError: none of it is there any more.
    """
    from mlbench import journal

    known = journal.replay(place).roots
    there = tuple(root for root in known if os.path.isdir(root))
    for root in known:
        if root not in there:
            warn(f"{root}: no such directory any more; its runs are left out")
    if known and not there:
        raise SourceError("no directory that was ingested is there any more. Try: mlbench DIR")
    return there or (os.getcwd(),)


def print_comparison(place: Home, roots: tuple[str, ...]) -> int:
    """The runs, best first, and what makes the best differ from the next, as text."""
    from mlbench.cli.indexing import end_of, ingest_with_progress
    from mlbench.queries.best_first import best_column, best_order
    from mlbench.queries.chosen import default_columns
    from mlbench.queries.compare import compare_runs
    from mlbench.queries.goals import primary_metric
    from mlbench.queries.runs import find_runs
    from mlbench.render.diff import diff_sections
    from mlbench.render.runs import runs_summary, runs_table
    from mlbench.render.table import layout, section_lines

    summary = ingest_with_progress(place, roots)
    for line in (*summary.talk, *summary.errors):
        warn(line)
    if summary.was_cancelled:
        return end_of(summary, is_strict=False)
    with reading(place) as reader:
        shown = [row.head.run_id for row in find_runs(reader, columns=None, within=summary.roots).rows]
        primary = primary_metric(reader, shown)
        columns = (*best_column(primary), *default_columns(reader, shown))
        runs = find_runs(reader, columns=columns or None, sort=best_order(primary), within=summary.roots)
        ids = [row.head.run_id for row in runs.rows[:COMPARED]]
        diff = compare_runs(reader, ids) if len(ids) > 1 else None
    print_lines(layout(runs_table(runs), width_cells()))
    if diff is not None:
        print_lines([(), *section_lines(diff_sections(diff), width_cells())])
    talk(runs_summary(runs))
    if not summary.n_runs:
        talk(f"{', '.join(summary.roots)}: no runs found. See docs/reference/sources.md for what mlbench reads")
    return end_of(summary, is_strict=False)
