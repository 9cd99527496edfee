"""ClearML offline: `offline-<id>/` with `task.json` and `metrics.jsonl`, or the same as a zip file; ClearML 1 and 2.

`task.json` holds project, name, tags, comment, hyper-parameters (as texts, with a type), script and requirements.
Parameters of ClearML's own sections `General` and `Args` are named without the section, those of others behind it;
`/` in names becomes a dot. The uncommitted diff that the script holds is never copied. Each line of `metrics.jsonl` is
an array of events; a scalar is `metric/variant`, and a single value a metric of one point at step 0. Confusion
matrices among the plots are remembered by their place; of a zip file they are not.

Where folder and zip file stand side by side they are one run: the folder is read.
Link: https://clear.ml/docs/latest/docs/guides/set_offline
"""

from __future__ import annotations

import json
import math
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import field

from mlbench.dataclass import dataclass
from mlbench.model import (
    Adapter,
    Artifact,
    Blob,
    Claim,
    Cursor,
    Environment,
    Fact,
    GitState,
    ImportedTag,
    JsonValue,
    Layer,
    Listing,
    Param,
    Problem,
    ReadStatus,
    Role,
    RunField,
    Source,
)
from mlbench.redaction import redact_url
from mlbench.wire.content import Content, load_content, sniff
from mlbench.wire.counting import so_many
from mlbench.wire.dump_values import core_value
from mlbench.wire.jsonlog import JsonError, as_list, as_mapping, as_number, as_text, json_of, load_json
from mlbench.wire.points import PointCollector, as_step
from mlbench.wire.zipped import MAGIC, load_member

_TASK, _METRICS = "task.json", "metrics.jsonl"
_PLAIN_SECTIONS = ("General", "Args")
_SINGLE_VALUE_STEP = -(1 << 31)
_SINGLE_VALUE_METRIC = "Summary"
_REQUIREMENT = re.compile(r"([A-Za-z0-9_.-]+) *== *([^\s;]+)")
_MATRIX = re.compile(rb'\\"z\\": *(\[ *\[[-+\d.eE, \[\]]*\] *\])')
"""A matrix of numbers within the text of a plot, which is JSON in JSON; there is no quote in it to be escaped."""
_MAX_METRICS_BYTES = 256 << 20


def claims(listing: Listing) -> Iterator[Claim]:
    if listing.has(_TASK) and _is_session(listing):
        for name in (_TASK, _METRICS):
            if listing.has(name):
                yield Claim(os.path.join(listing.path, name), Role.TRACKER, listing.path)
    for name in listing.ending("zip"):
        path = os.path.join(listing.path, name)
        if name.startswith("offline-") and (sniff(path, 4) or MAGIC) == MAGIC:
            is_repeated = name[:-4] in listing.folders
            yield Claim(path, Role.ASIDE if is_repeated else Role.TRACKER, listing.path, is_one_training=True)


def _is_session(listing: Listing) -> bool:
    if os.path.basename(listing.path).startswith("offline-"):
        return True
    head = sniff(os.path.join(listing.path, _TASK), 65_536) if listing.has(_METRICS) else b"-"
    return not head or b'"hyperparams"' in head or b'"offline_folder"' in head


def read(source: Source, _cursor: Mapping[str, JsonValue] | None) -> Iterator[Fact]:
    if source.path.endswith(".zip"):
        yield from _read_zip(source.path)
    elif os.path.basename(source.path) == _TASK:
        yield from _read_task(source.path, load_content(source.path))
    else:
        yield from _read_metrics(source.path, load_content(source.path, limit_bytes=_MAX_METRICS_BYTES))


def _read_zip(path: str) -> Iterator[Fact]:
    """Both files of a zipped session; the worse of their states is that of the source."""
    task, metrics = load_member(path, _TASK), load_member(path, _METRICS)
    cursors: list[Cursor] = []
    for fact in (*_read_task(path, task), *(() if metrics.problem else _read_metrics(path, metrics))):
        if isinstance(fact, Cursor):
            cursors.append(fact)
        elif not isinstance(fact, Blob):
            yield fact
    bad = [cursor.status for cursor in cursors if cursor.status not in {ReadStatus.EOF, ReadStatus.EMPTY}]
    n_records, n_bad = sum(cursor.n_records for cursor in cursors), sum(cursor.n_bad for cursor in cursors)
    yield Cursor({}, bad[0] if bad else cursors[0].status, n_records, n_bad)


