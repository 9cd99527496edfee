"""A DVC project: what its stages ran with, its metrics, DVCLive's series, data versions and the arrows between them.

Read from a work tree, or from a commit: the same files by the same rules. Link:
https://dvc.org/doc/user-guide/project-structure
"""

from __future__ import annotations

import math
import os
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import field
from typing import Protocol

from mlbench.dataclass import dataclass
from mlbench.model import (
    DataVersion,
    Fact,
    JsonValue,
    Layer,
    Param,
    Problem,
    ReadStatus,
    RunField,
)
from mlbench.wire.content import Content, files_below, load_content
from mlbench.wire.counting import so_many
from mlbench.wire.csvlog import number_of, step_of
from mlbench.wire.dump_tree import Loaded, TreeError
from mlbench.wire.dvcdata import edges_of, locked_versions, readable, versions_in
from mlbench.wire.flatten import Leaf, flatten, value_text
from mlbench.wire.jsonlog import as_list, as_mapping, as_text, json_of, numbers_in
from mlbench.wire.points import PointCollector, as_step
from mlbench.wire.yamltext import load_yaml

MARKS = ("dvc.lock", "dvc.yaml")
_LIVE_METRICS = "dvclive/metrics.json"
_LIVE_PLOTS = ("plots/metrics", "scalars")
"""Where DVCLive 1 to 3, and 0.x, keep their series, beside their metrics file."""
_MAX_FOLDERS = 500
_MAX_ENTRIES = 20_000
_DVC_DEPTH = 3
"""Levels below the project where `*.dvc` files are looked for; what lies deeper is data."""
_TEMPLATE = re.compile(r"\$\{([^${}]+)\}")


class Files(Protocol):
    """The files of a project, wherever they are kept. Names have slashes and begin below the project's folder."""

    def content(self, name: str) -> Content | None:
        """All of a file, None where there is none of this name."""

    def has(self, name: str) -> bool: ...

    def below(self, folder: str) -> Iterator[str]:
        """Names below a folder, without it, sorted."""

    def pointers(self) -> list[str]:
        """The `*.dvc` files, sorted."""

    def path(self, name: str) -> str:
        """How a Problem names it."""


@dataclass(frozen=True, slots=True)
class FolderFiles:
    """The work tree."""

    folder: str

    def content(self, name: str) -> Content | None:
        path = self.path(name)
        return load_content(path) if os.path.lexists(path) else None

    def has(self, name: str) -> bool:
        return os.path.lexists(self.path(name))

    def below(self, folder: str) -> Iterator[str]:
        return (name for _path, name in files_below(self.path(folder)))

    def pointers(self) -> list[str]:
        return dvc_files(self.folder)

    def path(self, name: str) -> str:
        return os.path.join(self.folder, *name.split("/"))


@dataclass(slots=True)
class Project:
    """A project while it is read."""

    files: Files
    found: list[Problem] = field(default_factory=list)
    lock: Loaded | None = None
    declared: Mapping[str, JsonValue] = field(default_factory=dict)
    """`dvc.yaml`."""
    points: PointCollector = field(default_factory=PointCollector)
    has_declared: bool = False

    @property
    def stages(self) -> Mapping[str, JsonValue]:
        return as_mapping(self.declared.get("stages"))

    @property
    def locked_stages(self) -> Mapping[str, JsonValue]:
        lock = as_mapping(self.lock.value) if self.lock else {}
        return as_mapping(lock.get("stages", lock))


def open_project(files: Files) -> Project:
    """The project with its lock and its declaration; where neither is there `is_empty` holds."""
    project = Project(files)
    project.lock = _load(project, "dvc.lock")
    declared = _load(project, "dvc.yaml")
    project.declared = as_mapping(declared.value) if declared else {}
    project.has_declared = declared is not None
    return project


def facts_of(project: Project) -> Iterator[Fact]:
    """Parameters, the command, metrics and series, versions of data, lineage; then what could not be read."""
    params = list(_params(project))
    yield from params
    commands = [command for stage in project.locked_stages.values() if (command := _command(as_mapping(stage)))]
    if commands:
        yield RunField("command", " && ".join(commands))
    known = {**_variables(project), **{param.key: param.value for param in params}}
    _read_metrics(project, known)
    yield from project.points.flush()
    versions = [version for name in project.files.pointers() for version in _data_versions(project, name)]
    yield from versions
    yield from locked_versions(project.locked_stages, {version.name for version in versions})
    yield from edges_of(project.locked_stages or project.stages)
    yield from project.found


