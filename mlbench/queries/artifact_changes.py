"""Data sets that W&B runs logged as artifacts, by the files in their manifests; models are never compared by files."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from mlbench.dataclass import dataclass
from mlbench.queries.reading import Reader
from mlbench.safe import path_of_text
from mlbench.wire.listings import Entry
from mlbench.wire.wandbmanifest import read_manifests

PREFIX = "wandb:"
_ARTIFACTS = """SELECT run_id, name, digest, coalesce(source, '') FROM artifact
WHERE starts_with(digest, 'wandb:') AND contains(lower(kind), 'data')
    AND run_id IN (SELECT unnest(CAST(? AS VARCHAR[]))) ORDER BY name, digest"""

_USED = """SELECT run_id, name FROM artifact
WHERE role = 'input' AND digest = '' AND contains(name, ':') AND contains(lower(kind), 'data')
    AND run_id IN (SELECT unnest(CAST(? AS VARCHAR[]))) ORDER BY name"""
_MADE = """SELECT name, coalesce(detail, ''), digest, coalesce(source, '') FROM artifact
WHERE starts_with(digest, 'wandb:') AND name IN (SELECT unnest(CAST(? AS VARCHAR[]))) ORDER BY name, digest"""


@dataclass(frozen=True, slots=True)
class ArtifactPair:
    """One artifact as two runs logged or used it."""

    run_id: str
    name: str
    before: str
    after: str
    old: dict[str, Entry] | None
    """None where the log is gone, or holds no manifest of it."""
    new: dict[str, Entry] | None


def artifact_pairs(reader: Reader, run_ids: Sequence[str]) -> list[ArtifactPair]:
    """The data sets whose digest in a run is another than in the first run."""
    found: dict[str, dict[str, tuple[str, str]]] = {run_id: {} for run_id in run_ids}
    for run_id, name, digest, source in reader.rows(_ARTIFACTS, [list(run_ids)]):
        found[run_id].setdefault(name, (digest.removeprefix(PREFIX), source))
    for run_id, name, made in _used(reader, run_ids):
        found[run_id].setdefault(name, made)
    base = found[run_ids[0]] if run_ids else {}
    logs: dict[str, dict[str, dict[str, Entry]]] = {}
    return [
        ArtifactPair(run_id, name, base[name][0], digest, _files(logs, *base[name]), _files(logs, digest, source))
        for run_id in run_ids[1:]
        for name, (digest, source) in found[run_id].items()
        if name in base and base[name][0] != digest
    ]


def _used(reader: Reader, run_ids: Sequence[str]) -> Iterator[tuple[str, str, tuple[str, str]]]:
    """Run, name, and digest and log of the data sets that runs used as `NAME:ALIAS`, where a run that made it is known.

    A log of a run that only used an artifact holds neither its digest nor its files.
    """
    rows = [(run_id, *name.rsplit(":", 1)) for run_id, name in reader.rows(_USED, [list(run_ids)])]
    if not rows:
        return
    made: dict[tuple[str, str], set[tuple[str, str]]] = {}
    for name, detail, digest, source in reader.rows(_MADE, [sorted({name for _id, name, _alias in rows})]):
        for alias in detail.split(", "):
            made.setdefault((name, alias), set()).add((digest.removeprefix(PREFIX), source))
    for run_id, name, alias in rows:
        makers = sorted(made.get((name, alias), ()))
        if len({digest for digest, _source in makers}) == 1:  # `latest` is another one after each
            yield run_id, name, makers[0]


def _files(logs: dict[str, dict[str, dict[str, Entry]]], digest: str, source: str) -> dict[str, Entry] | None:
    if source not in logs:
        try:
            logs[source] = read_manifests(path_of_text(source))
        except (OSError, ValueError):
            logs[source] = {}
    return logs[source].get(digest)
