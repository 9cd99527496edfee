"""Event files made by hand, event by event, damage included.

Wall times rise by one from event to event (but where they are the subject), so that an oracle can tell the order.
"""

from __future__ import annotations

import itertools
from typing import Any

from tensorboard.compat.proto.event_pb2 import Event, SessionLog
from tensorboard.compat.proto.summary_pb2 import Summary, SummaryMetadata
from tensorboard.compat.proto.tensor_pb2 import TensorProto

from mlbench.wire.tfrecord import write_record

Files = dict[str, bytes]
"""File name to content."""

FIRST, SECOND = "events.out.tfevents.1", "events.out.tfevents.2"
FLOAT, DOUBLE, INT32, STRING, INT64, BOOL, HALF = 1, 2, 3, 7, 9, 10, 19


class Log:
    """An event file in the making."""

    def __init__(self, version: str | None = "brain.Event:2", *, start_s: float = 1000.0) -> None:
        self._records: list[bytes] = []
        self._wall = itertools.count()
        self._start_s = start_s
        if version is not None:
            self.event(file_version=version)

    def event(self, *, wall_time: float | None = None, **fields: Any) -> Log:
        wall_s = self._start_s + next(self._wall) if wall_time is None else wall_time
        return self.payload(Event(wall_time=wall_s, **fields).SerializeToString())

    def payload(self, payload: bytes) -> Log:
        return self.record(write_record(payload))

    def record(self, record: bytes) -> Log:
        self._records.append(record)
        return self

    def values(self, step: int, *values: Summary.Value, wall_time: float | None = None) -> Log:
        return self.event(step=step, summary=Summary(value=values), wall_time=wall_time)

    def simple(self, tag: str, *steps: int) -> Log:
        """One event a step; the value is the number of events before."""
        for step in steps:
            self.values(step, Summary.Value(tag=tag, simple_value=float(len(self._records))))
        return self

    def tensors(self, tag: str, *steps: int, plugin: str | None = "scalars", data_class: int = 0) -> Log:
        for step in steps:
            number = TensorProto(dtype=FLOAT, float_val=[float(len(self._records))])
            self.values(step, tensor(tag, number, plugin=plugin, data_class=data_class))
        return self

    def start(self, step: int) -> Log:
        return self.event(step=step, session_log=SessionLog(status=SessionLog.START))

    @property
    def content(self) -> bytes:
        return b"".join(self._records)


def tensor(tag: str, number: TensorProto, *, plugin: str | None = "scalars", data_class: int = 0) -> Summary.Value:
    value = Summary.Value(tag=tag, tensor=number)
    if plugin is not None:
        value.metadata.CopyFrom(metadata(plugin, data_class))
    return value


def metadata(plugin: str, data_class: int = 0) -> SummaryMetadata:
    return SummaryMetadata(plugin_data=SummaryMetadata.PluginData(plugin_name=plugin), data_class=data_class)


def one(log: Log) -> Files:
    return {FIRST: log.content}


def spoilt(record: bytes, place: int) -> bytes:
    """The record with one byte turned over."""
    return record[:place] + bytes([record[place] ^ 0xFF]) + record[place + 1 :]


def scalar_record(step: int, value: float = 1.0) -> bytes:
    event = Event(wall_time=2000.0 + step, step=step)
    event.summary.value.add(tag="loss", simple_value=value)
    return write_record(event.SerializeToString())


def simple_value(value: float) -> Summary.Value:
    return Summary.Value(tag="a", simple_value=value)
