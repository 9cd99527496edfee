"""From the readings of a run's sources to its rows in the catalog. Pure: nothing is read or written here."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from itertools import groupby, repeat
from typing import TYPE_CHECKING, Any

from mlbench import model, safe
from mlbench.dataclass import dataclass
from mlbench.ingest.identity import Member, Unit, run_id_of
from mlbench.ingest.read import Reading
from mlbench.ingest.scan import path_below
from mlbench.model import Layer, Role
from mlbench.wire import recurring
from mlbench.wire.recurring import float_texts

if TYPE_CHECKING:
    from mlbench.catalog.batch import Rows

COMMIT_KEYS = frozenset({"git_commit", "git.commit", "git_sha", "git_hash", "commit_hash", "commit_sha", "git_rev"})


@dataclass(frozen=True, slots=True)
class SourceReading:
    """One source of a run as it now stands: all its facts, of this reading and of earlier ones."""

    member: Member
    source_id: int
    reading: Reading


class Draft:
    """A run about to be committed."""

    def __init__(self, unit: Unit, root: str, sources: list[SourceReading]) -> None:
        self.unit, self.root, self.sources = unit, root, sources
        self.run_id = run_id_of(unit.key)
        self.data: tuple[model.DataVersion, ...] = ()
        """Told from paths and addresses that the run names."""
        self.code: model.GitState | None = None
        """Attributed from the repository around the run, where no source records a commit."""
        self._facts: dict[type[Any], list[tuple[Member, str, Any]]] = {}
        for source in sources:
            path = safe.text_of_path(source.member.claimed.claim.path)
            for kind, facts in groupby(source.reading.small, type):
                self._facts.setdefault(kind, []).extend(zip(repeat(source.member), repeat(path), facts))
        self._recorded: dict[str, str | float] | None = None
        self._worded: list[tuple[str, Any]] | None = None

    def of_kind(self, kind: type[Any]) -> Sequence[tuple[Member, str, Any]]:
        """The facts of a kind with the member and path that say them, in order of the sources."""
        return self._facts.get(kind, ())

    @property
    def worded(self) -> Sequence[tuple[str, Any]]:
        """Keys and values of the parameters that are texts or lists: nothing else names data or code."""
        if self._worded is None:
            kinds = (str, list, tuple)
            facts = [fact for _member, _path, fact in self.of_kind(model.Param)]
            self._worded = [(fact.key, fact.value) for fact in facts if isinstance(fact.value, kinds)]
        return self._worded

    @property
    def is_sweep_only(self) -> bool:
        """It only describes a sweep: no training has written here."""
        has_content = any(
            source.reading.n_points or any(blob.kind != "hparams" for blob in source.reading.blobs)
            for source in self.sources
        )
        if has_content or not self.unit.is_events_only or self.of_kind(model.Param):
            return False
        return bool(self.of_kind(model.SweepDescription))

    def said_at_start(self) -> str:
        """What does not change while the run goes on: start, host, entry point and own parameters."""
        fields = [f"{name}={self.recorded(name)}" for name in ("started", "host", "user", "entry_point", "name")]
        params = sorted(f"{p.key}={p.raw}" for member, _path, p in self.of_kind(model.Param) if not member.is_inherited)
        return "\n".join(fields + params)

    def recorded(self, name: str) -> str | float | None:
        """The last source's word for a field of the run; inherited sources do not speak for the run."""
        if self._recorded is None:
            said = self.of_kind(model.RunField)
            self._recorded = {fact.name: fact.value for member, _path, fact in said if not member.is_inherited}
        return self._recorded.get(name)


@dataclass(frozen=True, slots=True)
class Life:
    """What is known of a run beside the facts of its sources."""

    fingerprint: str
    """Hash of the run's oldest evidence."""
    first_wall_s: float | None
    """Of its points; None where none has a time."""
    last_wall_s: float | None
    newest_s: float | None
    """The newest mtime of its files, the last sign of life where there are no points."""


def add_rows(draft: Draft, batch: Rows, life: Life) -> None:
    """Put a run's rows into the batch, all but those of its series."""
    batch.add("run", **_run_row(draft, life))
    batch.add_columns("param", _param_columns(draft))
    _add_blobs(draft, batch)
    _add_small(draft, batch)


def prefixed(member: Member, metric: str) -> str:
    """The metric's name in the run: behind the sub-folder that was folded, unless the log says that already."""
    prefix = member.prefix
    return metric if not prefix or metric.startswith(f"{prefix}/") else f"{prefix}/{metric}"


# ---------------------------------------------------------------- the run


