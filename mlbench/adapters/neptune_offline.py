"""An offline run of Neptune's client (1.x): `.neptune/offline/run__<id>__.../` with `metadata.json` and `data-<n>.log`.

The log is JSON objects one behind another, each an operation on an attribute in the order in which the program asked
for it: values assigned, tags added, numbers appended to a series. Files that were to be uploaded are told by name.
Link: https://docs.neptune.ai/usage/neptune_connection_modes/#offline
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import field

from mlbench.dataclass import dataclass
from mlbench.model import (
    Adapter,
    Artifact,
    Claim,
    Cursor,
    DataVersion,
    Environment,
    Fact,
    JsonValue,
    Listing,
    Problem,
    ReadStatus,
    Role,
    Source,
)
from mlbench.wire.content import load_content, sniff
from mlbench.wire.jsonlog import JsonError, as_list, as_mapping, as_number, as_text, load_json, load_json_file
from mlbench.wire.neptune import Attributes, as_micro, places_needed, scale_fact
from mlbench.wire.points import PointCollector

_LOG = re.compile(r"data-(\d{1,9})\.log")
_MAX_LOG_BYTES = 256 << 20
"""The client begins a new file at 64 MiB."""
_MAX_TRACKED = 1000
_MAX_PATH = 64


def claims(listing: Listing) -> Iterator[Claim]:
    logs = [name for name in listing.ending("log") if _LOG.fullmatch(name)]
    if not logs or not listing.has("metadata.json"):
        return
    about = os.path.join(listing.path, "metadata.json")
    head = sniff(about, 4096)
    if os.path.basename(listing.path).startswith("run__") or (head and b'"containerType"' in head):
        follows = (about, *(os.path.join(listing.path, name) for name in logs))
        yield Claim(listing.path, Role.TRACKER, listing.path, is_closed=True, follows=follows)


@dataclass(slots=True)
class _Told:
    """What the operations have said so far."""

    attributes: Attributes = field(default_factory=Attributes)
    points: list[tuple[str, int, float, float]] = field(default_factory=list)
    """Metric, step in millionths, value, Unix seconds."""
    next_steps: dict[str, int] = field(default_factory=dict)
    files: dict[str, Artifact] = field(default_factory=dict)
    data: dict[str, DataVersion] = field(default_factory=dict)
    n_operations: int = 0
    n_bad: int = 0


def read(source: Source, _cursor: Mapping[str, JsonValue] | None) -> Iterator[Fact]:
    told, found = _Told(), list[Problem]()
    about = load_json_file(os.path.join(source.path, "metadata.json"))
    if about.problem:
        found.append(about.problem)
    status = ReadStatus.EMPTY
    for path in _logs(source):
        status = _read_log(path, told, found)
    yield from _points(told)
    yield from told.attributes.facts(is_over=False)
    yield from _machine(as_mapping(about.value), told)
    yield from told.files.values()
    yield from told.data.values()
    if told.n_bad:
        found.append(Problem(source.path, f"{told.n_bad} operations could not be read and were left out"))
    yield from found
    if found and status not in (ReadStatus.LFS_POINTER, ReadStatus.UNREADABLE):
        status = ReadStatus.DAMAGED
    yield Cursor({}, status, told.n_operations, told.n_bad)


def _logs(source: Source) -> list[str]:
    """The logs by number: 10 comes behind 9."""
    numbered = [(int(match[1]), path) for path in source.follows if (match := _LOG.fullmatch(os.path.basename(path)))]
    return [path for _number, path in sorted(numbered)]


def _read_log(path: str, told: _Told, found: list[Problem]) -> ReadStatus:
    content = load_content(path, limit_bytes=_MAX_LOG_BYTES)
    if content.problem:
        found.append(content.problem)
    if content.status is not ReadStatus.EOF:
        return content.status
    text = content.data.decode("utf-8", "replace")
    place, decoder = 0, json.JSONDecoder()
    while place < len(text):
        if text[place].isspace() or text[place] == "\0":
            place += 1
            continue
        try:
            _value, end = decoder.raw_decode(text, place)
            value = load_json(text[place:end])
        except (ValueError, RecursionError) as error:
            if not isinstance(error, JsonError) and text.find("\n", place) < 0:
                return ReadStatus.TRUNCATED
            told.n_bad += 1
            end = text.find("\n", place)
            place = end if end >= 0 else len(text)
            continue
        place = end
        told.n_operations += 1
        _take(as_mapping(as_mapping(value).get("obj")), told)
    return ReadStatus.EOF


def _take(operation: Mapping[str, JsonValue], told: _Told) -> None:
    kind = as_text(operation.get("type"))
    path = "/".join(str(part) for part in as_list(operation.get("path"))[:_MAX_PATH])
    attributes = told.attributes
    if not kind or not path:
        told.n_bad += 1
    elif kind in ("AssignFloat", "AssignInt", "AssignBool", "AssignString", "AssignDatetime"):
        attributes.values[path] = operation.get("value")
    elif kind in ("AddStrings", "RemoveStrings"):
        known = attributes.sets.setdefault(path, [])
        words = [str(word) for word in as_list(operation.get("values"))]
        if kind == "AddStrings":
            known += [word for word in words if word not in known]
        else:
            attributes.sets[path] = [word for word in known if word not in words]
    elif kind == "LogFloats":
        _add_points(path, operation, told)
    elif kind == "UploadFile":
        place = as_text(operation.get("file_path")) or as_text(operation.get("file_name"))
        told.files[path] = Artifact("file", path, place, role="output")
    elif kind == "AssignArtifact":
        told.data[path] = DataVersion("neptune", path, as_text(operation.get("hash")))
    elif kind == "TrackFilesToArtifact":
        _track(path, operation, told)
    elif kind in ("DeleteAttribute", "ClearArtifact"):
        _forget(path, told)


def _track(path: str, operation: Mapping[str, JsonValue], told: _Told) -> None:
    """Files by address and the name that they get: the hash of the artifact is made by the server, and never was."""
    told.data.setdefault(path, DataVersion("neptune", path, "", is_pinned=False))
    for entry in as_list(operation.get("entries"))[:_MAX_TRACKED]:
        if place := as_text(next(iter(as_list(entry)), None)):
            told.files[f"{path}:{place}"] = Artifact("data", path, place, role="input")


def _forget(path: str, told: _Told) -> None:
    told.attributes.values.pop(path, None)
    told.attributes.sets.pop(path, None)
    told.files = {key: file for key, file in told.files.items() if key != path and not key.startswith(f"{path}:")}
    told.data.pop(path, None)
    told.points = [point for point in told.points if point[0] != path]


def _add_points(path: str, operation: Mapping[str, JsonValue], told: _Told) -> None:
    """A number without a step stands one behind the last."""
    for entry in as_list(operation.get("values")):
        point = as_mapping(entry)
        value, step = as_number(point.get("value")), as_micro(point.get("step"))
        if value is None:
            told.n_bad += 1
            continue
        step = told.next_steps.get(path, 0) if step is None else step
        told.next_steps[path] = step + 1_000_000
        wall_s = as_number(point.get("ts"))
        told.points.append((path, step, value, float("nan") if wall_s is None or abs(wall_s) > 1e12 else wall_s))


def _points(told: _Told) -> Iterator[Fact]:
    places = places_needed([step for _metric, step, _value, _wall_s in told.points])
    collector = PointCollector()
    for metric, step, value, wall_s in told.points:
        collector.add(metric, step // 10 ** (6 - places), value, wall_s)
        if collector.is_full:
            yield from collector.flush()
    yield from collector.flush()
    yield from scale_fact(places)


def _machine(about: Mapping[str, JsonValue], told: _Told) -> Iterator[Fact]:
    """What the client noted of itself; nothing else of the file is taken."""
    if "sys/creation_time" not in told.attributes.values and (created := as_text(about.get("createdAt"))):
        yield from Attributes({"sys/creation_time": created}).facts(is_over=False)
    if python := as_text(about.get("pythonVersion")).partition(" ")[0]:
        yield Environment("python", python)
    if system := as_text(about.get("os")):
        yield Environment("os", system)
    if identity := as_text(about.get("containerId")):
        yield Environment("neptune_id", identity)


def example(folder: str) -> None:
    """A run of two points, a parameter and a tag."""
    operations = (
        {"type": "AssignString", "path": ["sys", "name"], "value": "first"},
        {"type": "AssignFloat", "path": ["params", "lr"], "value": 0.1},
        {"type": "LogFloats", "path": ["metrics", "loss"], "values": [{"value": 1.0, "step": 0, "ts": 1795418547.9}]},
        {"type": "LogFloats", "path": ["metrics", "loss"], "values": [{"value": 0.5, "step": 1, "ts": 1795418548.9}]},
        {"type": "AddStrings", "path": ["sys", "tags"], "values": ["baseline"]},
    )
    inner = os.path.join(folder, "run__f9330c39-2c67-4029-ba6a-fa8046ed693b__10053__2myrnzuo")
    os.makedirs(inner)
    with open(os.path.join(inner, "metadata.json"), "w", encoding="utf-8") as file:
        json.dump({"mode": "offline", "containerType": "run", "createdAt": "2026-11-23T07:22:27+00:00"}, file)
    with open(os.path.join(inner, "data-1.log"), "w", encoding="utf-8") as file:
        for number, operation in enumerate(operations, 1):
            file.write(json.dumps({"obj": operation, "version": number, "at": 1795418547.9}) + "\n")


ADAPTER = Adapter(
    name="neptune-offline",
    claims=claims,
    read=read,
    example=example,
    version=2,
    formats="Neptune client 1.x, runs that were recorded offline",
    files=(".neptune/offline/run__*/data-*.log", ".neptune/offline/run__*/metadata.json"),
)
