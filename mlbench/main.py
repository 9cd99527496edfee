"""The composition root: which commands there are, their exit codes, and the one place that prints an error.

A command's module is loaded only when the command is called, so that `mlbench --help` costs what click costs.
"""

from __future__ import annotations

import atexit
import gc
import importlib
import os
import sys
import threading
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NoReturn

import click

from mlbench import __version__
from mlbench.dataclass import dataclass
from mlbench.errors import MlbenchError

if TYPE_CHECKING:
    from mlbench.paths import Home

OPEN = "open"
INTERRUPTED = 130
COMPLETE_VARIABLE = "_MLBENCH_COMPLETE"
TRACEBACK_VARIABLE = "MLBENCH_TRACEBACK"


@dataclass(frozen=True, slots=True)
class CommandEntry:
    """One line of the command table."""

    help: str
    module: str
    """Module in `mlbench.cli` that holds `command`."""
    section: str


_LOOK, _DO, _SAY, _GIVE, _KEEP = "Look", "Do", "Say", "Give", "Keep"
COMMANDS: dict[str, CommandEntry] = {
    "open": CommandEntry("Open the workbench on directories of logs (the default).", "open", _LOOK),
    "ingest": CommandEntry("Read what is new below directories into the catalog.", "ingest", _LOOK),
    "query": CommandEntry("List the runs that match a filter.", "query", _LOOK),
    "sql": CommandEntry("Run one SELECT on the views of the catalog.", "sql", _LOOK),
    "show": CommandEntry("Show all that is known of one run.", "show", _LOOK),
    "diff": CommandEntry("Compare runs: only what differs, against a baseline.", "diff", _LOOK),
    "compare": CommandEntry("Compare two groups of runs: is it better, and is it chance?", "compare", _LOOK),
    "plot": CommandEntry("Draw metrics in the terminal, or as SVG.", "plot", _LOOK),
    "run": CommandEntry("Run a training or a notebook, and record how.", "run", _DO),
    "tag": CommandEntry("Add or remove tags: tag RUN... +NAME -- -NAME.", "tag", _SAY),
    "note": CommandEntry("Write or show a run's note.", "note", _SAY),
    "name": CommandEntry("Give a run a name of your own.", "name", _SAY),
    "baseline": CommandEntry("Make a run the baseline.", "baseline", _SAY),
    "archive": CommandEntry("Archive runs, or take them back.", "archive", _SAY),
    "metric": CommandEntry("Set a metric's goal, or make it the primary one.", "metric", _SAY),
    "undo": CommandEntry("Take back the last word you said.", "undo", _SAY),
    "redo": CommandEntry("Say again what was taken back last.", "redo", _SAY),
    "views": CommandEntry("List, save or remove views: a filter with its columns and order.", "views", _SAY),
    "report": CommandEntry("Write a Markdown report that compares runs.", "report", _GIVE),
    "export": CommandEntry("Write runs, params or series to a file.", "export", _GIVE),
    "journal": CommandEntry("List, export, import or merge the files of your words.", "journal", _KEEP),
    "init": CommandEntry("Make a home for a project and its team.", "init", _KEEP),
    "forget": CommandEntry("Take runs, or a person's name, out of catalog and journal.", "forget", _KEEP),
    "settings": CommandEntry("Show every setting, its value and where it comes from.", "settings", _KEEP),
    "doctor": CommandEntry("Say what could not be read, and check the home.", "doctor", _KEEP),
    "rebuild": CommandEntry("Build the catalog again from all known directories.", "rebuild", _KEEP),
    "completion": CommandEntry("Print the completion script of a shell.", "completion", _KEEP),
}


class ReaderGoneError(Exception):
    """Nobody reads our output any more."""


