"""From the readings of a run's sources to its rows in the catalog. Pure: nothing is read or written here."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from mlbench import model, safe
from mlbench.ingest.identity import Member, Unit, run_id_of
from mlbench.ingest.read import Columns, Reading
from mlbench.ingest.summary import summarise
from mlbench.model import Layer, Role

if TYPE_CHECKING:
    from mlbench.catalog.writer import Batch

SEQ_BITS = 40
"""A point's place: rank of its file among the run's files, then its place in the file (2^40 values a file)."""
COMMIT_KEYS = frozenset({"git_commit", "git.commit", "git_sha", "git_hash", "commit_hash", "commit_sha", "git_rev"})


@dataclass(frozen=True, slots=True)
class SourceReading:
    """One source of a run as it now stands: all its facts, of this reading and of earlier ones."""

    member: Member
    source_id: int
    reading: Reading


@dataclass(slots=True)
class Draft:
    """A run about to be committed."""

    unit: Unit
    root: str
    sources: list[SourceReading]
    code: model.GitState | None = None
    """Attributed from the repository around the run, where no source records a commit."""
    facts: list[tuple[Member, str, model.Fact]] = field(default_factory=list)

    def __post_init__(self) -> None:
        for source in self.sources:
            path = safe.text_of_path(source.member.claimed.claim.path)
            self.facts.extend((source.member, path, fact) for fact in source.reading.small)

    @property
    def run_id(self) -> str:
        return run_id_of(self.unit.key)

    def of_kind(self, kind: type[Any]) -> Iterable[tuple[Member, str, Any]]:
        """The facts of a kind with the member and path that say them, in order of the sources."""
        return ((member, path, fact) for member, path, fact in self.facts if isinstance(fact, kind))

    @property
    def is_sweep_only(self) -> bool:
        """It only describes a sweep: no training has written here."""
        has_content = any(
            source.reading.points or any(blob.kind != "hparams" for blob in source.reading.blobs)
            for source in self.sources
        )
        if has_content or not self.unit.is_events_only or any(True for _param in self.of_kind(model.Param)):
            return False
        return any(True for _sweep in self.of_kind(model.SweepDescription))

    @property
    def said_at_start(self) -> str:
        """What does not change while the run goes on: start, host, entry point and own parameters."""
        fields = [f"{name}={self.recorded(name)}" for name in ("started", "host", "user", "entry_point", "name")]
        params = sorted(f"{p.key}={p.raw}" for member, _path, p in self.of_kind(model.Param) if not member.is_inherited)
        return "\n".join(fields + params)

    def recorded(self, name: str) -> str | float | None:
        """The last source's word for a field of the run; inherited sources do not speak for the run."""
        values = [
            fact.value
            for member, _path, fact in self.of_kind(model.RunField)
            if fact.name == name and not member.is_inherited
        ]
        return values[-1] if values else None


def add_rows(draft: Draft, batch: Batch, *, new_series_id: Any, fingerprint: str, newest_s: float | None) -> list[Any]:  # noqa: ANN401
    """Put a run's rows into the batch; returns its points as Arrow tables, series by series.

    Args:
        draft: the run.
        batch: where the rows go.
        new_series_id: gives an unused series id.
        fingerprint: hash of the run's oldest evidence.
        newest_s: the newest mtime of its files, the last sign of life where there are no points.
    """
    series_rows, tables = _series(draft, new_series_id)
    for row in series_rows:
        batch.add("series", **row)
    batch.add("run", **_run_row(draft, series_rows, fingerprint, newest_s))
    for row in _param_rows(draft):
        batch.add("param", **row)
    _add_blobs(draft, batch)
    _add_small(draft, batch)
    return tables


# ---------------------------------------------------------------- series


def _series(draft: Draft, new_series_id: Any) -> tuple[list[dict[str, Any]], list[Any]]:  # noqa: ANN401
    groups: dict[tuple[str, str, str, str], list[tuple[int, int, Columns]]] = {}
    ordered = sorted(draft.sources, key=lambda source: source.member.claimed.claim.path)
    for rank, source in enumerate(ordered):
        for metric, columns in source.reading.points.items():
            key = _series_key(draft, source.member, metric)
            groups.setdefault(key, []).append((rank, source.source_id, columns))
    rows: list[dict[str, Any]] = []
    tables: list[Any] = []
    for (metric, source_run, source_metric, adapter), parts in sorted(groups.items()):
        columns, source_ids = _merge_parts(parts)
        series_id = new_series_id()
        rows.append(
            {"series_id": series_id, "run_id": draft.run_id, "metric": metric, "source_run": source_run,
             "source_metric": source_metric, "adapter": adapter} | summarise(columns)
        )  # fmt: skip
        tables.append(_table(series_id, source_ids, columns))
    return rows, tables


