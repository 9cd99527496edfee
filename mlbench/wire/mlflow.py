"""What MLflow's records mean, the same in its database and in its folders of files.

MLflow keeps parameters as text, states as words or numbers, times in milliseconds, and much of what it knows of a run
as tags whose names begin with `mlflow.`; those are told as fields of the run and not as tags of the user.
Link: https://mlflow.org/docs/latest/ml/tracking/
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache

from mlbench.model import (
    Artifact,
    DataVersion,
    Fact,
    GitState,
    ImportedTag,
    JsonValue,
    LineageEdge,
    ModelVersion,
    RunField,
    Validation,
)
from mlbench.redaction import redact_url
from mlbench.wire.dump_literal import literal_value
from mlbench.wire.dump_tree import TreeError, load_tree
from mlbench.wire.jsonlog import JsonError, as_mapping, as_text, load_json
from mlbench.wire.mlflow_model import description_of_model, environment_of_model, folder_of_model, size_of_model

_STATUSES = {
    1: "running", 2: "running", 3: "finished", 4: "failed", 5: "killed",
    "RUNNING": "running", "SCHEDULED": "running", "FINISHED": "finished", "FAILED": "failed", "KILLED": "killed",
}  # fmt: skip
_INTEGER = re.compile(r"-?(?:0|[1-9][0-9]{0,17})")
_FLOAT = re.compile(r"-?[0-9]{1,18}\.[0-9]{1,18}(?:e[-+]?[0-9]{1,3})?|-?[0-9]{1,18}e[-+]?[0-9]{1,3}")
_LARGEST = 1.7976931348623157e308
"""The greatest double: MLflow's databases hold it in the place of infinity."""
INFINITIES = {_LARGEST: float("inf"), -_LARGEST: float("-inf")}
CONTEXT_TAG = "mlflow.data.context"
_VALIDATION_TAGS = frozenset({"validation", "validation_status"})
"""MLflow's documentation recommends the latter."""
_VERDICTS = {"passed": "passed", "approved": "passed", "failed": "failed", "rejected": "failed"}


def run_facts(meta: Mapping[str, JsonValue], tags: Mapping[str, str]) -> Iterator[Fact]:
    """The fields of a run, its commit and its tags.

    Args:
        meta: `run_name` or `name`, `user_id`, `source_name`, `source_version`, `entry_point_name`, `status`,
            `start_time` and `end_time` in milliseconds, `lifecycle_stage`; whichever are recorded.
        tags: of the run, MLflow's own too.
    """
    named = {
        "name": tags.get("mlflow.runName") or as_text(meta.get("run_name")) or as_text(meta.get("name")),
        "user": tags.get("mlflow.user") or as_text(meta.get("user_id")),
        "entry_point": tags.get("mlflow.source.name") or as_text(meta.get("source_name")),
        "note": tags.get("mlflow.note.content", ""),
        "parent": tags.get("mlflow.parentRunId", ""),
        "status": status_of(meta.get("status")),
    }
    for field, text in named.items():
        if text:
            yield RunField(field, text)
    for field, key in (("started", "start_time"), ("ended", "end_time")):
        moment = meta.get(key)
        if isinstance(moment, int) and 0 < moment < 1 << 53:
            yield RunField(field, moment / 1000)
    yield from _git(meta, tags)
    for key, value in tags.items():
        if not key.startswith("mlflow."):
            yield ImportedTag(key, value)
    if meta.get("lifecycle_stage") == "deleted":
        yield ImportedTag("mlflow.deleted")


def status_of(value: JsonValue) -> str:
    """One of `RUN_STATUSES`; '' for what is none of MLflow's words or numbers."""
    return _STATUSES.get(value, "") if isinstance(value, int | str) and not isinstance(value, bool) else ""


def _git(meta: Mapping[str, JsonValue], tags: Mapping[str, str]) -> Iterator[GitState]:
    commit = tags.get("mlflow.source.git.commit") or as_text(meta.get("source_version"))
    if commit and re.fullmatch(r"[0-9a-fA-F]{7,64}", commit):
        remote = redact_url(tags.get("mlflow.source.git.repoURL", ""))
        yield GitState(commit.lower(), "recorded", branch=tags.get("mlflow.source.git.branch", ""), remote=remote)


@lru_cache(maxsize=4096)
def typed_param(raw: str) -> JsonValue:
    """What `str()` was made from: MLflow keeps parameters as text. Runs of a sweep say the same again and again."""
    if _INTEGER.fullmatch(raw):
        return int(raw)
    if _FLOAT.fullmatch(raw):
        return float(raw)
    try:
        return load_tree(literal_value(raw)).value
    except TreeError:
        return raw


def rows_of_data_set(profile: str) -> int | None:
    """How many rows a data set has by its profile, a JSON text; None where that does not say."""
    try:
        n_rows = as_mapping(load_json(profile)).get("num_rows")
    except JsonError:
        return None
    return n_rows if isinstance(n_rows, int) and not isinstance(n_rows, bool) else None


def logged_model(identity: str, name: str, location: str, role: str, stores: Sequence[str]) -> Iterator[Fact]:
    """A model that the run logged (role output) or read (input), MLflow 3; its id is what other runs know it by.

    The environment that a model was made in is that of the run. Its folder is looked for below `stores`.
    """
    folder = folder_of_model(stores, location)
    described = description_of_model(folder) if folder else {}
    detail = f"logged as {name}" if name else ""
    yield Artifact("model", identity, redact_url(location), "", size_of_model(described), role, detail)
    yield LineageEdge(role, "", identity)
    if folder and role == "output":
        yield from environment_of_model(folder, described)


def registered(version: ModelVersion) -> Iterator[Fact]:
    """A version in the registry, the arrow to it, and what its tags say of its validation."""
    yield version
    yield LineageEdge("output", "register", f"{version.name}@{version.version}")
    if version.uri.startswith("models:/"):
        yield LineageEdge("input", "register", version.uri.removeprefix("models:/"))
    for tag in version.tags:
        key, _, value = tag.partition("=")
        if key in _VALIDATION_TAGS:
            verdict = _VERDICTS.get(value.strip().lower(), "unknown")
            yield Validation(f"{version.name}@{version.version}", verdict, evidence=f"tag {tag}")


def data_set_facts(name: str, digest: str, profile: str, schema: str, context: str) -> Iterator[Fact]:
    """A data set that the run read, and the arrow that says so."""
    yield DataVersion("mlflow", name, digest, rows_of_data_set(profile), schema, role=context)
    yield LineageEdge("input", "", f"{name}@{digest}")
