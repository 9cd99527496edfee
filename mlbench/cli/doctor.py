"""`mlbench doctor`."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import click

from mlbench.cli.common import (
    chosen_format,
    format_option,
    home_of,
    home_option,
    print_lines,
    print_records,
    reading,
    real_paths,
    talk,
    warn,
    width_cells,
    within_option,
)
from mlbench.cli.progress import ProgressLine, pace
from mlbench.cli.words import print_rows
from mlbench.errors import UsageError
from mlbench.paths import TEAM_FOLDER
from mlbench.queries.vocabulary import counted

if TYPE_CHECKING:
    from mlbench.paths import Home


@click.command("doctor")
@click.argument("paths", nargs=-1, metavar="[PATH...]", type=click.Path())
@click.option("--crc", "is_crc", is_flag=True, help="Check both checksums of every record of event files at PATH...")
@click.option("--strict", "is_strict", is_flag=True, help="Exit with 3 when there is any problem.")
@click.option("--fsck", "is_fsck", is_flag=True, help="Check what mlbench keeps: journal, snapshot and points.")
@within_option
@home_option
@format_option
def command(
    paths: tuple[str, ...],
    is_crc: bool,
    is_strict: bool,
    is_fsck: bool,
    within: tuple[str, ...],
    home: str | None,
    form: str | None,
) -> int:
    """List every file that could not be read wholly, and say how home and terminal are, and what mappings read.

    With --crc, check event files and all event files below directories, whether or not they were ever ingested: each
    damaged place is listed with its file and offset, and the exit code is 3. A file that only ends within a record is
    listed too, but that is the normal state of a log that is being written.

    With --fsck what mlbench keeps itself is checked instead: the checksum of every line of the journal, every block of
    the newest snapshot, and the hash of every file of points. What is damaged is told with what to do, and ends with 3.
    """
    if is_crc:
        if not paths or within:
            raise click.UsageError("--crc takes the paths themselves. Try: mlbench doctor --crc DIR")
        from mlbench.cli.checking import check_files

        return check_files(paths, form, is_strict=is_strict)
    if paths:
        raise click.UsageError(f"{paths[0]}: paths belong to --crc. Try: mlbench doctor --in {paths[0]}")
    if is_fsck:
        return _fsck(home_of(home), form)
    from mlbench.queries.mapped import mapped_rules
    from mlbench.queries.show import list_problems
    from mlbench.render.mapped import mapped_line
    from mlbench.render.problems import problem_records, problem_table
    from mlbench.render.table import layout

    place = home_of(home)
    with reading(place) as reader:
        problems = list_problems(reader, within=real_paths(within))
        n_runs = reader.rows("SELECT count(*) FROM run")[0][0]
        mapped = mapped_rules(reader, _configured_mapping())
    chosen = chosen_format(form)
    if chosen != "table":
        print_records(problem_records(problems), chosen)
    elif problems:
        print_lines(layout(problem_table(problems), width_cells()))
    for line in (*map(mapped_line, mapped), *_home_lines(place, n_runs), *_terminal_lines()):
        talk(line)
    talk(counted(len(problems), "problem") if problems else "no problems")
    return 3 if is_strict and problems else 0


def _configured_mapping() -> str:
    """The mapping that the settings name; one with a mistake is told and counts as none."""
    from mlbench.ingest.mapped import mapping_path

    try:
        return mapping_path()
    except UsageError as error:
        warn(str(error))
        return ""


def _fsck(place: Home, form: str | None) -> int:
    """Check the home, print what was checked, and say what is wrong."""
    from mlbench.catalog.fsck import check_home
    from mlbench.render.records import Records

    line = ProgressLine()

    def tell(done: int, total: int) -> None:
        line.draw(
            lambda: f"{done >> 20:,} of {total >> 20:,} MiB checked{pace(done >> 20, total >> 20, line.elapsed_s)}"
        )

    found = check_home(place, tell)
    line.erase()
    rows = tuple((one.what, one.path, one.state, one.hint) for one in found)
    print_rows(Records(("what", "path", "state", "what to do"), rows), form)
    wrong = [one for one in found if not one.is_well]
    for one in wrong:
        warn(f"{one.path}: {one.state}. {one.hint}")
    talk(f"{len(found)} checked, {len(wrong)} not well" if wrong else f"{len(found)} checked, all is well")
    return 3 if wrong else 0


def _home_lines(place: Home, n_runs: int) -> list[str]:
    lines = [f"home: journal {place.journal}, catalog {place.cache} (by {place.source}), {counted(n_runs, 'run')}"]
    for path in (place.journal, place.cache):
        others = 0o002 if place.source == TEAM_FOLDER else 0o022  # a team's group may
        if os.path.isdir(path) and os.stat(path).st_mode & others:
            lines.append(f"{path}: others may write here. Try: chmod {'o' if others == 0o002 else 'go'}-w {path}")
        if os.path.isdir(path) and not os.access(path, os.W_OK):
            lines.append(f"{path}: you may not write here. Try: mlbench --home DIR")
    return lines


def _terminal_lines() -> list[str]:
    term = os.environ.get("TERM", "")
    lines = []
    if term in ("", "dumb"):
        lines.append(f"TERM is {term or 'not set'}: the workbench cannot open here, the other commands work")
    if "utf" not in (sys.stdout.encoding or "").lower():
        lines.append("the locale is not UTF-8: charts fall back to ASCII. Try: export LC_ALL=C.UTF-8")
    if os.environ.get("TMUX"):
        lines.append("inside tmux, copying needs: tmux set -g set-clipboard on")
    return lines