def _series_key(draft: Draft, member: Member, metric: str) -> tuple[str, str, str, str]:
    folder = member.claimed.claim.run_folder
    if member.claimed.claim.role is Role.EVENTS:
        folder = os.path.dirname(member.claimed.claim.path)
    source_run = safe.text_of_path(os.path.relpath(folder, draft.root))
    return _prefixed(member, metric), source_run, metric, member.claimed.adapter


def _prefixed(member: Member, metric: str) -> str:
    """The metric's name in the run: behind the sub-folder that was folded, unless the log says that already."""
    prefix = member.prefix
    return metric if not prefix or metric.startswith(f"{prefix}/") else f"{prefix}/{metric}"


def _merge_parts(parts: Sequence[tuple[int, int, Columns]]) -> tuple[Columns, Any]:
    import numpy as np

    place = (1 << SEQ_BITS) - 1
    columns = Columns(
        np.concatenate([(rank << SEQ_BITS) | (part.seq & place) for rank, _id, part in parts]),
        np.concatenate([part.steps for _rank, _id, part in parts]),
        np.concatenate([part.wall_s for _rank, _id, part in parts]),
        np.concatenate([part.values for _rank, _id, part in parts]),
    )
    ids = np.concatenate([np.full(len(part.steps), source_id, dtype=np.int32) for _rank, source_id, part in parts])
    return columns, ids


def _table(series_id: int, source_ids: Any, columns: Columns) -> Any:  # noqa: ANN401
    import numpy as np
    import pyarrow as pa

    from mlbench.catalog.segments import point_schema

    series = np.full(len(columns.steps), series_id, dtype=np.int32)
    arrays = [series, source_ids, columns.seq, columns.steps, columns.wall_s, columns.values]
    return pa.table([pa.array(array) for array in arrays], schema=point_schema())


# ---------------------------------------------------------------- the run


def _run_row(draft: Draft, series: list[dict[str, Any]], fingerprint: str, newest_s: float | None) -> dict[str, Any]:
    folder = safe.text_of_path(draft.unit.folder)
    firsts = [row["first_wall_s"] for row in series if row["first_wall_s"] is not None]
    lasts = [row["last_wall_s"] for row in series if row["last_wall_s"] is not None]
    below = os.path.relpath(draft.unit.folder, draft.root)
    exit_code = draft.recorded("exit_code")
    return {
        "run_id": draft.run_id, "run_key": folder, "fingerprint": fingerprint,
        "name": _name(draft, below), "path": folder, "root": safe.text_of_path(draft.root),
        "project": _text(draft.recorded("project")) or _project(draft),
        "group_name": _text(draft.recorded("group")) or _group(below),
        "status": draft.recorded("status"),
        "started_s": _earliest(draft, firsts), "ended_s": draft.recorded("ended"),
        "active_s": max(lasts) if lasts else newest_s,
        "host": _text(draft.recorded("host")), "user_name": _text(draft.recorded("user")),
        "command": _text(draft.recorded("command")),
        "entry_point": _text(draft.recorded("entry_point")), "job_type": _text(draft.recorded("job_type")),
        "exit_code": int(exit_code) if isinstance(exit_code, int | float) else None,
        "parent_id": _text(draft.recorded("parent")),
        "adapters": ",".join(sorted({source.member.claimed.adapter for source in draft.sources})),
        "is_missing": False,
    }  # fmt: skip


def _text(value: str | float | None) -> str | None:
    return None if value is None else str(value)


def _name(draft: Draft, below: str) -> str:
    """The tracker's name where the tracker is all there is, else the path below the root."""
    recorded = draft.recorded("name")
    trackers = [s.member for s in draft.sources if s.member.claimed.claim.role is Role.TRACKER]
    if recorded and trackers and not draft.unit.roles & {Role.EVENTS, Role.DUMP}:
        return str(recorded)
    path = os.path.basename(draft.root) if below == os.curdir else below
    return safe.text_of_path(os.path.splitext(path)[0] if draft.unit.is_own_file else path)


def _project(draft: Draft) -> str:
    if draft.code and draft.code.repository:
        return safe.text_of_path(os.path.basename(draft.code.repository))
    return safe.text_of_path(os.path.basename(draft.root))


def _group(below: str) -> str:
    return safe.text_of_path(os.path.dirname(below))


def _earliest(draft: Draft, firsts: list[float]) -> float | None:
    recorded = [
        float(fact.value)
        for member, _path, fact in draft.of_kind(model.RunField)
        if fact.name == "started" and not member.is_inherited and _is_time(fact.value)
    ]
    times = recorded or firsts
    return min(times) if times else None