class Workbench(click.Group):
    """`mlbench`: commands by name, and paths, which mean `open`."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - click's signature
        entry = COMMANDS.get(cmd_name)
        if entry is None:
            return None
        command: click.Command = importlib.import_module(f"mlbench.cli.{entry.module}").command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args[0] not in COMMANDS:
            _check_path(args[0])
            args = [OPEN, *args]
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:  # noqa: ANN401 - what the command returns
        try:
            return super().invoke(ctx)
        except BrokenPipeError as error:  # click would end with 1
            raise ReaderGoneError from error

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - click's signature
        for section in dict.fromkeys(entry.section for entry in COMMANDS.values()):
            with formatter.section(section):
                formatter.write_dl([(name, e.help) for name, e in COMMANDS.items() if e.section == section])


def _check_path(word: str) -> None:
    """A first word that is no command must be an existing path."""
    if os.path.exists(os.path.expanduser(word)):
        return
    import difflib

    near = difflib.get_close_matches(word, COMMANDS, n=1)
    hint = f"Did you mean: mlbench {near[0]}?" if near else "Try: mlbench --help"
    raise click.UsageError(f"{word!r} is neither a command nor an existing path. {hint}")


@click.group(
    cls=Workbench,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Exit codes: 0 done, 1 the data says no, 2 typed wrong, 3 something could not be read, 130 interrupted.",
)
@click.option("--home", metavar="DIR", help="Where the catalog and your words are kept.")
@click.option("--quiet", is_flag=True, help="Say nothing on stderr but what went wrong.")
@click.option("--verbose", is_flag=True, help="Say more: where the home is, how long it took.")
@click.version_option(__version__, "--version", prog_name="mlbench", message="%(prog)s %(version)s")
@click.pass_context
def cli(ctx: click.Context, home: str | None, quiet: bool, verbose: bool) -> Any:  # noqa: ANN401 - what the command returns
    """Compare machine-learning experiments in the terminal, from the files that training already wrote.

    mlbench PATH... opens the workbench on directories of logs.
    """
    ctx.obj = {
        "home": home, "quiet": quiet, "verbose": verbose,
        "why_not_open": _why_not_open, "open_workbench": _open_workbench, "key_complaints": _key_complaints,
        "usual_keys": _usual_keys,
    }  # fmt: skip
    command = cli.get_command(ctx, OPEN) if ctx.invoked_subcommand is None else None
    return ctx.invoke(command) if command is not None else None


def _why_not_open(size: tuple[int, int], *, is_terminal: bool) -> str | None:
    """Why the workbench cannot open here, None if it can. Commands and app meet only in this module."""
    from mlbench.tui.terminal import why_not_open

    return why_not_open(os.environ, size, is_terminal)


def _open_workbench(home: Home, roots: Sequence[str]) -> int:
    # What imports make stays: looking through it for cycles again and again is a tenth of the start. The workbench does
    # so again once it stands.
    gc.disable()
    from mlbench.tui.ahead import read_ahead

    ahead = read_ahead(home, roots)
    from mlbench.tui.app import run_workbench

    return run_workbench(home, roots, ahead=ahead)


def _key_complaints(keys: Mapping[str, str]) -> tuple[str, ...]:
    """What is wrong with remapped keys, id of an action to its keys: only the workbench knows its actions."""
    from mlbench.tui.keyboard import Keyboard

    return Keyboard(keys).complaints


def _usual_keys(action: str) -> str:
    """The keys of an action that nobody has remapped, as a setting has them."""
    from mlbench.tui.actions import ACTIONS

    return ", ".join(next(one.keys for one in ACTIONS if one.id == action))


def console() -> NoReturn:
    """The installed command: as `main`, but where nothing forbids it the process ends without being taken apart.

    Python empties its modules one by one before it ends, and frees what an ingest has left object by object. Nothing
    depends on it. See docs/decisions/0115.
    """
    code = _code_of(sys.argv[1:])
    if _may_end_at_once():
        atexit._run_exitfuncs()  # each once: they are forgotten then
        try:
            sys.stdout.flush()
            sys.stderr.flush()
        except (OSError, ValueError):  # Python tells of it, and has an exit code for it
            sys.exit(code)
        os._exit(code)
    sys.exit(code)


def _may_end_at_once() -> bool:
    """Whether nobody has anything to do after us: a thread to be waited for, a profiler, `python -i`."""
    others = (thread for thread in threading.enumerate() if thread is not threading.main_thread())
    if any(not thread.daemon for thread in others) or sys.flags.inspect or os.environ.get("PYTHONINSPECT"):
        return False
    monitoring = getattr(sys, "monitoring", None)  # from Python 3.12
    is_monitored = monitoring is not None and any(monitoring.get_tool(number) for number in range(6))
    return not is_monitored and sys.gettrace() is None and sys.getprofile() is None


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run a command and leave with its exit code."""
    sys.exit(_code_of(sys.argv[1:] if arguments is None else arguments))


