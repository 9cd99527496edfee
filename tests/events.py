"""Small genuine event files for tests, framed by our own writer and encoded by tensorboard's protobufs."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from mlbench.wire.tfrecord import write_record

START_S = 1_700_000_000.0


def scalar_file(
    path: Path, series: Mapping[str, Sequence[tuple[int, float]]], *, append: bool = False, start_s: float = START_S
) -> None:
    """Write (or append) one event for each (step, value) of each metric; wall time is `start_s` + step."""
    from tensorboard.compat.proto.event_pb2 import Event

    path.parent.mkdir(parents=True, exist_ok=True)
    records = [] if append else [Event(wall_time=start_s, file_version="brain.Event:2")]
    for metric, points in series.items():
        for step, value in points:
            event = Event(wall_time=start_s + step, step=step)
            event.summary.value.add(tag=metric, simple_value=value)
            records.append(event)
    with path.open("ab" if append else "wb") as file:
        file.writelines(write_record(event.SerializeToString()) for event in records)
