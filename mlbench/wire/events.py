"""One payload of an event file decoded: wall time, step, and what was logged, each by its place in the payload.

The message is `tensorboard.Event`; it is walked by hand, since tensorboard's own classes do not tell where the
bytes of a picture lie and refuse a whole event for one byte of a tag that is not UTF-8.
Format: tensorboard/compat/proto/{event,summary}.proto; which value is what: docs of `Value.kind`.
"""

from __future__ import annotations

import struct
from collections.abc import MutableMapping
from dataclasses import replace

from mlbench.dataclass import dataclass
from mlbench.wire.float32 import widen_at
from mlbench.wire.protobuf import I32, I64, LEN, VARINT, WireError, fields, key, signed, text_at
from mlbench.wire.tensors import DT_STRING, Tensor, read_tensor, scalar_of

MAX_VALUES = 65_536
"""Values in one event; the largest genuine one seen had 1,900."""
MAX_PLUGIN_TAGS = 100_000
"""Tags whose plugin is remembered for events that do not name it."""
MAX_TAG_BYTES = 4096
"""A longer tag is cut: it is a name of a metric, and it is stored with each of them."""
SCALAR = "scalar"

_WALL, _STEP, _VERSION, _GRAPH = key(1, I64), key(2, VARINT), key(3, LEN), key(4, LEN)
_SUMMARY, _SESSION, _RUN_METADATA, _META_GRAPH = key(5, LEN), key(7, LEN), key(8, LEN), key(9, LEN)
_VALUE, _SESSION_STATUS, _RUN_METADATA_TAG = key(1, LEN), key(1, VARINT), key(1, LEN)
_GRAPHS = {_GRAPH: "graph", _META_GRAPH: "meta_graph", _RUN_METADATA: "run_metadata"}
_SESSION_START = 1

_TAG, _SIMPLE, _IMAGE, _HISTOGRAM = key(1, LEN), key(2, I32), key(4, LEN), key(5, LEN)
_AUDIO, _TENSOR, _METADATA = key(6, LEN), key(8, LEN), key(9, LEN)
_BODIES = frozenset({_SIMPLE, _IMAGE, _HISTOGRAM, _AUDIO, _TENSOR, key(3, LEN)})
_PLUGIN_DATA, _DATA_CLASS = key(1, LEN), key(4, VARINT)
_PLUGIN_NAME, _PLUGIN_CONTENT = key(1, LEN), key(2, LEN)
_HEIGHT, _WIDTH, _ENCODED = key(1, VARINT), key(2, VARINT), key(4, LEN)
_DATA_CLASS_SCALAR = 1

_KINDS = {"histograms": "histogram", "images": "image", "text": "text", "audio": "audio", "pr_curves": "pr_curve",
          "hparams": "hparams", "custom_scalars": "layout", "graph_keras_model": "graph", "graph_run_metadata": "graph",
          "graph_run_metadata_graph": "graph", "scalars": SCALAR, "": SCALAR}  # fmt: skip
_STRING_ENCODING = {"text": "utf-8", "layout": "proto"}
_MAGIC = ((b"\x89PNG", "png"), (b"\xff\xd8\xff", "jpeg"), (b"GIF8", "gif"), (b"RIFF", "wav"))


@dataclass(frozen=True, slots=True)
class Part:
    """Bytes in the payload that a viewer can open."""

    start: int
    end: int
    encoding: str
    """png, jpeg, gif, wav, utf-8, json; `tensor` (a TensorProto), `proto` (another message); '' if not known."""
    width: int = 0
    height: int = 0


@dataclass(frozen=True, slots=True)
class Value:
    """One value of a summary."""

    tag: str
    """Valid UTF-8; what was not is U+FFFD."""
    kind: str
    """`scalar` or a kind of Blob. Decided by `simple_value`, else by the data class, else by the plugin that the
    tag's metadata name now or earlier, else (no metadata at all) by the shape: one number is a scalar."""
    number: float = 0.0
    """Of a scalar."""
    number_at: int = -1
    """Place of the scalar's four bytes in the payload; -1: it is no float32."""
    parts: tuple[Part, ...] = ()
    """Of everything else. A batch of pictures has one part for each."""
    session: bytes | None = None
    """Content of the HParams plugin."""
    is_tag_damaged: bool = False
    """The tag was not valid UTF-8."""


@dataclass(frozen=True, slots=True)
class Event:
    wall_s: float
    """Unix seconds with the bits of the file; 0 where the event has none."""
    step: int
    """-2**63 to 2**63 - 1; 0 where the event has none."""
    values: tuple[Value, ...] = ()
    file_version: str | None = None
    is_session_start: bool = False
    graphs: tuple[tuple[str, Part], ...] = ()
    """Names and places of graphs and of run metadata."""
    summary_at: int = -1
    """Where the summary begins if the event is wall time, step (or none) and one summary, in this order; else -1."""


