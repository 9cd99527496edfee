"""MLflow's file store: a run's folder in `mlruns/<experiment>/<run>/`, of MLflow 0.8 to 3.

`meta.yaml` with `run_id` (or `run_uuid`), beside `params/`, `metrics/`, `tags/`, one file for each name, slashes as
folders. Lines of a metric are `milliseconds value step`. MLflow 3 repeats lines when a model is logged; an identical
line counts once. Parameters are stored as text and read as what the text means. Data sets are those that `inputs/`
names. Experiment and data sets stand in the folder above, the registry of models in `mlruns/models/`.
Link: https://mlflow.org/docs/latest/ml/tracking/backend-stores/
"""

from __future__ import annotations

import math
import os
import re
from collections.abc import Generator, Iterator, Mapping, Sequence
from io import BytesIO
from typing import BinaryIO, TypeAlias

from mlbench.model import (
    Adapter,
    Claim,
    Cursor,
    Fact,
    JsonValue,
    Layer,
    Listing,
    ModelVersion,
    Param,
    Problem,
    ReadStatus,
    Role,
    RunField,
    Source,
)
from mlbench.wire.content import files_below, load_content, sniff, unreadable
from mlbench.wire.dump_tree import Loaded, TreeError
from mlbench.wire.files import open_regular, read_head, read_whole
from mlbench.wire.jsonlog import as_mapping, as_text
from mlbench.wire.mlflow import CONTEXT_TAG, data_set_facts, logged_model, registered, run_facts, typed_param
from mlbench.wire.mlflow_registry import versions_of_run
from mlbench.wire.points import PointCollector
from mlbench.wire.yamltext import load_yaml

Meta: TypeAlias = Mapping[str, JsonValue]

_PARTS = ("params", "metrics", "tags")
_RUN_META = re.compile(rb"^run_(?:id|uuid):", re.MULTILINE)
_VERSION_META = re.compile(rb"^version:", re.MULTILINE)
"""A version in the registry names a run, too, and is none."""
_DATA_SET_ID = re.compile(rb"^source_id: *['\"]?([\w-]+)", re.MULTILINE)
_MODEL_ID = re.compile(rb"^destination_id: *['\"]?([\w-]+)", re.MULTILINE)
_NUMBERS = frozenset({"start_time", "end_time", "status"})
_MAX_TEXT_BYTES = 1 << 20
_MAX_LINE_BYTES = 4096
_MAX_AT_ONCE_BYTES = 1 << 20
_MAX_COMPARED = 200_000
"""Lines of one metric that are remembered to find repetitions."""


def claims(listing: Listing) -> Iterator[Claim]:
    if not listing.has("meta.yaml"):
        return
    path = os.path.join(listing.path, "meta.yaml")
    head = sniff(path, 4096)
    if head and _VERSION_META.search(head):
        return
    if head is None or not _RUN_META.search(head):
        n_parts = sum(part in listing.folders for part in _PARTS)
        if n_parts < 2 or (head and b"model_id:" in head):
            return
    follows = [path]
    for part in (*_PARTS, "inputs", "outputs"):
        if part in listing.folders:
            follows.extend(path for path, _ in files_below(os.path.join(listing.path, part)))
    for _version, paths in _registered(listing.path):
        follows.extend(paths)
    follows.extend(_beside(listing.path, follows))
    yield Claim(listing.path, Role.TRACKER, listing.path, is_closed=True, follows=tuple(follows))


def _beside(run_folder: str, follows: Sequence[str]) -> Iterator[str]:
    """What tells of the run's experiment, data sets and models, in the folder above."""
    experiment = os.path.dirname(run_folder)
    yield os.path.join(experiment, "meta.yaml")
    for part, kind, place in (("inputs", _DATA_SET_ID, "datasets"), ("outputs", _MODEL_ID, "models")):
        for path in follows:
            if path.startswith(os.path.join(run_folder, part, "")) and (found := kind.search(read_head(path))):
                yield os.path.join(experiment, place, found[1].decode(), "meta.yaml")


