"""Messages of event files for the tests, made by tensorboard's own classes."""

from __future__ import annotations

from typing import Any

from tensorboard.compat.proto import event_pb2, summary_pb2, tensor_pb2, types_pb2

from mlbench.wire.events import Event, Value, decode_event

WALL_S = 1_700_000_000.25


def value(tag: str, *, plugin: str = "", content: bytes = b"", data_class: int = 0, **body: Any) -> Any:
    """A Summary.Value; with metadata if a plugin or a data class is named."""
    made = summary_pb2.Summary.Value(tag=tag, **body)
    if plugin or data_class:
        made.metadata.plugin_data.plugin_name = plugin
        made.metadata.plugin_data.content = content
        made.metadata.data_class = data_class
    return made


def tensor(dtype: str, shape: tuple[int, ...] = (), **parts: Any) -> Any:
    """A TensorProto: `tensor("FLOAT", float_val=[1])`."""
    made = tensor_pb2.TensorProto(dtype=types_pb2.DataType.Value(f"DT_{dtype}"), **parts)
    for size in shape:
        made.tensor_shape.dim.add(size=size)
    return made


def strings(*texts: bytes, shape: tuple[int, ...] = ()) -> Any:
    return tensor("STRING", shape or (len(texts),), string_val=texts)


def event(*values: Any, step: int = 0, wall_s: float = WALL_S, **parts: Any) -> bytes:
    """A serialised Event with these values."""
    summary = summary_pb2.Summary(value=values) if values else None
    message = event_pb2.Event(wall_time=wall_s, step=step, summary=summary, **parts)
    return bytes(message.SerializeToString())


def decoded(*values: Any, plugins: dict[str, str] | None = None) -> tuple[Value, ...]:
    """The values of an event, decoded."""
    return decode_event(event(*values), {} if plugins is None else plugins).values


def texts(payload: bytes, found: Event) -> list[bytes]:
    """The bytes of all parts of an event."""
    return [payload[part.start : part.end] for one in found.values for part in one.parts]
