"""A folder from its files to the series that one of TensorBoard's readers shows of it."""

from __future__ import annotations

import math
import os
from collections.abc import Iterable
from dataclasses import field
from typing import TYPE_CHECKING, BinaryIO, Protocol

from mlbench.dataclass import dataclass
from mlbench.model import Problem
from mlbench.wire.files import open_regular
from mlbench.wire.parity.accumulators import EventAccumulator, Lost, PluginAccumulator
from mlbench.wire.parity.files import Damage, is_taken_for_a_file, payloads, python_files, server_files
from mlbench.wire.parity.server import DataServer
from mlbench.wire.parity.strict import decode

if TYPE_CHECKING:
    from tensorboard.compat.proto.event_pb2 import Event

    from mlbench.model import Float64Array, Int64Array
    from mlbench.wire.parity.curves import Curve

PARITY_VIEWS = ("eventaccumulator", "plugin", "tensorboard")
"""The readers: EventAccumulator, the plugin accumulator, the data server."""
SEQ_BITS = 40
"""A sequence number: the place of the file among the folder's files, then of the value among the values met in it."""


@dataclass(frozen=True, slots=True)
class ShownSeries:
    """The points that a reader shows of one tag, in the order of the log."""

    tag: str
    steps: Int64Array
    wall_s: Float64Array
    values: Float64Array
    seq: Int64Array
    """Place of the file in `Shown.files` << SEQ_BITS | place of the value in the file."""


@dataclass(slots=True)
class Shown:
    """What a reader shows of one folder."""

    series: list[ShownSeries] = field(default_factory=list)
    """By tag. A tag of which every point was dropped is left out."""
    files: list[str] = field(default_factory=list)
    """The paths that the reader takes for event files, in its order."""
    problems: list[Problem] = field(default_factory=list)
    """Where it gave up a file, or the whole folder, with what is behind left unread."""


class _Rules(Protocol):
    def add(self, event: Event, seq: int) -> None: ...

    def curves(self) -> Iterable[tuple[str, Curve]]: ...


def read_folder(view: str, folder: str) -> Shown:
    """Read every event file that lies directly in the folder, as the reader of that view does.

    Args:
        view: one of PARITY_VIEWS.
        folder: path of a run in TensorBoard's sense. Files below it belong to other runs.
    """
    shown = Shown()
    try:
        if view == "tensorboard":
            _read_as_server(folder, shown)
        else:
            _read_as_python(view, folder, shown)
    except OSError as error:
        shown.problems.append(Problem(folder, f"The folder could not be read: {error.strerror}"))
    return shown


# ---------------------------------------------------------------- the Python readers


def _read_as_python(view: str, folder: str, shown: Shown) -> None:
    rules: _Rules = EventAccumulator()
    if view == "plugin":
        rules = PluginAccumulator()
    if is_taken_for_a_file(folder):
        what = f"The reader {view} takes a folder of this name for a file and fails: it shows nothing"
        shown.problems.append(Problem(folder, what))
        return
    shown.files = python_files(folder)
    for rank, path in enumerate(shown.files):
        if not os.path.exists(path):
            what = f"The link leads nowhere, and the reader {view} ends here: later files are not read"
            shown.problems.append(Problem(path, what))
            break
        try:
            _read_python_file(path, rank, rules, shown)
        except (Lost, OSError, UnicodeEncodeError) as failure:
            what = f"The reader {view} fails on the file ({_reason(failure)}): it shows nothing of the folder"
            shown.problems.append(Problem(path, what))
            return
    shown.series = _series(rules)


def _reason(failure: Exception) -> str:
    if isinstance(failure, UnicodeEncodeError):
        return "its path is not UTF-8"
    return (failure.strerror if isinstance(failure, OSError) else None) or str(failure)


def _read_python_file(path: str, rank: int, rules: _Rules, shown: Shown) -> None:
    from google.protobuf.message import DecodeError
    from tensorboard.compat.proto.event_pb2 import Event

    path.encode()  # as the reader does before it opens the file
    seq = rank << SEQ_BITS
    with open_regular(path) as file:
        for payload in payloads(file):
            if isinstance(payload, Damage) or not payload.is_sound:
                shown.problems.append(_ended(path, file, payload.offset, "a checksum that does not hold"))
                return
            try:
                event = Event.FromString(payload.content)
            except DecodeError as error:
                raise Lost(f"what stands at offset {payload.offset} is no event") from error
            seq = _add(rules, event, seq)


# ---------------------------------------------------------------- the data server


def _read_as_server(folder: str, shown: Shown) -> None:
    rules = DataServer()
    shown.files = server_files(folder)
    for rank, path in enumerate(shown.files):
        try:
            _read_server_file(path, rank, rules, shown)
        except OSError as error:
            shown.problems.append(Problem(path, f"The file could not be read: {error.strerror}"))
    shown.series = _series(rules)


def _read_server_file(path: str, rank: int, rules: DataServer, shown: Shown) -> None:
    seq = rank << SEQ_BITS
    with open_regular(path) as file:
        for payload in payloads(file):
            if isinstance(payload, Damage):
                shown.problems.append(_ended(path, file, payload.offset, "a length whose checksum does not hold"))
                return
            event = decode(payload.content)
            if event is None or math.isnan(event.wall_time):
                reason = "what is no event" if event is None else "a wall time that is no number"
                shown.problems.append(_ended(path, file, payload.offset, reason))
                return
            if math.isinf(event.wall_time):
                seq += _n_values(event)
            else:
                seq = _add(rules, event, seq)


# ---------------------------------------------------------------- what both share


def _add(rules: _Rules, event: Event, seq: int) -> int:
    """Take the event in; returns the next sequence number. A graph has one too, as in the raw view."""
    first = seq + _n_values(event) - len(event.summary.value)
    rules.add(event, first)
    return first + len(event.summary.value)


def _n_values(event: Event) -> int:
    is_graph = event.WhichOneof("what") in {"graph_def", "meta_graph_def", "tagged_run_metadata"}
    return len(event.summary.value) + is_graph


def _ended(path: str, file: BinaryIO, offset: int, reason: str) -> Problem:
    left = os.fstat(file.fileno()).st_size - offset
    what = f"The reader ends at {reason}: the last {left:,} bytes are not shown"
    return Problem(path, what, place=f"offset {offset}")


def _series(rules: _Rules) -> list[ShownSeries]:
    """One series a tag; where simple values and tensors share one, its points stand in the order of the log."""
    import numpy as np

    parts: dict[str, list[tuple[Int64Array, Float64Array, Float64Array, Int64Array]]] = {}
    for tag, curve in rules.curves():
        columns = curve.columns()
        if len(columns[0]):
            parts.setdefault(tag, []).append(columns)
    series: list[ShownSeries] = []
    for tag, listed in sorted(parts.items()):
        steps, wall_s, values, seq = (np.concatenate(column) for column in zip(*listed, strict=True))
        order = np.argsort(seq, kind="stable")
        series.append(ShownSeries(tag, steps[order], wall_s[order], values[order], seq[order]))
    return series