def _registered(run_folder: str) -> list[tuple[ModelVersion, tuple[str, ...]]]:
    """The versions of models that were made of the run, with their files; the store is two folders above it."""
    return versions_of_run(os.path.dirname(os.path.dirname(run_folder)), os.path.basename(run_folder))


def read(source: Source, _cursor: Mapping[str, JsonValue] | None) -> Iterator[Fact]:
    found: list[Problem] = []
    meta = _load_meta(os.path.join(source.path, "meta.yaml"), found)
    tags = dict(_texts(os.path.join(source.path, "tags"), found))
    yield from run_facts(meta, tags)
    yield from _experiment(source.path)
    for key, raw in _texts(os.path.join(source.path, "params"), found):
        yield Param(key, raw, typed_param(raw), Layer.CONFIG)
    yield from _data_versions(source.path, found)
    yield from _models(source.path, found)
    for version, _paths in _registered(source.path):
        yield from registered(version)
    n_points, n_bad = yield from _metrics(os.path.join(source.path, "metrics"), found)
    yield from found
    status = ReadStatus.UNREADABLE if found and not meta else ReadStatus.DAMAGED if found else ReadStatus.EOF
    yield Cursor({}, status, n_points, n_bad)


def _load_meta(path: str, found: list[Problem]) -> Meta:
    """A meta.yaml as a mapping, empty where it cannot be read."""
    content = load_content(path)
    if content.problem:
        found.append(content.problem)
        return {}
    try:
        loaded = load_yaml(content.data.decode("utf-8", "replace"))
    except TreeError as error:
        found.append(Problem(path, f"it {error.what}", f"line {error.line}" if error.line else ""))
        return {}
    if not isinstance(loaded.value, Mapping):
        found.append(Problem(path, "it holds no 'key: value' lines"))
    return {key: _value(loaded, key, value) for key, value in as_mapping(loaded.value).items()}


def _value(loaded: Loaded, key: str, value: JsonValue) -> JsonValue:
    """Times and states as numbers, all else as text: a commit or digest may look like a number (`1e924568`)."""
    if value is None or isinstance(value, str | Mapping) or key in _NUMBERS or (key,) not in loaded.raw:
        return value
    return loaded.raw[(key,)].text


def _texts(folder: str, found: list[Problem]) -> Iterator[tuple[str, str]]:
    """Name and text of every file below `params` or `tags`."""
    for path, name in files_below(folder):
        content = load_content(path, limit_bytes=_MAX_TEXT_BYTES)
        if content.problem:
            found.append(content.problem)
        else:
            yield _readable(name), content.data.decode("utf-8", "replace")


def _readable(name: str) -> str:
    """A name made of file names as text that can be stored."""
    return os.fsencode(name).decode("utf-8", "replace")


def _experiment(run_folder: str) -> Iterator[RunField]:
    """The project: the experiment's name, in the folder above (which may be absent when one run was copied)."""
    path = os.path.join(os.path.dirname(run_folder), "meta.yaml")
    if os.path.isfile(path) and (name := as_text(_load_meta(path, []).get("name"))):
        yield RunField("project", name)


def _data_versions(run_folder: str, found: list[Problem]) -> Iterator[Fact]:
    for path, name in files_below(os.path.join(run_folder, "inputs"), depth=1):
        if not name.endswith("/meta.yaml"):
            continue
        link = _load_meta(path, found)
        identity = as_text(link.get("source_id"))
        if link.get("source_type") != "DATASET" or not re.fullmatch(r"[\w-]+", identity):
            continue
        about = os.path.join(os.path.dirname(run_folder), "datasets", identity, "meta.yaml")
        data_set = _load_meta(about, found) if os.path.isfile(about) else {}
        name, digest = as_text(data_set.get("name")) or identity, as_text(data_set.get("digest"))
        context = as_text(as_mapping(link.get("tags")).get(CONTEXT_TAG))
        profile, schema = as_text(data_set.get("profile")), as_text(data_set.get("schema"))
        yield from data_set_facts(name, digest or identity, profile, schema, context)


