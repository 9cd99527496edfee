"""ML-Metadata's tables (schema versions 4 to 10) as plain objects: executions, artifacts, and the events between them.

Link: https://github.com/google/ml-metadata/blob/master/ml_metadata/proto/metadata_store.proto
"""

from __future__ import annotations

import base64
import binascii
import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import field

from mlbench.dataclass import dataclass
from mlbench.model import JsonValue
from mlbench.wire.sqlitefile import Database, Scalar

NEEDED = ("type", "execution", "artifact", "event")
_INPUTS, _OUTPUTS = frozenset({2, 3, 5}), frozenset({1, 4, 6})
"""Of Event.type: declared, plain and internal ones. 7 is an output that is not there yet."""
_STATES = {1: "new", 2: "running", 3: "finished", 4: "failed", 5: "cached", 6: "killed"}
_STRUCT = "mlmd-struct::"
_RUN_TYPES = frozenset({"pipeline_run", "system.PipelineRun"})
_PIPELINE_TYPES = frozenset({"pipeline", "system.Pipeline"})
_MAX_STRUCT_CHARS = 4 << 20
Properties = Mapping[str, JsonValue]


@dataclass(slots=True)
class Node:
    """An execution or an artifact."""

    number: int
    type_name: str
    name: str
    uri: str = ""
    state: str = ""
    created_s: float | None = None
    updated_s: float | None = None
    properties: dict[str, JsonValue] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Event:
    execution: int
    artifact: int
    direction: str
    """input or output."""
    key: str
    """The name of the input or output: `examples`, `model`; '' where none was recorded."""


@dataclass(slots=True)
class PipelineRun:
    """The executions that belong together."""

    name: str
    pipeline: str
    executions: list[int]


@dataclass(slots=True)
class Store:
    executions: dict[int, Node]
    artifacts: dict[int, Node]
    events: dict[int, list[Event]]
    """By execution."""
    runs: dict[str, PipelineRun]
    """By native id: the context's number, or the part of the executions' names before their last slash."""


def is_store(database: Database) -> bool:
    """Whether these are the tables of ML-Metadata."""
    return (
        all(database.has(table, "id") for table in NEEDED)
        and database.has("event", "artifact_id", "execution_id", "type")
        and database.has("execution", "type_id", "last_known_state")
    )


def read_store(database: Database) -> Store:
    """The whole store.

    Raises:
        DatabaseError: the file is damaged or locked.
    """
    types = {number: _text(name) for number, name in database.rows("type", ("id", "name"))}
    executions = _nodes(database, "execution", types, ("last_known_state",))
    artifacts = _nodes(database, "artifact", types, ("state", "uri"))
    return Store(executions, artifacts, _events(database), _runs(database, types, executions))


_TIMES = ("create_time_since_epoch", "last_update_time_since_epoch")


def _nodes(database: Database, table: str, types: Mapping[Scalar, str], own: tuple[str, ...]) -> dict[int, Node]:
    nodes: dict[int, Node] = {}
    for number, kind, name, created, updated, state, *rest in database.rows(
        table, ("id", "type_id", "name", *_TIMES, *own)
    ):
        if isinstance(number, int):
            known = _STATES.get(state, "") if isinstance(state, int) else ""
            uri = _text(rest[0]) if rest else ""
            nodes[number] = Node(
                number, types.get(kind, ""), _text(name), uri, known, _seconds(created), _seconds(updated)
            )
    columns = ("int_value", "double_value", "string_value", "bool_value", "proto_value")
    for owner, name, *values in database.rows(f"{table}property", (f"{table}_id", "name", *columns)):
        if isinstance(owner, int) and owner in nodes:
            nodes[owner].properties[_text(name)] = _property(values)
    return nodes


def _property(values: Iterable[Scalar]) -> JsonValue:
    """The one of the typed columns that is filled; a Struct as what it holds."""
    integer, number, text, flag, proto = values
    if flag is not None:
        return bool(flag)
    if proto is not None:
        return _struct_of_any(_text(proto))
    for value in (integer, number):
        if isinstance(value, int | float):
            return value
    told = _text(text)
    return _struct(told.removeprefix(_STRUCT)) if told.startswith(_STRUCT) else told


def _struct(text: str) -> JsonValue:
    """A `google.protobuf.Struct` in base64; the text itself where it is none."""
    data = _from_base64(text)
    return text if data is None else _struct_value(data, text)