def decode_event(payload: bytes, plugins: MutableMapping[str, str]) -> Event:
    """Decode one payload; an empty one is a valid event of step 0 and time 0.

    Args:
        payload: a record's.
        plugins: tag to plugin, as earlier events of the run named them; what this one names is added.

    Raises:
        WireError: the bytes are no event, or one with more than 65,536 values.
    """
    wall_s, step, version, is_start = 0.0, 0, None, False
    summaries: list[tuple[int, int]] = []
    graphs: list[tuple[str, Part]] = []
    keys: list[int] = []
    summary_at = at = 0
    for field_key, first, last in fields(payload, 0, len(payload)):
        if len(keys) < 4:
            keys.append(field_key)
        if field_key == _WALL:
            (wall_s,) = struct.unpack_from("<d", payload, first)
        elif field_key == _STEP:
            step = signed(first)
        elif field_key == _SUMMARY:
            summaries.append((first, last))
            summary_at = at
        elif field_key == _VERSION:
            version = text_at(payload, first, min(last, first + MAX_TAG_BYTES))
        elif field_key == _SESSION:
            is_start = _is_session_start(payload, first, last)
        elif field_key in _GRAPHS:
            graphs.append((_graph_name(payload, field_key, first, last), Part(first, last, "proto")))
        at = last
        if len(summaries) + len(graphs) > MAX_VALUES:
            raise WireError("too many values")
    values = _values(payload, summaries, plugins)
    is_plain = keys in ([_WALL, _STEP, _SUMMARY], [_WALL, _SUMMARY])
    return Event(wall_s, step, values, version, is_start, tuple(graphs), summary_at if is_plain else -1)


def _is_session_start(payload: bytes, start: int, end: int) -> bool:
    status = [value for field_key, value, _ in fields(payload, start, end) if field_key == _SESSION_STATUS]
    return status[-1:] == [_SESSION_START]


def _graph_name(payload: bytes, field_key: int, start: int, end: int) -> str:
    """The tag of run metadata; a graph has no name of its own."""
    if field_key == _RUN_METADATA:
        for inner, first, last in fields(payload, start, end):
            if inner == _RUN_METADATA_TAG:
                return text_at(payload, first, min(last, first + MAX_TAG_BYTES))
    return _GRAPHS[field_key]


def _values(payload: bytes, summaries: list[tuple[int, int]], plugins: MutableMapping[str, str]) -> tuple[Value, ...]:
    spans: list[tuple[int, int]] = []
    for start, end in summaries:
        for field_key, first, last in fields(payload, start, end):
            if field_key == _VALUE:
                spans.append((first, last))
            if len(spans) > MAX_VALUES:
                raise WireError("too many values")
    return tuple(_value(payload, start, end, plugins) for start, end in spans)


def _value(payload: bytes, start: int, end: int, plugins: MutableMapping[str, str]) -> Value:
    tag, is_tag_damaged = "", False
    body = (0, 0, 0)
    metadata = _NO_METADATA
    for field_key, first, last in fields(payload, start, end):
        if field_key == _TAG:
            tag, is_tag_damaged = _read_tag(payload, first, last)
        elif field_key in _BODIES:
            body = (field_key, first, last)
        elif field_key == _METADATA:
            metadata = _read_metadata(payload, first, last)
    value = _typed(payload, tag, body, metadata, plugins)
    return replace(value, is_tag_damaged=True) if is_tag_damaged else value


def _read_tag(payload: bytes, start: int, end: int) -> tuple[str, bool]:
    raw = payload[start:end]
    try:
        tag, is_damaged = raw.decode(), False
    except UnicodeDecodeError:
        tag, is_damaged = raw.decode("utf-8", "replace"), True
    return tag[:MAX_TAG_BYTES], is_damaged


@dataclass(frozen=True, slots=True)
class _Metadata:
    plugin: str = ""
    content: tuple[int, int] = (0, 0)


_NO_METADATA = _Metadata()


def _read_metadata(payload: bytes, start: int, end: int) -> _Metadata:
    """Plugin and content; a data class overrules the plugin's name."""
    plugin, data_class = "", 0
    content = (0, 0)
    for field_key, first, last in fields(payload, start, end):
        if field_key == _DATA_CLASS:
            data_class = first
        elif field_key == _PLUGIN_DATA:
            for inner, begin, stop in fields(payload, first, last):
                if inner == _PLUGIN_NAME:
                    plugin = text_at(payload, begin, min(stop, begin + MAX_TAG_BYTES))
                elif inner == _PLUGIN_CONTENT:
                    content = (begin, stop)
    if data_class == _DATA_CLASS_SCALAR:
        plugin = "scalars"
    elif data_class and plugin == "scalars":
        plugin = "tensors"
    return _Metadata(plugin, content)


