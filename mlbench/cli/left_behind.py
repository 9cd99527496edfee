"""Records of `mlbench run` that was killed itself, as by a scheduler that ends a job: the next one takes them up."""

from __future__ import annotations

import math
import os
import socket
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any

from mlbench import capture
from mlbench.cli.recording import add_args, captured_folder, logs_written, move_record, told_folder

if TYPE_CHECKING:
    from mlbench.paths import Home

UNKNOWN = "mlbench run was killed: how and when the command ended was not recorded"
MOST = 100
"""Records that one run takes up."""
SLACK_S = 1.0
"""Of the times of files, which some file systems round."""
LATEST_S = 1e12
"""No moment is later, nor are infinity and NaN moments."""


def take_up(home: Home) -> Iterator[str]:
    """Finish the records of this machine that nobody will finish any more.

    A record is moved beside the run where the command told the folder that it logs into, or named the one folder that
    was logged into while no other recorded run was at work there; else it stays where it is. How the command ended is
    not known: it may even be running still, and its last point tells.

    Yields:
        The folder of each record.
    """
    top = captured_folder(home)
    left = ((folder, record) for folder, record in _records(top) if _is_left(record))
    for folder, record in list(islice(left, MOST)):
        record |= {"is_watched": False, "problems": [*_list(record.get("problems")), UNKNOWN]}
        try:
            yield os.path.dirname(_settle(record, folder, top))
        except (OSError, ValueError) as error:
            capture.tell(f"{folder}: this record of a run that was killed could not be finished: {error}")


def _records(top: str) -> Iterator[tuple[str, capture.Record]]:
    """The records in the home that say what ran, where and when, with their folders."""
    try:
        names = sorted(os.listdir(top))
    except OSError:
        return
    for name in names:
        folder = os.path.join(top, name)
        if record := _record_in(os.path.join(folder, capture.RECORD)):
            yield folder, record


def _record_in(path: str) -> capture.Record | None:
    from mlbench.wire.jsonlog import load_json_file

    value: Any = load_json_file(path).value
    if not isinstance(value, dict) or value.get("format") != capture.FORMAT:
        return None
    argv, started = _list(value.get("argv")), value.get("started")
    is_whole = argv and all(isinstance(word, str) for word in argv) and isinstance(value.get("cwd"), str)
    return value if is_whole and _is_moment(started) else None


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _is_moment(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < LATEST_S


def _is_left(record: capture.Record) -> bool:
    """Without an end, of a `mlbench run` on this machine that is gone."""
    is_open = record.get("is_watched") is True and record.get("ended") is None
    return is_open and record.get("host") == socket.gethostname() and _pid(record) > 1 and not _lives(_pid(record))


def _pid(record: capture.Record) -> int:
    pid = record.get("pid")
    return pid if isinstance(pid, int) else 0


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        pass
    return True


def _settle(record: capture.Record, folder: str, top: str) -> str:
    """The record's path in the end."""
    if os.path.exists(os.path.join(folder, capture.OUTPUT)):
        record["output"] = {"file": capture.OUTPUT}
    add_args(record, folder)
    beside = told_folder(record, folder) or _own_folder(record, folder, top)
    if beside is not None:
        record.pop("name", None)
        return move_record(record, folder, beside)
    path = os.path.join(folder, capture.RECORD)
    capture.write_json(path, record)
    return path


# ---------------------------------------------------------------- whose logs these are


def _own_folder(record: capture.Record, folder: str, top: str) -> str | None:
    """The one folder below those that the command named with logs that are of no other recorded run.

    What lies in the current folder may be of a later run, so that is not looked at.
    """
    logs = {log for place in _named_folders(record) for log in logs_written(place, float(record["started"]))}
    if not logs:
        return None
    others = [one for place, one in _records(top) if place != folder]
    found = {place for place, changed_s in logs if not _is_of_another(record, place, changed_s, others)}
    return found.pop() if len(found) == 1 else None


def _is_of_another(record: capture.Record, place: str, changed_s: float, others: Sequence[capture.Record]) -> bool:
    """Whether another run's record tells that it was at work in a folder when a log there changed."""
    near = [one for one in others if any(_is_in(place, named) for named in _named_folders(one))]
    return any(_covers(one, record, changed_s) for one in (*near, *_records_beside(place)))


def logs_of_others(home: Home, record: capture.Record, folder: str) -> Callable[[str, float], bool]:
    """Whether logs in a folder that changed at a time may be those of another recorded run that was at work meanwhile.

    A folder that the command itself named is its own, and so is what lies in one of which the other only named a
    parent. In one that both named nobody can say whose a log is, until the record of one of them lies beside it.
    """
    tops = _named_folders(record)
    others = [one for place, one in _records(captured_folder(home)) if place != folder and _is_meanwhile(one, record)]
    near = [
        (one, {named for named in _named_folders(one) if any(_is_in(named, top) for top in tops)}) for one in others
    ]

    def is_anothers(place: str, changed_s: float) -> bool:
        if place in tops:
            return False
        claims = [one for one, named in near if any(_is_in(place, each) for each in named)]
        beside = [one for one in _records_beside(place) if one.get("is_watched") and _is_meanwhile(one, record)]
        return any(_covers(one, record, changed_s) for one in (*claims, *beside))

    return is_anothers


def _is_meanwhile(other: capture.Record, record: capture.Record) -> bool:
    """Whether the other run had not ended when this one began."""
    return bool(not _is_moment(other.get("ended")) or other["ended"] >= record["started"])


def _records_beside(place: str) -> list[capture.Record]:
    try:
        names = [name for name in os.listdir(place) if _is_record(name)]
    except OSError:  # it is gone again
        return []
    return [one for one in (_record_in(os.path.join(place, name)) for name in names) if one]


def _is_record(name: str) -> bool:
    stem, ending = os.path.splitext(capture.RECORD)
    return name.startswith(stem) and name.endswith(ending)


def _covers(other: capture.Record, record: capture.Record, changed_s: float) -> bool:
    """Whether the other run was at work at this time.

    One that began earlier, and whose own `mlbench run` was killed too, had ended: this one took over from it.
    """
    ended = other["ended"] if _is_moment(other.get("ended")) else math.inf
    if other["started"] <= record["started"] and math.isinf(ended) and _is_over(other):
        return False
    return bool(other["started"] - SLACK_S <= changed_s <= ended + SLACK_S)


def _is_over(record: capture.Record) -> bool:
    return record.get("is_watched") is not True or _is_left(record)


def _named_folders(record: capture.Record) -> set[str]:
    """The folders among the words of the command, also behind `=`."""
    words = [part for word in record["argv"][1:] for part in (word, word.partition("=")[2]) if part]
    paths = (os.path.abspath(os.path.join(record["cwd"], part)) for part in words)
    return {path for path in paths if os.path.isdir(path)}


def _is_in(place: str, folder: str) -> bool:
    return place == folder or place.startswith(folder.rstrip(os.sep) + os.sep)