def _struct_of_any(text: str) -> JsonValue:
    """A Struct within a `google.protobuf.Any` in base64."""
    from google.protobuf.any_pb2 import Any
    from google.protobuf.message import DecodeError

    data = _from_base64(text)
    if data is None:
        return text
    try:
        inner = Any.FromString(data).value
    except DecodeError:
        return text
    return _struct_value(inner, text)


def _from_base64(text: str) -> bytes | None:
    if len(text) > _MAX_STRUCT_CHARS:
        return None
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None


def _struct_value(data: bytes, text: str) -> JsonValue:
    from google.protobuf.json_format import Error, MessageToDict
    from google.protobuf.message import DecodeError
    from google.protobuf.struct_pb2 import Struct

    try:
        value = MessageToDict(Struct.FromString(data))
    except (DecodeError, Error, RecursionError, ValueError):
        return text
    return _whole_numbers(value)


def _whole_numbers(value: JsonValue) -> JsonValue:
    """Structs know only doubles: those that are whole were integers. They know no order: the names' own is taken."""
    if isinstance(value, dict):
        return {key: _whole_numbers(part) for key, part in sorted(value.items())}
    if isinstance(value, list):
        return [_whole_numbers(part) for part in value]
    return int(value) if isinstance(value, float) and value.is_integer() and abs(value) < 1 << 53 else value


def _events(database: Database) -> dict[int, list[Event]]:
    keys: dict[Scalar, str] = {}
    for number, key in database.rows("eventpath", ("event_id", "step_key")):
        if key is not None:
            keys.setdefault(number, _text(key))
    events: dict[int, list[Event]] = defaultdict(list)
    for number, artifact, execution, kind in database.rows("event", ("id", "artifact_id", "execution_id", "type")):
        if isinstance(artifact, int) and isinstance(execution, int) and kind in _INPUTS | _OUTPUTS:
            direction = "input" if kind in _INPUTS else "output"
            events[execution].append(Event(execution, artifact, direction, keys.get(number, "")))
    return events


def _runs(database: Database, types: Mapping[Scalar, str], executions: Mapping[int, Node]) -> dict[str, PipelineRun]:
    """Contexts of pipeline runs with their executions; where there is none, executions by the names they share."""
    contexts: dict[int, tuple[str, str]] = {}
    for number, kind, name in database.rows("context", ("id", "type_id", "name")):
        if isinstance(number, int):
            contexts[number] = (types.get(kind, ""), _text(name))
    contexts_of: dict[int, list[int]] = defaultdict(list)
    for context, execution in database.rows("association", ("context_id", "execution_id")):
        if isinstance(context, int) and isinstance(execution, int) and context in contexts:
            contexts_of[execution].append(context)
    runs: dict[str, PipelineRun] = {}
    for number in sorted(executions):
        mine = contexts_of[number]
        named = [context for context in mine if contexts[context][0] in _RUN_TYPES]
        pipeline = next((contexts[one][1] for one in mine if contexts[one][0] in _PIPELINE_TYPES), "")
        key, name = (str(named[0]), contexts[named[0]][1]) if named else _by_name(executions[number])
        runs.setdefault(key, PipelineRun(name, pipeline, [])).executions.append(number)
    return runs


def _by_name(execution: Node) -> tuple[str, str]:
    shared = execution.name.rpartition("/")[0]
    return (shared, shared) if shared else ("executions", "executions")


def step_name(execution: Node) -> str:
    """`Trainer`, of a TFX component's module path; the display name or own name elsewhere."""
    if shown := execution.properties.get("display_name"):
        return str(shown)
    if execution.name:
        return execution.name.rpartition("/")[2]
    return execution.type_name.rpartition(".")[2] or f"execution {execution.number}"


def decoded(value: JsonValue) -> JsonValue:
    """A property that holds JSON as what it holds: TFX writes its components' arguments so."""
    if isinstance(value, str) and value[:1] in "{[" and len(value) < _MAX_STRUCT_CHARS:
        try:
            found: JsonValue = json.loads(value)
        except (ValueError, RecursionError):
            return value
        return found
    return value


def _text(value: Scalar) -> str:
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return "" if value is None else str(value).encode("utf-8", "replace").decode()


def _seconds(value: Scalar) -> float | None:
    return value / 1000 if isinstance(value, int) and 0 < value < 1 << 53 else None