# ---------------------------------------------------------------- task.json


def _read_task(path: str, content: Content) -> Iterator[Fact]:
    file = json_of(path, content)
    task = as_mapping(file.value)
    if file.problem:
        yield file.problem
    elif file.status is ReadStatus.EOF and "hyperparams" not in task and "project_name" not in task:
        yield Problem(path, "this is no task of ClearML")
    yield from _fields(task)
    yield from (ImportedTag(tag) for tag in map(as_text, as_list(task.get("tags"))) if tag)
    n_params = 0
    for section, entries in as_mapping(task.get("hyperparams")).items():
        for name, entry in as_mapping(entries).items():
            n_params += 1
            yield _param(section, name, as_mapping(entry))
    script = as_mapping(task.get("script"))
    yield from _code(script)
    yield from _environment(script)
    yield from _artifacts(as_mapping(task.get("execution")))
    yield Cursor({}, file.status, n_params)


def _fields(task: Mapping[str, JsonValue]) -> Iterator[RunField]:
    script = as_mapping(task.get("script"))
    named = {
        "name": task.get("name"), "project": task.get("project_name"), "note": task.get("comment"),
        "job_type": task.get("type"), "entry_point": script.get("entry_point"),
    }  # fmt: skip
    for field_name, value in named.items():
        if text := as_text(value):
            yield RunField(field_name, text)


def _param(section: str, name: str, entry: Mapping[str, JsonValue]) -> Param:
    key = name.replace("/", ".")
    raw = entry.get("value")
    text = raw if isinstance(raw, str) else json.dumps(raw)
    kind = as_text(entry.get("type"))
    return Param(key if section in _PLAIN_SECTIONS else f"{section}.{key}", text, _typed(text, kind), Layer.CONFIG)


def _typed(text: str, kind: str) -> JsonValue:
    """The text as the type that ClearML noted; lists and dicts are JSON."""
    if kind == "str":
        return text
    if kind in {"list", "tuple", "dict"}:
        try:
            return load_json(text)
        except JsonError:
            return text
    return core_value(text)


def _code(script: Mapping[str, JsonValue]) -> Iterator[GitState]:
    if commit := as_text(script.get("version_num")):
        remote = redact_url(as_text(script.get("repository")))
        is_dirty = bool(as_text(script.get("diff")))
        yield GitState(commit, "recorded", as_text(script.get("branch")), is_dirty, remote)


def _artifacts(execution: Mapping[str, JsonValue]) -> Iterator[Artifact]:
    """What was uploaded or read; the hash is SHA-256."""
    for part in as_list(execution.get("artifacts")):
        artifact = as_mapping(part)
        if name := as_text(artifact.get("key")):
            digest, role = as_text(artifact.get("hash")), as_text(artifact.get("mode"))
            yield Artifact(
                as_text(artifact.get("type")) or "file", name, redact_url(as_text(artifact.get("uri"))),
                f"sha256:{digest}" if digest else "", as_step(artifact.get("content_size")),
                role if role in {"input", "output"} else "",
            )  # fmt: skip


def _environment(script: Mapping[str, JsonValue]) -> Iterator[Environment]:
    requirements = as_text(as_mapping(script.get("requirements")).get("pip"))
    for line in requirements.splitlines():
        if line.startswith("# Python "):
            yield Environment("python", line.removeprefix("# Python ").split(" ")[0])
        elif found := _REQUIREMENT.match(line):
            yield Environment(f"package:{found[1]}", found[2])


# ---------------------------------------------------------------- metrics.jsonl


@dataclass(slots=True)
class _Events:
    """The events of a session while they are read."""

    points: PointCollector = field(default_factory=PointCollector)
    moments_s: list[float] = field(default_factory=list)
    """First and last."""
    n_bad: int = 0
    is_cut: bool = False
    n_records: int = 0


def _read_metrics(path: str, content: Content) -> Iterator[Fact]:
    if content.problem:
        yield content.problem
    events = _Events()
    offset = 0
    blobs: list[Blob] = []
    for line in content.data.split(b"\n"):
        found = _events_in(line, events, is_last=offset + len(line) == len(content.data))
        blobs.extend(_matrices(found, line, offset))
        for event in found:
            _add(events, event)
        if events.points.is_full:
            yield from events.points.flush()
        offset += len(line) + 1
    yield from events.points.flush()
    yield from blobs
    yield from (RunField(name, moment) for name, moment in zip(("started", "ended"), events.moments_s, strict=False))
    if events.n_bad:
        lines = so_many(events.n_bad, "line is no array of events and was", "lines are no array of events and were")
        yield Problem(path, f"{lines} left out")
    status = ReadStatus.DAMAGED if events.n_bad else ReadStatus.TRUNCATED if events.is_cut else content.status
    yield Cursor({}, status, events.n_records, events.n_bad)


