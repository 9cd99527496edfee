"""Sacred's FileStorageObserver: a folder with `run.json` and `config.json` (0.7 and 0.8).

`config.json` holds the parameters (jsonpickle's forms of arrays, tuples and numbers are read as plain values, never
restored), `meta.config_updates` in `run.json` what was changed for this run. Metrics come from `metrics.json`; lists
and numbers of `info.json` that are not there already are metrics too: PyMARL and others write `<name>` beside
`<name>_T` with the steps. A result that is a number is the metric `result`. Times are UTC. The host's environment
variables are never read.
Link: https://sacred.readthedocs.io/en/stable/observers.html#file-storage-observer
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Iterator, Mapping, Sequence

from mlbench.model import (
    Adapter,
    Artifact,
    Claim,
    Cursor,
    Environment,
    Fact,
    GitState,
    ImportedTag,
    JsonValue,
    Layer,
    Listing,
    Problem,
    ReadStatus,
    Role,
    RunField,
    Source,
)
from mlbench.redaction import redact_url
from mlbench.wire.content import paths_in, sniff
from mlbench.wire.dump_literal import literal_value
from mlbench.wire.dump_tree import TreeError, load_tree
from mlbench.wire.jsonlog import (
    as_list,
    as_mapping,
    as_number,
    as_text,
    load_json_file,
    numbers_in,
    params_in,
    utc_seconds,
)
from mlbench.wire.points import PointCollector, as_step

_FILES = ("run.json", "config.json", "metrics.json", "info.json")
_MARKS = (b'"experiment"', b'"heartbeat"', b'"artifacts"', b'"start_time"')
_STATUSES = {
    "RUNNING": "running",
    "QUEUED": "running",
    "COMPLETED": "finished",
    "FAILED": "failed",
    "INTERRUPTED": "killed",
    "TIMEOUT": "killed",
    "DIED": "failed",
}
_MAX_DEPTH = 40


def claims(listing: Listing) -> Iterator[Claim]:
    if not listing.has("run.json") or not listing.has("config.json"):
        return
    head = sniff(os.path.join(listing.path, "run.json"), 65_536)
    if not head or any(mark in head for mark in _MARKS):
        yield Claim(listing.path, Role.TRACKER, listing.path, follows=paths_in(listing.path, _FILES))


def read(source: Source, _cursor: Mapping[str, JsonValue] | None) -> Iterator[Fact]:
    found: list[Problem] = []
    run = _load(source.path, "run.json", found)
    yield from _run_fields(run)
    yield from _code(as_mapping(run.get("experiment")))
    yield from _environment(as_mapping(run.get("host")), as_mapping(run.get("experiment")))
    yield from params_in(_plain_mapping(_load(source.path, "config.json", found)), Layer.CONFIG)
    yield from params_in(_plain_mapping(_updates(as_mapping(run.get("meta")))), Layer.OVERRIDE)
    collector = PointCollector()
    for metric, series in _load(source.path, "metrics.json", found).items():
        _add_metric(collector, metric, as_mapping(series))
    _add_info(collector, _plain_mapping(_load(source.path, "info.json", found)))
    for name, number in numbers_in({"result": _plain(run.get("result"), 0)}):
        collector.add(name, 0, number, utc_seconds(run.get("stop_time")) or math.nan)
    yield from collector.flush()
    yield from found
    status = ReadStatus.EOF if not found else ReadStatus.DAMAGED if run else ReadStatus.UNREADABLE
    yield Cursor({}, status, collector.n_points, len(found))


def _load(folder: str, name: str, found: list[Problem]) -> Mapping[str, JsonValue]:
    """An object in a JSON file; empty where the file is not there (Sacred writes some late), empty or unreadable."""
    path = os.path.join(folder, name)
    if not os.path.lexists(path) and name not in ("run.json", "config.json"):
        return {}
    file = load_json_file(path)
    if file.problem:
        found.append(file.problem)
    elif file.status is ReadStatus.EMPTY:
        found.append(Problem(path, "the file is empty"))
    elif not isinstance(file.value, Mapping):
        found.append(Problem(path, "it holds no JSON object"))
    return as_mapping(file.value)


def _run_fields(run: Mapping[str, JsonValue]) -> Iterator[Fact]:
    experiment, meta = as_mapping(run.get("experiment")), as_mapping(run.get("meta"))
    named = {
        "project": as_text(experiment.get("name")),
        "entry_point": as_text(experiment.get("mainfile")),
        "host": as_text(as_mapping(run.get("host")).get("hostname")),
        "note": as_text(meta.get("comment")),
        "status": _STATUSES.get(as_text(run.get("status")), ""),
    }
    for field, text in named.items():
        if text:
            yield RunField(field, text)
    for field, key in (("started", "start_time"), ("ended", "stop_time")):
        if (moment := utc_seconds(run.get(key))) is not None:
            yield RunField(field, moment)
    for part in as_list(run.get("artifacts")):
        # Newer versions write an object with name and file, older ones the name alone.
        if name := as_text(part) or as_text(as_mapping(part).get("name")):
            yield Artifact("file", name, role="output")
    if trace := [as_text(line) for line in as_list(run.get("fail_trace"))]:
        yield ImportedTag("error", trace[-1].strip().split("\n")[-1])


def _code(experiment: Mapping[str, JsonValue]) -> Iterator[GitState]:
    """The first repository: that of the main file."""
    for part in as_list(experiment.get("repositories"))[:1]:
        repository = as_mapping(part)
        commit, is_dirty = as_text(repository.get("commit")), repository.get("dirty")
        if commit:
            dirty = is_dirty if isinstance(is_dirty, bool) else None
            remote = redact_url(as_text(repository.get("url")))
            yield GitState(commit, "recorded", is_dirty=dirty, remote=remote)


def _environment(host: Mapping[str, JsonValue], experiment: Mapping[str, JsonValue]) -> Iterator[Environment]:
    for key, name in (("python", "python_version"), ("hostname", "hostname"), ("cpu", "cpu")):
        if text := as_text(host.get(name)):
            yield Environment(key, text)
    if system := as_list(host.get("os")):
        yield Environment("os", as_text(system[-1]))
    gpus = as_list(as_mapping(host.get("gpus")).get("gpus"))
    if models := [model for gpu in gpus if (model := as_text(as_mapping(gpu).get("model")))]:
        yield Environment("gpu", ", ".join(models))
    for dependency in as_list(experiment.get("dependencies")):
        package, _, version = as_text(dependency).partition("==")
        if package and version:
            yield Environment(f"package:{package}", version)


def _updates(meta: Mapping[str, JsonValue]) -> Mapping[str, JsonValue]:
    """What was changed for this run; older Sacred has only the command line's `key=value` words."""
    updates = meta.get("config_updates")
    if isinstance(updates, Mapping):
        return updates
    words = [as_text(word) for word in as_list(as_mapping(meta.get("options")).get("UPDATE"))]
    return {key: _typed(text) for key, is_pair, text in (word.partition("=") for word in words) if is_pair}


