"""What the commands share: options, the home, and how answers reach the terminal."""

from __future__ import annotations

import os
import shutil
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar

import click

from mlbench.cli.completing import complete_filter
from mlbench.cli.progress import is_quiet, is_verbose, remember_flag, waiting
from mlbench.errors import NoRunError
from mlbench.paths import Home, find_home
from mlbench.safe import safe_lines
from mlbench.settings import VARIABLE_PREFIX

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mlbench.catalog.reader import Reader
    from mlbench.queries.answers import RunHead
    from mlbench.render.ansi import Depth
    from mlbench.render.cells import Line
    from mlbench.render.records import Records

Decorated = TypeVar("Decorated", bound=Callable[..., object])
FORMATS = ("table", "json", "jsonl", "csv", "tsv", "parquet", "markdown", "latex")
MAPPING_OPTION = "mlbench.mapping"
"""What the context remembers of the option."""
MAPPING_VARIABLE = f"{VARIABLE_PREFIX}MAPPING"
_SAID_EMPTY = "mlbench.said-empty"
"""What the context remembers once it was said that nothing has been ingested."""
WIDE_CELLS = 10_000
"""Where there is no terminal a table is as wide as it is."""


def home_option(command: Decorated) -> Decorated:
    """`--home DIR`, `--quiet` and `--verbose`, which may also stand before the command."""
    return loudness_options(
        click.option("--home", metavar="DIR", help="Where the catalog and your words are kept.")(command)
    )


def loudness_options(command: Decorated) -> Decorated:
    """`--quiet` and `--verbose`: how much is said on stderr."""
    for name, text in (
        ("--verbose", "Say more: where the home is, how long it took."),
        ("--quiet", "Say nothing but what went wrong."),
    ):
        command = click.option(name, is_flag=True, expose_value=False, callback=remember_flag, help=text)(command)
    return command


def format_option(command: Decorated) -> Decorated:
    """`--format`; a table on a terminal, tab-separated values elsewhere."""
    return click.option(
        "--format",
        "form",
        type=click.Choice(FORMATS),
        help="How to print it. [default: table; tsv where no terminal is]",
    )(command)


def mapping_option(command: Decorated) -> Decorated:
    """`--mapping FILE`: as the setting `mapping`, for this command."""
    return click.option(
        "--mapping", metavar="FILE", type=click.Path(), expose_value=False, callback=_use_mapping,
        help="Read files of your own making as this mapping says.",
    )(command)  # fmt: skip


def _use_mapping(ctx: click.Context, _parameter: click.Parameter, path: str | None) -> None:
    """The variable of the setting, until the command ends: whatever it starts sees it too."""
    if path is None or ctx.resilient_parsing:
        return
    before = os.environ.get(MAPPING_VARIABLE)
    os.environ[MAPPING_VARIABLE] = ctx.meta[MAPPING_OPTION] = os.path.abspath(os.path.expanduser(path))

    def restore() -> None:
        if before is None:
            os.environ.pop(MAPPING_VARIABLE, None)
        else:
            os.environ[MAPPING_VARIABLE] = before

    ctx.call_on_close(restore)


def within_option(command: Decorated) -> Decorated:
    """`--in PATH`, repeatable."""
    return click.option(
        "--in", "within", multiple=True, metavar="PATH", type=click.Path(),
        help="Only runs at or below PATH (repeatable).",
    )(command)  # fmt: skip


def where_option(command: Decorated) -> Decorated:
    """`--where FILTER`, in place of RUN... or of a filter that begins with a dash."""
    return click.option("--where", metavar="FILTER", help="Runs that match FILTER.", shell_complete=complete_filter)(
        command
    )


def home_of(chosen: str | None) -> Home:
    """The home that the command works on: its own `--home`, else the one before the command, else the usual."""
    context = click.get_current_context(silent=True)
    before = context.find_root().obj if context else None
    return find_home(chosen or (before or {}).get("home"))


@contextmanager
def reading(home: Home) -> Iterator[Reader]:
    """A reader of the newest snapshot; what is wrong with the journal is told on stderr."""
    from mlbench.catalog.reader import open_reader

    began = time.perf_counter()
    with waiting("reading the catalog"), open_reader(home) as reader:
        for problem in reader.words.problems:
            warn(f"{problem.path}: {problem.place}: {problem.what}".replace(": : ", ": "))
        is_empty = not reader.words.roots and not reader.once("SELECT count(*) FROM run")[0][0]
        if is_empty:
            _tell_empty()
        try:
            yield reader
        except NoRunError as error:
            if not is_empty or is_quiet():
                raise
            raise click.exceptions.Exit(error.exit_code) from None  # why was said
        generation = reader.generation
    explain(f"home: journal {home.journal}, catalog {home.cache} (by {home.source}), snapshot {generation}")
    explain(f"answered in {(time.perf_counter() - began) * 1e3:.0f} ms")