def _run_row(draft: Draft, life: Life) -> dict[str, Any]:
    folder = safe.text_of_path(draft.unit.folder)
    below = path_below(draft.unit.folder, draft.root)
    exit_code = draft.recorded("exit_code")
    return {
        "run_id": draft.run_id, "run_key": safe.text_of_path(draft.unit.key), "fingerprint": life.fingerprint,
        "name": _name(draft, below), "path": folder, "root": safe.text_of_path(draft.root),
        "project": _text(draft.recorded("project")) or _project(draft),
        "group_name": _text(draft.recorded("group")) or _group(below),
        "status": _text(draft.recorded("status")),
        "started_s": _earliest(draft, life.first_wall_s), "ended_s": draft.recorded("ended"),
        "active_s": _last_sign(draft, life),
        "host": _text(draft.recorded("host")), "user_name": _text(draft.recorded("user")),
        "command": _text(draft.recorded("command")),
        "entry_point": _text(draft.recorded("entry_point")), "job_type": _text(draft.recorded("job_type")),
        "exit_code": int(exit_code) if isinstance(exit_code, int | float) else None,
        "parent_id": _text(draft.recorded("parent")),
        "adapters": ",".join(sorted({source.member.claimed.adapter for source in draft.sources})),
        "is_missing": False,
    }  # fmt: skip


_OVER = frozenset({"finished", "failed", "killed"})


def _last_sign(draft: Draft, life: Life) -> str | float | None:
    """The last point, else the newest file, else what the source records: of a part, the file says nothing.

    Of a run that is over and whose end nobody recorded it is not known: its files may have been copied since.
    """
    if life.last_wall_s is None and draft.recorded("ended") is None and draft.recorded("status") in _OVER:
        return None
    signs = (life.last_wall_s, life.newest_s, draft.recorded("ended"), draft.recorded("started"))
    return next((sign for sign in signs if sign is not None), None)


def _text(value: str | float | None) -> str | None:
    return None if value is None else str(value)


def _name(draft: Draft, below: str) -> str:
    """The tracker's name where the tracker is all there is, else the path below the root."""
    recorded = draft.recorded("name")
    own = [source.member.claimed.claim for source in draft.sources if not source.member.is_inherited]
    trackers = [claim.path for claim in own if claim.role is Role.TRACKER]
    others = [claim.path for claim in own if claim.role in {Role.EVENTS, Role.DUMP}]
    if recorded and trackers and all(_is_inside(path, trackers) for path in others):
        return str(recorded)
    path = os.path.basename(draft.root) if below == os.curdir else below
    if draft.unit.part:
        return safe.text_of_path(f"{path}#{draft.unit.part}")
    return safe.text_of_path(os.path.splitext(path)[0] if draft.unit.is_own_file else path)


def _is_inside(path: str, folders: Sequence[str]) -> bool:
    """Whether a tracker keeps this file in its own folder."""
    return any(path.startswith(folder + os.sep) for folder in folders)


def _project(draft: Draft) -> str:
    states = [draft.code, *(fact for _member, _path, fact in draft.of_kind(model.GitState))]
    for state in states:
        if state and state.repository:
            return safe.text_of_path(os.path.basename(state.repository))
    return safe.text_of_path(os.path.basename(draft.root))


def _group(below: str) -> str:
    return safe.text_of_path(os.path.dirname(below))


def _earliest(draft: Draft, first_wall_s: float | None) -> float | None:
    """A tracker's word for the start, which is exact, else the earliest of the others, else that of the first point."""
    recorded = [
        (member.claimed.claim.role is not Role.TRACKER, float(fact.value))
        for member, _path, fact in draft.of_kind(model.RunField)
        if fact.name == "started" and not member.is_inherited and _is_time(fact.value)
    ]
    return min(recorded)[1] if recorded else first_wall_s


def _is_time(value: str | float) -> bool:
    return isinstance(value, int | float) and abs(value) < 1e300  # so is no NaN, and no integer beyond floats


# ---------------------------------------------------------------- params


_STRENGTH = {layer.value: place for place, layer in enumerate(model.PRECEDENCE)}
_LAYERS = {layer: layer.value for layer in Layer}
"""Their names: an enumeration takes long to tell one."""
_INHERITED = Layer.INHERITED
_ENCODER = json.JSONEncoder(sort_keys=True, ensure_ascii=False, default=str)


def _param_columns(draft: Draft) -> dict[str, Sequence[Any]]:
    """The rows of `param` by column: a run has a hundred, and a dict for each is most of what a batch weighs."""
    given = {  # of two by one name the later one holds
        (fact.key, _LAYERS[_INHERITED if member.is_inherited else fact.layer], path): fact
        for member, path, fact in draft.of_kind(model.Param)
    }
    if not given:
        return {}
    keys, layers, paths = zip(*given, strict=True)
    facts, find = given.values(), recurring.find
    known = [(fact, find(id(fact))) for fact in facts]
    kinds, numbers, texts = zip(
        *[one.typed if one and one.typed else _typed(fact, one) for fact, one in known], strict=True
    )
    return {
        "run_id": [draft.run_id] * len(facts), "key": keys, "raw": [fact.raw for fact in facts],
        "type": kinds, "num": numbers, "txt": texts, "layer": layers, "source": paths,
        "line": [fact.line for fact in facts], "is_effective": _effective(keys, layers),
    }  # fmt: skip


