"""Which data a run read, where its parameters, command or environment only name it: addresses, tables, databases."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import field
from typing import TYPE_CHECKING

from mlbench import model
from mlbench.dataclass import dataclass
from mlbench.wire import delta
from mlbench.wire.datarefs import DataRef, dolt_database, lakefs_local, refs_in_environment, refs_in_text
from mlbench.wire.patience import HINT, WHAT, answers

if TYPE_CHECKING:
    from mlbench.ingest.draft import Draft

MAX_PATHS = 32
"""Of one run that are looked at on the disk: what names data is among the first."""
_PATH = re.compile(r"(?:/|\./|\.\./|~/)?[\w.@=+ -]+(?:/[\w.@=+ -]+)*/?")
_RUN_KEYS = ("run_id", "mlflow_run_id", "wandb_run_id", "runId")


@dataclass(slots=True)
class Stores:
    """What lies at the paths met in one ingest; each is looked at once."""

    logs: dict[str, delta.DeltaLog | None] = field(default_factory=dict)
    states: dict[tuple[str, int], delta.DeltaState | None] = field(default_factory=dict)
    folders: dict[str, tuple[DataRef, ...]] = field(default_factory=dict)
    problems: dict[str, model.Problem] = field(default_factory=dict)
    """By path of the table that could not be told."""

    def log(self, path: str) -> delta.DeltaLog | None:
        """The log of a Delta table, None where there is none."""
        if path not in self.logs:
            if not answers(path):
                self.logs[path] = None
                self.problems[path] = model.Problem(path, WHAT, hint=HINT)
                return None
            try:
                is_table = os.path.isdir(os.path.join(path, delta.LOG_FOLDER))
                self.logs[path] = delta.open_log(path) if is_table else None
            except (delta.DeltaError, ValueError) as error:
                self.logs[path] = None
                self._tell(path, error)
        return self.logs[path]

    def state(self, log: delta.DeltaLog, version: int) -> delta.DeltaState | None:
        """The table at a version; None where the log no longer tells."""
        key = (log.path, version)
        if key not in self.states:
            try:
                self.states[key] = delta.read_state(log, version)
            except delta.DeltaError as error:
                self.states[key] = None
                self._tell(log.path, error)
        return self.states[key]

    def _tell(self, path: str, error: Exception) -> None:
        hint = "the version is told, its rows and columns are not"
        self.problems[path] = model.Problem(path, f"the Delta table could not be read: {error}", hint=hint)

    def refs(self, path: str) -> tuple[DataRef, ...]:
        """What lakectl or Dolt left at a path."""
        if path not in self.folders:
            is_folder = answers(path) and os.path.isdir(path)
            self.folders[path] = (
                tuple(ref for ref in (lakefs_local(path), dolt_database(path)) if ref) if is_folder else ()
            )
        return self.folders[path]


def attribute_data(draft: Draft, stores: Stores, started_s: float | None) -> tuple[model.DataVersion, ...]:
    """The versions of data that the run names and no source records by itself.

    Args:
        draft: the run.
        stores: those met so far.
        started_s: when it began, by which a table's version is told where the run names none.
    """
    known = {fact.name for _member, _path, fact in draft.of_kind(model.DataVersion)}
    texts = [(key, value) for key, value in draft.worded if isinstance(value, str)]
    command = draft.recorded("command")
    found: dict[tuple[str, str], model.DataVersion] = {}
    refs = [ref for _key, text in texts if "/" in text for ref in refs_in_text(text)]
    refs += refs_in_text(command) if isinstance(command, str) else ()
    refs += refs_in_environment(_variables(draft, texts))
    for ref in refs:
        _add(found, model.DataVersion(ref.system, ref.name, ref.version, is_pinned=ref.is_pinned))
    for version in _of_paths(draft, texts, stores, started_s):
        _add(found, version)
    return tuple(version for version in found.values() if version.name not in known)


def _add(found: dict[tuple[str, str], model.DataVersion], version: model.DataVersion) -> None:
    """One that names its version is worth more than one that does not."""
    key = (version.system, version.name)
    if key not in found or (version.version and not found[key].version):
        found[key] = version


def _variables(draft: Draft, texts: Sequence[tuple[str, str]]) -> dict[str, str]:
    """Recorded variables, as `mlbench run` and others name them: `env:NAME`, or a parameter of that name."""
    found = {fact.key.removeprefix("env:"): fact.value for _m, _p, fact in draft.of_kind(model.Environment)}
    for key, text in texts:
        name = key.rpartition(".")[2]
        if name.isupper() or name.endswith("_COMMIT"):
            found[name] = text
    return found


def _of_paths(
    draft: Draft, texts: Sequence[tuple[str, str]], stores: Stores, started_s: float | None
) -> Iterator[model.DataVersion]:
    """Tables and databases at the paths that the parameters name."""
    for key, paths in named_paths(texts, (draft.unit.folder, draft.root)):
        for path in paths:
            log = stores.log(path)
            if log is not None:
                yield _delta_version(draft, key, log, stores, started_s)
            for ref in stores.refs(path):
                yield model.DataVersion(ref.system, ref.name, ref.version, is_pinned=ref.is_pinned)
            if log is not None or stores.refs(path):
                break


def named_paths(texts: Iterable[tuple[str, str]], bases: Sequence[str]) -> Iterator[tuple[str, tuple[str, ...]]]:
    """The paths that a parameter may mean, one below each folder, with its key; of at most MAX_PATHS parameters."""
    n_looked = 0
    for key, text in texts:
        if "/" not in text or len(text) > 4096 or not _PATH.fullmatch(text) or n_looked == MAX_PATHS:
            continue
        n_looked += 1
        inside = os.path.expanduser(text)
        yield key, tuple(dict.fromkeys(_real(os.path.join(base, inside)) for base in bases))


def _real(path: str) -> str:
    return os.path.realpath(path) if answers(path) else path


def _delta_version(
    draft: Draft, key: str, log: delta.DeltaLog, stores: Stores, started_s: float | None
) -> model.DataVersion:
    """The version that the run names, else the one that names the run, else that of its start, which is a guess."""
    named = _named_version(draft, key)
    version = named if named is not None else _version_of_run(draft, log)
    is_pinned = version is not None
    if version is None and started_s is not None:
        try:
            version = delta.version_at(log, started_s)
        except delta.DeltaError:
            version = None
    if version is None:
        return model.DataVersion("delta", os.path.basename(log.path), "", is_pinned=False)
    state = stores.state(log, version)
    name = (state.name if state else "") or os.path.basename(log.path)
    return model.DataVersion(
        "delta", name, str(version), state.n_rows if state else None, state.schema_text if state else "", is_pinned
    )


def _named_version(draft: Draft, key: str) -> int | None:
    """A parameter beside the path's: `data.path` has `data.version`, `train_table` has `train_table_version`."""
    stem, dot, last = key.rpartition(".")
    names = {f"{key}_version", f"{stem}{dot}version", f"{stem}{dot}versionAsOf", f"{stem}{dot}data_version"}
    word = re.sub(r"_?(path|dir|table|uri|root)$", "", last)
    names |= {f"{stem}{dot}{word}_version", f"{stem}{dot}delta_version"}
    for _member, _path, fact in draft.of_kind(model.Param):
        if fact.key in names and isinstance(fact.value, int) and not isinstance(fact.value, bool) and fact.value >= 0:
            return fact.value
    return None


def _version_of_run(draft: Draft, log: delta.DeltaLog) -> int | None:
    """The version whose commit names this run in its metadata."""
    names = {os.path.basename(draft.unit.folder), draft.unit.part, str(draft.recorded("name") or "")} - {""}
    for version in sorted(log.commits, reverse=True)[:1000]:
        try:
            extra = delta.read_commit_info(log, version).extra
        except delta.DeltaError:
            continue
        if any(extra.get(word) in names for word in _RUN_KEYS):
            return version
    return None