def _events_in(line: bytes, events: _Events, *, is_last: bool) -> list[Mapping[str, JsonValue]]:
    if not line.strip():
        return []
    try:
        value = load_json(line)
    except JsonError:
        events.is_cut |= is_last
        events.n_bad += not is_last
        return []
    if not isinstance(value, list):
        events.n_bad += 1
    return [as_mapping(part) for part in as_list(value)]


def _add(events: _Events, event: Mapping[str, JsonValue]) -> None:
    events.n_records += 1
    wall_s = _moment(event)
    if math.isfinite(wall_s):
        events.moments_s = [*events.moments_s[:1], wall_s] if events.moments_s else [wall_s, wall_s]
    value, step = as_number(event.get("value")), as_step(event.get("iter"))
    if event.get("type") != "training_stats_scalar" or value is None:
        return
    metric, variant = as_text(event.get("metric")), as_text(event.get("variant"))
    if step == _SINGLE_VALUE_STEP and metric == _SINGLE_VALUE_METRIC:
        events.points.add(variant, 0, value, wall_s)
    else:
        events.points.add(f"{metric}/{variant}", 0 if step is None else step, value, wall_s)


def _matrices(found: Iterable[Mapping[str, JsonValue]], line: bytes, offset: int) -> Iterator[Blob]:
    """Square tables of numbers in plots, by their place in the line; plots and matches stand in one order."""
    plots = [event for event in found if event.get("type") == "plot" and '"z": [[' in as_text(event.get("plot_str"))]
    places = list(_MATRIX.finditer(line)) if plots else []
    if len(places) != len(plots):
        return
    for seq, (event, place) in enumerate(zip(plots, places, strict=True)):
        name = f"{as_text(event.get('metric'))}/{as_text(event.get('variant'))}"
        start, end = place.span(1)
        step = as_step(event.get("iter")) or 0
        yield Blob("confusion", name, step, _moment(event), offset + seq, offset + start, end - start, "json")


def _moment(event: Mapping[str, JsonValue]) -> float:
    """Unix seconds, NaN where the event has no time of this age."""
    moment_ms = as_number(event.get("timestamp"))
    return moment_ms / 1000 if moment_ms is not None and 0 < moment_ms < 1e15 else math.nan


def example(folder: str) -> None:
    """A session with two parameters, three points, a single value and a confusion matrix."""
    params = {"learning_rate": {"name": "learning_rate", "section": "General", "type": "float", "value": "0.1"}}
    script = {"entry_point": "train.py", "requirements": {"pip": "# Python 3.11.7 (main)\n\nclearml == 2.1.12\n"}}
    task = {"comment": "note", "hyperparams": {"General": params}, "id": "offline-0e4593d9", "name": "lr0.1",
            "project_name": "demo", "script": script, "tags": ["baseline"], "type": "training"}  # fmt: skip
    base = {"timestamp": 1795418528924, "type": "training_stats_scalar", "method": "get"}
    events: list[dict[str, object]] = [
        {**base, "iter": step, "metric": "loss", "variant": "train", "value": 1 / (1 + step)} for step in range(3)
    ]
    events.append({**base, "iter": _SINGLE_VALUE_STEP, "metric": "Summary", "variant": "best", "value": 0.7})
    plot = json.dumps({"data": [{"z": [[1.0, 2.0], [3.0, 4.0]], "type": "heatmap"}]})
    events.append({**base, "type": "plot", "iter": 0, "metric": "cm", "variant": "v", "plot_str": plot})
    for name, text in ((_TASK, json.dumps(task)), (_METRICS, json.dumps(events) + "\n")):
        with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
            file.write(text)


ADAPTER = Adapter(
    name="clearml",
    claims=claims,
    read=read,
    example=example,
    formats="ClearML's offline sessions, as a folder or zipped",
    files=("offline-*/task.json", "offline-*/metrics.jsonl", "offline-*.zip"),
)