def select_runs(
    reader: Reader, words: Sequence[str], where: str | None, within: Sequence[str], *, is_archived: bool = False
) -> tuple[RunHead, ...]:
    """The runs that RUN... name, or those that match `--where`.

    Raises:
        UsageError: none or both were given, or a word names no run.
    """
    from mlbench.queries.names import resolve_runs
    from mlbench.queries.runs import find_runs

    if where is not None and words:
        raise click.UsageError("give either RUN... or --where FILTER, not both")
    if where is not None:
        answer = find_runs(reader, where=where, columns=None, within=real_paths(within))
        return tuple(row.head for row in answer.rows)
    if not words:
        raise click.UsageError("no run was named. Give RUN... or --where FILTER")
    return resolve_runs(reader, words, within=real_paths(within), is_archived=is_archived)


def real_paths(paths: Sequence[str]) -> tuple[str, ...]:
    """The real paths of `--in`.

    Raises:
        UsageError: one does not exist.
    """
    for path in paths:
        if not os.path.exists(os.path.expanduser(path)):
            raise click.UsageError(f"--in {path}: no such path")
    return tuple(os.path.realpath(os.path.expanduser(path)) for path in paths)


def one_of(filter_word: str | None, where: str | None) -> str:
    """A filter given as the argument or by `--where`, '' for none.

    Raises:
        UsageError: both were given.
    """
    if filter_word and where:
        raise click.UsageError("give the filter once: as the argument, or with --where")
    return filter_word or where or ""


def _tell_empty() -> None:
    """Say once a command that the catalog holds nothing."""
    context = click.get_current_context(silent=True)
    said = context.meta if context else {}
    if _SAID_EMPTY not in said:
        talk("nothing has been ingested yet. Try: mlbench ingest DIR")
    said[_SAID_EMPTY] = True


def talk_of_none(text: str) -> None:
    """Say that nothing matches, unless it was said that there is nothing at all."""
    context = click.get_current_context(silent=True)
    if context is None or _SAID_EMPTY not in context.meta:
        talk(text)


def talk(text: str) -> None:
    """Say something on stderr, cleaned, unless `--quiet`; data goes to stdout."""
    if not is_quiet():
        warn(text)


def warn(text: str) -> None:
    """Say on stderr what went wrong, even if `--quiet`."""
    print(f"mlbench: {safe_lines(text)}", file=sys.stderr)  # noqa: T201 - the one place that talks


def explain(text: str) -> None:
    """Say on stderr what goes without saying, if `--verbose`."""
    if is_verbose():
        warn(text)


def emit(content: str | bytes) -> None:
    """Write data to stdout as it is: only what a renderer has made may come here."""
    if isinstance(content, bytes):
        if sys.stdout.isatty():
            raise click.UsageError("parquet is no text. Redirect it to a file, or try: mlbench export")
        sys.stdout.buffer.write(content)
        return
    if (sys.stdout.encoding or "").lower().replace("-", "") != "utf8" and hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(encoding="utf-8")
    sys.stdout.write(content)


def chosen_format(form: str | None) -> str:
    """The format asked for, else a table on a terminal and tsv elsewhere."""
    return form or ("table" if sys.stdout.isatty() else "tsv")


def width_cells() -> int:
    """Columns of the terminal; practically endless where stdout is none, so that nothing is cut in a file."""
    if sys.stdout.isatty() or os.environ.get("COLUMNS", "").isdigit():
        return shutil.get_terminal_size((100, 24)).columns
    return WIDE_CELLS


def colour_depth() -> Depth:
    """How many colours stdout shows: none where it is no terminal, NO_COLOR is set or the terminal is dumb."""
    term = os.environ.get("TERM", "")
    if not sys.stdout.isatty() or os.environ.get("NO_COLOR") or term in ("", "dumb"):
        return "none"
    if os.environ.get("COLORTERM", "").lower() in ("truecolor", "24bit"):
        return "truecolor"
    return "256" if "256" in term else "16"


def is_light() -> bool:
    """Whether colours are for a light ground: the setting `theme` says so, else the terminal does."""
    from mlbench.render.palette import is_light_ground
    from mlbench.settings import read_settings

    theme = read_settings().theme
    return theme.endswith("light") or (theme == "auto" and is_light_ground(os.environ))


def print_lines(lines: Sequence[Line]) -> None:
    """Lines of cells on stdout, painted as the terminal can."""
    from mlbench.render.ansi import painted_lines

    depth = colour_depth()
    emit(painted_lines(lines, depth, is_light=depth != "none" and is_light()))


def print_records(records: Records, form: str) -> None:
    """Records in any format but `table`."""
    from mlbench.render.records import write

    emit(write(records, form))