def _is_time(value: str | float) -> bool:
    return isinstance(value, int | float) and math.isfinite(value)


# ---------------------------------------------------------------- params


def _param_rows(draft: Draft) -> list[dict[str, Any]]:
    rows: dict[tuple[str, str, str], dict[str, Any]] = {}
    for member, path, fact in draft.of_kind(model.Param):
        layer = Layer.INHERITED if member.is_inherited else fact.layer
        rows[fact.key, layer.value, path] = _param_row(draft.run_id, fact, layer, path)
    strongest: dict[str, dict[str, Any]] = {}
    for row in rows.values():
        held = strongest.get(row["key"])
        if held is None or _strength(row["layer"]) >= _strength(held["layer"]):
            strongest[row["key"]] = row
    for row in strongest.values():
        row["is_effective"] = True
    return list(rows.values())


def _strength(layer: str) -> int:
    return model.PRECEDENCE.index(Layer(layer))


def _param_row(run_id: str, fact: model.Param, layer: Layer, path: str) -> dict[str, Any]:
    kind, number, text = typed(fact.value)
    return {
        "run_id": run_id, "key": fact.key, "raw": fact.raw, "type": kind, "num": number, "txt": text,
        "layer": layer.value, "source": path, "line": fact.line, "is_effective": False,
    }  # fmt: skip


def typed(value: model.JsonValue) -> tuple[str, float | None, str]:
    """A parameter's type, its number where it has one, and its text in one spelling.

    `0.001`, `1e-3` and `1.0e-03` all give `0.001`; lists and dicts give JSON with sorted keys.
    """
    if value is None:
        return "null", None, "null"
    if isinstance(value, bool):
        return "bool", float(value), "true" if value else "false"
    if isinstance(value, int):
        return "int", _as_float(value), str(value)
    if isinstance(value, float):
        return "float", value, _float_text(value)
    if isinstance(value, str):
        return "str", None, value
    kind = "dict" if isinstance(value, dict) else "list"
    return kind, None, json.dumps(value, sort_keys=True, ensure_ascii=False, default=str)


def _as_float(value: int) -> float | None:
    try:
        return float(value)
    except OverflowError:
        return None


def _float_text(value: float) -> str:
    return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)


# ---------------------------------------------------------------- the rest


def _add_blobs(draft: Draft, batch: Batch) -> None:
    for source in draft.sources:
        member, path = source.member, safe.text_of_path(source.member.claimed.claim.path)
        for blob in source.reading.blobs:
            batch.add(
                "blob", run_id=draft.run_id, kind=blob.kind, metric=_prefixed(member, blob.metric), step=blob.step,
                wall_s=blob.wall_s, seq=blob.seq, path=path, byte_offset=blob.offset, byte_length=blob.length,
                encoding=blob.encoding, width=blob.width, height=blob.height,
            )  # fmt: skip


def _add_small(draft: Draft, batch: Batch) -> None:
    run_id = draft.run_id
    for row in _code_rows(draft):
        batch.add("code", run_id=run_id, **row)
    for _member, _path, fact in draft.of_kind(model.Environment):
        batch.add("environment", run_id=run_id, key=fact.key, value=fact.value)
    for _member, _path, fact in draft.of_kind(model.DataVersion):
        batch.add("data_version", run_id=run_id, system=fact.system, name=fact.name, version=fact.version,
                  n_rows=fact.n_rows, schema_text=fact.schema, is_pinned=fact.is_pinned)  # fmt: skip
    for _member, _path, fact in draft.of_kind(model.ImportedTag):
        batch.add("imported_tag", run_id=run_id, key=fact.key, value=fact.value)
    note = draft.recorded("note")
    if note:
        batch.add("imported_note", run_id=run_id, body=str(note))


def _code_rows(draft: Draft) -> list[dict[str, Any]]:
    states = [fact for _member, _path, fact in draft.of_kind(model.GitState)]
    if not any(state.commit for state in states):
        states += [
            model.GitState(str(p.value), "recorded")
            for _m, _p, p in draft.of_kind(model.Param)
            if p.key in COMMIT_KEYS and p.value
        ]
    if not any(state.commit for state in states) and draft.code is not None:
        states.append(draft.code)
    named = [state for state in states if state.commit]
    if not named:
        return []
    state = named[0]
    dirty = next((s.is_dirty for s in states if s.is_dirty is not None), None)
    return [{
        "commit_id": state.commit, "branch": state.branch, "is_dirty": dirty,
        "remote": state.remote, "how": state.how,
        "subject": state.subject, "committed_s": state.committed_s, "repository": safe.text_of_path(state.repository),
    }]  # fmt: skip