def _typed(text: str) -> JsonValue:
    try:
        return load_tree(literal_value(text)).value
    except TreeError:
        return text


# ---------------------------------------------------------------- jsonpickle


def _plain_mapping(value: Mapping[str, JsonValue]) -> Mapping[str, JsonValue]:
    return {key: _plain(part, 1) for key, part in value.items()}


def _plain(value: JsonValue, depth: int) -> JsonValue:
    """Forms of jsonpickle as plain values: `values` of an array, `value` of a number, the parts of a tuple.

    What cannot be read without restoring it (`py/reduce`, `py/id`) is None.
    """
    if depth > _MAX_DEPTH:
        return None
    if isinstance(value, Mapping):
        return _plain_form(value, depth)
    if isinstance(value, list):
        return [_plain(part, depth + 1) for part in value]
    return value


def _plain_form(value: Mapping[str, JsonValue], depth: int) -> JsonValue:
    for key in ("py/tuple", "py/set"):
        if key in value:
            return _plain(value[key], depth + 1)
    if as_text(value.get("py/object")).startswith("numpy."):
        inner = value.get("values", value.get("value"))
        return _plain(inner, depth + 1)
    if any(key in value for key in ("py/reduce", "py/id", "py/b64", "py/bytes", "py/repr")):
        return None
    for key in ("py/type", "py/function"):
        if key in value:
            return value[key]
    return {key: _plain(part, depth + 1) for key, part in value.items() if key != "py/object"}


# ---------------------------------------------------------------- metrics


def _add_metric(collector: PointCollector, metric: str, series: Mapping[str, JsonValue]) -> None:
    steps, times = as_list(series.get("steps")), as_list(series.get("timestamps"))
    for place, part in enumerate(as_list(series.get("values"))):
        number = as_number(_plain(part, 0))
        if number is None:
            continue
        wall_s = utc_seconds(times[place]) if place < len(times) else None
        collector.add(metric, _step_at(steps, place), number, math.nan if wall_s is None else wall_s)


def _step_at(steps: Sequence[JsonValue], place: int) -> int:
    """The step that is written for a place, else the place itself."""
    step = as_step(_plain(steps[place], 0)) if place < len(steps) else None
    return place if step is None else step


def _add_info(collector: PointCollector, info: Mapping[str, JsonValue]) -> None:
    known = set(collector.names)
    for name, value in info.items():
        is_steps = name.endswith("_T") and isinstance(info.get(name[:-2]), list)
        if name in known or is_steps:
            continue
        if isinstance(value, list):
            steps = as_list(info.get(f"{name}_T"))
            for place, part in enumerate(value):
                if (number := as_number(part)) is not None:
                    collector.add(name, _step_at(steps, place), number)
        else:
            for key, number in numbers_in({name: value}):
                collector.add(key, 0, number)


def example(folder: str) -> None:
    """A completed run with one update and one metric."""
    run = {
        "artifacts": [],
        "command": "main",
        "experiment": {"dependencies": ["numpy==2.4.6"], "mainfile": "make.py", "name": "demo", "repositories": []},
        "host": {"ENV": {}, "hostname": "node1", "os": ["Linux", "Linux-6.1"], "python_version": "3.11.7"},
        "meta": {"command": "main", "config_updates": {"lr": 0.5}},
        "result": 0.7,
        "start_time": "2026-11-23T07:20:46.313752",
        "status": "COMPLETED",
        "stop_time": "2026-11-23T07:20:46.324555",
    }
    config = {"lr": 0.5, "net": {"width": 128}, "tup": {"py/tuple": [1, 2]}}
    times = ["2026-11-23T07:20:46.323633", "2026-11-23T07:20:46.323682"]
    metrics = {"loss": {"steps": [0, 1], "timestamps": times, "values": [1.0, math.nan]}}
    for name, value in (("run.json", run), ("config.json", config), ("metrics.json", metrics), ("info.json", {})):
        with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
            json.dump(value, file, indent=2)


ADAPTER = Adapter(
    name="sacred",
    claims=claims,
    read=read,
    example=example,
    formats="Sacred's FileStorageObserver, Sacred 0.7 and 0.8 (also as PyMARL writes it)",
    files=_FILES,
)