def _effective(keys: Sequence[str], layers: Sequence[str]) -> list[bool]:
    """Which of the parameters hold: of those of one key the strongest, and of equally strong ones the last."""
    strengths = [_STRENGTH[layer] for layer in layers]
    by_strength = sorted(range(len(keys)), key=strengths.__getitem__)
    strongest = dict(zip(map(keys.__getitem__, by_strength), by_strength, strict=True))
    is_effective = [False] * len(keys)
    for place in strongest.values():
        is_effective[place] = True
    return is_effective


def _typed(fact: model.Param, known: recurring.Recurring | None) -> tuple[str, float | None, str]:
    """What `typed` says, found out once of a parameter that recurs."""
    found = typed(fact.value)
    if known is not None:
        known.typed = found
    return found


def typed(value: model.JsonValue) -> tuple[str, float | None, str]:
    """A parameter's type, its number where it has one, and its text in one spelling.

    `0.001`, `1e-3` and `1.0e-03` all give `0.001`; lists and dicts give JSON with sorted keys.
    """
    if type(value) is float:  # most are, and texts
        return "float", value, _float_text(value)
    if type(value) is str:
        return "str", None, value
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
    return kind, None, _ENCODER.encode(value)


def _as_float(value: int) -> float | None:
    try:
        return float(value)
    except OverflowError:
        return None


def _float_text(value: float) -> str:
    return str(int(value)) if value.is_integer() and abs(value) < 1e15 else float_texts[value]


# ---------------------------------------------------------------- the rest


def _add_blobs(draft: Draft, batch: Rows) -> None:
    for source in draft.sources:
        member, claim = source.member, source.member.claimed.claim
        for blob in source.reading.blobs:
            path = os.path.join(claim.run_folder, blob.file) if blob.file else claim.path
            batch.add(
                "blob", run_id=draft.run_id, kind=blob.kind, metric=prefixed(member, blob.metric), step=blob.step,
                wall_s=blob.wall_s, seq=blob.seq, path=safe.text_of_path(path), byte_offset=blob.offset,
                byte_length=blob.length, encoding=blob.encoding, width=blob.width, height=blob.height,
                digest=blob.digest, source_id=source.source_id,
            )  # fmt: skip


def _add_small(draft: Draft, batch: Rows) -> None:
    run_id = draft.run_id
    for row in _code_rows(draft):
        batch.add("code", run_id=run_id, **row)
    for _member, _path, fact in draft.of_kind(model.Environment):
        batch.add("environment", run_id=run_id, key=fact.key, value=fact.value)
    for fact in (*(fact for _m, _p, fact in draft.of_kind(model.DataVersion)), *draft.data):
        batch.add("data_version", run_id=run_id, system=fact.system, name=fact.name, version=fact.version,
                  n_rows=fact.n_rows, schema_text=fact.schema, is_pinned=fact.is_pinned, role=fact.role,
                  size_bytes=fact.size_bytes)  # fmt: skip
    _add_lineage(draft, batch)
    for _member, _path, fact in draft.of_kind(model.ImportedTag):
        batch.add("imported_tag", run_id=run_id, key=fact.key, value=fact.value)
    note = draft.recorded("note")
    if note:
        batch.add("imported_note", run_id=run_id, body=str(note))


def _add_lineage(draft: Draft, batch: Rows) -> None:
    """Artifacts, the arrows between them and the run's steps, validations and registered models."""
    run_id = draft.run_id
    for _member, path, fact in draft.of_kind(model.Artifact):
        batch.add("artifact", run_id=run_id, kind=fact.kind, name=fact.name, uri=fact.uri, digest=fact.digest,
                  size_bytes=fact.size_bytes, role=fact.role, detail=fact.detail, source=path)  # fmt: skip
    for _member, _path, fact in draft.of_kind(model.LineageEdge):
        batch.add("lineage_edge", run_id=run_id, direction=fact.direction, step=fact.step, artifact=fact.artifact)
    for _member, path, fact in draft.of_kind(model.Validation):
        batch.add("validation", run_id=run_id, check_name=fact.check, verdict=fact.verdict, baseline=fact.baseline,
                  at_s=fact.at_s, evidence=fact.evidence or path)  # fmt: skip
    for _member, _path, fact in draft.of_kind(model.ModelVersion):
        batch.add("model_version", run_id=run_id, name=fact.name, version=fact.version, aliases=list(fact.aliases),
                  status=fact.status, note=fact.note, uri=fact.uri, tags=list(fact.tags))  # fmt: skip


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