def _load(project: Project, name: str) -> Loaded | None:
    """A YAML or JSON file of the project; None where it is not there or cannot be read, which is then noted."""
    content = project.files.content(name)
    if content is None:
        return None
    path = project.files.path(name)
    if content.problem:
        project.found.append(content.problem)
        return None
    if name.endswith(".json"):
        file = json_of(path, content)
        if file.problem:
            project.found.append(file.problem)
        return Loaded(file.value, {})
    try:
        return load_yaml(content.data.decode("utf-8", "replace"))
    except TreeError as error:
        project.found.append(Problem(path, f"the file {error.what}", f"line {error.line}" if error.line else ""))
        return None


def _command(stage: Mapping[str, JsonValue]) -> str:
    """A stage's `cmd`, which may be a list."""
    command = stage.get("cmd")
    return " && ".join(map(as_text, as_list(command))) if isinstance(command, list) else as_text(command)


# ---------------------------------------------------------------- parameters


def _params(project: Project) -> Iterator[Param]:
    locked: dict[str, JsonValue] = {}
    for key, leaf in _locked_leaves(project.lock):
        if key not in locked:
            locked[key] = leaf.value
            yield Param(key, leaf.raw, leaf.value, Layer.CONFIG, leaf.line)
    told: set[str] = set()
    for name in _param_files(project):
        loaded = _load(project, name)
        leaves = flatten(as_mapping(loaded.value), raw=loaded.raw).leaves if loaded else ()
        for leaf in leaves:
            if leaf.key in told or (leaf.key in locked and _is_same(locked[leaf.key], leaf.value)):
                continue
            told.add(leaf.key)
            layer = Layer.DEFAULT if leaf.key in locked else Layer.CONFIG
            yield Param(leaf.key, leaf.raw, leaf.value, layer, leaf.line)


def _is_same(one: JsonValue, other: JsonValue) -> bool:
    return value_text(one) == value_text(other)


def _locked_leaves(lock: Loaded | None) -> Iterator[tuple[str, Leaf]]:
    """`stages.<stage>.params.<file>.<key...>` of the lock (DVC 1: without `stages`), keys dotted."""
    if lock is None:
        return
    for leaf in flatten(as_mapping(lock.value), raw=lock.raw).leaves:
        keys = leaf.path[1:] if leaf.path[:1] == ("stages",) else leaf.path
        if len(keys) > 3 and keys[1] == "params":
            yield ".".join(keys[3:]), leaf


def _param_files(project: Project) -> list[str]:
    """`params.yaml` and what `dvc.yaml` names beside it; Python and TOML files are not read."""
    names = ["params.yaml", *_names(project.declared.get("params"))]
    for stage in project.stages.values():
        names += [name for name in _names(as_mapping(stage).get("params")) if name.endswith((".yaml", ".yml", ".json"))]
    return list(dict.fromkeys(name for name in names if _is_inside(name)))


def _names(entries: JsonValue) -> list[str]:
    """The names in a list of texts and of mappings from a name to its options."""
    names: list[str] = []
    for entry in as_list(entries):
        names.extend([entry] if isinstance(entry, str) else map(str, as_mapping(entry)))
    return names


def _is_inside(name: str) -> bool:
    """Whether a path stays within the project and could be a file: nothing outside is opened on a file's word."""
    parts = name.split("/")
    return bool(name) and "\0" not in name and not os.path.isabs(name) and ".." not in parts


def _variables(project: Project) -> dict[str, JsonValue]:
    """`vars` of `dvc.yaml`, flat."""
    known: dict[str, JsonValue] = {}
    for entry in as_list(project.declared.get("vars")):
        known.update({leaf.key: leaf.value for leaf in flatten(as_mapping(entry)).leaves})
    return known


# ---------------------------------------------------------------- metrics


def _read_metrics(project: Project, known: Mapping[str, JsonValue]) -> None:
    names = _metric_files(project, known)
    lives = [name for name in names if _is_live(name)]
    folders = dict.fromkeys([os.path.dirname(name) for name in lives] + ["dvclive"])
    for folder in folders:
        for plots in _LIVE_PLOTS:
            _read_series(project, f"{folder}/{plots}" if folder else plots)
    for name in lives:
        _read_live_values(project, name)
    others = [name for name in names if not _is_live(name)]
    stems = Counter(_stem(name) for name in others)
    for name in others:
        stem = _stem(name) if stems[_stem(name)] == 1 else os.path.splitext(name)[0]
        _read_values(project, name, prefix=f"{stem}." if len(names) > 1 else "")


def _stem(name: str) -> str:
    return os.path.splitext(os.path.basename(name))[0]


def _is_live(name: str) -> bool:
    return name == "dvclive.json" or os.path.basename(os.path.dirname(name)) == "dvclive"


