"""What TensorBoard's HParams plugin hides in the metadata of a value: parameters, and how the session ended.

Format: tensorboard/plugins/hparams/plugin_data.proto. Three tags carry it: `_hparams_/experiment`,
`_hparams_/session_start_info` and `_hparams_/session_end_info`; torch gives them no value at all.
"""

from __future__ import annotations

import json
import math
import struct

from mlbench.dataclass import dataclass
from mlbench.model import JsonValue, Layer, Param
from mlbench.wire import recurring
from mlbench.wire.protobuf import I64, LEN, VARINT, WireError, fields, key, text_at

MAX_CONTENT_BYTES = 4 << 20
_MAX_DEPTH = 16
_STATUSES = {1: "finished", 2: "failed", 3: "running"}

_EXPERIMENT, _START_INFO, _END_INFO = key(2, LEN), key(3, LEN), key(4, LEN)
_HPARAM, _ENTRY_KEY, _ENTRY_VALUE = key(1, LEN), key(1, LEN), key(2, LEN)
_STATUS, _END_TIME = key(1, VARINT), key(2, I64)
_NUMBER, _STRING, _BOOL, _STRUCT, _LIST = key(2, I64), key(3, LEN), key(4, VARINT), key(5, LEN), key(6, LEN)
_ITEM = key(1, LEN)
_ONE_BYTE = 0x80
"""Lengths below take one byte."""
_SHORTEST_ENTRY = 4
_MAX_MET, _MAX_MET_BYTES = 512, 256
_met: dict[bytes, Param | None] = {}
"""Parameters by the bytes that say them; None for what was met once."""
_NUMBER_BYTES = 9


@dataclass(frozen=True, slots=True)
class SessionFacts:
    """One HParamsPluginData, decoded."""

    is_experiment: bool = False
    """It describes a sweep: which parameters are tried, which metrics count."""
    params: tuple[Param, ...] = ()
    """In the order of the file, layer `hparams`."""
    status: str = ""
    """One of the model's RUN_STATUSES, '' where not said."""
    ended_s: float | None = None
    """Unix seconds, None where not said."""


def read_session(content: bytes) -> SessionFacts:
    """Decode the plugin's content.

    Raises:
        WireError: it is larger than 4 MiB, nested deeper than 16 levels or no message.
    """
    if len(content) > MAX_CONTENT_BYTES:
        raise WireError("hyper-parameters of more than 4 MiB")
    is_experiment = False
    params: dict[str, Param] = {}
    status, ended_s = "", None
    for field_key, first, last in fields(content, 0, len(content)):
        if field_key == _EXPERIMENT:
            is_experiment = True
        elif field_key == _START_INFO:
            params.update((param.key, param) for param in _params(content, first, last))
        elif field_key == _END_INFO:
            status, ended_s = _end(content, first, last)
    return SessionFacts(is_experiment, tuple(params.values()), status, ended_s)


def _params(content: bytes, start: int, end: int) -> list[Param]:
    params = []
    for field_key, first, last in fields(content, start, end):
        if field_key != _HPARAM:
            continue
        said = content[first:last]
        param = _met.get(said)
        if param is None:
            name, value = _plain_entry(content, first, last) or _entry(content, first, last, 0)
            param = Param(name, _raw(value), value, Layer.HPARAMS)
            if len(said) <= _MAX_MET_BYTES:
                recurring.remember(_met, said, param, _MAX_MET)
        params.append(param)
    return params


def _raw(value: JsonValue) -> str:
    """As JSON; a text as it is."""
    if isinstance(value, str):
        return value
    if value is True or value is False:
        return "true" if value else "false"
    if isinstance(value, float) and math.isfinite(value):
        return recurring.float_texts[value]
    return repr(value) if isinstance(value, int) else json.dumps(value)


def _plain_entry(content: bytes, start: int, end: int) -> tuple[str, JsonValue] | None:
    """The pair as all writers write it, name and value in one short field each; None where it is otherwise."""
    value_at = start + 2 + content[start + 1] if end - start > _SHORTEST_ENTRY else end
    at, size = value_at + 2, end - value_at - 2
    is_plain = 0 < size < _ONE_BYTE and content[start] == _ENTRY_KEY and content[value_at] == _ENTRY_VALUE
    if not is_plain or content[start + 1] >= _ONE_BYTE or content[value_at + 1] != size:
        return None
    name, kind = text_at(content, start + 2, value_at), content[at]
    if kind == _NUMBER and size == _NUMBER_BYTES:
        return name, _number(struct.unpack_from("<d", content, at + 1)[0])
    if kind == _STRING and size > 1 and content[at + 1] == size - 2:
        return name, text_at(content, at + 2, end)
    if kind == _BOOL and size == 2 and content[at + 1] < _ONE_BYTE:
        return name, bool(content[at + 1])
    return None


def _entry(content: bytes, start: int, end: int, depth: int) -> tuple[str, JsonValue]:
    """One pair of a map<string, google.protobuf.Value>."""
    name = ""
    value: JsonValue = None
    for field_key, first, last in fields(content, start, end):
        if field_key == _ENTRY_KEY:
            name = text_at(content, first, last)
        elif field_key == _ENTRY_VALUE:
            value = _value(content, first, last, depth)
    return name, value


def _value(content: bytes, start: int, end: int, depth: int) -> JsonValue:
    """A google.protobuf.Value. It knows doubles only, so a whole number is given back as the int it was."""
    if depth > _MAX_DEPTH:
        raise WireError("hyper-parameters nested too deep")
    value: JsonValue = None
    for field_key, first, last in fields(content, start, end):
        if field_key == _NUMBER:
            value = _number(struct.unpack_from("<d", content, first)[0])
        elif field_key == _STRING:
            value = text_at(content, first, last)
        elif field_key == _BOOL:
            value = bool(first)
        elif field_key == _STRUCT:
            items = (span for span in fields(content, first, last) if span[0] == _ITEM)
            value = dict(_entry(content, begin, stop, depth + 1) for _, begin, stop in items)
        elif field_key == _LIST:
            items = (span for span in fields(content, first, last) if span[0] == _ITEM)
            value = [_value(content, begin, stop, depth + 1) for _, begin, stop in items]
    return value


def _number(number: float) -> JsonValue:
    if math.isfinite(number) and number == math.trunc(number) and abs(number) < 2**53:
        return int(number)
    return number


def _end(content: bytes, start: int, end: int) -> tuple[str, float | None]:
    status = ""
    ended_s: float | None = None
    for field_key, first, _ in fields(content, start, end):
        if field_key == _STATUS:
            status = _STATUSES.get(first, "")
        elif field_key == _END_TIME:
            (ended_s,) = struct.unpack_from("<d", content, first)
    return status, ended_s if ended_s is not None and math.isfinite(ended_s) and ended_s > 0 else None