def _typed(
    payload: bytes, tag: str, body: tuple[int, int, int], metadata: _Metadata, plugins: MutableMapping[str, str]
) -> Value:
    body_key, first, last = body
    if body_key == _SIMPLE:
        return Value(tag, SCALAR, widen_at(payload, first), first)
    if metadata.plugin == "hparams":
        start, end = metadata.content
        parts = (Part(start, end, "proto"),) if end > start else ()
        return Value(tag, "hparams", parts=parts, session=payload[start:end])
    if body_key == _TENSOR:
        return _tensor_value(payload, tag, _remembered(tag, metadata.plugin, plugins), first, last)
    if body_key == _IMAGE:
        return Value(tag, "image", parts=_tf1_image(payload, first, last))
    if body_key == _AUDIO:
        return Value(tag, "audio", parts=_tf1_audio(payload, first, last))
    kind = "histogram" if body_key == _HISTOGRAM else "tensor"
    return Value(tag, kind, parts=(Part(first, last, "proto"),) if body_key else ())


def _remembered(tag: str, plugin: str, plugins: MutableMapping[str, str]) -> str:
    """The plugin that decides: the one that the tag named first. `scalars` is what the shape tells anyway."""
    if plugin and plugin != "scalars" and len(plugins) < MAX_PLUGIN_TAGS:
        return plugins.setdefault(tag, plugin)
    return plugins.get(tag, plugin)


def _tensor_value(payload: bytes, tag: str, plugin: str, first: int, last: int) -> Value:
    tensor = read_tensor(payload, first, last)
    kind = _KINDS.get(plugin, "tensor")
    if kind == SCALAR:
        scalar = scalar_of(payload, tensor)
        if scalar is not None:
            return Value(tag, SCALAR, scalar[0], scalar[1])
        kind = "tensor"
    parts = _string_parts(payload, kind, plugin, tensor) or (Part(first, last, "tensor"),)
    return Value(tag, kind, parts=parts)


def _string_parts(payload: bytes, kind: str, plugin: str, tensor: Tensor) -> tuple[Part, ...]:
    """The strings of a tensor that each are something to look at; none: only the whole tensor is.

    Pictures come as width, height and one picture or more; sounds as pairs with a label. A table of texts
    stays a tensor, since its shape would be lost.
    """
    strings = tensor.strings
    if tensor.dtype != DT_STRING:
        return ()
    if kind == "image":
        if len(strings) < 3:
            return ()
        width, height = (_decimal(payload, *span) for span in strings[:2])
        return tuple(Part(*span, _encoding(payload, span[0]), width, height) for span in strings[2:])
    if kind == "audio":
        return tuple(Part(*span, _encoding(payload, span[0])) for span in strings[::2])
    if kind == "graph":
        encoding = "json" if plugin == "graph_keras_model" else "proto"
        return tuple(Part(*span, encoding) for span in strings)
    if kind in _STRING_ENCODING and tensor.shape is not None and len(tensor.shape) < 2:
        return tuple(Part(*span, _STRING_ENCODING[kind]) for span in strings)
    return ()


def _decimal(payload: bytes, start: int, end: int) -> int:
    digits = payload[start : min(end, start + 10)]
    return int(digits) if digits.isdigit() else 0


def _encoding(payload: bytes, start: int) -> str:
    head = payload[start : start + 4]
    return next((name for magic, name in _MAGIC if head.startswith(magic)), "")


def _tf1_image(payload: bytes, start: int, end: int) -> tuple[Part, ...]:
    size = {_WIDTH: 0, _HEIGHT: 0}
    encoded = (0, 0)
    for field_key, first, last in fields(payload, start, end):
        if field_key in size:
            size[field_key] = min(first, 2**31 - 1)
        elif field_key == _ENCODED:
            encoded = (first, last)
    if encoded == (0, 0):
        return ()
    return (Part(*encoded, _encoding(payload, encoded[0]), size[_WIDTH], size[_HEIGHT]),)


def _tf1_audio(payload: bytes, start: int, end: int) -> tuple[Part, ...]:
    return tuple(
        Part(first, last, _encoding(payload, first))
        for field_key, first, last in fields(payload, start, end)
        if field_key == _ENCODED
    )
