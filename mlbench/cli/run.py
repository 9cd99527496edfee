"""`mlbench run -- COMMAND...` and `mlbench run NOTEBOOK.ipynb -p NAME=VALUE`."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import click

from mlbench import capture
from mlbench.capture import running
from mlbench.cli.common import home_of, home_option, talk
from mlbench.cli.left_behind import logs_of_others, take_up
from mlbench.cli.recording import place_of_record, settle, surroundings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mlbench.paths import Home

_NOTEBOOK = ".ipynb"


@click.command("run", context_settings={"ignore_unknown_options": False})
@click.argument("command", nargs=-1, required=True, metavar="-- COMMAND...", type=click.UNPROCESSED)
@click.option(
    "-p", "--param", "params", multiple=True, metavar="NAME=VALUE", help="A notebook's parameter. Repeatable."
)
@click.option("-o", "--output", metavar="FILE", help="Where the executed notebook goes. [default: NAME-TIME.ipynb]")
@click.option("--script", metavar="FILE.py", help="Also write the notebook as a script.")
@click.option("--record", metavar="DIR", help="Where the record goes. [default: beside the run, else in the home]")
@click.option("--no-output", "is_silent", is_flag=True, help="Do not keep what the command prints.")
@click.option("--ingest/--no-ingest", "is_ingested", default=True, help="Read the run into the catalog afterwards.")
@home_option
def run_command(
    command: tuple[str, ...], params: tuple[str, ...], output: str | None, script: str | None, record: str | None,
    is_silent: bool, is_ingested: bool, home: str | None,
) -> int:  # fmt: skip
    """Run a training or a notebook, and record how: arguments, code with what was not committed, environment, data.

    The command runs as it would without mlbench, with its own output, signals and exit code. If something cannot be
    recorded it runs all the same, and the record says so. The record (`mlbench-run.json`, `.patch`, `.log`) goes into
    the folder that the command logged into, where that can be told, else into the home.
    """
    place = home_of(home)
    if command[0].endswith(_NOTEBOOK):
        from mlbench.cli.running_notebook import run_notebook

        return run_notebook(place, command, params, output=output, script=script, is_ingested=is_ingested)
    if params or output or script:
        raise click.UsageError("-p, -o and --script are for notebooks. Try: mlbench run -- python train.py --lr 0.1")
    return _run(place, list(command), record, is_silent=is_silent, is_ingested=is_ingested)


def _run(home: Home, argv: list[str], chosen: str | None, *, is_silent: bool, is_ingested: bool) -> int:
    record = capture.begin(argv)
    record |= {"is_watched": True, "pid": os.getpid()}
    folder = place_of_record(home, argv, record, chosen)
    surroundings(record, argv, folder)
    path = _write(record, folder, capture.RECORD)
    sys.stdout.flush()
    output = None if is_silent or folder is None else os.path.join(folder, capture.OUTPUT)
    outcome = running.run_command(argv, folder, output)
    record |= {"ended": outcome.ended_s, "exit_code": outcome.exit_code}
    record["problems"] += outcome.problems
    if output is not None:
        record["output"] = {"file": capture.OUTPUT, "bytes": outcome.n_bytes, "is_cut": outcome.is_cut}
    if folder is not None:
        is_anothers = logs_of_others(home, record, folder)
        path = settle(record, folder, is_chosen=chosen is not None, is_anothers=is_anothers) or path
    others = list(take_up(home))
    if path is None:
        talk("the run was not recorded")
    elif is_ingested:
        _ingest(home, os.path.dirname(path), others)
    else:
        talk(f"recorded in {os.path.dirname(path)}. Try: mlbench {os.path.dirname(path)}")
    for other in others:
        talk(f"a run whose mlbench run was killed is recorded in {other}")
    return outcome.exit_code


def _write(record: capture.Record, folder: str | None, name: str) -> str | None:
    if folder is None:
        return None
    path = os.path.join(folder, name)
    try:
        capture.write_json(path, record)
    except OSError as error:
        capture.tell(f"{path}: the run is not recorded: {error.strerror or error}")
        return None
    return path


def _ingest(home: Home, folder: str, others: Sequence[str]) -> None:
    """Read the run, and those that were taken up; that this fails is told, and is not the training's fault."""
    from mlbench.errors import MlbenchError
    from mlbench.ingest.run import ingest_paths

    try:
        ingest_paths(home, [folder, *others])
    except MlbenchError as error:
        capture.tell(f"the run is recorded in {folder}, but not in the catalog: {error}")
        return
    talk(f"recorded in {folder}. Try: mlbench show {folder}")


command = run_command
