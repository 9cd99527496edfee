"""The model registry in MLflow's file store: `mlruns/models/<name>/version-<n>/meta.yaml`, with `tags/` and `aliases/`.

Link: https://mlflow.org/docs/latest/ml/model-registry/
"""

from __future__ import annotations

import os
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from functools import lru_cache

from mlbench.model import JsonValue, ModelVersion
from mlbench.wire.content import files_below, load_content
from mlbench.wire.dump_tree import TreeError
from mlbench.wire.jsonlog import as_mapping, as_text
from mlbench.wire.yamltext import load_yaml

_VERSION = re.compile(r"version-\d{1,9}")
_MAX_MODELS = 2000
_MAX_BYTES = 1 << 20


def versions_of_run(store: str, run_id: str) -> list[tuple[ModelVersion, tuple[str, ...]]]:
    """The versions that were made of a run, each with the files that say so.

    Args:
        store: the folder `mlruns`.
        run_id: the run.
    """
    models = os.path.join(store, "models")
    if not os.path.isdir(models):
        return []
    found = _folders_by_run(models, _mark(models)).get(run_id, ())
    return [_version(os.path.dirname(folder), folder) for folder in found]


def _mark(models: str) -> tuple[tuple[str, int], ...]:
    """Names and times of the models: a version that is made changes the time of its model's folder."""
    marks: list[tuple[str, int]] = []
    try:
        with os.scandir(models) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False) and len(marks) < _MAX_MODELS:
                    marks.append((entry.name, entry.stat(follow_symlinks=False).st_mtime_ns))
    except OSError:
        return ()
    return tuple(sorted(marks))


@lru_cache(maxsize=4)
def _folders_by_run(models: str, mark: tuple[tuple[str, int], ...]) -> Mapping[str, tuple[str, ...]]:
    """The folders of versions by the run they name; read once for all runs of a store."""
    found: dict[str, list[str]] = defaultdict(list)
    for name, _time in mark:
        for folder in _version_folders(os.path.join(models, name)):
            if run_id := as_text(_meta(folder).get("run_id")):
                found[run_id].append(folder)
    return {run_id: tuple(folders) for run_id, folders in found.items()}


def _version_folders(model: str) -> Iterator[str]:
    try:
        names = sorted(os.listdir(model))
    except OSError:
        return
    yield from (os.path.join(model, name) for name in names if _VERSION.fullmatch(name))


def _meta(folder: str) -> Mapping[str, JsonValue]:
    content = load_content(os.path.join(folder, "meta.yaml"), limit_bytes=_MAX_BYTES)
    try:
        loaded = load_yaml(content.data.decode("utf-8", "replace"))
    except TreeError:
        return {}
    # A run id of digits alone, or one like 1e92, is text.
    return {key: loaded.raw[(key,)].text if (key,) in loaded.raw and key == "run_id" else value
            for key, value in as_mapping(loaded.value).items()}  # fmt: skip


def _version(model: str, folder: str) -> tuple[ModelVersion, tuple[str, ...]]:
    meta = _meta(folder)
    number = os.path.basename(folder).removeprefix("version-")
    paths = [os.path.join(folder, "meta.yaml")]
    tags: list[str] = []
    for path, key in files_below(os.path.join(folder, "tags")):
        paths.append(path)
        tags.append(f"{key}={_text(path)}")
    aliases: list[str] = []
    for path, alias in files_below(os.path.join(model, "aliases")):
        paths.append(path)
        if _text(path).strip() == number:
            aliases.append(alias)
    stage = as_text(meta.get("current_stage"))
    names = sorted(aliases) + [stage] * (stage not in ("", "None"))
    version = ModelVersion(
        os.path.basename(model), number, tuple(names), as_text(meta.get("status")), as_text(meta.get("description")),
        as_text(meta.get("source")), tuple(sorted(tags)),
    )  # fmt: skip
    return version, tuple(paths)


def _text(path: str) -> str:
    return load_content(path, limit_bytes=_MAX_BYTES).data.decode("utf-8", "replace")
