"""Records of `mlbench run` that was killed itself, as by a scheduler that ends a job: the next one takes them up."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from mlbench import capture
from mlbench.cli.recording import captured_folder, folders_written, move_record

if TYPE_CHECKING:
    from mlbench.paths import Home

UNKNOWN = "mlbench run was killed: how and when the command ended was not recorded"
MOST = 100
"""Records that one run takes up."""


def take_up(home: Home) -> Iterator[str]:
    """Finish the records of this machine that nobody will finish any more.

    A record is moved beside the run where the command named the one folder that was logged into since; else it stays
    where it is. How the command ended is not known: it may even be running still, and its last point tells.

    Yields:
        The folder of each record.
    """
    top = captured_folder(home)
    try:
        names = sorted(os.listdir(top))[:MOST]
    except OSError:
        return
    for name in names:
        folder = os.path.join(top, name)
        record = _left(os.path.join(folder, capture.RECORD))
        if record is None:
            continue
        record |= {"is_watched": False, "problems": [*record.get("problems", []), UNKNOWN]}
        try:
            yield os.path.dirname(_settle(record, folder))
        except OSError as error:
            capture.tell(f"{folder}: this record of a run that was killed could not be finished: {error.strerror}")


def _left(path: str) -> capture.Record | None:
    """A record without an end, of a `mlbench run` on this machine that is gone."""
    from mlbench.wire.jsonlog import load_json_file

    value: Any = load_json_file(path).value
    if not isinstance(value, dict) or value.get("format") != capture.FORMAT:
        return None
    if value.get("is_watched") is not True or value.get("ended") is not None:
        return None
    pid = value.get("pid")
    if value.get("host") != socket.gethostname() or not isinstance(pid, int) or pid <= 1 or _lives(pid):
        return None
    return value


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        pass
    return True


def _settle(record: capture.Record, folder: str) -> str:
    """The record's path in the end. What lies in the current folder may be of a later run, so that is not looked at."""
    words = [part for word in record["argv"][1:] for part in (word, word.partition("=")[2]) if part]
    tops = {path for part in words if os.path.isdir(path := os.path.join(record["cwd"], part))}
    written = {place for top in tops for place in folders_written(top, float(record["started"]))}
    if len(written) == 1:
        record.pop("name", None)
        return move_record(record, folder, written.pop())
    path = os.path.join(folder, capture.RECORD)
    capture.write_json(path, record)
    return path