def _metric_files(project: Project, known: Mapping[str, JsonValue]) -> list[str]:
    """Paths of the metrics files that are there, with slashes, templates filled in."""
    named = [("", name) for name in _names(project.declared.get("metrics"))]
    for stage in project.stages.values():
        folder = as_text(as_mapping(stage).get("wdir"))
        named += [(folder, name) for name in _names(as_mapping(stage).get("metrics"))]
    named = named or [("", "metrics.json")]
    paths = [os.path.normpath(_filled(f"{folder}/{name}" if folder else name, known)) for folder, name in named]
    paths.append(_LIVE_METRICS)
    found = [path for path in dict.fromkeys(paths) if _is_inside(path) and project.files.has(path)]
    return [path for path in found if path.endswith((".json", ".yaml", ".yml"))]


def _filled(text: str, known: Mapping[str, JsonValue]) -> str:
    return _TEMPLATE.sub(lambda match: value_text(known.get(match[1].strip(), match[0])), text)


def _read_values(project: Project, name: str, *, prefix: str) -> None:
    loaded = _load(project, name)
    for key, number in numbers_in(as_mapping(loaded.value) if loaded else {}):
        project.points.add(prefix + key, 0, number)


def _read_live_values(project: Project, name: str) -> None:
    """DVCLive's last values, where there is no series of that name."""
    loaded = _load(project, name)
    values = as_mapping(loaded.value) if loaded else {}
    step = as_step(values.get("step")) or 0
    known = set(project.points.names)
    for key, number in numbers_in(values, joint="/"):
        if key not in known and key != "step":
            project.points.add(key, step, number)


def _read_series(project: Project, folder: str) -> None:
    for name in project.files.below(folder):
        if not name.endswith(".tsv"):
            continue
        content = project.files.content(f"{folder}/{name}")
        if content is None or content.status is not ReadStatus.EOF:
            if content is not None and content.problem:
                project.found.append(content.problem)
            continue
        lines = content.data.decode("utf-8", "replace").splitlines()
        rows = [line.split("\t") for line in lines if line]
        n_bad = _add_series(project.points, readable(name[:-4]), rows)
        if n_bad:
            what = so_many(
                n_bad,
                "row has another number of columns than the header and was left out",
                "rows have another number of columns than the header and were left out",
            )
            project.found.append(Problem(project.files.path(f"{folder}/{name}"), what))


def _add_series(points: PointCollector, metric: str, rows: Sequence[Sequence[str]]) -> int:
    """The columns of a series: `step`, perhaps `timestamp` in milliseconds, and the value under its own name.

    Returns:
        How many rows do not fit the header.
    """
    header = [name.strip() for name in rows[0]] if rows else []
    whole = [row for row in rows[1:] if len(row) == len(header)]
    columns = {name: [row[place] for row in whole] for place, name in enumerate(header)}
    times, steps = columns.pop("timestamp", []), columns.pop("step", [])
    for name, cells in columns.items():
        is_only = len(columns) == 1 or name == metric.rpartition("/")[2]
        for row, cell in enumerate(cells):
            value = number_of(cell)
            step = step_of(steps[row]) if steps else row
            if value is not None and step is not None:
                points.add(metric if is_only else f"{metric}/{name}", step, value, _wall_s(times, row))
    return len(rows[1:]) - len(whole)


def _wall_s(times: Sequence[str], row: int) -> float:
    milliseconds = number_of(times[row]) if times else None
    return milliseconds / 1000 if milliseconds is not None and math.isfinite(milliseconds) else math.nan


# ---------------------------------------------------------------- data


def dvc_files(folder: str) -> list[str]:
    """Names of `*.dvc` files with slashes, sorted; not those of a project below this one."""
    found: list[str] = []
    queue = [("", 0)]
    n_folders = 0
    while queue and n_folders < _MAX_FOLDERS:
        inside, depth = queue.pop(0)
        n_folders += 1
        files, folders = _entries(os.path.join(folder, inside))
        if inside and any(mark in files for mark in MARKS):
            continue
        found.extend(f"{inside}/{name}".lstrip("/") for name in files if name.endswith(".dvc"))
        if depth < _DVC_DEPTH:
            queue.extend((f"{inside}/{name}".lstrip("/"), depth + 1) for name in folders)
    return sorted(found)


def _entries(folder: str) -> tuple[list[str], list[str]]:
    """Names of `*.dvc` and mark files, and of folders that are not hidden."""
    files: list[str] = []
    folders: list[str] = []
    try:
        with os.scandir(folder) as entries:
            for _, entry in zip(range(_MAX_ENTRIES), entries, strict=False):
                if entry.name.endswith(".dvc") or entry.name in MARKS:
                    (folders if entry.is_dir(follow_symlinks=False) else files).append(entry.name)
                elif not entry.name.startswith(".") and entry.is_dir(follow_symlinks=False):
                    folders.append(entry.name)
    except OSError:
        return [], []
    return files, sorted(name for name in folders if not name.startswith("."))


def _data_versions(project: Project, name: str) -> Iterator[DataVersion]:
    loaded = _load(project, name)
    yield from versions_in(as_mapping(loaded.value) if loaded else {}, os.path.dirname(name))