def _models(run_folder: str, found: list[Problem]) -> Iterator[Fact]:
    """Models that the run has logged (MLflow 3); they lie beside the runs of the experiment."""
    store = os.path.dirname(os.path.dirname(run_folder))
    for path, name in files_below(os.path.join(run_folder, "outputs"), depth=1):
        if not name.endswith("/meta.yaml"):
            continue
        identity = as_text(_load_meta(path, found).get("destination_id"))
        if not re.fullmatch(r"[\w-]+", identity):
            continue
        about = os.path.join(os.path.dirname(run_folder), "models", identity, "meta.yaml")
        model = _load_meta(about, found) if os.path.isfile(about) else {}
        location = as_text(model.get("artifact_location"))
        yield from logged_model(
            identity, as_text(model.get("name")), location, "output", (os.path.dirname(store), store)
        )


def _metrics(folder: str, found: list[Problem]) -> Generator[Fact, None, tuple[int, int]]:
    collector = PointCollector()
    n_bad = 0
    for path, name in files_below(folder):
        try:
            n_bad += yield from _metric(path, _readable(name), collector, found)
        except OSError as error:
            found.append(unreadable(path, error))
    yield from collector.flush()
    return collector.n_points, n_bad


def _metric(path: str, name: str, collector: PointCollector, found: list[Problem]) -> Generator[Fact, None, int]:
    """The points of one file; returns how many lines could not be read."""
    seen: set[bytes] = set()
    n_bad = first_bad = number = 0
    with _open_metric(path) as file:
        while line := file.readline(_MAX_LINE_BYTES):
            number += 1
            if not line.endswith(b"\n") and len(line) < _MAX_LINE_BYTES:
                break  # The last line is being written; its value may be cut.
            if line in seen or line.isspace():
                continue
            if len(seen) < _MAX_COMPARED:
                seen.add(line)
            point = parse_point(line)
            if point is None:
                n_bad += 1
                first_bad = first_bad or number
                continue
            wall_s, value, step = point
            collector.add(name, step, value, wall_s)
            if collector.is_full:
                yield from collector.flush()
    if n_bad:
        lines = "1 line is" if n_bad == 1 else f"{n_bad} lines are"
        found.append(Problem(path, f"{lines} not 'milliseconds value step' and left out", f"line {first_bad}"))
    return n_bad


def _open_metric(path: str) -> BinaryIO:
    """The lines of a metric's file, read at once where they are few."""
    try:
        return BytesIO(read_whole(path, limit_bytes=_MAX_AT_ONCE_BYTES))
    except ValueError:
        return open_regular(path)


def parse_point(line: bytes) -> tuple[float, float, int] | None:
    """Unix seconds, value and step of a metric's line; the first MLflow wrote no step, which is then 0."""
    parts = line.split()
    if len(parts) < 2:
        return None
    try:
        wall_s, value = int(parts[0]) / 1000, float(parts[1])
        step = int(parts[2]) if len(parts) > 2 else 0
    except (ValueError, OverflowError):
        return None
    is_sound = math.isfinite(wall_s) and -(1 << 63) <= step < 1 << 63
    return (wall_s, value, step) if is_sound else None


def example(folder: str) -> None:
    """A finished run of one metric and two parameters."""
    files = {
        "meta.yaml": (
            "artifact_uri: file:///data/mlruns/1/4d3ac76f/artifacts\nend_time: 1795418512537\nexperiment_id: '1'\n"
            "lifecycle_stage: active\nrun_id: 4d3ac76f\nrun_name: lr0.1\nstart_time: 1795418512227\nstatus: 3\n"
            "user_id: ana\n"
        ),
        "params/learning_rate": "0.1",
        "params/layers": "[1, 2]",
        "tags/mlflow.runName": "lr0.1",
        "tags/stage": "baseline",
        "metrics/val/auc": "1795418512242 0.5 0\n1795418512245 0.9 1\n1795418512242 0.5 0\n",
    }
    for name, text in files.items():
        path = os.path.join(folder, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)


ADAPTER = Adapter(
    name="mlflow",
    claims=claims,
    read=read,
    example=example,
    version=4,
    formats="MLflow file store (mlruns/), MLflow 0.8 to 3",
    files=("mlruns/*/*/meta.yaml",),
)