def _code_of(arguments: Sequence[str]) -> int:
    """The exit code of a command that is the last one of this process."""
    # numpy starts a thread a core for a linear algebra that nothing here asks for: half of its start-up, 60 ms of CPU.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    # What imports leave stays; to look through it for cycles every 700 objects takes a twentieth of a short command.
    gc.set_threshold(50_000)
    _open_closed_streams()
    code = run(arguments)
    # Python looks for cycles three times more before it ends: a fifth of a second command's time, and nothing needs it.
    gc.freeze()
    return code


def _open_closed_streams() -> None:
    """Give closed streams (`<&-`, daemons) to nobody: the next file that is opened would be one of them."""
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        if getattr(sys, name) is None:
            descriptor = os.open(os.devnull, os.O_RDWR)
            if descriptor != number:
                os.dup2(descriptor, number)
                os.close(descriptor)
            setattr(sys, name, open(number, "r" if number == 0 else "w", encoding="utf-8", closefd=False))  # noqa: SIM115


def run(arguments: Sequence[str]) -> int:
    """Run a command; what goes wrong is printed here and nowhere else.

    Returns:
        The exit code.
    """
    if COMPLETE_VARIABLE in os.environ:
        from mlbench.cli.shells import register

        register()
    try:
        code: Any = cli.main(args=list(arguments), prog_name="mlbench", standalone_mode=False)
        sys.stdout.flush()
    except click.exceptions.Exit as leave:
        return leave.exit_code
    except click.ClickException as error:
        return _told(_words_of(error, arguments), error.exit_code)
    except MlbenchError as error:
        return _told(str(error), error.exit_code)
    except (KeyboardInterrupt, click.Abort):
        return _told("interrupted", INTERRUPTED)
    except (BrokenPipeError, ReaderGoneError):
        return _left_by_the_reader()
    except Exception as fault:
        if os.environ.get(TRACEBACK_VARIABLE):
            raise
        return _told(
            f"this is a fault of mlbench, nothing of yours is lost: {type(fault).__name__}: {fault}. "
            f"Please report it with what {TRACEBACK_VARIABLE}=1 prints",
            3,
        )
    return code if isinstance(code, int) else 0


def _left_by_the_reader() -> int:
    """The reader of our output has gone (`| head`): that is no failure, but Python must not try to flush again."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.__stdout__.fileno() if sys.__stdout__ else 1)
    return 0


def _words_of(error: click.ClickException, arguments: Sequence[str]) -> str:
    message = error.format_message()
    word = _filter_with_dash(error, arguments)
    if word is not None:
        return f"{message.rstrip('.')}. A filter that begins with a dash goes into --where='{word}'"
    if isinstance(error, click.UsageError) and error.ctx is not None and "Try:" not in message:
        message = f"{message.rstrip('.')}. Try: {error.ctx.command_path} --help"
    return message


def _filter_with_dash(error: click.ClickException, arguments: Sequence[str]) -> str | None:
    """The word that click took for options though it must be a filter (`-tag:a` for `-t`), None if there is none."""
    from string import ascii_letters

    context = error.ctx if isinstance(error, click.UsageError) else None
    if context is None or not any(param.name == "filter_word" for param in context.command.params):
        return None
    if isinstance(error, click.NoSuchOption):
        starts: tuple[str, ...] = (error.option_name, "-h")  # `-hot` is read as `-h`, which there is, and `-o`
    elif isinstance(error, click.BadParameter) and error.param is not None:
        # `-note:x` is read as `-n ote:x`
        starts = tuple(f"{name}{letter}" for name in error.param.opts for letter in ascii_letters)
    else:
        return None
    return next((word for word in arguments if word[:2] != "--" and word.startswith(starts)), None)


def _told(message: str, exit_code: int) -> int:
    from mlbench.safe import safe_lines

    print(f"mlbench: {safe_lines(message)}", file=sys.stderr)  # noqa: T201 - the one place that prints an error
    return exit_code


if __name__ == "__main__":
    console()
